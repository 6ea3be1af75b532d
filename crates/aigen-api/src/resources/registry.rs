use super::{Budget, Period};
use crate::json::null_is_default;
use crate::{money, openai::ModelPrice, text};
use aigen_types::{
    Address, Amount, ControllerName, ControllerRef, DatasetName, Digest, ModelName, PublisherKey,
    Signature, Slug, Timestamp, TransferId,
};
use serde::{Deserialize, Serialize};

/// What a key may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Spend from its account.
    #[default]
    Customer,
    /// Everything, including issuing and closing epochs.
    Operator,
}

/// `POST /v1/aigen/keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The account it spends from.
    #[serde(with = "text")]
    pub account: Address,
    /// Its public name; drawn by the node when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<Slug>,
    /// What it may do.
    #[serde(default)]
    pub role: KeyRole,
    /// To whom its spending is attributed, like `org:acme:app:tutor`; to the account when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub spender: Option<Address>,
    /// What it is limited to.
    #[serde(default, skip_serializing_if = "KeyLimits::is_none")]
    pub limits: KeyLimits,
    /// What it may spend by itself, at most. Its spending is then attributed to a part of `spender`
    /// that is its own, like `user:ada:key:laptop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<KeyBudget>,
}

/// What a key may spend by itself, within the budgets of what it spends for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBudget {
    /// At most this, in AIGEN.
    #[serde(with = "text")]
    pub cap: Amount,
    /// Per this; a month when absent.
    #[serde(default, deserialize_with = "null_is_default")]
    pub per: Period,
}

/// `POST /v1/aigen/keys/{name}/budget`, operators only: what a key that has a spender of its own may
/// spend from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetKeyBudget {
    /// At most this, in AIGEN; `null` or absent takes the bound away.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub cap: Option<Amount>,
    /// Per this; a month when absent.
    #[serde(default, deserialize_with = "null_is_default")]
    pub per: Period,
}

/// `POST /v1/aigen/keys/{name}/limits`, operators only: all limits of a key from now on. What is
/// absent or empty limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyLimits {
    /// Calls that may begin within one minute by the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens of prompts and answers within one minute: once they are reached no call begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// When the key ends by itself, in nanoseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none", with = "money::time_option")]
    pub expires_at: Option<Timestamp>,
    /// Models that it may ask.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "text::list")]
    pub models: Vec<ModelName>,
    /// Published controllers that it may use, in any version.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "text::list")]
    pub controllers: Vec<ControllerName>,
    /// Datasets that it may read, in any version: rows, downloads, passages in prompts, by controllers.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "text::list")]
    pub datasets: Vec<DatasetName>,
    /// What it may be used for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<KeyScope>,
}

impl KeyLimits {
    /// Whether they limit nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A part of what keys are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Asking models, and reading datasets: what is charged.
    Complete,
    /// Reading what the account may see.
    Read,
    /// Everything else: paying, allowing, publishing, operating.
    Manage,
}

/// `GET /v1/aigen/keys/{name}`, and one of `GET /v1/aigen/keys`: a key as everyone may see it. Keys see
/// themselves, operators all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its public name.
    #[serde(with = "text")]
    pub name: Slug,
    /// The account it spends from.
    #[serde(with = "text")]
    pub account: Address,
    /// To whom its spending is attributed.
    #[serde(with = "text")]
    pub spender: Address,
    /// What it may do.
    pub role: KeyRole,
    /// Whether somebody has ended it.
    pub revoked: bool,
    /// Whether it has ended by itself.
    #[serde(default)]
    pub expired: bool,
    /// What it is limited to.
    #[serde(default, skip_serializing_if = "KeyLimits::is_none")]
    pub limits: KeyLimits,
    /// What it may spend by itself, and how much of that is used; absent without a bound of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// A key, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreated {
    /// Its public name, which logs and statements may carry.
    #[serde(with = "text")]
    pub name: Slug,
    /// The whole key. Only its hash is stored: it cannot be shown again.
    pub key: String,
    /// The account it spends from.
    #[serde(with = "text")]
    pub account: Address,
    /// To whom its spending is attributed.
    #[serde(with = "text")]
    pub spender: Address,
    /// What it may do.
    pub role: KeyRole,
}

// By hand: a key must not reach a log because somebody printed a reply.
impl std::fmt::Debug for KeyCreated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyCreated")
            .field("name", &self.name)
            .field("account", &self.account)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// `POST /v1/aigen/controllers`: an immutable version enters the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishController {
    /// Owner, name and version.
    #[serde(with = "text")]
    pub reference: ControllerRef,
    /// In which language `source` is written.
    pub kind: ControllerKind,
    /// The program, where it is text; at most 256 KiB.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The program, where it is a WebAssembly component or a module that describes itself as
    /// one, in base64; at most 32 MiB. Never anything that was compiled already.
    #[serde(
        default,
        with = "crate::bytes::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub component: Option<Vec<u8>>,
    /// Whether listings show it; only an operator may say no.
    #[serde(default = "yes")]
    pub listed: bool,
    /// One line for people; at most 500 bytes.
    #[serde(default)]
    pub description: String,
    /// Manifest and signature. An owner who has signed once always signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Signed>,
}

/// What makes a controller version a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// TOML; at most 64 KiB.
    pub manifest: String,
    /// The publisher's ed25519 public key, in hex.
    #[serde(with = "text")]
    pub publisher: PublisherKey,
    /// Its signature over reference, kind, content and manifest, in hex.
    #[serde(with = "text")]
    pub signature: Signature,
}

/// What its publisher says of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Use it.
    #[default]
    Current,
    /// It works; better use another.
    Deprecated,
    /// No new call may use it.
    Yanked,
}

/// `POST /v1/aigen/controllers/standing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetStanding {
    /// The version.
    #[serde(with = "text")]
    pub reference: ControllerRef,
    /// What is said of it.
    pub standing: Standing,
    /// Why, in one line; at most 500 bytes.
    #[serde(default)]
    pub reason: String,
}

/// `POST /v1/aigen/controllers/tags`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagController {
    /// The controller.
    #[serde(with = "text")]
    pub controller: ControllerName,
    /// The tag: it begins with a letter.
    #[serde(with = "text")]
    pub tag: Slug,
    /// The version that it names; it is taken away when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub version: Option<ControllerRef>,
}

fn yes() -> bool {
    true
}

/// In which language a controller is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControllerKind {
    /// A Lark grammar with holes that are filled from a request's `aigen.params`.
    Grammar,
    /// A JSON object from prompt hashes to fixed answers.
    Script,
    /// A WebAssembly component.
    Wasm,
    /// An AI function: prompt, schemas and golden cases, in JSON or TOML.
    Function,
}

/// `GET /v1/aigen/controllers/{reference}`.
///
/// Kind, source and listing are shown to its owner and to operators alone: they would tell
/// planted versions from real ones. That one is a function is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// Owner, name and version.
    #[serde(with = "text")]
    pub reference: ControllerRef,
    /// What scores and money follow.
    #[serde(with = "text")]
    pub digest: Digest,
    /// One line for people.
    pub description: String,
    /// When, by ledger time.
    #[serde(with = "money::time")]
    pub published_at: Timestamp,
    /// Its score in parts per million; `None` before its first settlement.
    #[serde(default)]
    pub score: Option<u32>,
    /// What its publisher says of it.
    #[serde(default)]
    pub standing: Standing,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The names that its owner has given it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// SHA-256 of its content.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub content: Option<Digest>,
    /// Its manifest and signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Signed>,
    /// Why it cannot run on this node: what its manifest asks of the outside is not granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// In which language it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ControllerKind>,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether listings show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
}

/// One page of `GET /v1/aigen/price-book`: what a model costs now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricePage {
    /// The model.
    #[serde(with = "text")]
    pub model: ModelName,
    /// How often its price was published; receipts name the version they were charged at.
    pub version: u32,
    /// The price.
    pub price: ModelPrice,
}

/// `POST /v1/aigen/validators`: a validator locks its stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterValidator {
    /// Its name; it is paid at `validator:<name>`.
    #[serde(with = "text")]
    pub name: Slug,
    /// Who stands behind it; an owner never scores its own controllers.
    #[serde(with = "text")]
    pub owner: Slug,
    /// What it locks, in AIGEN, taken from `validator:<name>`; more than zero.
    #[serde(with = "text")]
    pub stake: Amount,
}

/// `POST /v1/aigen/stakes/add` and `/stakes/remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveStake {
    /// Whose stake.
    #[serde(with = "text")]
    pub validator: Slug,
    /// How much, in AIGEN; more than zero.
    #[serde(with = "text")]
    pub amount: Amount,
    /// Makes a retry the same change.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<TransferId>,
}

/// `GET /v1/aigen/validators/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validator {
    /// Its name.
    #[serde(with = "text")]
    pub name: Slug,
    /// Who stands behind it.
    #[serde(with = "text")]
    pub owner: Slug,
    /// What it has locked.
    #[serde(flatten, with = "money::stake")]
    pub stake: Amount,
    /// The part of it that counts in the running epoch.
    #[serde(flatten, with = "money::active_stake")]
    pub active_stake: Amount,
    /// Its proven accuracy in parts per million: −1,000,000 to 1,000,000.
    pub skill: i64,
}

/// `POST /v1/aigen/models/load` and `/unload`: a model that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedModel {
    /// Its name.
    #[serde(with = "text")]
    pub model: ModelName,
}
