use crate::{money, settlement, text};
use aigen_types::{Amount, Digest, Epoch, Slug, Timestamp, TransferId};
use serde::{Deserialize, Serialize};

/// Where an epoch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochPhase {
    /// Calls fill escrows; nothing is assigned yet.
    Open,
    /// Validators evaluate and commit.
    Commit,
    /// Commitments are frozen; validators open them.
    Reveal,
    /// Nothing more is revealed; the operator opens the truths.
    Settle,
    /// Settled and paid.
    Settled,
}

/// `GET /v1/aigen/epochs/current`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochState {
    /// The network's name, which every commitment covers.
    #[serde(with = "text")]
    pub network: Slug,
    /// Its number.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// Where it stands.
    pub phase: EpochPhase,
    /// When the commit window closes by itself, in nanoseconds of ledger time.
    #[serde(
        default,
        with = "money::time_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub commit_until: Option<Timestamp>,
    /// When the reveal window does.
    #[serde(
        default,
        with = "money::time_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub reveal_until: Option<Timestamp>,
    /// What draws the panels of this epoch: the seed that was opened last.
    #[serde(with = "text")]
    pub panel_seed: Digest,
    /// Validators drawn for each controller; 0: the operator chooses.
    pub panel: u64,
    /// Who is asked what: everything for an operator, its own questions for a validator.
    pub assignments: Vec<Assignment>,
    /// Of these validators, who has committed.
    #[serde(with = "text::list")]
    pub committed: Vec<Slug>,
    /// Of these validators, who has revealed.
    #[serde(with = "text::list")]
    pub revealed: Vec<Slug>,
}

/// One question to one validator: how good is this controller in this parameter?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Who is asked.
    #[serde(with = "text")]
    pub validator: Slug,
    /// The controller version. Planted ones look like any other.
    #[serde(with = "text")]
    pub controller: Digest,
    /// The parameter, like `quality`.
    #[serde(with = "text")]
    pub parameter: Slug,
    /// The evaluation suite to use.
    #[serde(with = "text")]
    pub suite: Slug,
}

/// `POST /v1/aigen/epochs/{epoch}/assign`, operators only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignRequest {
    /// Every question, real and planted; at least one.
    pub cells: Vec<Assignment>,
    /// One commitment per planted truth.
    #[serde(default, with = "text::list")]
    pub gold: Vec<Digest>,
    /// Commitment to the seed that draws the audits.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub seed: Option<Digest>,
}

/// `POST /v1/aigen/epochs/{epoch}/close`, operators only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// Every truth committed to at assignment.
    #[serde(default)]
    pub gold: Vec<GoldOpening>,
    /// The seed committed to at assignment.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub seed: Option<Digest>,
    /// What evaluating every cell came to that the seed draws.
    #[serde(default)]
    pub audits: Vec<Finding>,
}

/// What evaluating a real cell again came to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The controller version.
    #[serde(with = "text")]
    pub controller: Digest,
    /// The parameter.
    #[serde(with = "text")]
    pub parameter: Slug,
    /// Its score in parts per million, 0 to 1,000,000.
    pub truth: u32,
}

/// `GET /v1/aigen/epochs/current/audits/{seed}`, operators only: the cells that this seed has
/// evaluated again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// The controller version.
    #[serde(with = "text")]
    pub controller: Digest,
    /// The parameter.
    #[serde(with = "text")]
    pub parameter: Slug,
}

/// `POST /v1/aigen/epochs/{epoch}/appeals`: a cell of a settled epoch is disputed, by a bond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppealRequest {
    /// The controller version.
    #[serde(with = "text")]
    pub controller: Digest,
    /// The parameter.
    #[serde(with = "text")]
    pub parameter: Slug,
    /// Hash of the evidence, which the appellant keeps and shows the operator.
    #[serde(with = "text")]
    pub evidence: Digest,
}

/// An appeal that waits for its decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealMade {
    /// Its id.
    #[serde(with = "text")]
    pub id: TransferId,
    /// The epoch.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
}

/// `POST /v1/aigen/appeals/{id}`, operators only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// What evaluating the disputed cell again came to; absent: the appeal is rejected.
    #[serde(default)]
    pub truth: Option<u32>,
}

/// A hidden truth, opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldOpening {
    /// The planted controller.
    #[serde(with = "text")]
    pub controller: Digest,
    /// The parameter it was planted for.
    #[serde(with = "text")]
    pub parameter: Slug,
    /// Its exact score in parts per million, 0 to 1,000,000.
    pub truth: u32,
    /// The salt of the commitment.
    #[serde(with = "text")]
    pub salt: Digest,
}

/// `POST /v1/aigen/epochs/{epoch}/commit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitRequest {
    /// The current epoch.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// Who commits.
    #[serde(with = "text")]
    pub validator: Slug,
    /// SHA-256 over network, epoch, validator, assignment, reports and salt.
    #[serde(with = "text")]
    pub commitment: Digest,
}

/// `POST /v1/aigen/epochs/{epoch}/reveal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevealRequest {
    /// The current epoch.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// Who reveals.
    #[serde(with = "text")]
    pub validator: Slug,
    /// The salt of the commitment.
    #[serde(with = "text")]
    pub salt: Digest,
    /// The reports committed to.
    pub reports: Vec<Report>,
}

/// One answer to an [`Assignment`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The controller version.
    #[serde(with = "text")]
    pub controller: Digest,
    /// The parameter.
    #[serde(with = "text")]
    pub parameter: Slug,
    /// The score in parts per million, 0 to 1,000,000.
    pub score: u32,
}

/// `GET /v1/aigen/epochs/{epoch}/statement`: who was paid what, and all that is needed to recompute it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochStatement {
    /// Its number.
    #[serde(with = "money::epoch")]
    pub epoch: Epoch,
    /// Every controller scored or with money in escrow.
    pub controllers: Vec<ControllerResult>,
    /// Every validator of the epoch.
    pub validators: Vec<ValidatorResult>,
    /// Remainders, dust and slashed stake.
    #[serde(flatten, with = "money::treasury")]
    pub treasury: Amount,
    /// Destroyed.
    #[serde(flatten, with = "money::burned")]
    pub burned: Amount,
    /// What was read of datasets; absent where nothing was. Paid as it was read, and no part of the
    /// settlement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets: Option<DatasetFees>,
    /// The journal record of the settlement.
    pub journal_seq: u64,
    /// What went in. Settling it again anywhere gives `output`.
    pub input: settlement::Input,
    /// What came out.
    pub output: settlement::Output,
}

/// What an epoch's reads of datasets came to: those of calls that ended in it, and those outside of
/// calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetFees {
    /// How many reads, of all kinds.
    pub reads: u64,
    /// Their rows.
    pub rows: u64,
    /// What readers were charged for them, without an app's margin.
    #[serde(flatten, with = "money::fees")]
    pub fees: Amount,
    /// What the protocol kept of that; the rest went to the datasets' providers.
    #[serde(flatten, with = "money::protocol")]
    pub protocol: Amount,
    /// Fees of reads that were reversed since, by the protocol and the providers.
    #[serde(flatten, with = "money::given_back")]
    pub given_back: Amount,
}

/// One controller's epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerResult {
    /// Its id in the settlement: the digest of the version.
    pub id: String,
    /// Owner, name and version, when the registry knows it.
    #[serde(default)]
    pub name: Option<String>,
    /// Its score in parts per million.
    pub score: u32,
    /// What its score earned.
    #[serde(flatten, with = "money::payout")]
    pub payout: Amount,
    /// What it did not.
    #[serde(flatten, with = "money::remainder")]
    pub remainder: Amount,
}

/// One validator's epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatorResult {
    /// Its name.
    pub id: String,
    /// Its skill afterwards, in parts per million.
    pub skill: i64,
    /// What it was paid.
    #[serde(flatten, with = "money::pay")]
    pub pay: Amount,
    /// What it lost.
    #[serde(flatten, with = "money::slash")]
    pub slash: Amount,
}
