use super::{Input, Output};
use serde::{Deserialize, Serialize};

/// One call through a controller, as far as scores are measured by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The call.
    pub call: String,
    /// Whether its answer was what the controller declares; absent if that was not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conforms: Option<bool>,
    /// The controller version.
    pub controller: String,
    /// Time its controller took, in microseconds.
    pub controller_micros: u64,
    /// How it ended: 1 stop, 2 length, 3 budget, 4 cancelled, 5 the controller's fault, 6 the
    /// engine's, 7 closed after a kill, 8 expired.
    pub outcome: u8,
    /// Output tokens it computed.
    pub tokens: u64,
}

/// A call, and that it is a leaf of its epoch's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The call.
    pub evidence: Evidence,
    /// Leaves of the tree.
    pub leaves: u64,
    /// From the leaf up, the hash beside; null where there is none.
    pub path: Vec<Option<String>>,
    /// Place of the leaf, from 0.
    pub place: u64,
    /// The root that this proves.
    pub root: String,
}

/// A settled epoch that stands alone: everything that its payouts follow from, and the calls that
/// its measured values follow from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WholeEpoch {
    /// Its number.
    pub epoch: u64,
    /// Every call through a controller.
    pub evidence: Vec<Evidence>,
    /// SHA-256 of the input's JSON without blanks, a line feed, and the output's.
    pub hash: String,
    /// What went in.
    pub input: Input,
    /// Controller time per token at which latency is worth nothing.
    pub latency_budget_micros: u64,
    /// The network's name.
    pub network: String,
    /// What came out.
    pub output: Output,
    /// Root over the evidence, as the journal has it.
    pub telemetry_root: String,
}
