//! Transfers in order of creation: the newest in memory, the others on a shelf, if there is one.

use super::link::Link;
use crate::shelf::Forwards;
use crate::{PendingStatus, Shelf, Transfer, TransferFlags};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

/// A transfer and, if it is a hold, what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub transfer: Transfer,
    pub pending: Option<PendingStatus>,
    /// The transfer before this one of the debit account, and that of the credit account.
    pub(super) before: [Link; 2],
}

impl Record {
    /// The transfer before this one of one of its two accounts.
    pub(super) fn before_of(&self, account: AccountId) -> Link {
        let [debit_before, credit_before] = self.before;
        match self.transfer.debit_account_id == account {
            true => debit_before,
            false => credit_before,
        }
    }
}

/// Records that stay in memory beside a shelf: those of some 700 calls, so that what a running call
/// needs is mostly among them. 0.6 MB.
const RECENT: usize = if cfg!(test) { 3 } else { 4096 };

/// Records that go to the shelf together: 36 kB in one write.
const TOGETHER: usize = if cfg!(test) { 2 } else { 256 };

/// Bytes of a record on the shelf.
const ROW: usize = 144;

#[derive(Debug, Default)]
pub(super) struct Records {
    /// The oldest go first, without the others being moved up: that was 700 kB for every 256.
    recent: VecDeque<Record>,
    /// How many are on the shelf: the first ones.
    shelved: usize,
    shelf: Option<Arc<dyn Shelf>>,
}

impl Records {
    pub fn on(shelf: Arc<dyn Shelf>) -> Self {
        Self {
            shelf: Some(shelf),
            ..Self::default()
        }
    }

    pub fn len(&self) -> usize {
        self.shelved.saturating_add(self.recent.len())
    }

    pub fn get(&self, place: usize) -> Record {
        match (place.checked_sub(self.shelved), &self.shelf) {
            (None, Some(shelf)) => {
                let mut row = [0; ROW];
                shelf.read(offset(place), &mut row);
                from_row(&row)
            }
            (place, _) => self.recent[place.unwrap_or_default()],
        }
    }

    pub fn set(&mut self, place: usize, record: Record) {
        match (place.checked_sub(self.shelved), &self.shelf) {
            (None, Some(shelf)) => shelf.write(offset(place), &to_row(&record)),
            (place, _) => self.recent[place.unwrap_or_default()] = record,
        }
    }

    /// In order of creation.
    pub fn range(&self, places: Range<usize>) -> impl DoubleEndedIterator<Item = Record> {
        places.map(|place| self.get(place))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Record> {
        self.range(0..self.len())
    }

    /// Those that there are now, for whoever reads them later.
    pub fn so_far(&self) -> TransfersSoFar {
        TransfersSoFar {
            shelf: self.shelf.clone(),
            shelved: self.shelved,
            recent: self.recent.iter().map(|record| record.transfer).collect(),
        }
    }

    pub fn push(&mut self, record: Record) {
        if self.recent.len() == self.recent.capacity() {
            self.recent
                .reserve_exact(super::more_room(self.recent.len()));
        }
        self.recent.push_back(record);
    }

    /// Takes the newest back, which is not on the shelf.
    pub fn pop(&mut self) -> Option<Record> {
        self.recent.pop_back()
    }

    /// Moves the oldest of those in memory to the shelf, once there are enough of them; they go by `gone`,
    /// each with its place.
    pub fn shelve(&mut self, mut gone: impl FnMut(TransferId, usize)) {
        let Some(shelf) = &self.shelf else {
            return;
        };
        while self.recent.len() >= RECENT.saturating_add(TOGETHER) {
            let first = self.shelved;
            let rows: Vec<_> = self.recent.drain(..TOGETHER).collect();
            let bytes: Vec<_> = rows.iter().map(to_row).collect();
            shelf.write(offset(first), bytes.as_flattened());
            self.shelved = first.saturating_add(rows.len());
            for (place, row) in (first..).zip(&rows) {
                gone(row.transfer.id, place);
            }
        }
    }
}

/// The transfers that there were at one moment, in order of creation. They can be read while others are added to the
/// ledger that they are of, since none is ever changed.
#[derive(Debug)]
pub struct TransfersSoFar {
    shelf: Option<Arc<dyn Shelf>>,
    /// How many are on the shelf. Of these only how holds ended is written again, which is not in a transfer.
    shelved: usize,
    recent: Vec<Transfer>,
}

impl TransfersSoFar {
    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shelved.saturating_add(self.recent.len())
    }

    /// Every one, read part by part.
    pub fn iter(&self) -> impl Iterator<Item = Transfer> {
        let shelf = self.shelf.iter().cloned();
        let rows = shelf.map(|shelf| Forwards::until(shelf, offset(self.shelved)));
        let rows = rows.flat_map(|mut rows| {
            core::iter::from_fn(move || rows.take(ROW)?.first_chunk().map(from_row))
        });
        let shelved = rows.map(|record| record.transfer);
        shelved.chain(self.recent.iter().copied())
    }
}

/// A copy is in memory.
impl Clone for Records {
    fn clone(&self) -> Self {
        Self {
            recent: self.iter().collect(),
            ..Self::default()
        }
    }
}

impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

fn offset(place: usize) -> u64 {
    let place = u64::try_from(place).expect("places have at most 64 bits");
    let row = u64::try_from(ROW).expect("a row is small");
    place.saturating_mul(row)
}

fn to_row(record: &Record) -> [u8; ROW] {
    let transfer = &record.transfer;
    let mut row = [0; ROW];
    let mut rest = row.as_mut_slice();
    put(&mut rest, transfer.id.0.to_le_bytes());
    put(&mut rest, transfer.debit_account_id.0.to_le_bytes());
    put(&mut rest, transfer.credit_account_id.0.to_le_bytes());
    put(&mut rest, transfer.amount.nano().to_le_bytes());
    put(&mut rest, transfer.pending_id.0.to_le_bytes());
    put(&mut rest, transfer.user_data_128.to_le_bytes());
    put(&mut rest, transfer.user_data_64.to_le_bytes());
    put(&mut rest, transfer.timestamp.0.to_le_bytes());
    put(&mut rest, transfer.timeout.to_le_bytes());
    put(&mut rest, transfer.ledger.to_le_bytes());
    put(&mut rest, transfer.user_data_32.to_le_bytes());
    put(&mut rest, transfer.code.to_le_bytes());
    put(&mut rest, transfer.flags.bits().to_le_bytes());
    put(&mut rest, [number(record.pending)]);
    record
        .before
        .iter()
        .for_each(|link| put(&mut rest, link.bytes()));
    row
}

fn from_row(row: &[u8; ROW]) -> Record {
    let rest = &mut row.as_slice();
    Record {
        transfer: Transfer {
            id: TransferId(u128::from_le_bytes(take(rest))),
            debit_account_id: AccountId(u128::from_le_bytes(take(rest))),
            credit_account_id: AccountId(u128::from_le_bytes(take(rest))),
            amount: Amount::from_nano(u128::from_le_bytes(take(rest))),
            pending_id: TransferId(u128::from_le_bytes(take(rest))),
            user_data_128: u128::from_le_bytes(take(rest)),
            user_data_64: u64::from_le_bytes(take(rest)),
            timestamp: Timestamp(u64::from_le_bytes(take(rest))),
            timeout: u32::from_le_bytes(take(rest)),
            ledger: u32::from_le_bytes(take(rest)),
            user_data_32: u32::from_le_bytes(take(rest)),
            code: u16::from_le_bytes(take(rest)),
            flags: TransferFlags::from_bits(u16::from_le_bytes(take(rest)))
                .expect("a shelf gives back what it was given"),
        },
        pending: status(take(rest)),
        before: [Link::of(take(rest)), Link::of(take(rest))],
    }
}

const STATUSES: [Option<PendingStatus>; 5] = [
    None,
    Some(PendingStatus::Pending),
    Some(PendingStatus::Posted),
    Some(PendingStatus::Voided),
    Some(PendingStatus::Expired),
];

fn number(status: Option<PendingStatus>) -> u8 {
    let number = STATUSES.iter().position(|known| *known == status);
    u8::try_from(number.unwrap_or_default()).unwrap_or_default()
}

fn status([number]: [u8; 1]) -> Option<PendingStatus> {
    STATUSES[usize::from(number)]
}

fn put<const N: usize>(rest: &mut &mut [u8], field: [u8; N]) {
    let (place, after) = core::mem::take(rest).split_at_mut(N);
    place.copy_from_slice(&field);
    *rest = after;
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (field, after) = rest.split_first_chunk().expect("a row has every field");
    *rest = after;
    *field
}
