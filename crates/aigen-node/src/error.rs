use crate::steering::BUILT_IN;
use aigen_datasets::{ImportError, ReadError};
use aigen_engine::EngineError;
use aigen_engine::text::TextFault;
use aigen_jarvis::{CompileError, CompileErrorKind, Fault, StartError};
use aigen_jarvis_host::ComponentError;
use aigen_journal::{Stopped, StoreError};
use aigen_network::Refusal;
use aigen_types::{
    Address, Amount, CallId, ControllerSelector, DatasetRef, Digest, ModelName, Slug,
};
use std::time::Duration;
use thiserror::Error;

/// Why the node does not do what it was asked. What it means in HTTP is the gateway's business.
#[derive(Debug, Error)]
pub enum NodeError {
    /// No key, an unknown key or a wrong secret: which one is not said.
    #[error("the API key is missing or wrong")]
    KeyWrong,
    /// The key may not do this.
    #[error("this key may not do that: {0}")]
    Forbidden(&'static str),
    /// A key has no budget of its own where others may spend what it spends.
    #[error(
        "the key {key} spends for {spender}, which is not its own: other keys may spend for it, too"
    )]
    KeyShares {
        /// The key.
        key: Slug,
        /// Whose money it spends.
        account: Address,
        /// To whom its spending is attributed.
        spender: Address,
    },
    /// No such model here.
    #[error("model `{model}` is not served here; available: {available}")]
    ModelUnknown {
        /// What was asked for.
        model: ModelName,
        /// What there is.
        available: String,
    },
    /// The model is being brought up.
    #[error("model `{model}` is being loaded: {percent} %")]
    ModelLoading {
        /// What was asked for.
        model: ModelName,
        /// How far it is, in per cent.
        percent: u8,
    },
    /// A model cannot be brought up.
    #[error("{0}")]
    NotLoaded(String),
    /// The prompt leaves no room in the context.
    #[error("the prompt has {prompt} tokens, the model's context holds {context}")]
    ContextTooLong {
        /// Prompt tokens.
        prompt: u64,
        /// Tokens one sequence may hold.
        context: u64,
    },
    /// The prompt does not fit the context, in whatever tokens it is read elsewhere.
    #[error("the prompt has at least {least} tokens, the model's context holds {context}")]
    PromptTooLong {
        /// Prompt tokens that there are at least.
        least: u64,
        /// Tokens of prompt and answer together.
        context: u64,
    },
    /// No such controller.
    #[error("controller `{}` is not published here{}", written(.0), controller_form(.0))]
    ControllerUnknown(String),
    /// The controller or grammar cannot steer this request.
    #[error("{0}")]
    Steering(String),
    /// It cannot with what it is given.
    #[error("{reason}")]
    Given {
        /// Which field, like `aigen.params.options`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Others' grammars compile, and this one waited for too long.
    #[error("{0}")]
    CompilersBusy(String),
    /// The controller would not begin. What it asked of others is charged, and nothing else.
    #[error("{fault}")]
    ControllerFault {
        /// Why.
        fault: Fault,
        /// The receipt of what it asked of others, and what that cost, if it cost anything.
        charged: Option<(CallId, Amount)>,
    },
    /// A release names a component that the store has lost.
    #[error("the component {0} is missing from the journal's store, or damaged")]
    ContentMissing(Digest),
    /// No such dataset.
    #[error("dataset `{}` is not published here", written(.0))]
    DatasetUnknown(String),
    /// The dataset is published, and its rows are on another node.
    #[error("the rows of {0} are not on this node")]
    DatasetElsewhere(DatasetRef),
    /// The node is taking the rows from the journal's store.
    #[error("the rows of {0} are on their way to this node")]
    DatasetComing(DatasetRef),
    /// Rows cost more than the reader allowed.
    #[error("{} {needed} AIGEN, and the read may cost {budget} AIGEN{}", counted(*.rows, *.hits), fitting(*.each))]
    ReadTooDear {
        /// How many rows.
        rows: u64,
        /// How many of them were found by a search.
        hits: u64,
        /// What was allowed.
        budget: Amount,
        /// What they cost.
        needed: Amount,
        /// What each of them costs, and how many are allowed; none where all are one price.
        each: Option<(Amount, u64)>,
    },
    /// The node keeps no datasets at all.
    #[error("this node keeps no datasets")]
    NoDatasets,
    /// As many files as may are being received.
    #[error("as many datasets are being received as may be at once")]
    UploadsBusy,
    /// The file does not have the rows that it was said to have.
    #[error("the rows that arrived have the digest {0}, and not the one that was said")]
    DatasetDiffers(Digest),
    /// A file is no dataset.
    #[error(transparent)]
    DatasetUnfit(#[from] ImportError),
    /// Rows were not read.
    #[error(transparent)]
    DatasetRead(#[from] ReadError),
    /// What is looked for in a dataset for a prompt cannot be.
    #[error("{error}")]
    PassagesUnread {
        /// Which dataset of the request, from 0.
        at: usize,
        /// Whether the request says what is looked for; else it is what the user said last.
        named: bool,
        /// Why.
        error: ReadError,
    },
    /// A file cannot be received.
    #[error("the file cannot be written: {0}")]
    DatasetUnreadable(String),
    /// Nothing is kept to run the call again.
    #[error("nothing is kept to run call {0} again")]
    NotKept(CallId),
    /// What is kept to run a call again cannot be read.
    #[error("what is kept to run call {call} again cannot be read: {reason}")]
    ReplayUnreadable {
        /// The call.
        call: CallId,
        /// What is wrong with it.
        reason: String,
    },
    /// Components could not be kept or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A parameter of the call is not what the controller's manifest says it takes.
    #[error("{path}: {reason}")]
    Parameter {
        /// Which, like `aigen.params.lesson`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The controller takes no such parameter.
    #[error("{path}: the controller `{controller}` takes no such parameter, only `{known}`")]
    ParameterUnknown {
        /// Which, like `aigen.params.words`.
        path: String,
        /// The controller.
        controller: String,
        /// What it takes.
        known: String,
    },
    /// What a function was called with is not what it takes.
    #[error("{path}: {reason}")]
    Input {
        /// Where, like `input.text`.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// No such function.
    #[error("function `{}` is not published here{}", written(.0), form(.0))]
    FunctionUnknown(String),
    /// The model cannot do what a field of the request asks for.
    #[error("`{param}` is not supported by model `{model}`: {reason}")]
    Unsupported {
        /// Which field.
        param: &'static str,
        /// Which model.
        model: ModelName,
        /// Why not.
        reason: &'static str,
    },
    /// The servers that answer for the model do not, or not so.
    #[error("{0}")]
    Upstream(TextFault),
    /// A call with the same idempotency key was made before.
    #[error("call {call} was already made with this idempotency key{}", if *.same { "" } else { ", with another request" })]
    CallExists {
        /// The call.
        call: CallId,
        /// Whether the request was the same.
        same: bool,
    },
    /// A rule says no.
    #[error("{0}")]
    Refused(Refusal),
    /// The machine is full; nothing was charged.
    #[error("the model is busy: {what}")]
    Busy {
        /// Of what there is too much.
        what: &'static str,
        /// Whether the key itself has too much of it.
        own: bool,
        /// When those before will have been answered.
        after: Duration,
    },
    /// The node is shutting down.
    #[error("the node is shutting down")]
    ShuttingDown,
    /// The model's chat template has no words for the conversation, or there is none.
    #[error("the model takes no such conversation: {0}")]
    Conversation(String),
    /// The engine failed before anything was produced.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// The journal's store, or the node that leads it, does not answer. Nothing was recorded.
    #[error("the journal cannot be reached")]
    JournalUnreachable,
    /// Another node leads the ledger.
    #[error("this node does not lead the ledger")]
    NotLeading,
    /// What another node forwarded is no batch of commands.
    #[error("the batch cannot be read: {0}")]
    BatchUnreadable(String),
    /// The journal's store has one door, and the node is in it.
    #[error("the journal of this node cannot be read beside it")]
    Unverifiable,
    /// The journal cannot record.
    #[error(transparent)]
    Journal(#[from] Stopped),
}

/// "3 rows cost", or "3 rows and as many hits cost".
fn counted(rows: u64, hits: u64) -> String {
    match (rows, hits) {
        (1, 0) => "1 row costs".to_owned(),
        (1, _) => "1 row that was searched for costs".to_owned(),
        (rows, 0) => format!("{rows} rows cost"),
        (rows, _) => format!("{rows} rows that were searched for cost"),
    }
}

impl NodeError {
    pub(crate) fn unopened(fault: Fault) -> Self {
        let charged = None;
        Self::ControllerFault { fault, charged }
    }
}

/// As people write it: the latest version without saying so.
fn written(name: &str) -> &str {
    name.strip_suffix("@latest").unwrap_or(name)
}

/// What a name that is none is told: how one is written.
fn form(name: &str) -> &'static str {
    let is_name = name.parse::<ControllerSelector>().is_ok() || name.parse::<Digest>().is_ok();
    match is_name {
        true => "",
        false => ": write it as owner/name, owner/name@1.2.3, @1.2, @1 or @tag",
    }
}

/// The same of what may be built in, too.
fn controller_form(name: &str) -> String {
    match form(name) {
        "" => String::new(),
        form => format!(
            "{form}; built in are {}",
            BUILT_IN.map(|(name, _)| name).join(", ")
        ),
    }
}

fn fitting(each: Option<(Amount, u64)>) -> String {
    match each {
        None => String::new(),
        Some((price, 0)) => format!(": at {price} AIGEN per row that is less than one"),
        Some((price, 1)) => format!(": at {price} AIGEN per row that is enough for one"),
        Some((price, fit)) => format!(": at {price} AIGEN per row that is enough for {fit}"),
    }
}

impl From<Refusal> for NodeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<CompileError> for NodeError {
    fn from(error: CompileError) -> Self {
        match error.kind {
            CompileErrorKind::Busy => Self::CompilersBusy(error.what),
            CompileErrorKind::Invalid | CompileErrorKind::TooCostly => {
                Self::Steering(error.to_string())
            }
        }
    }
}

impl NodeError {
    /// What does not compile, and the field of the request that it stands in.
    pub(crate) fn uncompiled(error: CompileError, path: impl Into<String>) -> Self {
        match Self::from(error) {
            Self::Steering(reason) => Self::Given {
                path: path.into(),
                reason,
            },
            other => other,
        }
    }
}

impl From<ComponentError> for NodeError {
    fn from(error: ComponentError) -> Self {
        Self::Steering(error.to_string())
    }
}

impl From<StartError> for NodeError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Engine(engine) => engine.into(),
            StartError::Fault(fault) => Self::unopened(fault),
            other => Self::Steering(other.to_string()),
        }
    }
}

impl From<EngineError> for NodeError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::ContextTooLong { prompt, context } => Self::ContextTooLong {
                prompt: prompt.into(),
                context: context.into(),
            },
            EngineError::Busy { .. } => Self::Busy {
                what: "its waiting line is full",
                own: false,
                after: Duration::from_secs(1),
            },
            EngineError::Stopped => Self::ShuttingDown,
            EngineError::Upstream(fault) => Self::Upstream(fault),
            EngineError::ChatTemplate { reason } => Self::Conversation(reason),
            other => Self::Engine(other.to_string()),
        }
    }
}
