use super::engines::{self, ModelLoader};
use super::founding;
use super::reload::Effective;
use super::snapshots::{self, Open};
use super::{datasets, journal, outside, shelf};
use crate::config::Config;
use crate::data_dir::{DataDir, KeyFile};
use crate::output::Output;
use aigen_jarvis_host::Host;
use aigen_node::network::Role;
use aigen_node::{Caller, Components, Node, Setup, random_transfer_id};
use aigen_types::{Address, Amount, Slug};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What the faucet fills an account up to, in AIGEN.
const FAUCET_AIGEN: &str = "10";

/// A node that is put together, whoever asks it: a server's clients, or the program it runs in.
pub struct Assembled {
    pub node: Node,
    pub effective: Effective,
    data_dir: DataDir,
    beside: Open,
    /// Commands that the last snapshot has taken in.
    saved: u64,
}

impl Assembled {
    /// Opens the journal. Nothing is founded or served yet. `address` is where other nodes of the same
    /// journal reach this one; `host` runs components.
    ///
    /// # Errors
    /// A journal that cannot be used, or a model that surely cannot.
    pub async fn open(
        config: &Config,
        output: &Output,
        data_dir: DataDir,
        address: SocketAddr,
        host: Host,
    ) -> Result<Self> {
        engines::check(config)?;
        let journal::Opened {
            journal,
            node: id,
            beside,
            saved,
        } = journal::open(config, &data_dir, address).await?;
        let setup = Setup {
            id,
            admission: config.admission.into(),
        };
        let node = Node::start_with(setup, journal, BTreeMap::new()).await?;
        node.verify_from(beside.clone());
        node.run_components(Components::new(host, beside.clone()));
        node.keep_datasets(datasets::open(config, &data_dir, beside.clone())?);
        let sharing = node.clone();
        tokio::spawn(async move {
            if let Err(error) = sharing.share_datasets().await {
                tracing::warn!(%error, "datasets of this node could not be left for others");
            }
        });
        let shelf = shelf::Files::within(data_dir.replays()?, config.replays)
            .context("cannot read what runs calls again")?;
        node.keep_replays(Arc::new(shelf));
        if let Some(grant) = outside::granted(&config.outside)? {
            node.grant_outside(grant);
        }
        let effective = Effective::new(config.clone());
        node.load_by(Arc::new(ModelLoader {
            config: effective.clone(),
            output: *output,
        }));
        Ok(Self {
            node,
            effective,
            data_dir,
            beside,
            saved,
        })
    }

    /// Founds the network if it is not, and gives its operator.
    ///
    /// # Errors
    /// What the network refuses, or a key that cannot be kept.
    pub async fn found(&self, config: &Config, output: &Output) -> Result<Caller> {
        founding::found(&self.node, config, output).await?;
        let key = founding::operator(&self.node, &self.data_dir).await?;
        Ok(self.node.authenticate(&key)?)
    }

    /// Loads the configured models, which takes minutes where they are large.
    ///
    /// # Errors
    /// A model that cannot be served.
    pub async fn load(&self, config: &Config, output: &Output) -> Result<()> {
        engines::load(&self.node, config, output).await
    }

    /// Saves snapshots until the task is ended.
    pub fn keep_snapshots(&self, config: &Config) -> JoinHandle<()> {
        tokio::spawn(snapshots::keep(
            self.node.clone(),
            Arc::clone(&self.beside),
            config.snapshot_commands,
            self.saved,
        ))
    }

    /// The key that the data folder keeps under `file`; made and kept if there is none that
    /// this journal knows.
    ///
    /// # Errors
    /// When it cannot be made or kept.
    pub async fn kept_key(&self, file: KeyFile, name: &Slug, account: &Address) -> Result<String> {
        let role = Role::Customer;
        founding::kept_key(&self.node, &self.data_dir, file, name, account, role).await
    }

    /// The faucet: play money, so that nobody has to earn some before the first answer. What the account
    /// has then.
    ///
    /// # Errors
    /// What the network refuses.
    pub async fn fill_up(&self, operator: &Caller, account: &Address) -> Result<Amount> {
        let full: Amount = FAUCET_AIGEN.parse()?;
        let available = self.node.network().available(account);
        let missing = full.saturating_sub(available);
        if !missing.is_zero() {
            let id = random_transfer_id();
            let issue = self.node.issue(operator, id, account.clone(), missing);
            issue.await?;
        }
        Ok(available.max(full))
    }
}
