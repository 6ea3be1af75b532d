use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// Room beyond memory, as one row of bytes, for what is only looked up.
///
/// It lives as long as the ledger that fills it, or as long as somebody reads what was there at some moment: nothing
/// on it has to outlive the process, because all of it follows from what was applied. A place is written before it
/// is read.
///
/// Neither way can fail for its caller. A ledger that cannot look up which ids it has seen would create
/// a transfer twice, so that whoever keeps a shelf panics where its medium fails.
pub trait Shelf: fmt::Debug + Send + Sync {
    /// Fills `into` with what was written from `at` on.
    fn read(&self, at: u64, into: &mut [u8]);

    /// Writes over whatever is there. Only one writes, while others may read elsewhere.
    fn write(&self, at: u64, bytes: &[u8]);
}

/// Bytes that are read of a shelf at once.
const PART: usize = 64 * 1024;

/// What is on a shelf before a place, from the front, so that reading row by row is not a read for each.
#[derive(Debug)]
pub struct Forwards {
    shelf: Arc<dyn Shelf>,
    /// Read and not yet taken, from `used` on.
    waiting: Vec<u8>,
    used: usize,
    /// Where the shelf is read next.
    at: u64,
    end: u64,
}

impl Forwards {
    /// Up to a place.
    #[must_use]
    pub fn until(shelf: Arc<dyn Shelf>, end: u64) -> Self {
        Self {
            shelf,
            waiting: Vec::new(),
            used: 0,
            at: 0,
            end,
        }
    }

    /// The next bytes, as many as wanted; none where fewer are left.
    pub fn take(&mut self, count: usize) -> Option<&[u8]> {
        if self.waiting.len().saturating_sub(self.used) < count {
            self.read_more(count);
        }
        let from = self.used;
        self.used = from.saturating_add(count).min(self.waiting.len());
        self.waiting.get(from..from.saturating_add(count))
    }

    fn read_more(&mut self, count: usize) {
        self.waiting.drain(..self.used);
        self.used = 0;
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let there = self.waiting.len();
        let more = count.saturating_sub(there).max(PART).min(left);
        self.waiting.resize(there.saturating_add(more), 0);
        if let Some(into) = self.waiting.get_mut(there..) {
            self.shelf.read(self.at, into);
        }
        let more = u64::try_from(more).expect("a machine's numbers have at most 64 bits");
        self.at = self.at.saturating_add(more);
    }
}
