mod reasoned;

use std::sync::Arc;

use aigen_types::Digest;

use self::reasoned::Reasoned;
pub use self::reasoned::Reasoning;
use crate::constraint::Grammar;
use crate::limits::DISCARDED_TOKENS_MAX;
use crate::{Allow, Controller, Decision, Edit, Fault, Generate, Matcher, Opening, Report, Turn};

/// A compiled controller: what a request names and a session runs. Cheap to clone.
#[derive(Clone)]
pub struct Program(Arc<dyn Blueprint>);

/// What a [`Program`] is made from; a controller in Rust implements it, and so
/// does everything that hosts controllers written in something else.
pub trait Blueprint: Send + Sync {
    /// Names the program by its content: the same digest decides the same way.
    fn digest(&self) -> Digest;

    /// A fresh controller for one session.
    ///
    /// # Errors
    /// A fault ends the session before it began.
    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault>;

    /// Whether the controller ever takes tokens back.
    fn backtracks(&self) -> bool {
        false
    }

    /// Branches that it has at once, at most: a session waits until so many
    /// sequences of the engine are free, and its forks are never refused for want
    /// of one. A controller with more branches than it said takes its chance.
    fn branches(&self) -> u32 {
        1
    }

    /// Tokens that its controllers may take back in one session; every one of them is computed
    /// and paid for. Never more than [`DISCARDED_TOKENS_MAX`].
    fn discarded_tokens(&self) -> u64 {
        DISCARDED_TOKENS_MAX
    }

    /// Where what comes before the answer ends, for what begins with it.
    fn reasoning_end(&self) -> Option<String> {
        None
    }

    /// A matcher at the start of the grammar, for what is nothing else.
    fn matcher(&self) -> Option<Matcher> {
        None
    }
}

impl Program {
    /// A program from its blueprint.
    #[must_use]
    pub fn new(blueprint: impl Blueprint + 'static) -> Self {
        Self(Arc::new(blueprint))
    }

    /// No constraint: the model alone, until it ends its turn.
    #[must_use]
    pub fn free() -> Self {
        Self::new(Free)
    }

    /// Exactly this text, in its canonical tokens. Nothing is sampled.
    #[must_use]
    pub fn forced(text: impl Into<String>) -> Self {
        Self::new(Forced { text: text.into() })
    }

    /// The program for a model that reasons first: it begins once the model has said where its
    /// reasoning ends. What comes before is no part of the answer, and is charged:
    /// [`crate::Piece::reasoning`] tells of it apart.
    #[must_use]
    pub fn after_reasoning(self, marks: Reasoning) -> Self {
        let program = self;
        Self::new(Reasoned { program, marks })
    }

    pub(crate) fn constrained(grammar: Grammar) -> Self {
        Self::new(Constrained { grammar })
    }

    /// Names the program by its content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// A fresh controller for one session.
    ///
    /// # Errors
    /// See [`Blueprint::open`].
    pub fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        self.0.open(opening)
    }

    /// A matcher at the start of the program's grammar, for controllers that use
    /// it in their segments; `None` if the program is no grammar. No two share a
    /// position.
    #[must_use]
    pub fn matcher(&self) -> Option<Matcher> {
        self.0.matcher()
    }

    /// Where what comes before its answer ends, if anything does.
    #[must_use]
    pub fn reasoning_end(&self) -> Option<String> {
        self.0.reasoning_end()
    }

    /// Whether it is one branch that only ever goes forward.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.backtracks() && self.branches() == 1
    }

    /// Whether its controllers ever take tokens back.
    #[must_use]
    pub fn backtracks(&self) -> bool {
        self.0.backtracks()
    }

    /// Tokens that they may take back in one session.
    #[must_use]
    pub fn discarded_tokens(&self) -> u64 {
        self.0.discarded_tokens().min(DISCARDED_TOKENS_MAX)
    }

    /// Branches that they have at once, at most.
    #[must_use]
    pub fn branches(&self) -> u32 {
        self.0.branches().max(1)
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Program({})", self.digest().short(12))
    }
}

/// The digest of a built-in: its kind, then its source.
pub(crate) fn digest_of(kind: &str, source: &str) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("aigen built-in controller 1");
    hasher.update(kind.as_bytes()).update(&[0]);
    hasher.update(source.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

/// A controller that takes its first decision, then stops.
struct Once(Option<Decision>);

impl Controller for Once {
    fn step(&mut self, _report: &Report<'_>) -> Result<Turn, Fault> {
        Ok(self.0.take().unwrap_or(Decision::stop()).into())
    }
}

impl Once {
    fn boxed(decision: Decision) -> Box<dyn Controller> {
        Box::new(Self(Some(decision)))
    }
}

struct Free;

impl Blueprint for Free {
    fn digest(&self) -> Digest {
        digest_of("free", "")
    }

    fn open(&self, _opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        Ok(Once::boxed(Decision::Generate(Generate::default())))
    }
}

struct Forced {
    text: String,
}

impl Blueprint for Forced {
    fn digest(&self) -> Digest {
        digest_of("forced", &self.text)
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let tokens = opening.tokenizer.encode(&self.text, false, false);
        Ok(Once::boxed(Decision::Edit(Edit {
            tokens,
            ..Edit::default()
        })))
    }
}

struct Constrained {
    grammar: Grammar,
}

impl Blueprint for Constrained {
    fn digest(&self) -> Digest {
        self.grammar.digest()
    }

    fn open(&self, _opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        Ok(Once::boxed(Decision::Generate(Generate {
            allow: Allow::Matcher(self.grammar.matcher()),
            ..Generate::default()
        })))
    }

    fn matcher(&self) -> Option<Matcher> {
        Some(self.grammar.matcher())
    }
}
