use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aigen_engine::Tokenizer;
use llguidance::ParserFactory;
use llguidance::api::TopLevelGrammar;
use serde_json::Value;
use toktrie::{InferenceCapabilities, SimpleVob};

use super::cache::Cache;
use super::error::is_costly;
use super::vocabulary::Vocabulary;
use super::warmth::Walk;
use super::workers::{Lanes, Workers};
use super::{
    CompileError, CompileErrorKind, Grammar, Hole, JsonOptions, ToolGrammar, quote, source,
    template, words,
};
use crate::program::digest_of;
use crate::{Program, limits};

/// Compiles the built-in controllers for one model's vocabulary, and remembers
/// what it compiled. One per engine, shared by all requests.
///
/// Compiling blocks for up to [`CompileLimits::time`]; call it from a thread
/// that may block.
pub struct Compiler {
    factory: Arc<ParserFactory>,
    walk: Arc<Walk>,
    grammars: Mutex<Cache<Grammar>>,
    /// What compiles to nothing does so at every try, and may take long to: a stranger who goes on asking
    /// would have the processors compute it for everybody's time.
    refused: Mutex<Cache<CompileError>>,
    workers: Workers,
    limits: CompileLimits,
}

/// Bounds of one compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// How long a request waits for its grammar.
    pub time: Duration,
    /// How long a grammar may take a place from quick ones.
    pub soft: Duration,
    /// Grammars that compile at once.
    pub at_once: usize,
    /// Grammars beside them that take longer than `soft`.
    pub slow: usize,
    /// Compiled grammars that are kept, and reasons why others are none.
    pub cached: usize,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            time: limits::COMPILE_TIME_MAX,
            soft: limits::COMPILE_TIME_SOFT,
            at_once: limits::COMPILES_AT_ONCE_MAX,
            slow: limits::COMPILES_SLOW_MAX,
            cached: limits::GRAMMARS_CACHED_MAX,
        }
    }
}

impl Compiler {
    /// A compiler for this tokenizer's vocabulary, with the default limits.
    ///
    /// # Errors
    /// If no grammar can work with the vocabulary, because nothing in it ends a text.
    pub fn new(tokenizer: Arc<dyn Tokenizer>) -> Result<Self, CompileError> {
        Self::with_limits(tokenizer, CompileLimits::default())
    }

    /// A compiler with limits of its own.
    ///
    /// # Errors
    /// As [`Compiler::new`].
    pub fn with_limits(
        tokenizer: Arc<dyn Tokenizer>,
        limits: CompileLimits,
    ) -> Result<Self, CompileError> {
        let environment = Vocabulary::environment(tokenizer)?;
        let capabilities = InferenceCapabilities {
            ff_tokens: true,
            ..Default::default()
        };
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let mut factory = ParserFactory::new(&environment, capabilities, &slices)
            .map_err(|error| CompileError::from_llguidance(&error.to_string()))?;
        factory.quiet();
        *factory.limits_mut() = limits::parser_limits();
        Ok(Self {
            factory: Arc::new(factory),
            walk: Arc::new(Walk::new(environment.tok_trie())),
            grammars: Mutex::new(Cache::new(limits.cached)),
            refused: Mutex::new(Cache::new(limits.cached)),
            workers: Workers::new(Lanes {
                quick: limits.at_once,
                slow: limits.slow,
            }),
            limits,
        })
    }

    /// JSON that is valid under the schema.
    ///
    /// # Errors
    /// If the schema is no schema, allows nothing, is too large, or uses a
    /// keyword that cannot be enforced.
    pub fn json_schema(
        &self,
        schema: &Value,
        options: JsonOptions,
    ) -> Result<Program, CompileError> {
        let enforced = source::schema(schema, options)?;
        let text = enforced.to_string();
        let words = || words::of_schema(schema);
        self.compile("json-schema", &text, Some(schema), words, || {
            TopLevelGrammar::from_json_schema(enforced)
        })
        .map_err(|error| match error.what.contains("nimplemented") {
            true => error.hint("leave the keyword out, and check the value afterwards"),
            false => error.within(schema),
        })
    }

    /// [`Compiler::json_schema`] for a schema that is still text.
    ///
    /// # Errors
    /// As there, and if the text is no JSON.
    pub fn json_schema_text(
        &self,
        schema: &str,
        options: JsonOptions,
    ) -> Result<Program, CompileError> {
        let schema = serde_json::from_str(schema)
            .map_err(|error| CompileError::new(format!("the schema is no JSON: {error}")))?;
        self.json_schema(&schema, options)
    }

    /// Text the whole of which matches the regular expression (syntax of the
    /// `regex` crate; no look-around, no back-references).
    ///
    /// # Errors
    /// If it does not parse or is too large.
    pub fn regex(&self, pattern: &str) -> Result<Program, CompileError> {
        let start = format!("start: {}", source::regex(pattern)?);
        self.compile_lark("regex", &start, || words::of_lark(&start))
    }

    /// Text derived from a Lark grammar's `start` rule, in llguidance's dialect.
    ///
    /// # Errors
    /// If it does not parse or is too large.
    pub fn lark(&self, source: &str) -> Result<Program, CompileError> {
        self.compile_lark("lark", source, || words::of_lark(source))
    }

    /// Exactly one of the options.
    ///
    /// # Errors
    /// If there are none, too many, or one is empty.
    pub fn choice(&self, options: &[String]) -> Result<Program, CompileError> {
        let start = format!("start: {}", source::choice(options)?);
        self.compile_lark("choice", &start, Vec::new)
    }

    /// A contiguous run of 1 to `words` whole words of one line of the text;
    /// 12 words where `None`. Never begins or ends with blanks or punctuation.
    ///
    /// # Errors
    /// If the text has no words or is too long.
    pub fn quote(&self, text: &str, words: Option<u32>) -> Result<Program, CompileError> {
        let start = format!("start: QUOTE\nQUOTE: {}", quote::terminal(text, words)?);
        self.compile_lark("quote", &start, Vec::new)
    }

    /// A Lark grammar with holes such as `@quote(lesson)`, filled with this
    /// request's data. Holes: `@quote(text)`, `@quote(text, words)`, `@text(text)`,
    /// `@regex(text)`, `@choice(options)`, `@json(schema)`; the data cannot change
    /// the grammar around a hole.
    ///
    /// # Errors
    /// As [`Compiler::lark`], and for a hole that is not filled or filled with
    /// the wrong kind of data; the error names the hole.
    pub fn grammar_template(
        &self,
        source: &str,
        holes: &BTreeMap<String, Hole>,
    ) -> Result<Program, CompileError> {
        let filled = template::fill(source, holes)?;
        // Of what its author wrote: a quotation ends by itself.
        self.compile_lark("template", &filled, || words::of_lark(source))
            .map_err(|error| self.of_a_hole(source, holes, error))
    }

    /// The same error, of the hole whose schema does not compile by itself: a place within what the
    /// filled template came to says nothing to whoever fills it.
    fn of_a_hole(
        &self,
        source: &str,
        holes: &BTreeMap<String, Hole>,
        error: CompileError,
    ) -> CompileError {
        if error.kind != CompileErrorKind::Invalid {
            return error;
        }
        let schemas = holes.iter().filter_map(|(name, hole)| match hole {
            Hole::Schema(schema) if template::names(source, name) => Some((name, schema)),
            _ => None,
        });
        let mut wrong = schemas.filter_map(|(name, schema)| {
            let own = self.json_schema(schema, JsonOptions::default()).err()?;
            Some(own.behind(&format!("hole `{name}`")))
        });
        wrong.next().unwrap_or(error)
    }

    /// Text, calls of functions with arguments that are valid under their schemas, or both.
    ///
    /// # Errors
    /// As [`Compiler::json_schema`], for any of the schemas.
    pub fn tools(&self, tools: &ToolGrammar) -> Result<Program, CompileError> {
        self.compile_lark("tools", &tools.lark()?, Vec::new)
            .map_err(|error| error.within_one_of(tools.schemas()))
    }

    /// Whether a template can work at all: it must compile once its holes are filled with
    /// some data of the right kind. What a registry asks before it publishes one.
    ///
    /// # Errors
    /// As [`Compiler::grammar_template`].
    pub fn try_template(&self, source: &str) -> Result<(), CompileError> {
        self.grammar_template(source, &template::sample(source))
            .map(|_| ())
    }

    fn compile_lark(
        &self,
        kind: &str,
        source: &str,
        words: impl FnOnce() -> Vec<String>,
    ) -> Result<Program, CompileError> {
        self.compile(kind, source, None, words, || {
            TopLevelGrammar::from_lark(source.to_owned())
        })
    }

    fn compile(
        &self,
        kind: &str,
        source: &str,
        schema: Option<&Value>,
        words: impl FnOnce() -> Vec<String>,
        grammar: impl FnOnce() -> TopLevelGrammar,
    ) -> Result<Program, CompileError> {
        CompileError::too_long("the grammar", source.len(), limits::SOURCE_BYTES_MAX)?;
        let digest = digest_of(kind, source);
        if let Some(grammar) = lock(&self.grammars).get(&digest) {
            return Ok(Program::constrained(grammar));
        }
        if let Some(error) = lock(&self.refused).get(&digest) {
            return Err(error);
        }
        let (factory, walk) = (Arc::clone(&self.factory), Arc::clone(&self.walk));
        let grammar = grammar();
        let work = move |wanted: &dyn Fn() -> bool| {
            prototype(&factory, grammar, wanted).map(|matcher| walk.warm(matcher))
        };
        let CompileLimits { soft, time, .. } = self.limits;
        // That it took too long, or had no place, is nothing that has to be so the next time.
        let compiled = self.workers.run(soft, time, work)?;
        let matcher =
            compiled.inspect_err(|error| lock(&self.refused).put(digest, error.clone()))?;
        let trie = self.factory.tok_env().tok_trie();
        let words = words().into_iter();
        let words = words.map(|word| trie.greedy_tokenize(word.as_bytes()));
        let grammar = Grammar::new(digest, matcher, schema, words.collect());
        lock(&self.grammars).put(digest, grammar.clone());
        Ok(Program::constrained(grammar))
    }

    #[cfg(test)]
    pub(super) fn cached(&self) -> usize {
        lock(&self.grammars).len()
    }
}

fn lock<T>(cache: &Mutex<Cache<T>>) -> MutexGuard<'_, Cache<T>> {
    // A cache is whole after every operation, so a poisoned lock is still good.
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A matcher at the grammar's start. Its first mask is computed here, so that a
/// grammar that allows nothing, or costs too much, is refused.
fn prototype(
    factory: &ParserFactory,
    grammar: TopLevelGrammar,
    wanted: &dyn Fn() -> bool,
) -> Result<llguidance::Matcher, CompileError> {
    let mut matcher = llguidance::Matcher::new(factory.create_parser(grammar));
    if !wanted() {
        return Err(CompileError::new("nobody waits for it any more"));
    }
    let mut first = None;
    if !matcher.is_error() && !matcher.is_stopped() {
        // An error stays in the matcher.
        first = matcher.compute_mask().ok();
    }
    if let Some(message) = matcher.get_error() {
        return Err(CompileError::from_llguidance(&message));
    }
    match first.and_then(|mask| forced_too_far(&matcher, &mask)) {
        Some(message) => Err(endless(&message)),
        None => Ok(matcher),
    }
}

/// What llguidance says of a grammar that forces text from its start and reaches a bound with it.
/// It says so at the first token and not at the mask, and every session would end there.
fn forced_too_far(matcher: &llguidance::Matcher, first: &SimpleVob) -> Option<String> {
    let only = first.first_bit_set().filter(|_| first.num_set() == 1)?;
    let mut scout = matcher.deep_clone();
    let _ = scout.consume_token(only.try_into().ok()?);
    scout.get_error().filter(|message| is_costly(message))
}

fn endless(message: &str) -> CompileError {
    if !message.contains("ff_tokens") {
        return CompileError::from_llguidance(message);
    }
    CompileError::new("what the grammar forces from its start has no end, or none that a session reaches")
        .of(CompileErrorKind::TooCostly)
        .hint("give every rule that leads to itself, and every schema that refers to itself, a way to end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aigen_engine::scripted::Vocabulary;
    use std::sync::mpsc::channel;
    use std::thread;

    const COSTLY: &str = "start: \"a\"{100000}";

    /// With every place taken, so that it would have to wait.
    #[test]
    fn what_was_refused_is_refused_again_without_being_compiled() {
        let limits = CompileLimits {
            at_once: 1,
            slow: 0,
            soft: Duration::from_secs(600),
            time: Duration::from_secs(600),
            ..CompileLimits::default()
        };
        let compiler = Compiler::with_limits(Arc::new(Vocabulary::bytes()), limits).unwrap();
        let first = compiler.lark(COSTLY).err();
        assert!(first.is_some());
        let (begun, begins) = channel();
        let (go, word) = channel::<()>();
        thread::scope(|scope| {
            let taken = move |_: &dyn Fn() -> bool| {
                let _ = begun.send(());
                let _ = word.recv();
            };
            scope.spawn(|| compiler.workers.run(limits.soft, limits.time, taken));
            begins.recv().unwrap();
            assert_eq!(compiler.lark(COSTLY).err(), first);
            drop(go);
        });
        assert!(compiler.lark("start: \"a\"").is_ok());
    }
}
