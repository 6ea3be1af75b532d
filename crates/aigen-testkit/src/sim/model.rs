//! A naive second opinion: what each answer should be and what each address should own, kept in
//! plain maps of plain numbers. It shares no code with the network but the shape of commands.
//!
//! Scoring has no second implementation here. Of a settled epoch it is checked that money only
//! changed hands and that escrows are empty, and then the new balances are believed.

mod calls;
mod caps;
mod corrections;
mod datasets;

use aigen_network::{
    AccountKind, Command, Issue, Network, NewKey, NewModel, NewValidator, Pay, controller_digest,
};
use aigen_types::{Address, Amount, CallId, ControllerRef, Digest, ModelName, Slug, Timestamp};
use calls::{ClosedCall, OpenedCall};
use caps::Caps;
use datasets::Shop;
use std::collections::{BTreeMap, BTreeSet};

/// What an answer should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// These words.
    Words(String),
    /// Words that begin like this.
    Begin(&'static str),
    /// The model has no opinion.
    Anything,
}

/// What everything should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    now: u64,
    founded: bool,
    issued: u128,
    owned: BTreeMap<Address, u128>,
    /// By caller's id; nothing where the id was burnt.
    payments: BTreeMap<u128, Option<(Address, Address, u128)>>,
    keys: BTreeMap<Slug, Key>,
    models: BTreeMap<ModelName, NewModel>,
    controllers: BTreeMap<ControllerRef, Digest>,
    validators: BTreeSet<Slug>,
    open: BTreeMap<CallId, OpenedCall>,
    closed: BTreeMap<CallId, ClosedCall>,
    caps: Caps,
    shop: Shop,
    /// Epochs settled so far.
    epoch: u64,
}

/// A credential.
#[derive(Clone, Debug)]
struct Key {
    account: Address,
    spender: Address,
    revoked: bool,
}

impl Expected {
    /// Whether an answer is one of those expected.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn accepts(&self, said: &str) -> Result<(), String> {
        let as_expected = match self {
            Self::Words(words) => words == said,
            Self::Begin(begin) => said.starts_with(begin),
            Self::Anything => true,
        };
        match as_expected {
            true => Ok(()),
            false => Err(format!("the model expects {self:?}")),
        }
    }
}

fn ok() -> Expected {
    Expected::Words("ok".into())
}

fn refused(code: &str) -> Expected {
    Expected::Words(format!("refused {code}"))
}

impl Model {
    /// Takes in one command of a record at ledger time `now`, and says what its answer should be.
    pub fn apply(&mut self, now: Timestamp, command: &Command) -> Expected {
        self.now = self.now.max(now.0);
        if let Command::Found(_) = command {
            let first = !std::mem::replace(&mut self.founded, true);
            return if first {
                ok()
            } else {
                refused("already_founded")
            };
        }
        if !self.founded {
            return refused("not_founded");
        }
        match command {
            Command::Issue(issue) => self.issue(issue),
            Command::Pay(pay) => self.pay(pay),
            Command::CreateKey(new) => self.create_key(new),
            Command::RevokeKey(name) => self.revoke_key(name),
            Command::PublishModel(new) => {
                self.models.insert(new.name.clone(), new.clone());
                ok()
            }
            Command::PublishController(new) => {
                let digest = controller_digest(new);
                let known = self.controllers.entry(new.reference.clone());
                match *known.or_insert(digest) == digest {
                    true => ok(),
                    false => refused("controller_version_exists"),
                }
            }
            Command::RegisterValidator(new) => self.register(new),
            Command::OpenCall(open) => self.open_call(open),
            Command::ExtendCall(extend) => self.extend_call(extend),
            Command::ProgressCall(progress) => self.progress_call(progress),
            Command::CloseCall(close) => self.close_call(close),
            Command::SetBudget(set) => self.set_budget(set),
            Command::GrantAllowance(grant) => self.grant(grant),
            Command::RevokeAllowance(revoke) => self.revoke(revoke),
            Command::ReverseCall(reverse) => self.reverse(reverse),
            Command::RefundCall(refund) => self.refund(refund),
            Command::PublishDataset(new) => self.publish_dataset(new),
            Command::PriceDataset(set) => self.price_dataset(set),
            Command::WithdrawDataset(withdraw) => self.withdraw_dataset(withdraw),
            Command::GrantDataset(grant) => self.grant_dataset(grant),
            Command::RevokeDataset(revoke) => self.revoke_dataset(revoke),
            Command::ReadDataset(asked) => self.read_dataset(asked),
            Command::ReadWithin(within) => self.read_within(within),
            _ => Expected::Anything,
        }
    }

    /// Compares what everyone owns and holds, and what is used of every cap, with the network.
    ///
    /// # Errors
    /// The first address or cap about which they disagree.
    pub fn check(&self, network: &Network) -> Result<(), String> {
        for (address, owned) in &self.owned {
            let account = network.account(address);
            let found = account.map_or((0, 0), |account| {
                let posted = account.credits_posted.nano() - account.debits_posted.nano();
                (posted, account.debits_pending.nano())
            });
            let expected = (*owned, self.held(address));
            if found != expected {
                return Err(format!(
                    "{address} owns and holds {found:?}, the model says {expected:?}"
                ));
            }
        }
        self.check_caps(network)?;
        match network.issued().nano() == self.issued {
            true => Ok(()),
            false => Err(format!("the model has issued {}", self.issued)),
        }
    }

    /// Believes what a settlement made of everyone's money, if none was made or lost and
    /// nothing is left in escrow.
    ///
    /// # Errors
    /// The address that still has what it should not.
    pub fn settled(&mut self, network: &Network) -> Result<(), String> {
        self.epoch += 1;
        for address in network.known_addresses() {
            let kind = AccountKind::of(address);
            let account = network.account(address);
            let left = account.map_or(Amount::ZERO, |account| account.available());
            let emptied = matches!(kind, AccountKind::Escrow | AccountKind::ValidatorBudget);
            if emptied && !left.is_zero() {
                return Err(format!("{left} is left at {address} of a settled epoch"));
            }
            if kind != AccountKind::Issuance {
                let owned = account.map_or(0, |account| {
                    account.credits_posted.nano() - account.debits_posted.nano()
                });
                self.owned.insert(address.clone(), owned);
            }
        }
        let total: u128 = self.owned.values().sum();
        match total == self.issued {
            true => Ok(()),
            false => Err(format!("{total} is owned of {} issued", self.issued)),
        }
    }

    fn issue(&mut self, issue: &Issue) -> Expected {
        if let Some(refusal) = unpayable(&[&issue.to], issue.amount) {
            return refusal;
        }
        let from: Address = "issuance".parse().expect("a word");
        let payment = (from, issue.to.clone(), issue.amount.nano());
        if let Some(known) = self.known(issue.id.0, &payment) {
            return known;
        }
        self.issued += payment.2;
        *self.owned.entry(issue.to.clone()).or_default() += payment.2;
        self.payments.insert(issue.id.0, Some(payment));
        ok()
    }

    fn pay(&mut self, pay: &Pay) -> Expected {
        if let Some(refusal) = unpayable(&[&pay.from, &pay.to], pay.amount) {
            return refusal;
        }
        let payment = (pay.from.clone(), pay.to.clone(), pay.amount.nano());
        if let Some(known) = self.known(pay.id.0, &payment) {
            return known;
        }
        if pay.from == pay.to {
            return refused("accounts_must_be_different");
        }
        if self.available(&pay.from) < payment.2 {
            self.payments.insert(pay.id.0, None);
            return refused("exceeds_credits");
        }
        self.transfer(&pay.from, &pay.to, payment.2);
        self.payments.insert(pay.id.0, Some(payment));
        ok()
    }

    /// What is said to an id that was used.
    fn known(&self, id: u128, payment: &(Address, Address, u128)) -> Option<Expected> {
        Some(match self.payments.get(&id)? {
            None => refused("id_already_failed"),
            Some(known) if known == payment => ok(),
            Some(_) => Expected::Begin("refused exists_with_different_"),
        })
    }

    fn create_key(&mut self, new: &NewKey) -> Expected {
        if self.keys.contains_key(&new.name) {
            return refused("name_taken");
        }
        if !AccountKind::of(&new.account).is_free() {
            return refused("address_reserved");
        }
        let spender = new.spender.as_ref().unwrap_or(&new.account).clone();
        if AccountKind::of(&spender) != AccountKind::of(&new.account) {
            return refused("spender_invalid");
        }
        let key = Key {
            account: new.account.clone(),
            spender,
            revoked: false,
        };
        self.keys.insert(new.name.clone(), key);
        ok()
    }

    fn revoke_key(&mut self, name: &Slug) -> Expected {
        match self.keys.get_mut(name) {
            Some(key) => {
                key.revoked = true;
                ok()
            }
            None => refused("key_unknown"),
        }
    }

    fn register(&mut self, new: &NewValidator) -> Expected {
        if self.validators.contains(&new.name) {
            return refused("name_taken");
        }
        if new.stake.is_zero() {
            return refused("amount_zero");
        }
        let from = address(&["validator", new.name.as_str()]);
        if self.available(&from) < new.stake.nano() {
            return refused("insufficient_funds");
        }
        let to = address(&["stake", new.name.as_str()]);
        self.transfer(&from, &to, new.stake.nano());
        self.validators.insert(new.name.clone());
        ok()
    }

    fn available(&self, address: &Address) -> u128 {
        let owned = self.owned.get(address).copied().unwrap_or_default();
        owned - self.held(address)
    }

    fn transfer(&mut self, from: &Address, to: &Address, amount: u128) {
        if amount > 0 {
            *self.owned.entry(from.clone()).or_default() -= amount;
            *self.owned.entry(to.clone()).or_default() += amount;
        }
    }
}

/// What is refused before anyone looks at ids and balances.
fn unpayable(addresses: &[&Address], amount: Amount) -> Option<Expected> {
    if amount.is_zero() {
        return Some(refused("amount_zero"));
    }
    let reserved = |address: &&Address| !AccountKind::of(address).is_free();
    let reserved = addresses.iter().any(reserved);
    reserved.then(|| refused("address_reserved"))
}

fn address(words: &[&str]) -> Address {
    words.join(":").parse().expect("words make an address")
}
