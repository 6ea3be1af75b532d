//! What a settled epoch pays is held while its results can be appealed.

use super::windows::after;
use super::{Payouts, Posting, audits, parse_digest};
use crate::accounts::addresses;
use crate::command::{Appeal, DecideAppeal, Finding};
use crate::limits::APPEALS_MAX;
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::refusal::Refusal;
use aigen_economy::settlement::{Input, Output, settle};
use aigen_types::{Address, Amount, Digest, Epoch, PPM, Slug, Timestamp, TransferId};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::vec::Vec;

/// A settled epoch before it is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Until when it can be appealed.
    pub until: Timestamp,
    /// When it is paid even if the operator has not decided: those appeals get their bonds back
    /// and change nothing.
    pub decide_until: Timestamp,
    /// Appeals that are not decided.
    pub appeals: BTreeMap<TransferId, OpenAppeal>,
    /// How often it was settled anew.
    pub revisions: u64,
}

/// An appeal that waits for its decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAppeal {
    /// Who appeals.
    pub from: Address,
    /// What it laid down.
    pub bond: Amount,
    /// The disputed cell.
    pub controller: Digest,
    /// Its parameter.
    pub parameter: Slug,
    /// Hash of the evidence.
    pub evidence: Digest,
}

impl Network {
    /// Gathers everything that the epoch pays in one account of its own.
    pub(super) fn hold_settlement(
        &mut self,
        now: Timestamp,
        seconds: u64,
        input: &Input,
        output: &Output,
        planted: &BTreeSet<Digest>,
    ) -> Result<Vec<Posting>, Refusal> {
        let epoch = self.epoch.number;
        let held = addresses::held(epoch);
        let mut payouts = Payouts::new(epoch);
        for controller in &input.controllers {
            let digest = parse_digest(&controller.id)?;
            payouts.hold(&addresses::escrow(digest), &held, controller.escrow);
            payouts.hold(
                &addresses::validator_budget(digest),
                &held,
                controller.vbudget,
            );
        }
        for (name, result) in &output.validators {
            payouts.slash(name, &held, result.slash)?;
        }
        self.gather_planted(&mut payouts, planted);
        let Payouts { chain, postings } = payouts;
        self.post(now, chain)?;
        let until = after(now, seconds).unwrap_or(now);
        let waiting = Held {
            until,
            decide_until: after(until, seconds).unwrap_or(until),
            appeals: BTreeMap::new(),
            revisions: 0,
        };
        self.governance.held.insert(epoch, waiting);
        Ok(postings)
    }

    pub(crate) fn appeal(&mut self, now: Timestamp, appeal: &Appeal) -> Result<Reply, Refusal> {
        if self.ledger.transfer(appeal.id).is_some() {
            return Ok(Reply::Done);
        }
        let held = self
            .governance
            .held
            .get(&appeal.epoch)
            .ok_or(Refusal::AppealClosed)?;
        if held.until <= now || held.appeals.len() >= APPEALS_MAX {
            return Err(Refusal::AppealClosed);
        }
        self.check_disputed(appeal)?;
        // Of the epoch that is disputed: whoever appeals knew these terms.
        let (_, rules) = self.rules_of(appeal.epoch)?;
        let bond = rules.terms.appeal_bond.max(Amount::from_nano(1));
        let available = self.available(&appeal.from);
        if available < bond {
            let needed = bond;
            return Err(Refusal::InsufficientFunds { available, needed });
        }
        let mut chain = Chain::new("appeal", appeal.id.0);
        let to = addresses::appeals(appeal.epoch);
        chain.pay_as(appeal.id, &appeal.from, &to, bond, Reason::AppealBond);
        self.post(now, chain)?;
        let open = OpenAppeal {
            from: appeal.from.clone(),
            bond,
            controller: appeal.controller,
            parameter: appeal.parameter.clone(),
            evidence: appeal.evidence,
        };
        if let Some(held) = self.governance.held.get_mut(&appeal.epoch) {
            held.appeals.insert(appeal.id, open);
        }
        Ok(Reply::Done)
    }

    /// Only what was scored can be disputed.
    fn check_disputed(&self, appeal: &Appeal) -> Result<(), Refusal> {
        let settled = self
            .settled
            .get(&appeal.epoch)
            .ok_or(Refusal::AppealClosed)?;
        let (id, parameter) = (appeal.controller.to_string(), appeal.parameter.as_str());
        let scored = settled.input.controllers.iter().any(|row| row.id == id);
        let known = settled
            .input
            .parameters
            .iter()
            .any(|row| row.id == parameter);
        match scored && known {
            true => Ok(()),
            false => Err(Refusal::ControllerUnknown),
        }
    }

    pub(crate) fn decide_appeal(
        &mut self,
        now: Timestamp,
        decide: &DecideAppeal,
    ) -> Result<Reply, Refusal> {
        if decide.truth.is_some_and(|truth| u64::from(truth) > PPM) {
            return Err(Refusal::ReportInvalid);
        }
        let mut held = self.governance.held.iter();
        let found = held.find_map(|(epoch, held)| Some((*epoch, held.appeals.get(&decide.id)?)));
        let (epoch, open) = found.ok_or(Refusal::AppealUnknown)?;
        let open = open.clone();
        if let Some(truth) = decide.truth {
            self.settle_anew(now, epoch, &open, truth)?;
        }
        let to = match decide.truth {
            Some(_) => open.from,
            None => addresses::treasury(),
        };
        self.pay_bond(now, epoch, decide.id, &to, open.bond)?;
        if let Some(held) = self.governance.held.get_mut(&epoch) {
            held.appeals.remove(&decide.id);
        }
        self.pay_what_is_due(now);
        Ok(Reply::Done)
    }

    /// The same epoch with the disputed cell audited. Nothing of it was paid yet; only what was
    /// slashed from stakes changes place.
    fn settle_anew(
        &mut self,
        now: Timestamp,
        epoch: Epoch,
        open: &OpenAppeal,
        truth: u32,
    ) -> Result<(), Refusal> {
        let settled = self.settled.get(&epoch).ok_or(Refusal::AppealClosed)?;
        let mut input = settled.input.clone();
        let finding = Finding {
            controller: open.controller,
            parameter: open.parameter.clone(),
            truth,
        };
        let audit = audits(&[finding]).pop().ok_or(Refusal::SettlementInvalid)?;
        input.audits.retain(|known| {
            (&known.controller, &known.parameter) != (&audit.controller, &audit.parameter)
        });
        input.audits.push(audit);
        input.audits.sort();
        let output = settle(&input);
        self.move_slashes(now, epoch, &output)?;
        self.remember_scores(&output);
        let record = self.record;
        if let Some(settled) = self.settled.get_mut(&epoch) {
            settled.input = input;
            settled.output = output;
            settled.record = record;
        }
        if let Some(held) = self.governance.held.get_mut(&epoch) {
            held.revisions = held.revisions.saturating_add(1);
        }
        Ok(())
    }

    fn move_slashes(
        &mut self,
        now: Timestamp,
        epoch: Epoch,
        output: &Output,
    ) -> Result<(), Refusal> {
        let before = self
            .settled
            .get(&epoch)
            .map(|settled| settled.output.validators.clone());
        let before = before.unwrap_or_default();
        let revision = self
            .governance
            .held
            .get(&epoch)
            .map_or(0, |held| held.revisions);
        let cause = (u128::from(epoch.0) << 64) | u128::from(revision);
        let (held, mut chain) = (addresses::held(epoch), Chain::new("revision", cause));
        for (name, result) in &output.validators {
            let name: Slug = name.parse().map_err(|_| Refusal::SettlementInvalid)?;
            let old = before
                .get(name.as_str())
                .map_or(Amount::ZERO, |result| result.slash);
            let stake = addresses::stake(&name);
            chain.pay(
                &held,
                &stake,
                old.saturating_sub(result.slash),
                Reason::Slash,
            );
            chain.pay(
                &stake,
                &held,
                result.slash.saturating_sub(old),
                Reason::Slash,
            );
        }
        self.post(now, chain)
    }

    fn pay_bond(
        &mut self,
        now: Timestamp,
        epoch: Epoch,
        id: TransferId,
        to: &Address,
        bond: Amount,
    ) -> Result<(), Refusal> {
        let mut chain = Chain::new("appeal-bond", id.0);
        chain.pay(&addresses::appeals(epoch), to, bond, Reason::AppealBond);
        self.post(now, chain)
    }

    /// Pays epochs that nobody can appeal any more. Part of every command, so that no command of
    /// an operator is needed and none can delay it.
    pub(crate) fn pay_what_is_due(&mut self, now: Timestamp) {
        let due = |(_, held): &(&Epoch, &Held)| {
            held.decide_until <= now || (held.until <= now && held.appeals.is_empty())
        };
        let Some((epoch, held)) = self.governance.held.iter().find(due) else {
            return;
        };
        let (epoch, lapsed) = (*epoch, held.appeals.clone());
        for (id, open) in lapsed {
            let paid = self.pay_bond(now, epoch, id, &open.from, open.bond);
            debug_assert_eq!(paid, Ok(()), "the bond was laid down");
        }
        let paid = self.pay_held(now, epoch);
        debug_assert_eq!(paid, Ok(()), "everything was gathered at settlement");
        self.governance.held.remove(&epoch);
    }

    fn pay_held(&mut self, now: Timestamp, epoch: Epoch) -> Result<(), Refusal> {
        let settled = self.settled.get(&epoch).ok_or(Refusal::AppealClosed)?;
        let (held, output) = (addresses::held(epoch), &settled.output);
        let mut payouts = Payouts::held(epoch);
        for controller in &settled.input.controllers {
            let result = output.controllers.get(&controller.id);
            let payout = result.map_or(Amount::ZERO, |result| result.payout);
            let digest = parse_digest(&controller.id)?;
            payouts.pay_developer(digest, &controller.owner, &held, payout)?;
        }
        for (name, result) in &output.validators {
            payouts.pay_validator(name, &held, result.pay)?;
        }
        for (account, amount) in &output.refunds {
            payouts.refund(account, &held, *amount)?;
        }
        payouts.rest(&held, output.treasury, output.burned);
        let Payouts { chain, postings } = payouts;
        self.post(now, chain)?;
        if let Some(settled) = self.settled.get_mut(&epoch) {
            settled.postings.extend(postings);
        }
        Ok(())
    }
}
