//! Evaluation suites: cases, checks, and controllers planted with a known quality.
//!
//! The same checks judge a real controller's answers and compute a planted one's truth,
//! so that an honest validator can be exactly right about what the operator hides.

mod check;
mod evidence;
mod interval;
mod library;
mod plant;
mod plugin;
mod run;
mod suite;
mod transcript;

pub use evidence::{Evidence, cost_of};
pub use interval::confidence;
pub use library::{Library, Source};
pub use plant::{Planted, salt};
pub use run::{Evaluation, Evaluator};
pub use suite::Suite;
pub use transcript::Transcript;
