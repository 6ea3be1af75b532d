//! What a running call's holds cover, and how they grow.

use crate::accounts::{account_id, addresses};
use crate::budgets::{least_of, must_leave};
use crate::calls::{Call, Hold};
use crate::command::{ExtendCall, OpenCall, ProgressCall};
use crate::limits::CALL_HOLDS_MAX;
use crate::network::{Network, Reply};
use crate::posting::Chain;
use crate::reads::Read;
use crate::refusal::Refusal;
use aigen_economy::{Usage, affordable_output, before_margin, cover, margin_on};
use aigen_types::{Address, Amount, CallId, Timestamp};
use alloc::vec::Vec;

impl Call {
    /// The most that it can come to with this many output tokens, what it has read and the app's
    /// margin included.
    pub(crate) fn most(&self, output_tokens: u64) -> Result<Amount, Refusal> {
        let charge = cover(&self.price, self.prompt_tokens, output_tokens)?;
        let charge = charge.checked_add(self.fees());
        let charge = charge.ok_or(Refusal::AmountTooLarge)?;
        charge
            .checked_add(margin_on(charge, self.margin))
            .ok_or(Refusal::AmountTooLarge)
    }

    /// The output tokens that this much pays for, margin included.
    fn affordable(&self, amount: Amount) -> u64 {
        let charge = before_margin(amount, self.margin).checked_sub(self.fees());
        charge.map_or(0, |charge| {
            affordable_output(&self.price, self.prompt_tokens, charge)
        })
    }
}

/// What a call could come to, before it is opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// What its prompt and one token cost, or all of it where it cannot be stopped at a token: with
    /// less it does not begin.
    pub least: Amount,
    /// What it costs at most, and never more than it may.
    pub most: Amount,
    /// What its prompt has of datasets, at the price of now. Their fees are part of both.
    pub reads: Vec<Read>,
    /// Who would pay.
    pub payer: Address,
}

impl Network {
    /// What this call could come to with so many output tokens, if it were opened now. Nothing is
    /// held, and whether anybody has the money is not asked.
    ///
    /// # Errors
    /// The refusal that opening it would meet, but for money.
    pub fn quote(
        &self,
        now: Timestamp,
        open: &OpenCall,
        output_tokens: u64,
    ) -> Result<Quote, Refusal> {
        let call = self.new_call(now, open)?;
        let (least, most) = (open.least_tokens.max(1), call.most(output_tokens)?);
        let (needed, budget) = (call.most(least)?, call.budget.unwrap_or(most));
        if budget < needed {
            return Err(Refusal::BudgetTooSmall { budget, needed });
        }
        Ok(Quote {
            least: needed,
            most: most.min(budget),
            reads: call.reads,
            payer: call.payer,
        })
    }

    /// Holds what the next `chunk` output tokens cost at most, or what is `left` of the balance and
    /// of every cap still covers of them: generation then stops exactly where the money does.
    pub(crate) fn cover_more(
        &mut self,
        now: Timestamp,
        id: CallId,
        call: &mut Call,
        chunk: u64,
        left: Amount,
    ) -> Result<(), Refusal> {
        if call.holds.len() >= CALL_HOLDS_MAX.saturating_add(call.reads.len()) {
            return Err(Refusal::TooManyHolds);
        }
        let held = call.held();
        let balance = held.checked_add(left).ok_or(Refusal::AmountTooLarge)?;
        let bound = self.bound_of(id, call);
        let spendable = bound.map_or(balance, |bound| bound.min(balance));
        let target = call.covered_tokens.saturating_add(chunk);
        // Mostly there is money enough, and no need to look for where it ends.
        let target = match call.most(target) {
            Ok(most) if most <= spendable => target,
            _ => target.min(call.affordable(spendable)),
        };
        if target <= call.covered_tokens {
            return Err(Refusal::CoverExhausted);
        }
        let amount = call.most(target)?.saturating_sub(held);
        if !amount.is_zero() {
            let hold = self.hold(now, id, call, amount)?;
            call.holds.push(hold);
        }
        call.covered_tokens = target;
        Ok(())
    }

    /// Holds what the call has just read, beside the tokens that are covered: all of it or nothing.
    pub(crate) fn cover_reads(
        &mut self,
        now: Timestamp,
        id: CallId,
        call: &mut Call,
    ) -> Result<(), Refusal> {
        let needed = call.most(call.covered_tokens)?;
        let more = needed.saturating_sub(call.held());
        must_leave(&self.bounds(&call.payer, &call.caps), more)?;
        match self.bound_of(id, call) {
            Some(budget) if budget < needed => {
                return Err(Refusal::BudgetTooSmall { budget, needed });
            }
            _ => {}
        }
        if !more.is_zero() {
            let hold = self.hold(now, id, call, more)?;
            call.holds.push(hold);
        }
        Ok(())
    }

    /// The same amount of the payer's money and of every cap, all in one chain.
    fn hold(
        &mut self,
        now: Timestamp,
        id: CallId,
        call: &Call,
        amount: Amount,
    ) -> Result<Hold, Refusal> {
        let mut chain = Chain::nth("hold", id.0, call.holds.len());
        let transfer = chain.hold(&call.payer, &addresses::clearing(), amount);
        let caps = call.caps.iter().map(|cap| {
            self.true_up(&mut chain, cap);
            chain.hold_units(cap.may_spend(), cap.was_spent(), amount)
        });
        let hold = Hold {
            transfer,
            amount,
            caps: caps.collect(),
        };
        self.post(now, chain)?;
        Ok(hold)
    }

    pub(crate) fn extend_call(
        &mut self,
        now: Timestamp,
        extend: &ExtendCall,
    ) -> Result<Reply, Refusal> {
        self.progress(extend.call, extend.used)?;
        let mut call = self.open(extend.call)?.clone();
        self.allowance_must_live(now, &call)?;
        let left = least_of(&self.bounds(&call.payer, &call.caps));
        self.cover_more(now, extend.call, &mut call, extend.chunk_tokens, left)?;
        self.opened(extend.call, call)
    }

    pub(crate) fn progress_call(&mut self, progress: &ProgressCall) -> Result<Reply, Refusal> {
        self.progress(progress.call, progress.used)?;
        Ok(Reply::Done)
    }

    fn progress(&mut self, id: CallId, used: Usage) -> Result<(), Refusal> {
        check_usage(self.open(id)?, &used)?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.used = used;
        }
        Ok(())
    }

    /// What an address can spend now.
    #[must_use]
    pub fn available(&self, address: &Address) -> Amount {
        self.ledger
            .account(account_id(address))
            .map_or(Amount::ZERO, aigen_ledger::Account::available)
    }
}

pub(crate) fn check_usage(call: &Call, used: &Usage) -> Result<(), Refusal> {
    let computed = used.computed_tokens();
    if computed > call.covered_tokens || used.all_prompt_tokens() > call.prompt_tokens {
        return Err(Refusal::UsageExceedsCover);
    }
    if computed < call.used.computed_tokens() {
        return Err(Refusal::UsageRunsBackwards);
    }
    Ok(())
}
