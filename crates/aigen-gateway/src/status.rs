//! The one table of status codes: what each refusal and failure looks like in HTTP.
//!
//! A row is status, type, code and the way out; the reason itself comes from whoever refused.

use crate::failure::{Failure, Row};
use crate::limits::BODY_TIME_MAX;
use crate::nearest::nearest;
use aigen_api::JsonError;
use aigen_api::openai::ApiError;
use aigen_api::openai::ErrorKind::{
    Authentication, Conflict, Controller, InvalidRequest, NotFound, Overloaded, Payment,
    Permission, RateLimit, Server, Upstream,
};
use aigen_node::network::{Cap, Receipt, Refusal};
use aigen_node::{BadRow, EngineError, Fault, ImportError, NodeError, ReadError, TextFault};
use aigen_types::{Address, Amount, CallId, ModelName, Slug};
use axum::http::{Method, StatusCode};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

const CORRECT: &str = "correct the request and send it again";
const SEE_DATASETS: &str = "GET /v1/aigen/datasets lists what is published here";
const SEE_MODELS: &str = "GET /v1/models lists what is served here";
const ASK_OPERATOR: &str = "ask the operator of this node";
const TELL_OPERATOR: &str = "nothing was charged; tell the operator of this node";
/// When to ask again for a model that is being loaded: some gigabytes take a minute, and asking costs nothing.
const LOADING_PAUSE: Duration = Duration::from_secs(5);
const RETRY: &str = "nothing was charged; try again in a moment";

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        Self::from(&error)
    }
}

#[rustfmt::skip] // One row per line.
impl From<&NodeError> for Failure {
    fn from(error: &NodeError) -> Self {
        let row = match error {
            NodeError::KeyWrong => Row(401, Authentication, "invalid_api_key", "check the key, or ask the operator for a new one"),
            NodeError::Forbidden(_) => Row(403, Permission, "forbidden", "use a key that may, or ask the operator"),
            NodeError::KeyShares { account, spender, .. } => return key_shares(error, account, spender),
            NodeError::ModelUnknown { .. } => Row(404, NotFound, "model_not_found", SEE_MODELS),
            NodeError::ModelLoading { .. } => Row(503, Overloaded, "model_loading", "nothing was charged; try again in a while: GET /ready tells how far it is"),
            NodeError::NotLoaded(_) => Row(409, Conflict, "model_not_loaded", "GET /v1/models lists what is served; `aigen model unload` makes room"),
            NodeError::ContextTooLong { .. } | NodeError::PromptTooLong { .. } => Row(400, InvalidRequest, "context_length_exceeded", "shorten the prompt"),
            NodeError::ControllerUnknown(_) => Row(404, NotFound, "controller_not_found", "GET /v1/aigen/controllers lists what is published here"),
            NodeError::Steering(_) | NodeError::Given { .. } => Row(422, Controller, "controller_refused", "correct the controller, its parameters or the schema"),
            NodeError::CompilersBusy(_) => Row(503, Overloaded, "compilers_busy", RETRY),
            NodeError::ControllerFault { fault, charged } => return Failure::unbegun(fault, *charged),
            NodeError::DatasetUnknown(_) => Row(404, NotFound, "dataset_unknown", SEE_DATASETS),
            NodeError::DatasetElsewhere(_) => Row(503, Server, "dataset_elsewhere", "nothing was charged; ask the node that it was published on, or publish the same rows here"),
            NodeError::DatasetComing(_) => Row(503, Overloaded, "dataset_coming", "nothing was charged; ask again in a moment: GET /v1/aigen/imports tells the owner how far it is"),
            NodeError::ReadTooDear { each: None, .. } => Row(402, Payment, "budget_too_small", "allow at least that in `max_cost`"),
            NodeError::ReadTooDear { .. } => Row(402, Payment, "budget_too_small", "allow at least that in `max_cost`, or ask for fewer rows with `limit`"),
            NodeError::NoDatasets => Row(503, Server, "no_datasets", ASK_OPERATOR),
            NodeError::UploadsBusy => Row(503, Overloaded, "uploads_busy", RETRY),
            NodeError::DatasetDiffers(_) => Row(422, InvalidRequest, "dataset_differs", "send the file again"),
            NodeError::DatasetUnfit(error) => return unfit(error),
            NodeError::DatasetRead(error) => return unread(error, "q"),
            NodeError::PassagesUnread { named: false, error: ReadError::LongQuery { .. }, .. } => Row(400, InvalidRequest, "invalid_value", "ask in fewer words, or say what to look for in the `query` of `aigen.datasets`"),
            NodeError::PassagesUnread { at, error, .. } => return unread(error, &format!("aigen.datasets[{at}].query")),
            NodeError::DatasetUnreadable(_) => Row(500, Server, "dataset_unreadable", TELL_OPERATOR),
            NodeError::NotKept(_) => Row(404, NotFound, "replay_not_kept", "ask with `aigen.replay`; the node that answered keeps such calls for as long as its operator says"),
            NodeError::ReplayUnreadable { .. } => Row(500, Server, "replay_unreadable", TELL_OPERATOR),
            NodeError::ContentMissing(_) => Row(503, Server, "content_missing", TELL_OPERATOR),
            NodeError::Store(_) => Row(503, Server, "store_failed", TELL_OPERATOR),
            NodeError::Parameter { .. } => Row(422, Controller, "invalid_parameter", "GET /v1/aigen/controllers/{reference} shows the manifest, which says what it takes"),
            NodeError::ParameterUnknown { .. } => Row(422, Controller, "invalid_parameter", "leave it out, or correct its name"),
            NodeError::Input { .. } => Row(422, Controller, "invalid_input", "correct the input: GET /v1/aigen/functions shows what each function takes"),
            NodeError::FunctionUnknown(_) => Row(404, NotFound, "function_not_found", "GET /v1/aigen/functions lists what is published here"),
            NodeError::Unsupported { param: "model", .. } => Row(400, InvalidRequest, "unsupported_parameter", "ask another model: GET /v1/models tells what each is"),
            NodeError::Unsupported { param: "aigen.datasets", .. } => Row(400, InvalidRequest, "unsupported_parameter", "send one text, or leave the datasets out"),
            NodeError::Unsupported { param: "prompt", .. } => Row(400, InvalidRequest, "unsupported_parameter", "send one text per request, or ask a model that is computed here: GET /v1/models tells"),
            NodeError::Unsupported { param: "aigen.replay", .. } => Row(400, InvalidRequest, "unsupported_parameter", "leave it out, or ask a model of this node for one answer at a time"),
            NodeError::Unsupported { param: "n", .. } => Row(400, InvalidRequest, "unsupported_parameter", "ask for fewer answers, or several times"),
            NodeError::Unsupported { .. } => Row(400, InvalidRequest, "unsupported_parameter", "leave it out, or ask a model of control level `token`: GET /v1/models tells"),
            NodeError::Upstream(fault) => return upstream(fault),
            NodeError::CallExists { same: true, .. } => Row(409, Conflict, "idempotency_in_progress", "wait for the first request, or use another Idempotency-Key"),
            NodeError::CallExists { same: false, .. } => Row(409, Conflict, "idempotency_key_reused", "use another Idempotency-Key for another request"),
            NodeError::Refused(refusal) => return refused(refusal),
            NodeError::Busy { own: true, .. } => Row(429, RateLimit, "key_busy", "nothing was charged; wait until some of them have ended"),
            NodeError::Busy { .. } => Row(503, Overloaded, "engine_busy", RETRY),
            NodeError::ShuttingDown => Row(503, Overloaded, "shutting_down", RETRY),
            NodeError::Conversation(_) => Row(400, InvalidRequest, "conversation_refused", "say it in other roles, or ask POST /v1/completions, which takes plain text"),
            NodeError::Engine(_) => Row(500, Server, "engine_failed", TELL_OPERATOR),
            NodeError::JournalUnreachable => Row(503, Overloaded, "journal_unreachable", RETRY),
            NodeError::NotLeading => Row(421, Conflict, "not_leading", "send it to the node that leads"),
            NodeError::Unverifiable => Row(409, Conflict, "not_verifiable", "stop the node and run `aigen ledger verify`"),
            NodeError::BatchUnreadable(_) => Row(400, InvalidRequest, "batch_unreadable", "run the same version of aigen on every node"),
            NodeError::Journal(_) => Row(503, Server, "journal_stopped", "tell the operator of this node"),
        };
        let failure = row.because(error);
        match error {
            NodeError::ModelUnknown { .. } => failure.param("model"),
            NodeError::ControllerUnknown(_) => failure.param("aigen.controller"),
            NodeError::Parameter { path, .. } | NodeError::ParameterUnknown { path, .. } | NodeError::Given { path, .. } | NodeError::Input { path, .. } => failure.param(path),
            NodeError::Unsupported { param, .. } => failure.param(param),
            NodeError::ReadTooDear { each, .. } => match each {
                Some((_, fit)) => failure.param("max_cost").metadata("rows_within", *fit),
                None => failure.param("max_cost"),
            },
            NodeError::Busy { after, .. } => failure.retry_after(*after),
            NodeError::ModelLoading { .. } => failure.retry_after(LOADING_PAUSE),
            NodeError::ShuttingDown | NodeError::JournalUnreachable | NodeError::UploadsBusy | NodeError::CompilersBusy(_) | NodeError::DatasetComing(_) => failure.retry(true),
            NodeError::CallExists { same, .. } => failure.retry(*same),
            _ => failure,
        }
    }
}

/// A key that was made without a budget cannot be given one: what it spent until now would count nowhere.
fn key_shares(error: &NodeError, account: &Address, spender: &Address) -> Failure {
    let of = match account == spender {
        true => String::new(),
        false => format!(" --spender {spender}"),
    };
    let way_out = &*format!(
        "make a key with a budget, `aigen key create {account}{of} --budget AMOUNT`, and revoke this one; or bound all of them: aigen budget set {spender} AMOUNT"
    );
    Row(409, Conflict, "key_shares_spender", way_out).because(error)
}

/// A file is no dataset. What is wrong with its rows is said one by one.
#[rustfmt::skip]
fn unfit(error: &ImportError) -> Failure {
    let row = match error {
        ImportError::BadRows(_) => Row(422, InvalidRequest, "dataset_rows_invalid", "correct these rows and send the file again"),
        ImportError::Unfit { .. } => Row(422, InvalidRequest, "dataset_unfit", "correct the file and send it again"),
        ImportError::Full(_) => Row(507, Server, "datasets_full", "ask the operator for more: `total_mib` of [datasets]"),
        ImportError::Source { .. } | ImportError::Keep(_) | ImportError::Index(_) => Row(500, Server, "dataset_unreadable", TELL_OPERATOR),
    };
    let failure = row.because(error);
    match error {
        ImportError::BadRows(bad) => {
            let told = |row: &BadRow| serde_json::json!({"line": row.line, "column": row.column, "what": row.what, "hint": row.hint});
            let first: Vec<_> = bad.first.iter().map(told).collect();
            failure.metadata("bad_rows", first).metadata("bad_rows_total", bad.total)
        }
        _ => failure,
    }
}

/// Rows were not read; nothing was charged. What is looked for stands in the field `asked`.
fn unread(error: &ReadError, asked: &str) -> Failure {
    match error {
        ReadError::UnknownColumn { .. } => Failure::invalid("columns", error),
        ReadError::LongQuery { .. } => Failure::invalid(asked, error),
        _ => Row(500, Server, "dataset_unreadable", TELL_OPERATOR).because(error),
    }
}

/// Another server did not answer, or not so.
#[rustfmt::skip]
fn upstream(fault: &TextFault) -> Failure {
    const OTHER: &str = "nothing was charged; try again later, or ask another model";
    let row = match fault {
        TextFault::Unavailable { retry_after_millis: Some(_), .. } => Row(503, Overloaded, "upstream_unavailable", RETRY),
        TextFault::Unavailable { .. } => Row(502, Upstream, "upstream_unavailable", OTHER),
        TextFault::Timeout { .. } => Row(504, Upstream, "upstream_timeout", OTHER),
        TextFault::Refused { .. } => Row(400, InvalidRequest, "upstream_refused", CORRECT),
        TextFault::Broken { .. } => Row(502, Upstream, "upstream_broken", OTHER),
        TextFault::Schema { .. } => Row(502, Upstream, "upstream_schema", OTHER),
    };
    let failure = row.because(fault);
    match fault {
        TextFault::Unavailable { retry_after_millis: Some(millis), .. } => failure.retry_after(Duration::from_millis(*millis)),
        TextFault::Refused { .. } => failure.retry(false),
        _ => failure,
    }
}

/// A rule said no.
#[rustfmt::skip]
fn refused(refusal: &Refusal) -> Failure {
    let code = refusal.code();
    let row = match refusal {
        Refusal::BudgetExhausted { cap, .. } if cap.window.ends_at().is_none() => Row(402, Payment, code, "have the budget raised, which never begins anew"),
        Refusal::BudgetExhausted { .. } => Row(402, Payment, code, "wait for the next period, or have the budget raised"),
        Refusal::InFlight { .. } => Row(402, Payment, code, "wait until a running call ends and try again"),
        Refusal::AllowanceUnknown | Refusal::AllowanceEnded => Row(403, Permission, code, "ask the user for one: aigen allowance grant APP --cap AMOUNT"),
        Refusal::BudgetUnknown => Row(404, NotFound, code, "GET /v1/aigen/budgets lists those there are"),
        Refusal::SpenderInvalid => Row(400, InvalidRequest, code, "give the key a spender of pairs of words: aigen key create ADDRESS --spender app:NAME"),
        Refusal::CallReversed | Refusal::NothingCharged => Row(409, Conflict, code, "see GET /v1/aigen/receipts/{id}"),
        Refusal::CallRefunded | Refusal::EpochSettled => Row(409, Conflict, code, "refund it instead: aigen refund CALL AMOUNT"),
        Refusal::RefundTooLarge { .. } => Row(409, Conflict, code, "refund at most what is left"),
        Refusal::PayeeShort { .. } => Row(409, Conflict, code, "fund that account, or refund the call from the treasury"),
        Refusal::InsufficientFunds { .. } | Refusal::CoverExhausted => Row(402, Payment, code, "fund the account: ask the operator"),
        Refusal::Ledger(ledger) if ledger.code() == "exceeds_credits" => Row(402, Payment, "insufficient_funds", "fund the account: ask the operator"),
        Refusal::Ledger(ledger) if is_id_conflict(ledger.code()) => Row(409, Conflict, code, "choose another id"),
        Refusal::BudgetTooSmall { .. } => Row(402, Payment, code, "allow at least that in `aigen.max_cost`"),
        Refusal::KeyRevoked | Refusal::KeyExpired => Row(401, Authentication, code, "ask the operator for a new key"),
        Refusal::ModelNotAllowed | Refusal::ControllerNotAllowed | Refusal::DatasetNotAllowed => Row(403, Permission, code, "use a key that may, or ask the operator"),
        Refusal::RateLimited { .. } => Row(429, RateLimit, code, "wait until the minute is over, or ask the operator for a higher limit"),
        Refusal::AddressReserved | Refusal::NotAssigned => Row(403, Permission, code, "see GET /v1/aigen/account for the address of your key"),
        Refusal::ModelUnknown => Row(404, NotFound, "model_not_found", SEE_MODELS),
        Refusal::KeyUnknown | Refusal::ControllerUnknown | Refusal::ValidatorUnknown => Row(404, NotFound, code, "check the name"),
        Refusal::CallUnknown => Row(404, NotFound, code, "check the id"),
        Refusal::ControllerYanked => Row(422, Controller, code, "use another version: GET /v1/aigen/controllers/{owner}/{name}/versions lists them"),
        Refusal::SignatureInvalid => Row(422, Controller, code, "sign it again: aigen controller publish"),
        Refusal::SignatureMissing => Row(422, Controller, code, "publish with a manifest and a signature: aigen controller publish"),
        Refusal::PublisherMismatch => Row(403, Permission, code, "sign with the key that the owner's first release was signed with"),
        Refusal::TagUnknown => Row(404, NotFound, code, "check the name"),
        Refusal::TagInvalid | Refusal::ContentMismatch => Row(400, InvalidRequest, code, CORRECT),
        Refusal::DatasetUnknown => Row(404, NotFound, code, "check the name; a version is written owner/name@1.2.3"),
        Refusal::GrantUnknown => Row(404, NotFound, code, "check the name"),
        Refusal::DatasetWithdrawn => Row(410, NotFound, code, "use another version of the dataset"),
        Refusal::DatasetNotGranted | Refusal::ColumnNotGranted => Row(403, Permission, code, "ask the dataset's owner for a grant"),
        Refusal::DatasetUseNotAllowed => Row(403, Permission, code, "read it for what its licence and your grant allow, or ask its owner"),
        Refusal::DatasetNotOwned => Row(403, Permission, code, "use a key of that account, or publish below a name of your own"),
        Refusal::DatasetVersionExists => Row(409, Conflict, code, "publish a higher version; `aigen dataset price` changes what reads cost"),
        Refusal::DatasetInvalid | Refusal::ColumnUnknown | Refusal::RowsUnknown | Refusal::ReadInvalid | Refusal::TooManyReads => Row(400, InvalidRequest, code, CORRECT),
        Refusal::NameTaken | Refusal::AddressTaken => Row(409, Conflict, code, "choose another name"),
        Refusal::ControllerVersionExists => Row(409, Conflict, code, "publish a higher version"),
        Refusal::CallExists | Refusal::CallExistsWithDifferentRequest | Refusal::CallClosed | Refusal::SubCallInvalid => Row(409, Conflict, code, "use another Idempotency-Key"),
        Refusal::EpochNotCurrent | Refusal::EpochPhase => Row(409, Conflict, code, "GET /v1/aigen/epochs/current tells number and phase"),
        Refusal::WindowOpen | Refusal::PayoutHeld => Row(409, Conflict, code, "wait until the window ends: GET /v1/aigen/epochs/current tells when"),
        Refusal::StakeInUse => Row(409, Conflict, code, "try again when the epoch is settled and paid"),
        Refusal::RulesVersion => Row(409, Conflict, code, "GET /v1/aigen/rules tells the last version; propose the next"),
        Refusal::AppealClosed | Refusal::AppealUnknown => Row(409, Conflict, code, "an epoch can be appealed between its settlement and its payment"),
        Refusal::CommitmentCopied => Row(409, Conflict, code, "commit with a salt of your own"),
        Refusal::AlreadyFounded => Row(409, Conflict, code, "use the network as it is"),
        Refusal::NotFounded => Row(503, Overloaded, code, "the operator has to found the network first"),
        Refusal::TooLong | Refusal::AmountZero | Refusal::AmountTooLarge | Refusal::AssignmentInvalid | Refusal::RevealMismatch
        | Refusal::ReportInvalid | Refusal::GoldMismatch | Refusal::SeedMismatch | Refusal::PanelMismatch | Refusal::AuditMismatch | Refusal::RulesInvalid | Refusal::Ledger(_) => Row(400, InvalidRequest, code, CORRECT),
        Refusal::TooManyHolds | Refusal::UsageExceedsCover | Refusal::UsageRunsBackwards | Refusal::SettlementInvalid => Row(500, Server, code, TELL_OPERATOR),
    };
    let told = refusal.to_string();
    let failure = match refusal {
        // The ledger's own way out is the same.
        Refusal::Ledger(ledger) if is_id_conflict(ledger.code()) => row.because(told.split("; ").next().unwrap_or(&told)),
        _ => row.because(told),
    };
    match refusal {
        Refusal::BudgetTooSmall { .. } => failure.param("aigen.max_cost").metadata("reason", "budget_exhausted"),
        Refusal::BudgetExhausted { cap, .. } => bounded(failure, cap).metadata("reason", code),
        Refusal::InFlight { cap, .. } => {
            let failure = cap.iter().fold(failure, |failure, cap| bounded(failure, cap));
            failure.metadata("reason", code).retry(true)
        }
        Refusal::RateLimited { resets_at, .. } => failure.metadata("resets_at", resets_at.0).retry_at(*resets_at),
        _ if failure.status == StatusCode::PAYMENT_REQUIRED => failure.metadata("reason", "insufficient_funds"),
        _ => failure,
    }
}

/// Names the budget or allowance, and when it begins anew.
fn bounded(failure: Failure, cap: &Cap) -> Failure {
    let failure = failure.metadata("budget", cap.of.to_string());
    match cap.window.ends_at() {
        Some(end) => failure.metadata("resets_at", end.0),
        None => failure,
    }
}

fn is_id_conflict(code: &str) -> bool {
    code.starts_with("exists_with_different") || code == "id_already_failed"
}

/// As much of a text from outside as an error needs to quote.
fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// What the gateway itself refuses.
impl Failure {
    pub fn key_missing() -> Self {
        Row(
            401,
            Authentication,
            "missing_api_key",
            "send `Authorization: Bearer <key>` or `x-api-key: <key>`",
        )
        .because("the request carries no API key")
    }

    pub fn route_unknown(method: &Method, path: &str) -> Self {
        let meant = match nearest(path) {
            Some(near) if path.starts_with("/v1/") => format!("{near} is one"),
            None if path.starts_with("/v1/") => "check the path".to_owned(),
            _ => {
                "the API is under /v1: set the client's base URL to http://HOST:PORT/v1".to_owned()
            }
        };
        let way_out = &*format!("{meant}; GET /api-doc/openapi.json has every route");
        Row(404, NotFound, "unknown_route", way_out)
            .because(format_args!("there is no {method} {path}"))
    }

    pub fn method_not_allowed(method: &Method, path: &str) -> Self {
        Row(
            405,
            InvalidRequest,
            "method_not_allowed",
            "use a method of the `allow` header",
        )
        .because(format_args!("{path} does not answer {method}"))
    }

    pub fn body_too_large(max: usize) -> Self {
        Row(413, InvalidRequest, "body_too_large", "send less").because(format_args!(
            "the body is larger than {} MiB ({max} bytes)",
            max >> 20
        ))
    }

    pub fn upload_too_large(max: u64) -> Self {
        let way_out = "send less, or ask the operator for more: `upload_mib` of [datasets]";
        Row(413, InvalidRequest, "body_too_large", way_out)
            .because(format_args!("the file is larger than {} MiB", max >> 20))
    }

    pub fn body_slow() -> Self {
        Row(408, InvalidRequest, "body_timeout", "send the body faster").because(format_args!(
            "the body did not arrive within {} seconds",
            BODY_TIME_MAX.as_secs()
        ))
    }

    pub fn body_broken(error: &impl Display) -> Self {
        Row(400, InvalidRequest, "body_unreadable", CORRECT)
            .because(format_args!("the body could not be read: {error}"))
    }

    pub fn not_json(declared: &str) -> Self {
        Row(
            415,
            InvalidRequest,
            "unsupported_media_type",
            "send JSON with `content-type: application/json`",
        )
        .because(format_args!(
            "bodies of type {declared:?} are not understood"
        ))
    }

    pub fn encoded(encoding: &str) -> Self {
        let row = Row(
            415,
            InvalidRequest,
            "unsupported_encoding",
            "send the body as it is",
        );
        row.because(format_args!(
            "bodies in the encoding {encoding:?} are not read"
        ))
    }

    pub fn invalid(param: &str, reason: impl Display) -> Self {
        Row(400, InvalidRequest, "invalid_value", CORRECT)
            .because(format_args!("{param}: {reason}"))
            .param(param)
    }

    /// A field that would change the answer and cannot: never silently ignored.
    pub fn unsupported(param: &str, way_out: &str) -> Self {
        Row(400, InvalidRequest, "unsupported_parameter", way_out)
            .because(format_args!("`{param}` is not supported here"))
            .param(param)
    }

    /// An `Idempotency-Key` where nothing would make a repetition harmless is never ignored.
    pub fn never_done_once() -> Self {
        let way_out = "leave the header out, and look before you ask again: what this does has no id that it could stand for";
        Self::unsupported("Idempotency-Key", way_out)
    }

    /// A key that has ended stays as it was.
    pub fn key_ended(name: &Slug) -> Self {
        Row(
            409,
            Conflict,
            "key_ended",
            "make a new one: aigen key create ADDRESS",
        )
        .because(format_args!("the key {name} was revoked"))
    }

    pub fn model_unknown<'a>(model: &str, models: impl Iterator<Item = &'a ModelName>) -> Self {
        let models: Vec<_> = models.map(ModelName::as_str).collect();
        let way_out = format!("ask for one that is: {}", models.join(", "));
        Row(404, NotFound, "model_not_found", &way_out)
            .because(format_args!(
                "model {:?} is not served here",
                shortened(model)
            ))
            .param("model")
    }

    pub fn not_found(what: impl Display, way_out: &str) -> Self {
        Row(404, NotFound, "not_found", way_out).because(what)
    }

    /// Not all that there should be are there; these are being loaded, in per cent.
    pub fn no_models(loading: &BTreeMap<ModelName, u8>) -> Self {
        let told = loading
            .iter()
            .map(|(model, part)| format!("{model} ({part} %)"));
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            let row = Row(503, Overloaded, "no_models", ASK_OPERATOR);
            return row.because("no model is served here");
        }
        let row = Row(503, Overloaded, "model_loading", "try again in a while");
        let failure = row.because(format_args!("being loaded: {}", told.join(", ")));
        let loading = loading.iter();
        let loading = loading.map(|(model, part)| (model.to_string(), (*part).into()));
        let loading: serde_json::Map<_, _> = loading.collect();
        failure
            .metadata("loading", loading)
            .retry_after(LOADING_PAUSE)
    }

    pub fn panicked() -> Self {
        Row(
            500,
            Server,
            "internal_error",
            "tell the operator of this node, with the x-request-id",
        )
        .because("this request failed by a defect of the gateway")
    }

    /// The call is over, its reply is not kept any more: only its receipt is.
    pub fn reply_gone(receipt: CallId) -> Self {
        let way_out = format!(
            "GET /v1/aigen/receipts/{receipt} tells what it cost; to ask again use another Idempotency-Key"
        );
        Row(409, Conflict, "idempotency_reply_gone", &way_out)
            .because("this Idempotency-Key was used before, and its reply is not kept here: it is too old, was not read to its end, or another node gave it")
            .metadata("receipt", receipt.to_string())
            .retry(false)
    }
}

/// How a call that began can fail. What it used is charged, so nobody should retry blindly.
impl Failure {
    pub fn fault(fault: &Fault) -> Self {
        let way_out = "what was used is charged; correct the controller or the request";
        match fault {
            Fault::Engine(EngineError::Upstream(_)) => Row(
                502,
                Upstream,
                "upstream_failed",
                "what had come is charged; ask again, or ask another model",
            ),
            Fault::Engine(_) | Fault::Crashed => Row(
                500,
                Server,
                "engine_failed",
                "what was produced is charged; tell the operator of this node",
            ),
            _ => Row(422, Controller, "controller_fault", way_out),
        }
        .because(fault)
        .metadata("fault", fault.name())
        .said_in(fault)
    }

    /// What a model said that is not of the form is never lost.
    fn said_in(self, fault: &Fault) -> Self {
        match fault {
            Fault::Engine(EngineError::Upstream(TextFault::Schema { said, .. })) => {
                self.metadata("raw", &*said.0)
            }
            _ => self,
        }
    }

    /// The same of a controller that would not even begin: nothing was computed, but it may have had
    /// others asked, who are paid.
    pub fn unbegun(fault: &Fault, charged: Option<(CallId, Amount)>) -> Self {
        let way_out = match charged {
            None => "nothing was charged; correct the controller or the request",
            Some(_) => "what it had others asked is charged; correct the controller or the request",
        };
        let failure = Row(422, Controller, "controller_fault", way_out)
            .because(fault)
            .metadata("fault", fault.name());
        match charged {
            Some((call, cost)) => failure.was_charged(call, cost),
            None => failure,
        }
    }

    pub fn cut_off() -> Self {
        Row(
            503,
            Overloaded,
            "shutting_down",
            "what was produced is charged; ask again",
        )
        .because("the node is shutting down")
    }

    /// The node went away between the first token and the receipt.
    pub fn unsettled(receipt: CallId) -> Self {
        Row(
            503,
            Server,
            "journal_stopped",
            "the receipt will exist once the node is back; do not ask again blindly",
        )
        .because("the node stopped before the call was settled")
        .metadata("receipt", receipt.to_string())
        .retry(false)
    }

    /// With what was charged all the same.
    pub fn charged(self, call: CallId, receipt: &Receipt) -> Self {
        self.was_charged(call, receipt.total())
    }

    /// The same where the cost is known by itself.
    pub fn was_charged(self, call: CallId, cost: Amount) -> Self {
        self.metadata("receipt", call.to_string())
            .metadata("cost", cost.to_string())
            .retry(false)
    }

    /// A function's answer that ended before its value did.
    pub fn truncated(raw: &str, stop: &'static str) -> Self {
        let (why, way_out) = match stop {
            "budget" => (
                "the money ended before the value did",
                "what was produced is charged; allow more in `aigen.max_cost`, or fund the account",
            ),
            "content_filter" => (
                "a filter of the server that computes the model held the value back",
                "what was produced is charged; change the input, or name another model in `aigen.model`",
            ),
            _ => (
                "the function's output tokens ended before its value did",
                "what was produced is charged; allow more in `aigen.max_tokens`, or call a version whose `max_tokens` is higher",
            ),
        };
        Row(422, Controller, "truncated", way_out)
            .because(why)
            .metadata("raw", raw)
            .metadata("stop", stop)
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        let failure = Row(400, InvalidRequest, "invalid_json", CORRECT).because(&error);
        match &error.path {
            Some(path) => failure.param(path),
            None => failure,
        }
    }
}

/// A request whose shape is right and whose values are not.
impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match &error.param {
            Some(param) => Self::invalid(param, &error.message),
            None => Row(400, InvalidRequest, "invalid_value", CORRECT).because(&error.message),
        }
    }
}
