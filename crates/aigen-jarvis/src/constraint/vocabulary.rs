use std::sync::Arc;

use aigen_engine::{TokenId, Tokenizer};
use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenizerEnv};

use super::CompileError;

/// A model's vocabulary as llguidance sees it: the trie of all tokens' bytes, and
/// the model's own tokenizer for text a grammar forces.
pub(super) struct Vocabulary {
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
        Ok(Arc::new(Self { tokenizer, trie }))
    }
}

impl TokenizerEnv for Vocabulary {
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
