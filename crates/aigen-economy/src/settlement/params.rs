//! §8: the parameters of scoring and settlement, and their defaults.

use aigen_types::Ppm;
use alloc::string::{String, ToString};
use core::{fmt, str::FromStr};

/// Where the part of an escrow goes that its score did not earn. Never to other controllers and
/// never to validators: whoever gains from a low score must have no say in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RemainderPolicy {
    /// To the treasury.
    #[default]
    Treasury,
    /// Destroyed.
    Burn,
    /// Back to that controller's consumers, in proportion to what they spent; dust to the treasury.
    Refund,
}

impl FromStr for RemainderPolicy {
    type Err = ParamsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "treasury" => Ok(Self::Treasury),
            "burn" => Ok(Self::Burn),
            "refund" => Ok(Self::Refund),
            _ => Err(ParamsError::new("remainder", ParamsProblem::Policy)),
        }
    }
}

impl fmt::Display for RemainderPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Treasury => "treasury",
            Self::Burn => "burn",
            Self::Refund => "refund",
        })
    }
}

macro_rules! params {
    ($($name:ident = $default:literal: $doc:literal;)*) => {
        /// The parameters of scoring and settlement. They are versioned: a change takes effect
        /// from the next epoch. An installation without validators sets `prior` to one whole.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct Params {
            $(#[doc = $doc] pub $name: Ppm,)*
            /// Distinct owners whose reports make coverage full; at least 1. Default 3.
            pub min_owners: u32,
            /// Where unearned escrow goes. Default: the treasury.
            pub remainder: RemainderPolicy,
        }

        impl Default for Params {
            fn default() -> Self {
                Self {
                    $($name: const { Ppm::new($default).expect("at most one whole") },)*
                    min_owners: 3,
                    remainder: RemainderPolicy::default(),
                }
            }
        }

        impl Params {
            /// Sets a number by its name in the specification: a ratio in ppm, or `min_owners`.
            ///
            /// # Errors
            /// An unknown name, or a ratio above one whole.
            pub fn set(&mut self, name: &str, value: u64) -> Result<(), ParamsError> {
                let parts = u32::try_from(value).ok();
                let out_of_range = || ParamsError::new(name, ParamsProblem::OutOfRange);
                match name {
                    $(stringify!($name) => {
                        self.$name = parts.and_then(Ppm::new).ok_or_else(out_of_range)?;
                    })*
                    "min_owners" => self.min_owners = parts.ok_or_else(out_of_range)?,
                    _ => return Err(ParamsError::new(name, ParamsProblem::Unknown)),
                }
                Ok(())
            }

            /// The ratios, by their names in the specification.
            #[must_use]
            pub fn ratios(&self) -> alloc::vec::Vec<(&'static str, Ppm)> {
                alloc::vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

params! {
    rho = 100_000: "Voting weight of a validator without skill, of its stake. Default 100,000.";
    support = 500_000: "Weight a value needs behind it, strictly more than this. Default 500,000.";
    prior = 300_000: "Score of what nobody has scored yet. Default 300,000.";
    alpha_up = 200_000: "Step of a rising score, at least; larger in the first epochs. Default 200,000.";
    alpha_down = 500_000: "Step of a falling score. Default 500,000.";
    alpha_stale = 50_000: "Leak towards the prior of a score nobody covers. Default 50,000.";
    stale_cov = 100_000: "Coverage below which a score leaks; positive. Default 100,000.";
    tol = 300_000: "Distance from the reference at which pay ends; positive. Default 300,000.";
    beta = 200_000: "Part of pay that rewards finding a change first. Default 200,000.";
    delta = 50_000: "Change up to which nothing counts as found. Default 50,000.";
    q_solo = 500_000: "Pay of a report that nobody else can confirm. Default 500,000.";
    skill_full = 700_000: "Skill that gives full weight and full pay; positive. Default 700,000.";
    alpha_gold = 200_000: "Step of a validator's skill. Default 200,000.";
    gold_min_spread = 50_000: "Mean distance from their median that gold truths need to tell skill apart. Default 50,000.";
    slash_absent = 200: "Of stake, for being assigned and not committing. Default 200.";
    slash_noreveal = 2_000: "Of stake, for committing and not revealing. Default 2,000.";
    slash_gold = 5_000: "Of stake, at a skill of minus one whole. Default 5,000.";
    slash_gold_floor = 200_000: "Negative skill up to which nothing is slashed. Default 200,000.";
    slash_audit = 100_000: "Of stake, for missing an audit's truth by one whole. Default 100,000.";
    audit_tol = 150_000: "Distance from an audit's truth that costs nothing. Default 150,000.";
    slash_cap = 50_000: "Of stake, the most one epoch can slash. Default 50,000.";
}

impl Params {
    /// Refuses parameters that the formulas would divide by zero with.
    ///
    /// # Errors
    /// The first of `stale_cov`, `tol`, `skill_full` and `min_owners` that is zero.
    pub fn check(&self) -> Result<(), ParamsError> {
        let divisors = [
            ("stale_cov", self.stale_cov.parts()),
            ("tol", self.tol.parts()),
            ("skill_full", self.skill_full.parts()),
            ("min_owners", self.min_owners),
        ];
        match divisors.into_iter().find(|(_, divisor)| *divisor == 0) {
            Some((name, _)) => Err(ParamsError::new(name, ParamsProblem::Zero)),
            None => Ok(()),
        }
    }
}

/// A parameter that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamsError {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub problem: ParamsProblem,
}

/// What can be wrong with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamsProblem {
    /// There is none of this name.
    Unknown,
    /// A ratio above one whole, or a count above `u32::MAX`.
    OutOfRange,
    /// Zero, and a formula divides by it.
    Zero,
    /// Not a remainder policy.
    Policy,
}

impl ParamsError {
    fn new(name: &str, problem: ParamsProblem) -> Self {
        let name = name.to_string();
        Self { name, problem }
    }
}

impl fmt::Display for ParamsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "no parameter has this name",
            Self::OutOfRange => "must be 0 to 1000000 (ppm)",
            Self::Zero => "must be positive: it is divided by",
            Self::Policy => {
                "must be treasury, burn or refund: an unearned remainder never goes to \
                 other controllers or to validators"
            }
        })
    }
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "params.{}: {}", self.name, self.problem)
    }
}

impl core::error::Error for ParamsError {}
