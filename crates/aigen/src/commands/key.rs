use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{Key, KeyCreated, KeyRole, List, NewKey};
use aigen_types::{Address, Slug};
use anyhow::Result;
use clap::Subcommand;

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

Only a hash of the key is stored: keep what is printed.")]
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
}

pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Create {
            address,
            name,
            operator,
            spender,
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
            };
            create(&new, &reach, context).await
        }
        Command::Revoke { name, reach } => revoke(&name, &reach, context).await,
        Command::List { reach } => list(&reach, context).await,
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
        let mut table = Table::new(&["key", "account", "spender", "role", "state"]);
        for key in &keys.data {
            let role = match key.role {
                KeyRole::Operator => "operator",
                KeyRole::Customer => "customer",
            };
            let state = if key.revoked { "revoked" } else { "valid" };
            table.row([
                key.name.to_string(),
                key.account.to_string(),
                key.spender.to_string(),
                role.into(),
                state.into(),
            ]);
        }
        table.to_string()
    })
}
