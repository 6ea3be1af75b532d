use aigen_journal::{Record, Store, StoreError, Tip, replay};
use aigen_network::{Command, Network, Refusal, Reply};
use aigen_types::Timestamp;

/// The process under test: a network and the journal it comes from.
pub(crate) struct Node {
    store: Box<dyn Store>,
    network: Network,
    tip: Tip,
}

impl Node {
    /// Recovers what `store` leads to.
    pub fn open(store: Box<dyn Store>) -> Result<Self, StoreError> {
        let replayed = replay(store.as_ref(), |_| {})?;
        Ok(Self {
            store,
            network: replayed.network,
            tip: replayed.tip,
        })
    }

    /// Applies commands, appends their record, and then answers.
    pub fn commit(
        &mut self,
        now: Timestamp,
        commands: &[Command],
    ) -> Result<Vec<Result<Reply, Refusal>>, StoreError> {
        let now = now.max(self.network.ledger().now());
        let mut say = |command| self.network.apply(self.tip.seq + 1, now, command);
        let answers = commands.iter().map(&mut say).collect();
        let record = Record::of(self.tip, now, commands);
        self.store.append(&record)?;
        self.tip = record.tip();
        Ok(answers)
    }

    /// The last record.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Whether this is the state it should be in.
    pub fn agrees(&self, network: &Network) -> bool {
        self.network == *network
    }
}
