use crate::calendar::Period;
use crate::calls::{Counter, Outcome, Steered};
use crate::corrections::RefundReason;
use crate::datasets::{GrantDataset, NewDataset, PriceDataset, RevokeDataset, WithdrawDataset};
use crate::keyring::KeyLimits;
use crate::reads::{ReadDataset, ReadWithin, Wanted};
use crate::releases::{Release, Stated, TagKey};
use crate::rules::Rules;
use crate::settings::Settings;
use aigen_economy::{Price, Usage};
use aigen_types::{
    Address, Amount, BudgetPath, CallId, ControllerRef, Digest, Epoch, ModelName, NodeId, Ppm,
    Slug, Timestamp, TransferId,
};
use alloc::{string::String, vec::Vec};

/// One entry of the journal: a claim together with its effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The first command of every journal.
    Found(Found),
    /// Money enters: the issuance account pays an address.
    Issue(Issue),
    /// Money moves between two addresses.
    Pay(Pay),
    /// A credential that may spend from an address.
    CreateKey(NewKey),
    /// A credential ends.
    RevokeKey(Slug),
    /// What a credential may be used for, and how fast.
    LimitKey(LimitKey),
    /// A model enters the catalogue, or its price changes.
    PublishModel(NewModel),
    /// An immutable controller version enters the registry.
    PublishController(NewController),
    /// A validator locks its stake.
    RegisterValidator(NewValidator),
    /// A call begins: its first chunk is held.
    OpenCall(OpenCall),
    /// The same within a running call, whose payer and bound are its own.
    OpenSubCall(OpenSubCall),
    /// A running call asks to have more tokens covered.
    ExtendCall(ExtendCall),
    /// How far a running call has come, so that a killed node still knows what to charge.
    ProgressCall(ProgressCall),
    /// A call ends: what was used is captured and shared, the rest released.
    CloseCall(CloseCall),
    /// The operator assigns cells and commits to the hidden truths; the commit window opens.
    AssignEpoch(AssignEpoch),
    /// A validator commits to its reports.
    CommitScores(CommitScores),
    /// The commit window closes early; the reveal window opens.
    FreezeCommits,
    /// A validator opens its commitment.
    RevealScores(RevealScores),
    /// The operator opens the hidden truths; the epoch is settled and paid.
    CloseEpoch(CloseEpoch),
    /// What an address and everything below it may spend, or that this has no bound any more.
    SetBudget(SetBudget),
    /// A user lets an app spend of the user's money.
    GrantAllowance(GrantAllowance),
    /// A user ends that.
    RevokeAllowance(RevokeAllowance),
    /// A call is undone: everyone who was paid for it pays back.
    ReverseCall(ReverseCall),
    /// A call is paid back by the treasury, in part or as a whole.
    RefundCall(RefundCall),
    /// A signed controller version with a manifest enters the registry.
    PublishRelease(NewRelease),
    /// A version is deprecated, yanked, or neither any more.
    SetStanding(SetStanding),
    /// A tag is put on a version, or taken away.
    TagController(TagController),
    /// The rules of scoring change, from a later epoch on.
    ProposeRules(ProposeRules),
    /// A validator locks more.
    AddStake(MoveStake),
    /// A validator takes stake out; it is paid after the unbonding time.
    RemoveStake(MoveStake),
    /// A result of a settled epoch whose money is still held is disputed, by a bond.
    Appeal(Appeal),
    /// The operator decides an appeal.
    DecideAppeal(DecideAppeal),
    /// An immutable dataset version enters the registry.
    PublishDataset(NewDataset),
    /// A dataset version costs something else from now on.
    PriceDataset(PriceDataset),
    /// A dataset version serves no new read.
    WithdrawDataset(WithdrawDataset),
    /// Somebody may read a dataset that is not open.
    GrantDataset(GrantDataset),
    /// That ends.
    RevokeDataset(RevokeDataset),
    /// Rows are read outside of any call, and paid at once.
    ReadDataset(ReadDataset),
    /// A running call's controller reads rows: its holds grow by their fee.
    ReadWithin(ReadWithin),
}

/// See [`Command::Found`].
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The network's name; its hash separates its commitments from every other network's.
    pub name: Slug,
    /// Its economic settings.
    pub settings: Settings,
}

/// See [`Command::Issue`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Chosen by the caller: the same id issues once.
    pub id: TransferId,
    /// Who receives.
    pub to: Address,
    /// How much; more than zero.
    pub amount: Amount,
}

/// See [`Command::Pay`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pay {
    /// Chosen by the caller: the same id pays once.
    pub id: TransferId,
    /// Who pays.
    pub from: Address,
    /// Who receives.
    pub to: Address,
    /// How much; more than zero.
    pub amount: Amount,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Spend from its address.
    Customer,
    /// Everything, including issuing and closing epochs.
    Operator,
}

/// See [`Command::CreateKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The public part, which logs and statements may name.
    pub name: Slug,
    /// BLAKE3 of the whole secret; the secret itself is never stored.
    pub secret_hash: Digest,
    /// The address it spends from.
    pub account: Address,
    /// What it may do.
    pub role: Role,
    /// To whom its spending is attributed; to the account when absent.
    pub spender: Option<Address>,
}

/// See [`Command::PublishModel`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewModel {
    /// Its name in the catalogue.
    pub name: ModelName,
    /// Who is paid for its tokens.
    pub provider: Slug,
    /// Hash of the weights.
    pub digest: Digest,
    /// Tokens one sequence may hold.
    pub context_tokens: u32,
    /// What it costs.
    pub price: Price,
}

/// In which language a controller is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ControllerKind {
    /// A Lark grammar with holes that are filled from the request.
    Grammar,
    /// Fixed answers to fixed prompts: what planted cases are made of.
    Script,
    /// A WebAssembly component.
    Wasm,
    /// An AI function: prompt, schemas and golden cases.
    Function,
}

/// See [`Command::PublishController`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewController {
    /// Owner, name and version; immutable once published.
    pub reference: ControllerRef,
    /// The language of the source.
    pub kind: ControllerKind,
    /// What it does.
    pub source: String,
    /// Whether listings show it. Planted controllers are listed until their truth is opened.
    pub listed: bool,
    /// One line for people.
    pub description: String,
}

/// See [`Command::PublishRelease`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRelease {
    /// What every controller version has. The source of a component is empty: its content is
    /// kept beside the journal.
    pub controller: NewController,
    /// What makes it a release.
    pub release: Release,
}

/// See [`Command::SetStanding`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetStanding {
    /// The version.
    pub reference: ControllerRef,
    /// What is said of it.
    pub stated: Stated,
}

/// See [`Command::LimitKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitKey {
    /// Which.
    pub key: Slug,
    /// All of its limits from now on.
    pub limits: KeyLimits,
}

/// See [`Command::TagController`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagController {
    /// The tag.
    pub key: TagKey,
    /// What it names; `None` takes it away.
    pub version: Option<ControllerRef>,
}

/// See [`Command::RegisterValidator`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewValidator {
    /// Its name; it is paid at `validator:<name>`.
    pub name: Slug,
    /// Who stands behind it; an owner never scores its own controllers.
    pub owner: Slug,
    /// What it locks, taken from `validator:<name>`.
    pub stake: Amount,
}

/// See [`Command::OpenCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// Derived from the caller's idempotency key, or drawn at random.
    pub call: CallId,
    /// The key that asks.
    pub key: Slug,
    /// The model that answers.
    pub model: ModelName,
    /// The controller version that steers, if any.
    pub controller: Option<Digest>,
    /// Prompt tokens, counted with the model's own tokenizer.
    pub prompt_tokens: u64,
    /// Output tokens the first chunk should cover; fewer are covered when the balance ends earlier.
    pub chunk_tokens: u64,
    /// The most this call may come to, if its caller set a bound; the balance bounds it anyway.
    pub budget: Option<Amount>,
    /// Hash of the request body: the same call id with another body is refused.
    pub request: Digest,
    /// The node that runs it.
    pub node: NodeId,
    /// Output tokens below which the call is refused; at least one, and all of them where the
    /// engine cannot be stopped at a token.
    pub least_tokens: u64,
    /// For which end user of the key's spender it is.
    pub end_user: Option<Slug>,
    /// Who pays, by an allowance to the key's account; the key's account when absent.
    pub bill_to: Option<Address>,
    /// What stands in its prompt of datasets: held with it, and paid once the prompt is computed.
    pub reads: Vec<Wanted>,
}

/// See [`Command::OpenSubCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSubCall {
    /// The running call. It is not within another itself.
    pub parent: CallId,
    /// The call to be made: by the same key, for the same spender and payer.
    pub open: OpenCall,
}

/// See [`Command::ExtendCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendCall {
    /// The open call.
    pub call: CallId,
    /// Output tokens to cover beyond those covered now.
    pub chunk_tokens: u64,
    /// What it has used so far.
    pub used: Usage,
}

/// See [`Command::ProgressCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressCall {
    /// The open call.
    pub call: CallId,
    /// What it has used so far.
    pub used: Usage,
}

/// See [`Command::CloseCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseCall {
    /// The open call.
    pub call: CallId,
    /// What it used.
    pub used: Usage,
    /// How it ended.
    pub outcome: Outcome,
    /// Time its controller took, in microseconds, beyond the model's own.
    pub controller_micros: u64,
    /// Hash of the decisions taken, in order.
    pub decisions: Digest,
    /// What steering it came to beside that.
    pub steered: Steered,
    /// Who counted its tokens; none where that is not known.
    pub counter: Option<Counter>,
}

/// One question to one validator: how good is this controller in this parameter?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Who is asked.
    pub validator: Slug,
    /// The controller version; planted ones look like any other.
    pub controller: Digest,
    /// The parameter, as named in the settings.
    pub parameter: Slug,
    /// The evaluation suite to use.
    pub suite: Slug,
}

/// See [`Command::AssignEpoch`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignEpoch {
    /// The epoch being assigned: the current one.
    pub epoch: Epoch,
    /// Every cell, real and planted.
    pub cells: Vec<Cell>,
    /// One commitment per planted truth (`gold_commitment`).
    pub gold: Vec<Digest>,
    /// Commitment to the seed that draws the audits (`seed_commitment`). After a first one each
    /// must be the seed that was opened last, so that the operator has no choice left.
    pub seed: Option<Digest>,
}

/// See [`Command::CommitScores`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitScores {
    /// The current epoch.
    pub epoch: Epoch,
    /// Who commits.
    pub validator: Slug,
    /// `score_commitment` of its reports.
    pub commitment: Digest,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    /// The controller version.
    pub controller: Digest,
    /// The parameter.
    pub parameter: Slug,
    /// The score, in parts per million.
    pub score: u32,
}

/// See [`Command::RevealScores`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealScores {
    /// The current epoch.
    pub epoch: Epoch,
    /// Who reveals.
    pub validator: Slug,
    /// The salt of its commitment.
    pub salt: Digest,
    /// Its reports.
    pub reports: Vec<Report>,
}

/// A hidden truth, opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoldOpening {
    /// The planted controller.
    pub controller: Digest,
    /// The parameter it was planted for.
    pub parameter: Slug,
    /// Its exact score, in parts per million.
    pub truth: u32,
    /// The salt of the commitment.
    pub salt: Digest,
}

/// See [`Command::CloseEpoch`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseEpoch {
    /// The current epoch.
    pub epoch: Epoch,
    /// Every truth committed to at assignment.
    pub gold: Vec<GoldOpening>,
    /// The seed committed to at assignment.
    pub seed: Option<Digest>,
    /// What the operator found of every real cell that the seed draws, and of no other.
    pub audits: Vec<Finding>,
}

/// What evaluating a real cell again came to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The controller version.
    pub controller: Digest,
    /// The parameter.
    pub parameter: Slug,
    /// Its score, in parts per million.
    pub truth: u32,
}

/// See [`Command::ProposeRules`].
#[derive(Clone, Debug, PartialEq)]
pub struct ProposeRules {
    /// The version they become: one more than the last one, so that a change that crossed another
    /// is refused.
    pub version: u64,
    /// What is to hold.
    pub rules: Rules,
}

/// See [`Command::AddStake`] and [`Command::RemoveStake`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveStake {
    /// Chosen by the caller: the same id moves once.
    pub id: TransferId,
    /// Whose stake.
    pub validator: Slug,
    /// How much; more than zero.
    pub amount: Amount,
}

/// See [`Command::Appeal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    /// Chosen by the caller: the same id appeals once.
    pub id: TransferId,
    /// The epoch whose money is still held.
    pub epoch: Epoch,
    /// Who appeals, and lays down the bond.
    pub from: Address,
    /// The disputed cell.
    pub controller: Digest,
    /// Its parameter.
    pub parameter: Slug,
    /// Hash of the evidence, which is kept elsewhere.
    pub evidence: Digest,
}

/// See [`Command::DecideAppeal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecideAppeal {
    /// The appeal.
    pub id: TransferId,
    /// What evaluating the disputed cell again came to: the epoch is settled anew with it as an
    /// audit. `None` rejects the appeal, and its bond goes to the treasury.
    pub truth: Option<u32>,
}

/// See [`Command::SetBudget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetBudget {
    /// Whose spending is bounded.
    pub path: BudgetPath,
    /// At most this per period; `None` takes the bound away. Running calls keep the bounds they
    /// began with.
    pub cap: Option<Amount>,
    /// How often it begins anew.
    pub period: Period,
}

/// See [`Command::GrantAllowance`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantAllowance {
    /// Who pays.
    pub user: Address,
    /// Whose calls: the account of the app's keys, which receives the margin.
    pub app: Address,
    /// At most this per period, the margin included.
    pub cap: Amount,
    /// How often it begins anew.
    pub period: Period,
    /// What the app adds to the charge, as a part of it.
    pub margin: Ppm,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// See [`Command::RevokeAllowance`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeAllowance {
    /// Who pays.
    pub user: Address,
    /// Who spends.
    pub app: Address,
}

/// See [`Command::ReverseCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReverseCall {
    /// Chosen by the caller: the same reversal asked for twice is one.
    pub id: TransferId,
    /// The call, which counts in the current epoch.
    pub call: CallId,
    /// Why.
    pub reason: RefundReason,
}

/// See [`Command::RefundCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundCall {
    /// Chosen by the caller: the same id refunds a call once.
    pub id: TransferId,
    /// The call.
    pub call: CallId,
    /// How much; all refunds of a call together at most what it cost.
    pub amount: Amount,
    /// Why.
    pub reason: RefundReason,
}
