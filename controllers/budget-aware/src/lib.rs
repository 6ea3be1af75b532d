//! Reads the meter: it lets the model think while there is money for it, and asks for a short
//! answer before there is none.

use aigen_controller::prelude::*;

#[derive(Clone)]
struct BudgetAware {
    closing: bool,
}

/// Tokens kept for the answer.
const ANSWER_TOKENS: u64 = 16;

impl Controller for BudgetAware {
    fn open(_: Request) -> Result<Self, Error> {
        output::hold(0);
        Ok(Self { closing: false })
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        if self.closing || step.why == Wake::EndOfSequence {
            return Ok(match step.why {
                Wake::Edited => segment().tokens(ANSWER_TOKENS as u32 / 2).until(".").into(),
                _ => stop(),
            });
        }
        let left = meter::remaining();
        if left.tokens.min(u64::from(left.room)) <= ANSWER_TOKENS {
            self.closing = true;
            return Ok(text(" So:"));
        }
        Ok(segment().tokens(8).into())
    }
}

controller!(BudgetAware);
