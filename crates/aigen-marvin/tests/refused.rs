//! What the compiler says of functions that cannot be AI functions: `refused/*.rs`, each with the words beside it.
//!
//! `TRYBUILD=overwrite` writes them anew; another version of the compiler may say what is its own, in `check`, `options`
//! and `value`, in other words. What is built for it, this crate and what it needs, stays in `target/tests/trybuild`:
//! 100 s of processor time once, 4 s after a change.

#[test]
fn what_cannot_be_an_ai_function_says_what_to_write_instead() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
