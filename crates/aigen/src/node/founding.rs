//! What a node makes sure of before it serves: a founded network, an operator.

use crate::config::Config;
use crate::data_dir::{DataDir, KeyFile};
use crate::output::Output;
use aigen_node::network::{Found, Refusal, Role};
use aigen_node::{IssuedKey, Node, NodeError, random_digest};
use aigen_types::{Address, Slug};
use anyhow::Result;
use std::time::Duration;

/// How often a cluster without a leader is asked for one.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Founds the network with the configured settings, unless it is founded.
pub async fn found(node: &Node, config: &Config, output: &Output) -> Result<()> {
    let wanted = Found {
        name: config.network.clone(),
        settings: config.settings()?,
    };
    reached(node).await;
    let founded = node.network().founded().cloned();
    match founded {
        None => match node.found(wanted).await {
            // Another node of the same journal was quicker.
            Ok(()) | Err(NodeError::Refused(Refusal::AlreadyFounded)) => {}
            Err(error) => return Err(error.into()),
        },
        Some(founded) if founded == wanted => {}
        Some(founded) => output.say(format!(
            "note: this data folder belongs to the network `{}`, which keeps the name, shares \
             and settlement rules it was founded with; the configuration says otherwise",
            founded.name
        )),
    }
    Ok(())
}

/// Waits until commands are recorded: at first a cluster has no leader.
async fn reached(node: &Node) {
    while node.reach_journal().is_err() {
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// The operator's key; whoever has the data folder is the operator.
pub async fn operator(node: &Node, data_dir: &DataDir) -> Result<String> {
    let name: Slug = "operator".parse()?;
    let account: Address = "operator".parse()?;
    kept_key(
        node,
        data_dir,
        KeyFile::Operator,
        &name,
        &account,
        Role::Operator,
    )
    .await
}

/// The key that the data folder keeps, if this journal knows it; else a new one, kept there.
pub async fn kept_key(
    node: &Node,
    data_dir: &DataDir,
    file: KeyFile,
    name: &Slug,
    account: &Address,
    role: Role,
) -> Result<String> {
    if let Some(key) = data_dir.key(file)?
        && node.authenticate(&key).is_ok()
    {
        return Ok(key);
    }
    let taken = node.network().key(name).is_some();
    let name = if taken { renamed(name)? } else { name.clone() };
    let key = IssuedKey::draw(name, account.clone(), role);
    // Kept first: a key that is in the journal and nowhere else is of no use to anyone.
    data_dir.keep_key(file, &key.secret)?;
    node.add_key(&key).await?;
    Ok(key.secret)
}

fn renamed(name: &Slug) -> Result<Slug> {
    Ok(format!("{name}-{}", random_digest().short(8)).parse()?)
}
