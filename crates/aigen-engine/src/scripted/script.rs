use super::Vocabulary;
use crate::{TokenId, Tokenizer};

/// Where a [`super::ScriptedEngine`] takes its logits from: a function of the
/// vocabulary and the tokens of a sequence.
pub struct Script(Box<Logits>);

type Logits = dyn FnMut(&Vocabulary, &[TokenId]) -> Vec<f32> + Send;

impl Script {
    /// Any function that gives one logit per token of the vocabulary. It may
    /// block, which holds the pass, and panic, which fails it.
    pub fn new(logits: impl FnMut(&Vocabulary, &[TokenId]) -> Vec<f32> + Send + 'static) -> Self {
        Self(Box::new(logits))
    }

    /// Prefers given replies to given prompts.
    ///
    /// The row that counts is the one whose prompt occurs last in the sequence's
    /// text; what follows it (control tokens left out) is the answer so far. Each
    /// reply that goes on from there proposes its next token, or the end token
    /// when it is complete; the first reply's token gets logit 10, the second's 9
    /// and so on down to 1, every other token 0. When no reply goes on from here
    /// the end token gets 10. A prompt of "" matches everywhere.
    pub fn replies<P, R, S>(rows: impl IntoIterator<Item = (P, R)>) -> Self
    where
        P: Into<String>,
        R: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let rows: Vec<(Vec<u8>, Vec<Vec<u8>>)> = rows
            .into_iter()
            .map(|(prompt, replies)| {
                let replies = replies.into_iter().map(|reply| reply.into().into_bytes());
                (prompt.into().into_bytes(), replies.collect())
            })
            .collect();
        Self::new(move |vocabulary, history| reply_logits(&rows, vocabulary, history))
    }

    pub(super) fn logits(&mut self, vocabulary: &Vocabulary, history: &[TokenId]) -> Vec<f32> {
        let logits = (self.0)(vocabulary, history);
        assert_eq!(
            logits.len(),
            vocabulary.vocab_size() as usize,
            "one logit per token"
        );
        logits
    }
}

type Rows = [(Vec<u8>, Vec<Vec<u8>>)];

fn reply_logits(rows: &Rows, vocabulary: &Vocabulary, history: &[TokenId]) -> Vec<f32> {
    let text = vocabulary.decode(history);
    let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
    let mut weight = 10.0;
    for token in proposals(rows, &text, vocabulary) {
        if logits[token as usize] == 0.0 && weight > 0.0 {
            logits[token as usize] = weight;
            weight -= 1.0;
        }
    }
    if weight == 10.0 {
        logits[vocabulary.end() as usize] = weight;
    }
    logits
}

fn proposals(rows: &Rows, text: &[u8], vocabulary: &Vocabulary) -> Vec<TokenId> {
    let row = rows
        .iter()
        .filter_map(|(prompt, replies)| Some((answer_start(text, prompt)?, replies)));
    let Some((start, replies)) = row.max_by_key(|(start, _)| *start) else {
        return Vec::new();
    };
    let rests = replies
        .iter()
        .filter_map(|reply| reply.strip_prefix(&text[start..]));
    rests
        .map(|rest| vocabulary.longest(rest).unwrap_or(vocabulary.end()))
        .collect()
}

/// Where the answer to `prompt` starts: behind its last occurrence.
fn answer_start(text: &[u8], prompt: &[u8]) -> Option<usize> {
    if prompt.is_empty() {
        return Some(0);
    }
    let last = text
        .windows(prompt.len())
        .rposition(|window| window == prompt)?;
    Some(last + prompt.len())
}
