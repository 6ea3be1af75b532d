//! The work as commands of the journal.

use crate::timed;
use crate::work::{ACCOUNTS, OPENING, Transfer};
use aigen_economy::{Shares, settlement::Params};
use aigen_journal::{Journal, PostgresStore, SqliteStore, Store, replay as replay_store};
use aigen_network::{Command, Found, Issue, Pay, Settings};
use aigen_testkit_postgres::Server;
use aigen_types::{Address, Amount, Timestamp, TransferId};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Clients that wait for each of their batches of `size`.
pub fn over_sqlite(path: &Path, work: &[Transfer], size: usize, clients: usize) -> Duration {
    let store = SqliteStore::open(path).expect("a new journal");
    submit(Box::new(store), work, size, clients)
}

/// The same on PostgreSQL.
pub fn over_postgres(server: &Server, work: &[Transfer], size: usize, clients: usize) -> Duration {
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let store = PostgresStore::open(&server.url()).expect("a new journal");
    submit(Box::new(store), work, size, clients)
}

/// Fills a journal, and reads it back.
pub fn replay(path: &Path, work: &[Transfer]) {
    over_sqlite(path, work, 8_189, 1);
    let store = SqliteStore::open_read_only(path).expect("a journal");
    let took = timed(|| {
        let replayed = replay_store(&store, |_| {}).expect("sound");
        assert!(replayed.network.commands() >= work.len() as u64);
    });
    let each_second = work.len() as f64 / took.as_secs_f64();
    println!("replay: {each_second:.0} transfers/s, hashes and chain checked");
}

fn submit(store: Box<dyn Store>, work: &[Transfer], size: usize, clients: usize) -> Duration {
    let (runtime, journal) = start(store);
    let client = |work: &[Transfer]| {
        let batches = work.chunks(size);
        let batches: Vec<Vec<_>> = batches
            .map(|batch| batch.iter().map(pay).collect())
            .collect();
        let journal = journal.clone();
        async move {
            for batch in batches {
                let answers = journal.submit_all(batch).await.expect("recorded");
                assert!(answers.iter().all(|answer| answer.result.is_ok()));
            }
        }
    };
    let each = work.len().div_ceil(clients);
    let clients: Vec<_> = work.chunks(each).map(client).collect();
    let took = timed(|| {
        let clients: Vec<_> = clients.into_iter().map(|c| runtime.spawn(c)).collect();
        for client in clients {
            runtime.block_on(client).expect("no panic");
        }
    });
    runtime.block_on(journal.stop());
    took
}

fn start(store: Box<dyn Store>) -> (Runtime, Journal) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let mut now = 0;
    let clock = move || {
        now += 1;
        Timestamp(now)
    };
    let failed = |error| panic!("{error}");
    let (journal, _) = Journal::start(store, clock, failed).expect("an empty journal");
    let answers = runtime.block_on(journal.submit_all(opening()));
    assert!(answers.expect("recorded").iter().all(|a| a.result.is_ok()));
    (runtime, journal)
}

fn opening() -> Vec<Command> {
    let found = Found {
        name: "bench".parse().expect("a slug"),
        settings: Settings {
            shares: Shares::default(),
            parameters: Vec::new(),
            params: Params::default(),
            latency_budget_micros: 1_000,
        },
    };
    let issues = (0..ACCOUNTS).map(|n| {
        Command::Issue(Issue {
            id: TransferId((1 << 127) + u128::from(n)),
            to: address(n),
            amount: Amount::from_nano(u128::from(OPENING)),
        })
    });
    std::iter::once(Command::Found(found))
        .chain(issues)
        .collect()
}

fn pay(transfer: &Transfer) -> Command {
    Command::Pay(Pay {
        id: TransferId(transfer.id),
        from: address(transfer.from),
        to: address(transfer.to),
        amount: Amount::from_nano(1),
    })
}

fn address(n: u64) -> Address {
    format!("user:{n}").parse().expect("an address")
}
