use aigen_marvin::ai_fn;

/// Judge.
#[ai_fn]
fn not_async(text: &str) -> Result<u8, AiError>;

/// Judge.
#[ai_fn]
async unsafe fn is_unsafe(text: &str) -> Result<u8, AiError>;

#[ai_fn]
async fn undocumented(text: &str) -> Result<u8, AiError>;

fn main() {}
