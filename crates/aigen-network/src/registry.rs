use crate::accounts::{AccountKind, addresses};
use crate::command::{
    ControllerKind, Issue, NewController, NewKey, NewModel, NewValidator, Pay, Role,
};
use crate::limits::{CONTROLLER_SOURCE_BYTES_MAX, LABEL_BYTES_MAX};
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::refusal::Refusal;
use aigen_economy::Price;
use aigen_types::{Address, Amount, Digest, Slug, Timestamp};
use alloc::string::{String, ToString};

/// Bytes of a name that becomes part of an address.
const PAYEE_NAME_BYTES_MAX: usize = 64;

/// A credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// BLAKE3 of the whole secret.
    pub secret_hash: Digest,
    /// The address it spends from.
    pub account: Address,
    /// To whom its spending is attributed.
    pub spender: Address,
    /// What it may do.
    pub role: Role,
    /// Whether it has ended.
    pub revoked: bool,
}

/// A model of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Who is paid for its tokens.
    pub provider: Slug,
    /// Hash of the weights.
    pub digest: Digest,
    /// Tokens one sequence may hold.
    pub context_tokens: u32,
    /// What it costs now.
    pub price: Price,
    /// How often the price was published: the version of its page in the price book.
    pub price_version: u32,
}

/// A published controller version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// What was published.
    pub published: NewController,
    /// When it was published.
    pub published_at: Timestamp,
}

/// The identity of a controller version, which scores and escrow follow: BLAKE3 over its
/// reference, kind and source. The description may be worded otherwise without being another one.
#[must_use]
pub fn controller_digest(new: &NewController) -> Digest {
    let kind: &[u8] = match new.kind {
        ControllerKind::Grammar => b"grammar",
        ControllerKind::Script => b"script",
        ControllerKind::Wasm => b"wasm",
        ControllerKind::Function => b"function",
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"aigen/controller/v1/");
    hasher.update(new.reference.to_string().as_bytes());
    hasher.update(&[0]);
    hasher.update(kind);
    hasher.update(&[0]);
    hasher.update(new.source.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

/// The name under which a script keeps the answer to a prompt: BLAKE3 of its last user message,
/// in hex.
#[must_use]
pub fn script_key(asked: &str) -> String {
    blake3::hash(asked.as_bytes()).to_hex().to_string()
}

/// A registered validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Who stands behind it.
    pub owner: Slug,
    /// Its proven accuracy so far, signed, in parts per million.
    pub skill: i64,
}

impl Network {
    pub(crate) fn issue(&mut self, now: Timestamp, issue: &Issue) -> Result<Reply, Refusal> {
        check_payment(&issue.to, issue.amount)?;
        let mut chain = Chain::new("issue", issue.id.0);
        chain.pay_as(
            issue.id,
            &addresses::issuance(),
            &issue.to,
            issue.amount,
            Reason::Issue,
        );
        self.post_once(now, chain)
    }

    pub(crate) fn pay(&mut self, now: Timestamp, pay: &Pay) -> Result<Reply, Refusal> {
        check_payment(&pay.from, pay.amount)?;
        check_payment(&pay.to, pay.amount)?;
        let mut chain = Chain::new("pay", pay.id.0);
        chain.pay_as(pay.id, &pay.from, &pay.to, pay.amount, Reason::Pay);
        self.post_once(now, chain)
    }

    /// The same payment asked for twice is one payment and twice the same answer.
    fn post_once(&mut self, now: Timestamp, chain: Chain) -> Result<Reply, Refusal> {
        match self.post(now, chain) {
            Ok(_) | Err(Refusal::Ledger(aigen_ledger::TransferRefusal::Exists)) => Ok(Reply::Done),
            Err(refusal) => Err(refusal),
        }
    }

    pub(crate) fn create_key(&mut self, new: &NewKey) -> Result<Reply, Refusal> {
        if self.keys.contains_key(&new.name) {
            return Err(Refusal::NameTaken);
        }
        if !AccountKind::of(&new.account).is_free() {
            return Err(Refusal::AddressReserved);
        }
        let spender = new.spender.as_ref().unwrap_or(&new.account);
        if AccountKind::of(spender) != AccountKind::of(&new.account) {
            return Err(Refusal::SpenderInvalid);
        }
        let key = Key {
            secret_hash: new.secret_hash,
            account: new.account.clone(),
            spender: spender.clone(),
            role: new.role,
            revoked: false,
        };
        self.keys.insert(new.name.clone(), key);
        Ok(Reply::Done)
    }

    pub(crate) fn revoke_key(&mut self, name: &Slug) -> Result<Reply, Refusal> {
        self.keys.get_mut(name).ok_or(Refusal::KeyUnknown)?.revoked = true;
        Ok(Reply::Done)
    }

    pub(crate) fn publish_model(&mut self, new: &NewModel) -> Result<Reply, Refusal> {
        check_payee_name(&new.provider)?;
        let version = self
            .models
            .get(&new.name)
            .map_or(1, |model| model.price_version.saturating_add(1));
        let model = Model {
            provider: new.provider.clone(),
            digest: new.digest,
            context_tokens: new.context_tokens,
            price: new.price,
            price_version: version,
        };
        self.models.insert(new.name.clone(), model);
        Ok(Reply::Done)
    }

    pub(crate) fn publish_controller(
        &mut self,
        now: Timestamp,
        new: &NewController,
    ) -> Result<Reply, Refusal> {
        check_new_controller(new)?;
        if new.kind == ControllerKind::Wasm {
            // A component needs a manifest: it is a release.
            return Err(Refusal::SignatureMissing);
        }
        if self.publishers.contains_key(&new.reference.owner) {
            return Err(Refusal::SignatureMissing);
        }
        let digest = controller_digest(new);
        match self.controller_names.get(&new.reference) {
            Some(known) if *known == digest => return Ok(Reply::Published(digest)),
            Some(_) => return Err(Refusal::ControllerVersionExists),
            None => {}
        }
        let controller = Controller {
            published: new.clone(),
            published_at: now,
        };
        self.controller_names.insert(new.reference.clone(), digest);
        self.controllers.insert(digest, controller);
        Ok(Reply::Published(digest))
    }

    pub(crate) fn register_validator(
        &mut self,
        now: Timestamp,
        new: &NewValidator,
    ) -> Result<Reply, Refusal> {
        check_payee_name(&new.name)?;
        if self.validators.contains_key(&new.name) {
            return Err(Refusal::NameTaken);
        }
        if new.stake.is_zero() {
            return Err(Refusal::AmountZero);
        }
        self.lock_first_stake(now, new)?;
        let validator = Validator {
            owner: new.owner.clone(),
            skill: 0,
        };
        self.validators.insert(new.name.clone(), validator);
        Ok(Reply::Done)
    }
}

pub(crate) fn check_new_controller(new: &NewController) -> Result<(), Refusal> {
    check_payee_name(&new.reference.owner)?;
    let fits =
        new.description.len() <= LABEL_BYTES_MAX && new.source.len() <= CONTROLLER_SOURCE_BYTES_MAX;
    if fits { Ok(()) } else { Err(Refusal::TooLong) }
}

fn check_payment(address: &Address, amount: Amount) -> Result<(), Refusal> {
    if amount.is_zero() {
        return Err(Refusal::AmountZero);
    }
    if AccountKind::of(address).is_free() {
        Ok(())
    } else {
        Err(Refusal::AddressReserved)
    }
}

fn check_payee_name(name: &Slug) -> Result<(), Refusal> {
    if name.as_str().len() <= PAYEE_NAME_BYTES_MAX {
        Ok(())
    } else {
        Err(Refusal::TooLong)
    }
}
