//! Where a state keeps what it need not have in memory: files without a name, which are gone with the
//! process. All that is in them follows from the journal, so that nothing of them is ever synced or trusted
//! by another process.

use crate::codec::{DecodeError, Wire};
use crate::store::StoreError;
use aigen_ledger::Shelf;
use aigen_network::{Asked, Read, Receipt, ReceiptForm, Steered};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Bytes that stay in memory together where there is no room for them.
const PAGE: usize = 4096;

/// A file that has no name. What it has no room for stays in memory: where there is none for the past
/// there is soon none for the journal, which ends the process and says why.
#[derive(Debug)]
struct FileShelf {
    file: File,
    /// By their number; they stand for those of the file.
    unwritten: RwLock<Pages>,
    ahead: Mutex<Ahead>,
}

type Pages = BTreeMap<u64, Box<[u8; PAGE]>>;

/// What was read of a file beyond what was asked for, because whoever compares states reads all of it, row
/// by row.
#[derive(Debug, Default)]
struct Ahead {
    at: u64,
    bytes: Vec<u8>,
    /// Where the last read ended.
    end: u64,
    /// How many reads began within a page of where the one before ended.
    near: u32,
}

/// As many bytes are read ahead.
const AHEAD: usize = 16 * PAGE;

/// Of so many reads that lie near each other the next is taken to be one of a row. One thing alone takes two,
/// wherever it is.
const NEAR: u32 = 3;

impl Ahead {
    fn read(&mut self, file: &File, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.near = match at.abs_diff(self.end) <= PAGE as u64 {
            true => self.near.saturating_add(1),
            false => 0,
        };
        self.end = at + into.len() as u64;
        if self.give(at, into) {
            return Ok(());
        }
        if self.near >= NEAR {
            self.fetch(file, at)?;
            if self.give(at, into) {
                return Ok(());
            }
        }
        file.read_exact_at(into, at)
    }

    /// Whether all that is wanted was read before.
    fn give(&self, at: u64, into: &mut [u8]) -> bool {
        let first = at.checked_sub(self.at).map(usize::try_from);
        let Some(Ok(first)) = first else { return false };
        let found = self.bytes.get(first..first + into.len());
        found.is_some_and(|found| {
            into.copy_from_slice(found);
            true
        })
    }

    fn fetch(&mut self, file: &File, at: u64) -> io::Result<()> {
        self.at = at;
        self.bytes.resize(AHEAD, 0);
        let count = file.read_at(&mut self.bytes, at);
        self.bytes.truncate(*count.as_ref().unwrap_or(&0));
        count.map(drop)
    }
}

impl Shelf for FileShelf {
    /// # Panics
    /// When the medium fails: a state without its past would give wrong answers.
    fn read(&self, at: u64, into: &mut [u8]) {
        let unwritten = self.unwritten.read();
        let unwritten = unwritten.unwrap_or_else(PoisonError::into_inner);
        if unwritten.is_empty() {
            let read = match into.len() < AHEAD {
                true => lock(&self.ahead).read(&self.file, at, into),
                false => self.file.read_exact_at(into, at),
            };
            return read.expect("the file with a journal's past can be read");
        }
        read_what_is_there(&self.file, at, into);
        for (number, page) in unwritten.range(pages(at, into.len())) {
            let (page_at, into_at) = overlap(number * PAGE as u64, at);
            let (from, to) = (&page[page_at..], &mut into[into_at..]);
            let length = from.len().min(to.len());
            to[..length].copy_from_slice(&from[..length]);
        }
    }

    /// # Panics
    /// When the medium fails.
    fn write(&self, at: u64, bytes: &[u8]) {
        if !self.put(at, bytes) {
            self.keep(at, bytes);
        }
        // After the write: who reads between the two would read ahead what was there before.
        lock(&self.ahead).bytes.clear();
    }
}

impl FileShelf {
    fn of(file: File) -> Self {
        Self {
            file,
            unwritten: RwLock::default(),
            ahead: Mutex::default(),
        }
    }

    /// Whether there was room for it in the file.
    fn put(&self, at: u64, bytes: &[u8]) -> bool {
        let unwritten = self.unwritten.read();
        if !unwritten.unwrap_or_else(PoisonError::into_inner).is_empty() {
            return false;
        }
        match self.file.write_all_at(bytes, at) {
            Ok(()) => true,
            Err(error) if is_full(&error) => false,
            Err(error) => panic!("the file with a journal's past cannot be written: {error}"),
        }
    }

    fn keep(&self, at: u64, bytes: &[u8]) {
        let unwritten = self.unwritten.write();
        let mut unwritten = unwritten.unwrap_or_else(PoisonError::into_inner);
        for number in pages(at, bytes.len()) {
            let begins = number * PAGE as u64;
            let page = unwritten.entry(number).or_insert_with(|| {
                let mut page = Box::new([0; PAGE]);
                read_what_is_there(&self.file, begins, page.as_mut_slice());
                page
            });
            let (page_at, bytes_at) = overlap(begins, at);
            let (from, to) = (&bytes[bytes_at..], &mut page[page_at..]);
            let length = from.len().min(to.len());
            to[..length].copy_from_slice(&from[..length]);
        }
    }
}

/// The numbers of the pages that so many bytes from here on are in.
fn pages(at: u64, length: usize) -> Range<u64> {
    let page = PAGE as u64;
    at / page..(at + length as u64).div_ceil(page)
}

/// Where in a page, and where in bytes that lie in it at least in part, the first byte of both is.
fn overlap(page: u64, bytes: u64) -> (usize, usize) {
    // Both are below a page's length, or the length of bytes in memory.
    (
        bytes.saturating_sub(page) as usize,
        page.saturating_sub(bytes) as usize,
    )
}

/// What lies behind the end of a file is read as zeroes.
fn read_what_is_there(file: &File, at: u64, into: &mut [u8]) {
    let (mut read, mut rest) = (at, into);
    while !rest.is_empty() {
        let count = file.read_at(rest, read);
        let count = count.expect("the file with a journal's past can be read");
        if count == 0 {
            return rest.fill(0);
        }
        read += count as u64;
        rest = &mut rest[count..];
    }
}

fn lock(ahead: &Mutex<Ahead>) -> MutexGuard<'_, Ahead> {
    // Whoever panicked meanwhile had bytes that are true, or none.
    ahead.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

/// A shelf in memory.
#[derive(Debug, Default)]
pub(crate) struct Heap(RwLock<Vec<u8>>);

impl Shelf for Heap {
    fn read(&self, at: u64, into: &mut [u8]) {
        let at = usize::try_from(at).expect("it is in memory");
        let row = self.0.read().unwrap_or_else(PoisonError::into_inner);
        into.copy_from_slice(&row[at..at + into.len()]);
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        let at = usize::try_from(at).expect("memory is not that large");
        let end = at + bytes.len();
        let mut row = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let longer = row.len().max(end);
        row.resize(longer, 0);
        row[at..end].copy_from_slice(bytes);
    }
}

/// A shelf in this folder.
///
/// # Errors
/// When no file can be made there.
pub(crate) fn shelf_in(folder: &Path) -> Result<Arc<dyn Shelf>, StoreError> {
    let file = tempfile::tempfile_in(folder).map_err(|error| {
        let place = folder.display();
        StoreError::Io(
            format!("cannot make a file for the journal's past in {place}: {error}").into(),
        )
    })?;
    Ok(Arc::new(FileShelf::of(file)))
}

/// Receipts on a shelf and in snapshots: all that they say.
pub(crate) const FORM: ReceiptForm = ReceiptForm {
    write: write_receipt,
    read: |bytes| take_receipt(&mut &*bytes).ok(),
};

fn write_receipt(receipt: &Receipt) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    receipt.put(&mut bytes);
    receipt.steered.put(&mut bytes);
    receipt.steered.asked.put(&mut bytes);
    receipt.call.reads.put(&mut bytes);
    receipt.counter.put(&mut bytes);
    bytes
}

pub(crate) fn take_receipt(input: &mut &[u8]) -> Result<Receipt, DecodeError> {
    let mut receipt = Receipt::take(input)?;
    receipt.steered = Steered::take(input)?;
    receipt.steered.asked = Asked::take(input)?;
    receipt.call.reads = Vec::<Read>::take(input)?;
    receipt.counter = Wire::take(input)?;
    Ok(receipt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROW: usize = 144;

    proptest! {
        /// The same bytes, whether they are in the file or there was no room for some of them.
        #[test]
        fn what_there_is_no_room_for_is_read_back(
            writes in prop::collection::vec((0..20_000_u64, 1..9_000_usize, any::<u8>()), 1..12),
            full_after in 0..12_usize,
        ) {
            let file = tempfile::tempfile().unwrap();
            let shelf = FileShelf::of(file);
            let heap = Heap::default();
            for (number, (at, length, byte)) in writes.iter().enumerate() {
                // Nothing is left out: what is read was written before.
                let at = (*at).min(heap.0.read().unwrap().len() as u64);
                let bytes = vec![*byte; *length];
                match number < full_after {
                    true => shelf.write(at, &bytes),
                    false => shelf.keep(at, &bytes),
                }
                heap.write(at, &bytes);
            }
            let kept = heap.0.read().unwrap().clone();
            let mut read = vec![0; kept.len()];
            shelf.read(0, &mut read);
            prop_assert!(read == kept);
            let (from, to) = (read.len() / 3, read.len() * 2 / 3);
            let mut part = vec![0; to - from];
            shelf.read(from as u64, &mut part);
            prop_assert!(part == kept[from..to]);
            for row in 0..read.len() / ROW {
                let mut part = [0; ROW];
                shelf.read((row * ROW) as u64, &mut part);
                prop_assert!(part == heap.0.read().unwrap()[row * ROW..][..ROW]);
                if row % 100 == 50 {
                    shelf.write((row * ROW) as u64, &[row as u8; 2 * ROW]);
                    heap.write((row * ROW) as u64, &[row as u8; 2 * ROW]);
                }
            }
        }
    }
}
