use core::fmt;

/// Room beyond memory, as one row of bytes, for what is only looked up.
///
/// It lives as long as the ledger that fills it: nothing on it has to outlive the process, because all of it
/// follows from what was applied. A place is written before it is read.
///
/// Neither way can fail for its caller. A ledger that cannot look up which ids it has seen would create
/// a transfer twice, so that whoever keeps a shelf panics where its medium fails.
pub trait Shelf: fmt::Debug + Send + Sync {
    /// Fills `into` with what was written from `at` on.
    fn read(&self, at: u64, into: &mut [u8]);

    /// Writes over whatever is there.
    fn write(&mut self, at: u64, bytes: &[u8]);
}
