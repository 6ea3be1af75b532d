use aigen_marvin::{AiError, ai_fn};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize)]
struct WithoutSchema {
    score: u8,
}

/// Judge.
#[ai_fn]
async fn without_schema(text: &str) -> Result<WithoutSchema, AiError>;

#[derive(JsonSchema)]
struct Unreadable {
    score: u8,
}

/// Judge.
#[ai_fn]
async fn unreadable(text: &str) -> Result<Unreadable, AiError>;

fn main() {}
