use crate::record::{Record, Tip};
use crate::store::{Store, StoreError};

/// A journal that is gone with the process: for tests and trials.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Vec<Record>,
}

impl Store for MemoryStore {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let tip = self.tip()?;
        if record.check_follows(tip).is_err() {
            return Err(StoreError::Conflict(tip.seq));
        }
        self.records.push(record.clone());
        Ok(())
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        Ok(self.records.last().map(Record::tip).unwrap_or_default())
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
}
