//! The process that is killed: several threads submit commands, and each answer is said only
//! after the journal has given it.

use aigen_economy::{Price, Shares, Usage, settlement};
use aigen_journal::{Committed, Journal, SqliteStore, StoreError, take_snapshot};
use aigen_network::{
    CloseCall, Command, ExtendCall, Found, Issue, NewKey, NewModel, OpenCall, Outcome, Pay, Role,
    Settings, Steered,
};
use aigen_types::{Amount, CallId, Digest, NodeId, Ppm, Timestamp, TransferId};
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the journal is: set for the process, and for nobody else.
pub const FOLDER: &str = "AIGEN_TEST_FOLDER";
/// Which start of it this is; ids are made of it.
pub const ROUND: &str = "AIGEN_TEST_ROUND";
/// Set when it shall close what is open, and end.
pub const STOP: &str = "AIGEN_TEST_STOP";

/// What every line begins with that is said to the one who started it.
pub const MARK: &str = "> ";

/// The journal's file.
pub const FILE: &str = "journal.sqlite";

const THREADS: u64 = 4;

/// Snapshots are taken in one of so many rounds, beside the writer.
const SNAPSHOT_ROUNDS: u64 = 5;

#[test]
fn the_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let path = PathBuf::from(folder).join(FILE);
    let round = std::env::var(ROUND).unwrap().parse().unwrap();
    say("started");
    let (store, _) = SqliteStore::open_with_tip(&path).unwrap_or_else(|error| end(&error));
    let (journal, _) = Journal::start(Box::new(store), now, |error| end(&error)).unwrap();
    say(&format!("recovered {}", journal.tip().seq));
    prepare(&journal);
    say("swept");
    if std::env::var_os(STOP).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread();
        { runtime }.build().unwrap().block_on(journal.stop());
        return say("stopped");
    }
    for number in 0..THREADS {
        let journal = journal.clone();
        thread::spawn(move || work(&journal, round, number));
    }
    if round % SNAPSHOT_ROUNDS == 0 {
        let mut beside = SqliteStore::open_beside(&path).unwrap();
        take_snapshot(&mut beside).unwrap();
    }
    // It ends when it is killed, or by its own hand when the journal fails.
    loop {
        thread::park();
    }
}

fn end(error: &StoreError) -> ! {
    eprintln!("the journal failed: {error}");
    std::process::abort();
}

/// The stage, as far as it is not set, and the calls closed that a killed process left open.
fn prepare(journal: &Journal) {
    let left: Vec<_> = journal
        .network()
        .calls()
        .map(|(id, call)| close(id, call.used, Outcome::Recovered))
        .collect();
    answer(journal, stage().into_iter().chain(left));
}

fn work(journal: &Journal, round: u64, thread: u64) {
    let mut id = (u128::from(round) << 64) | (u128::from(thread) << 32);
    let mut open: Vec<CallId> = Vec::new();
    loop {
        id += 1;
        let mut commands = vec![issue(id), pay(id, 2_000), pay(id | PAY_TOO_MUCH, 1 << 60)];
        commands.extend([open_call(id), extend(id)]);
        open.push(CallId(id));
        // A call runs through a few records before it ends.
        if open.len() > 3 {
            let used = Usage {
                prompt_tokens: 10,
                sampled_tokens: 200,
                ..Usage::default()
            };
            commands.push(close(open.remove(0), used, Outcome::Stop));
        }
        if !answer(journal, commands) {
            return;
        }
    }
}

/// Submits all of them at once, and says each answer. False once the journal has stopped.
fn answer(journal: &Journal, commands: impl IntoIterator<Item = Command>) -> bool {
    let sent: Vec<_> = commands
        .into_iter()
        .map(|command| (super::name_of(&command), journal.send(command)))
        .collect();
    for (name, sent) in sent {
        let Some(committed) = sent.ok().and_then(|sent| sent.blocking_recv().ok()) else {
            return false;
        };
        if let Some(name) = name {
            let Committed { result, seq } = committed;
            say(&format!("{name} {seq} {}", words(&result)));
        }
    }
    true
}

/// An answer in one word.
pub fn words<T>(answer: &Result<T, aigen_network::Refusal>) -> &'static str {
    answer
        .as_ref()
        .map_or_else(|refusal| refusal.code(), |_| "ok")
}

/// One line in one write: a killed process has said it, or has not.
fn say(words: &str) {
    let line = format!("{MARK}{words}\n");
    let mut stdout = std::io::stdout().lock();
    // Nobody listens any more when the test is over.
    let _ = stdout.write_all(line.as_bytes());
    let _ = stdout.flush();
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(since.as_nanos().try_into().unwrap())
}

const PAY_TOO_MUCH: u128 = 1 << 40;

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn stage() -> Vec<Command> {
    let quality = settlement::Parameter {
        id: "quality".into(),
        weight: Ppm::ONE,
        kind: settlement::ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    };
    let nano = Amount::from_nano;
    vec![
        Command::Found(Found {
            name: parsed("test"),
            settings: Settings {
                shares: Shares::default(),
                parameters: vec![quality],
                params: settlement::Params::default(),
                latency_budget_micros: 1_000,
            },
        }),
        Command::CreateKey(NewKey {
            name: parsed("ada-key"),
            secret_hash: Digest([1; 32]),
            account: parsed("user:ada"),
            role: Role::Customer,
            spender: None,
        }),
        Command::PublishModel(NewModel {
            name: parsed("tiny"),
            provider: parsed("acme"),
            digest: Digest([2; 32]),
            context_tokens: 4_096,
            price: Price {
                input: nano(20_000_000),
                cached_input: nano(2_000_000),
                output: nano(60_000_000),
                request: nano(1),
            },
        }),
    ]
}

/// Not enough for the call that follows each, so that some of them are refused.
fn issue(id: u128) -> Command {
    Command::Issue(Issue {
        id: TransferId(id),
        to: parsed("user:ada"),
        amount: Amount::from_nano(14_000),
    })
}

fn pay(id: u128, nano: u128) -> Command {
    Command::Pay(Pay {
        id: TransferId(id | (1 << 41)),
        from: parsed("user:ada"),
        to: parsed("user:bob"),
        amount: Amount::from_nano(nano),
    })
}

fn open_call(id: u128) -> Command {
    Command::OpenCall(OpenCall {
        call: CallId(id),
        key: parsed("ada-key"),
        model: parsed("tiny"),
        controller: None,
        prompt_tokens: 10,
        chunk_tokens: 256,
        budget: None,
        request: Digest([4; 32]),
        node: NodeId(1),
        least_tokens: 256,
        end_user: None,
        bill_to: None,
        reads: Vec::new(),
    })
}

fn extend(id: u128) -> Command {
    Command::ExtendCall(ExtendCall {
        call: CallId(id),
        chunk_tokens: 64,
        used: Usage {
            prompt_tokens: 10,
            sampled_tokens: 100,
            ..Usage::default()
        },
    })
}

fn close(call: CallId, used: Usage, outcome: Outcome) -> Command {
    Command::CloseCall(CloseCall {
        call,
        used,
        outcome,
        controller_micros: 0,
        decisions: Digest([5; 32]),
        steered: Steered::default(),
        counter: None,
    })
}
