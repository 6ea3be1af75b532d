//! Backtrack: every hesitant word is taken back and another put in its place. The parameters
//! `hesitant` and `instead` name other words than `maybe` and `yes`.

use aigen_controller::prelude::*;

#[derive(Clone)]
struct SelfRepair {
    hesitant: String,
    instead: String,
    /// The text written since the last look.
    text: Vec<u8>,
}

impl Controller for SelfRepair {
    fn open(request: Request) -> Result<Self, Error> {
        let argument: serde_json::Value =
            serde_json::from_str(&request.argument).unwrap_or_default();
        let word = |name: &str, default: &str| {
            let word = argument[name].as_str().filter(|word| !word.is_empty());
            word.unwrap_or(default).to_owned()
        };
        Ok(Self {
            hesitant: word("hesitant", "maybe"),
            instead: word("instead", "yes"),
            text: Vec::new(),
        })
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        if step.why == Wake::EndOfSequence {
            return Ok(stop());
        }
        self.text.extend(tokenizer::decode(&step.appended));
        if !self.text.ends_with(self.hesitant.as_bytes()) {
            return Ok(segment().until(&self.hesitant).into());
        }
        // The word may be a part of its tokens: whatever stood before it is written again.
        let tokens = tokens_of(&step.appended, self.hesitant.len());
        let taken = tokenizer::decode(&step.appended[step.appended.len() - tokens..]);
        let mut again = taken[..taken.len() - self.hesitant.len()].to_vec();
        again.extend(self.instead.as_bytes());
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
