//! AiGen's own resources, under `/v1/aigen/`: money, the registry, epochs, the journal.
//!
//! Requests refuse unknown fields. Digests and salts are 64 hex digits, call and
//! transfer ids 32, times nanoseconds since the Unix epoch.

mod datasets;
mod epoch;
mod function;
mod history;
mod journal;
mod money;
mod quote;
mod read;
mod receipt;
mod registry;
mod rules;
mod spending;
mod usage;

pub use datasets::{
    Dataset, DatasetColumn, DatasetGrant, DatasetImport, DatasetPrice, DatasetRow, DatasetRows,
    DatasetUse, ImportStage, PublishDataset, RevokeDatasetGrant, SetDatasetPrice, WithdrawDataset,
};
pub use epoch::{
    AppealMade, AppealRequest, AssignRequest, Assignment, CloseRequest, CommitRequest,
    ControllerResult, DatasetFees, DecideRequest, Drawn, EpochPhase, EpochState, EpochStatement,
    Finding, GoldOpening, Report, RevealRequest, ValidatorResult,
};
pub use function::{
    CallFunction, Function, FunctionOptions, FunctionReceipt, FunctionReply, Guarantee,
};
pub use history::{
    CallThrough, ControllerPast, EpochSummary, OpenCall, ValidatorPast, Working, Workings,
};
pub use journal::{
    BatchWritten, JournalFault, JournalTip, JournalVerified, Verification, VerificationState,
};
pub use money::{Account, Fund, Pay, Transfer};
pub use quote::{Quote, QuotedRead};
pub use read::{
    AnyReceipt, DatasetEarning, DatasetRead, EarningKind, EpochEarning, ReadReceipt, ReceiptKind,
    RowRange,
};
pub use receipt::{
    Asked, ChargeLine, CountedBy, Receipt, Replay, Share, Steering, SubCall, TokenUsage,
};
pub use registry::{
    Controller, ControllerKind, Key, KeyBudget, KeyCreated, KeyLimits, KeyRole, KeyScope,
    MoveStake, NamedModel, NewKey, PricePage, PublishController, RegisterValidator, SetKeyBudget,
    SetStanding, Signed, Standing, TagController, Validator,
};
pub use rules::{ProposeRules, Rules, Terms};

pub use spending::{
    Allowance, Budget, Correction, CorrectionKind, GrantAllowance, Period, Refund, RefundReason,
    Reverse, RevokeAllowance, SetBudget, Spender,
};

pub use usage::Usage;

use serde::{Deserialize, Serialize};

/// A list of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The resources.
    pub data: Vec<T>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A list that is complete.
    #[must_use]
    pub fn complete(data: Vec<T>) -> Self {
        Self { data, next: None }
    }
}

#[cfg(test)]
mod tests;
