use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aigen_engine::TokenId;
use aigen_types::Digest;
use serde_json::Value;
use toktrie::TokTrie;

use super::{CompileError, CompileErrorKind, Mask};
use crate::Fault;
use crate::limits::FORCED_BYTES_MAX;

/// A compiled grammar: immutable, shared by every session that uses it.
#[derive(Clone)]
pub(crate) struct Grammar(Arc<Compiled>);

struct Compiled {
    digest: Digest,
    /// What it was made from, where that is a JSON Schema and nothing else.
    schema: Option<Arc<Value>>,
    /// See [`super::words`].
    words: Arc<[Vec<TokenId>]>,
    /// Never advanced; cloned for every session.
    prototype: Mutex<llguidance::Matcher>,
}

impl Grammar {
    pub fn new(
        digest: Digest,
        prototype: llguidance::Matcher,
        schema: Option<&Value>,
        words: Vec<Vec<TokenId>>,
    ) -> Self {
        Self(Arc::new(Compiled {
            digest,
            schema: schema.cloned().map(Arc::new),
            words: words.into(),
            prototype: Mutex::new(prototype),
        }))
    }

    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// A matcher at the grammar's start. It shares no mutable state with other
    /// sessions: one session's growing lexer must not count against another's.
    pub fn matcher(&self) -> Matcher {
        let place = Arc::new(Mutex::new(lock(&self.0.prototype).deep_clone()));
        Matcher {
            place,
            schema: self.0.schema.clone(),
            words: Arc::clone(&self.0.words),
        }
    }
}

/// Where a session is in its grammar. A handle: clones share the position, so
/// that a controller keeps one while the host runs a segment under it.
///
/// Every operation fails closed: after an error the matcher stays in error.
#[derive(Clone)]
pub struct Matcher {
    place: Arc<Mutex<llguidance::Matcher>>,
    schema: Option<Arc<Value>>,
    words: Arc<[Vec<TokenId>]>,
}

impl Matcher {
    /// Advances over tokens that became part of the branch.
    ///
    /// # Errors
    /// [`Fault::Constraint`] if the grammar does not accept them.
    pub fn advance(&self, tokens: &[TokenId]) -> Result<(), Fault> {
        lock(&self.place)
            .consume_tokens(tokens)
            .map_err(constraint_fault)
    }

    /// Takes back the last `tokens` tokens.
    ///
    /// # Errors
    /// [`Fault::Constraint`] if it never advanced that far.
    pub fn rollback(&self, tokens: usize) -> Result<(), Fault> {
        lock(&self.place).rollback(tokens).map_err(constraint_fault)
    }

    /// Whether the text may end here.
    ///
    /// # Errors
    /// [`Fault::Constraint`] after any other error.
    pub fn accepting(&self) -> Result<bool, Fault> {
        let mut matcher = lock(&self.place);
        match matcher.is_stopped() {
            true => Ok(matcher.stop_reason().is_ok()),
            false => matcher.is_accepting().map_err(constraint_fault),
        }
    }

    /// Refuses one that failed before: it looks as if it were finished.
    ///
    /// # Errors
    /// What it failed by.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        match lock(&self.place).get_error() {
            Some(error) => Err(failed(&error)),
            None => Ok(()),
        }
    }

    /// Whether the text must end here: nothing may follow.
    #[must_use]
    pub fn finished(&self) -> bool {
        lock(&self.place).is_stopped()
    }

    /// The canonical tokens that must come next, whatever the model thinks; the
    /// matcher does not advance over them.
    ///
    /// # Errors
    /// [`Fault::Constraint`] if computing them failed.
    pub fn forced(&self) -> Result<Vec<TokenId>, Fault> {
        let mut matcher = lock(&self.place);
        let tokens = matcher.compute_ff_tokens();
        match matcher.get_error() {
            Some(error) => Err(failed(&error)),
            None => Ok(tokens),
        }
    }

    /// What must come next, or its beginning, in as long tokens as there are: what says the same as
    /// [`Matcher::forced`] and takes no tokenizer.
    ///
    /// # Errors
    /// As [`Matcher::forced`].
    pub(crate) fn forced_greedily(&self) -> Result<Vec<TokenId>, Fault> {
        let mut matcher = lock(&self.place);
        let bytes = matcher.compute_ff_bytes();
        if let Some(error) = matcher.get_error() {
            return Err(failed(&error));
        }
        if bytes.contains(&TokTrie::SPECIAL_TOKEN_MARKER) {
            drop(matcher);
            return self.forced();
        }
        let environment = matcher.tok_env().map_err(constraint_fault)?;
        let beginning = &bytes[..bytes.len().min(FORCED_BYTES_MAX)];
        Ok(environment.tok_trie().greedy_tokenize(beginning))
    }

    /// What the last mask cost: items of the parser and steps of the lexer, 14 to 20 a microsecond.
    pub(crate) fn mask_fuel(&self) -> u64 {
        let matcher = lock(&self.place);
        let stats = matcher.last_step_stats();
        stats.map_or(0, |stats| stats.lexer_cost + stats.all_items as u64)
    }

    /// The tokens that may come next; end tokens among them exactly when the
    /// text may end here.
    ///
    /// # Errors
    /// [`Fault::MaskEmpty`] if there are none, [`Fault::Constraint`] if computing
    /// them failed, [`Fault::GrammarTooCostly`] if it cost too much.
    pub fn mask(&self) -> Result<Mask, Fault> {
        let mut matcher = lock(&self.place);
        match matcher.compute_mask() {
            Ok(mask) if mask.is_zero() => Err(Fault::MaskEmpty),
            Ok(mask) => Ok(mask.into()),
            Err(_) if matcher.stop_reason() == EMPTY => Err(Fault::MaskEmpty),
            Err(error) => Err(constraint_fault(error)),
        }
    }

    /// Advances over as many of the tokens as the grammar accepts, and says how many
    /// that were.
    ///
    /// # Errors
    /// [`Fault::Constraint`] if finding out failed.
    pub fn advance_while(&self, tokens: &[TokenId]) -> Result<usize, Fault> {
        lock(&self.place)
            .try_consume_tokens(tokens)
            .map_err(constraint_fault)
    }

    /// Goes back to the grammar's start.
    ///
    /// # Errors
    /// [`Fault::Constraint`] after any other error.
    pub fn reset(&self) -> Result<(), Fault> {
        lock(&self.place).reset().map_err(constraint_fault)
    }

    /// What the grammar's named parts matched, in the order they did.
    #[must_use]
    pub fn captures(&self) -> Vec<(String, Vec<u8>)> {
        lock(&self.place).captures().to_vec()
    }

    /// What the grammar's compiler warned of.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        lock(&self.place).grammar_warnings()
    }

    /// A matcher at the same place that goes its own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            place: Arc::new(Mutex::new(lock(&self.place).deep_clone())),
            ..self.clone()
        }
    }

    /// Words that the text may have to contain before it can end, as tokens; none where it ends by itself.
    pub(crate) fn words(&self) -> Arc<[Vec<TokenId>]> {
        Arc::clone(&self.words)
    }

    /// What the whole text is held to, where that is a JSON Schema and nothing else.
    #[must_use]
    pub fn schema(&self) -> Option<Arc<Value>> {
        self.schema.clone()
    }
}

const EMPTY: llguidance::api::StopReason = llguidance::api::StopReason::NoExtensionBias;

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matcher({:?})", lock(&self.place).stop_reason())
    }
}

/// llguidance catches its own panics and stays in error, so poison says nothing.
fn lock(matcher: &Mutex<llguidance::Matcher>) -> MutexGuard<'_, llguidance::Matcher> {
    matcher.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn constraint_fault(error: impl ToString) -> Fault {
    failed(&error.to_string())
}

fn failed(error: &str) -> Fault {
    let error = CompileError {
        hint: None,
        ..CompileError::from_llguidance(error)
    };
    let reason = error.to_string();
    match error.kind {
        CompileErrorKind::TooCostly => Fault::GrammarTooCostly { reason },
        CompileErrorKind::Invalid | CompileErrorKind::Busy => Fault::Constraint { reason },
    }
}
