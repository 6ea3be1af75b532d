//! Shelves for tests: every world here keeps its past on some, and beside it a twin in memory.

use super::*;
use crate::{Receipt, ReceiptForm};
use aigen_ledger::Shelf;
use std::sync::{Arc, Mutex};

/// In memory all the same.
#[derive(Debug)]
struct Bytes(Mutex<Vec<u8>>);

impl Shelf for Bytes {
    fn read(&self, at: u64, into: &mut [u8]) {
        let at = at as usize;
        into.copy_from_slice(&self.0.lock().unwrap()[at..at + into.len()]);
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        let mut row = self.0.lock().unwrap();
        let end = at as usize + bytes.len();
        let longer = row.len().max(end);
        row.resize(longer, 0);
        row[at as usize..end].copy_from_slice(bytes);
    }
}

pub fn shelf() -> Arc<dyn Shelf> {
    Arc::new(Bytes(Mutex::default()))
}

static WRITTEN: Mutex<Vec<Receipt>> = Mutex::new(Vec::new());

/// A receipt as the number under which it is kept: the journal has the real form.
pub const FORM: ReceiptForm = ReceiptForm {
    write: |receipt| {
        let mut written = WRITTEN.lock().unwrap();
        written.push(receipt.clone());
        (written.len() - 1).to_le_bytes().to_vec()
    },
    read: |bytes| {
        let number = usize::from_le_bytes(bytes.try_into().ok()?);
        WRITTEN.lock().unwrap().get(number).cloned()
    },
};
