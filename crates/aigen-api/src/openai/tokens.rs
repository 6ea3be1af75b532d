use super::Message;
use serde::{Deserialize, Serialize};

/// `POST /tokenize`: the tokens of a text or of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tokenize {
    /// Whose tokens.
    pub model: String,
    /// A text; either this or `messages`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// A conversation, put into the model's chat template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
    /// Kept so that it can be refused: whether the model's own tokens stand around the text. They do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_special_tokens: Option<bool>,
    /// Kept so that it can be refused: whether an answer begins after the conversation. It does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_generation_prompt: Option<bool>,
    /// Whether the tokens' texts are wanted too.
    #[serde(default)]
    pub return_token_strs: bool,
}

/// The tokens of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokenized {
    /// How many there are.
    pub count: u64,
    /// Tokens of prompt and answer together, at most.
    pub max_model_len: u32,
    /// Their ids.
    pub tokens: Vec<u32>,
    /// Their texts, when asked for; lossy where a token ends inside a character.
    pub token_strs: Option<Vec<String>>,
}

/// `POST /detokenize`: the text of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detokenize {
    /// Whose tokens.
    pub model: String,
    /// Their ids.
    pub tokens: Vec<u32>,
}

/// The text of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detokenized {
    /// The text; control tokens have none.
    pub prompt: String,
}
