use super::datasets::{Fee, by_fees, fee_shares};
use super::{Expected, Key, Model, address, ok, refused};
use aigen_economy::Usage;
use aigen_network::limits::{CALL_HOLDS_MAX, HOLD_TIMEOUT_SECONDS};
use aigen_network::{
    Cap, CloseCall, DatasetUse, ExtendCall, NewModel, OpenCall, ProgressCall, RefundReason, Wanted,
};
use aigen_types::{Address, Amount, CallId, Digest, Slug, TransferId};
use std::collections::BTreeMap;

/// A running call.
#[derive(Clone, Debug)]
pub(super) struct OpenedCall {
    pub key: Slug,
    request: Digest,
    pub payer: Address,
    /// Whose allowance to spend pays for it, and what that adds in parts per million.
    pub app: Option<(Address, u128)>,
    /// What it counts against.
    pub caps: Vec<Cap>,
    /// Its model as it was when the call began.
    model: NewModel,
    controller: Option<Digest>,
    pub budget: Option<u128>,
    prompt: u64,
    pub covered: u64,
    used: Usage,
    /// Amount, and the nanosecond at which it is free again.
    holds: Vec<(u128, u64)>,
    /// What it has read.
    pub fees: Vec<Fee>,
}

/// A call that has ended.
#[derive(Clone, Debug)]
pub(super) struct ClosedCall {
    pub key: Slug,
    pub request: Digest,
    pub payer: Address,
    pub caps: Vec<Cap>,
    /// What everyone was paid.
    pub shares: BTreeMap<Address, u128>,
    pub epoch: u64,
    pub refunds: Vec<(TransferId, u128, RefundReason)>,
    pub reversal: Option<(TransferId, RefundReason)>,
    /// What was read, where it is no call.
    pub read: Option<(Wanted, DatasetUse)>,
}

/// Payer, app and its margin, caps.
pub(super) type Paying = (Address, Option<(Address, u128)>, Vec<Cap>);

impl ClosedCall {
    pub(super) fn total(&self) -> u128 {
        self.shares.values().sum()
    }
}

impl OpenedCall {
    /// What prompt and `tokens` cost at most, at prices that are whole per token.
    fn cover(&self, tokens: u64) -> u128 {
        let price = &self.model.price;
        let per_token = |a: Amount, b: Amount| a.max(b).nano() / 1_000_000;
        price.request.nano()
            + u128::from(self.prompt) * per_token(price.input, price.cached_input)
            + u128::from(tokens) * per_token(price.output, price.input)
    }

    /// A charge together with what the app adds: a part of it, and a begun nano-AIGEN is a whole.
    fn with_margin(&self, charge: u128) -> u128 {
        let parts = self.app.as_ref().map_or(0, |(_, parts)| *parts);
        charge + (charge * parts).div_ceil(1_000_000)
    }

    pub fn most(&self, tokens: u64) -> u128 {
        let fees: u128 = self.fees.iter().map(|fee| fee.amount).sum();
        self.with_margin(self.cover(tokens) + fees)
    }

    /// The most tokens, up to `wanted`, that come to no more than `money`.
    fn affordable(&self, wanted: u64, money: u128) -> u64 {
        let (mut fits, mut beyond) = (0, wanted + 1);
        while beyond - fits > 1 {
            let middle = fits + (beyond - fits) / 2;
            match self.most(middle) <= money {
                true => fits = middle,
                false => beyond = middle,
            }
        }
        fits
    }

    pub fn held(&self) -> u128 {
        self.holds.iter().map(|(amount, _)| amount).sum()
    }

    pub(super) fn live(&self, now: u64) -> u128 {
        let live = self.holds.iter().filter(|(_, until)| *until > now);
        live.map(|(amount, _)| amount).sum()
    }

    fn charge(&self) -> u128 {
        let price = &self.model.price;
        let (used, per) = (&self.used, 1_000_000);
        let lines = [
            (used.prompt_tokens, price.input),
            (used.cached_prompt_tokens, price.cached_input),
            (used.sampled_tokens, price.output),
            (used.forced_tokens, price.input),
            (used.discarded_tokens, price.output),
        ];
        let tokens = lines.map(|(tokens, unit)| (u128::from(tokens) * unit.nano()).div_ceil(per));
        price.request.nano() + tokens.iter().sum::<u128>()
    }
}

impl Model {
    /// What calls hold of an address's money now.
    pub(super) fn held(&self, address: &Address) -> u128 {
        let own = self.open.values().filter(|call| call.payer == *address);
        own.map(|call| call.live(self.now)).sum()
    }

    pub(super) fn open_call(&mut self, open: &OpenCall) -> Expected {
        if let Some(known) = self.known_call(open) {
            return known;
        }
        let call = match self.begin(open) {
            Ok(call) => call,
            Err(refusal) => return refusal,
        };
        let least = open.least_tokens.max(1);
        let needed = call.most(least);
        if let Some(refusal) = self.too_little(&call.payer, &call.caps, needed) {
            return refusal;
        }
        if call.budget.is_some_and(|budget| budget < needed) {
            return refused("budget_too_small");
        }
        self.cover_more(open.call, call, open.chunk_tokens.max(least))
    }

    /// The call that is asked for, with nothing held for it.
    fn begin(&self, open: &OpenCall) -> Result<OpenedCall, Expected> {
        let key = self.usable_key(&open.key)?;
        let model = self.models.get(&open.model);
        let model = model.ok_or_else(|| refused("model_unknown"))?;
        let known = |digest: &Digest| self.controllers.values().any(|known| known == digest);
        if !open.controller.iter().all(known) {
            return Err(refused("controller_unknown"));
        }
        let read = |wanted| self.fee(key, wanted, DatasetUse::Completion);
        let fees = open.reads.iter().map(read).collect::<Result<_, _>>()?;
        let (payer, app, caps) = self.paying(key, open.end_user.as_ref(), open.bill_to.as_ref())?;
        Ok(OpenedCall {
            key: open.key.clone(),
            request: open.request,
            payer,
            caps,
            app,
            fees,
            model: model.clone(),
            controller: open.controller,
            budget: open.budget.map(Amount::nano),
            prompt: open.prompt_tokens,
            covered: 0,
            used: Usage::default(),
            holds: Vec::new(),
        })
    }

    pub(super) fn usable_key(&self, name: &Slug) -> Result<&Key, Expected> {
        let key = self.keys.get(name);
        let key = key.ok_or_else(|| refused("key_unknown"))?;
        match key.revoked {
            true => Err(refused("key_revoked")),
            false => Ok(key),
        }
    }

    /// Who pays, by whose allowance, and what it counts against.
    pub(super) fn paying(
        &self,
        key: &Key,
        end_user: Option<&Slug>,
        bill_to: Option<&Address>,
    ) -> Result<Paying, Expected> {
        let spender = spender(key, end_user)?;
        let (payer, app) = match bill_to {
            Some(user) if *user != key.account => {
                let margin = self.allows(user, &key.account)?;
                (user, Some((key.account.clone(), margin)))
            }
            _ => (&key.account, None),
        };
        let caps = self.caps_of(&spender, payer, app.as_ref().map(|(app, _)| app));
        Ok((payer.clone(), app, caps))
    }

    /// What is said when money or caps leave too little: first of what nobody can wait for. What
    /// costs nothing no bound refuses.
    pub(super) fn too_little(
        &self,
        payer: &Address,
        caps: &[Cap],
        needed: u128,
    ) -> Option<Expected> {
        let (free, held) = (self.available(payer), self.held(payer));
        let bounds = caps.iter().map(|cap| self.used_of(cap));
        let bounds: Vec<_> = bounds.collect();
        let later = |(cap, spent, _): &(u128, u128, u128)| spent + needed <= *cap;
        let now = |(cap, spent, held): &(u128, u128, u128)| spent + held + needed <= *cap;
        if needed == 0 {
            None
        } else if free + held < needed {
            Some(refused("insufficient_funds"))
        } else if !bounds.iter().all(later) {
            Some(refused("budget_exhausted"))
        } else if free < needed || !bounds.iter().all(now) {
            Some(refused("in_flight_budget_exhausted"))
        } else {
            None
        }
    }

    fn known_call(&self, open: &OpenCall) -> Option<Expected> {
        let running = self.open.get(&open.call);
        let running = running.map(|call| (&call.key, &call.request));
        let ended = self.closed.get(&open.call);
        if ended.is_some_and(|ended| ended.read.is_some()) {
            return Some(refused("call_exists_with_different_request"));
        }
        let ended = ended.map(|call| (&call.key, &call.request));
        match running.or(ended)? == (&open.key, &open.request) {
            true => Some(refused("call_exists")),
            false => Some(refused("call_exists_with_different_request")),
        }
    }

    fn cover_more(&mut self, id: CallId, mut call: OpenedCall, chunk: u64) -> Expected {
        if call.holds.len() >= CALL_HOLDS_MAX + call.fees.len() {
            return refused("too_many_holds");
        }
        let left = |cap| {
            let (cap, spent, held) = self.used_of(cap);
            cap.saturating_sub(spent + held)
        };
        let left = call.caps.iter().map(left).min().unwrap_or(u128::MAX);
        let money = call.held() + self.available(&call.payer).min(left);
        let money = call.budget.map_or(money, |budget| budget.min(money));
        let target = call.affordable(call.covered + chunk, money);
        if target <= call.covered {
            return refused("cover_exhausted");
        }
        call.covered = target;
        let amount = call.most(target) - call.held();
        self.hold(id, call, amount)
    }

    /// So much more, of the payer's money and of every cap.
    pub(super) fn hold(&mut self, id: CallId, mut call: OpenedCall, amount: u128) -> Expected {
        if amount > 0 {
            for cap in &call.caps {
                self.true_up(cap);
            }
            let until = self.now + u64::from(HOLD_TIMEOUT_SECONDS) * 1_000_000_000;
            call.holds.push((amount, until));
        }
        let (covered, held) = (call.covered, Amount::from_nano(call.held()));
        self.open.insert(id, call);
        Expected::Words(format!("covers {covered}, holds {held}"))
    }

    pub(super) fn running(&self, id: CallId) -> Result<&OpenedCall, Expected> {
        let ended = self
            .closed
            .get(&id)
            .is_some_and(|ended| ended.read.is_none());
        self.open.get(&id).ok_or_else(|| match ended {
            true => refused("call_closed"),
            false => refused("call_unknown"),
        })
    }

    pub(super) fn extend_call(&mut self, extend: &ExtendCall) -> Expected {
        if let Err(refusal) = self.progress(extend.call, extend.used) {
            return refusal;
        }
        let call = self.open[&extend.call].clone();
        if let Some((app, _)) = &call.app
            && let Err(refusal) = self.allows(&call.payer, app)
        {
            return refusal;
        }
        self.cover_more(extend.call, call, extend.chunk_tokens)
    }

    pub(super) fn progress_call(&mut self, progress: &ProgressCall) -> Expected {
        self.progress(progress.call, progress.used)
            .err()
            .unwrap_or_else(ok)
    }

    fn progress(&mut self, id: CallId, used: Usage) -> Result<(), Expected> {
        self.running(id)?;
        let call = self.open.get_mut(&id).expect("it runs");
        let prompt = used.prompt_tokens + used.cached_prompt_tokens;
        if used.computed_tokens() > call.covered || prompt > call.prompt {
            return Err(refused("usage_exceeds_cover"));
        }
        if used.computed_tokens() < call.used.computed_tokens() {
            return Err(refused("usage_runs_backwards"));
        }
        call.used = used;
        Ok(())
    }

    pub(super) fn close_call(&mut self, close: &CloseCall) -> Expected {
        let before = self.open.get(&close.call).map(|call| call.used);
        if let Err(refusal) = self.progress(close.call, close.used) {
            return refusal;
        }
        let call = self.open.remove(&close.call).expect("it made progress");
        let expired = call.live(self.now) < call.held();
        let uncharged = expired || call.used == Usage::default();
        let charge = if uncharged { 0 } else { call.charge() };
        // Rows of a prompt are paid if that was computed; what a controller has it has.
        let due = |fee: &&Fee| !uncharged || !expired && fee.handed_over && fee.amount > 0;
        let fees: Vec<&Fee> = call.fees.iter().filter(due).collect();
        let all = charge + fees.iter().map(|fee| fee.amount).sum::<u128>();
        let total = call.with_margin(all);
        if total > call.live(self.now) {
            let used = before.unwrap_or_default();
            self.open.insert(close.call, OpenedCall { used, ..call });
            return refused("usage_exceeds_cover");
        }
        let shares = self.shares(&call, charge, &fees);
        for (payee, amount) in &shares {
            self.transfer(&call.payer, payee, *amount);
        }
        for cap in &call.caps {
            self.spend(cap, total);
        }
        let closed = ClosedCall {
            key: call.key,
            request: call.request,
            payer: call.payer,
            caps: call.caps,
            shares,
            epoch: self.epoch,
            refunds: Vec::new(),
            reversal: None,
            read: None,
        };
        self.closed.insert(close.call, closed);
        Expected::Words(format!("charged {}", Amount::from_nano(total)))
    }

    /// 65 % to the provider, and 5 % to those whose rows were read, or to it too; 20 % to the
    /// controller and 4 % to its validators, or to the provider too; the rest to the protocol.
    /// Fees go by themselves, and what an app adds is all its own.
    fn shares(&self, call: &OpenedCall, charge: u128, fees: &[&Fee]) -> BTreeMap<Address, u128> {
        let part = |ppm: u128| charge * ppm / 1_000_000;
        let (controller, validators, data) = (part(200_000), part(40_000), part(50_000));
        let mut provider = part(650_000);
        let protocol = charge - provider - data - controller - validators;
        let mut shares = fee_shares(fees);
        *shares.entry(address(&["protocol"])).or_default() += protocol;
        match fees.is_empty() {
            true => provider += data,
            false => by_fees(data, fees)
                .iter()
                .zip(fees)
                .for_each(|(part, fee)| {
                    *shares.entry(fee.to.clone()).or_default() += part;
                }),
        }
        if let Some(digest) = call.controller {
            let digest = digest.to_string();
            shares.insert(address(&["escrow", "controller", &digest]), controller);
            shares.insert(address(&["budget", "validators", &digest]), validators);
        } else {
            provider += controller + validators;
        }
        if let Some((app, _)) = &call.app {
            let all = charge + fees.iter().map(|fee| fee.amount).sum::<u128>();
            let margin = call.with_margin(all) - all;
            *shares.entry(app.clone()).or_default() += margin;
        }
        // Whoever provides the model when the call ends is paid.
        let name = &self.models[&call.model.name].provider;
        let to = address(&["provider", name.as_str()]);
        *shares.entry(to).or_default() += provider;
        shares
    }
}

/// Whose spending it is: the key's, or an end user's below it, if that has a place for one.
fn spender(key: &Key, end_user: Option<&Slug>) -> Result<Address, Expected> {
    let Some(user) = end_user else {
        return Ok(key.spender.clone());
    };
    let words: Vec<&str> = key.spender.as_str().split(':').collect();
    match words.len() % 2 {
        0 => Ok(address(
            &[words.as_slice(), &["user", user.as_str()]].concat(),
        )),
        _ => Err(refused("spender_invalid")),
    }
}
