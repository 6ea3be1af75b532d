//! What went before: settled epochs, and what each said of a controller or a validator.

use super::TokenUsage;
use crate::{money, text};
use aigen_types::{
    Address, Amount, CallId, ControllerRef, Digest, Epoch, ModelName, Slug, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /v1/aigen/calls`: a call that runs, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCall {
    /// Its id, which its receipt will have.
    #[serde(with = "text")]
    pub id: CallId,
    /// The model that answers.
    #[serde(with = "text")]
    pub model: ModelName,
    /// The controller version that steers.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub controller: Option<ControllerRef>,
    /// Who pays.
    #[serde(with = "text")]
    pub payer: Address,
    /// To whom the spending is attributed.
    #[serde(with = "text")]
    pub spender: Address,
    /// Everything that is held for it.
    #[serde(flatten, with = "money::held")]
    pub held: Amount,
    /// Prompt tokens.
    pub prompt_tokens: u64,
    /// Output tokens that the holds cover.
    pub covered_tokens: u64,
    /// When it began.
    #[serde(with = "money::time")]
    pub opened_at: Timestamp,
}

/// `GET /v1/aigen/epochs`: a settled epoch, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochSummary {
    /// The epoch.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// How many controller versions took part.
    pub controllers: u64,
    /// What their developers earned.
    #[serde(flatten, with = "money::payout")]
    pub payout: Amount,
    /// How many validators took part.
    pub validators: u64,
    /// What they were paid.
    #[serde(flatten, with = "money::pay")]
    pub pay: Amount,
    /// What went to the treasury.
    #[serde(flatten, with = "money::treasury")]
    pub treasury: Amount,
    /// The journal record that settled it.
    pub journal_seq: u64,
}

/// `GET /v1/aigen/history/controllers/{reference}`: one epoch of a controller version, oldest
/// first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerPast {
    /// The epoch.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// The version's digest.
    #[serde(with = "text")]
    pub id: Digest,
    /// Its score after the epoch, in parts per million.
    pub score: u32,
    /// Each parameter after the epoch, in parts per million.
    pub state: BTreeMap<String, u32>,
    /// What its developer earned.
    #[serde(flatten, with = "money::payout")]
    pub payout: Amount,
    /// What of its escrow was not earned.
    #[serde(flatten, with = "money::remainder")]
    pub remainder: Amount,
}

/// `GET /v1/aigen/history/validators/{name}`: one epoch of a validator, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatorPast {
    /// The epoch.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// Its name.
    #[serde(with = "text")]
    pub name: Slug,
    /// Its skill after the epoch, in parts per million; may be negative.
    pub skill: i64,
    /// What it was paid.
    #[serde(flatten, with = "money::pay")]
    pub pay: Amount,
    /// What was taken of its stake.
    #[serde(flatten, with = "money::slash")]
    pub slash: Amount,
}

/// `GET /v1/aigen/epochs/{epoch}/calls`: a call whose money a controller version earns from, or
/// earned from. Who paid for it is not said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallThrough {
    /// Its id; whoever paid for it has a receipt under it.
    #[serde(with = "text")]
    pub id: CallId,
    /// When it ended.
    #[serde(with = "money::time")]
    pub ended_at: Timestamp,
    /// The model that answered.
    #[serde(with = "text")]
    pub model: ModelName,
    /// What it used.
    pub usage: TokenUsage,
    /// What the platform charged for it.
    #[serde(flatten, with = "money::charged")]
    pub charged: Amount,
    /// What of it went into the controller's escrow.
    #[serde(flatten, with = "money::escrowed")]
    pub escrowed: Amount,
    /// How it ended.
    pub finish: String,
}

/// `GET /v1/aigen/epochs/{epoch}/workings`: an epoch settled again from its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workings {
    /// The epoch.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// Whether the same output came out as was paid by.
    pub same: bool,
    /// Of whom was asked; nobody where nobody was named.
    pub data: Vec<Working>,
}

/// Why somebody got what it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Working {
    /// A controller version's digest, or a validator's name.
    pub id: String,
    /// The same for people.
    pub name: String,
    /// The formula with its numbers, a step a line.
    pub lines: Vec<String>,
}
