use super::budget::Per;
use super::spender::{self, Bound, NewSpender};
use crate::context::Context;
use crate::reach::Reach;
use aigen_types::{Address, Amount, Slug};
use anyhow::Result;
use clap::Subcommand;

/// See [`super::Command::Team`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a team of an account: its key, shown once, and a bound on what it spends
    #[command(after_help = "\
Examples:
  aigen team create org:acme:team:search
  aigen team create org:acme:team:search --cap 25 --per month --key-name search

Its keys spend the account's money; more of them: aigen key create org:acme --spender TEAM")]
    Create {
        /// Its address: the account's, then :team:NAME
        team: Address,
        /// The most that it may spend, in AIGEN
        #[arg(long, value_name = "AMOUNT")]
        cap: Option<Amount>,
        /// How often that begins anew, by the UTC calendar
        #[arg(long, value_name = "PERIOD", default_value = "month")]
        per: Per,
        /// Its key's public name
        #[arg(long, value_name = "NAME")]
        key_name: Option<Slug>,
        #[command(flatten)]
        reach: Reach,
    },
    /// List teams, their keys and their budgets
    #[command(after_help = "\
Example:
  aigen team list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Show a team: its keys and budgets, and how much of each is used
    #[command(after_help = "\
Example:
  aigen team show org:acme:team:search")]
    Show {
        /// Its address
        team: Address,
        #[command(flatten)]
        reach: Reach,
    },
    /// Bound what a team and everything below it may spend
    #[command(after_help = "\
Examples:
  aigen team budget org:acme:team:search 25
  aigen team budget org:acme:team:search 2 --per day")]
    Budget {
        /// Its address
        team: Address,
        /// The most that may be spent, in AIGEN
        cap: Amount,
        /// How often it begins anew, by the UTC calendar
        #[arg(long, value_name = "PERIOD", default_value = "month")]
        per: Per,
        #[command(flatten)]
        reach: Reach,
    },
}

const KIND: spender::Kind = spender::Kind {
    word: "team",
    path: "/v1/aigen/teams",
};

pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Create {
            team,
            cap,
            per,
            key_name,
            reach,
        } => {
            let new = NewSpender {
                bounds: cap
                    .map(|cap| Bound::of(&team, cap, per))
                    .into_iter()
                    .collect(),
                account: spender::account_above(&team, &KIND)?,
                address: team,
                key_name,
            };
            spender::create(&KIND, new, &reach, context).await
        }
        Command::List { reach } => spender::list(&KIND, &reach, context).await,
        Command::Show { team, reach } => spender::show(&KIND, &team, &reach, context).await,
        Command::Budget {
            team,
            cap,
            per,
            reach,
        } => {
            spender::account_above(&team, &KIND)?;
            let bound = Bound::of(&team, cap, per);
            spender::bound(&KIND, &team, bound, &reach, context).await
        }
    }
}
