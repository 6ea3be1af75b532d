//! Evaluation suites: cases, checks, and controllers planted with a known quality.
//!
//! The same checks judge a real controller's answers and compute a planted one's truth,
//! so that an honest validator can be exactly right about what the operator hides.

mod plant;
mod run;
mod suite;

pub use plant::{Planted, salt};
pub use run::evaluate;
pub use suite::Suite;

/// The suites that ship with the program, by name.
const SHIPPED: [&str; 2] = [
    include_str!("../../../suites/lesson-quiz.toml"),
    include_str!("../../../suites/support-reply.toml"),
];

/// Every suite that ships with the program.
///
/// # Panics
/// Never: a test parses every one of them.
pub fn shipped() -> Vec<Suite> {
    SHIPPED
        .iter()
        .map(|text| Suite::parse(text).expect("shipped suites are well formed"))
        .collect()
}
