use super::usage::sums;
use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{DatasetEarning, EpochEarning, List};
use aigen_types::{Address, Day};
use anyhow::Result;
use clap::ValueEnum;

/// See [`super::Command::Earnings`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen earnings                                       (what the key's own account earned)
  aigen earnings --by day,purpose --from 2026-01-01
  aigen earnings provider:acme --json                  (an operator may ask for any account)
  aigen earnings developer:grace --epochs              (what her controllers were paid by settlements)

Reads count on the UTC day on which they were paid. Of a fee the protocol keeps its share and the
provider gets the rest; of a call the provider also gets its part of the `data` share of what the
model cost. What controllers, validators and the protocol are paid comes with the settlement of
an epoch: `--epochs`, and `aigen epoch show` for everyone's.")]
pub struct Args {
    /// Who earned; the key's own account when absent
    account: Option<Address>,
    /// What to tell apart beside dataset versions
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    by: Vec<By>,
    /// The first day, as 2026-01-31
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// The last day, which counts
    #[arg(long, value_name = "DAY")]
    to: Option<Day>,
    /// What settlements paid, epoch by epoch, instead of what datasets earned
    #[arg(long, conflicts_with_all = ["by", "from", "to"])]
    epochs: bool,
    #[command(flatten)]
    reach: Reach,
}

/// What to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum By {
    /// The day on which reads were paid
    Day,
    /// What was read for: read, completion, controller or download
    Purpose,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    if args.epochs {
        let paid: List<EpochEarning> = node.get(&args.path_of_epochs()).await?;
        let table = || paid_table(&paid.data).to_string();
        return context.output.data(&paid, table);
    }
    let earned: List<DatasetEarning> = node.get(&args.path()).await?;
    context
        .output
        .data(&earned, || args.table(&earned.data).to_string())
}

impl Args {
    fn path(&self) -> String {
        let by: Vec<_> = self.by.iter().map(|by| by.name()).collect();
        sums("earnings", &by, self.account.as_ref(), [self.from, self.to])
    }

    fn path_of_epochs(&self) -> String {
        let account = self.account.as_ref();
        let account = account.map_or_else(String::new, |account| format!("?account={account}"));
        format!("/v1/aigen/earnings/epochs{account}")
    }

    fn table(&self, rows: &[DatasetEarning]) -> Table {
        let mut columns = vec!["dataset"];
        columns.extend(self.by.iter().map(|by| by.name()));
        columns.extend(["reads", "rows", "fees", "earned", "given back"]);
        let mut table = Table::new(&columns);
        for row in rows {
            let told = self.by.iter().map(|by| by.of(row));
            let head = std::iter::once(row.dataset.to_string());
            table.row(head.chain(told).chain(numbers(row)));
        }
        table
    }
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Purpose => "purpose",
        }
    }

    fn of(self, row: &DatasetEarning) -> String {
        let told = match self {
            Self::Day => row.day.map(|day| day.to_string()),
            Self::Purpose => row.purpose.map(|purpose| purpose.to_string()),
        };
        told.unwrap_or_else(|| "-".into())
    }
}

fn numbers(row: &DatasetEarning) -> [String; 5] {
    [
        row.reads.to_string(),
        row.rows.to_string(),
        row.fees.to_string(),
        row.earned.to_string(),
        row.given_back.to_string(),
    ]
}

fn paid_table(rows: &[EpochEarning]) -> Table {
    let mut table = Table::new(&["epoch", "for", "name", "earned"]);
    for row in rows {
        table.row([
            row.epoch.to_string(),
            row.kind.name().to_owned(),
            row.name.clone().unwrap_or_else(|| "-".into()),
            row.earned.to_string(),
        ]);
    }
    table
}
