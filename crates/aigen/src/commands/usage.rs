use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{List, TokenUsage, Usage};
use aigen_types::{Address, Day};
use anyhow::Result;
use clap::ValueEnum;

/// See [`super::Command::Usage`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen usage                            (all that the key's account paid for)
  aigen usage --by model --by day --from 2026-01-01
  aigen usage app:tutor --by spender     (each team, each end user)
  aigen usage --by dataset               (what was read outside of calls)

Calls count on the UTC day on which they ended. What was read of datasets outside of calls has lines of its own, on
the day on which it was paid. `aigen ledger export` gives every movement of money.")]
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
    /// The day on which calls ended and reads were paid
    Day,
    /// To whom they are attributed
    Spender,
    /// The model that answered
    Model,
    /// The controller that steered
    Controller,
    /// The dataset that was read outside of calls
    Dataset,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let usage: List<Usage> = node.get(&args.path()).await?;
    context.output.data(&usage, || args.told(&usage.data))
}

impl Args {
    fn path(&self) -> String {
        let by: Vec<_> = self.by.iter().map(|by| by.name()).collect();
        sums("usage", &by, self.account.as_ref(), [self.from, self.to])
    }

    fn told(&self, rows: &[Usage]) -> String {
        self.table(rows).or(&self.nothing())
    }

    /// Whose usage there is none of, and of when.
    fn nothing(&self) -> String {
        let whose = match &self.account {
            Some(account) => format!("{account} has paid for"),
            None => "There are".to_owned(),
        };
        let when = match (self.from, self.to) {
            (None, None) => String::new(),
            (Some(from), None) => format!(" from {from} on"),
            (None, Some(to)) => format!(" up to {to}"),
            (Some(from), Some(to)) if from == to => format!(" on {from}"),
            (Some(from), Some(to)) => format!(" from {from} to {to}"),
        };
        format!("{whose} no calls and no reads{when}.")
    }

    fn table(&self, rows: &[Usage]) -> Table {
        // Who reads no datasets is not shown two columns of zeros.
        let with_reads = rows.iter().any(|row| row.reads > 0);
        let shown = |(name, _): &&Column| with_reads || !["reads", "rows"].contains(name);
        let numbers = || NUMBERS.iter().filter(shown);
        let mut columns = vec!["account"];
        columns.extend(self.by.iter().map(|by| by.name()));
        columns.extend(numbers().map(|(name, _)| name));
        let mut table = Table::new(&columns);
        for row in rows {
            let told = self.by.iter().map(|by| by.of(row));
            let head = std::iter::once(row.account.to_string());
            let numbers = numbers().map(|(_, value)| value(row));
            table.row(head.chain(told).chain(numbers));
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
            Self::Dataset => "dataset",
        }
    }

    fn of(self, row: &Usage) -> String {
        let told = match self {
            Self::Day => row.day.map(|day| day.to_string()),
            Self::Spender => row.spender.as_ref().map(ToString::to_string),
            Self::Model => row.model.as_ref().map(ToString::to_string),
            Self::Controller => row.controller.as_ref().map(ToString::to_string),
            Self::Dataset => row.dataset.as_ref().map(ToString::to_string),
        };
        told.unwrap_or_else(|| "-".into())
    }
}

/// Its name, and what a row has in it.
type Column = (&'static str, fn(&Usage) -> String);

const NUMBERS: [Column; 7] = [
    ("calls", |row| row.calls.to_string()),
    ("input", |row| input(&row.usage).to_string()),
    ("output", |row| output(&row.usage).to_string()),
    ("reads", |row| row.reads.to_string()),
    ("rows", |row| row.rows.to_string()),
    ("charged", |row| row.charged.to_string()),
    ("given back", |row| row.given_back.to_string()),
];

fn input(tokens: &TokenUsage) -> u64 {
    tokens.prompt_tokens + tokens.cached_prompt_tokens
}

fn output(tokens: &TokenUsage) -> u64 {
    tokens.sampled_tokens + tokens.forced_tokens + tokens.discarded_tokens
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

    #[test]
    fn where_nothing_was_used_that_is_said() {
        for (line, said) in [
            ("usage", "There are no calls and no reads."),
            (
                "usage user:ada",
                "user:ada has paid for no calls and no reads.",
            ),
            (
                "usage user:ada --from 2026-01-31 --to 2026-01-31",
                "user:ada has paid for no calls and no reads on 2026-01-31.",
            ),
            (
                "usage --from 2026-01-01 --to 2026-01-31",
                "There are no calls and no reads from 2026-01-01 to 2026-01-31.",
            ),
            (
                "usage --to 2026-01-31",
                "There are no calls and no reads up to 2026-01-31.",
            ),
            (
                "usage --from 2026-01-31",
                "There are no calls and no reads from 2026-01-31 on.",
            ),
        ] {
            let Asked { args } = Asked::parse_from(line.split(' '));
            assert_eq!(args.told(&[]), format!("{said}\n"), "{line}");
        }
    }

    #[test]
    fn reads_outside_of_calls_have_lines_of_their_own() {
        let Asked { args } = Asked::parse_from(["usage", "--by", "model,dataset"]);
        assert_eq!(args.path(), "/v1/aigen/usage?by=model,dataset");
        let none = json!({
            "prompt_tokens": 0, "cached_prompt_tokens": 0, "sampled_tokens": 0, "forced_tokens": 0,
            "discarded_tokens": 0,
        });
        let mut used = none.clone();
        (used["cached_prompt_tokens"], used["forced_tokens"]) = (20.into(), 7.into());
        let rows: Vec<Usage> = serde_json::from_value(json!([
            {"account": "user:ada", "model": "tiny", "calls": 12, "usage": used,
             "charged_nano": "30", "given_back_nano": "0"},
            {"kind": "dataset_read", "account": "user:ada", "dataset": "acme/faq@1.0.0", "calls": 0, "reads": 2,
             "rows": 40, "usage": none, "charged_nano": "1000000", "given_back_nano": "500000"},
        ]))
        .unwrap();
        assert_snapshot!(args.table(&rows), @"
        account   model  dataset         calls  input  output  reads  rows  charged     given back
        user:ada  tiny   -               12     20     7       0      0     0.00000003  0.00
        user:ada  -      acme/faq@1.0.0  0      0      0       2      40    0.001       0.0005
        ");
        assert_snapshot!(args.table(&rows[..1]), @"
        account   model  dataset  calls  input  output  charged     given back
        user:ada  tiny   -        12     20     7       0.00000003  0.00
        ");
    }
}
