//! Strategies against the mechanism: what each earns, and what it would earn under others.
//!
//! Epoch after epoch agents answer, the production [`settle`] settles, and what they earned,
//! spent and lost is added up. Nothing here is money of anybody; amounts are in nano-AIGEN.

mod developers;
mod mechanism;
mod validators;

pub use mechanism::Mechanism;

use std::fmt;

/// How long is simulated, and from which chances.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The first world.
    pub seed: u64,
    /// How many worlds, from that seed on.
    pub seeds: u64,
    /// Epochs of each.
    pub epochs: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            seeds: 20,
            epochs: 300,
        }
    }
}

/// What one strategy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who.
    pub strategy: Strategy,
    /// By mechanism, in the order of [`Mechanism::ALL`]: the mean profit of one such agent in one
    /// epoch, in nano-AIGEN.
    pub profits: Vec<i128>,
}

/// A way to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// A validator that evaluates everything it is asked.
    Honest,
    /// The same with few cases: its answers are up to 0.25 off, for a quarter of the cost.
    Noisy,
    /// Answers with the public score and evaluates nothing.
    Lazy,
    /// Always answers one half.
    Constant,
    /// Answers what others revealed in the epoch before, and one half where there is nothing.
    Copying,
    /// The same, but evaluates what has no history.
    CopyingTheKnown,
    /// Three of nine that praise a bad controller of theirs and are honest otherwise.
    MinorityCabal,
    /// Five of nine, and nothing is audited.
    MajorityCabal,
    /// Five of nine, and every cell is audited with a probability of 2 %.
    MajorityCabalAudited,
    /// A developer of a good controller.
    GoodDeveloper,
    /// The same, who also owns the consumer, the provider and every validator, and trades with
    /// itself: what that adds.
    WashTrading,
    /// Good until it is known, then bad for the last tenth of the time.
    ExitScam,
    /// Bad under one name.
    BadDeveloper,
    /// Bad, under a new name in every epoch.
    Whitewashing,
}

impl Strategy {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Honest,
        Self::Noisy,
        Self::Lazy,
        Self::Constant,
        Self::Copying,
        Self::CopyingTheKnown,
        Self::MinorityCabal,
        Self::MajorityCabal,
        Self::MajorityCabalAudited,
        Self::GoodDeveloper,
        Self::WashTrading,
        Self::ExitScam,
        Self::BadDeveloper,
        Self::Whitewashing,
    ];
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Honest => "honest validator",
            Self::Noisy => "noisy validator",
            Self::Lazy => "lazy validator",
            Self::Constant => "constant validator",
            Self::Copying => "copying validator",
            Self::CopyingTheKnown => "copies the known, evaluates the new",
            Self::MinorityCabal => "minority cabal, each",
            Self::MajorityCabal => "majority cabal, no audits, each",
            Self::MajorityCabalAudited => "majority cabal, 2 % audits, each",
            Self::GoodDeveloper => "good developer",
            Self::WashTrading => "self-dealing: what it adds",
            Self::ExitScam => "exit scam",
            Self::BadDeveloper => "bad developer",
            Self::Whitewashing => "whitewashing developer",
        })
    }
}

/// Simulates every strategy under every mechanism.
#[must_use]
pub fn simulate(options: Options, done: &mut dyn FnMut()) -> Vec<Row> {
    let rows = Strategy::ALL.into_iter().map(|strategy| {
        let profits = Mechanism::ALL.map(|mechanism| profit(strategy, mechanism, options));
        done();
        Row {
            strategy,
            profits: profits.into(),
        }
    });
    rows.collect()
}

/// The mean profit of one agent in one epoch, over all worlds.
#[must_use]
pub fn profit(strategy: Strategy, mechanism: Mechanism, options: Options) -> i128 {
    let worlds = options.seed..options.seed.saturating_add(options.seeds);
    let world = |seed| match strategy {
        Strategy::GoodDeveloper
        | Strategy::WashTrading
        | Strategy::ExitScam
        | Strategy::BadDeveloper
        | Strategy::Whitewashing => developers::profit(strategy, mechanism, seed, options.epochs),
        _ => validators::profit(strategy, mechanism, seed, options.epochs),
    };
    let total: i128 = worlds.map(world).sum();
    total.div_euclid(i128::from(options.seeds.max(1)))
}

/// What a wash trader cannot get back: the protocol's share of what it spends in an epoch.
#[must_use]
pub fn wash_bound() -> i128 {
    developers::wash_bound()
}

#[cfg(test)]
mod tests;
