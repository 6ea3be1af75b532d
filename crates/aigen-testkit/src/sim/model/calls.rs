use super::{Expected, Model, address, ok, refused};
use aigen_economy::Usage;
use aigen_network::limits::{CALL_HOLDS_MAX, HOLD_TIMEOUT_SECONDS};
use aigen_network::{CloseCall, ExtendCall, NewModel, OpenCall, ProgressCall};
use aigen_types::{Address, Amount, CallId, Digest, Slug};

/// A running call.
#[derive(Clone, Debug)]
pub(super) struct OpenedCall {
    key: Slug,
    request: Digest,
    payer: Address,
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

    /// The most tokens whose cover is no more than `money`.
    fn affordable(&self, money: u128) -> u64 {
        let each = self.cover(1) - self.cover(0);
        let tokens = money.saturating_sub(self.cover(0)) / each;
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    fn held(&self) -> u128 {
        self.holds.iter().map(|(amount, _)| amount).sum()
    }

    fn live(&self, now: u64) -> u128 {
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
        let Some((payer, revoked)) = self.keys.get(&open.key) else {
            return refused("key_unknown");
        };
        if *revoked {
            return refused("key_revoked");
        }
        let Some(model) = self.models.get(&open.model) else {
            return refused("model_unknown");
        };
        let known = |digest: &Digest| self.controllers.values().any(|known| known == digest);
        if !open.controller.iter().all(known) {
            return refused("controller_unknown");
        }
        let call = OpenedCall {
            key: open.key.clone(),
            request: open.request,
            payer: payer.clone(),
            model: model.clone(),
            controller: open.controller,
            budget: open.budget.map(Amount::nano),
            prompt: open.prompt_tokens,
            covered: 0,
            used: Usage::default(),
            holds: Vec::new(),
        };
        let (free, held) = (self.available(&call.payer), self.held(&call.payer));
        if free < call.cover(1) {
            return refused(match free + held < call.cover(1) {
                true => "insufficient_funds",
                false => "in_flight_budget_exhausted",
            });
        }
        if call.budget.is_some_and(|budget| budget < call.cover(1)) {
            return refused("budget_too_small");
        }
        self.cover_more(open.call, call, open.chunk_tokens.max(1))
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
        let money = call.held() + self.available(&call.payer);
        let money = call.budget.map_or(money, |budget| budget.min(money));
        let target = call.affordable(money).min(call.covered + chunk);
        if target <= call.covered {
            return refused("cover_exhausted");
        }
        let amount = call.cover(target) - call.held();
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
        let total = if uncharged { 0 } else { call.charge() };
        if total > call.live(self.now) {
            let used = before.unwrap_or_default();
            self.open.insert(close.call, OpenedCall { used, ..call });
            return refused("usage_exceeds_cover");
        }
        self.share_out(&call, total);
        let closed = ClosedCall {
            key: call.key,
            request: call.request,
        };
        self.closed.insert(close.call, closed);
        Expected::Words(format!("charged {}", Amount::from_nano(total)))
    }

    /// 65 % to the provider, and 5 % for data that no call has; 20 % to the controller and 4 %
    /// to its validators, or to the provider too; the rest to the protocol.
    fn share_out(&mut self, call: &OpenedCall, total: u128) {
        let part = |ppm: u128| total * ppm / 1_000_000;
        let (controller, validators) = (part(200_000), part(40_000));
        let mut provider = part(650_000) + part(50_000);
        let protocol = total - provider - controller - validators;
        if let Some(digest) = call.controller {
            let digest = digest.to_string();
            let escrow = address(&["escrow", "controller", &digest]);
            self.transfer(&call.payer, &escrow, controller);
            let budget = address(&["budget", "validators", &digest]);
            self.transfer(&call.payer, &budget, validators);
        } else {
            provider += controller + validators;
        }
        // Whoever provides the model when the call ends is paid.
        let name = &self.models[&call.model.name].provider;
        let to = address(&["provider", name.as_str()]);
        self.transfer(&call.payer, &to, provider);
        self.transfer(&call.payer, &address(&["protocol"]), protocol);
    }
}
