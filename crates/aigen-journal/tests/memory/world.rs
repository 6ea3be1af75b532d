//! A journal that calls go through.
#![allow(dead_code, reason = "each program of tests has its part of it")]

use aigen_economy::{Price, Shares, Usage, settlement::Params};
use aigen_journal::{Batch, Replica, Store};
use aigen_network::{
    CloseCall, Command, Found, Issue, NewKey, NewModel, OpenCall, Outcome, RefundCall,
    RefundReason, Role, Settings, Steered,
};
use aigen_types::{Amount, CallId, Digest, NodeId, Timestamp, TransferId};
use std::fmt::Debug;
use std::str::FromStr;

pub fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("test data is well formed")
}

/// Calls that begin in one record and end in the next.
pub const TOGETHER: u64 = 200;

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

pub fn open(number: u64) -> Command {
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

pub fn close(number: u64) -> Command {
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

pub fn refund(id: u128, number: u64) -> Command {
    Command::RefundCall(RefundCall {
        id: TransferId(id << 8),
        call: CallId(scattered(number)),
        amount: Amount::from_nano(1),
        reason: RefundReason::Goodwill,
    })
}

/// Ids as hashing derives them. (The multiplier is that of `SplitMix64`.)
pub fn scattered(n: u64) -> u128 {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u128::from(mixed ^ (mixed >> 31)) << 64 | u128::from(n + 1)
}

/// A journal, its state, and how many calls it has had.
pub struct World {
    pub replica: Replica,
    pub calls: u64,
}

impl World {
    pub fn on(store: Box<dyn Store>) -> Self {
        let (replica, _) = Replica::open(store, |_| {}).expect("a new journal");
        let mut world = Self { replica, calls: 0 };
        world.commit(founding());
        world
    }

    pub fn commit(&mut self, commands: Vec<Command>) {
        let now = Timestamp(self.replica.tip().seq * 10_000_000);
        let answers = self.replica.commit(now, &[Batch::new(commands)]);
        let answers = answers.expect("durable").concat();
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }

    pub fn play(&mut self, until: u64) {
        while self.calls < until {
            let calls = self.calls..self.calls + TOGETHER;
            self.commit(calls.clone().map(open).collect());
            self.commit(calls.map(close).collect());
            self.calls += TOGETHER;
        }
    }
}
