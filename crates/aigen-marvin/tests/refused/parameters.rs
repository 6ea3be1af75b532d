use aigen_marvin::ai_fn;

struct Judge;

impl Judge {
    /// Judge.
    #[ai_fn]
    async fn method(&self) -> Result<u8, AiError>;
}

/// Judge.
#[ai_fn]
async fn nameless((a, b): (u8, u8)) -> Result<u8, AiError>;

/// Judge.
#[ai_fn]
async fn changed(text: &mut String) -> Result<u8, AiError>;

/// Judge.
#[ai_fn]
async fn changed_here(mut text: String) -> Result<u8, AiError>;

fn main() {}
