//! What a branch says of itself to whoever wants a trace.

use std::time::{Duration, Instant};

use aigen_engine::TokenId;

use super::super::common::Common;
use super::super::record::Origin;
use super::Branch;
use crate::context::Shown;
use crate::{Decision, Token, Traced, Wake};

/// What the next steps of the trace will say.
#[derive(Default)]
pub(super) struct Tracing {
    /// Why the controller was asked last.
    pub why: Option<Wake>,
    /// Tokens that could not have been sampled last.
    pub masked: u32,
    /// Time since its last decision.
    took: Duration,
}

impl Branch {
    /// The controller was asked, since then.
    pub(super) fn took(&mut self, began: Instant, common: &mut Common) {
        let took = began.elapsed();
        common.overhead += took;
        self.tracing.took += took;
    }

    pub(super) fn decided(&mut self, decision: &Decision, common: &mut Common) {
        let took = std::mem::take(&mut self.tracing.took);
        if !common.outlet.traces() {
            return;
        }
        let fuel = common.context.used().guest.fuel;
        let decided = Traced::Decided {
            why: self.tracing.why.map_or("started", wake),
            decision: name(decision),
            micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            fuel: fuel.saturating_sub(common.traced_fuel),
        };
        common.traced_fuel = fuel;
        let position = self.output.position();
        common.trace_log(position);
        common.outlet.trace(self.id, position, decided);
    }

    /// A token that may be seen as far as the caller is shown it.
    pub(super) fn traced(&self, id: TokenId, visible: &[u8]) -> Token {
        let hidden = self.output.shown == Shown::Hidden;
        Token {
            id,
            bytes: if hidden { Vec::new() } else { visible.to_vec() },
            hidden,
            masked: self.tracing.masked,
        }
    }

    pub(super) fn produced(&mut self, token: Token, origin: Origin, common: &mut Common) {
        let what = match origin {
            Origin::Sampled => Traced::Sampled(token),
            Origin::Forced => Traced::Forced(Token { masked: 0, ..token }),
        };
        common.outlet.trace(self.id, self.output.position(), what);
    }

    /// The branch is over.
    pub fn over(&mut self, kept: bool, common: &mut Common) {
        let position = self.output.position();
        common
            .outlet
            .trace(self.id, position, Traced::Over { kept });
    }
}

fn wake(why: Wake) -> &'static str {
    match why {
        Wake::Started => "started",
        Wake::Forked { .. } => "forked",
        Wake::Edited => "edited",
        Wake::MatcherFinished => "matcher_finished",
        Wake::StopMatched => "stop_matched",
        Wake::Triggered => "triggered",
        Wake::EndOfSequence => "end_of_sequence",
        Wake::TokenLimit => "token_limit",
        Wake::Resumed => "resumed",
    }
}

fn name(decision: &Decision) -> &'static str {
    match decision {
        Decision::Generate(_) => "generate",
        Decision::Edit(_) => "edit",
        Decision::Fork(_) => "fork",
        Decision::Suspend(_) => "suspend",
        Decision::Stop(_) => "stop",
    }
}
