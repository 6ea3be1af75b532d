use std::sync::Arc;

use aigen_engine::{TokenId, Tokenizer};
use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenizerEnv};

use super::CompileError;
use crate::limits::{FORCED_BYTES_LOOSE, FORCED_BYTES_MAX};

/// A model's vocabulary as llguidance sees it: the trie of all tokens' bytes, and
/// the model's own tokenizer for text a grammar forces.
pub(super) struct Vocabulary(Whole);

/// The same for texts of any length.
struct Whole {
    tokenizer: Arc<dyn Tokenizer>,
    trie: TokTrie,
}

impl Vocabulary {
    /// # Errors
    /// A vocabulary without an end token could never finish a grammar.
    pub fn environment(tokenizer: Arc<dyn Tokenizer>) -> Result<TokEnv, CompileError> {
        let ends = tokenizer.end_tokens().to_vec();
        let size = tokenizer.vocab_size();
        let Some(&end) = ends.first().filter(|_| ends.iter().all(|&end| end < size)) else {
            return Err(CompileError::new(
                "the model's vocabulary names no end token",
            ));
        };
        // Special tokens stand for no bytes, so no grammar over text reaches one.
        let words: Vec<_> = (0..size)
            .map(
                |token| match tokenizer.is_special(token) || ends.contains(&token) {
                    true => Vec::new(),
                    false => tokenizer.token_bytes(token).to_vec(),
                },
            )
            .collect();
        let trie = TokTrie::from(&TokRxInfo::new(size, end), &words).with_eos_tokens(&ends);
        Ok(Arc::new(Self(Whole { tokenizer, trie })))
    }

    /// How much of a long text is looked at: with room for a token before what is forced, and for
    /// one that is taken off the end, so that some of it is always left. No marker of a special
    /// token, of 20 bytes at most, is cut in two.
    fn beginning(&self, text: &[u8]) -> usize {
        let most = FORCED_BYTES_MAX + 2 * self.0.trie.max_token_len();
        if text.len() <= most {
            return text.len();
        }
        let last = most - 20;
        let marker = text[last..most]
            .iter()
            .position(|&byte| byte == TokTrie::SPECIAL_TOKEN_MARKER);
        marker.map_or(most, |at| last + at)
    }
}

impl TokenizerEnv for Vocabulary {
    fn tok_trie(&self) -> &TokTrie {
        &self.0.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.0.tokenize_bytes(bytes)
    }

    /// What is forced next is asked for again once these tokens are there, so that of a long text
    /// the beginning will do.
    fn tokenize_bytes_marker(&self, text: &[u8]) -> (Vec<TokenId>, usize) {
        let beginning = self.beginning(text);
        let (mut tokens, fixed) = self.0.tokenize_bytes_marker(&text[..beginning]);
        let mut loose = match beginning < text.len() {
            true => FORCED_BYTES_LOOSE,
            false => 0,
        };
        while loose > 0 && tokens.len() > fixed {
            let last = tokens.pop().map_or(0, |token| self.0.trie.token_len(token));
            loose = loose.saturating_sub(last);
        }
        (tokens, fixed)
    }
}

impl TokenizerEnv for Whole {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    /// The canonical tokens of forced text. A tokenizer that changes text (some
    /// put a space before the first word) must not change what is forced, so
    /// its answer counts only if it decodes to the same bytes.
    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        let canonical = |text: &str| {
            let tokens = self.tokenizer.encode(text, false, false);
            if self.trie.decode_raw(&tokens) == text.as_bytes() {
                tokens
            } else {
                self.trie.greedy_tokenize(text.as_bytes())
            }
        };
        self.trie.tokenize_with_greedy_fallback(bytes, canonical)
    }
}
