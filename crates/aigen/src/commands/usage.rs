use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{List, Usage};
use aigen_types::{Address, Day};
use anyhow::Result;
use clap::ValueEnum;

/// See [`super::Command::Usage`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen usage                                            (all that the key's account paid for)
  aigen usage --by model --by day --from 2026-01-01
  aigen usage app:tutor --by spender                     (each team, each end user)

Calls count on the UTC day on which they ended. `aigen ledger export` gives every movement of money.")]
pub struct Args {
    /// Who paid; the key's own account when absent, and everyone for an operator's key
    account: Option<Address>,
    /// What to tell apart
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    by: Vec<By>,
    /// The first day, as 2026-01-31
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// The last day, which counts
    #[arg(long, value_name = "DAY")]
    to: Option<Day>,
    #[command(flatten)]
    reach: Reach,
}

/// What to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum By {
    /// The day on which calls ended
    Day,
    /// To whom they are attributed
    Spender,
    /// The model that answered
    Model,
    /// The controller that steered
    Controller,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let usage: List<Usage> = node.get(&args.path()).await?;
    context
        .output
        .data(&usage, || args.table(&usage.data).to_string())
}

impl Args {
    fn path(&self) -> String {
        let by: Vec<_> = self.by.iter().map(|by| by.name()).collect();
        sums("usage", &by, self.account.as_ref(), [self.from, self.to])
    }

    fn table(&self, rows: &[Usage]) -> Table {
        let mut columns = vec!["account"];
        columns.extend(self.by.iter().map(|by| by.name()));
        columns.extend(["calls", "input", "output", "charged", "given back"]);
        let mut table = Table::new(&columns);
        for row in rows {
            let told = self.by.iter().map(|by| by.of(row));
            let head = std::iter::once(row.account.to_string());
            table.row(head.chain(told).chain(numbers(row)));
        }
        table
    }
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Spender => "spender",
            Self::Model => "model",
            Self::Controller => "controller",
        }
    }

    fn of(self, row: &Usage) -> String {
        let told = match self {
            Self::Day => row.day.map(|day| day.to_string()),
            Self::Spender => row.spender.as_ref().map(ToString::to_string),
            Self::Model => row.model.as_ref().map(ToString::to_string),
            Self::Controller => row.controller.as_ref().map(ToString::to_string),
        };
        told.unwrap_or_else(|| "-".into())
    }
}

fn numbers(row: &Usage) -> [String; 5] {
    let tokens = &row.usage;
    let input = tokens.prompt_tokens + tokens.cached_prompt_tokens;
    let output = tokens.sampled_tokens + tokens.forced_tokens + tokens.discarded_tokens;
    [
        row.calls.to_string(),
        input.to_string(),
        output.to_string(),
        row.charged.to_string(),
        row.given_back.to_string(),
    ]
}

/// The question for sums of `what`: of an account, over days, told apart. Addresses, days and
/// these words need no escaping in a query.
pub(super) fn sums(
    what: &str,
    by: &[&str],
    account: Option<&Address>,
    [from, to]: [Option<Day>; 2],
) -> String {
    let mut path = format!("/v1/aigen/{what}?by={}", by.join(","));
    if let Some(account) = account {
        path += &format!("&account={account}");
    }
    for (name, day) in [("from", from), ("to", to)] {
        if let Some(day) = day {
            path += &format!("&{name}={day}");
        }
    }
    path
}
