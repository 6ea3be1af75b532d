use aigen_marvin::ai_fn;

/// Judge.
#[ai_fn(publish, check = is_low)]
async fn checked(text: &str) -> Result<u8, AiError>;

/// Judge.
#[ai_fn(publish, controller = "ada/strict@1.0.0")]
async fn steered(text: &str) -> Result<u8, AiError>;

/// Judge.
#[ai_fn(publish)]
async fn with_context(text: &str) -> Result<u8, AiError> {
    7
}

fn is_low(_: &u8, _: &str) -> Result<(), String> {
    Ok(())
}

fn main() {}
