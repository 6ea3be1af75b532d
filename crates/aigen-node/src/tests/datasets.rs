//! Datasets whose rows are here, or are not.

use super::{World, parsed};
use crate::{Datasets, NodeError, Offer, Reader, RowsAsked, RowsRead};
use aigen_datasets::{Format, ImportError, Library, Source};
use aigen_economy::DatasetPrice;
use aigen_journal::{ContentStore, Record, Store, StoreError, Tip};
use aigen_network::{Column, Command, DatasetUse, NewDataset};
use aigen_types::{Amount, Digest};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

const PRICE: DatasetPrice = DatasetPrice {
    row: Amount::from_nano(7),
    hit: Amount::ZERO,
    download: Amount::ZERO,
};

fn offer(reference: &str) -> Offer {
    Offer {
        reference: parsed(reference),
        description: String::new(),
        licence: "MIT".into(),
        uses: DatasetUse::ALL.into(),
        open: true,
        price: PRICE,
        provider: None,
        content: None,
    }
}

async fn read(world: &World, dataset: &str) -> Result<RowsRead, NodeError> {
    let reader = Reader {
        caller: world.caller.clone(),
        idempotency_key: None,
        request: Digest([3; 32]),
        end_user: None,
        bill_to: None,
        budget: None,
    };
    let asked = RowsAsked {
        dataset: parsed(dataset),
        query: None,
        after: 0,
        limit: 5,
        columns: Vec::new(),
    };
    world.node.read_dataset(&reader, asked).await
}

fn keep(world: &World, folder: &Path) {
    let library = Library::open(&folder.join("datasets")).unwrap();
    world
        .node
        .keep_datasets(Datasets::new(library, 1 << 20, 1 << 20));
}

/// As another node of the same journal published it.
async fn published_elsewhere(world: &World, content: Digest, bytes: u64) {
    let new = NewDataset {
        reference: parsed("ada/far@1.0.0"),
        by: parsed("user:ada"),
        content,
        rows: 3,
        bytes,
        columns: vec![Column {
            name: "a".into(),
            kind: "text".into(),
        }],
        description: String::new(),
        licence: "MIT".into(),
        uses: DatasetUse::ALL.into(),
        open: true,
        price: PRICE,
        provider: parsed("user:ada"),
    };
    world
        .node
        .submit(Command::PublishDataset(new))
        .await
        .unwrap();
}

#[tokio::test]
async fn rows_that_are_elsewhere_are_not_charged() {
    let world = World::new(100).await;
    published_elsewhere(&world, Digest([9; 32]), 30).await;
    let far = read(&world, "ada/far").await;
    assert!(
        matches!(far, Err(NodeError::DatasetElsewhere(_))),
        "{far:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    keep(&world, folder.path());
    let far = read(&world, "ada/far").await.unwrap_err();
    assert_eq!(
        far.to_string(),
        "the rows of ada/far@1.0.0 are not on this node"
    );
    assert_eq!(world.money(), (100, 0));
    world.check();
}

#[tokio::test]
async fn a_node_that_keeps_none_publishes_none() {
    let world = World::new(100).await;
    let source = Source::new(Path::new("rows.csv"), Format::Csv);
    let refused = world
        .node
        .publish_dataset(&world.caller, offer("ada/near@1.0.0"), source);
    assert!(matches!(refused.await, Err(NodeError::NoDatasets)));
}

#[tokio::test]
async fn what_is_refused_leaves_what_another_version_names() {
    let world = World::new(100).await;
    let folder = tempfile::tempdir().unwrap();
    keep(&world, folder.path());
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, "a\nx\ny\n").unwrap();
    let source = || Source::new(&file, Format::Csv);
    let node = &world.node;
    for _ in 0..2 {
        // The same version again is no other one.
        let done = node.publish_dataset(&world.caller, offer("ada/near@1.0.0"), source());
        done.await.unwrap();
    }
    let wrong = Offer {
        licence: String::new(),
        ..offer("ada/near@2.0.0")
    };
    let refused = node.publish_dataset(&world.caller, wrong, source()).await;
    assert!(matches!(refused, Err(NodeError::Refused(_))), "{refused:?}");
    let near = read(&world, "ada/near").await.unwrap();
    assert_eq!((near.rows.len(), near.more), (2, false));
    std::fs::write(&file, "a\nz\n").unwrap();
    let other = node.publish_dataset(&world.caller, offer("ada/near@1.0.0"), source());
    assert!(matches!(other.await, Err(NodeError::Refused(_))));
    let kept = std::fs::read_dir(folder.path().join("datasets")).unwrap();
    assert_eq!(kept.count(), 1, "and nothing else is left");
    world.check();
}

/// What nodes of one journal share, and nothing else of a store.
#[derive(Clone, Default)]
struct Beside(Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>);

impl ContentStore for Beside {
    fn save_content(&mut self, digest: Digest, bytes: &mut dyn Read) -> Result<bool, StoreError> {
        let mut all = Vec::new();
        bytes.read_to_end(&mut all).unwrap();
        self.0.lock().unwrap().insert(digest, all);
        Ok(true)
    }

    fn contents(&self) -> Result<Vec<Digest>, StoreError> {
        Ok(self.0.lock().unwrap().keys().copied().collect())
    }

    fn content_part(&self, digest: Digest, part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let all = self.0.lock().unwrap().get(&digest).cloned();
        let part = all.and_then(|all| all.chunks(7).nth(part as usize).map(<[u8]>::to_vec));
        Ok(part)
    }
}

impl Store for Beside {
    fn append(&mut self, _: &Record) -> Result<(), StoreError> {
        unreachable!("rows are no records")
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        unreachable!("rows are no records")
    }

    fn read_after(
        &self,
        _: Tip,
        _: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        unreachable!("rows are no records")
    }
}

fn keep_beside(world: &World, folder: &Path, store: &Beside, total_max: u64) {
    let library = Library::open(folder).unwrap();
    let datasets = Datasets::new(library, 1 << 20, total_max);
    let store = store.clone();
    let open = move || Ok(Box::new(store.clone()) as Box<dyn Store>);
    world
        .node
        .keep_datasets(datasets.beside(Arc::new(open), true));
}

/// Asks until the answer is another one than that the rows are coming.
async fn read_when_there(world: &World) -> Result<RowsRead, NodeError> {
    loop {
        match read(world, "ada/far").await {
            Err(NodeError::DatasetComing(_)) => tokio::task::yield_now().await,
            other => return other,
        }
    }
}

const ROWS: &str = "{\"a\":\"x\"}\n{\"a\":\"y\"}\n{\"a\":\"z\"}\n";

#[tokio::test]
async fn rows_are_left_for_other_nodes_and_taken_by_them() {
    let (store, folder) = (Beside::default(), tempfile::tempdir().unwrap());
    let one = World::new(100).await;
    keep_beside(&one, &folder.path().join("one"), &store, 1 << 20);
    let file = folder.path().join("rows.jsonl");
    std::fs::write(&file, ROWS).unwrap();
    let source = Source::new(&file, Format::JsonLines);
    let done = one
        .node
        .publish_dataset(&one.caller, offer("ada/far@1.0.0"), source);
    done.await.unwrap();
    let content = store.contents().unwrap()[0];
    assert_eq!(
        store.read_content(content).unwrap().unwrap(),
        ROWS.as_bytes()
    );

    let two = World::new(100).await;
    published_elsewhere(&two, content, ROWS.len() as u64).await;
    let exactly = ROWS.len() as u64 + 3 * 8;
    keep_beside(&two, &folder.path().join("two"), &store, exactly);
    let first = read(&two, "ada/far").await;
    assert!(
        matches!(first, Err(NodeError::DatasetComing(_))),
        "{first:?}"
    );
    assert_eq!(two.money(), (100, 0), "nothing is charged meanwhile");
    let there = read_when_there(&two).await.unwrap();
    assert_eq!(there.rows.len(), 3);
    let paid = there.paid.unwrap().cost;
    assert_eq!(paid, Amount::from_nano(3 * 7), "and once then");
    two.check();
}

#[tokio::test]
async fn rows_that_cannot_be_taken_are_refused_by_what_is_wrong() {
    let (store, folder) = (Beside::default(), tempfile::tempdir().unwrap());
    let content = aigen_network::content_digest(ROWS.as_bytes());
    let put = |bytes: &str| store.0.lock().unwrap().insert(content, bytes.into());
    let world = World::new(100).await;
    published_elsewhere(&world, content, ROWS.len() as u64).await;
    let kept = folder.path().join("kept");
    keep_beside(&world, &kept, &store, 100);
    let why = |error: NodeError| {
        std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
    };
    // Nobody left them.
    let missing = read_when_there(&world).await.unwrap_err();
    assert!(
        matches!(missing, NodeError::DatasetElsewhere(_)),
        "{missing}"
    );
    // Cut off, and changed.
    for damaged in [&ROWS[..20], &ROWS.replace('z', "w")] {
        put(damaged);
        let error = why(read_when_there(&world).await.unwrap_err());
        assert!(error.contains("not what was left there"), "{error}");
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
    }
    assert_eq!(world.money(), (100, 0));
    // Left again, they are taken.
    put(ROWS);
    assert_eq!(read_when_there(&world).await.unwrap().rows.len(), 3);

    let small = World::new(100).await;
    published_elsewhere(&small, content, ROWS.len() as u64).await;
    keep_beside(&small, &folder.path().join("small"), &store, 20);
    let full = read_when_there(&small).await.unwrap_err();
    assert!(
        matches!(full, NodeError::DatasetUnfit(ImportError::Full(20))),
        "{full}"
    );
    small.check();
}
