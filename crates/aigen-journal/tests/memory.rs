//! What a state takes of memory as calls go by. Alone in its program: the allocator counts.
#![allow(clippy::print_stdout, missing_docs)]

use aigen_economy::{Price, Shares, Usage, settlement::Params};
use aigen_journal::{
    Batch, MemoryStore, Replica, Snapshot, SqliteStore, Store, recover, replay, take_snapshot,
};
use aigen_network::{
    CloseCall, Command, Found, Issue, NewKey, NewModel, OpenCall, Outcome, RefundCall,
    RefundReason, Role, Settings, Steered,
};
use aigen_types::{Amount, CallId, Digest, NodeId, Timestamp, TransferId};
use peak_alloc::PeakAlloc;
use std::fmt::Debug;
use std::str::FromStr;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("test data is well formed")
}

/// Calls that begin in one record and end in the next.
const TOGETHER: u64 = 200;

/// Two customers, a model, and money.
fn founding() -> Vec<Command> {
    let key = |name: &str, account: &str| {
        Command::CreateKey(NewKey {
            name: parsed(name),
            secret_hash: Digest([1; 32]),
            account: parsed(account),
            role: Role::Customer,
            spender: None,
        })
    };
    let issue = |number: u128, to: &str| {
        Command::Issue(Issue {
            id: TransferId(number << 100),
            to: parsed(to),
            amount: Amount::from_nano(1 << 60),
        })
    };
    vec![
        Command::Found(Found {
            name: parsed("test"),
            settings: Settings {
                shares: Shares::default(),
                parameters: Vec::new(),
                params: Params::default(),
                latency_budget_micros: 1_000,
            },
        }),
        key("key-0", "user:ada"),
        key("key-1", "user:bob"),
        Command::PublishModel(NewModel {
            name: parsed("tiny"),
            provider: parsed("acme"),
            digest: Digest([2; 32]),
            context_tokens: 1024,
            price: Price {
                input: Amount::from_nano(20_000_000),
                cached_input: Amount::from_nano(2_000_000),
                output: Amount::from_nano(60_000_000),
                request: Amount::from_nano(1_000),
            },
        }),
        issue(1, "user:ada"),
        issue(2, "user:bob"),
        issue(3, "treasury"),
    ]
}

fn open(number: u64) -> Command {
    Command::OpenCall(OpenCall {
        call: CallId(scattered(number)),
        key: parsed(&format!("key-{}", number % 2)),
        model: parsed("tiny"),
        controller: None,
        prompt_tokens: 12,
        chunk_tokens: 64,
        budget: None,
        request: Digest([3; 32]),
        node: NodeId(7),
        least_tokens: 1,
        end_user: None,
        bill_to: None,
        reads: Vec::new(),
    })
}

fn close(number: u64) -> Command {
    Command::CloseCall(CloseCall {
        call: CallId(scattered(number)),
        used: Usage {
            prompt_tokens: 12,
            sampled_tokens: 16,
            ..Usage::default()
        },
        outcome: Outcome::Stop,
        controller_micros: 0,
        decisions: Digest::ZERO,
        steered: Steered::default(),
        counter: None,
    })
}

fn refund(number: u64) -> Command {
    Command::RefundCall(RefundCall {
        id: TransferId(5),
        call: CallId(scattered(number)),
        amount: Amount::from_nano(1),
        reason: RefundReason::Goodwill,
    })
}

/// Ids as hashing derives them. (The multiplier is that of `SplitMix64`.)
fn scattered(n: u64) -> u128 {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u128::from(mixed ^ (mixed >> 31)) << 64 | u128::from(n + 1)
}

/// A journal, its state, and how many calls it has had.
struct World {
    replica: Replica,
    calls: u64,
}

impl World {
    fn on(store: Box<dyn Store>) -> Self {
        let (replica, _) = Replica::open(store, |_| {}).expect("a new journal");
        let mut world = Self { replica, calls: 0 };
        world.commit(founding());
        world
    }

    fn commit(&mut self, commands: Vec<Command>) {
        let now = Timestamp(self.replica.tip().seq * 10_000_000);
        let answers = self.replica.commit(now, &[Batch::new(commands)]);
        let answers = answers.expect("durable").concat();
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }

    fn play(&mut self, until: u64) {
        while self.calls < until {
            let calls = self.calls..self.calls + TOGETHER;
            self.commit(calls.clone().map(open).collect());
            self.commit(calls.map(close).collect());
            self.calls += TOGETHER;
        }
    }
}

/// A million calls would take 2 GB if each stayed in memory, as it once did.
#[test]
fn a_state_takes_the_same_memory_whatever_has_been() {
    const BYTES_A_CALL: usize = 12;
    const SNAPSHOT_BYTES_A_CALL: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let mut world = World::on(Box::new(SqliteStore::open(&path).unwrap()));
    let start = MEMORY.current_usage();
    world.play(50_000);
    let early = MEMORY.current_usage();
    world.play(200_000);
    let late = MEMORY.current_usage();
    let grown = late.saturating_sub(early) / 150_000;
    println!(
        "{} bytes after 50,000 calls, {grown} more for each call since",
        early - start
    );
    assert!(grown <= BYTES_A_CALL, "{grown} bytes a call");

    // A snapshot is made, and a state recovered from it and compared with it, in little more.
    MEMORY.reset_peak_usage();
    let tip = take_snapshot(world.replica.store()).expect("there is room");
    let written = (MEMORY.peak_usage() - late) / 200_000;
    MEMORY.reset_peak_usage();
    let (recovered, how) = recover(world.replica.store(), |_, _| {}).expect("whole");
    let read = (MEMORY.peak_usage() - late) / 200_000;
    println!("{written} bytes a call to make a snapshot, {read} to start from it");
    assert_eq!((how.snapshot, how.replayed), (Some(tip.seq), 0));
    assert!(recovered.network == *world.replica.network().read().unwrap());
    assert!(written.max(read) <= SNAPSHOT_BYTES_A_CALL);
    drop(recovered);

    let network = world.replica.network();
    let network = network.read().unwrap();
    assert_eq!(network.receipt_count(), 200_000);
    assert_eq!(network.ledger().transfer_count(), 800_003);
    let first = network.receipt(CallId(scattered(0))).expect("it ended");
    assert_eq!(first.total(), Amount::from_nano(12 * 20 + 16 * 60 + 1_000));
    let of_ada = network.receipts_of(&parsed("user:ada"), None);
    assert_eq!(of_ada.take(70_000).count(), 70_000);
}

/// Where the past is decides nothing: states on shelves and in memory have the same bytes.
#[test]
fn a_state_is_the_same_wherever_its_past_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let mut shelved = World::on(Box::new(SqliteStore::open(&path).unwrap()));
    let mut plain = World::on(Box::<MemoryStore>::default());
    for world in [&mut shelved, &mut plain] {
        world.play(6_000);
        world.commit(vec![refund(1), refund(5_999), open(6_000)]);
    }
    let of = |world: &mut World| Snapshot::from(replay(world.replica.store(), |_| {}).unwrap());
    let (shelved, plain) = (of(&mut shelved), of(&mut plain));
    assert!(shelved.network == plain.network);
    let bytes = shelved.to_bytes();
    assert_eq!(bytes, plain.to_bytes());
    assert!(Snapshot::from_bytes(&bytes).unwrap() == plain);
    shelved.network.check().expect("sound");
}
