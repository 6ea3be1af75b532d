mod dataset;

use crate::resources::{Guarantee, Steering};
use crate::text;
use aigen_types::{
    Address, Amount, CallId, ControllerRef, DatasetRef, DatasetSelector, Digest, Slug,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The `aigen` object of a request. Strict: an unknown field is refused, because it was meant to do something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The controller that steers this completion, like `ada/quiz@1.2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// What the controller is given; its manifest says what it takes.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
    /// Which model computes a function, where `model` names one: `fn:ada/sentiment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The most this call may cost, in AIGEN. Decoding stops before it would be exceeded. `budget`
    /// says the same.
    #[serde(
        default,
        alias = "budget",
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_cost: Option<Amount>,
    /// For which end user of the key's app or team the call is: one word. Budgets may bound each.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_user: Option<Slug>,
    /// Which user pays, by an allowance to the key's account, like `user:ada`.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub bill_to: Option<Address>,
    /// Whether the node keeps, for a while, what it takes to run the call again:
    /// `POST /v1/aigen/receipts/{id}/replay`. Refused of several answers (`n`), and of a model that is
    /// computed elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replay: bool,
    /// Whether a stream carries text as soon as it is there, and events `retract` that take the
    /// last bytes of it back: `event: retract`, `data: {"index": 0, "bytes": 12}`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retract: bool,
    /// Whether the reply says what happened, step by step: [`AigenReply::trace`]. A stream says it in
    /// events: `event: trace`, `data: {"index": 0, "steps": [...]}`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
    /// Datasets whose passages enter the prompt, numbered: [`AigenReply::citations`] says what each
    /// is. At most 8. Their fees are part of what the call costs.
    #[serde(
        default,
        deserialize_with = "dataset::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub datasets: Vec<DatasetQuery>,
}

/// A dataset that a completion reads. `"owner/name"` alone says as much as an object with that `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetQuery {
    /// Which: `owner/name`, or with a version, `owner/name@1.2.3`.
    #[serde(with = "text")]
    pub id: DatasetSelector,
    /// Passages, at most: 4 when absent, 50 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// What to look for; the last thing that the user said, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// A passage that was in the prompt, under its number there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// Its number, from 1: what `[1]` in the answer stands for.
    pub number: u32,
    /// The dataset version.
    #[serde(with = "text")]
    pub dataset: DatasetRef,
    /// The row, from 0.
    pub row: u64,
    /// The row's columns that the model was shown.
    pub columns: Vec<String>,
}

/// The `aigen` object of a reply: what the call cost and who made the answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AigenReply {
    /// Where the receipt is: `GET /v1/aigen/receipts/{id}`.
    #[serde(with = "text")]
    pub receipt: CallId,
    /// What was captured, in AIGEN: for all calls, where a function's model was asked again.
    #[serde(with = "text")]
    pub cost: Amount,
    /// Calls before it whose answers were none of the function's type; charged, and part of `cost`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "text::list")]
    pub asked_before: Vec<CallId>,
    /// The journal record of the capture.
    #[serde(default)]
    pub journal_seq: u64,
    /// The passages of datasets that were in the prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// Why decoding stopped early; `None` when it did not.
    #[serde(default)]
    pub stop: Option<AigenStop>,
    /// The controller version that steered, by name.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub controller: Option<ControllerRef>,
    /// The same by digest: what is scored and paid.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub controller_digest: Option<Digest>,
    /// The weights that answered.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub model_digest: Option<Digest>,
    /// Who counted the tokens, where it was not this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// Who held the answer to its form, where a function, a schema or a grammar steered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarantee: Option<Guarantee>,
    /// Whether the grammar was satisfied; `None` without a grammar. `false` only when the length or the budget cut it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grammar_complete: Option<bool>,
    /// Whether it was completed because `max_tokens` or the money was about to end: it is whole, and would
    /// have gone on, with more items or a longer text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed_early: bool,
    /// What steering came to, where a published controller steered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steering: Option<Steering>,
    /// What the controller made of the answer, when it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Value>,
    /// What the controller put beside the text, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub results: Map<String, Value>,
    /// Whether the call can be run again, where the request asked for that. Its receipt says whether it
    /// still can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayable: Option<bool>,
    /// What happened, of every answer in its order, when a plain request asked for a trace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Vec<TraceStep>>,
}

/// One thing that happened while an answer was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceStep {
    /// On which branch; 0 is the first.
    pub branch: u32,
    /// Output tokens in the branch before it.
    pub position: u32,
    /// What it was.
    #[serde(flatten)]
    pub what: Traced,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Traced {
    /// The controller was asked, and decided.
    Decided {
        /// Why it was asked.
        why: String,
        /// What it wants: `generate`, `edit`, `fork`, `suspend` or `stop`.
        decision: String,
        /// Its time since the decision before, in microseconds. Measured.
        micros: u64,
        /// Its fuel since the decision before, the same in every run.
        fuel: u64,
    },
    /// The controller wrote a line into its log, before its next decision or its last word.
    Logged {
        /// How much it matters: `debug`, `info`, `warn` or `error`.
        level: String,
        /// What it says: the controller's own text.
        message: String,
    },
    /// The model chose a token.
    Sampled(TracedToken),
    /// A controller or a grammar put one in.
    Forced(TracedToken),
    /// The newest tokens were taken back.
    Removed {
        /// How many.
        tokens: u32,
    },
    /// The branch forked.
    Forked {
        /// The first new branch.
        first: u32,
        /// How many there are.
        branches: u32,
    },
    /// The branch is over.
    Over {
        /// Whether it is the answer.
        kept: bool,
    },
    /// What followed was too much to trace.
    Cut,
}

/// A token of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracedToken {
    /// Its number.
    pub token: u32,
    /// Its text; where a character ends in another token, U+FFFD stands for its part. Empty where the
    /// caller is not shown it.
    pub text: String,
    /// Whether it is kept from the caller.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Tokens of the vocabulary that could not have come instead.
    #[serde(default)]
    pub masked: u32,
}

/// How the tokens of an answer from elsewhere were counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Counted {
    /// By the server that answered, whose count is a possible one.
    Upstream,
    /// By this node from the answer's bytes, because that server's count is missing or impossible.
    Estimate {
        /// What is wrong with it.
        doubt: String,
    },
}

/// Why decoding stopped before the answer was complete, where OpenAI's `finish_reason` can only say `length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AigenStop {
    /// The money or `max_cost` ran out.
    Budget,
}
