//! The settlement from outside: worked examples, laws, and a naive model that must agree.

mod examples;
mod generate;
mod json;
mod laws;
mod model;
