//! Rules of calls and epochs, one command after the other.
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions)]

mod calls;
mod caps;
mod datasets;
mod ended;
mod epochs;
mod governance;
mod keyring;
mod laws;
mod releases;
mod shelves;
mod usage;
mod within;

use crate::{
    CloseCall, Command, ControllerKind, ExtendCall, Found, Issue, Network, NewController, NewKey,
    NewModel, NewValidator, OpenCall, Outcome, ProgressCall, Refusal, Reply, Role, Settings,
    Steered,
};
use aigen_economy::{Price, Shares, Usage, settlement};
use aigen_types::{Amount, CallId, Digest, NodeId, Ppm, Slug, Timestamp, TransferId};
use alloc::string::ToString;
use alloc::{format, vec, vec::Vec};
use core::fmt::Debug;
use core::str::FromStr;

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("test data is well formed")
}

/// Prices that are whole per token: 20 nano-AIGEN in, 60 out, 1,000 per request.
const INPUT: u128 = 20;
const OUTPUT: u128 = 60;
const REQUEST: u128 = 1_000;

/// A network with a model, a customer with a key, two controllers and three validators.
struct World {
    /// Its past is on shelves, but for three to five receipts and as many transfers.
    network: Network,
    /// The same in memory.
    plain: Network,
    seconds: u64,
}

impl World {
    fn new(funds: u128) -> Self {
        let mut world = Self {
            network: Network::new().on_shelves(shelves::FORM, shelves::shelf),
            plain: Network::new(),
            seconds: 1,
        };
        world.found();
        world.issue("user:ada", funds);
        for validator in ["vera", "viktor", "violet"] {
            world.issue(&format!("validator:{validator}"), 1_000_000);
            world.ok(Command::RegisterValidator(NewValidator {
                name: parsed(validator),
                owner: parsed(&format!("{validator}-inc")),
                stake: Amount::from_nano(1_000_000),
            }));
        }
        world
    }

    fn found(&mut self) {
        let parameter = |id: &str, weight, kind| settlement::Parameter {
            id: id.to_string(),
            weight: Ppm::new(weight).unwrap(),
            kind,
            gate_full: Ppm::ZERO,
        };
        self.ok(Command::Found(Found {
            name: parsed("test"),
            settings: Settings {
                shares: Shares::default(),
                parameters: vec![
                    parameter("quality", 800_000, settlement::ParameterKind::Voted),
                    parameter("reliability", 200_000, settlement::ParameterKind::Measured),
                ],
                params: settlement::Params::default(),
                latency_budget_micros: 1_000,
            },
        }));
        self.ok(Command::CreateKey(NewKey {
            name: parsed("ada-key"),
            secret_hash: Digest([1; 32]),
            account: parsed("user:ada"),
            role: Role::Customer,
            spender: None,
        }));
        let per_million = |nano: u128| Amount::from_nano(nano * 1_000_000);
        self.ok(Command::PublishModel(NewModel {
            name: parsed("tiny"),
            provider: parsed("acme"),
            digest: Digest([2; 32]),
            context_tokens: 1024,
            price: Price {
                input: per_million(INPUT),
                cached_input: per_million(2),
                output: per_million(OUTPUT),
                request: Amount::from_nano(REQUEST),
            },
        }));
    }

    fn issue(&mut self, to: &str, nano: u128) {
        self.ok(Command::Issue(Issue {
            id: TransferId(u128::from(self.seconds) << 64),
            to: parsed(to),
            amount: Amount::from_nano(nano),
        }));
    }

    fn controller(&mut self, reference: &str) -> Digest {
        let new = NewController {
            reference: parsed(reference),
            kind: ControllerKind::Grammar,
            source: "start: /a/".to_string(),
            listed: true,
            description: "".to_string(),
        };
        match self.ok(Command::PublishController(new)) {
            Reply::Published(digest) => digest,
            other => panic!("{other:?}"),
        }
    }

    fn apply(&mut self, command: Command) -> Result<Reply, Refusal> {
        self.seconds += 1;
        let now = Timestamp(self.seconds * 1_000_000_000);
        let result = self.network.apply(self.seconds, now, &command);
        assert_eq!(self.plain.apply(self.seconds, now, &command), result);
        self.check();
        result
    }

    fn ok(&mut self, command: Command) -> Reply {
        self.apply(command).expect("allowed")
    }

    /// What must hold after every command, refused ones included.
    fn check(&self) {
        self.network.check().expect("the ledger is sound");
        assert!(self.network == self.plain);
        assert_eq!(self.network.issued(), self.network.total_balances());
        assert_eq!(self.balance("clearing:calls"), 0);
    }

    fn balance(&self, address: &str) -> u128 {
        self.network.available(&parsed(address)).nano()
    }

    fn open(
        &mut self,
        call: u128,
        prompt: u64,
        chunk: u64,
        controller: Option<Digest>,
    ) -> Result<Reply, Refusal> {
        self.apply(Command::OpenCall(OpenCall {
            call: CallId(call),
            key: parsed("ada-key"),
            model: parsed("tiny"),
            controller,
            prompt_tokens: prompt,
            chunk_tokens: chunk,
            budget: None,
            request: Digest([3; 32]),
            node: NodeId(7),
            least_tokens: 1,
            end_user: None,
            bill_to: None,
            reads: alloc::vec::Vec::new(),
        }))
    }

    fn extend(&mut self, call: u128, chunk: u64, used: Usage) -> Result<Reply, Refusal> {
        self.apply(Command::ExtendCall(ExtendCall {
            call: CallId(call),
            chunk_tokens: chunk,
            used,
        }))
    }

    fn progress(&mut self, call: u128, used: Usage) -> Result<Reply, Refusal> {
        self.apply(Command::ProgressCall(ProgressCall {
            call: CallId(call),
            used,
        }))
    }

    fn close(&mut self, call: u128, used: Usage, outcome: Outcome) -> Result<Reply, Refusal> {
        self.apply(Command::CloseCall(CloseCall {
            call: CallId(call),
            used,
            outcome,
            controller_micros: 100,
            decisions: Digest::ZERO,
            steered: Steered::default(),
            counter: None,
        }))
    }
}

impl World {
    /// The end of a call whose answer was checked.
    fn close_checked(&mut self, call: u128, conforms: Option<bool>) -> Result<Reply, Refusal> {
        self.apply(Command::CloseCall(CloseCall {
            call: CallId(call),
            used: used(100, 200),
            outcome: Outcome::Stop,
            controller_micros: 100,
            decisions: Digest::ZERO,
            steered: Steered {
                conforms,
                ..Steered::default()
            },
            counter: None,
        }))
    }
}

fn used(prompt: u64, sampled: u64) -> Usage {
    Usage {
        prompt_tokens: prompt,
        sampled_tokens: sampled,
        ..Usage::default()
    }
}

fn covered(reply: Reply) -> (u64, u128) {
    match reply {
        Reply::Covered { tokens, held } => (tokens, held.nano()),
        other => panic!("{other:?}"),
    }
}

fn slugs(names: &[&str]) -> Vec<Slug> {
    names.iter().map(|name| parsed(name)).collect()
}
