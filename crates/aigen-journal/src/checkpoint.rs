//! The state as it is at the end of a record, to be written as a snapshot while the journal goes on: what is changed
//! later is serialised at once, and what is only added to is read part by part, whoever adds to it.

use crate::codec::Wire;
use crate::record::Tip;
use crate::said::{readable, reads_of_calls};
use crate::sessions::Sessions;
use crate::shelf::FORM;
use crate::snapshot::{MAGIC, SNAPSHOT_VERSION};
use crate::state::{put_accounts, put_parts};
use crate::store::{Store, StoreError};
use aigen_ledger::TransfersSoFar;
use aigen_network::{Network, ReceiptsSoFar};
use aigen_types::{Digest, Timestamp};

/// Bytes of a part: while one is written to SQLite, records wait.
const PART_BYTES: usize = 128 << 10;

/// See the module. It takes as much memory as what a state has beside its past.
#[derive(Debug)]
pub struct Checkpoint {
    tip: Tip,
    commands: u64,
    /// What it is, and of which record.
    head: Vec<u8>,
    /// What stands before the transfers, and their number.
    accounts: Vec<u8>,
    transfers: TransfersSoFar,
    /// What stands between transfers and receipts, and the number of those.
    parts: Vec<u8>,
    receipts: ReceiptsSoFar,
}

impl Checkpoint {
    pub(crate) fn of(
        tip: Tip,
        timestamp: Timestamp,
        sessions: &Sessions,
        network: &Network,
    ) -> Self {
        let mut head = MAGIC.to_vec();
        SNAPSHOT_VERSION.put(&mut head);
        tip.put(&mut head);
        timestamp.put(&mut head);
        let transfers = network.ledger().transfers_so_far();
        let receipts = network.receipts_so_far();
        Self {
            tip,
            commands: network.commands(),
            head,
            accounts: accounts(sessions, network, transfers.count()),
            transfers,
            parts: parts(network, receipts.count()),
            receipts,
        }
    }

    /// The record.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Commands until then.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// Saves it, for recovery to begin with. Its record has to be durable. `between` is called before each part of
    /// 128 KiB but the first: whoever has time lets others write there.
    ///
    /// # Errors
    /// When the store fails.
    pub fn save(&self, store: &mut dyn Store, mut between: impl FnMut()) -> Result<(), StoreError> {
        let parts = self.bytes().enumerate().map(|(number, part)| {
            if number > 0 {
                between();
            }
            part
        });
        store.save_snapshot_parts(self.tip.seq, &mut { parts })
    }

    /// The stored form: what it is, state, hash of both.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = Vec<u8>> {
        let head = std::iter::once(self.head.clone());
        Parts {
            pieces: head.chain(self.state()),
            waiting: Vec::new(),
            hasher: Some(blake3::Hasher::new()),
        }
    }

    /// Hash of the state alone.
    pub(crate) fn state_hash(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        self.state().for_each(|piece| {
            hasher.update(&piece);
        });
        Digest(*hasher.finalize().as_bytes())
    }

    fn state(&self) -> impl Iterator<Item = Vec<u8>> {
        let transfers = self.transfers.iter().map(|transfer| put(&transfer));
        let receipts = self.receipts.written(FORM.write);
        let receipts = receipts.map(|(id, receipt)| [put(&id), receipt].concat());
        pieces(&self.accounts)
            .chain(transfers)
            .chain(pieces(&self.parts))
            .chain(receipts)
    }
}

/// Pieces, none larger than a part, joined to parts, with the hash of all behind them.
struct Parts<I> {
    pieces: I,
    waiting: Vec<u8>,
    /// None once the pieces have ended.
    hasher: Option<blake3::Hasher>,
}

impl<I: Iterator<Item = Vec<u8>>> Iterator for Parts<I> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        while self.waiting.len() < PART_BYTES
            && let Some(hasher) = &mut self.hasher
        {
            match self.pieces.next() {
                Some(piece) => self.waiting.extend(piece),
                None => {
                    let hash = hasher.update(&self.waiting).finalize();
                    self.waiting.extend(hash.as_bytes());
                    self.hasher = None;
                }
            }
        }
        let next = self.waiting.split_off(self.waiting.len().min(PART_BYTES));
        let part = std::mem::replace(&mut self.waiting, next);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&part);
        }
        (!part.is_empty()).then_some(part)
    }
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    bytes.chunks(PART_BYTES).map(<[u8]>::to_vec)
}

fn put(value: &impl Wire) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    value.put(&mut out);
    out
}

/// Of what there may be more than 2³², which is as far as lengths of lists go.
fn put_count(count: usize, out: &mut Vec<u8>) {
    u64::try_from(count).expect("64 bits fit").put(out);
}

fn accounts(sessions: &Sessions, network: &Network, transfers: usize) -> Vec<u8> {
    let mut out = put(sessions);
    put_accounts(network.ledger(), &mut out);
    put_count(transfers, &mut out);
    out
}

fn parts(network: &Network, receipts: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let burnt: Vec<_> = network.ledger().burnt().collect();
    burnt.put(&mut out);
    put_parts(&network.parts(), &mut out);
    network.governance().put(&mut out);
    network.keyring().put(&mut out);
    readable(network.keyring()).put(&mut out);
    network.within().parents().put(&mut out);
    network.dataset_state().put(&mut out);
    reads_of_calls(network).put(&mut out);
    put_count(receipts, &mut out);
    out
}
