use super::budget::{Per, period, table};
use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{
    Key, KeyBudget, KeyCreated, KeyLimits, KeyRole, KeyScope, List, NewKey, SetKeyBudget,
};
use aigen_types::{Address, Amount, ControllerName, DatasetName, ModelName, Slug, Timestamp};
use anyhow::Result;
use clap::Subcommand;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// See [`super::Command::Key`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key that spends from an address; it is shown once
    #[command(after_help = "\
Examples:
  aigen key create user:ada
  aigen key create user:ada --name ada-laptop
  aigen key create org:acme --spender org:acme:team:search
  aigen key create operator --operator
  aigen key create user:ada --requests-per-minute 60 --model aigen-tiny \\
      --expires-in 30days
  aigen key create user:ada --dataset books/faq --dataset books/poems
  aigen key create user:ada --name ada-laptop --budget 5 --per month

Only a hash of the key is stored: keep what is printed. A key with a budget spends for a part of the
account that is its own, like user:ada:key:ada-laptop. It asks models and reads; it pays nobody.")]
    Create {
        /// The account it spends from
        address: Address,
        /// Its public name, which logs and statements may show
        #[arg(long)]
        name: Option<Slug>,
        /// To whom its spending is attributed, for budgets: a team or an app of the account
        #[arg(long, value_name = "ADDRESS")]
        spender: Option<Address>,
        /// It may do everything: issue money, make keys, close epochs
        #[arg(long)]
        operator: bool,
        /// The most that this key may spend by itself, in AIGEN
        #[arg(long, value_name = "AMOUNT", conflicts_with = "operator")]
        budget: Option<Amount>,
        /// How often its budget begins anew, by the UTC calendar; a month if not said
        #[arg(long, value_name = "PERIOD", requires = "budget")]
        per: Option<Per>,
        #[command(flatten)]
        limits: LimitArgs,
        #[command(flatten)]
        reach: Reach,
    },
    /// Change what a key is limited to: all of its limits, those not named end
    #[command(after_help = "\
Examples:
  aigen key limit ada-laptop --budget 10 --per month
  aigen key limit ada-laptop --no-budget
  aigen key limit ada-laptop --requests-per-minute 60 --tokens-per-minute 100000
  aigen key limit ada-laptop --scope complete --model aigen-tiny \\
      --expires-in 30days
  aigen key limit ada-laptop --dataset books/faq
  aigen key limit ada-laptop

A budget stays until it is changed or taken away, and changing nothing else leaves the limits as they
are. Only a key that was made with a budget has one.")]
    Limit {
        /// Its public name
        name: Slug,
        /// The most that this key may spend by itself, in AIGEN
        #[arg(long, value_name = "AMOUNT", conflicts_with = "no_budget")]
        budget: Option<Amount>,
        /// How often its budget begins anew, by the UTC calendar; a month if not said
        #[arg(long, value_name = "PERIOD", requires = "budget")]
        per: Option<Per>,
        /// It may spend as much as what it spends for
        #[arg(long)]
        no_budget: bool,
        #[command(flatten)]
        limits: LimitArgs,
        #[command(flatten)]
        reach: Reach,
    },
    /// End a key
    #[command(after_help = "\
Example:
  aigen key revoke ada-laptop")]
    Revoke {
        /// Its public name
        name: Slug,
        #[command(flatten)]
        reach: Reach,
    },
    /// List keys by their public names
    #[command(after_help = "\
Example:
  aigen key list")]
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Show a key: what it is limited to, and what is left of its budget
    #[command(after_help = "\
Example:
  aigen key show ada-laptop")]
    Show {
        /// Its public name
        name: Slug,
        #[command(flatten)]
        reach: Reach,
    },
}

/// What a key is limited to.
#[derive(Debug, clap::Args)]
pub struct LimitArgs {
    /// Calls that may begin within one minute
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u64>,
    /// Tokens of prompts and answers within one minute
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<u64>,
    /// Ends it by itself after this long, like 12h or 30days
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    expires_in: Option<Duration>,
    /// It may ask this model only; may be repeated
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<ModelName>,
    /// It may use this published controller only, in any version; may be repeated
    #[arg(long = "controller", value_name = "OWNER/NAME")]
    controllers: Vec<ControllerName>,
    /// It may read this dataset only, in any version and whatever for; may be repeated
    #[arg(long = "dataset", value_name = "OWNER/NAME")]
    datasets: Vec<DatasetName>,
    /// It may be used for this only: complete, read or manage; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<KeyScope>,
}

fn scope(text: &str) -> Result<KeyScope, &'static str> {
    match text {
        "complete" => Ok(KeyScope::Complete),
        "read" => Ok(KeyScope::Read),
        "manage" => Ok(KeyScope::Manage),
        _ => Err("it is complete, read or manage"),
    }
}

impl From<LimitArgs> for KeyLimits {
    fn from(args: LimitArgs) -> Self {
        let end = args.expires_in.map(|after| SystemTime::now() + after);
        let end = end.and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        let end = end.and_then(|end| u64::try_from(end.as_nanos()).ok());
        Self {
            requests_per_minute: args.requests_per_minute,
            tokens_per_minute: args.tokens_per_minute,
            expires_at: end.map(Timestamp),
            models: args.models,
            controllers: args.controllers,
            datasets: args.datasets,
            scopes: args.scopes,
        }
    }
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Create {
            address,
            name,
            operator,
            spender,
            budget,
            per,
            limits,
            reach,
        } => {
            let role = if operator {
                KeyRole::Operator
            } else {
                KeyRole::Customer
            };
            let new = NewKey {
                account: address,
                name,
                role,
                spender,
                limits: limits.into(),
                budget: budget.map(|cap| KeyBudget {
                    cap,
                    per: per.unwrap_or(Per::Month).into(),
                }),
            };
            create(&new, &reach, context).await
        }
        Command::Limit {
            name,
            budget,
            per,
            no_budget,
            limits,
            reach,
        } => {
            let bound = (budget.is_some() || no_budget).then(|| SetKeyBudget {
                cap: budget,
                per: per.unwrap_or(Per::Month).into(),
            });
            limit(&name, &limits.into(), bound, &reach, context).await
        }
        Command::Revoke { name, reach } => revoke(&name, &reach, context).await,
        Command::List { reach } => list(&reach, context).await,
        Command::Show { name, reach } => show(&name, &reach, context).await,
    }
}

async fn create(new: &NewKey, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_operator(context)?;
    let created: KeyCreated = node.post("/v1/aigen/keys", new).await?;
    context.output.data(&created, || created.key.clone())?;
    context.output.say(format!(
        "key `{}` spends from {}{}; it is not shown again",
        created.name,
        created.account,
        attributed(&created),
    ));
    Ok(())
}

/// Only where it says something.
fn attributed(created: &KeyCreated) -> String {
    if created.spender == created.account {
        String::new()
    } else {
        format!(" for {}", created.spender)
    }
}

/// A budget alone leaves the limits as they are: they would end unnoticed.
async fn limit(
    name: &Slug,
    limits: &KeyLimits,
    bound: Option<SetKeyBudget>,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let node = reach.as_operator(context)?;
    let path = format!("/v1/aigen/keys/{name}");
    let bounded: Option<Key> = match bound {
        Some(bound) => Some(node.post(&format!("{path}/budget"), &bound).await?),
        None => None,
    };
    let key = match bounded {
        Some(key) if limits.is_none() => key,
        _ => node.post(&format!("{path}/limits"), limits).await?,
    };
    context.output.data(&key, || {
        format!("{name}: {}{}", described(&key.limits), left(&key))
    })
}

/// Only where it has a budget.
fn left(key: &Key) -> String {
    key.budget.as_ref().map_or_else(String::new, |budget| {
        let (cap, left, per) = (budget.cap, budget.available, period(budget.period));
        format!(", {left} left of {cap} per {per}")
    })
}

fn described(limits: &KeyLimits) -> String {
    let rate = |limit: Option<u64>, what| limit.map(|limit| format!("{limit} {what}/min"));
    let mut parts: Vec<String> = [
        rate(limits.requests_per_minute, "requests"),
        rate(limits.tokens_per_minute, "tokens"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(end) = limits.expires_at {
        let end = UNIX_EPOCH + Duration::from_secs(end.seconds());
        parts.push(format!("until {}", humantime::format_rfc3339_seconds(end)));
    }
    parts.extend(limits.models.iter().map(ToString::to_string));
    parts.extend(limits.controllers.iter().map(ToString::to_string));
    let datasets = limits.datasets.iter();
    parts.extend(datasets.map(|dataset| format!("dataset {dataset}")));
    parts.extend(
        limits
            .scopes
            .iter()
            .map(|scope| format!("{scope:?}").to_lowercase()),
    );
    match parts.is_empty() {
        true => "no limits".to_owned(),
        false => parts.join(", "),
    }
}

async fn revoke(name: &Slug, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_operator(context)?;
    let path = format!("/v1/aigen/keys/{name}/revoke");
    let key: Key = node.post(&path, &serde_json::json!({})).await?;
    context.output.data(&key, || format!("revoked {name}"))
}

async fn list(reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_operator(context)?;
    let keys: List<Key> = node.get("/v1/aigen/keys").await?;
    context.output.data(&keys, || {
        let mut table = Table::new(&[
            "key", "account", "spender", "role", "state", "cap", "per", "spent", "left", "limits",
        ]);
        for key in &keys.data {
            let [cap, per, spent, left] = bounds(key);
            table.row([
                key.name.to_string(),
                key.account.to_string(),
                key.spender.to_string(),
                role(key).into(),
                state(key).into(),
                cap,
                per,
                spent,
                left,
                described(&key.limits),
            ]);
        }
        table.to_string()
    })
}

/// Cap, period, what is spent and what is left.
fn bounds(key: &Key) -> [String; 4] {
    match &key.budget {
        None => ["none", "-", "-", "-"].map(str::to_owned),
        Some(budget) => [
            budget.cap.to_string(),
            period(budget.period).to_owned(),
            budget.spent.to_string(),
            budget.available.to_string(),
        ],
    }
}

fn role(key: &Key) -> &'static str {
    match key.role {
        KeyRole::Operator => "operator",
        KeyRole::Customer => "customer",
    }
}

fn state(key: &Key) -> &'static str {
    match (key.revoked, key.expired) {
        (true, _) => "revoked",
        (_, true) => "expired",
        _ => "valid",
    }
}

async fn show(name: &Slug, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_operator(context)?;
    let key: Key = node.get(&format!("/v1/aigen/keys/{name}")).await?;
    context.output.data(&key, || {
        let limits = described(&key.limits);
        let lines = [
            ("key", key.name.as_str()),
            ("account", key.account.as_str()),
            ("spender", key.spender.as_str()),
            ("role", role(&key)),
            ("state", state(&key)),
            ("limits", &limits),
        ];
        let lines = lines.map(|(what, is)| format!("{what:<9}{is}\n")).concat();
        match &key.budget {
            None => format!("{lines}{:<9}none\n", "budget"),
            Some(budget) => lines + &table("budget", std::slice::from_ref(budget)).to_string(),
        }
    })
}
