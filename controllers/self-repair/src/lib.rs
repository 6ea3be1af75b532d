//! Backtrack: every hesitant word is taken back and another put in its place.

use aigen_controller::prelude::*;

#[derive(Clone)]
struct SelfRepair {
    /// The text written since the last look.
    text: Vec<u8>,
}

const HESITANT: &str = "maybe";
const INSTEAD: &str = "yes";

impl Controller for SelfRepair {
    fn open(_: Request) -> Result<Self, Error> {
        Ok(Self { text: Vec::new() })
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        if step.why == Wake::EndOfSequence {
            return Ok(stop());
        }
        self.text.extend(tokenizer::decode(&step.appended));
        if !self.text.ends_with(HESITANT.as_bytes()) {
            return Ok(segment().until(HESITANT).into());
        }
        // The word may be a part of its tokens: whatever stood before it is written again.
        let tokens = tokens_of(&step.appended, HESITANT.len());
        let taken = tokenizer::decode(&step.appended[step.appended.len() - tokens..]);
        let mut again = taken[..taken.len() - HESITANT.len()].to_vec();
        again.extend(INSTEAD.as_bytes());
        self.text.clear();
        Ok(edit(tokens as u32, tokenizer::encode(&again, false)))
    }
}

/// How many of the last tokens have at least so many bytes.
fn tokens_of(tokens: &[Token], bytes: usize) -> usize {
    let enough = |count: &usize| tokenizer::decode(&tokens[tokens.len() - count..]).len() >= bytes;
    (1..=tokens.len()).find(enough).unwrap_or(tokens.len())
}

controller!(SelfRepair);
