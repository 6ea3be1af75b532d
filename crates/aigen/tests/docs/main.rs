//! The documentation is true: what its pages tell people to type is typed, and what they show is what comes.

mod api;
mod errors;
mod metrics;
mod packaging;
mod pages;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
