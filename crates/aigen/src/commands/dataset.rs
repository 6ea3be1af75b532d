//! Datasets: publishing them, saying who may read, reading.

mod grants;
mod publish;
mod rows;
mod show;

use crate::context::Context;
use crate::failure::hinted;
use crate::reach::Reach;
use aigen_api::resources::{Dataset, DatasetPrice, DatasetUse, SetDatasetPrice, WithdrawDataset};
use aigen_types::{Address, Amount, DatasetName, DatasetRef, DatasetSelector};
use anyhow::{Result, ensure};
use clap::Subcommand;
use std::path::PathBuf;

const PATH: &str = "/v1/aigen/datasets";

/// See [`super::Command::Dataset`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publish a file, or a folder of texts, as a version of a dataset
    #[command(after_help = "\
Examples:
  aigen dataset publish faq.csv --name acme/faq@1.0.0 --licence CC-BY-4.0 \\
      --price-per-row 0.002
  aigen dataset publish handbook/ --name acme/handbook@1.0.0 \\
      --licence proprietary --price-per-hit 0.01 \\
      --use completion --use controller

The file is checked here first: what is wrong with its rows is said by line and column. Without
--open nobody but you may read it until you grant it: aigen dataset grant. What costs something by
row or by hit cannot be downloaded as a whole unless --price-per-download is named, be it 0.")]
    Publish(publish::Args),
    /// Look through a file as `publish` does, and send nothing
    #[command(after_help = "\
Example:
  aigen dataset check faq.csv")]
    Check {
        #[command(flatten)]
        file: publish::FileArgs,
    },
    /// List the datasets that a node knows
    #[command(after_help = "\
Example:
  aigen dataset list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Show a dataset: columns, price, licence, who may read it
    #[command(after_help = "\
Examples:
  aigen dataset show acme/faq
  aigen dataset show acme/faq@1.0.0")]
    Show {
        /// Owner and name, with a version or without
        dataset: DatasetSelector,
        #[command(flatten)]
        reach: Reach,
    },
    /// Read rows in their order; they are charged before they come
    #[command(after_help = "\
Examples:
  aigen dataset rows acme/faq --limit 5
  aigen dataset rows acme/faq --after 100 --columns question,answer \\
      --max-cost 0.05")]
    Rows {
        /// Owner and name, with a version or without
        dataset: DatasetSelector,
        #[command(flatten)]
        page: rows::PageArgs,
        #[command(flatten)]
        reach: Reach,
    },
    /// Search for rows; what is found is charged before it comes
    #[command(after_help = "\
Example:
  aigen dataset search acme/faq \"how do I return a mug?\" --limit 3")]
    Search {
        /// Owner and name, with a version or without
        dataset: DatasetSelector,
        /// What to search for; any text
        query: String,
        #[command(flatten)]
        page: rows::PageArgs,
        #[command(flatten)]
        reach: Reach,
    },
    /// Change what reads cost from now on
    #[command(after_help = "\
Example:
  aigen dataset price acme/faq@1.0.0 --price-per-row 0.003

A price that is not named stays as it is.")]
    Price {
        /// The version
        reference: DatasetRef,
        #[command(flatten)]
        price: PriceArgs,
        #[command(flatten)]
        reach: Reach,
    },
    /// Let somebody read a dataset, in all its versions
    #[command(after_help = "\
Examples:
  aigen dataset grant acme/faq user:ada
  aigen dataset grant acme/faq app:tutor --columns question,answer \\
      --use completion --days 30

It is for the keys of that account and of every account below it.")]
    Grant {
        /// Owner and name
        dataset: DatasetName,
        /// Whose keys
        to: Address,
        /// Which columns; all when absent
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        columns: Vec<String>,
        /// What for: read, completion, controller or download; all when absent
        #[arg(long = "use", value_name = "USE", value_delimiter = ',')]
        uses: Vec<DatasetUse>,
        /// End it by itself after so many days
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
        days: Option<u32>,
        #[command(flatten)]
        reach: Reach,
    },
    /// List what is granted: all of it to the owner, to others what is theirs
    #[command(after_help = "\
Example:
  aigen dataset grants acme/faq")]
    Grants {
        /// Owner and name
        dataset: DatasetName,
        #[command(flatten)]
        reach: Reach,
    },
    /// End a grant
    #[command(after_help = "\
Example:
  aigen dataset revoke acme/faq user:ada")]
    Revoke {
        /// Owner and name
        dataset: DatasetName,
        /// To whom it was granted
        to: Address,
        #[command(flatten)]
        reach: Reach,
    },
    /// End new reads of a version, for good
    #[command(after_help = "\
Example:
  aigen dataset withdraw acme/faq@1.0.0 --reason \"replaced by 1.1.0\"

Calls that have read it keep what they paid for.")]
    Withdraw {
        /// The version
        reference: DatasetRef,
        /// Why, in one line
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Download a whole dataset as JSONL, and compare its SHA-256
    #[command(after_help = "\
Example:
  aigen dataset download acme/faq --to faq.jsonl

A download that breaks off is not charged again when it is repeated with the same --once.")]
    Download {
        /// Owner and name, with a version or without
        dataset: DatasetSelector,
        /// The file to write; it must not be there yet
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// The most that it may cost, in AIGEN
        #[arg(long, value_name = "AMOUNT")]
        max_cost: Option<Amount>,
        /// A word of your choice that makes a repetition the same download
        #[arg(long, value_name = "WORD")]
        once: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

/// What a dataset costs.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct PriceArgs {
    /// Per row that is read, in AIGEN
    #[arg(long, value_name = "AMOUNT")]
    price_per_row: Option<Amount>,
    /// Per row that a search finds, beside what it costs as a row
    #[arg(long, value_name = "AMOUNT")]
    price_per_hit: Option<Amount>,
    /// For all rows at once; 0 gives them away
    #[arg(long, value_name = "AMOUNT")]
    price_per_download: Option<Amount>,
}

impl PriceArgs {
    fn names_none(&self) -> bool {
        let Self {
            price_per_row,
            price_per_hit,
            price_per_download,
        } = self;
        let named = [price_per_row, price_per_hit, price_per_download];
        named.iter().all(|price| price.is_none())
    }

    /// Whether rows have a price and nothing is said of all of them together.
    fn leaves_downloads_open(&self) -> bool {
        let priced = |price: Option<Amount>| price.is_some_and(|price| !price.is_zero());
        let by_row = priced(self.price_per_row) || priced(self.price_per_hit);
        by_row && self.price_per_download.is_none()
    }

    /// These prices, and what is not named as it was.
    fn over(&self, before: &DatasetPrice) -> SetDatasetPrice {
        SetDatasetPrice {
            row: self.price_per_row.unwrap_or(before.row),
            hit: self.price_per_hit.unwrap_or(before.hit),
            download: self.price_per_download.unwrap_or(before.download),
        }
    }
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Publish(args) => publish::run(args, context).await,
        Command::Check { file } => publish::check(&file, context),
        Command::List { reach } => show::list(&reach, context).await,
        Command::Show { dataset, reach } => show::show(&dataset, &reach, context).await,
        Command::Rows {
            dataset,
            page,
            reach,
        } => rows::read(&dataset, page.query(None), &reach, context).await,
        Command::Search {
            dataset,
            query,
            page,
            reach,
        } => rows::read(&dataset, page.query(Some(query)), &reach, context).await,
        Command::Price {
            reference,
            price,
            reach,
        } => set_price(&reference, price, &reach, context).await,
        Command::Grant {
            dataset,
            to,
            columns,
            uses,
            days,
            reach,
        } => {
            let grant = grants::New {
                to,
                columns,
                uses,
                days,
            };
            grants::grant(&dataset, grant, &reach, context).await
        }
        Command::Grants { dataset, reach } => grants::list(&dataset, &reach, context).await,
        Command::Revoke { dataset, to, reach } => {
            grants::revoke(&dataset, to, &reach, context).await
        }
        Command::Withdraw {
            reference,
            reason,
            reach,
        } => {
            let path = format!("{PATH}/{reference}/withdraw");
            let node = reach.as_customer(context)?;
            let told: Dataset = node.post(&path, &WithdrawDataset { reason }).await?;
            show::tell(&told, context)
        }
        Command::Download {
            dataset,
            to,
            max_cost,
            once,
            reach,
        } => {
            let asked = rows::Download { to, max_cost, once };
            rows::download(&dataset, asked, &reach, context).await
        }
    }
}

async fn set_price(
    version: &DatasetRef,
    named: PriceArgs,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    ensure!(
        !named.names_none(),
        hinted(
            "no price is named",
            "name one, also 0: --price-per-row, --price-per-hit or --price-per-download",
        )
    );
    let node = reach.as_customer(context)?;
    let known: Dataset = node.get(&format!("{PATH}/{version}")).await?;
    let price = named.over(&known.price);
    ensure!(
        !gives_away(&known, &named, &price),
        hinted(
            format!("{version} would have a price by row and still be downloaded for nothing"),
            "say what a download costs, too, also 0: --price-per-download",
        )
    );
    let told: Dataset = node
        .post(&format!("{PATH}/{version}/price"), &price)
        .await?;
    show::tell(&told, context)
}

/// Whether rows that were free get a price, and nothing was said of all of them together.
fn gives_away(known: &Dataset, named: &PriceArgs, price: &SetDatasetPrice) -> bool {
    let priced = |row: Amount, hit: Amount| !row.is_zero() || !hit.is_zero();
    known.uses.contains(&DatasetUse::Download)
        && named.price_per_download.is_none()
        && price.download.is_zero()
        && priced(price.row, price.hit)
        && !priced(known.price.row, known.price.hit)
}
