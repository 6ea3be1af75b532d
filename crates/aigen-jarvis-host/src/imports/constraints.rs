use std::sync::Arc;

use aigen_jarvis::{
    CompileError, CompileErrorKind, Compiler, Fault, JsonOptions, Mask, Matcher, Program,
};
use futures::channel::oneshot;
use wasmtime::Result;
use wasmtime::component::Resource;

use super::told;
use crate::bindings::aigen::controller::constraints as wit;
use crate::bindings::aigen::controller::types::Error;
use crate::state::{Grammar, State, TokenSet};

type Outcome<T> = Result<std::result::Result<T, Error>>;

impl State {
    /// Compiles on a thread of its own; the compiler bounds how many there are.
    async fn compile(
        &mut self,
        bytes: usize,
        compile: impl FnOnce(&Compiler) -> std::result::Result<Program, CompileError> + Send + 'static,
    ) -> Outcome<Resource<Grammar>> {
        self.spend(bytes.saturating_mul(100))?;
        let compiler = Arc::clone(&self.compiler);
        let (send, receive) = oneshot::channel();
        let work = move || drop(send.send(compile(&compiler)));
        let thread = std::thread::Builder::new().name("aigen-grammar".to_owned());
        if thread.spawn(work).is_err() {
            return Ok(Err(Error::Unavailable("no thread compiles it".to_owned())));
        }
        let compiled = {
            let _waits = self.waits();
            receive.await
        };
        match compiled {
            Ok(Ok(program)) => self.keep(Grammar(program)).map(Ok),
            Ok(Err(error)) => self.refused(&error).map(Err),
            Err(_) => self.too_costly("the compiler crashed on it".to_owned()),
        }
    }

    /// What a guest is told of a grammar that does not compile. Its own slip, and others that
    /// are before it, it can deal with; a grammar that costs too much ends the request.
    fn refused(&mut self, error: &CompileError) -> Result<Error> {
        match error.kind {
            CompileErrorKind::TooCostly => self.too_costly(error.to_string()),
            CompileErrorKind::Busy => Ok(Error::Unavailable(error.to_string())),
            CompileErrorKind::Invalid => Ok(Error::Invalid(error.to_string())),
        }
    }

    fn too_costly<T>(&mut self, reason: String) -> Result<T> {
        self.refuse(Fault::GrammarTooCostly { reason })
    }

    fn try_matcher<T>(
        &mut self,
        handle: &Resource<Matcher>,
        cost: usize,
        act: impl FnOnce(&Matcher) -> std::result::Result<T, Fault>,
    ) -> Outcome<T> {
        self.spend(cost)?;
        match act(self.table.get(handle)?) {
            Err(fault @ Fault::GrammarTooCostly { .. }) => self.refuse(fault),
            done => Ok(done.map_err(|fault| told(&fault))),
        }
    }

    fn edit(&mut self, handle: &Resource<TokenSet>) -> Result<&mut Mask> {
        let words = usize::try_from(self.tokenizer.vocab_size()).unwrap_or(0) / 8;
        self.spend(words)?;
        Ok(Arc::make_mut(&mut self.table.get_mut(handle)?.0))
    }

    fn keep_set(&mut self, set: std::result::Result<Mask, Fault>) -> Outcome<Resource<TokenSet>> {
        let words = usize::try_from(self.tokenizer.vocab_size()).unwrap_or(0) / 8;
        self.spend(words)?;
        match set {
            Ok(set) => self.keep(TokenSet(Arc::new(set))).map(Ok),
            // What is no mask is no slip: it ends the request.
            Err(fault) => self.refuse(fault),
        }
    }
}

impl wit::Host for State {}

impl wit::HostGrammar for State {
    async fn json_schema(
        &mut self,
        schema: String,
        options: wit::JsonOptions,
    ) -> Outcome<Resource<Grammar>> {
        let options = JsonOptions {
            compact: !options.whitespace,
            lenient: options.lenient,
        };
        self.compile(schema.len(), move |compiler| {
            compiler.json_schema_text(&schema, options)
        })
        .await
    }

    async fn regex(&mut self, pattern: String) -> Outcome<Resource<Grammar>> {
        let work = move |compiler: &Compiler| compiler.regex(&pattern);
        self.compile(0, work).await
    }

    async fn lark(&mut self, source: String) -> Outcome<Resource<Grammar>> {
        self.compile(source.len(), move |compiler| compiler.lark(&source))
            .await
    }

    async fn choice(&mut self, options: Vec<String>) -> Outcome<Resource<Grammar>> {
        let bytes = options.iter().map(String::len).sum();
        self.compile(bytes, move |compiler| compiler.choice(&options))
            .await
    }

    async fn quote(&mut self, text: String, words: Option<u32>) -> Outcome<Resource<Grammar>> {
        self.compile(text.len(), move |compiler| compiler.quote(&text, words))
            .await
    }

    fn matcher(&mut self, grammar: Resource<Grammar>) -> Result<Resource<Matcher>> {
        self.spend(COST_OF_MATCHER)?;
        let matcher = self.table.get(&grammar)?.0.matcher();
        match matcher {
            Some(matcher) => self.keep(matcher),
            None => wasmtime::bail!("a grammar has a matcher"),
        }
    }

    fn drop(&mut self, grammar: Resource<Grammar>) -> Result<()> {
        self.table.delete(grammar)?;
        Ok(())
    }
}

impl wit::HostMatcher for State {
    fn id(&mut self, matcher: Resource<Matcher>) -> Result<u32> {
        self.spend(0)?;
        Ok(matcher.rep())
    }

    fn advance(&mut self, matcher: Resource<Matcher>, tokens: Vec<u32>) -> Outcome<u32> {
        let cost = tokens.len().saturating_mul(COST_OF_TOKEN);
        let accepted = |matcher: &Matcher| matcher.advance_while(&tokens);
        let accepted = self.try_matcher(&matcher, cost, accepted)?;
        Ok(accepted.map(|accepted| u32::try_from(accepted).unwrap_or(u32::MAX)))
    }

    fn rollback(&mut self, matcher: Resource<Matcher>, tokens: u32) -> Outcome<()> {
        let tokens = usize::try_from(tokens).unwrap_or(usize::MAX);
        self.try_matcher(&matcher, COST_OF_TOKEN, |matcher| matcher.rollback(tokens))
    }

    fn reset(&mut self, matcher: Resource<Matcher>) -> Outcome<()> {
        self.try_matcher(&matcher, COST_OF_TOKEN, Matcher::reset)
    }

    fn accepting(&mut self, matcher: Resource<Matcher>) -> Outcome<bool> {
        self.try_matcher(&matcher, COST_OF_TOKEN, Matcher::accepting)
    }

    fn finished(&mut self, matcher: Resource<Matcher>) -> Result<bool> {
        self.spend(0)?;
        Ok(self.table.get(&matcher)?.finished())
    }

    fn forced(&mut self, matcher: Resource<Matcher>) -> Outcome<Vec<u32>> {
        self.try_matcher(&matcher, COST_OF_MASK, Matcher::forced)
    }

    fn allowed(&mut self, matcher: Resource<Matcher>) -> Outcome<Resource<TokenSet>> {
        match self.try_matcher(&matcher, COST_OF_MASK, Matcher::mask)? {
            Ok(mask) => self.keep(TokenSet(Arc::new(mask))).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn captures(&mut self, matcher: Resource<Matcher>) -> Result<Vec<(String, Vec<u8>)>> {
        self.spend(COST_OF_TOKEN)?;
        Ok(self.table.get(&matcher)?.captures())
    }

    fn warnings(&mut self, matcher: Resource<Matcher>) -> Result<Vec<String>> {
        self.spend(COST_OF_TOKEN)?;
        Ok(self.table.get(&matcher)?.warnings())
    }

    fn fork(&mut self, matcher: Resource<Matcher>) -> Result<Resource<Matcher>> {
        self.spend(COST_OF_MATCHER)?;
        let fork = self.table.get(&matcher)?.fork();
        self.keep(fork)
    }

    fn drop(&mut self, matcher: Resource<Matcher>) -> Result<()> {
        self.table.delete(matcher)?;
        Ok(())
    }
}

impl wit::HostTokenSet for State {
    fn of(&mut self, tokens: Vec<u32>) -> Outcome<Resource<TokenSet>> {
        let set = Mask::of(self.tokenizer.vocab_size(), &tokens);
        self.keep_set(set)
    }

    fn all(&mut self) -> Result<Resource<TokenSet>> {
        self.spend(0)?;
        let set = Mask::all(self.tokenizer.vocab_size());
        self.keep(TokenSet(Arc::new(set)))
    }

    fn from_bits(&mut self, words: Vec<u32>) -> Outcome<Resource<TokenSet>> {
        let set = Mask::from_bits(self.tokenizer.vocab_size(), &words);
        self.keep_set(set)
    }

    fn with_prefix(&mut self, bytes: Vec<u8>) -> Result<Resource<TokenSet>> {
        let size = usize::try_from(self.tokenizer.vocab_size()).unwrap_or(0);
        self.spend(size.saturating_mul(10))?;
        let set = Mask::with_prefix(&*self.tokenizer, &bytes);
        self.keep(TokenSet(Arc::new(set)))
    }

    fn id(&mut self, set: Resource<TokenSet>) -> Result<u32> {
        self.spend(0)?;
        Ok(set.rep())
    }

    fn insert(&mut self, set: Resource<TokenSet>, tokens: Vec<u32>) -> Outcome<()> {
        match self.edit(&set)?.insert(&tokens) {
            Ok(()) => Ok(Ok(())),
            Err(fault) => self.refuse(fault),
        }
    }

    fn intersect(&mut self, set: Resource<TokenSet>, other: Resource<TokenSet>) -> Result<()> {
        let other = Arc::clone(&self.table.get(&other)?.0);
        self.edit(&set)?.intersect(&other);
        Ok(())
    }

    fn subtract(&mut self, set: Resource<TokenSet>, other: Resource<TokenSet>) -> Result<()> {
        let other = Arc::clone(&self.table.get(&other)?.0);
        self.edit(&set)?.subtract(&other);
        Ok(())
    }

    fn len(&mut self, set: Resource<TokenSet>) -> Result<u32> {
        self.spend(COST_OF_TOKEN)?;
        Ok(u32::try_from(self.table.get(&set)?.0.len()).unwrap_or(u32::MAX))
    }

    fn contains(&mut self, set: Resource<TokenSet>, token: u32) -> Result<bool> {
        self.spend(0)?;
        Ok(self.table.get(&set)?.0.contains(token))
    }

    fn fork(&mut self, set: Resource<TokenSet>) -> Result<Resource<TokenSet>> {
        self.spend(0)?;
        let fork = TokenSet(Arc::clone(&self.table.get(&set)?.0));
        self.keep(fork)
    }

    fn drop(&mut self, set: Resource<TokenSet>) -> Result<()> {
        self.table.delete(set)?;
        Ok(())
    }
}

/// Fuel for advancing over a token: half a microsecond.
const COST_OF_TOKEN: usize = 1_000;
/// Fuel for a mask: at its worst 7 ms, and some 10 µs as a rule.
const COST_OF_MASK: usize = 20_000;
/// Fuel for a matcher, which is a copy of a lexer and its states.
const COST_OF_MATCHER: usize = 20_000;
