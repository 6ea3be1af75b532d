use aigen_marvin::{AiError, ai_fn};

/// Judge.
#[ai_fn(check = of_another_type)]
async fn judged(text: &str) -> Result<u8, AiError>;

fn of_another_type(_: &String, _: &str) -> Result<(), String> {
    Ok(())
}

/// Judge.
#[ai_fn(check = of_the_value_alone)]
async fn judged_alone(text: &str) -> Result<u8, AiError>;

fn of_the_value_alone(_: &u8) -> Result<(), String> {
    Ok(())
}

/// Judge.
#[ai_fn(check = without_reason)]
async fn judged_silently(text: &str) -> Result<u8, AiError>;

fn without_reason(_: &u8, _: &str) -> bool {
    true
}

fn main() {}
