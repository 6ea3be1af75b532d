use super::budget::{Per, period};
use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{Allowance, GrantAllowance, List, RevokeAllowance};
use aigen_types::{Address, Amount, Timestamp};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use std::time::{SystemTime, UNIX_EPOCH};

const PATH: &str = "/v1/aigen/allowances";
const NANOS_PER_DAY: u64 = 86_400_000_000_000;

/// See [`super::Command::Allowance`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let an app spend of your account; your key says whose that is
    #[command(after_help = "\
Examples:
  aigen allowance grant app:tutor --cap 2
  aigen allowance grant app:tutor --cap 0.50 --per day --margin-ppm 100000 \\
      --days 30

The app names you with the header X-Aigen-Bill-To. The cap includes the app's margin.")]
    Grant {
        /// The account of the app's keys
        app: Address,
        /// The most it may spend, in AIGEN
        #[arg(long, value_name = "AMOUNT")]
        cap: Amount,
        /// How often that begins anew, by the UTC calendar
        #[arg(long, value_name = "PERIOD", default_value = "month")]
        per: Per,
        /// What the app adds to each charge for itself, in parts per million
        #[arg(long, value_name = "PPM", default_value_t = 0)]
        margin_ppm: u32,
        /// End it by itself after so many days
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        /// Whose money; your own unless you are the operator
        #[arg(long, value_name = "ADDRESS")]
        user: Option<Address>,
        #[command(flatten)]
        reach: Reach,
    },
    /// End an allowance: running calls keep what they hold and get no more
    #[command(after_help = "\
Example:
  aigen allowance revoke app:tutor")]
    Revoke {
        /// The account of the app's keys
        app: Address,
        /// Whose money; your own unless you are the app or the operator
        #[arg(long, value_name = "ADDRESS")]
        user: Option<Address>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Show what you allow and what you are allowed
    #[command(after_help = "\
Example:
  aigen allowance list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    let allowances: List<Allowance> = match command {
        Command::List { reach } => reach.as_customer(context)?.get(PATH).await?,
        Command::Revoke { app, user, reach } => {
            let revoke = RevokeAllowance { app, user };
            let path = format!("{PATH}/revoke");
            reach.as_customer(context)?.post(&path, &revoke).await?
        }
        Command::Grant {
            app,
            cap,
            per,
            margin_ppm,
            days,
            user,
            reach,
        } => {
            let grant = GrantAllowance {
                app,
                user,
                cap,
                period: per.into(),
                margin_ppm,
                expires_at: days.map(in_days).transpose()?,
            };
            reach.as_customer(context)?.post(PATH, &grant).await?
        }
    };
    show(&allowances, context)
}

pub(super) fn in_days(days: u32) -> Result<Timestamp> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = u64::try_from(now.as_nanos())?;
    let later = u64::from(days).checked_mul(NANOS_PER_DAY);
    let end = later.and_then(|later| now.checked_add(later));
    end.map(Timestamp).context("--days is beyond the year 2554")
}

fn show(allowances: &List<Allowance>, context: &Context) -> Result<()> {
    context.output.data(allowances, || {
        let headings = [
            "user", "app", "cap", "per", "spent", "held", "left", "state",
        ];
        let mut table = Table::new(&headings);
        for allowance in &allowances.data {
            table.row([
                allowance.user.to_string(),
                allowance.app.to_string(),
                allowance.cap.to_string(),
                period(allowance.period).into(),
                allowance.spent.to_string(),
                allowance.held.to_string(),
                allowance.available.to_string(),
                if allowance.live { "live" } else { "ended" }.into(),
            ]);
        }
        table.or("There are no allowances.")
    })
}
