use aigen_marvin::{AiError, ai_fn};

/// Judge.
#[ai_fn(max_token = 3)]
async fn misspelt(text: &str) -> Result<u8, AiError>;

/// Judge.
#[ai_fn(seed = 1, seed = 2)]
async fn twice(text: &str) -> Result<u8, AiError>;

/// Judge.
#[ai_fn(check = "is_short")]
async fn quoted(text: &str) -> Result<u8, AiError>;

/// Judge.
#[ai_fn(max_tokens = "many")]
async fn in_words(text: &str) -> Result<u8, AiError>;

fn main() {}
