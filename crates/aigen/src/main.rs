//! The AiGen binary.
fn main() {}
