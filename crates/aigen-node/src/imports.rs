//! Files that are being read in, and how far that is: for whoever waits for it.

use aigen_datasets::Progress;
use aigen_types::{Address, DatasetRef};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// A file that is being read in, to be a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The version that it is to be.
    pub reference: DatasetRef,
    /// Whose key sent it.
    pub by: Address,
    /// How far it is; none while it waits for others.
    pub progress: Option<Progress>,
}

/// Those of a node, in the order in which they came.
#[derive(Clone, Default)]
pub(crate) struct Imports(Arc<Mutex<BTreeMap<u64, Import>>>);

impl Imports {
    /// Lists a file until what comes back is dropped.
    pub(crate) fn begin(&self, reference: DatasetRef, by: Address) -> Importing {
        let mut listed = self.listed();
        let number = listed.last_key_value().map_or(0, |(last, _)| last + 1);
        let import = Import {
            reference,
            by,
            progress: None,
        };
        listed.insert(number, import);
        Importing {
            all: self.clone(),
            number,
        }
    }

    pub(crate) fn list(&self) -> Vec<Import> {
        self.listed().values().cloned().collect()
    }

    fn listed(&self) -> MutexGuard<'_, BTreeMap<u64, Import>> {
        self.0.lock().expect("no holder panics")
    }
}

/// One of them.
pub(crate) struct Importing {
    all: Imports,
    number: u64,
}

impl Importing {
    pub(crate) fn report(&self, progress: Progress) {
        if let Some(import) = self.all.listed().get_mut(&self.number) {
            import.progress = Some(progress);
        }
    }
}

impl Drop for Importing {
    fn drop(&mut self) {
        self.all.listed().remove(&self.number);
    }
}
