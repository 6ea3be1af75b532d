use aigen_engine::TokenId;
use aigen_types::Digest;

use crate::{Allow, Decision, Edit, Generate, Observe, Params, Reason, Splice, Until, Waiting};

/// How a token came into a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    Sampled,
    Forced,
}

/// A running hash of everything one branch decided and produced.
///
/// Each entry is a tag byte and little-endian numbers with the counts of what follows, so
/// that no two different histories have the same bytes. Branches are hashed apart and put
/// together in the order of their numbers: who was computed beside whom changes nothing.
pub(super) struct Record(blake3::Hasher);

impl Record {
    /// Of a branch that began in this place of this one.
    pub fn new(parent: u32, position: u32) -> Self {
        let mut record = Self(blake3::Hasher::new_derive_key("aigen decision log 2"));
        record.number(parent);
        record.number(position);
        record
    }

    /// The hash of a whole session.
    pub fn session<'a>(
        program: Digest,
        prompt: &[TokenId],
        seed: u64,
        branches: impl Iterator<Item = &'a Self>,
        outcome: &str,
    ) -> Digest {
        let mut all = Self(blake3::Hasher::new_derive_key("aigen session log 2"));
        all.0.update(&program.0).update(&seed.to_le_bytes());
        all.tokens(prompt);
        for branch in branches {
            all.tag(b'b');
            all.0.update(branch.0.finalize().as_bytes());
        }
        all.tag(b'o');
        all.bytes(outcome.as_bytes());
        Digest(*all.0.finalize().as_bytes())
    }

    pub fn token(&mut self, token: TokenId, origin: Origin) {
        self.tag(match origin {
            Origin::Sampled => b's',
            Origin::Forced => b'f',
        });
        self.number(token);
    }

    /// A question to the outside and its answer.
    pub fn exchange(&mut self, exchange: Digest) {
        self.tag(b'a');
        self.0.update(&exchange.0);
    }

    pub fn decision(&mut self, decision: &Decision) {
        match decision {
            Decision::Generate(segment) => self.segment(segment),
            Decision::Edit(edit) => self.edit(edit),
            Decision::Fork(branches) => {
                self.tag(b'k');
                self.number(*branches);
            }
            Decision::Suspend(waiting) => self.waiting(waiting),
            Decision::Stop(stop) => {
                self.tag(b'.');
                self.tag(match stop.reason {
                    Reason::Done => 0,
                    Reason::Refused => 1,
                    Reason::GaveUp => 2,
                });
                self.tag(u8::from(stop.keep));
            }
        }
    }

    fn segment(&mut self, segment: &Generate) {
        self.tag(b'g');
        match &segment.allow {
            Allow::Any => self.tag(0),
            Allow::Matcher(_) => self.tag(1),
            Allow::Tokens(mask) => {
                self.tag(2);
                self.tokens(&mask.tokens());
            }
        }
        self.count(segment.bias.len());
        for (token, bias) in &segment.bias {
            self.number(*token);
            self.float(*bias);
        }
        self.params(&segment.params);
        self.count(segment.splices.len());
        segment
            .splices
            .iter()
            .for_each(|splice| self.splice(splice));
        match segment.observe {
            Observe::Nothing => self.tag(0),
            Observe::Sampled => self.tag(1),
            Observe::Top(count) => {
                self.tag(2);
                self.tag(count);
            }
        }
        self.until(&segment.until);
    }

    fn params(&mut self, params: &Params) {
        let Params {
            temperature,
            top_p,
            top_k,
            min_p,
        } = *params;
        for value in [temperature, top_p, min_p] {
            self.tag(u8::from(value.is_some()));
            self.float(value.unwrap_or(0.0));
        }
        self.tag(u8::from(top_k.is_some()));
        self.number(top_k.unwrap_or(0));
    }

    fn splice(&mut self, splice: &Splice) {
        self.tokens(&splice.sampled);
        self.number(splice.backtrack);
        self.tokens(&splice.tokens);
    }

    fn until(&mut self, until: &Until) {
        self.number(until.tokens);
        self.tokens(&until.triggers);
        self.count(until.stops.len());
        until.stops.iter().for_each(|stop| self.bytes(stop));
    }

    fn edit(&mut self, edit: &Edit) {
        self.tag(b'e');
        self.number(edit.backtrack);
        self.tokens(&edit.tokens);
        self.tag(u8::from(edit.heal));
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.tag(b'w');
        match waiting {
            Waiting::Variables(names) => {
                self.tag(0);
                self.count(names.len());
                names.iter().for_each(|name| self.bytes(name.as_bytes()));
            }
            Waiting::Branches(branches) => {
                self.tag(1);
                self.tokens(branches);
            }
            Waiting::Millis(millis) => {
                self.tag(2);
                self.number(*millis);
            }
        }
    }

    fn tag(&mut self, tag: u8) {
        self.0.update(&[tag]);
    }

    fn tokens(&mut self, tokens: &[TokenId]) {
        self.count(tokens.len());
        tokens.iter().for_each(|token| self.number(*token));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn number(&mut self, number: u32) {
        self.0.update(&number.to_le_bytes());
    }

    fn float(&mut self, number: f32) {
        self.0.update(&number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.0.update(&count.to_le_bytes());
    }
}
