//! A fork into branches against as many independent requests.

use std::sync::Arc;
use std::time::Duration;

use aigen_engine::{TokenId, Tokenizer};
use aigen_engine_llama::Options;
use aigen_jarvis::{
    Blueprint, Controller, Decision, Fault, Generate, Opening, Program, Report, Stop, Turn, Until,
    Waiting, Wake,
};
use aigen_types::Digest;

use crate::bundled::Bundled;

const ROUNDS: usize = 3;
/// Tokens that each branch says.
const SAID: u32 = 32;

pub fn measure() {
    let model = Bundled::open(&Options {
        context_tokens: Some(512),
        sequences_max: 8,
        // Nothing is kept from one round to the next.
        kept_sequences: 0,
        ..Options::default()
    });
    println!(
        "\na fork into k branches of {SAID} tokens behind n tokens, against k requests; fastest of {ROUNDS}"
    );
    println!(
        "   k    n   tokens computed: fork, requests (ratio)      time: fork, requests (ratio)"
    );
    for (branches, prefix) in [(2, 64), (4, 64), (8, 64), (2, 400), (4, 400), (8, 400)] {
        let prompt: Vec<TokenId> = (0..prefix).map(|at| 300 + at * 7 % 500).collect();
        let (mut forked, mut apart) = (Cost::WORST, Cost::WORST);
        for _ in 0..ROUNDS {
            forked = forked.min(cost(&model, &prompt, branches, 1));
            apart = apart.min(cost(&model, &prompt, 1, branches));
        }
        println!(
            "  {branches:>2} {prefix:>4}   {:>22} {:>9} ({:.2} x)   {:>15.1} ms {:>7.1} ms ({:.2} x)",
            forked.tokens,
            apart.tokens,
            apart.tokens as f64 / forked.tokens as f64,
            forked.took.as_secs_f64() * 1e3,
            apart.took.as_secs_f64() * 1e3,
            apart.took.as_secs_f64() / forked.took.as_secs_f64(),
        );
    }
}

#[derive(Clone, Copy, Debug)]
struct Cost {
    tokens: u64,
    took: Duration,
}

impl Cost {
    const WORST: Self = Self {
        tokens: u64::MAX,
        took: Duration::MAX,
    };

    fn min(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.min(other.tokens),
            took: self.took.min(other.took),
        }
    }
}

/// So many requests of tenants who share nothing, each of so many branches.
fn cost(model: &Bundled, prompt: &[TokenId], branches: u32, requests: u32) -> Cost {
    let before = model.computed.tokens();
    let began = std::time::Instant::now();
    let request = |tenant| model.request(prompt.to_vec(), Program::new(Fan { branches }), tenant);
    let running: Vec<_> = (0..u64::from(requests))
        .map(|tenant| model.start(request(tenant)).expect("it starts"))
        .collect();
    for session in running {
        let ending = session.end().ending;
        assert_eq!(
            ending.usage.computed(),
            u64::from(branches * SAID),
            "{ending:?}"
        );
    }
    Cost {
        tokens: model.computed.tokens() - before,
        took: began.elapsed(),
    }
}

/// Branches from the start, each of which says as much; the first waits for the others.
struct Fan {
    branches: u32,
}

impl Blueprint for Fan {
    fn digest(&self) -> Digest {
        Digest::ZERO
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        Ok(Box::new(Branch {
            index: 0,
            branches: self.branches,
            tokenizer: Arc::clone(&opening.tokenizer),
        }))
    }

    fn branches(&self) -> u32 {
        self.branches
    }
}

struct Branch {
    index: u32,
    branches: u32,
    tokenizer: Arc<dyn Tokenizer>,
}

impl Controller for Branch {
    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        let decision = match report.why {
            Wake::Started if self.branches > 1 => Decision::Fork(self.branches - 1),
            Wake::Started | Wake::Forked { .. } => self.speak(),
            Wake::TokenLimit if self.index == 0 && self.branches > 1 => {
                Decision::Suspend(Waiting::branches(1..self.branches))
            }
            _ => Decision::Stop(Stop {
                keep: self.index == 0,
                ..Stop::default()
            }),
        };
        Ok(decision.into())
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        Ok(Box::new(Self {
            index,
            branches: self.branches,
            tokenizer: Arc::clone(&self.tokenizer),
        }))
    }
}

impl Branch {
    /// So many tokens, whatever the model would end.
    fn speak(&self) -> Decision {
        let ends = self.tokenizer.end_tokens().iter();
        Decision::Generate(Generate {
            bias: ends.map(|token| (*token, f32::NEG_INFINITY)).collect(),
            until: Until {
                tokens: SAID,
                ..Until::default()
            },
            ..Generate::default()
        })
    }
}
