//! What a session asks of the outside, and what it was answered.

use std::collections::VecDeque;

use aigen_types::Digest;

use crate::BranchId;
use crate::limits::{OUTSIDE_ASKS_MAX, OUTSIDE_BYTES_MAX};

/// What a controller asks of the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Calls a tool.
    Tool {
        /// Its name.
        name: String,
        /// Its arguments, as JSON.
        arguments: String,
    },
    /// Reads a page.
    Http {
        /// Its address.
        url: String,
    },
    /// Reads rows of a dataset.
    Dataset {
        /// Its name.
        dataset: String,
        /// What is looked for.
        query: String,
        /// Rows, at most.
        limit: u32,
    },
    /// Asks a model.
    Complete {
        /// Its name.
        model: String,
        /// OpenAI's messages, as JSON.
        messages: String,
        /// OpenAI's other parameters, as JSON.
        options: String,
    },
}

/// What the outside answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a tool and a model.
    Text(String),
    /// To a page.
    Page {
        /// HTTP's status.
        status: u16,
        /// What it holds.
        body: Vec<u8>,
    },
    /// To a dataset.
    Rows(Vec<String>),
}

/// Why the outside does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutsideError {
    /// The manifest does not ask for it, or the operator does not grant it.
    Denied(String),
    /// A budget is used up.
    Limit(String),
    /// There is nobody to ask.
    Unavailable(String),
}

/// What came of a question.
pub type Answered = Result<Answer, OutsideError>;

/// A question and what came of it: what a replay is given instead of the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Who asked.
    pub branch: BranchId,
    /// BLAKE3 of the question.
    pub question: Digest,
    /// What came of it.
    pub answer: Answered,
}

/// What a session asked of the outside, by kind, refused questions too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Tools called.
    pub tools: u32,
    /// Pages read.
    pub pages: u32,
    /// Models asked.
    pub completions: u32,
    /// Bytes of all answers.
    pub bytes: u64,
}

impl Asked {
    /// Adds what another session asked.
    pub(crate) fn add(&mut self, more: Self) {
        self.tools = self.tools.saturating_add(more.tools);
        self.pages = self.pages.saturating_add(more.pages);
        self.completions = self.completions.saturating_add(more.completions);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }

    /// What was added since it was that.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            tools: self.tools.saturating_sub(before.tools),
            pages: self.pages.saturating_sub(before.pages),
            completions: self.completions.saturating_sub(before.completions),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }
}

/// The questions of one session.
#[derive(Default)]
pub(super) struct Exchanges {
    pub all: Vec<Exchange>,
    pub asked: Asked,
    /// What a replay is still to be answered; `None` where the outside itself answers.
    pub recorded: Option<VecDeque<Exchange>>,
}

impl Ask {
    /// Names the question by its content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let (kind, parts): (u8, [&str; 3]) = match self {
            Self::Tool { name, arguments } => (1, [name, arguments, ""]),
            Self::Http { url } => (2, [url, "", ""]),
            Self::Dataset { dataset, query, .. } => (3, [dataset, query, ""]),
            Self::Complete {
                model,
                messages,
                options,
            } => (4, [model, messages, options]),
        };
        let mut hasher = blake3::Hasher::new_derive_key("aigen question to the outside 1");
        hasher.update(&[kind]);
        for part in parts {
            put(&mut hasher, part.as_bytes());
        }
        if let Self::Dataset { limit, .. } = self {
            hasher.update(&limit.to_le_bytes());
        }
        Digest(*hasher.finalize().as_bytes())
    }
}

impl Answer {
    /// Bytes that it has.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Page { body, .. } => body.len(),
            Self::Rows(rows) => rows.iter().map(String::len).sum(),
        }
    }
}

impl Exchange {
    /// Names question and answer by their content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("aigen exchange with the outside 1");
        hasher.update(&self.question.0);
        match &self.answer {
            Ok(Answer::Text(text)) => tagged(&mut hasher, 0, text.as_bytes()),
            Ok(Answer::Page { status, body }) => {
                tagged(&mut hasher, 1, body);
                hasher.update(&status.to_le_bytes());
            }
            Ok(Answer::Rows(rows)) => {
                tagged(&mut hasher, 2, &[]);
                rows.iter().for_each(|row| put(&mut hasher, row.as_bytes()));
            }
            Err(OutsideError::Denied(why)) => tagged(&mut hasher, 3, why.as_bytes()),
            Err(OutsideError::Limit(why)) => tagged(&mut hasher, 4, why.as_bytes()),
            Err(OutsideError::Unavailable(why)) => tagged(&mut hasher, 5, why.as_bytes()),
        }
        Digest(*hasher.finalize().as_bytes())
    }
}

impl Exchanges {
    /// What a replay answers; `None` where the outside itself has to.
    pub fn recorded(&mut self, ask: &Ask) -> Option<Answered> {
        self.recorded.as_ref()?;
        // What goes beyond a bound is in no log: it does so again.
        if let Err(error) = self.check() {
            return Some(Err(error));
        }
        let next = self.recorded.as_mut()?.pop_front();
        let same = next.filter(|exchange| exchange.question == ask.digest());
        let other = "it was not asked this when it ran first";
        Some(same.map_or_else(
            || Err(OutsideError::Unavailable(other.to_owned())),
            |exchange| exchange.answer,
        ))
    }

    /// Whether there is room for another question.
    pub fn check(&self) -> Result<(), OutsideError> {
        if self.all.len() >= OUTSIDE_ASKS_MAX {
            let why = format!("a request asks the outside {OUTSIDE_ASKS_MAX} times at most");
            return Err(OutsideError::Limit(why));
        }
        if self.asked.bytes >= OUTSIDE_BYTES_MAX {
            let why = format!("a request is answered {OUTSIDE_BYTES_MAX} bytes at most");
            return Err(OutsideError::Limit(why));
        }
        Ok(())
    }

    /// Counts a question, whatever comes of it: whoever is asked may have been paid when nobody waits
    /// for the answer any more.
    pub fn count(&mut self, ask: &Ask) {
        let counter = match ask {
            Ask::Tool { .. } => Some(&mut self.asked.tools),
            Ask::Http { .. } => Some(&mut self.asked.pages),
            Ask::Complete { .. } => Some(&mut self.asked.completions),
            Ask::Dataset { .. } => None,
        };
        if let Some(counter) = counter {
            *counter = counter.saturating_add(1);
        }
    }

    pub fn note(&mut self, branch: BranchId, ask: &Ask, answer: &Answered) -> Digest {
        let within = self.check().is_ok();
        let bytes = answer.as_ref().map_or(0, Answer::size);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.asked.bytes = self.asked.bytes.saturating_add(bytes);
        let exchange = Exchange {
            branch,
            question: ask.digest(),
            answer: answer.clone(),
        };
        let digest = exchange.digest();
        // Refusals beyond the bound are answers too, and there is no end of them.
        if within {
            self.all.push(exchange);
        }
        digest
    }
}

fn tagged(hasher: &mut blake3::Hasher, tag: u8, bytes: &[u8]) {
    hasher.update(&[tag]);
    put(hasher, bytes);
}

fn put(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    hasher.update(&length.to_le_bytes()).update(bytes);
}
