//! The receipts of a snapshot: more than memory has room for.

use crate::codec::{DecodeError, Wire, malformed};
use crate::said::Said;
use crate::spool::{Inlet, Outlet, Spool};
use aigen_network::{Receipt, Receipts};
use aigen_types::CallId;
use std::sync::Arc;

pub(crate) fn put_receipts(receipts: &Receipts, counters: bool, out: &mut Outlet) {
    match counters {
        false => out.put_all(receipts.len(), receipts.iter()),
        true => {
            let counted = receipts.iter().map(|(id, receipt)| (id, Counted(receipt)));
            out.put_all(receipts.len(), counted);
        }
    }
}

/// A receipt, with who counted.
struct Counted(Arc<Receipt>);

impl Wire for Counted {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.0.counter.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let receipt = Receipt::take(input)?;
        let counter = Wire::take(input)?;
        Ok(Self(Arc::new(Receipt { counter, ..receipt })))
    }
}

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
            let record = match counters {
                true => input.take::<Counted>()?.0.record,
                false => input.take::<Receipt>()?.record,
            };
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
            let input = &mut bytes.as_slice();
            let receipt = match self.counters {
                true => Counted::take(input).map(|counted| Arc::unwrap_or_clone(counted.0)),
                false => Receipt::take(input),
            };
            let mut receipt = receipt.expect("it was taken before");
            said.say(row.id, &mut receipt);
            (row.id, receipt)
        })
    }
}
