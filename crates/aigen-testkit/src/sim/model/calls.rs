use super::{Expected, Key, Model, address, ok, refused};
use aigen_economy::Usage;
use aigen_network::limits::{CALL_HOLDS_MAX, HOLD_TIMEOUT_SECONDS};
use aigen_network::{Cap, CloseCall, ExtendCall, NewModel, OpenCall, ProgressCall, RefundReason};
use aigen_types::{Address, Amount, CallId, Digest, Slug, TransferId};
use std::collections::BTreeMap;

/// A running call.
#[derive(Clone, Debug)]
pub(super) struct OpenedCall {
    key: Slug,
    request: Digest,
    payer: Address,
    /// Whose allowance to spend pays for it, and what that adds in parts per million.
    app: Option<(Address, u128)>,
    /// What it counts against.
    pub caps: Vec<Cap>,
    /// Its model as it was when the call began.
    model: NewModel,
    controller: Option<Digest>,
    budget: Option<u128>,
    prompt: u64,
    covered: u64,
    used: Usage,
    /// Amount, and the nanosecond at which it is free again.
    holds: Vec<(u128, u64)>,
}

/// A call that has ended.
#[derive(Clone, Debug)]
pub(super) struct ClosedCall {
    key: Slug,
    request: Digest,
    pub payer: Address,
    pub caps: Vec<Cap>,
    /// What everyone was paid.
    pub shares: BTreeMap<Address, u128>,
    pub epoch: u64,
    pub refunds: Vec<(TransferId, u128, RefundReason)>,
    pub reversal: Option<(TransferId, RefundReason)>,
}

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

    fn most(&self, tokens: u64) -> u128 {
        self.with_margin(self.cover(tokens))
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

    fn held(&self) -> u128 {
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
        if let Some(refusal) = self.too_little(&call, needed) {
            return refusal;
        }
        if call.budget.is_some_and(|budget| budget < needed) {
            return refused("budget_too_small");
        }
        self.cover_more(open.call, call, open.chunk_tokens.max(least))
    }

    /// The call that is asked for, with nothing held for it.
    fn begin(&self, open: &OpenCall) -> Result<OpenedCall, Expected> {
        let key = self.keys.get(&open.key);
        let key = key.ok_or_else(|| refused("key_unknown"))?;
        if key.revoked {
            return Err(refused("key_revoked"));
        }
        let model = self.models.get(&open.model);
        let model = model.ok_or_else(|| refused("model_unknown"))?;
        let known = |digest: &Digest| self.controllers.values().any(|known| known == digest);
        if !open.controller.iter().all(known) {
            return Err(refused("controller_unknown"));
        }
        let spender = spender(key, open)?;
        let (payer, app) = match &open.bill_to {
            Some(user) if *user != key.account => {
                let margin = self.allows(user, &key.account)?;
                (user, Some((key.account.clone(), margin)))
            }
            _ => (&key.account, None),
        };
        Ok(OpenedCall {
            key: open.key.clone(),
            request: open.request,
            payer: payer.clone(),
            caps: self.caps_of(&spender, payer, app.as_ref().map(|(app, _)| app)),
            app,
            model: model.clone(),
            controller: open.controller,
            budget: open.budget.map(Amount::nano),
            prompt: open.prompt_tokens,
            covered: 0,
            used: Usage::default(),
            holds: Vec::new(),
        })
    }

    /// What is said when money or caps leave too little: first of what nobody can wait for.
    fn too_little(&self, call: &OpenedCall, needed: u128) -> Option<Expected> {
        let (free, held) = (self.available(&call.payer), self.held(&call.payer));
        let bounds = call.caps.iter().map(|cap| self.used_of(cap));
        let bounds: Vec<_> = bounds.collect();
        let later = |(cap, spent, _): &(u128, u128, u128)| spent + needed <= *cap;
        let now = |(cap, spent, held): &(u128, u128, u128)| spent + held + needed <= *cap;
        if free + held < needed {
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
        let ended = ended.map(|call| (&call.key, &call.request));
        match running.or(ended)? == (&open.key, &open.request) {
            true => Some(refused("call_exists")),
            false => Some(refused("call_exists_with_different_request")),
        }
    }

    fn cover_more(&mut self, id: CallId, mut call: OpenedCall, chunk: u64) -> Expected {
        if call.holds.len() >= CALL_HOLDS_MAX {
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
        for cap in &call.caps {
            self.true_up(cap);
        }
        let amount = call.most(target) - call.held();
        let until = self.now + u64::from(HOLD_TIMEOUT_SECONDS) * 1_000_000_000;
        call.holds.push((amount, until));
        call.covered = target;
        let held = Amount::from_nano(call.held());
        self.open.insert(id, call);
        Expected::Words(format!("covers {target}, holds {held}"))
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
        let ended = self.closed.contains_key(&id);
        let call = self.open.get_mut(&id).ok_or_else(|| match ended {
            true => refused("call_closed"),
            false => refused("call_unknown"),
        })?;
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
        let total = call.with_margin(charge);
        if total > call.live(self.now) {
            let used = before.unwrap_or_default();
            self.open.insert(close.call, OpenedCall { used, ..call });
            return refused("usage_exceeds_cover");
        }
        let shares = self.shares(&call, charge);
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
        };
        self.closed.insert(close.call, closed);
        Expected::Words(format!("charged {}", Amount::from_nano(total)))
    }

    /// 65 % to the provider, and 5 % for data that no call has; 20 % to the controller and 4 %
    /// to its validators, or to the provider too; the rest to the protocol. What an app adds is
    /// all its own.
    fn shares(&self, call: &OpenedCall, charge: u128) -> BTreeMap<Address, u128> {
        let part = |ppm: u128| charge * ppm / 1_000_000;
        let (controller, validators) = (part(200_000), part(40_000));
        let mut provider = part(650_000) + part(50_000);
        let protocol = charge - provider - controller - validators;
        let mut shares = BTreeMap::from([(address(&["protocol"]), protocol)]);
        if let Some(digest) = call.controller {
            let digest = digest.to_string();
            shares.insert(address(&["escrow", "controller", &digest]), controller);
            shares.insert(address(&["budget", "validators", &digest]), validators);
        } else {
            provider += controller + validators;
        }
        if let Some((app, _)) = &call.app {
            let margin = call.with_margin(charge) - charge;
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
fn spender(key: &Key, open: &OpenCall) -> Result<Address, Expected> {
    let Some(user) = &open.end_user else {
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
