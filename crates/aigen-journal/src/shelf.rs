//! Where a state keeps what it need not have in memory: files without a name, which are gone with the
//! process. All that is in them follows from the journal, so that nothing of them is ever synced or trusted
//! by another process.

use crate::codec::Wire;
use crate::store::StoreError;
use aigen_ledger::Shelf;
use aigen_network::{Read, Receipt, ReceiptForm, Steered};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A file that has no name.
#[derive(Debug)]
struct FileShelf(File);

impl Shelf for FileShelf {
    /// # Panics
    /// When the medium fails: a state without its past would give wrong answers.
    fn read(&self, at: u64, into: &mut [u8]) {
        let read = self.0.read_exact_at(into, at);
        read.expect("the file with a journal's past can be read");
    }

    /// # Panics
    /// When there is no room, or the medium fails.
    fn write(&mut self, at: u64, bytes: &[u8]) {
        let written = self.0.write_all_at(bytes, at);
        written.expect("there is room for a journal's past");
    }
}

/// A shelf in this folder.
///
/// # Errors
/// When no file can be made there.
pub(crate) fn shelf_in(folder: &Path) -> Result<Box<dyn Shelf>, StoreError> {
    let file = tempfile::tempfile_in(folder).map_err(|error| {
        let place = folder.display();
        StoreError::Io(
            format!("cannot make a file for the journal's past in {place}: {error}").into(),
        )
    })?;
    Ok(Box::new(FileShelf(file)))
}

/// Receipts on a shelf: all that snapshots say of them, in the same form.
pub(crate) const FORM: ReceiptForm = ReceiptForm {
    write: write_receipt,
    read: read_receipt,
};

fn write_receipt(receipt: &Receipt) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    receipt.put(&mut bytes);
    receipt.steered.put(&mut bytes);
    receipt.call.reads.put(&mut bytes);
    bytes
}

fn read_receipt(mut bytes: &[u8]) -> Option<Receipt> {
    let input = &mut bytes;
    let mut receipt = Receipt::take(input).ok()?;
    receipt.steered = Steered::take(input).ok()?;
    receipt.call.reads = Vec::<Read>::take(input).ok()?;
    Some(receipt)
}
