//! Datasets whose rows are here, or are not.

use super::{World, parsed};
use crate::{Datasets, NodeError, Offer, Reader, RowsAsked, RowsRead};
use aigen_datasets::{Format, Library, Source};
use aigen_economy::DatasetPrice;
use aigen_network::{Column, Command, DatasetUse, NewDataset};
use aigen_types::{Amount, Digest};
use std::path::Path;

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
async fn published_elsewhere(world: &World) {
    let new = NewDataset {
        reference: parsed("ada/far@1.0.0"),
        by: parsed("user:ada"),
        content: Digest([9; 32]),
        rows: 3,
        bytes: 30,
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
    published_elsewhere(&world).await;
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
