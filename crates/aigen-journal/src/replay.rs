use crate::record::{Record, Tip};
use crate::store::{Store, StoreError};
use aigen_network::Network;
use aigen_types::Timestamp;

/// A network rebuilt from its journal, and where the journal ends.
#[derive(Debug)]
pub struct Replayed {
    /// The state after every record.
    pub network: Network,
    /// The last record.
    pub tip: Tip,
    /// Ledger time of the last record.
    pub timestamp: Timestamp,
}

/// Applies every stored record to an empty network. `progress` is told each record's number.
///
/// # Errors
/// The first record that cannot be trusted, by number.
pub fn replay(store: &dyn Store, mut progress: impl FnMut(u64)) -> Result<Replayed, StoreError> {
    let mut replayed = Replayed {
        network: Network::new(),
        tip: Tip::default(),
        timestamp: Timestamp::default(),
    };
    store.read_after(Tip::default(), &mut |record| {
        apply(&mut replayed, &record)?;
        progress(record.seq);
        Ok(())
    })?;
    Ok(replayed)
}

fn apply(replayed: &mut Replayed, record: &Record) -> Result<(), StoreError> {
    let commands = record.commands().map_err(|error| StoreError::Damaged {
        seq: record.seq,
        error,
    })?;
    for command in &commands {
        // A refusal is part of the history: it was the answer then and is the answer now.
        let _ = replayed
            .network
            .apply(record.seq, record.timestamp, command);
    }
    replayed.tip = record.tip();
    replayed.timestamp = record.timestamp;
    Ok(())
}
