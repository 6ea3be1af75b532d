use super::{List, Place, ReceiptForm};
use crate::calls::Receipt;
use crate::corrections::{Refund, Reversal};
use aigen_ledger::{Forwards, Ids, Shelf};
use aigen_types::{Address, CallId, Digest, Epoch};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Receipts on a shelf, and how they are found there.
#[derive(Debug)]
pub(super) struct Past {
    pub rows: Rows,
    ids: Ids,
    newest: Link,
    paid_by: BTreeMap<Address, Link>,
    through: BTreeMap<(Epoch, Digest), Link>,
}

/// Row behind row in the order of the journal. A copy is what there was when it was made: rows are only added.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    form: ReceiptForm,
    shelf: Arc<dyn Shelf>,
    /// Where the next row begins.
    end: u64,
    count: usize,
    /// What was given back since they were shelved.
    corrected: Arc<BTreeMap<CallId, Corrected>>,
}

type Corrected = (Vec<Refund>, Option<Reversal>);

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
    pub fn on(form: ReceiptForm, rows: Arc<dyn Shelf>, ids: Arc<dyn Shelf>) -> Self {
        Self {
            rows: Rows {
                form,
                shelf: rows,
                end: 0,
                count: 0,
                corrected: Arc::default(),
            },
            ids: Ids::default().on(ids),
            newest: None,
            paid_by: BTreeMap::new(),
            through: BTreeMap::new(),
        }
    }

    /// Adds the next ones, whose rows are written together.
    pub fn push_all(&mut self, receipts: &[(CallId, Arc<Receipt>)]) {
        let at = self.rows.end;
        let mut rows = Vec::new();
        for (id, receipt) in receipts {
            self.push(*id, receipt, &mut rows);
        }
        self.rows.shelf.write(at, &rows);
    }

    fn push(&mut self, id: CallId, receipt: &Receipt, rows: &mut Vec<u8>) {
        let at = self.rows.end;
        let body = (self.rows.form.write)(receipt);
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
        self.rows.end = head.end(at);
        self.ids.insert_shelved(id.0, place(at));
        self.rows.count = self.rows.count.saturating_add(1);
    }

    /// Where the row of this call begins.
    pub fn find(&self, id: CallId) -> Link {
        let has_id = |place| self.rows.head(wide(place)).id == id;
        self.ids.find(id.0, has_id).map(wide)
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
            let head = self.rows.head(at);
            next = head.before[number];
            Some((at, head))
        });
        let before = rows.skip_while(move |(_, head)| (head.record, head.id) >= end);
        before.map(|(at, head)| (head.id, self.rows.receipt_at(at)))
    }

    /// Where to begin to look for those before a place: where one of the list stands there, at the one
    /// before it.
    fn first_before(&self, list: List<'_>, (_, id): Place) -> Link {
        if let Some(at) = self.find(id) {
            let head = self.rows.head(at);
            if list.has(&self.rows.receipt_at(at)) {
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
            let mut receipt = Arc::unwrap_or_clone(self.rows.receipt_at(at));
            correct(&mut receipt);
            let corrected = (receipt.refunds, receipt.reversal);
            Arc::make_mut(&mut self.rows.corrected).insert(id, corrected);
        }
    }
}

impl Rows {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn receipt_at(&self, at: u64) -> Arc<Receipt> {
        let (head, row) = self.row(at);
        Arc::new(self.receipt(head.id, &row[place(HEAD_BYTES)..]))
    }

    /// As it was shelved, and corrected since.
    fn receipt(&self, id: CallId, body: &[u8]) -> Receipt {
        let receipt = (self.form.read)(body);
        let mut receipt = receipt.expect("a shelf gives back what it was given");
        if let Some((refunds, reversal)) = self.corrected.get(&id) {
            receipt.refunds.clone_from(refunds);
            receipt.reversal.clone_from(reversal);
        }
        receipt
    }

    /// All of a row, by one read if it is no longer than most.
    fn row(&self, at: u64) -> (Head, Vec<u8>) {
        let first = self.end.saturating_sub(at).min(ROW_BYTES);
        let mut row = alloc::vec![0; place(first)];
        self.shelf.read(at, &mut row);
        let head = row.first_chunk().expect("a row is longer than its head");
        let head = Head::from_bytes(head);
        row.resize(place(HEAD_BYTES.saturating_add(head.bytes)), 0);
        if let Some(rest) = row.get_mut(place(first)..).filter(|rest| !rest.is_empty()) {
            self.shelf.read(at.saturating_add(first), rest);
        }
        (head, row)
    }

    fn head(&self, at: u64) -> Head {
        let mut bytes = [0; 56];
        self.shelf.read(at, &mut bytes);
        Head::from_bytes(&bytes)
    }

    /// All of them from the front: where each begins, its head, and what is behind that.
    fn forwards(&self) -> impl Iterator<Item = (u64, Head, Vec<u8>)> + use<> {
        let mut rows = Forwards::until(Arc::clone(&self.shelf), self.end);
        let mut next = 0;
        core::iter::from_fn(move || {
            let at = next;
            let head = Head::from_bytes(rows.take(place(HEAD_BYTES))?.first_chunk()?);
            next = head.end(at);
            let body = rows.take(place(head.bytes))?;
            Some((at, head, body.to_vec()))
        })
    }

    /// Every row: whose it is, and where it begins.
    pub fn places(&self) -> impl Iterator<Item = (CallId, u64)> + use<> {
        self.forwards().map(|(at, head, _)| (head.id, at))
    }

    /// Every receipt, in the order of the journal.
    pub fn in_order(&self) -> impl Iterator<Item = (CallId, Arc<Receipt>)> {
        let rows = self.forwards();
        rows.map(|(_, head, body)| (head.id, Arc::new(self.receipt(head.id, &body))))
    }

    /// The same, each as it is written.
    pub fn written(&self) -> impl Iterator<Item = (CallId, Vec<u8>)> {
        self.forwards().map(
            |(_, Head { id, .. }, body)| match self.corrected.contains_key(&id) {
                true => (id, (self.form.write)(&self.receipt(id, &body))),
                false => (id, body),
            },
        )
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
