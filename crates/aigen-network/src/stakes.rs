//! Stakes come and go with a delay, so that nobody votes with money that has no more to lose.

use crate::accounts::{account_id, addresses};
use crate::command::{MoveStake, NewValidator};
use crate::limits::WAITING_STAKES_MAX;
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::refusal::Refusal;
use aigen_types::{Amount, Epoch, Slug, Timestamp};
use alloc::vec::Vec;

/// What waits of a validator's money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StakeStanding {
    /// Parts of its stake that do not count yet, and the epoch from which they do.
    pub coming: Vec<Waiting>,
    /// Stake that was taken out, and the epoch in which it is paid.
    pub leaving: Vec<Waiting>,
    /// What it laid down to become a validator.
    pub bond: Amount,
}

/// An amount that waits for an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The epoch.
    pub until: Epoch,
    /// How much.
    pub amount: Amount,
}

impl Network {
    /// The part of a validator's stake that counts in the running epoch.
    #[must_use]
    pub fn active_stake(&self, validator: &Slug) -> Amount {
        let standing = self.governance.standings.get(validator);
        let coming = standing
            .map(|standing| &standing.coming)
            .into_iter()
            .flatten();
        let coming = coming.filter(|waiting| waiting.until > self.epoch.number);
        let waiting: Amount = coming.map(|waiting| waiting.amount).sum();
        self.available(&addresses::stake(validator))
            .saturating_sub(waiting)
    }

    /// Stake and bond, from the validator's free money.
    pub(crate) fn lock_first_stake(
        &mut self,
        now: Timestamp,
        new: &NewValidator,
    ) -> Result<(), Refusal> {
        let terms = self.rules()?.terms;
        let needed = new.stake.checked_add(terms.registration_bond);
        let needed = needed.ok_or(Refusal::AmountTooLarge)?;
        let own = addresses::validator(&new.name);
        // Asked first: a transfer that the ledger refuses burns its id, and a validator that is
        // funded later must be able to try again.
        let available = self.available(&own);
        if available < needed {
            return Err(Refusal::InsufficientFunds { available, needed });
        }
        let stake = addresses::stake(&new.name);
        let mut chain = Chain::new("stake", account_id(&stake).0);
        chain.pay(&own, &stake, new.stake, Reason::Stake);
        let bond = addresses::bond(&new.name);
        chain.pay(&own, &bond, terms.registration_bond, Reason::Bond);
        self.post(now, chain)?;
        if !terms.registration_bond.is_zero() {
            self.standing(&new.name).bond = terms.registration_bond;
        }
        self.delay(&new.name, new.stake, terms.activation_epochs);
        Ok(())
    }

    pub(crate) fn add_stake(&mut self, now: Timestamp, more: &MoveStake) -> Result<Reply, Refusal> {
        self.check_move(more)?;
        if self.ledger.transfer(more.id).is_some() {
            return Ok(Reply::Done);
        }
        let own = addresses::validator(&more.validator);
        let available = self.available(&own);
        if available < more.amount {
            let needed = more.amount;
            return Err(Refusal::InsufficientFunds { available, needed });
        }
        let mut chain = Chain::new("add-stake", more.id.0);
        let stake = addresses::stake(&more.validator);
        chain.pay_as(more.id, &own, &stake, more.amount, Reason::Stake);
        self.post(now, chain)?;
        let epochs = self.rules()?.terms.activation_epochs;
        self.delay(&more.validator, more.amount, epochs);
        Ok(Reply::Done)
    }

    /// Refused while the stake answers for something: a running assignment, or results that can
    /// still be appealed. Otherwise whoever expects to be slashed would leave first.
    pub(crate) fn remove_stake(
        &mut self,
        now: Timestamp,
        less: &MoveStake,
    ) -> Result<Reply, Refusal> {
        self.check_move(less)?;
        if self.ledger.transfer(less.id).is_some() {
            return Ok(Reply::Done);
        }
        let available = self.available(&addresses::stake(&less.validator));
        if available < less.amount {
            let needed = less.amount;
            return Err(Refusal::InsufficientFunds { available, needed });
        }
        let assigned = self
            .epoch
            .cells
            .iter()
            .any(|cell| cell.validator == less.validator);
        if assigned || !self.governance.held.is_empty() {
            return Err(Refusal::StakeInUse);
        }
        let epochs = self.rules()?.terms.unbonding_epochs;
        let to = match epochs {
            0 => addresses::validator(&less.validator),
            _ => addresses::unbonding(&less.validator),
        };
        let mut chain = Chain::new("remove-stake", less.id.0);
        let stake = addresses::stake(&less.validator);
        chain.pay_as(less.id, &stake, &to, less.amount, Reason::Unbond);
        self.post(now, chain)?;
        self.take_what_waits(&less.validator, less.amount);
        if epochs > 0 {
            let until = Epoch(self.epoch.number.0.saturating_add(epochs));
            let amount = less.amount;
            self.standing(&less.validator)
                .leaving
                .push(Waiting { until, amount });
        }
        self.return_bond(now, &less.validator)?;
        Ok(Reply::Done)
    }

    /// Pays what has waited long enough. Called when an epoch begins.
    pub(crate) fn pay_unbonded(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let names: Vec<Slug> = self.governance.standings.keys().cloned().collect();
        for name in names {
            let epoch = self.epoch.number;
            let standing = self.standing(&name);
            let due = |waiting: &&Waiting| waiting.until <= epoch;
            let amount = standing
                .leaving
                .iter()
                .filter(due)
                .map(|due| due.amount)
                .sum();
            standing.leaving.retain(|waiting| waiting.until > epoch);
            standing.coming.retain(|waiting| waiting.until > epoch);
            let from = addresses::unbonding(&name);
            let cause = account_id(&from).0 ^ u128::from(epoch.0);
            let mut chain = Chain::new("unbond", cause);
            chain.pay(&from, &addresses::validator(&name), amount, Reason::Unbond);
            self.post(now, chain)?;
            self.return_bond(now, &name)?;
        }
        Ok(())
    }

    /// Whoever has nothing at stake any more is no validator: its bond is its own again.
    fn return_bond(&mut self, now: Timestamp, name: &Slug) -> Result<(), Refusal> {
        let gone = self.available(&addresses::stake(name)).is_zero();
        let standing = self
            .governance
            .standings
            .get(name)
            .cloned()
            .unwrap_or_default();
        if gone && standing.leaving.is_empty() && !standing.bond.is_zero() {
            let from = addresses::bond(name);
            let cause = account_id(&from).0 ^ u128::from(self.commands);
            let mut chain = Chain::new("bond-back", cause);
            chain.pay(
                &from,
                &addresses::validator(name),
                standing.bond,
                Reason::Bond,
            );
            self.post(now, chain)?;
            self.standing(name).bond = Amount::ZERO;
        }
        self.governance
            .standings
            .retain(|_, standing| *standing != StakeStanding::default());
        Ok(())
    }

    fn check_move(&self, change: &MoveStake) -> Result<(), Refusal> {
        if change.amount.is_zero() {
            return Err(Refusal::AmountZero);
        }
        if !self.validators.contains_key(&change.validator) {
            return Err(Refusal::ValidatorUnknown);
        }
        let standing = self.governance.standings.get(&change.validator);
        let waiting = standing.map_or(0, |s| s.coming.len().max(s.leaving.len()));
        match waiting < WAITING_STAKES_MAX {
            true => Ok(()),
            false => Err(Refusal::StakeInUse),
        }
    }

    fn delay(&mut self, name: &Slug, amount: Amount, epochs: u64) {
        if epochs > 0 {
            let until = Epoch(self.epoch.number.0.saturating_add(epochs));
            self.standing(name).coming.push(Waiting { until, amount });
        }
    }

    /// What is taken out is what came last: a part that does not count yet goes before one that does.
    fn take_what_waits(&mut self, name: &Slug, mut amount: Amount) {
        if let Some(standing) = self.governance.standings.get_mut(name) {
            for waiting in standing.coming.iter_mut().rev() {
                let taken = waiting.amount.min(amount);
                waiting.amount = waiting.amount.saturating_sub(taken);
                amount = amount.saturating_sub(taken);
            }
            standing.coming.retain(|waiting| !waiting.amount.is_zero());
        }
    }

    fn standing(&mut self, name: &Slug) -> &mut StakeStanding {
        self.governance.standings.entry(name.clone()).or_default()
    }
}
