use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{Budget, List, Period, SetBudget};
use aigen_types::{Amount, BudgetPath};
use anyhow::Result;
use clap::{Subcommand, ValueEnum};

const PATH: &str = "/v1/aigen/budgets";

/// See [`super::Command::Budget`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bound what an address and everything below it may spend on calls
    #[command(after_help = "\
Examples:
  aigen budget set org:acme 500 --per month
  aigen budget set org:acme:team:search 20 --per day
  aigen budget set app:tutor:user:* 0.10 --per day   (each end user of the app)

Every bound on the way to who spends and to who pays is kept, the tightest one first. A change
counts for calls that run as well; what they hold stays theirs.")]
    Set {
        /// An address, or with :user:* at its end each end user of one
        path: BudgetPath,
        /// The most that may be spent, in AIGEN
        cap: Amount,
        /// How often it begins anew, by the UTC calendar
        #[arg(long, value_name = "PERIOD", default_value = "month")]
        per: Per,
        #[command(flatten)]
        reach: Reach,
    },
    /// Show budgets, and how much of each is used
    #[command(after_help = "\
Example:
  aigen budget list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Take a budget away
    #[command(after_help = "\
Example:
  aigen budget remove org:acme:team:search")]
    Remove {
        /// Its path
        path: BudgetPath,
        #[command(flatten)]
        reach: Reach,
    },
}

/// How often a bound begins anew.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Per {
    /// At midnight
    Day,
    /// On Monday
    Week,
    /// On the first
    Month,
    /// Never
    Total,
}

impl From<Per> for Period {
    fn from(per: Per) -> Self {
        match per {
            Per::Day => Self::Day,
            Per::Week => Self::Week,
            Per::Month => Self::Month,
            Per::Total => Self::Total,
        }
    }
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    let (reach, set) = match command {
        Command::List { reach } => {
            let node = reach.as_operator(context)?;
            let budgets: List<Budget> = node.get(PATH).await?;
            return show(&budgets, context);
        }
        Command::Set {
            path,
            cap,
            per,
            reach,
        } => {
            let period = per.into();
            let cap = Some(cap);
            (reach, SetBudget { path, cap, period })
        }
        Command::Remove { path, reach } => {
            let (cap, period) = (None, Period::default());
            (reach, SetBudget { path, cap, period })
        }
    };
    let node = reach.as_operator(context)?;
    let budgets: List<Budget> = node.post(PATH, &set).await?;
    show(&budgets, context)
}

fn show(budgets: &List<Budget>, context: &Context) -> Result<()> {
    context.output.data(budgets, || {
        table("path", &budgets.data).or("Nothing that anybody spends is bounded.")
    })
}

/// One row for each, headed by what its path is here.
pub fn table(path: &'static str, budgets: &[Budget]) -> Table {
    let mut table = Table::new(&[path, "cap", "per", "spent", "held", "left"]);
    for budget in budgets {
        // End users have an account each: what they have spent together is bounded by nothing.
        let told = |amount: Amount| match budget.path.is_each_user() {
            true => "-".to_owned(),
            false => amount.to_string(),
        };
        table.row([
            budget.path.to_string(),
            budget.cap.to_string(),
            period(budget.period).into(),
            told(budget.spent),
            told(budget.held),
            told(budget.available),
        ]);
    }
    table
}

/// One word.
pub fn period(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Total => "total",
    }
}
