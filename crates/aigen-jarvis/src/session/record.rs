use aigen_types::Digest;

use crate::{Allow, Decision};
use aigen_engine::TokenId;

/// How a token came into a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    Sampled,
    Forced,
}

/// A running hash of everything a session decided and produced.
///
/// Each entry is a tag byte and little-endian 32-bit numbers, so that no two
/// different histories have the same bytes.
pub(super) struct Record(blake3::Hasher);

impl Record {
    pub fn new(program: Digest, prompt: &[TokenId], seed: u64) -> Self {
        let mut record = Self(blake3::Hasher::new_derive_key("aigen decision log 1"));
        record.0.update(&program.0).update(&seed.to_le_bytes());
        record.list(b'p', prompt);
        record
    }

    pub fn token(&mut self, token: TokenId, origin: Origin) {
        let tag = match origin {
            Origin::Sampled => b's',
            Origin::Forced => b'f',
        };
        self.0.update(&[tag]).update(&token.to_le_bytes());
    }

    pub fn decision(&mut self, decision: &Decision) {
        match decision {
            Decision::Generate(segment) => {
                let constrained = matches!(segment.allow, Allow::Matcher(_));
                self.0.update(&[b'g', u8::from(constrained)]);
                self.0.update(&segment.until.tokens.to_le_bytes());
                self.list(b't', &segment.until.triggers);
                self.count(segment.until.stops.len());
                for stop in &segment.until.stops {
                    self.count(stop.len());
                    self.0.update(stop);
                }
            }
            Decision::Edit(edit) => {
                self.0.update(b"e").update(&edit.backtrack.to_le_bytes());
                self.list(b't', &edit.tokens);
            }
            Decision::Fork(_) | Decision::Suspend(_) | Decision::Stop(_) => {
                self.0.update(b".");
            }
        }
    }

    pub fn digest(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }

    fn list(&mut self, tag: u8, tokens: &[TokenId]) {
        self.0.update(&[tag]);
        self.count(tokens.len());
        for token in tokens {
            self.0.update(&token.to_le_bytes());
        }
    }

    fn count(&mut self, count: usize) {
        self.0
            .update(&u64::try_from(count).unwrap_or(u64::MAX).to_le_bytes());
    }
}
