//! Runs scenarios: tables of what happens on a network, with the answer expected to each line.
//!
//! A scenario (`scenarios/*.scn`) has one command or question per line; the answer expected
//! stands after `->`, and each of its parts must be a part of the answer given. An indented line
//! continues the one above, and `#` begins a comment. Commas and colons after a word are for the
//! eye alone. [`FORMS`] is the whole language.
//!
//! ```text
//! network test
//! model tiny by acme: input 20, cached 2, output 60 per million, request 0.0001
//! key ada-key for user:ada
//! issue 10 to user:ada
//! open c1 by ada-key on tiny: prompt 100, chunk 256 -> covers 256, holds 0.01746
//! close c1 stop: prompt 100, sampled 40             -> charged 0.0045
//! account user:ada                                  -> available 9.9955, held 0.00
//! ```
//!
//! Its commands are applied to the pure network, and sent through the journals of [`Shelf`]s. After
//! every line the ledger is sound, what was issued is what all
//! accounts own together, and clearing is empty. A restart, which also ends every scenario,
//! replays and verifies the journal: it must lead to the very network it stopped with.

mod answer;
pub mod economy;
mod epoch;
mod parse;
mod run;
pub mod sim;
mod world;

#[cfg(test)]
mod tests;

pub use parse::{Act, EpochAct, FORMS, Line, Question, Scenario, WholeCall};
pub use run::{Failure, check};
pub use world::Shelf;
