//! From logits to a choice.

use std::time::Instant;

use aigen_engine::TokenId;
use aigen_engine::sampler::{Draw, logprobs};

use super::super::common::Common;
use super::{Activity, Branch};
use crate::limits::CLOSING_TOKENS;
use crate::{Choice, Fault, Finish, Observe, TokenLogprobs};

impl Branch {
    /// Lets the model choose a token of those that may come.
    pub(super) fn choose(
        &mut self,
        logits: &mut [f32],
        common: &mut Common,
    ) -> Result<Choice, Finish> {
        let Activity::Generating(segment) = &mut self.activity else {
            unreachable!("only a segment samples");
        };
        let began = Instant::now();
        let mask = segment.mask()?;
        common.overhead += began.elapsed();
        let observe = segment.observe;
        let wanted = common.top_logprobs.is_some() || observe != Observe::Nothing;
        let own = wanted.then(|| logits.to_vec());
        let masked = match (&mask, common.outlet.traces()) {
            (Some(mask), true) => logits.len().saturating_sub(mask.len()),
            _ => 0,
        };
        if let Some(mask) = mask {
            mask.apply(logits);
        }
        self.tracing.masked = u32::try_from(masked).unwrap_or(u32::MAX);
        let token = self.sample(logits)?;
        if self.strands(token, common)? {
            return Ok(Choice::Steered);
        }
        let Some(own) = own else {
            return Ok(sampled(token));
        };
        if let Some(top) = common.top_logprobs {
            let (chosen, top) = logprobs(&own, token, top);
            let logprob = chosen.logprob;
            self.logprobs.push(TokenLogprobs {
                token,
                logprob,
                top,
            });
        }
        Ok(observed(&own, token, observe))
    }

    fn sample(&self, logits: &mut [f32]) -> Result<TokenId, Finish> {
        let Activity::Generating(segment) = &self.activity else {
            unreachable!("only a segment samples");
        };
        let mut draw = Draw {
            branch: self.path,
            attempt: self.rewinds.total(),
            position: self.output.position(),
        };
        let empty = |_| Fault::MaskEmpty;
        if !segment.heals() {
            return Ok(self.sampler.sample(logits, draw).map_err(empty)?);
        }
        // What the constraint refuses is drawn again without it; what was taken off adds nothing
        // to what it heals, and is never refused.
        loop {
            let mut row = logits.to_vec();
            let token = self.sampler.sample(&mut row, draw).map_err(empty)?;
            if segment.heals_with(token)? {
                return Ok(token);
            }
            let index = usize::try_from(token).unwrap_or(usize::MAX);
            if let Some(logit) = logits.get_mut(index) {
                *logit = f32::NEG_INFINITY;
            }
            draw.branch = draw.branch.wrapping_add(1);
        }
    }

    /// Whether the token leaves too little room for the grammar to be completed.
    fn strands(&mut self, token: TokenId, common: &Common) -> Result<bool, Fault> {
        let left = common.room_left(self.output.position());
        if left > CLOSING_TOKENS || self.ends_turn(token, common) {
            return Ok(false);
        }
        match &mut self.activity {
            Activity::Generating(segment) => segment.strands(token, left),
            _ => Ok(false),
        }
    }
}

fn sampled(token: TokenId) -> Choice {
    let (logprob, top) = (None, Vec::new());
    Choice::Sampled {
        token,
        logprob,
        top,
    }
}

fn observed(own: &[f32], token: TokenId, observe: Observe) -> Choice {
    let count = match observe {
        Observe::Nothing => return sampled(token),
        Observe::Sampled => 0,
        Observe::Top(count) => usize::from(count),
    };
    let (chosen, top) = logprobs(own, token, count);
    Choice::Sampled {
        token,
        logprob: Some(chosen.logprob),
        top,
    }
}
