use aigen_journal::{Batch, Replica, Store, StoreError, Tip};
use aigen_network::{Command, Network, Refusal, Reply};
use aigen_types::Timestamp;

/// The process under test: the journal's own heart, without the thread and the queue around it.
pub(crate) struct Node(Replica);

impl Node {
    /// Recovers what `store` leads to.
    pub fn open(store: Box<dyn Store>) -> Result<Self, StoreError> {
        let (replica, _) = Replica::open(store, |_| {})?;
        Ok(Self(replica))
    }

    /// Applies commands, appends their record, and then answers.
    pub fn commit(
        &mut self,
        now: Timestamp,
        commands: &[Command],
    ) -> Result<Vec<Result<Reply, Refusal>>, StoreError> {
        let batch = Batch::new(commands.to_vec());
        let answers = self.0.commit(now, &[batch])?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// Keeps a snapshot of its state for the next recovery to begin with.
    pub fn save_snapshot(&mut self) -> Result<(), StoreError> {
        let checkpoint = self.0.checkpoint();
        checkpoint.save(self.0.store(), || {})
    }

    /// The last record.
    pub fn tip(&self) -> Tip {
        self.0.tip()
    }

    /// Whether this is the state it should be in.
    pub fn agrees(&self, network: &Network) -> bool {
        *self.0.network().read().expect("nobody panics with it") == *network
    }
}
