//! A safety filter over bytes: words that must not be said never leave. What could yet become
//! one is held back, across tokens too; one that is complete is taken back and blackened.

use aigen_controller::prelude::*;

#[derive(Clone)]
struct Redact {
    words: Vec<String>,
    hold: u32,
}

impl Controller for Redact {
    fn open(request: Request) -> Result<Self, Error> {
        let argument: serde_json::Value = serde_json::from_str(&request.argument)
            .map_err(|error| Error::Invalid(format!("the parameters are no JSON: {error}")))?;
        let words: Vec<String> = argument["words"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|word| Some(word.as_str()?.to_owned()))
            .filter(|word| !word.is_empty())
            .collect();
        if words.is_empty() {
            return Err(Error::Invalid("`words` must be a list of words".to_owned()));
        }
        // A token has at least one byte, so this many tokens hold every word.
        let hold = words.iter().map(String::len).max().unwrap_or(0) as u32;
        output::hold(hold);
        Ok(Self { words, hold })
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        match step.why {
            Wake::StopMatched => Ok(self.blacken(&step.appended)),
            Wake::EndOfSequence => Ok(stop()),
            _ => Ok(self.watch()),
        }
    }

    fn finish(&mut self) -> String {
        format!("{{\"held_tokens\":{}}}", self.hold)
    }
}

impl Redact {
    fn watch(&self) -> Decision {
        let watched = self.words.iter().fold(segment(), |segment, word| segment.until(word));
        watched.into()
    }

    fn blacken(&self, appended: &[Token]) -> Decision {
        for count in 1..=appended.len() {
            let taken = tokenizer::decode(&appended[appended.len() - count..]);
            for word in &self.words {
                let at = taken.windows(word.len()).position(|part| part == word.as_bytes());
                if let Some(at) = at {
                    let mut again = taken[..at].to_vec();
                    again.extend(std::iter::repeat_n(b'*', word.len()));
                    again.extend(&taken[at + word.len()..]);
                    return edit(count as u32, tokenizer::encode(&again, false));
                }
            }
        }
        self.watch()
    }
}

controller!(Redact);
