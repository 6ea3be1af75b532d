use aigen_marvin::ai_fn;

/// Judge.
#[ai_fn]
async fn of_any<T>(text: T) -> Result<u8, AiError>;

/// Judge.
#[ai_fn]
async fn of_some(text: impl AsRef<str>) -> Result<u8, AiError>;

/// Judge.
#[ai_fn]
async fn borrowed<'a>(text: &'a str) -> Result<u8, AiError>;

fn main() {}
