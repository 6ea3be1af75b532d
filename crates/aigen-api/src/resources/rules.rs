use crate::{money, settlement, text};
use aigen_types::{Amount, Epoch};
use serde::{Deserialize, Serialize};

/// One version of the rules of scoring. `GET /v1/aigen/rules` lists them, the coming ones included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// From 1; 0 is what the network was founded with.
    pub version: u64,
    /// The first epoch under them.
    #[serde(with = "money::epoch")]
    pub from: Epoch,
    /// What controllers are scored in.
    pub parameters: Vec<settlement::Parameter>,
    /// The constants of scoring and settlement that differ from their defaults.
    pub params: settlement::Params,
    /// Windows, bonds and waiting times.
    pub terms: Terms,
}

/// `POST /v1/aigen/rules`, operators only: they hold from a later epoch on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeRules {
    /// One more than the last version.
    pub version: u64,
    /// What controllers are scored in.
    pub parameters: Vec<settlement::Parameter>,
    /// The constants of scoring and settlement; what is absent has its default.
    pub params: settlement::Params,
    /// Windows, bonds and waiting times.
    pub terms: Terms,
}

/// How an epoch runs, and what taking part in it asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// Epochs until a stake counts.
    pub activation_epochs: u64,
    /// What an appeal lays down, in AIGEN.
    #[serde(with = "text")]
    pub appeal_bond: Amount,
    /// Seconds for which what was settled is held; 0: it is paid at once.
    pub appeal_seconds: u64,
    /// Seconds of the commit window; 0: it closes when all have committed, or by command.
    pub commit_seconds: u64,
    /// Validators drawn for each controller; 0: the operator chooses.
    pub panel: u64,
    /// What a validator lays down to become one, in AIGEN.
    #[serde(with = "text")]
    pub registration_bond: Amount,
    /// Seconds of the reveal window; 0: it closes by command.
    pub reveal_seconds: u64,
    /// Epochs beyond the next until new rules hold.
    pub timelock_epochs: u64,
    /// Epochs until stake that was taken out is paid.
    pub unbonding_epochs: u64,
}

impl Rules {
    /// What a number of `params` or `terms` counts, for people; nothing where its name says it.
    #[must_use]
    pub fn unit(name: &str) -> &'static str {
        match name {
            "remainder" => "",
            "min_owners" => "owners",
            "panel" => "validators",
            _ if name.ends_with("_bond") => "AIGEN",
            _ if name.ends_with("_seconds") || name.ends_with("_epochs") => "",
            _ => "ppm",
        }
    }
}
