use aigen_engine::{TokenId, Tokenizer};
use toktrie::SimpleVob;

use crate::Fault;

/// Which tokens of the vocabulary may come: one bit for each.
#[derive(Clone, PartialEq)]
pub struct Mask(SimpleVob);

impl Mask {
    /// No token of a vocabulary of so many.
    #[must_use]
    pub fn none(vocab_size: u32) -> Self {
        Self(SimpleVob::alloc(length(vocab_size)))
    }

    /// Every token of a vocabulary of so many.
    #[must_use]
    pub fn all(vocab_size: u32) -> Self {
        Self(SimpleVob::alloc_ones(length(vocab_size)))
    }

    /// These tokens.
    ///
    /// # Errors
    /// [`Fault::TokenUnknown`] for one outside the vocabulary.
    pub fn of(vocab_size: u32, tokens: &[TokenId]) -> Result<Self, Fault> {
        let mut mask = Self::none(vocab_size);
        mask.insert(tokens)?;
        Ok(mask)
    }

    /// Bit 0 of word 0 is token 0.
    ///
    /// # Errors
    /// [`Fault::MaskLength`] unless there are exactly as many words as the
    /// vocabulary takes; bits after its end are ignored.
    pub fn from_bits(vocab_size: u32, words: &[u32]) -> Result<Self, Fault> {
        let expected = length(vocab_size).div_ceil(32);
        if words.len() != expected {
            let words = words.len();
            return Err(Fault::MaskLength { words, expected });
        }
        let mut mask = Self::none(vocab_size);
        let set = |token: &TokenId| words[length(*token) / 32] >> (token % 32) & 1 == 1;
        for token in (0..vocab_size).filter(set) {
            mask.0.allow_token(token);
        }
        Ok(mask)
    }

    /// The tokens that begin with these bytes, or with which these bytes begin:
    /// what may come while they are written anew. Control tokens are no text.
    #[must_use]
    pub fn with_prefix(tokenizer: &dyn Tokenizer, bytes: &[u8]) -> Self {
        let mut mask = Self::none(tokenizer.vocab_size());
        let fits = |token: &TokenId| {
            let text = tokenizer.token_bytes(*token);
            !text.is_empty() && (text.starts_with(bytes) || bytes.starts_with(text))
        };
        for token in (0..tokenizer.vocab_size()).filter(fits) {
            mask.0.allow_token(token);
        }
        mask
    }

    /// The tokens whose bytes are like that.
    pub(crate) fn that(tokenizer: &dyn Tokenizer, is: impl Fn(&[u8]) -> bool) -> Self {
        let mut mask = Self::none(tokenizer.vocab_size());
        let such = |token: &TokenId| is(tokenizer.token_bytes(*token));
        for token in (0..tokenizer.vocab_size()).filter(such) {
            mask.0.allow_token(token);
        }
        mask
    }

    /// Adds tokens.
    ///
    /// # Errors
    /// [`Fault::TokenUnknown`] for the first outside the vocabulary; those before
    /// it were added.
    pub fn insert(&mut self, tokens: &[TokenId]) -> Result<(), Fault> {
        let vocab_size = self.vocab_size();
        for &token in tokens {
            if token >= vocab_size {
                return Err(Fault::TokenUnknown { token, vocab_size });
            }
            self.0.allow_token(token);
        }
        Ok(())
    }

    /// Keeps what is in `other` too. A token outside the smaller vocabulary is in
    /// neither.
    pub fn intersect(&mut self, other: &Self) {
        self.keep(|token| other.contains(token));
    }

    /// Keeps what is not in `other`.
    pub fn subtract(&mut self, other: &Self) {
        self.keep(|token| !other.contains(token));
    }

    /// How many tokens may come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.num_set()
    }

    /// Whether no token may come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_zero()
    }

    /// Tokens in the vocabulary it was made for.
    #[must_use]
    pub fn vocab_size(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The tokens that may come, in ascending order.
    #[must_use]
    pub fn tokens(&self) -> Vec<TokenId> {
        self.0.to_list()
    }

    /// Whether the token may come; false outside the vocabulary.
    #[must_use]
    pub fn contains(&self, token: TokenId) -> bool {
        length(token) < self.0.len() && self.0.is_allowed(token)
    }

    /// Puts every other token out of reach.
    pub fn apply(&self, logits: &mut [f32]) {
        if let Some(unknown) = logits.get_mut(self.0.len()..) {
            unknown.fill(f32::NEG_INFINITY);
        }
        self.0.iter_unset_entries(|token| {
            if let Some(logit) = logits.get_mut(token) {
                *logit = f32::NEG_INFINITY;
            }
        });
    }

    fn keep(&mut self, stays: impl Fn(TokenId) -> bool) {
        for token in self.tokens() {
            if !stays(token) {
                self.0.disallow_token(token);
            }
        }
    }
}

impl From<SimpleVob> for Mask {
    fn from(bits: SimpleVob) -> Self {
        Self(bits)
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} of {})", self.len(), self.vocab_size())
    }
}

fn length(tokens: u32) -> usize {
    usize::try_from(tokens).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aigen_engine::scripted::Vocabulary;

    #[test]
    fn masks_are_sets_of_tokens() {
        let mut mask = Mask::of(40, &[0, 31, 32, 39]).unwrap();
        assert_eq!(mask.tokens(), [0, 31, 32, 39]);
        mask.intersect(&Mask::of(40, &[31, 32, 33]).unwrap());
        mask.subtract(&Mask::of(40, &[31]).unwrap());
        assert_eq!((mask.tokens(), mask.len()), (vec![32], 1));
        assert!(!mask.contains(40) && !mask.is_empty());
        assert_eq!(Mask::all(33).len(), 33);
        let bits = Mask::from_bits(33, &[1 << 31, 0b11]).unwrap();
        assert_eq!(bits.tokens(), [31, 32]);
    }

    #[test]
    fn what_is_no_mask_is_refused() {
        let unknown = Mask::of(40, &[40]).unwrap_err();
        assert_eq!(unknown.name(), "token_unknown");
        for words in [vec![], vec![0], vec![0; 3]] {
            let short = Mask::from_bits(40, &words).unwrap_err();
            assert_eq!(short.name(), "mask_length");
        }
    }

    #[test]
    fn a_prefix_may_be_written_in_any_way() {
        let words = Vocabulary::with_words(["Ken", "Kenya", "Keep", "nya"]);
        let mask = Mask::with_prefix(&words, b"Ken");
        let texts: Vec<_> = mask
            .tokens()
            .into_iter()
            .map(|t| words.token_bytes(t).to_vec())
            .collect();
        assert_eq!(texts, [&b"K"[..], b"Ken", b"Kenya"]);
    }
}
