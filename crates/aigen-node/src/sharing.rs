//! Rows beside the journal: the node that a dataset is published on leaves them there, and a node of
//! the same journal that lacks them takes them from there when somebody asks.

use crate::components::OpenStore;
use crate::error::NodeError;
use crate::imports::Importing;
use crate::node::Node;
use aigen_datasets::{
    Dataset as Content, Format, ImportError, Incoming, Library, Progress, ReadError, Source, Stage,
};
use aigen_journal::StoreError;
use aigen_network::NewDataset;
use aigen_types::{DatasetRef, Digest};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard};

/// The store that nodes share, and what is being taken from it.
pub(crate) struct Shared {
    store: OpenStore,
    /// Whether rows are left there, too.
    leaves: bool,
    fetches: Mutex<BTreeMap<Digest, Fetch>>,
}

enum Fetch {
    Running,
    /// Whoever asks next is told, and the one after that begins another.
    Failed(NodeError),
}

impl Shared {
    pub(crate) fn new(store: OpenStore, leaves: bool) -> Self {
        Self {
            store,
            leaves,
            fetches: Mutex::default(),
        }
    }

    /// Leaves the rows of a dataset for other nodes, durable on `Ok`. Blocks.
    fn leave(&self, content: &Content) -> Result<(), NodeError> {
        let digest = content.manifest().digest;
        let mut rows = content.content().map_err(ReadError::Rows)?;
        match (self.store)()?.save_content(digest, &mut rows)? {
            true => Ok(()),
            false => Err(damaged("the file of rows is not what was read in")),
        }
    }

    /// Whether to begin a fetch, or what became of the one before.
    fn begin(&self, digest: Digest) -> Result<bool, NodeError> {
        let mut fetches = self.fetches();
        match fetches.remove(&digest) {
            Some(Fetch::Failed(error)) => return Err(error),
            Some(Fetch::Running) => {
                fetches.insert(digest, Fetch::Running);
                return Ok(false);
            }
            None => {}
        }
        fetches.insert(digest, Fetch::Running);
        Ok(true)
    }

    fn end(&self, digest: Digest, outcome: Result<(), NodeError>) {
        let mut fetches = self.fetches();
        fetches.remove(&digest);
        if let Err(error) = outcome {
            tracing::warn!(content = %digest, %error, "the rows of a dataset could not be taken from the journal's store");
            fetches.insert(digest, Fetch::Failed(error));
        }
    }

    fn fetches(&self) -> MutexGuard<'_, BTreeMap<Digest, Fetch>> {
        self.fetches.lock().expect("no holder panics")
    }
}

impl Node {
    /// The rows of a version. Where they are beside the journal and not here, they are taken from
    /// there from now on.
    ///
    /// # Errors
    /// They are not here, or not yet.
    pub(crate) fn rows_of(
        &self,
        reference: &DatasetRef,
        digest: &Digest,
    ) -> Result<Arc<Content>, NodeError> {
        if let Some(content) = self.dataset_content(digest) {
            return Ok(content);
        }
        let datasets = self.0.datasets.get();
        let shared = datasets.and_then(|datasets| datasets.shared.as_ref());
        let new = self
            .network()
            .dataset(reference)
            .map(|d| d.published.clone());
        let (Some(shared), Some(new)) = (shared, new) else {
            return Err(NodeError::DatasetElsewhere(reference.clone()));
        };
        if shared.begin(*digest)? {
            tokio::spawn(self.clone().fetch(new));
        }
        Err(NodeError::DatasetComing(reference.clone()))
    }

    /// Leaves rows that are here beside a journal that nodes share. Blocks.
    pub(crate) fn leave_rows(&self, digest: &Digest) -> Result<(), NodeError> {
        let datasets = self.0.datasets.get();
        let shared = datasets.and_then(|datasets| datasets.shared.as_ref());
        match (shared, self.dataset_content(digest)) {
            (Some(shared), Some(content)) if shared.leaves => shared.leave(&content),
            _ => Ok(()),
        }
    }

    async fn fetch(self, new: NewDataset) {
        let Some(datasets) = self.0.datasets.get() else {
            return;
        };
        let Some(shared) = &datasets.shared else {
            return;
        };
        let importing = datasets
            .imports
            .begin(new.reference.clone(), new.by.clone());
        let _alone = datasets.publishing.lock().await;
        let library = Arc::clone(&datasets.library);
        let (store, content) = (Arc::clone(&shared.store), new.content);
        let taken = tokio::task::spawn_blocking(move || take(&library, &store, &new, &importing));
        let outcome = taken.await.unwrap_or(Err(NodeError::ShuttingDown));
        shared.end(content, outcome);
    }

    /// Leaves beside the journal what was published here before nodes shared it.
    ///
    /// # Errors
    /// The store, or a disk, fails.
    pub async fn share_datasets(&self) -> Result<(), NodeError> {
        let node = self.clone();
        let shared = tokio::task::spawn_blocking(move || node.leave_all());
        shared.await.map_err(|_| NodeError::ShuttingDown)?
    }

    fn leave_all(&self) -> Result<(), NodeError> {
        let Some(datasets) = self.0.datasets.get() else {
            return Ok(());
        };
        let Some(shared) = datasets.shared.as_ref().filter(|shared| shared.leaves) else {
            return Ok(());
        };
        let named: BTreeSet<Digest> = self
            .network()
            .datasets()
            .map(|dataset| dataset.published.content)
            .collect();
        let there = (shared.store)()?.contents()?;
        for content in datasets.library.list() {
            let digest = content.manifest().digest;
            if named.contains(&digest) && !there.contains(&digest) {
                shared.leave(&content)?;
            }
        }
        Ok(())
    }
}

/// Takes rows from the store, and reads them in like any other file. Blocks.
fn take(
    library: &Library,
    store: &OpenStore,
    new: &NewDataset,
    importing: &Importing,
) -> Result<(), NodeError> {
    // Another version may have brought the same rows meanwhile.
    if library.get(&new.content).is_some() {
        return Ok(());
    }
    library.must_fit(new.bytes)?;
    let incoming = library.incoming().map_err(ImportError::Keep)?;
    receive(&incoming, store, new, importing)?;
    let source = Source::new(incoming.path(), Format::JsonLines);
    let read = library.import(&source, &mut |progress| importing.report(progress))?;
    match read.digest == new.content {
        true => Ok(()),
        false => Err(NodeError::DatasetDiffers(read.digest)),
    }
}

fn receive(
    incoming: &Incoming,
    store: &OpenStore,
    new: &NewDataset,
    importing: &Importing,
) -> Result<(), NodeError> {
    let file = File::options().write(true).open(incoming.path());
    let mut file = BufWriter::new(file.map_err(ImportError::Keep)?);
    let mut done = 0;
    let whole = (store)()?.read_parts(new.content, &mut |part| {
        file.write_all(part)
            .map_err(|error| StoreError::Io(error.into()))?;
        done += part.len() as u64;
        importing.report(Progress {
            stage: Stage::Fetching,
            done,
            total: new.bytes,
            rows: 0,
        });
        Ok(())
    })?;
    file.flush().map_err(ImportError::Keep)?;
    match (whole, done) {
        (true, _) => Ok(()),
        (false, 0) => Err(NodeError::DatasetElsewhere(new.reference.clone())),
        (false, _) => Err(damaged(
            "the rows in the journal's store are not what was left there",
        )),
    }
}

fn damaged(what: &str) -> NodeError {
    ReadError::Rows(io::Error::other(what)).into()
}
