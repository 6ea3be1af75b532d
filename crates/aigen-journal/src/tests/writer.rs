use super::{founding, issue, parsed};
use crate::{
    ContentStore, Journal, MemoryStore, Record, Replayed, Snapshot, SqliteStore, Store, StoreError,
    Tip, replay, verify,
};
use aigen_network::{Refusal, Reply};
use aigen_types::{Amount, Timestamp};
use std::future::IntoFuture;
use std::sync::mpsc;
use std::time::Duration;

fn clock() -> impl FnMut() -> Timestamp + Send {
    let mut now = 0;
    move || {
        now += 1;
        Timestamp(now)
    }
}

fn start(store: impl Store + 'static) -> Journal {
    let (journal, _) = Journal::start(Box::new(store), clock(), |error| panic!("{error}")).unwrap();
    journal
}

#[tokio::test]
async fn answers_once_durable_and_replays_to_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let journal = start(SqliteStore::open(&path).unwrap());
    let founded = journal.submit(founding()).await.unwrap();
    assert_eq!(founded.result, Ok(Reply::Done));
    let twice = journal.submit(founding()).await.unwrap();
    assert_eq!(
        twice.result,
        Err(Refusal::AlreadyFounded),
        "refusals are recorded too"
    );
    let pending: Vec<_> = (1..=500)
        .map(|id| journal.send(issue(id, 7)).unwrap())
        .collect();
    for reply in pending {
        assert_eq!(reply.await.unwrap().result, Ok(Reply::Done));
    }
    let store = SqliteStore::open_read_only(&path).unwrap();
    let replayed = replay(&store, |_| {}).unwrap();
    assert_eq!(replayed.network, *journal.network());
    assert_eq!(
        replayed.network.available(&parsed("user:ada")),
        Amount::from_nano(3_500)
    );
    assert!(
        replayed.tip.seq < 502,
        "commands that waited together share a record"
    );
}

/// Ledger time stands still while a clock that was set back catches up.
#[tokio::test]
async fn a_clock_that_goes_back_takes_no_record_with_it() {
    let mut times = [50, 10, 40, 60].into_iter();
    let clock = move || Timestamp(times.next().expect("four records"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let store = Box::new(SqliteStore::open(&path).unwrap());
    let (journal, _) = Journal::start(store, clock, |error| panic!("{error}")).unwrap();
    journal.submit(founding()).await.unwrap();
    for id in 1..4 {
        journal.submit(issue(id, 1)).await.unwrap();
    }
    let mut stamped = Vec::new();
    let store = SqliteStore::open_read_only(&path).unwrap();
    store
        .read_after(Tip::default(), &mut |record| {
            stamped.push(record.timestamp.0);
            Ok(())
        })
        .unwrap();
    assert_eq!(stamped.len(), 4);
    assert!(stamped.is_sorted(), "{stamped:?}");
    assert!(
        (50..60).contains(&stamped[1]) && stamped[3] >= 60,
        "{stamped:?}"
    );
    assert_eq!(replay(&store, |_| {}).unwrap().network, *journal.network());
}

/// A disk that fails at the second record.
struct Failing(MemoryStore);

impl ContentStore for Failing {}

impl Store for Failing {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        match record.seq {
            1 => self.0.append(record),
            _ => Err(StoreError::Io("the disk is full".into())),
        }
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        self.0.tip()
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.read_after(tip, visit)
    }
}

#[tokio::test]
async fn a_failed_append_is_answered_to_nobody_and_ends_the_writer() {
    for commands in [1, 500] {
        let (failed, failure) = mpsc::channel();
        let store = Box::new(Failing(MemoryStore::default()));
        let (journal, _) = Journal::start(store, clock(), move |error| {
            failed.send(error.to_string()).unwrap();
        })
        .unwrap();
        journal.submit(founding()).await.unwrap();
        let issues = (1..=commands).map(|id| issue(id, 5)).collect();
        assert!(
            journal.submit_all(issues).await.is_err(),
            "nothing was promised"
        );
        assert!(failure.recv().unwrap().contains("the disk is full"));
        assert!(
            journal.submit(issue(1_000, 5)).await.is_err(),
            "and nothing more will be"
        );
        assert!(
            journal.durable().await.is_err(),
            "what was applied and never written leaves the process by no other door"
        );
        assert_eq!(journal.tip().seq, 1);
    }
}

/// A disk that says when it is asked to write, and writes when it is told to.
struct Slow {
    disk: MemoryStore,
    asked: mpsc::Sender<u64>,
    turns: mpsc::Receiver<()>,
}

/// A journal whose first record, of 100 commands, is on its way to such a disk.
fn start_slowly() -> (Journal, mpsc::Sender<()>) {
    let (turn, turns) = mpsc::channel();
    let (asked, is_asked) = mpsc::channel();
    let disk = MemoryStore::default();
    let store = Box::new(Slow { disk, asked, turns });
    let (journal, _) = Journal::start(store, clock(), |_| {}).unwrap();
    let commands = std::iter::once(founding()).chain((1..100).map(|id| issue(id, 1)));
    journal.send_all(commands.collect()).unwrap();
    assert_eq!(is_asked.recv().unwrap(), 1);
    (journal, turn)
}

impl ContentStore for Slow {}

impl Store for Slow {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let _ = self.asked.send(record.seq);
        self.turns
            .recv()
            .map_err(|gone| StoreError::Io(gone.into()))?;
        self.disk.append(record)
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        self.disk.tip()
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.disk.read_after(tip, visit)
    }
}

#[tokio::test]
async fn what_comes_while_a_record_is_written_is_applied_meanwhile_and_shares_the_next_one() {
    let (journal, turn) = start_slowly();
    let asked: Vec<_> = (100..200)
        .map(|id| journal.send(issue(id, 1)).unwrap())
        .collect();
    while journal.network().commands() < 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(journal.tip().seq, 0, "applied, and nothing is written yet");
    (0..2).for_each(|_| turn.send(()).unwrap());
    for committed in asked {
        assert_eq!(committed.await.unwrap().seq, 2);
    }
}

/// Whoever shared a record may have nothing more to ask.
#[tokio::test]
async fn who_comes_alone_behind_many_is_answered_all_the_same() {
    let journal = start(MemoryStore::default());
    journal.submit(founding()).await.unwrap();
    for first in [100, 200] {
        let many: Vec<_> = (0..50)
            .map(|id| journal.send(issue(first + id, 1)).unwrap())
            .collect();
        for reply in many {
            reply.await.unwrap().result.unwrap();
        }
        let alone = journal.submit(issue(first + 50, 1));
        within_a_minute(alone).await.unwrap().result.unwrap();
    }
    let left = journal.send(issue(300, 1)).unwrap();
    within_a_minute(journal.stop()).await;
    assert!(left.await.is_ok(), "it was written before the end");
}

#[tokio::test]
async fn a_record_takes_no_more_than_its_bound() {
    let (journal, turn) = start_slowly();
    let batch = |n: u128| {
        (0..5_000)
            .map(|i| issue(1_000 + n * 5_000 + i, 1))
            .collect()
    };
    let asked: Vec<_> = (0..4)
        .map(|n| journal.send_all(batch(n)).unwrap())
        .collect();
    (0..3).for_each(|_| turn.send(()).unwrap());
    let mut seqs = Vec::new();
    for committed in asked {
        seqs.push(committed.await.unwrap()[0].seq);
    }
    assert_eq!(
        seqs,
        [2, 2, 3, 3],
        "full from 8,189 commands on, and no batch is cut"
    );
}

#[tokio::test]
async fn whoever_waits_when_the_disk_fails_hears_of_it() {
    let (journal, turn) = start_slowly();
    let batch = |n: u128| (0..5_000).map(|i| issue(n * 5_000 + i, 1)).collect();
    let asked: Vec<_> = (1..5)
        .map(|n| journal.send_all(batch(n)).unwrap())
        .collect();
    while journal.network().commands() < 10_100 {
        tokio::task::yield_now().await;
    }
    drop(turn);
    for (place, committed) in asked.into_iter().enumerate() {
        let heard = within_a_minute(committed).await;
        assert!(
            heard.is_err(),
            "two in the open record, two in line: {place}"
        );
    }
}

async fn within_a_minute<F: IntoFuture>(waited_for: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), waited_for)
        .await
        .expect("an answer, whichever")
}

#[tokio::test]
async fn whoever_asks_while_the_writer_ends_hears_that_it_has() {
    for _ in 0..1_000 {
        let journal = start(MemoryStore::default());
        journal.stop().await;
        assert!(within_a_minute(journal.submit(founding())).await.is_err());
        within_a_minute(journal.stop()).await;
    }
}

#[tokio::test]
async fn a_batch_is_one_record() {
    let journal = start(MemoryStore::default());
    let commands = vec![founding(), issue(1, 5), founding(), issue(2, 6)];
    let committed = journal.submit_all(commands).await.unwrap();
    let seqs: Vec<_> = committed.iter().map(|one| one.seq).collect();
    assert_eq!(seqs, [1, 1, 1, 1]);
    let accepted: Vec<_> = committed.iter().map(|one| one.result.is_ok()).collect();
    assert_eq!(accepted, [true, true, false, true]);
    journal.durable().await.unwrap();
}

#[tokio::test]
async fn stopping_writes_what_waits_and_closes_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let journal = start(SqliteStore::open(&path).unwrap());
    let waiting = journal.send(founding()).unwrap();
    journal.stop().await;
    assert!(waiting.await.is_ok(), "asked before, so written");
    assert!(journal.submit(issue(1, 5)).await.is_err());
    let wal = folder.path().join("journal.sqlite-wal");
    assert!(!wal.exists(), "one whole file is left");
}

/// The answer is there when the command was sent; the disk is not asked, and the next record says more.
#[tokio::test]
async fn an_early_answer_waits_for_no_disk() {
    let (journal, turn) = start_slowly();
    let mut first = journal.send_early(issue(100, 1)).unwrap();
    let mut second = journal.send_early(issue(100, 2)).unwrap();
    assert_eq!(first.applied().await, Ok(Ok(Reply::Done)));
    assert!(second.applied().await.unwrap().is_err(), "the id is taken");
    assert_eq!(journal.tip().seq, 0, "nothing is written yet");
    (0..2).for_each(|_| turn.send(()).unwrap());
    for mut early in [first, second] {
        assert_eq!(within_a_minute(early.durable()).await.unwrap().seq, 2);
    }
}

#[tokio::test]
async fn what_nobody_waits_for_becomes_durable_by_itself_and_before_what_comes_later() {
    let journal = start(MemoryStore::default());
    journal.submit(founding()).await.unwrap();
    let mut early = journal.send_early(issue(1, 1)).unwrap();
    while journal.tip().seq < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(early.durable().await.unwrap().seq, 2);
    let mut early = journal.send_early(issue(2, 1)).unwrap();
    let later = journal.submit(issue(3, 1)).await.unwrap();
    assert!(early.durable().await.unwrap().seq <= later.seq);
    let mut early = journal.send_early(issue(4, 1)).unwrap();
    journal.durable().await.unwrap();
    assert_eq!(early.durable().await.unwrap().seq, journal.tip().seq);
    // However many join it, it is not kept open for ever.
    let mut number = 10;
    let tip = journal.tip().seq;
    while journal.tip().seq == tip {
        journal.send_early(issue(number, 1)).unwrap();
        number += 1;
        tokio::task::yield_now().await;
    }
    let mut early = journal.send_early(issue(5, 1)).unwrap();
    journal.stop().await;
    assert!(early.durable().await.is_ok(), "asked before, so written");
}

/// Whatever is applied meanwhile: each is what its records lead to.
#[tokio::test]
async fn a_checkpoint_is_the_state_of_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let journal = start(SqliteStore::open(&path).unwrap());
    journal.submit(founding()).await.unwrap();
    let mut store = SqliteStore::open_beside(&path).unwrap();
    let mut saved = Vec::new();
    for id in 0..200 {
        let pending = journal.send(issue(100 + 2 * id, 7)).unwrap();
        let _early = journal.send_early(issue(101 + 2 * id, 7)).unwrap();
        let checkpoint = within_a_minute(journal.checkpoint()).await.unwrap();
        assert!(checkpoint.tip().seq <= journal.tip().seq, "durable");
        pending.await.unwrap().result.unwrap();
        checkpoint.save(&mut store, || {}).unwrap();
        saved.push(checkpoint);
        if id % 50 == 49 {
            verify(&store, |_| {}).unwrap().unwrap();
        }
    }
    let mut of_record = saved.iter();
    let mut replayed = Replayed::default();
    let mut next = of_record.next();
    replayed
        .follow(&store, |state, record, _| {
            while let Some(checkpoint) = next.filter(|next| next.tip() == record.tip()) {
                let bytes: Vec<u8> = checkpoint.bytes().flatten().collect();
                let read = Snapshot::from_bytes(&bytes).unwrap();
                assert_eq!(checkpoint.commands(), read.network.commands());
                assert_eq!(read, Snapshot::from(state.clone()));
                next = of_record.next();
            }
            Ok(())
        })
        .unwrap();
    assert!(next.is_none(), "each of a record of the journal");
}

#[tokio::test]
async fn without_a_record_there_is_a_checkpoint_and_after_the_end_there_is_none() {
    let journal = start(MemoryStore::default());
    let checkpoint = within_a_minute(journal.checkpoint()).await.unwrap();
    assert_eq!(checkpoint.tip(), Tip::default());
    journal.stop().await;
    assert!(within_a_minute(journal.checkpoint()).await.is_err());
}
