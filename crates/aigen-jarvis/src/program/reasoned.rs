//! Models that reason before they answer: nothing is constrained before they have.

use aigen_engine::{TokenId, Tokenizer};
use aigen_types::Digest;

use crate::context::Shown;
use crate::{
    Blueprint, Context, Controller, Decision, Edit, Fault, Generate, Matcher, Opening, Program,
    Report, Turn, Until, Wake,
};

/// The texts between which a model reasons. Either may be one of its control tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasoning {
    /// What it begins with, like `<think>`. A model whose prompt does not end within it is made
    /// to say it, so that what comes first is never taken for something else; without it every
    /// answer is taken to begin with reasoning.
    pub start: Option<String>,
    /// What it ends with, like `</think>`.
    pub end: String,
}

impl Reasoning {
    /// What the model has to be made to say: nothing within a prompt that has begun already.
    fn begin(&self, prompt: &[TokenId], tokenizer: &dyn Tokenizer) -> Vec<TokenId> {
        let Some(start) = &self.start else {
            return Vec::new();
        };
        let tail = &prompt[prompt.len().saturating_sub(TAIL_TOKENS)..];
        match last(tail, tokenizer, start) > last(tail, tokenizer, &self.end) {
            true => Vec::new(),
            false => tokenizer.encode(start, true, false),
        }
    }
}

/// How far back from its end a prompt is looked at: templates put the start, a line feed and
/// perhaps an instruction there.
const TAIL_TOKENS: usize = 64;

/// The last token that the mark begins at, be it in the same tokens or only in the same text.
fn last(tail: &[TokenId], tokenizer: &dyn Tokenizer, mark: &str) -> Option<usize> {
    let tokens = tokenizer.encode(mark, true, false);
    (0..tail.len()).rev().find(|&at| {
        let rest = &tail[at..];
        let text: Vec<u8> = rest
            .iter()
            .flat_map(|token| tokenizer.token_bytes(*token))
            .copied()
            .collect();
        rest.starts_with(&tokens) || String::from_utf8_lossy(&text).contains(mark)
    })
}

/// A program that begins once the model has reasoned.
pub(super) struct Reasoned {
    pub program: Program,
    pub marks: Reasoning,
}

impl Blueprint for Reasoned {
    fn digest(&self) -> Digest {
        let inner = self.program.digest().to_string();
        let Reasoning { start, end } = &self.marks;
        let start = start.as_deref().unwrap_or_default();
        super::digest_of("reasoned", &format!("{inner} {start}\0{end}"))
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let mut until = Until::default();
        let end = &self.marks.end;
        match opening.tokenizer.encode(end, true, false)[..] {
            [token] if opening.tokenizer.is_special(token) => until.triggers.push(token),
            _ => until.stops.push(end.clone().into_bytes()),
        }
        Ok(Box::new(Reasons {
            inner: self.program.open(opening)?,
            context: opening.context.clone(),
            next: Phase::Begins(self.marks.begin(opening.prompt, &*opening.tokenizer)),
            until,
        }))
    }

    fn backtracks(&self) -> bool {
        self.program.backtracks()
    }

    fn branches(&self) -> u32 {
        self.program.branches()
    }

    fn discarded_tokens(&self) -> u64 {
        self.program.discarded_tokens()
    }

    fn reasoning_end(&self) -> Option<String> {
        Some(self.marks.end.clone())
    }

    fn matcher(&self) -> Option<Matcher> {
        self.program.matcher()
    }
}

/// Lets the model reason, then makes way for the controller.
struct Reasons {
    inner: Box<dyn Controller>,
    context: Context,
    until: Until,
    next: Phase,
}

/// What comes next.
enum Phase {
    /// The model is made to say these, unseen.
    Begins(Vec<TokenId>),
    /// It says what it likes.
    Goes,
    /// It has.
    Ends,
    /// The controller decides.
    Over,
}

impl Reasons {
    fn go(&mut self) -> Turn {
        self.next = Phase::Ends;
        self.context.show(0, Shown::Reasoning);
        let until = self.until.clone();
        Decision::Generate(Generate {
            until,
            ..Generate::default()
        })
        .into()
    }
}

impl Controller for Reasons {
    fn prompt(&mut self) -> Result<Option<Vec<TokenId>>, Fault> {
        self.inner.prompt()
    }

    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        match std::mem::replace(&mut self.next, Phase::Over) {
            Phase::Begins(tokens) if !tokens.is_empty() => {
                self.next = Phase::Goes;
                self.context.show(0, Shown::Hidden);
                Ok(Decision::Edit(Edit {
                    tokens,
                    ..Edit::default()
                })
                .into())
            }
            Phase::Begins(_) | Phase::Goes => Ok(self.go()),
            // A model that ended its turn instead has reasoned enough.
            Phase::Ends => {
                self.context.show(0, Shown::Answer);
                // What was told of it stays.
                self.context.commit(0);
                let why = Wake::Started;
                self.inner
                    .step(&Report::new(report.branch, report.position, why))
            }
            Phase::Over => self.inner.step(report),
        }
    }

    fn poll(&mut self) -> Result<Turn, Fault> {
        self.inner.poll()
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        self.inner.fork(index)
    }

    fn finish(&mut self) -> Option<Result<String, Fault>> {
        self.inner.finish()
    }

    fn recall(&mut self) -> bool {
        self.inner.recall()
    }

    fn reach(&self) -> u32 {
        self.inner.reach()
    }
}
