use crate::content::{ContentStore, Parts, unread};
use crate::record::{Record, Tip};
use crate::store::{SNAPSHOTS_KEPT, Store, StoreError};
use aigen_types::Digest;
use std::collections::BTreeMap;
use std::io::Read;

/// A journal that is gone with the process: for tests and trials.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Vec<Record>,
    snapshots: BTreeMap<u64, Vec<u8>>,
    contents: BTreeMap<Digest, Vec<Vec<u8>>>,
}

impl Store for MemoryStore {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let tip = self.tip()?;
        if record.tip() == tip {
            return Ok(());
        }
        if record.check_follows(tip).is_err() {
            return Err(StoreError::Conflict(tip.seq));
        }
        self.records.push(record.clone());
        Ok(())
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        Ok(self.records.last().map(Record::tip).unwrap_or_default())
    }

    fn tip_at(&self, seq: u64) -> Result<Option<Tip>, StoreError> {
        let found = self.records.iter().find(|record| record.seq == seq);
        Ok(found.map(Record::tip))
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let after = usize::try_from(tip.seq).unwrap_or(usize::MAX);
        self.records
            .iter()
            .skip(after)
            .try_for_each(|record| visit(record.clone()))
    }

    fn save_snapshot_parts(
        &mut self,
        seq: u64,
        parts: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        self.snapshots.insert(seq, parts.flatten().collect());
        while self.snapshots.len() > SNAPSHOTS_KEPT {
            self.snapshots.pop_first();
        }
        Ok(())
    }

    fn snapshots(&self) -> Result<Vec<u64>, StoreError> {
        Ok(self.snapshots.keys().rev().copied().collect())
    }

    fn visit_snapshot(&self, seq: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        self.snapshots
            .get(&seq)
            .into_iter()
            .for_each(|bytes| visit(bytes));
        Ok(())
    }
}

impl ContentStore for MemoryStore {
    fn save_content(&mut self, digest: Digest, bytes: &mut dyn Read) -> Result<bool, StoreError> {
        if self.contents.contains_key(&digest) {
            return Ok(true);
        }
        let (mut parts, mut kept) = (Parts::of(bytes), Vec::new());
        while let Some(part) = parts.next().map_err(unread)? {
            kept.push(part);
        }
        let right = parts.digest() == digest;
        if right {
            self.contents.insert(digest, kept);
        }
        Ok(right)
    }

    fn contents(&self) -> Result<Vec<Digest>, StoreError> {
        Ok(self.contents.keys().copied().collect())
    }

    fn content_part(&self, digest: Digest, part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let parts = self.contents.get(&digest);
        Ok(parts.and_then(|parts| parts.get(part as usize)).cloned())
    }
}
