//! What keys may be used for, and how fast.

use crate::command::{LimitKey, OpenCall};
use crate::limits::KEY_LIST_MAX;
use crate::network::{Network, Reply};
use crate::refusal::Refusal;
use aigen_types::{ControllerName, DatasetName, ModelName, Slug, Timestamp};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Seconds of the window that rates are counted in.
const WINDOW_SECONDS: u64 = 60;

/// What a key is limited to. The default limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Calls that may begin within one minute by the clock.
    pub requests_per_minute: Option<u64>,
    /// Tokens of prompts and answers within one minute: once they are reached no call begins.
    pub tokens_per_minute: Option<u64>,
    /// When the key ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Models that it may ask; all where empty.
    pub models: Vec<ModelName>,
    /// Published controllers that it may use; all where empty.
    pub controllers: Vec<ControllerName>,
    /// Datasets that it may read, whatever for; all where empty.
    pub datasets: Vec<DatasetName>,
    /// What it may be used for; everything its role allows where empty.
    pub scopes: Vec<Scope>,
}

/// A part of what keys are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Asking models.
    Complete,
    /// Reading what the account may see: balances, receipts, budgets.
    Read,
    /// Everything else: paying, allowing, publishing, operating.
    Manage,
}

/// What a key used in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Which, counted from the Unix epoch.
    pub number: u64,
    /// Calls that began.
    pub requests: u64,
    /// Tokens of prompts that began and of answers that ended.
    pub tokens: u64,
}

/// Which rate a key reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// [`KeyLimits::requests_per_minute`].
    Requests,
    /// [`KeyLimits::tokens_per_minute`].
    Tokens,
}

/// State that only keys with limits have: a snapshot of a network without any is written as
/// earlier versions wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keyring {
    /// By key.
    pub limits: BTreeMap<Slug, KeyLimits>,
    /// Of keys with rates: the last minute they were used in.
    pub minutes: BTreeMap<Slug, Minute>,
}

impl Minute {
    fn of(now: Timestamp) -> Self {
        Self {
            number: now.seconds().div_euclid(WINDOW_SECONDS),
            ..Self::default()
        }
    }

    /// When the next one begins.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        let seconds = self.number.saturating_add(1).saturating_mul(WINDOW_SECONDS);
        Timestamp(seconds.saturating_mul(1_000_000_000))
    }
}

impl KeyLimits {
    /// # Errors
    /// A list that is too long.
    pub fn check(&self) -> Result<(), Refusal> {
        let lists = [
            self.models.len(),
            self.controllers.len(),
            self.datasets.len(),
        ];
        match lists.iter().any(|length| *length > KEY_LIST_MAX) {
            true => Err(Refusal::TooLong),
            false => Ok(()),
        }
    }

    fn reached(&self, minute: &Minute) -> Option<Rate> {
        let at = |limit: Option<u64>, used: u64| limit.is_some_and(|limit| used >= limit);
        if at(self.requests_per_minute, minute.requests) {
            return Some(Rate::Requests);
        }
        at(self.tokens_per_minute, minute.tokens).then_some(Rate::Tokens)
    }
}

impl Network {
    /// See [`Keyring`].
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The same network with this keyring, as a snapshot kept it.
    #[must_use]
    pub fn with_keyring(mut self, keyring: Keyring) -> Self {
        self.keyring = keyring;
        self
    }

    /// What a key has used of its rates in the minute of `now`.
    #[must_use]
    pub fn minute(&self, now: Timestamp, key: &Slug) -> Minute {
        let current = Minute::of(now);
        match self.keyring.minutes.get(key) {
            Some(minute) if minute.number == current.number => *minute,
            _ => current,
        }
    }

    pub(crate) fn limit_key(&mut self, limit: &LimitKey) -> Result<Reply, Refusal> {
        let LimitKey { key, limits } = limit;
        if !self.keys.contains_key(key) {
            return Err(Refusal::KeyUnknown);
        }
        limits.check()?;
        if *limits == KeyLimits::default() {
            self.keyring.limits.remove(key);
            self.keyring.minutes.remove(key);
        } else {
            self.keyring.limits.insert(key.clone(), limits.clone());
        }
        Ok(Reply::Done)
    }

    /// Whether the key may begin this call now.
    pub(crate) fn check_limits(&self, now: Timestamp, open: &OpenCall) -> Result<(), Refusal> {
        let Some(limits) = self.keyring.limits.get(&open.key) else {
            return Ok(());
        };
        if limits.expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::KeyExpired);
        }
        if !limits.models.is_empty() && !limits.models.contains(&open.model) {
            return Err(Refusal::ModelNotAllowed);
        }
        let controller = open.controller.and_then(|digest| self.controller(digest));
        let named = controller.map(|controller| controller.published.reference.controller());
        let listed = |name| limits.controllers.is_empty() || limits.controllers.contains(&name);
        if !named.is_none_or(listed) {
            return Err(Refusal::ControllerNotAllowed);
        }
        self.check_key_limits(now, &open.key)
    }

    /// Whether the key may read this dataset at all, its rates aside.
    pub(crate) fn check_dataset_limit(
        &self,
        key: &Slug,
        dataset: &DatasetName,
    ) -> Result<(), Refusal> {
        match self.keyring.limits.get(key) {
            Some(limits) if !limits.datasets.is_empty() && !limits.datasets.contains(dataset) => {
                Err(Refusal::DatasetNotAllowed)
            }
            _ => Ok(()),
        }
    }

    /// The same for anything that a key asks: whether its time is over, and its rates.
    pub(crate) fn check_key_limits(&self, now: Timestamp, key: &Slug) -> Result<(), Refusal> {
        let Some(limits) = self.keyring.limits.get(key) else {
            return Ok(());
        };
        if limits.expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::KeyExpired);
        }
        let minute = self.minute(now, key);
        match limits.reached(&minute) {
            Some(rate) => Err(Refusal::RateLimited {
                rate,
                resets_at: minute.ends_at(),
            }),
            None => Ok(()),
        }
    }

    /// Notes what a key used, where it has rates.
    pub(crate) fn count(&mut self, now: Timestamp, key: &Slug, requests: u64, tokens: u64) {
        let limits = self.keyring.limits.get(key);
        let rated = limits.is_some_and(|limits| {
            limits.requests_per_minute.is_some() || limits.tokens_per_minute.is_some()
        });
        if rated {
            let mut minute = self.minute(now, key);
            minute.requests = minute.requests.saturating_add(requests);
            minute.tokens = minute.tokens.saturating_add(tokens);
            self.keyring.minutes.insert(key.clone(), minute);
        }
    }
}
