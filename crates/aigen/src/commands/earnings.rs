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
  aigen earnings                           (of the key's own account)
  aigen earnings --by day,purpose --from 2026-01-01
  aigen earnings provider:acme --json      (as an operator, for any account)
  aigen earnings developer:grace --epochs  (what settlements paid)

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
        let table = || paid_table(&paid.data).or("No settlement has paid anything.");
        return context.output.data(&paid, table);
    }
    let earned: List<DatasetEarning> = node.get(&args.path()).await?;
    context.output.data(&earned, || {
        let nothing = "No dataset has earned anything.";
        args.table(&earned.data).or(nothing)
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use insta::assert_snapshot;
    use serde_json::json;

    #[derive(Parser)]
    struct Asked {
        #[command(flatten)]
        args: Args,
    }

    fn asked(words: &str) -> Args {
        Asked::parse_from(format!("earnings {words}").split_whitespace()).args
    }

    #[test]
    fn settlements_are_told_epoch_by_epoch() {
        let paid: Vec<EpochEarning> = serde_json::from_value(json!([
            {"account": "developer:grace", "epoch": 0, "kind": "controller", "name": "grace/quiz@1.0.0",
             "earned_nano": "1500000000", "transfer": "0".repeat(31) + "1"},
            {"account": "developer:grace", "epoch": 12, "kind": "refund",
             "earned_nano": "3", "transfer": "0".repeat(31) + "2"},
            {"account": "developer:grace", "epoch": 12, "kind": "validator", "name": "vera",
             "earned_nano": "20000000", "transfer": "0".repeat(31) + "3"},
        ]))
        .unwrap();
        let of = asked("developer:grace --epochs").path_of_epochs();
        assert_eq!(of, "/v1/aigen/earnings/epochs?account=developer:grace");
        assert_eq!(
            asked("--epochs").path_of_epochs(),
            "/v1/aigen/earnings/epochs"
        );
        assert_snapshot!(paid_table(&paid), @"
        epoch  for         name              earned
        0      controller  grace/quiz@1.0.0  1.50
        12     refund      -                 0.000000003
        12     validator   vera              0.02
        ");
        assert_snapshot!(paid_table(&[]), @"epoch  for  name  earned");
    }

    #[test]
    fn datasets_are_told_apart_as_was_asked() {
        let args = asked("--by day,purpose --from 2026-01-01");
        assert_eq!(
            args.path(),
            "/v1/aigen/earnings?by=day,purpose&from=2026-01-01"
        );
        let earned: Vec<DatasetEarning> = serde_json::from_value(json!([
            {"account": "provider:acme", "dataset": "acme/faq@1.0.0", "day": "2026-01-31", "purpose": "completion",
             "reads": 12, "rows": 40, "fees_nano": "1000000000", "earned_nano": "940000000", "given_back_nano": "0"},
        ]))
        .unwrap();
        assert_snapshot!(args.table(&earned), @"
        dataset         day         purpose     reads  rows  fees  earned  given back
        acme/faq@1.0.0  2026-01-31  completion  12     40    1.00  0.94    0.00
        ");
    }
}
