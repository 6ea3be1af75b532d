//! What released versions wrote stays readable, byte for byte.

mod datasets;
mod governed;
pub(crate) mod lived;
mod releases;

use super::{every_command, later_commands};
use crate::record::{Origin, Record, Tip};
use crate::{Batch, MemoryStore, Replica, Snapshot, recover, replay};
use aigen_network::{Command, Counter};
use aigen_types::{Digest, NodeId, Timestamp};

const RECORD_1: &str = include_str!("record-v1.hex");
const RECORD_2: &str = include_str!("record-v2.hex");
const SNAPSHOT_1: &str = include_str!("snapshot-v1.hex");
const SNAPSHOT_2: &str = include_str!("snapshot-v2.hex");

const SNAPSHOT_3: &str = include_str!("snapshot-v3.hex");

/// Signed releases, what is said of them and their tags, in a record of their own.
const RELEASES_2: &str = include_str!("record-v2-releases.hex");

/// A call whose controller ran out of fuel, in a record of its own.
const STEERED_2: &str = include_str!("record-v2-steered.hex");
const SNAPSHOT_4: &str = include_str!("snapshot-v4.hex");

/// A call that makes another, in a record of its own.
const WITHIN_2: &str = include_str!("record-v2-within.hex");
const SNAPSHOT_5: &str = include_str!("snapshot-v5.hex");

/// Everything that is said of datasets, and reads of every kind, in a record of their own.
const DATASETS_2: &str = include_str!("record-v2-datasets.hex");
const SNAPSHOT_6: &str = include_str!("snapshot-v6.hex");

/// Calls whose tokens were counted by each who may, in a record of their own.
const COUNTED_2: &str = include_str!("record-v2-counted.hex");
const SNAPSHOT_7: &str = include_str!("snapshot-v7.hex");

/// All of that.
const SNAPSHOT_8: &str = include_str!("snapshot-v8.hex");
const DATASETS_8: &str = include_str!("snapshot-v8-datasets.hex");

/// The first form, of a network that has lived: calls, receipts, corrections, caps, epochs.
const SNAPSHOT_1_LIVED: &str = include_str!("snapshot-v1-lived.hex");

const NOW: Timestamp = Timestamp(1_700_000_000_000_000_000);

fn encoded(command: &Command) -> Vec<u8> {
    let mut bytes = Vec::new();
    crate::codec::Wire::put(command, &mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.trim().as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// `UPDATE_GOLDEN=1` writes the file anew; run again afterwards.
fn assert_golden(name: &str, found: &[u8], kept: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(format!("src/tests/{name}.hex"), hex(found) + "\n")
            .expect("the source tree is writable");
    }
    assert_eq!(
        hex(found),
        kept.trim(),
        "the form changed: raise its version, keep this file, and keep reading it"
    );
}

/// Those of the first release, and those that came with budgets, allowances and corrections.
fn all_commands() -> Vec<Command> {
    [every_command(), later_commands()].concat()
}

fn batches() -> [Batch; 2] {
    let mut commands = all_commands();
    let others = commands.split_off(5);
    [
        Batch::new(commands).from_node(NodeId(0xa), 1),
        Batch::new(others).from_node(NodeId(0xb), 7),
    ]
}

fn replica() -> (Replica, Record) {
    let (mut replica, _) = Replica::open(Box::<MemoryStore>::default(), |_| {}).unwrap();
    let record = replica.apply(NOW, &batches()).record;
    replica.append(&record).unwrap();
    (replica, record)
}

#[test]
fn record_version_1_is_read() {
    let read = Record::from_bytes(&bytes(RECORD_1)).expect("whole");
    assert_eq!(read.commands().expect("known"), every_command());
    assert_eq!((read.version, read.seq), (1, 42));
    assert_eq!(read.origins, []);
    let tip = Tip {
        seq: 41,
        hash: Digest([0xab; 32]),
    };
    assert_eq!(read.check_follows(tip), Ok(()));
    assert_eq!(hex(&read.to_bytes()), RECORD_1.trim());
}

#[test]
fn record_version_2_is_written_as_it_always_was() {
    let (_, record) = replica();
    assert_golden("record-v2", &record.to_bytes(), RECORD_2);
}

#[test]
fn record_version_2_is_read() {
    let read = Record::from_bytes(&bytes(RECORD_2)).expect("whole");
    assert_eq!(read.commands().expect("known"), all_commands());
    let origin = |node, batch, count| Origin {
        node: NodeId(node),
        batch,
        count,
    };
    assert_eq!(
        read.origins,
        [origin(0xa, 1, 5), origin(0xb, 7, read.count - 5)]
    );
}

#[test]
fn snapshot_version_2_is_read() {
    let (mut replica, _) = replica();
    let record = replica.apply(NOW, &[Batch::new(releases::commands())]);
    let answers = record.answers.concat();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    replica.append(&record.record).unwrap();
    assert_golden("record-v2-releases", &record.record.to_bytes(), RELEASES_2);
    let read = Record::from_bytes(&bytes(RELEASES_2)).expect("whole");
    assert_eq!(read.commands().expect("known"), releases::commands());

    let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let read = Snapshot::from_bytes(&bytes(SNAPSHOT_2)).unwrap();
    assert_eq!(read, snapshot);
    let parts = read.network.parts();
    assert_eq!((parts.releases.len(), parts.tags.len()), (2, 1));
    assert_eq!((parts.publishers.len(), parts.standings.len()), (1, 1));
}

#[test]
fn snapshot_version_3_is_read() {
    let snapshot = governed::snapshot();
    assert_eq!(Snapshot::from_bytes(&bytes(SNAPSHOT_3)), Ok(snapshot));
}

/// Every place of the form is read by name: a byte more or less is no snapshot.
#[test]
fn a_snapshot_that_ends_elsewhere_is_refused() {
    for bytes in [governed::snapshot().to_bytes(), bytes(SNAPSHOT_3)] {
        assert_refused_where_cut(&bytes);
    }
}

fn assert_refused_where_cut(bytes: &[u8]) {
    let body = &bytes[..bytes.len() - 32];
    for end in (10..body.len()).step_by(7) {
        let hash = blake3::hash(&body[..end]);
        let cut = [&body[..end], hash.as_bytes().as_slice()].concat();
        assert!(Snapshot::from_bytes(&cut).is_err(), "cut at {end}");
    }
}

#[test]
fn snapshot_version_1_is_recovered_from() {
    let (mut replica, record) = replica();
    replica
        .store()
        .save_snapshot(1, &bytes(SNAPSHOT_1))
        .unwrap();
    let (recovered, how) = recover(replica.store(), |_, _| {}).unwrap();
    assert_eq!(how.refused, []);
    assert_eq!((how.snapshot, how.replayed), (Some(1), 0));
    assert_eq!(recovered, replay(replica.store(), |_| {}).unwrap());
    assert_eq!(recovered.tip, record.tip());
}

fn lived() -> Replica {
    let (mut replica, _) = Replica::open(Box::<MemoryStore>::default(), |_| {}).unwrap();
    for (number, commands) in lived::batches().into_iter().enumerate() {
        let now = Timestamp(NOW.0 + number as u64 * 1_000_000_000);
        let answers = replica.commit(now, &[Batch::new(commands)]).unwrap();
        for (place, answer) in answers[0].iter().enumerate() {
            assert!(
                answer.is_ok(),
                "batch {number}, command {place}: {answer:?}"
            );
        }
    }
    replica
}

/// Version 4 says of a receipt how its call was steered.
#[test]
fn snapshot_version_4_is_read() {
    let mut replica = lived();
    let steered = lived::steered();
    let applied = replica.apply(NOW, &[Batch::new(steered.clone())]);
    let answers = applied.answers.concat();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    replica.append(&applied.record).unwrap();
    assert_golden("record-v2-steered", &applied.record.to_bytes(), STEERED_2);
    let read = Record::from_bytes(&bytes(STEERED_2)).expect("whole");
    assert_eq!(read.commands().expect("known"), steered);

    let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let read = Snapshot::from_bytes(&bytes(SNAPSHOT_4)).unwrap();
    assert_eq!(read, snapshot);
    let mut receipts = read.network.receipts().map(|(_, receipt)| receipt);
    assert!(receipts.any(|receipt| receipt.steered.fault == "fuel_exhausted"));
}

/// Version 5 says what calls asked of the outside, and which were made within which.
#[test]
fn snapshot_version_5_is_read() {
    let mut replica = lived();
    let within = lived::within();
    let applied = replica.apply(NOW, &[Batch::new(within.clone())]);
    let answers = applied.answers.concat();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    replica.append(&applied.record).unwrap();
    assert_golden("record-v2-within", &applied.record.to_bytes(), WITHIN_2);
    let read = Record::from_bytes(&bytes(WITHIN_2)).expect("whole");
    assert_eq!(read.commands().expect("known"), within);

    let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let read = Snapshot::from_bytes(&bytes(SNAPSHOT_5)).unwrap();
    assert_eq!(read, snapshot);
    let within = read.network.within().parents().len();
    let mut receipts = read.network.receipts().map(|(_, receipt)| receipt);
    assert_eq!(within, 1);
    assert!(receipts.any(|receipt| receipt.steered.asked.pages == 2));
}

/// Version 6 says what datasets there are, who may read them, and what was read.
#[test]
fn snapshot_version_6_is_read() {
    let mut replica = lived();
    let commands = datasets::commands();
    let applied = replica.apply(NOW, &[Batch::new(commands.clone())]);
    let answers = applied.answers.concat();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    replica.append(&applied.record).unwrap();
    assert_golden("record-v2-datasets", &applied.record.to_bytes(), DATASETS_2);
    let read = Record::from_bytes(&bytes(DATASETS_2)).expect("whole");
    assert_eq!(read.commands().expect("known"), commands);

    let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let read = Snapshot::from_bytes(&bytes(SNAPSHOT_6)).unwrap();
    assert_eq!(read, snapshot);
    let network = read.network;
    network.check().unwrap();
    let state = network.dataset_state();
    assert_eq!((state.versions.len(), state.grants.len()), (2, 1));
    assert!(state.reads.values().any(|read| read.reversal.is_some()));
    assert!(state.reads.values().any(|read| !read.refunds.is_empty()));
    let ended = network
        .receipts()
        .any(|(_, receipt)| !receipt.call.reads.is_empty());
    let running = network.calls().any(|(_, call)| call.reads.len() == 2);
    assert!(ended && running);
}

/// Version 7 says of a receipt who counted, and of a key which datasets it may read.
#[test]
fn snapshot_version_7_is_read() {
    let mut replica = lived();
    let counted = lived::counted();
    let applied = replica.apply(NOW, &[Batch::new(counted.clone())]);
    let answers = applied.answers.concat();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    replica.append(&applied.record).unwrap();
    assert_golden("record-v2-counted", &applied.record.to_bytes(), COUNTED_2);
    let read = Record::from_bytes(&bytes(COUNTED_2)).expect("whole");
    assert_eq!(read.commands().expect("known"), counted);

    let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let read = Snapshot::from_bytes(&bytes(SNAPSHOT_7)).unwrap();
    assert_eq!(read, snapshot);
    let receipts = read.network.receipts();
    let counters: Vec<_> = receipts.map(|(_, receipt)| receipt.counter).collect();
    let said: Vec<_> = counters.iter().flatten().collect();
    let each = [Counter::Engine, Counter::Upstream, Counter::Estimated];
    assert_eq!(said, each.iter().collect::<Vec<_>>());
    assert!(counters.len() > 3, "those of before say nothing");
}

/// Version 8 has receipts in the order of the journal, and all that each says in one place.
#[test]
fn snapshot_version_8_is_written_as_it_always_was_and_read() {
    let steered = [lived::steered(), lived::within(), lived::counted()].concat();
    for (name, commands, kept) in [
        ("snapshot-v8", steered, SNAPSHOT_8),
        ("snapshot-v8-datasets", datasets::commands(), DATASETS_8),
    ] {
        let mut replica = lived();
        let answers = replica.commit(NOW, &[Batch::new(commands)]).unwrap();
        assert!(answers[0].iter().all(Result::is_ok), "{answers:?}");
        let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
        assert_golden(name, &snapshot.to_bytes(), kept);
        let read = Snapshot::from_bytes(&bytes(kept)).unwrap();
        assert_eq!(read, snapshot);
        read.network.check().unwrap();
    }
}

/// Receipts stand at the end: in the order of the journal they are a snapshot, in another they are none.
#[test]
fn receipts_out_of_order_are_refused() {
    let mut replica = lived();
    let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let receipts = snapshot.network.receipts_so_far();
    let rows = receipts.written(crate::shelf::FORM.write);
    let mut rows: Vec<_> = rows
        .map(|(id, receipt)| [id.0.to_le_bytes().to_vec(), receipt].concat())
        .collect();
    let bytes = snapshot.to_bytes();
    let before = &bytes[..bytes.len() - 32 - rows.concat().len()];
    let with = |rows: &[Vec<u8>]| {
        let body = [before, &rows.concat()].concat();
        let hash = *blake3::hash(&body).as_bytes();
        Snapshot::from_bytes(&[body, hash.to_vec()].concat())
    };
    assert_eq!(with(&rows), Ok(snapshot.clone()));
    rows.swap(0, 1);
    let refused = with(&rows).unwrap_err().to_string();
    assert!(refused.contains("receipts out of order"), "{refused}");
}

/// What a receipt says leaves memory and comes back whole.
#[test]
fn a_shelf_gives_back_every_receipt_as_it_was() {
    let steered = [lived::steered(), lived::within(), lived::counted()].concat();
    for commands in [steered, datasets::commands()] {
        let mut replica = lived();
        let answers = replica.commit(NOW, &[Batch::new(commands)]).unwrap();
        assert!(answers[0].iter().all(Result::is_ok), "{answers:?}");
        let network = replica.network();
        for (id, receipt) in network.read().unwrap().receipts() {
            let shelved = (crate::shelf::FORM.write)(&receipt);
            let back = (crate::shelf::FORM.read)(&shelved);
            assert_eq!(back.as_ref(), Some(&*receipt), "{id}");
        }
    }
}

/// A form that nothing was ever put into would stay the same whatever became of it.
#[test]
fn a_network_that_has_lived_holds_one_of_everything() {
    let replica = lived();
    let network = replica.network();
    let network = network.read().unwrap();
    network.check().unwrap();
    let parts = network.parts();
    let receipts: Vec<_> = network.receipts().map(|(_, receipt)| receipt).collect();
    let settled: Vec<_> = network.settled_epochs().collect();
    let epoch = network.epoch();
    for (what, there) in [
        (
            "a running call with two holds",
            network.calls().any(|(_, call)| call.holds.len() == 2),
        ),
        (
            "a refund",
            receipts.iter().any(|receipt| !receipt.refunds.is_empty()),
        ),
        (
            "a reversal",
            receipts.iter().any(|receipt| receipt.reversal.is_some()),
        ),
        (
            "a margin",
            receipts.iter().any(|receipt| !receipt.margin.is_zero()),
        ),
        (
            "counted caps",
            receipts.iter().any(|receipt| !receipt.call.caps.is_empty()),
        ),
        (
            "a settled epoch",
            settled.iter().any(|(_, epoch)| !epoch.postings.is_empty()),
        ),
        (
            "an epoch under way",
            !epoch.cells.is_empty() && !epoch.gold.is_empty(),
        ),
        ("commitments", !epoch.commitments.is_empty()),
        ("a reveal", !epoch.reveals.is_empty()),
        ("a tally", !epoch.tallies.is_empty()),
        ("scores", !parts.scores.is_empty()),
        ("budgets", !parts.budgets.is_empty()),
        ("an allowance", !parts.allowances.is_empty()),
        ("validators", !parts.validators.is_empty()),
        ("a revoked key", network.keys().any(|(_, key)| key.revoked)),
    ] {
        assert!(there, "{what}");
    }
}

#[test]
fn a_lived_snapshot_of_version_1_is_read() {
    let mut replica = lived();
    let snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let read = Snapshot::from_bytes(&bytes(SNAPSHOT_1_LIVED)).unwrap();
    assert_eq!(read, snapshot);
    assert_eq!(read.network, *replica.network().read().unwrap());
}

/// What a later form says for nothing is said in an earlier one.
#[test]
fn a_later_form_says_what_no_earlier_one_can() {
    for command in [&lived::counted()[0], &lived::counted()[2]] {
        let mut bytes = encoded(command);
        assert!(bytes[0] >= 80, "{command:?}");
        crate::record::decode(1, &bytes).expect("its own form");
        let said = match command {
            Command::CloseCall(_) => bytes.len() - 2..bytes.len(),
            _ => return_to_all_datasets(&bytes),
        };
        bytes.splice(
            said,
            match command {
                Command::CloseCall(_) => vec![0],
                _ => vec![0; 4],
            },
        );
        let refused = crate::record::decode(1, &bytes).unwrap_err().to_string();
        assert!(refused.contains("earlier form"), "{refused}");
    }
}

/// Where the list of datasets stands: before that of scopes, which is empty.
fn return_to_all_datasets(limit: &[u8]) -> std::ops::Range<usize> {
    let end = limit.len() - 4;
    let list = 4 + ["books/faq", "books/poems"]
        .iter()
        .map(|name| 4 + name.len())
        .sum::<usize>();
    end - list..end
}

/// A command that an earlier form can say has no later one, so that equal commands are equal bytes.
#[test]
fn every_command_has_one_form() {
    for command in every_command() {
        let mut bytes = encoded(&command);
        let later: &[u8] = match bytes[0] {
            4 => &[0],
            // No node, one token at least, nobody else.
            9 => &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            _ => continue,
        };
        bytes[0] = if bytes[0] == 4 { 19 } else { 18 };
        bytes.extend_from_slice(later);
        let refused = crate::record::decode(1, &bytes).unwrap_err().to_string();
        assert!(refused.contains("earlier form"), "{refused}");
    }
}
