//! What a guest may call. What goes beyond a bound ends the request; what is merely
//! wrong is an error that the guest can answer.

mod constraints;
mod outside;
mod session;
mod tokenizer;

use aigen_jarvis::Fault;

use crate::bindings::aigen::controller::types::{self, Error};
use crate::state::State;

impl types::Host for State {}

/// A fault of the host's as what the guest may know of it.
fn told(fault: &Fault) -> Error {
    Error::Invalid(fault.to_string())
}
