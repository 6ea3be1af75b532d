use super::{List, Place, ReceiptForm};
use crate::calls::Receipt;
use crate::corrections::{Refund, Reversal};
use aigen_ledger::{Ids, Shelf};
use aigen_types::{Address, CallId, Digest, Epoch};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Receipts on a shelf, row behind row in the order of the journal. What was given back of one since it was
/// shelved is in memory.
#[derive(Debug)]
pub(super) struct Past {
    form: ReceiptForm,
    rows: Box<dyn Shelf>,
    /// Where the next row begins.
    end: u64,
    count: usize,
    ids: Ids,
    newest: Link,
    paid_by: BTreeMap<Address, Link>,
    through: BTreeMap<(Epoch, Digest), Link>,
    corrected: BTreeMap<CallId, (Vec<Refund>, Option<Reversal>)>,
}

/// Where a row begins.
type Link = Option<u64>;

/// What a row begins with: how long its receipt is, whose it is, and where the receipts before it of the
/// three lists begin that it is in.
#[derive(Clone, Copy, Debug)]
struct Head {
    bytes: u64,
    id: CallId,
    record: u64,
    before: [Link; 3],
}

const HEAD_BYTES: u64 = 56;

/// So much is read of a row at first: a receipt is some 900 bytes.
const ROW_BYTES: u64 = 1024;

/// No row.
const NONE: u64 = u64::MAX;

impl Past {
    pub fn on(form: ReceiptForm, rows: Box<dyn Shelf>, ids: Box<dyn Shelf>) -> Self {
        Self {
            form,
            rows,
            end: 0,
            count: 0,
            ids: Ids::default().on(ids),
            newest: None,
            paid_by: BTreeMap::new(),
            through: BTreeMap::new(),
            corrected: BTreeMap::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Adds the next ones, whose rows are written together.
    pub fn push_all(&mut self, receipts: &[(CallId, Arc<Receipt>)]) {
        let at = self.end;
        let mut rows = Vec::new();
        for (id, receipt) in receipts {
            self.push(*id, receipt, &mut rows);
        }
        self.rows.write(at, &rows);
    }

    fn push(&mut self, id: CallId, receipt: &Receipt, rows: &mut Vec<u8>) {
        let at = self.end;
        let body = (self.form.write)(receipt);
        let controller = receipt.call.controller;
        let through = controller.map(|controller| (receipt.epoch, controller));
        let head = Head {
            bytes: u64::try_from(body.len()).expect("a receipt is small"),
            id,
            record: receipt.record,
            before: [
                self.newest.replace(at),
                self.paid_by
                    .insert(receipt.call.payer.clone(), Some(at))
                    .flatten(),
                through.and_then(|key| self.through.insert(key, Some(at)).flatten()),
            ],
        };
        rows.extend_from_slice(&head.to_bytes());
        rows.extend_from_slice(&body);
        self.end = head.end(at);
        self.ids.insert_shelved(id.0, place(at));
        self.count = self.count.saturating_add(1);
    }

    /// Where the row of this call begins.
    pub fn find(&self, id: CallId) -> Link {
        let has_id = |place| self.head(wide(place)).id == id;
        self.ids.find(id.0, has_id).map(wide)
    }

    pub fn receipt_at(&self, at: u64) -> Arc<Receipt> {
        let (head, row) = self.row(at);
        let receipt = (self.form.read)(&row[place(HEAD_BYTES)..]);
        let mut receipt = receipt.expect("a shelf gives back what it was given");
        if let Some((refunds, reversal)) = self.corrected.get(&head.id) {
            receipt.refunds.clone_from(refunds);
            receipt.reversal.clone_from(reversal);
        }
        Arc::new(receipt)
    }

    /// All of a row, by one read if it is no longer than most.
    fn row(&self, at: u64) -> (Head, Vec<u8>) {
        let first = self.end.saturating_sub(at).min(ROW_BYTES);
        let mut row = alloc::vec![0; place(first)];
        self.rows.read(at, &mut row);
        let head = row.first_chunk().expect("a row is longer than its head");
        let head = Head::from_bytes(head);
        row.resize(place(HEAD_BYTES.saturating_add(head.bytes)), 0);
        if let Some(rest) = row.get_mut(place(first)..).filter(|rest| !rest.is_empty()) {
            self.rows.read(at.saturating_add(first), rest);
        }
        (head, row)
    }

    fn head(&self, at: u64) -> Head {
        let mut bytes = [0; 56];
        self.rows.read(at, &mut bytes);
        Head::from_bytes(&bytes)
    }

    /// Every row: whose it is, and where it begins.
    pub fn places(&self) -> impl Iterator<Item = (CallId, u64)> {
        let mut next = 0;
        core::iter::from_fn(move || {
            let at = (next < self.end).then_some(next)?;
            let head = self.head(at);
            next = head.end(at);
            Some((head.id, at))
        })
    }

    /// Those of a list before a place, newest first.
    pub fn newest_first(
        &self,
        list: List<'_>,
        end: Place,
    ) -> impl Iterator<Item = (CallId, Arc<Receipt>)> + use<'_> {
        let number = list.number();
        let mut next = self.first_before(list, end);
        let rows = core::iter::from_fn(move || {
            let at = next?;
            let head = self.head(at);
            next = head.before[number];
            Some((at, head))
        });
        let before = rows.skip_while(move |(_, head)| (head.record, head.id) >= end);
        before.map(|(at, head)| (head.id, self.receipt_at(at)))
    }

    /// Where to begin to look for those before a place: where one of the list stands there, at the one
    /// before it.
    fn first_before(&self, list: List<'_>, (_, id): Place) -> Link {
        if let Some(at) = self.find(id) {
            let head = self.head(at);
            if list.has(&self.receipt_at(at)) {
                return head.before[list.number()];
            }
        }
        match list {
            List::All => self.newest,
            List::PaidBy(payer) => self.paid_by.get(payer).copied().flatten(),
            List::Through(epoch, controller) => {
                self.through.get(&(epoch, controller)).copied().flatten()
            }
        }
    }

    pub fn correct(&mut self, id: CallId, correct: impl FnOnce(&mut Receipt)) {
        if let Some(at) = self.find(id) {
            let mut receipt = Arc::unwrap_or_clone(self.receipt_at(at));
            correct(&mut receipt);
            let corrected = (receipt.refunds, receipt.reversal);
            self.corrected.insert(id, corrected);
        }
    }
}

impl List<'_> {
    /// Its place among the links of a row.
    fn number(self) -> usize {
        match self {
            Self::All => 0,
            Self::PaidBy(_) => 1,
            Self::Through(..) => 2,
        }
    }
}

impl Head {
    /// Where the row that begins at `at` ends.
    fn end(&self, at: u64) -> u64 {
        at.saturating_add(HEAD_BYTES).saturating_add(self.bytes)
    }

    fn to_bytes(self) -> [u8; 56] {
        let [all, paid_by, through] = self.before.map(|link| link.unwrap_or(NONE));
        let numbers = [self.bytes, self.record, all, paid_by, through];
        let mut bytes = [0; 56];
        let (words, _) = bytes.as_chunks_mut::<8>();
        for (word, number) in words.iter_mut().zip(numbers) {
            *word = number.to_le_bytes();
        }
        if let Some(id) = bytes.last_chunk_mut() {
            *id = self.id.0.to_le_bytes();
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; 56]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let number = |place: usize| u64::from_le_bytes(words[place]);
        let link = |number: u64| (number != NONE).then_some(number);
        let id = bytes.last_chunk().expect("56 bytes end with 16");
        Self {
            bytes: number(0),
            record: number(1),
            before: [2, 3, 4].map(|place| link(number(place))),
            id: CallId(u128::from_le_bytes(*id)),
        }
    }
}

fn wide(place: usize) -> u64 {
    u64::try_from(place).expect("a machine's numbers have at most 64 bits")
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("a machine that keeps this much has 64 bits")
}
