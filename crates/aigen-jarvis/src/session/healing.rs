//! Text that was cut in the middle of a word: how much of its end the model writes anew, and
//! which tokens it may write there.

use aigen_engine::{TokenId, Tokenizer};

use crate::constraint::Mask;

/// How many of the last tokens are to be written anew: as many as one token of the vocabulary
/// begins with and goes beyond. 0 where the text's end is no beginning of anything.
pub(super) fn reach(tokenizer: &dyn Tokenizer, tokens: &[TokenId]) -> usize {
    let sizes = (0..tokenizer.vocab_size()).map(|token| tokenizer.token_bytes(token).len());
    let ends = Ends::new(tokenizer, tokens, sizes.max().unwrap_or(0));
    (0..tokenizer.vocab_size())
        .map(|token| ends.begun(tokenizer.token_bytes(token)))
        .max()
        .unwrap_or(0)
}

/// The ends of a text that begin with a token.
struct Ends {
    text: Vec<u8>,
    /// Where the last, the last two, … tokens begin, by their first byte: nearly all of a
    /// vocabulary is done with by that.
    starts: Vec<Vec<(usize, usize)>>,
}

impl Ends {
    /// Those shorter than `longest` bytes. Special tokens stand for no text: none is written anew.
    fn new(tokenizer: &dyn Tokenizer, tokens: &[TokenId], longest: usize) -> Self {
        let mut pieces = Vec::new();
        let mut size = 0;
        for token in tokens.iter().rev() {
            let bytes = tokenizer.token_bytes(*token);
            size += bytes.len();
            if bytes.is_empty() || tokenizer.is_special(*token) || size >= longest {
                break;
            }
            pieces.push(bytes);
        }
        let text: Vec<u8> = pieces.iter().rev().copied().flatten().copied().collect();
        let mut starts = vec![Vec::new(); 256];
        let mut at = text.len();
        for (count, bytes) in (1..).zip(&pieces) {
            at -= bytes.len();
            starts[usize::from(bytes[0])].push((count, at));
        }
        Self { text, starts }
    }

    /// How many of the last tokens this one begins with and goes beyond.
    fn begun(&self, token: &[u8]) -> usize {
        let Some(first) = token.first() else {
            return 0;
        };
        let begins = |(count, at): &(usize, usize)| {
            let end = &self.text[*at..];
            (token.len() > end.len() && token.starts_with(end)).then_some(*count)
        };
        let starts = &self.starts[usize::from(*first)];
        starts.iter().filter_map(begins).max().unwrap_or(0)
    }
}

/// What is still to be written anew.
pub(super) struct Healing {
    rest: Vec<u8>,
    /// Where the tokens that were taken off end, in bytes of `rest`.
    ends: Vec<usize>,
    /// Whether the caller wrote it, who is not told it again.
    prompt: bool,
}

impl Healing {
    pub fn new(tokenizer: &dyn Tokenizer, tokens: &[TokenId], prompt: bool) -> Self {
        let mut rest = Vec::new();
        let mut ends = Vec::new();
        for token in tokens {
            rest.extend_from_slice(tokenizer.token_bytes(*token));
            ends.push(rest.len());
        }
        Self { rest, ends, prompt }
    }

    /// The tokens that may come: those that say all of the rest, and those that are at least as
    /// long as the one whose place they take. What was taken off is always among them, and is
    /// never cut finer than it was.
    pub fn mask(&self, tokenizer: &dyn Tokenizer) -> Mask {
        let least = self.ends.first().copied().unwrap_or(0);
        Mask::that(tokenizer, |bytes| {
            bytes.starts_with(&self.rest) || bytes.len() >= least && self.rest.starts_with(bytes)
        })
    }

    /// What the token says beyond the rest; `None` if it is within.
    pub fn beyond<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get(self.rest.len()..)
    }

    /// How many bytes of the next token the caller wrote, if it is that long.
    pub fn prompted(&self) -> usize {
        if self.prompt { self.rest.len() } else { 0 }
    }

    /// The rest behind this token; `None` if there is none.
    pub fn after(mut self, bytes: &[u8]) -> Option<Self> {
        let taken = bytes.len();
        if taken >= self.rest.len() {
            return None;
        }
        self.rest.drain(..taken);
        self.ends.retain(|end| *end > taken);
        self.ends.iter_mut().for_each(|end| *end -= taken);
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use aigen_engine::scripted::Vocabulary;

    use super::*;

    /// text's tokens > how many of them are written anew
    const ROWS: &[&str] = &[
        "M > 1",
        "u n > 2",
        "x un > 1",
        "u n h a p p > 6",
        "un hap p > 3",
        // Nothing goes beyond it.
        "unhappyness > 0",
        "unhappy > 1",
        "y > 0",
        "q > 0",
        // A longer end may be begun where a shorter one is not.
        "unhap py > 2",
    ];

    #[test]
    fn as_many_tokens_as_one_of_the_vocabulary_begins_with() {
        let words = [
            "Mount",
            "un",
            "hap",
            "py",
            "unhap",
            "unhappy",
            "unhappyness",
        ];
        let vocabulary = Vocabulary::with_words(words);
        for row in ROWS {
            let (text, expected) = row.split_once(" > ").unwrap();
            let tokens: Vec<TokenId> = text
                .split(' ')
                .flat_map(|word| vocabulary.encode(word, false, false))
                .collect();
            assert_eq!(reach(&vocabulary, &tokens).to_string(), expected, "{row}");
        }
    }

    #[test]
    fn nothing_is_cut_finer_than_it_was() {
        let vocabulary = Vocabulary::with_words(["un", "unh", "hap", "happy", "unhappy"]);
        let encode = |word: &str| vocabulary.encode(word, false, false)[0];
        let tokens = [encode("un"), encode("hap")];
        let healing = Healing::new(&vocabulary, &tokens, true);
        let may = |healing: &Healing| {
            let mask = healing.mask(&vocabulary);
            let words = ["u", "un", "unh", "hap", "ap", "happy", "unhappy", "x"];
            let allowed = words.into_iter().filter(|word| mask.contains(encode(word)));
            allowed.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(may(&healing), "un unh unhappy");
        assert_eq!(
            (healing.prompted(), healing.beyond(b"unhappy")),
            (5, Some(&b"py"[..]))
        );
        let behind = healing.after(b"un").unwrap();
        assert_eq!(may(&behind), "hap happy");
        assert_eq!(behind.beyond(b"ha"), None);
        assert!(behind.after(b"hap").is_none());
    }
}
