//! Allowances: what a user lets an app spend of the user's money.

use crate::accounts::AccountKind;
use crate::budgets::check_cap;
use crate::calendar::Period;
use crate::calls::Call;
use crate::command::{GrantAllowance, RevokeAllowance};
use crate::network::{Network, Reply};
use crate::refusal::Refusal;
use aigen_types::{Address, Amount, Ppm, Timestamp};

/// What a user lets an app spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// At most this, the app's margin included.
    pub cap: Amount,
    /// Per period.
    pub period: Period,
    /// What the app adds to the charge, as a part of it, for itself.
    pub margin: Ppm,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether the user ended it.
    pub revoked: bool,
}

impl Allowance {
    /// Whether it can be spent at this time.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.revoked && self.expires_at.is_none_or(|end| now < end)
    }
}

impl Network {
    /// Granting again changes the terms of calls to come; what a period has seen counts on.
    pub(crate) fn grant_allowance(&mut self, grant: &GrantAllowance) -> Result<Reply, Refusal> {
        check_cap(grant.cap)?;
        let free = |address| AccountKind::of(address).is_free();
        if grant.user == grant.app || !free(&grant.user) || !free(&grant.app) {
            return Err(Refusal::AddressReserved);
        }
        let allowance = Allowance {
            cap: grant.cap,
            period: grant.period,
            margin: grant.margin,
            expires_at: grant.expires_at,
            revoked: false,
        };
        let parties = (grant.user.clone(), grant.app.clone());
        self.allowances.insert(parties, allowance);
        Ok(Reply::Done)
    }

    pub(crate) fn revoke_allowance(&mut self, revoke: &RevokeAllowance) -> Result<Reply, Refusal> {
        let parties = (revoke.user.clone(), revoke.app.clone());
        let known = self.allowances.get_mut(&parties);
        known.ok_or(Refusal::AllowanceUnknown)?.revoked = true;
        Ok(Reply::Done)
    }

    /// What `user` lets `app` spend, ended or not.
    #[must_use]
    pub fn allowance(&self, user: &Address, app: &Address) -> Option<&Allowance> {
        self.allowances.get(&(user.clone(), app.clone()))
    }

    /// Every allowance with its user and its app, ended ones included.
    pub fn allowances(&self) -> impl Iterator<Item = (&(Address, Address), &Allowance)> {
        self.allowances.iter()
    }

    pub(crate) fn live_allowance(
        &self,
        now: Timestamp,
        user: &Address,
        app: &Address,
    ) -> Result<&Allowance, Refusal> {
        let known = self.allowance(user, app);
        let known = known.ok_or(Refusal::AllowanceUnknown)?;
        if known.is_live(now) {
            Ok(known)
        } else {
            Err(Refusal::AllowanceEnded)
        }
    }

    /// A call that spends an allowance holds no more once that has ended; what it holds stays.
    pub(crate) fn allowance_must_live(&self, now: Timestamp, call: &Call) -> Result<(), Refusal> {
        match &call.app {
            Some(app) => self.live_allowance(now, &call.payer, app).map(|_| ()),
            None => Ok(()),
        }
    }
}
