use super::budget::Per;
use super::spender::{self, Bound, NewSpender};
use crate::context::Context;
use crate::failure::hinted;
use crate::reach::Reach;
use aigen_api::resources::{Allowance, GrantAllowance, List};
use aigen_types::{Address, Amount, Slug};
use anyhow::Result;
use clap::Subcommand;

/// See [`super::Command::App`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an app: its key, shown once, and bounds on what it and each of its end users spend
    #[command(after_help = "\
Examples:
  aigen app create app:tutor
  aigen app create app:tutor --cap 100 --per month --each-user 0.50
  aigen app create org:acme:team:search:app:tutor --key-name tutor

An app with an address of its own pays for itself, or is allowed to let its users pay: see
aigen allowance grant. One below an account spends that account's money.")]
    Create {
        /// Its address: app:NAME, alone or below an account or team
        app: Address,
        /// The most that it may spend, in AIGEN
        #[arg(long, value_name = "AMOUNT")]
        cap: Option<Amount>,
        /// The most that each of its end users may spend, in AIGEN
        #[arg(long, value_name = "AMOUNT")]
        each_user: Option<Amount>,
        /// How often both begin anew, by the UTC calendar
        #[arg(long, value_name = "PERIOD", default_value = "month")]
        per: Per,
        /// Its key's public name
        #[arg(long, value_name = "NAME")]
        key_name: Option<Slug>,
        #[command(flatten)]
        reach: Reach,
    },
    /// List apps, their keys, budgets and allowances
    #[command(after_help = "\
Example:
  aigen app list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Show an app: its keys, its budgets, and what users let it spend
    #[command(after_help = "\
Example:
  aigen app show app:tutor")]
    Show {
        /// Its address
        app: Address,
        #[command(flatten)]
        reach: Reach,
    },
    /// Bound what an app, or each of its end users, may spend
    #[command(after_help = "\
Examples:
  aigen app budget app:tutor 100
  aigen app budget app:tutor 0.50 --per day --each-user")]
    Budget {
        /// Its address
        app: Address,
        /// The most that may be spent, in AIGEN
        cap: Amount,
        /// How often it begins anew, by the UTC calendar
        #[arg(long, value_name = "PERIOD", default_value = "month")]
        per: Per,
        /// It bounds each end user by themselves
        #[arg(long)]
        each_user: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Change what an app adds to each charge of a user for itself; the user's key says yes to it
    #[command(after_help = "\
Examples:
  aigen app margin app:tutor 100000     (a tenth, for the account of your key)
  aigen app margin app:tutor 0 --user user:ada    (as the operator)

The rest of the allowance stays as it is. See aigen allowance grant.")]
    Margin {
        /// Its address
        app: Address,
        /// In parts per million of the charge
        margin_ppm: u32,
        /// Whose allowance; your own unless you are the operator
        #[arg(long, value_name = "ADDRESS")]
        user: Option<Address>,
        #[command(flatten)]
        reach: Reach,
    },
}

const KIND: spender::Kind = spender::Kind {
    word: "app",
    path: "/v1/aigen/apps",
};

const ALLOWANCES: &str = "/v1/aigen/allowances";

pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Create {
            app,
            cap,
            each_user,
            per,
            key_name,
            reach,
        } => {
            let own = cap.map(|cap| Bound::of(&app, cap, per));
            let each = each_user.map(|cap| Bound::of_each_user(&app, cap, per));
            let new = NewSpender {
                bounds: [own, each.transpose()?].into_iter().flatten().collect(),
                account: spender::account_above(&app, &KIND)?,
                address: app,
                key_name,
            };
            spender::create(&KIND, new, &reach, context).await
        }
        Command::List { reach } => spender::list(&KIND, &reach, context).await,
        Command::Show { app, reach } => spender::show(&KIND, &app, &reach, context).await,
        Command::Budget {
            app,
            cap,
            per,
            each_user,
            reach,
        } => {
            spender::account_above(&app, &KIND)?;
            let bound = match each_user {
                true => Bound::of_each_user(&app, cap, per)?,
                false => Bound::of(&app, cap, per),
            };
            spender::bound(&KIND, &app, bound, &reach, context).await
        }
        Command::Margin {
            app,
            margin_ppm,
            user,
            reach,
        } => margin(&app, margin_ppm, user, &reach, context).await,
    }
}

/// Grants the same allowance again, with another margin.
async fn margin(
    app: &Address,
    margin_ppm: u32,
    user: Option<Address>,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let node = reach.as_customer(context)?;
    let known: List<Allowance> = node.get(ALLOWANCES).await?;
    let mut live = known.data.iter().filter(|one| one.live && one.app == *app);
    let found = match &user {
        Some(user) => live.find(|one| one.user == *user),
        None => live.next().filter(|_| live.next().is_none()),
    };
    let Some(found) = found else {
        return Err(hinted(
            format!("there is no allowance of {app}, or more than one that you see"),
            "`aigen allowance list` shows them; say whose with --user",
        ));
    };
    let grant = GrantAllowance {
        app: app.clone(),
        user: Some(found.user.clone()),
        cap: found.cap,
        period: found.period,
        margin_ppm,
        expires_at: found.expires_at,
    };
    let granted: List<Allowance> = node.post(ALLOWANCES, &grant).await?;
    let whose = found.user.clone();
    context.output.data(&granted, || {
        format!("{app} adds {margin_ppm} parts per million to what {whose} is charged")
    })
}
