//! Several answers to one prompt, which is computed once: the first session's sequence is forked at
//! its first logits, and every other one goes on from there by itself.

use aigen_engine::{Driver, Input, Start, Step};

pub(super) struct Several {
    first: Box<dyn Driver>,
    /// Those that have not been forked off yet.
    others: Vec<Box<dyn Driver>>,
}

impl Several {
    pub fn new(first: Box<dyn Driver>, others: Vec<Box<dyn Driver>>) -> Self {
        Self { first, others }
    }
}

impl Driver for Several {
    /// It goes on as long as any of them does.
    fn started(&mut self, start: Start) -> bool {
        let mut goes_on = self.first.started(start);
        // What the first computes is there for the others.
        let cached_prompt_tokens = start.prompt_tokens;
        for other in &mut self.others {
            goes_on |= other.started(Start {
                cached_prompt_tokens,
                ..start
            });
        }
        goes_on
    }

    fn prepare(&mut self) {
        self.first.prepare();
        self.others.iter_mut().for_each(|other| other.prepare());
    }

    fn next(&mut self, input: Input<'_>) -> Step {
        match input {
            // All of them are called with these logits, the first one first.
            Input::Logits(_) if !self.others.is_empty() => {
                Step::Fork(std::mem::take(&mut self.others))
            }
            Input::Failed(failure) => {
                for other in &mut self.others {
                    other.next(Input::Failed(failure));
                }
                self.first.next(Input::Failed(failure))
            }
            other => self.first.next(other),
        }
    }
}
