//! Virtual clients: what they ask is random, and mostly makes sense.

mod corrections;
mod datasets;
mod epochs;
mod permits;

use super::random::Random;
use crate::epoch::Secrets;
use aigen_economy::{Price, Shares, Usage, settlement};
use aigen_network::{
    Call, CloseCall, Command, ControllerKind, Counter, ExtendCall, Found, Issue, Network,
    NewController, NewKey, NewModel, NewValidator, OpenCall, Outcome, Pay, ProgressCall, Role,
    Settings, Steered, member_id,
};
use aigen_types::{Amount, CallId, Digest, Ppm, TransferId};
use std::fmt::Debug;
use std::str::FromStr;

/// Commands remembered, to be said again.
const SAID_MAX: usize = 64;

const PAYERS: [&str; 5] = [
    "user:ada",
    "user:bob",
    "app:tutor",
    "app:tutor:user:7",
    "team:red",
];
const PAYEES: [&str; 10] = [
    "user:ada",
    "user:bob",
    "app:tutor",
    "app:tutor:user:7",
    "team:red",
    "validator:vera",
    "validator:viktor",
    "developer:dora",
    "treasury",
    "protocol",
];
const SPENDERS: [&str; 3] = ["app:tutor", "app:tutor:user:7", "team:red:app:quiz"];
const USERS: [&str; 2] = ["7", "8"];
const KEYS: [&str; 4] = ["k1", "k2", "k3", "k4"];
const PROMPTS: [u64; 3] = [0, 10, 100];
const MODELS: [&str; 2] = ["tiny", "large"];
const VALIDATORS: [&str; 3] = ["vera", "viktor", "violet"];
const CONTROLLERS: [&str; 4] = [
    "dora/quiz@1.0.0",
    "dora/quiz@1.1.0",
    "emil/guide@1.0.0",
    "vera/own@0.1.0",
];

/// Everyone who asks something of the network.
#[derive(Debug)]
pub(crate) struct Clients {
    random: Random,
    said: Vec<Command>,
    secrets: Secrets,
}

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("the simulator's names are well formed")
}

impl Clients {
    /// Clients whose wishes depend on `random` alone.
    pub fn new(random: Random) -> Self {
        Self {
            random,
            said: Vec::new(),
            secrets: Secrets::default(),
        }
    }

    /// What somebody who sees `network` asks next.
    pub fn say(&mut self, network: &Network) -> Command {
        let command = if network.founded().is_none() {
            found()
        } else if let Some(command) = self.missing(network) {
            command
        } else if !self.said.is_empty() && self.random.chance(12) {
            self.again()
        } else {
            self.fresh(network)
        };
        if self.said.len() == SAID_MAX {
            self.said.remove(0);
        }
        self.said.push(command.clone());
        command
    }

    /// What a network without it could do little: most of the time, somebody sees to it first.
    fn missing(&mut self, network: &Network) -> Option<Command> {
        if self.random.chance(40) {
            return None;
        }
        if network.models().next().is_none() {
            return Some(self.model());
        }
        if network.keys().all(|(_, key)| key.revoked) {
            return Some(self.key());
        }
        let account = |name: &&str| network.account(&parsed(name)).is_some();
        let poor = PAYEES.iter().filter(|name| !account(name)).count();
        (poor > 4).then(|| self.issue())
    }

    /// An earlier command, as it was or under the same id with other contents.
    fn again(&mut self) -> Command {
        let mut command = self.random.pick(&self.said).clone();
        if self.random.chance(25) {
            match &mut command {
                Command::Pay(pay) => pay.amount = self.amount(),
                Command::Issue(issue) => issue.to = self.name(&PAYERS),
                Command::OpenCall(open) => open.request = Digest([9; 32]),
                Command::RefundCall(refund) => refund.amount = self.amount(),
                Command::ReverseCall(reverse) => reverse.id = TransferId(9),
                Command::ReadDataset(read) => read.request = Digest([9; 32]),
                _ => {}
            }
        }
        command
    }

    fn fresh(&mut self, network: &Network) -> Command {
        match self.random.below(100) {
            0..12 => self.issue(),
            12..26 => Command::Pay(Pay {
                id: TransferId(self.random.id()),
                from: self.name(&PAYERS),
                to: self.name(&PAYEES),
                amount: self.amount(),
            }),
            26..36 => self.publish(),
            36..44 => self.epoch(network),
            44..54 => self.permit(network),
            54..60 => self.correction(network),
            60..70 => self.dataset(network),
            _ => self.call(network),
        }
    }

    fn issue(&mut self) -> Command {
        Command::Issue(Issue {
            id: TransferId(self.random.id()),
            to: self.name(&PAYEES),
            amount: Amount::from_nano(20 * self.amount().nano()),
        })
    }

    fn publish(&mut self) -> Command {
        match self.random.below(20) {
            0..7 => self.key(),
            7 => Command::RevokeKey(self.name(&KEYS)),
            8..10 => self.model(),
            10..16 => self.controller(),
            _ => self.validator(),
        }
    }

    fn key(&mut self) -> Command {
        let name = self.name(&KEYS);
        Command::CreateKey(NewKey {
            secret_hash: member_id(&name),
            name,
            account: self.name(&PAYEES),
            role: Role::Customer,
            spender: self.random.chance(30).then(|| self.name(&SPENDERS)),
        })
    }

    /// Prices are whole per token: what a cover is can then be said in one line.
    fn model(&mut self) -> Command {
        let per_token = |nano: u64| Amount::from_nano(u128::from(nano) * 1_000_000);
        Command::PublishModel(NewModel {
            name: self.name(&MODELS),
            provider: parsed("acme"),
            digest: Digest::ZERO,
            context_tokens: 8_192,
            price: Price {
                input: per_token(self.random.between(1, 40)),
                cached_input: per_token(self.random.between(0, 40)),
                output: per_token(self.random.between(1, 90)),
                request: Amount::from_nano(u128::from(self.random.below(2_000))),
            },
        })
    }

    /// Some are long: they fill pages, so that the store's log is written back.
    fn controller(&mut self) -> Command {
        let length = *self.random.pick(&[1, 100, 9_000]);
        Command::PublishController(NewController {
            reference: self.name(&CONTROLLERS),
            kind: ControllerKind::Grammar,
            source: "x".repeat(length),
            listed: true,
            description: String::new(),
        })
    }

    fn validator(&mut self) -> Command {
        let name = self.name(&VALIDATORS);
        Command::RegisterValidator(NewValidator {
            owner: parsed(&format!("{name}-inc")),
            name,
            stake: self.amount(),
        })
    }

    fn call(&mut self, network: &Network) -> Command {
        let open: Vec<_> = network.calls().collect();
        if open.is_empty() || self.random.chance(25) {
            return self.open(network);
        }
        let (call, state) = *self.random.pick(&open);
        let used = self.used(state);
        match self.random.below(3) {
            0 => Command::ExtendCall(ExtendCall {
                call,
                chunk_tokens: self.random.below(600),
                used,
            }),
            1 => Command::ProgressCall(ProgressCall { call, used }),
            _ => self.close(call, used),
        }
    }

    fn close(&mut self, call: CallId, used: Usage) -> Command {
        let outcome = *self.random.pick(&[
            Outcome::Stop,
            Outcome::Budget,
            Outcome::Cancelled,
            Outcome::EngineFault,
            Outcome::Recovered,
        ]);
        let controller_micros = self.random.below(1_000);
        Command::CloseCall(CloseCall {
            call,
            used,
            outcome,
            controller_micros,
            decisions: Digest::ZERO,
            steered: Steered {
                fuel: controller_micros,
                ..Steered::default()
            },
            counter: (controller_micros > 500).then_some(Counter::Upstream),
        })
    }

    fn open(&mut self, network: &Network) -> Command {
        let controllers: Vec<_> = network.controllers().map(|(digest, _)| digest).collect();
        let steered = !controllers.is_empty() && self.random.chance(60);
        let key = self.known(network.keys().map(|(name, _)| name), &KEYS);
        Command::OpenCall(OpenCall {
            call: CallId(self.random.id()),
            bill_to: self.bill_to(network, &key),
            reads: self.passages(network),
            key,
            model: self.known(network.models().map(|(name, _)| name), &MODELS),
            controller: steered.then(|| *self.random.pick(&controllers)),
            prompt_tokens: self.prompt(),
            chunk_tokens: self.random.between(0, 300),
            budget: self.random.chance(20).then(|| self.amount()),
            request: Digest([1; 32]),
            node: aigen_types::NodeId::default(),
            least_tokens: *self.random.pick(&[0, 1, 1, 1, 50]),
            end_user: self.random.chance(25).then(|| self.name(&USERS)),
        })
    }

    /// Mostly one of few, so that a bound can be just what a call needs.
    fn prompt(&mut self) -> u64 {
        match self.random.chance(50) {
            true => *self.random.pick(&PROMPTS),
            false => self.random.between(0, 300),
        }
    }

    /// Mostly what a node would report: no less than before, no more than is covered.
    fn used(&mut self, call: &Call) -> Usage {
        let cached = self.random.between(0, call.prompt_tokens);
        let before = call.used.computed_tokens();
        let left = call.covered_tokens.saturating_sub(before);
        let too_many = u64::from(self.random.chance(5));
        let more = self.random.between(0, left) + too_many * left;
        let forced = self.random.between(0, more);
        Usage {
            prompt_tokens: call.prompt_tokens - cached,
            cached_prompt_tokens: cached,
            sampled_tokens: call.used.sampled_tokens + more - forced,
            forced_tokens: call.used.forced_tokens + forced,
            discarded_tokens: call.used.discarded_tokens,
        }
    }

    /// Mostly one that is there.
    fn known<'a, T: Clone + FromStr<Err: Debug> + 'a>(
        &mut self,
        there: impl Iterator<Item = &'a T>,
        names: &[&str],
    ) -> T {
        let there: Vec<_> = there.collect();
        match there.is_empty() || self.random.chance(5) {
            true => self.name(names),
            false => (*self.random.pick(&there)).clone(),
        }
    }

    fn name<T: FromStr<Err: Debug>>(&mut self, names: &[&str]) -> T {
        let name: &&str = self.random.pick(names);
        parsed(name)
    }

    /// From nothing to what a few dozen calls cost.
    fn amount(&mut self) -> Amount {
        let magnitude = *self.random.pick(&[1, 1_000, 100_000, 100_000, 1_000_000]);
        Amount::from_nano(u128::from(self.random.below(magnitude)))
    }
}

fn found() -> Command {
    let parameter = |id: &str, weight, kind| settlement::Parameter {
        id: id.to_owned(),
        weight: Ppm::new(weight).expect("at most one whole"),
        kind,
        gate_full: Ppm::ZERO,
    };
    Command::Found(Found {
        name: parsed("sim"),
        settings: Settings {
            shares: Shares::default(),
            parameters: vec![
                parameter("quality", 800_000, settlement::ParameterKind::Voted),
                parameter("latency", 200_000, settlement::ParameterKind::Measured),
            ],
            params: settlement::Params::default(),
            latency_budget_micros: 1_000,
        },
    })
}
