//! The settlement's input and output files, version 1.
//!
//! Integers throughout: amounts and stakes in nano-AIGEN below 2⁶³, scores and
//! shares in parts per million. Strict: an unknown, missing or repeated field is
//! refused, because each of them would change what people are paid. Written with
//! every object's keys in ascending order, so that equal values are equal bytes.

mod evidence;
mod input;
mod number;
mod output;

pub use evidence::{Evidence, Proof, WholeEpoch};
pub use input::{
    Audit, Cell, Consumers, Controller, Gold, GoldCell, GoldReport, Input, Parameter,
    ParameterKind, Params, Remainder, Report, Scores, Validator,
};
pub use output::{ControllerResult, Output, ValidatorResult};

use crate::{JsonError, from_json};

impl Input {
    /// Reads an input file.
    ///
    /// # Errors
    /// The path of the first bad field and what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, JsonError> {
        from_json(json)
    }
}

#[cfg(test)]
mod tests;
