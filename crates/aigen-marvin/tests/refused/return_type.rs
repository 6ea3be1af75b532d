use aigen_marvin::ai_fn;

/// Judge.
#[ai_fn]
async fn nothing(text: &str);

/// Judge.
#[ai_fn]
async fn plain(text: &str) -> u8;

/// Judge.
#[ai_fn]
async fn another_error(text: &str) -> Result<u8, std::io::Error>;

fn main() {}
