use crate::budgets::{Cap, Capped};
use crate::keyring::Rate;
use aigen_economy::RatingError;
use aigen_ledger::TransferRefusal;
use aigen_types::{Address, Amount, Timestamp};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use core::fmt;

/// Why a rule says no. A refusal changes no money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The journal has no founding command yet.
    NotFounded,
    /// A network is founded once.
    AlreadyFounded,
    /// The name is in use.
    NameTaken,
    /// A name or text is longer than its place allows.
    TooLong,
    /// Two addresses share an id, or an address is used for what it is not.
    AddressTaken,
    /// Money moves from and to this address by rule alone.
    AddressReserved,
    /// Nothing to move.
    AmountZero,
    /// No such key.
    KeyUnknown,
    /// The key was revoked.
    KeyRevoked,
    /// The key's time is over.
    KeyExpired,
    /// The key is limited to other models.
    ModelNotAllowed,
    /// The key is limited to other controllers.
    ControllerNotAllowed,
    /// The key is limited to other datasets.
    DatasetNotAllowed,
    /// The key used all that it may within this minute.
    RateLimited {
        /// Of what.
        rate: Rate,
        /// When the next minute begins.
        resets_at: Timestamp,
    },
    /// No such model.
    ModelUnknown,
    /// No such controller version.
    ControllerUnknown,
    /// A version is immutable: the same reference with another digest.
    ControllerVersionExists,
    /// No new call may use the version: it was yanked.
    ControllerYanked,
    /// The content is not what was signed, or is missing.
    ContentMismatch,
    /// The signature is not the named publisher's, or not of this release.
    SignatureInvalid,
    /// The owner's releases are signed with another key.
    PublisherMismatch,
    /// The owner signs what it publishes.
    SignatureMissing,
    /// A tag begins with a letter.
    TagInvalid,
    /// The controller has no such tag.
    TagUnknown,
    /// No such validator.
    ValidatorUnknown,
    /// The payer has less than is needed: for a call, before its first token.
    InsufficientFunds {
        /// What the payer can spend.
        available: Amount,
        /// What the stake is, or what prompt and first token cost at most.
        needed: Amount,
    },
    /// The bound that the caller set is less than the call needs before its first token.
    BudgetTooSmall {
        /// The bound.
        budget: Amount,
        /// What prompt and first token cost at most.
        needed: Amount,
    },
    /// A budget or an allowance leaves less than the call needs before its first token.
    BudgetExhausted {
        /// Which.
        cap: Box<Cap>,
        /// What it leaves in this period.
        available: Amount,
        /// What prompt and first token cost at most.
        needed: Amount,
    },
    /// The same of a budget, an allowance or the payer's money, and only because running calls
    /// have reserved the rest: once they end there may be enough.
    InFlight {
        /// Which; `None` for the payer's own money.
        cap: Option<Box<Cap>>,
        /// What it leaves now.
        available: Amount,
        /// What running calls have reserved of it.
        held: Amount,
        /// What prompt and first token cost at most.
        needed: Amount,
    },
    /// There is no such budget to take away.
    BudgetUnknown,
    /// The user allows the app nothing.
    AllowanceUnknown,
    /// The allowance was revoked or has expired.
    AllowanceEnded,
    /// The spender is no address that spending can be attributed to.
    SpenderInvalid,
    /// The call cost nothing.
    NothingCharged,
    /// The call was reversed.
    CallReversed,
    /// A part of the call was refunded.
    CallRefunded,
    /// The epoch that the call counts in is settled.
    EpochSettled,
    /// All refunds of a call together would exceed what it cost.
    RefundTooLarge {
        /// What it cost.
        charged: Amount,
        /// What was refunded already.
        refunded: Amount,
    },
    /// Whoever has to give money back does not have it.
    PayeeShort {
        /// Who.
        payee: Box<Address>,
        /// What it has.
        available: Amount,
        /// What it has to give back.
        needed: Amount,
    },
    /// The running call's payer can cover no further token.
    CoverExhausted,
    /// The call has as many holds as a call may have.
    TooManyHolds,
    /// No such open call.
    CallUnknown,
    /// The call id was used, with the same request.
    CallExists,
    /// The call id was used, with another request.
    CallExistsWithDifferentRequest,
    /// A call within a call has another key, payer or spender, or is within a third.
    SubCallInvalid,
    /// The call has ended.
    CallClosed,
    /// More tokens were reported than were covered.
    UsageExceedsCover,
    /// Fewer tokens were reported than before.
    UsageRunsBackwards,
    /// The command names another epoch than the current one.
    EpochNotCurrent,
    /// The epoch is in another phase.
    EpochPhase,
    /// The assignment is empty, too large or names what does not exist.
    AssignmentInvalid,
    /// The validator has nothing assigned.
    NotAssigned,
    /// Another validator has committed to the same bytes.
    CommitmentCopied,
    /// What was revealed is not what was committed.
    RevealMismatch,
    /// A score above one whole, or a report on what was not assigned.
    ReportInvalid,
    /// What was opened is not what was committed at assignment.
    GoldMismatch,
    /// The settlement's input is not well formed.
    SettlementInvalid,
    /// Validators that committed may still reveal.
    WindowOpen,
    /// The seed is missing, or does not open or continue what was committed.
    SeedMismatch,
    /// Others were assigned than the drawn panel.
    PanelMismatch,
    /// Other cells were audited than the seed draws.
    AuditMismatch,
    /// The epoch before is not paid yet.
    PayoutHeld,
    /// Weights that do not sum to one whole, a divisor of zero, or a bound that is exceeded.
    RulesInvalid,
    /// The rules have another version by now.
    RulesVersion,
    /// The stake answers for an assignment or for a result that can be appealed.
    StakeInUse,
    /// The epoch is not settled, or its money is paid.
    AppealClosed,
    /// No such open appeal.
    AppealUnknown,
    /// No such dataset version.
    DatasetUnknown,
    /// A version is immutable: the same reference with other contents.
    DatasetVersionExists,
    /// Another account was the first to publish below this name.
    DatasetNotOwned,
    /// No column, two of one name, no licence or no use.
    DatasetInvalid,
    /// The version serves no new read.
    DatasetWithdrawn,
    /// The dataset is not open, and the account has no live grant.
    DatasetNotGranted,
    /// Licence or grant do not allow this use.
    DatasetUseNotAllowed,
    /// The grant is of other columns.
    ColumnNotGranted,
    /// The dataset has no such column.
    ColumnUnknown,
    /// A row beyond the dataset's end.
    RowsUnknown,
    /// Too many ranges, more hits than rows, or a download of a part.
    ReadInvalid,
    /// There is no such grant to take away.
    GrantUnknown,
    /// The call has as many reads as a call may have.
    TooManyReads,
    /// An amount left its range.
    AmountTooLarge,
    /// The ledger's own refusal.
    Ledger(TransferRefusal),
}

impl Refusal {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFounded => "not_founded",
            Self::AlreadyFounded => "already_founded",
            Self::NameTaken => "name_taken",
            Self::TooLong => "too_long",
            Self::AddressTaken => "address_taken",
            Self::AddressReserved => "address_reserved",
            Self::AmountZero => "amount_zero",
            Self::KeyUnknown => "key_unknown",
            Self::KeyRevoked => "key_revoked",
            Self::KeyExpired => "key_expired",
            Self::ModelNotAllowed => "model_not_allowed",
            Self::ControllerNotAllowed => "controller_not_allowed",
            Self::DatasetNotAllowed => "dataset_not_allowed",
            Self::RateLimited { .. } => "rate_limit_exceeded",
            Self::ModelUnknown => "model_unknown",
            Self::ControllerUnknown => "controller_unknown",
            Self::ControllerVersionExists => "controller_version_exists",
            Self::ControllerYanked => "controller_yanked",
            Self::ContentMismatch => "content_mismatch",
            Self::SignatureInvalid => "signature_invalid",
            Self::PublisherMismatch => "publisher_mismatch",
            Self::SignatureMissing => "signature_missing",
            Self::TagInvalid => "tag_invalid",
            Self::TagUnknown => "tag_unknown",
            Self::ValidatorUnknown => "validator_unknown",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::BudgetTooSmall { .. } => "budget_too_small",
            Self::BudgetExhausted { .. } => "budget_exhausted",
            Self::InFlight { .. } => "in_flight_budget_exhausted",
            Self::BudgetUnknown => "budget_unknown",
            Self::AllowanceUnknown => "allowance_unknown",
            Self::AllowanceEnded => "allowance_ended",
            Self::SpenderInvalid => "spender_invalid",
            Self::NothingCharged => "nothing_charged",
            Self::CallReversed => "call_reversed",
            Self::CallRefunded => "call_refunded",
            Self::EpochSettled => "epoch_settled",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::PayeeShort { .. } => "payee_short",
            Self::CoverExhausted => "cover_exhausted",
            Self::TooManyHolds => "too_many_holds",
            Self::CallUnknown => "call_unknown",
            Self::CallExists => "call_exists",
            Self::CallExistsWithDifferentRequest => "call_exists_with_different_request",
            Self::SubCallInvalid => "sub_call_invalid",
            Self::CallClosed => "call_closed",
            Self::UsageExceedsCover => "usage_exceeds_cover",
            Self::UsageRunsBackwards => "usage_runs_backwards",
            Self::EpochNotCurrent => "epoch_not_current",
            Self::EpochPhase => "epoch_phase",
            Self::AssignmentInvalid => "assignment_invalid",
            Self::NotAssigned => "not_assigned",
            Self::CommitmentCopied => "commitment_copied",
            Self::RevealMismatch => "reveal_mismatch",
            Self::ReportInvalid => "report_invalid",
            Self::GoldMismatch => "gold_mismatch",
            Self::SettlementInvalid => "settlement_invalid",
            Self::WindowOpen => "window_open",
            Self::SeedMismatch => "seed_mismatch",
            Self::PanelMismatch => "panel_mismatch",
            Self::AuditMismatch => "audit_mismatch",
            Self::PayoutHeld => "payout_held",
            Self::RulesInvalid => "rules_invalid",
            Self::RulesVersion => "rules_version",
            Self::StakeInUse => "stake_in_use",
            Self::AppealClosed => "appeal_closed",
            Self::AppealUnknown => "appeal_unknown",
            Self::DatasetUnknown => "dataset_unknown",
            Self::DatasetVersionExists => "dataset_version_exists",
            Self::DatasetNotOwned => "dataset_not_owned",
            Self::DatasetInvalid => "dataset_invalid",
            Self::DatasetWithdrawn => "dataset_withdrawn",
            Self::DatasetNotGranted => "dataset_not_granted",
            Self::DatasetUseNotAllowed => "dataset_use_not_allowed",
            Self::ColumnNotGranted => "column_not_granted",
            Self::ColumnUnknown => "column_unknown",
            Self::RowsUnknown => "rows_unknown",
            Self::ReadInvalid => "read_invalid",
            Self::GrantUnknown => "grant_unknown",
            Self::TooManyReads => "too_many_reads",
            Self::AmountTooLarge => "amount_too_large",
            Self::Ledger(refusal) => refusal.code(),
        }
    }

    /// Whether the same command may succeed later.
    #[must_use]
    pub fn transient(&self) -> bool {
        match self {
            Self::InsufficientFunds { .. }
            | Self::BudgetExhausted { .. }
            | Self::InFlight { .. }
            | Self::PayeeShort { .. }
            | Self::CoverExhausted
            | Self::EpochPhase
            | Self::WindowOpen
            | Self::PayoutHeld
            | Self::StakeInUse
            | Self::NotFounded => true,
            Self::Ledger(refusal) => refusal.transient(),
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::InsufficientFunds { available, needed } => {
                return write!(f, "{available} AIGEN available, {needed} AIGEN needed");
            }
            Self::BudgetTooSmall { budget, needed } => {
                return write!(
                    f,
                    "the call may cost {budget} AIGEN, and {needed} AIGEN are needed to begin it: for the prompt and one token, or every token of several answers and of a model elsewhere"
                );
            }
            Self::BudgetExhausted {
                cap,
                available,
                needed,
            } => {
                return write!(
                    f,
                    "the {} of {} leaves {available} AIGEN, {needed} AIGEN needed",
                    kind(cap),
                    cap.of
                );
            }
            Self::InFlight {
                cap,
                available,
                held,
                needed,
            } => {
                let whose = cap.as_ref().map_or_else(
                    || "the account".to_string(),
                    |cap| format!("the {} of {}", kind(cap), cap.of),
                );
                return write!(
                    f,
                    "{whose} leaves {available} AIGEN, {needed} AIGEN needed; running calls hold {held} AIGEN of it"
                );
            }
            Self::RefundTooLarge { charged, refunded } => {
                return write!(
                    f,
                    "the call cost {charged} AIGEN, of which {refunded} AIGEN are refunded"
                );
            }
            Self::PayeeShort {
                payee,
                available,
                needed,
            } => {
                return write!(
                    f,
                    "{payee} has {available} AIGEN and would have to give back {needed} AIGEN"
                );
            }
            Self::Ledger(refusal) => return refusal.fmt(f),
            Self::BudgetUnknown => "there is no budget of this path",
            Self::AllowanceUnknown => "the user allows this app nothing",
            Self::AllowanceEnded => "the allowance was revoked or has expired",
            Self::SpenderInvalid => {
                "spending cannot be attributed to this address; it needs pairs of words like app:tutor"
            }
            Self::NothingCharged => "the call cost nothing",
            Self::CallReversed => "the call was reversed",
            Self::CallRefunded => "a part of the call was refunded, so that it cannot be reversed",
            Self::EpochSettled => "the epoch that the call counts in is settled",
            Self::NotFounded => "the network is not founded yet",
            Self::AlreadyFounded => "the network is already founded",
            Self::NameTaken => "the name is in use",
            Self::TooLong => "the name or text is too long",
            Self::AddressTaken => "the address cannot be opened",
            Self::AddressReserved => "money moves from and to this address by rule alone",
            Self::AmountZero => "the amount is zero",
            Self::KeyUnknown => "no such key",
            Self::KeyRevoked => "the key was revoked",
            Self::KeyExpired => "the key has expired",
            Self::ModelNotAllowed => "the key may not ask this model",
            Self::ControllerNotAllowed => "the key may not use this controller",
            Self::DatasetNotAllowed => "the key may not read this dataset",
            Self::RateLimited { rate, .. } => match rate {
                Rate::Requests => "the key made all the requests that it may make in this minute",
                Rate::Tokens => "the key used all the tokens that it may use in this minute",
            },
            Self::ModelUnknown => "no such model",
            Self::ControllerUnknown => "no such controller version",
            Self::ControllerVersionExists => "this version was published with other contents",
            Self::ControllerYanked => "this version was yanked by its publisher",
            Self::ContentMismatch => "the content is missing, or not what the release names",
            Self::SignatureInvalid => "the signature does not fit this release and publisher",
            Self::PublisherMismatch => "this owner's releases are signed with another key",
            Self::SignatureMissing => "this owner's releases are signed, and this one is not",
            Self::TagInvalid => "a tag begins with a letter, so that it is no version",
            Self::TagUnknown => "the controller has no such tag",
            Self::ValidatorUnknown => "no such validator",
            Self::CoverExhausted => "the balance covers no further token",
            Self::TooManyHolds => "the call has as many holds as a call may have",
            Self::CallUnknown => "no such call",
            Self::CallExists => "a call with this id was already made",
            Self::CallExistsWithDifferentRequest => {
                "a call with this id was already made, with another request"
            }
            Self::SubCallInvalid => {
                "a call within a call has the same key, payer and spender, and none within itself"
            }
            Self::CallClosed => "the call has ended",
            Self::UsageExceedsCover => "more tokens were reported than were covered",
            Self::UsageRunsBackwards => "fewer tokens were reported than before",
            Self::EpochNotCurrent => "that is not the current epoch",
            Self::EpochPhase => "the epoch is in another phase",
            Self::AssignmentInvalid => {
                "the assignment is empty, too large, or names what does not exist"
            }
            Self::NotAssigned => "the validator has nothing assigned in this epoch",
            Self::CommitmentCopied => "another validator has committed to the same bytes",
            Self::RevealMismatch => "what was revealed is not what was committed",
            Self::ReportInvalid => "a report is out of range or was not assigned",
            Self::GoldMismatch => "what was opened is not what was committed at assignment",
            Self::SettlementInvalid => "the settlement's input is not well formed",
            Self::WindowOpen => "a window is still open",
            Self::SeedMismatch => "the seed is missing, or is not the one that was committed to",
            Self::PanelMismatch => {
                "the validators assigned are not the panel that the last seed draws"
            }
            Self::AuditMismatch => "the audited cells are not those that the seed draws",
            Self::PayoutHeld => {
                "the epoch before is not paid yet: appeals are possible or undecided"
            }
            Self::RulesInvalid => "the rules are not valid",
            Self::RulesVersion => "another change of the rules was proposed meanwhile",
            Self::StakeInUse => "the stake answers for an epoch that is not over",
            Self::AppealClosed => "the epoch has no results that can be appealed now",
            Self::AppealUnknown => "no such open appeal",
            Self::DatasetUnknown => "no such dataset version",
            Self::DatasetVersionExists => {
                "this dataset version was published with other contents or terms"
            }
            Self::DatasetNotOwned => "the name in front of the dataset belongs to another account",
            Self::DatasetInvalid => {
                "a dataset needs columns with different names, a licence and a use"
            }
            Self::DatasetWithdrawn => "this dataset version was withdrawn",
            Self::DatasetNotGranted => {
                "the dataset is not open, and nothing of it is granted to this account"
            }
            Self::DatasetUseNotAllowed => "the dataset may not be read for this use",
            Self::ColumnNotGranted => "a column was asked for that is not granted",
            Self::ColumnUnknown => "the dataset has no such column",
            Self::RowsUnknown => "the dataset has fewer rows",
            Self::ReadInvalid => {
                "a read names too many ranges of rows, more hits than rows, or is a download of a part"
            }
            Self::GrantUnknown => "nothing of the dataset is granted to this account",
            Self::TooManyReads => "the call has as many reads as a call may have",
            Self::AmountTooLarge => "an amount left its range",
        };
        f.write_str(text)
    }
}

fn kind(cap: &Cap) -> &'static str {
    match cap.of {
        Capped::Path(_) => "budget",
        Capped::Allowance { .. } => "allowance",
    }
}

impl core::error::Error for Refusal {}

impl From<TransferRefusal> for Refusal {
    fn from(refusal: TransferRefusal) -> Self {
        Self::Ledger(refusal)
    }
}

impl From<RatingError> for Refusal {
    fn from(_: RatingError) -> Self {
        Self::AmountTooLarge
    }
}
