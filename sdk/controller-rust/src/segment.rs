//! Decisions in few words, and handles that fork when they are cloned.

use std::rc::Rc;

use crate::bindings::aigen::controller::constraints as host;
use crate::{
    BranchId, Decision, Edit, Ending, Error, Generate, Mask, Observe, Reason, Sampling, Splice,
    Token, Until, Waiting, tokenizer,
};

/// A compiled grammar.
#[derive(Clone)]
pub struct Grammar(Rc<host::Grammar>);

impl Grammar {
    /// A matcher at its start.
    pub fn matcher(&self) -> Matcher {
        Matcher(self.0.matcher())
    }
}

/// JSON that is valid under a schema, without whitespace.
pub fn json_schema(schema: &str) -> Result<Grammar, Error> {
    let options = host::JsonOptions {
        lenient: false,
        whitespace: false,
    };
    host::Grammar::json_schema(schema, options).map(grammar)
}

/// Text the whole of which matches.
pub fn regex(pattern: &str) -> Result<Grammar, Error> {
    host::Grammar::regex(pattern).map(grammar)
}

/// Text derived from the rule `start`.
pub fn lark(source: &str) -> Result<Grammar, Error> {
    host::Grammar::lark(source).map(grammar)
}

/// One of these.
pub fn choice(options: &[&str]) -> Result<Grammar, Error> {
    let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
    host::Grammar::choice(&options).map(grammar)
}

/// A run of at most `words` words of the text.
pub fn quote(text: &str, words: Option<u32>) -> Result<Grammar, Error> {
    host::Grammar::quote(text, words).map(grammar)
}

fn grammar(handle: host::Grammar) -> Grammar {
    Grammar(Rc::new(handle))
}

/// A place in a grammar. A clone goes its own way, as a fork wants it.
pub struct Matcher(host::Matcher);

impl Clone for Matcher {
    fn clone(&self) -> Self {
        Self(self.0.fork())
    }
}

impl std::ops::Deref for Matcher {
    type Target = host::Matcher;

    fn deref(&self) -> &host::Matcher {
        &self.0
    }
}

/// A set of tokens, kept by the host. A clone is another set.
pub struct TokenSet(host::TokenSet);

impl TokenSet {
    /// These tokens.
    pub fn of(tokens: &[Token]) -> Result<Self, Error> {
        host::TokenSet::of(tokens).map(Self)
    }

    /// Every token.
    pub fn all() -> Self {
        Self(host::TokenSet::all())
    }
}

impl Clone for TokenSet {
    fn clone(&self) -> Self {
        Self(self.0.fork())
    }
}

impl std::ops::Deref for TokenSet {
    type Target = host::TokenSet;

    fn deref(&self) -> &host::TokenSet {
        &self.0
    }
}

/// A segment being described; it becomes a decision.
#[derive(Clone)]
pub struct Segment(Generate);

/// A segment of whatever the model says, until it ends its turn.
pub fn segment() -> Segment {
    Segment(Generate {
        allow: Mask::Any,
        bias: Vec::new(),
        params: Sampling {
            temperature: None,
            top_p: None,
            top_k: None,
            min_p: None,
        },
        splices: Vec::new(),
        observe: Observe::Nothing,
        until: Until {
            tokens: 0,
            stops: Vec::new(),
            triggers: Vec::new(),
        },
    })
}

impl Segment {
    /// What the matcher accepts. It must live until the segment ends.
    pub fn under(mut self, matcher: &Matcher) -> Self {
        self.0.allow = Mask::Matcher(matcher.id());
        self
    }

    /// Only these tokens.
    pub fn within(mut self, tokens: &TokenSet) -> Self {
        self.0.allow = Mask::Tokens(tokens.id());
        self
    }

    /// Ends after so many tokens.
    pub fn tokens(mut self, tokens: u32) -> Self {
        self.0.until.tokens = tokens;
        self
    }

    /// Ends after this text.
    pub fn until(mut self, stop: &str) -> Self {
        self.0.until.stops.push(stop.as_bytes().to_vec());
        self
    }

    /// Makes a token likelier, or less likely.
    pub fn bias(mut self, token: Token, by: f32) -> Self {
        self.0.bias.push((token, by));
        self
    }

    /// Divides the logits.
    pub fn temperature(mut self, temperature: f32) -> Self {
        self.0.params.temperature = Some(temperature);
        self
    }

    /// Puts other tokens in place of what the model chooses, without asking.
    pub fn splice(mut self, splice: Splice) -> Self {
        self.0.splices.push(splice);
        self
    }

    /// Has the next step say how likely the last token was.
    pub fn observed(mut self) -> Self {
        self.0.observe = Observe::Sampled;
        self
    }
}

impl From<Segment> for Decision {
    fn from(segment: Segment) -> Self {
        Self::Generate(segment.0)
    }
}

/// Appends text.
pub fn text(text: &str) -> Decision {
    edit(0, tokenizer::encode(text.as_bytes(), false))
}

/// Takes tokens back.
pub fn backtrack(tokens: u32) -> Decision {
    edit(tokens, Vec::new())
}

/// Takes tokens back, then appends others.
pub fn edit(backtrack: u32, tokens: Vec<Token>) -> Decision {
    let heal = false;
    Decision::Edit(Edit {
        backtrack,
        tokens,
        heal,
    })
}

/// So many branches more.
pub fn fork(branches: u32) -> Decision {
    Decision::Fork(branches)
}

/// Waits for one of these variables to change.
pub fn wait_for_variables(names: &[&str]) -> Decision {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Decision::Suspend(Waiting::Variables(names))
}

/// Waits for these branches to end.
pub fn wait_for_branches(branches: Vec<BranchId>) -> Decision {
    Decision::Suspend(Waiting::Branches(branches))
}

/// The branch is done, and the answer.
pub fn stop() -> Decision {
    ending(true)
}

/// The branch is done, and another one is the answer.
pub fn stop_unkept() -> Decision {
    ending(false)
}

fn ending(keep: bool) -> Decision {
    let reason = Reason::Done;
    Decision::Stop(Ending { reason, keep })
}
