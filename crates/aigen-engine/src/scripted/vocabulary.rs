use crate::{ChatMessage, EngineError, Role, TokenId, Tokenizer};

/// A vocabulary of all 256 bytes (ids 0–255), then words, then control tokens.
///
/// Text is encoded greedily by the longest token. Chat is
/// `<|user|>…<|end|><|assistant|>`, one control token per role.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    tokens: Vec<Vec<u8>>,
    controls: Vec<&'static str>,
    end: [TokenId; 1],
}

const CONTROLS: [&str; 6] = [
    "<|begin|>",
    "<|end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|tool|>",
];
const BEGIN: usize = 0;
const END: usize = 1;

impl Vocabulary {
    /// Bytes alone.
    #[must_use]
    pub fn bytes() -> Self {
        Self::with_words::<&str>([])
    }

    /// Bytes and these words, the first of which is token 256.
    #[must_use]
    pub fn with_words<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        let mut tokens: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
        tokens.extend(
            words
                .into_iter()
                .map(|word| word.as_ref().as_bytes().to_vec()),
        );
        let end = [(tokens.len() + END) as TokenId];
        Self {
            tokens,
            controls: CONTROLS.to_vec(),
            end,
        }
    }

    /// The token of a word or of a control token.
    ///
    /// # Panics
    /// If it is not in the vocabulary.
    #[must_use]
    pub fn word(&self, text: &str) -> TokenId {
        let word = self
            .tokens
            .iter()
            .position(|token| token == text.as_bytes());
        let control = || self.controls.iter().position(|&control| control == text);
        word.or_else(|| Some(self.tokens.len() + control()?))
            .unwrap_or_else(|| panic!("{text:?} is not in the vocabulary")) as TokenId
    }

    /// The token that ends a generation.
    #[must_use]
    pub fn end(&self) -> TokenId {
        self.end[0]
    }

    /// The longest token `text` starts with; `None` for empty text.
    #[must_use]
    pub fn longest(&self, text: &[u8]) -> Option<TokenId> {
        let tokens = self.tokens.iter().enumerate();
        let fitting = tokens.filter(|(_, bytes)| !bytes.is_empty() && text.starts_with(bytes));
        let (index, _) = fitting.max_by_key(|(_, bytes)| bytes.len())?;
        Some(index as TokenId)
    }

    fn control(&self, index: usize) -> TokenId {
        (self.tokens.len() + index) as TokenId
    }

    fn role(&self, role: Role) -> TokenId {
        let text = format!("<|{}|>", role.as_str());
        self.word(&text)
    }

    /// The control token `text` starts with, and its length in bytes.
    fn leading_control(&self, text: &str) -> Option<(TokenId, usize)> {
        let index = self
            .controls
            .iter()
            .position(|control| text.starts_with(control))?;
        Some((self.control(index), self.controls[index].len()))
    }
}

impl Tokenizer for Vocabulary {
    fn encode(&self, text: &str, parse_special: bool, add_bos: bool) -> Vec<TokenId> {
        let mut tokens: Vec<TokenId> = add_bos.then(|| self.control(BEGIN)).into_iter().collect();
        let mut at = 0;
        while let Some(byte) = self.longest(&text.as_bytes()[at..]) {
            let control = (parse_special && text.is_char_boundary(at))
                .then(|| self.leading_control(&text[at..]))
                .flatten();
            let (token, length) = control.unwrap_or((byte, self.token_bytes(byte).len()));
            tokens.push(token);
            at += length;
        }
        tokens
    }

    fn token_bytes(&self, token: TokenId) -> &[u8] {
        self.tokens.get(token as usize).map_or(&[], Vec::as_slice)
    }

    fn is_special(&self, token: TokenId) -> bool {
        (self.tokens.len()..self.vocab_size() as usize).contains(&(token as usize))
    }

    fn end_tokens(&self) -> &[TokenId] {
        &self.end
    }

    fn vocab_size(&self) -> u32 {
        (self.tokens.len() + self.controls.len()) as u32
    }

    fn chat(&self, messages: &[ChatMessage]) -> Result<Vec<TokenId>, EngineError> {
        let mut tokens = vec![self.control(BEGIN)];
        for message in messages {
            tokens.push(self.role(message.role));
            tokens.extend(self.encode(&message.content, false, false));
            tokens.push(self.end());
        }
        tokens.push(self.role(Role::Assistant));
        Ok(tokens)
    }
}
