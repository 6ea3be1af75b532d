use crate::accounts::{account_id, addresses};
use crate::command::{CloseCall, ExtendCall, OpenCall, ProgressCall};
use crate::limits::CALL_HOLDS_MAX;
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::refusal::Refusal;
use aigen_economy::{Charge, Price, Split, Usage, affordable_output, cover, rate, split_charge};
use aigen_ledger::PendingStatus;
use aigen_types::{Address, Amount, CallId, Digest, Epoch, ModelName, Slug, Timestamp, TransferId};
use alloc::vec::Vec;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The model or its controller finished.
    Stop,
    /// The caller's token limit or the context was reached.
    Length,
    /// The money was: generation stopped at the last covered token.
    Budget,
    /// The caller went away.
    Cancelled,
    /// The controller failed; what it used is charged.
    ControllerFault,
    /// The engine failed; what was produced is charged.
    EngineFault,
    /// The node died; what it had reported is charged.
    Recovered,
    /// The holds timed out before the node came back; nothing is charged.
    Expired,
}

/// A running call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The key that asked.
    pub key: Slug,
    /// Who pays.
    pub payer: Address,
    /// The model that answers.
    pub model: ModelName,
    /// The controller version that steers.
    pub controller: Option<Digest>,
    /// Hash of the request.
    pub request: Digest,
    /// The bound its caller set.
    pub budget: Option<Amount>,
    /// Prompt tokens, counted before anything was held.
    pub prompt_tokens: u64,
    /// Output tokens that the holds cover.
    pub covered_tokens: u64,
    /// What it has reported so far.
    pub used: Usage,
    /// The prices it was promised.
    pub price: Price,
    /// Which page of the price book they stood on.
    pub price_version: u32,
    /// Its holds, oldest first.
    pub holds: Vec<(TransferId, Amount)>,
    /// When it began.
    pub opened_at: Timestamp,
}

impl Call {
    /// Everything it holds, in total.
    #[must_use]
    pub fn held(&self) -> Amount {
        self.holds.iter().map(|(_, amount)| *amount).sum()
    }
}

/// What a call came to. Kept for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The call as it stood when it ended; `used` is final.
    pub call: Call,
    /// The charge, line by line.
    pub charge: Charge,
    /// Who got what of it.
    pub split: Split,
    /// How it ended.
    pub outcome: Outcome,
    /// Controller time in microseconds.
    pub controller_micros: u64,
    /// Hash of the decisions taken.
    pub decisions: Digest,
    /// The epoch its escrow counts in.
    pub epoch: Epoch,
    /// When it ended.
    pub closed_at: Timestamp,
    /// The journal record that ended it.
    pub record: u64,
    /// The transfers that moved the money.
    pub transfers: Vec<TransferId>,
}

impl Network {
    pub(crate) fn open_call(&mut self, now: Timestamp, open: &OpenCall) -> Result<Reply, Refusal> {
        self.refuse_known_call(open)?;
        let key = self.keys.get(&open.key).ok_or(Refusal::KeyUnknown)?;
        if key.revoked {
            return Err(Refusal::KeyRevoked);
        }
        let model = self.models.get(&open.model).ok_or(Refusal::ModelUnknown)?;
        if let Some(digest) = open.controller
            && !self.controllers.contains_key(&digest)
        {
            return Err(Refusal::ControllerUnknown);
        }
        let mut call = Call {
            key: open.key.clone(),
            payer: key.account.clone(),
            model: open.model.clone(),
            controller: open.controller,
            request: open.request,
            budget: open.budget,
            prompt_tokens: open.prompt_tokens,
            covered_tokens: 0,
            used: Usage::default(),
            price: model.price,
            price_version: model.price_version,
            holds: Vec::new(),
            opened_at: now,
        };
        let available = self.available(&call.payer);
        // A call that cannot afford its prompt and one token would hold money to produce nothing.
        let needed = cover(&call.price, call.prompt_tokens, 1)?;
        if available < needed {
            return Err(Refusal::InsufficientFunds { available, needed });
        }
        if let Some(budget) = call.budget
            && budget < needed
        {
            return Err(Refusal::BudgetTooSmall { budget, needed });
        }
        self.cover_more(now, open.call, &mut call, open.chunk_tokens.max(1))?;
        self.opened(open.call, call)
    }

    fn opened(&mut self, id: CallId, call: Call) -> Result<Reply, Refusal> {
        let reply = Reply::Covered {
            tokens: call.covered_tokens,
            held: call.held(),
        };
        self.calls.insert(id, call);
        Ok(reply)
    }

    fn refuse_known_call(&self, open: &OpenCall) -> Result<(), Refusal> {
        let known = self
            .calls
            .get(&open.call)
            .or_else(|| self.receipts.get(&open.call).map(|receipt| &receipt.call));
        match known {
            None => Ok(()),
            Some(call) if call.request == open.request && call.key == open.key => {
                Err(Refusal::CallExists)
            }
            Some(_) => Err(Refusal::CallExistsWithDifferentRequest),
        }
    }

    /// Holds what the next `chunk` output tokens cost at most, or what the balance still
    /// covers of them: generation then stops exactly where the money does.
    fn cover_more(
        &mut self,
        now: Timestamp,
        id: CallId,
        call: &mut Call,
        chunk: u64,
    ) -> Result<(), Refusal> {
        if call.holds.len() >= CALL_HOLDS_MAX {
            return Err(Refusal::TooManyHolds);
        }
        let held = call.held();
        let balance = held
            .checked_add(self.available(&call.payer))
            .ok_or(Refusal::AmountTooLarge)?;
        let spendable = call.budget.map_or(balance, |budget| budget.min(balance));
        let affordable = affordable_output(&call.price, call.prompt_tokens, spendable);
        let target = call.covered_tokens.saturating_add(chunk).min(affordable);
        if target <= call.covered_tokens {
            return Err(Refusal::CoverExhausted);
        }
        let amount = cover(&call.price, call.prompt_tokens, target)?.saturating_sub(held);
        if !amount.is_zero() {
            let mut chain = Chain::nth("hold", id.0, call.holds.len());
            let hold = chain.hold(&call.payer, &addresses::clearing(), amount);
            self.post(now, chain)?;
            call.holds.push((hold, amount));
        }
        call.covered_tokens = target;
        Ok(())
    }

    pub(crate) fn extend_call(
        &mut self,
        now: Timestamp,
        extend: &ExtendCall,
    ) -> Result<Reply, Refusal> {
        self.progress(extend.call, extend.used)?;
        let mut call = self.open(extend.call)?.clone();
        self.cover_more(now, extend.call, &mut call, extend.chunk_tokens)?;
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

    pub(crate) fn close_call(
        &mut self,
        now: Timestamp,
        close: &CloseCall,
    ) -> Result<Reply, Refusal> {
        let call = self.open(close.call)?;
        check_usage(call, &close.used)?;
        let mut call = call.clone();
        call.used = close.used;
        let outcome = self.outcome_of(&call, close.outcome);
        let charge = charge_of(&call, outcome)?;
        let split = split_charge(
            &charge,
            &self.settings()?.shares,
            call.controller.is_some(),
            false,
        );
        let transfers = self.capture(now, close.call, &call, &charge, &split)?;
        self.tally_call(&call, &split, outcome, close.controller_micros);
        let receipt = Receipt {
            call,
            charge,
            split,
            outcome,
            controller_micros: close.controller_micros,
            decisions: close.decisions,
            epoch: self.epoch.number,
            closed_at: now,
            record: self.record,
            transfers,
        };
        let total = receipt.charge.total;
        self.calls.remove(&close.call);
        self.receipts.insert(close.call, receipt);
        Ok(Reply::Charged(total))
    }

    /// Holds that timed out cannot be captured any more: the call then ends uncharged.
    fn outcome_of(&self, call: &Call, outcome: Outcome) -> Outcome {
        let live = |(id, _): &(TransferId, Amount)| {
            self.ledger.pending(*id) == Some(PendingStatus::Pending)
        };
        if call.holds.iter().all(live) {
            outcome
        } else {
            Outcome::Expired
        }
    }

    fn capture(
        &mut self,
        now: Timestamp,
        id: CallId,
        call: &Call,
        charge: &Charge,
        split: &Split,
    ) -> Result<Vec<TransferId>, Refusal> {
        let mut chain = Chain::new("capture", id.0);
        let mut due = charge.total;
        for (hold, amount) in &call.holds {
            if self.ledger.pending(*hold) != Some(PendingStatus::Pending) {
                continue;
            }
            let take = due.min(*amount);
            if take.is_zero() {
                chain.release(*hold);
            } else {
                chain.capture(*hold, take);
            }
            due = due.saturating_sub(take);
        }
        if !due.is_zero() {
            return Err(Refusal::UsageExceedsCover);
        }
        self.share_out(&mut chain, call, split)?;
        self.post(now, chain)
    }

    /// From clearing to everyone who made the answer.
    fn share_out(&self, chain: &mut Chain, call: &Call, split: &Split) -> Result<(), Refusal> {
        let model = self.models.get(&call.model).ok_or(Refusal::ModelUnknown)?;
        let clearing = addresses::clearing();
        let provider = addresses::provider(&model.provider);
        chain.pay(&clearing, &provider, split.provider, Reason::ProviderShare);
        if let Some(controller) = call.controller {
            let escrow = addresses::escrow(controller);
            let budget = addresses::validator_budget(controller);
            chain.pay(
                &clearing,
                &escrow,
                split.controller,
                Reason::ControllerShare,
            );
            chain.pay(&clearing, &budget, split.validator, Reason::ValidatorShare);
        }
        let protocol = addresses::protocol();
        chain.pay(&clearing, &protocol, split.protocol, Reason::ProtocolShare);
        Ok(())
    }

    fn open(&self, id: CallId) -> Result<&Call, Refusal> {
        match self.calls.get(&id) {
            Some(call) => Ok(call),
            None if self.receipts.contains_key(&id) => Err(Refusal::CallClosed),
            None => Err(Refusal::CallUnknown),
        }
    }

    /// What an address can spend now.
    #[must_use]
    pub fn available(&self, address: &Address) -> Amount {
        self.ledger
            .account(account_id(address))
            .map_or(Amount::ZERO, aigen_ledger::Account::available)
    }
}

fn check_usage(call: &Call, used: &Usage) -> Result<(), Refusal> {
    let computed = used.computed_tokens();
    if computed > call.covered_tokens || used.all_prompt_tokens() > call.prompt_tokens {
        return Err(Refusal::UsageExceedsCover);
    }
    if computed < call.used.computed_tokens() {
        return Err(Refusal::UsageRunsBackwards);
    }
    Ok(())
}

/// A call that ended before the model computed anything costs nothing.
fn charge_of(call: &Call, outcome: Outcome) -> Result<Charge, Refusal> {
    let nothing_computed = call.used == Usage::default();
    if nothing_computed || outcome == Outcome::Expired {
        return Ok(Charge::default());
    }
    Ok(rate(&call.price, &call.used)?)
}
