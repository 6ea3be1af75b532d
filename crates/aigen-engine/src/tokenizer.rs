use crate::EngineError;

/// One item of a model's vocabulary, below [`Tokenizer::vocab_size`].
pub type TokenId = u32;

/// Text to tokens and back, exactly as the model was trained.
pub trait Tokenizer: Send + Sync {
    /// The tokens of `text`.
    ///
    /// With `parse_special` the text of a control token becomes that token: only
    /// for text the operator wrote. Without it no control token can come out,
    /// whatever the text says. `add_bos` puts the model's beginning-of-sequence
    /// token first where the model wants one.
    fn encode(&self, text: &str, parse_special: bool, add_bos: bool) -> Vec<TokenId>;

    /// The bytes `token` stands for; empty for special tokens and for ids
    /// outside the vocabulary. A token may end inside a UTF-8 character.
    fn token_bytes(&self, token: TokenId) -> &[u8];

    /// Whether `token` is a control token rather than text.
    fn is_special(&self, token: TokenId) -> bool;

    /// Every token that ends a generation, the model's primary one first.
    fn end_tokens(&self) -> &[TokenId];

    /// Tokens in the vocabulary; also the length of a row of logits.
    fn vocab_size(&self) -> u32;

    /// The prompt for a conversation, in the model's own chat template, ready
    /// for the assistant to speak. The template's text may name control tokens;
    /// the messages' text never becomes one.
    ///
    /// # Errors
    /// [`EngineError::ChatTemplate`] where the model has no template or the
    /// template refuses these messages.
    fn chat(&self, messages: &[ChatMessage]) -> Result<Vec<TokenId>, EngineError>;

    /// The bytes of `tokens` in a row.
    fn decode(&self, tokens: &[TokenId]) -> Vec<u8> {
        tokens
            .iter()
            .flat_map(|&token| self.token_bytes(token))
            .copied()
            .collect()
    }
}

/// Who speaks in a conversation. Closed, because templates paste the role into
/// control tokens (`<|user|>`): a free text there could forge one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The person or program that asks.
    User,
    /// The model.
    Assistant,
    /// The result of a tool the model called.
    Tool,
}

impl Role {
    /// The lower-case word templates know the role by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said; untrusted text.
    pub content: String,
}

impl ChatMessage {
    /// A turn of `role` saying `content`.
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        let content = content.into();
        Self { role, content }
    }
}
