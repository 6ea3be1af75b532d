//! The receipts of a snapshot up to version 7: by their ids, and more than memory has room for.

use crate::codec::{DecodeError, Wire, malformed};
use crate::said::Said;
use crate::spool::{Inlet, Spool};
use aigen_network::Receipt;
use aigen_types::CallId;

/// Where the receipts of a snapshot are in it: one row for each, of 48 bytes.
pub(crate) struct Ended {
    counters: bool,
    rows: Vec<Row>,
}

struct Row {
    record: u64,
    id: CallId,
    at: u64,
    bytes: usize,
}

impl Ended {
    pub fn take(counters: bool, input: &mut Inlet<'_>) -> Result<Self, DecodeError> {
        let count: u32 = input.take()?;
        let mut rows: Vec<Row> = Vec::new();
        for _ in 0..count {
            let id: CallId = input.take()?;
            if rows.last().is_some_and(|last| last.id >= id) {
                return malformed("receipts out of order");
            }
            let at = input.place();
            let record = input
                .take_with(|bytes| take_receipt(counters, bytes))?
                .record;
            let bytes = usize::try_from(input.place() - at).expect("it was in memory");
            rows.push(Row {
                record,
                id,
                at,
                bytes,
            });
        }
        Ok(Self { counters, rows })
    }

    /// The receipts in the order of the journal, with all that is said of them.
    pub fn in_order(
        mut self,
        spool: &Spool,
        said: &Said,
    ) -> impl Iterator<Item = (CallId, Receipt)> {
        self.rows.sort_unstable_by_key(|row| (row.record, row.id));
        self.rows.into_iter().map(move |row| {
            let bytes = spool.bytes(row.at, row.bytes);
            let receipt = take_receipt(self.counters, &mut bytes.as_slice());
            let mut receipt = receipt.expect("it was taken before");
            said.say(row.id, &mut receipt);
            (row.id, receipt)
        })
    }
}

/// With who counted, from version 7 on.
fn take_receipt(counters: bool, input: &mut &[u8]) -> Result<Receipt, DecodeError> {
    let mut receipt = Receipt::take(input)?;
    if counters {
        receipt.counter = Wire::take(input)?;
    }
    Ok(receipt)
}
