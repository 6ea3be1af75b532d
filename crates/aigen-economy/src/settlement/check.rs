//! Whether an input is well formed, and which field is not.

use super::input::{Controller, Input, Validator};
use super::names::Names;
use super::params::{ParamsError, ParamsProblem};
use crate::limits::{AMOUNT_MAX, PARAMETERS_MAX, ROWS_MAX};
use aigen_types::{Amount, PPM};
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{borrow::ToOwned, format};
use core::fmt;

/// A field that makes an input ill formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// Where it is, in the field names of the input file: `reports[3].v`, `params.tol`.
    pub path: String,
    /// What is wrong with it.
    pub problem: InputProblem,
}

/// What can be wrong with a field of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputProblem {
    /// A settlement parameter is refused.
    Params(ParamsProblem),
    /// The weights of the parameters do not sum to one whole, but to this many ppm.
    Weights(u64),
    /// More rows than [`ROWS_MAX`], or more parameters than [`PARAMETERS_MAX`].
    TooMany,
    /// 2⁶³ or more: an amount, a stake or a count of epochs.
    TooLarge,
    /// A skill beyond one whole in either direction.
    Skill,
    /// The id is in no list of the input.
    Unknown,
    /// An earlier row already says this.
    Duplicate,
}

impl Input {
    /// Refuses an input that no epoch can produce.
    ///
    /// # Errors
    /// The first bad field: parameters of §8, list lengths, ids and ranges of the listed parties,
    /// then unknown and repeated ids in the lists that refer to them. A report outside
    /// 0 to 1,000,000, or by a validator that was not assigned, is no error: it does not count.
    pub fn check(&self) -> Result<(), InputError> {
        self.params.check()?;
        self.check_lengths()?;
        self.check_parameters()?;
        self.check_parties()?;
        self.check_references(&Names::of(self))
    }

    fn check_lengths(&self) -> Result<(), InputError> {
        let lengths = [
            ("parameters", self.parameters.len(), PARAMETERS_MAX),
            ("controllers", self.controllers.len(), ROWS_MAX),
            ("validators", self.validators.len(), ROWS_MAX),
            ("assigned", self.assigned.len(), ROWS_MAX),
            ("reports", self.reports.len(), ROWS_MAX),
            ("gold", self.gold.len(), ROWS_MAX),
            ("gold_assigned", self.gold_assigned.len(), ROWS_MAX),
            ("gold_reports", self.gold_reports.len(), ROWS_MAX),
            ("audits", self.audits.len(), ROWS_MAX),
        ];
        match lengths.into_iter().find(|(_, rows, most)| rows > most) {
            Some((list, ..)) => Err(InputError::new(list, InputProblem::TooMany)),
            None => Ok(()),
        }
    }

    fn check_parameters(&self) -> Result<(), InputError> {
        let weights = self.parameters.iter().map(|row| row.weight.parts());
        let sum = weights.fold(0_u64, |sum, weight| sum.saturating_add(u64::from(weight)));
        if sum != PPM {
            return Err(InputError::new("parameters", InputProblem::Weights(sum)));
        }
        distinct("parameters", self.parameters.iter().map(|row| &row.id))
    }

    fn check_parties(&self) -> Result<(), InputError> {
        distinct("controllers", self.controllers.iter().map(|row| &row.id))?;
        distinct("validators", self.validators.iter().map(|row| &row.id))?;
        distinct("gold", self.gold.iter().map(|row| &row.id))?;
        let mut controllers = self.controllers.iter().enumerate();
        controllers.try_for_each(|(row, controller)| check_controller(row, controller))?;
        let mut validators = self.validators.iter().enumerate();
        validators.try_for_each(|(row, validator)| check_validator(row, validator))
    }

    fn check_references(&self, names: &Names<'_>) -> Result<(), InputError> {
        references("assigned", &self.assigned, |row| {
            let cell = names.cell(&row.controller, &row.parameter)?;
            Ok((names.validator(&row.validator)?, cell))
        })?;
        references("reports", &self.reports, |row| {
            let cell = names.cell(&row.controller, &row.parameter)?;
            Ok((names.validator(&row.validator)?, cell))
        })?;
        references("gold_assigned", &self.gold_assigned, |row| {
            Ok((names.validator(&row.validator)?, names.gold(&row.gold)?))
        })?;
        references("gold_reports", &self.gold_reports, |row| {
            Ok((names.validator(&row.validator)?, names.gold(&row.gold)?))
        })?;
        references("audits", &self.audits, |row| {
            names.cell(&row.controller, &row.parameter)
        })
    }
}

fn check_controller(row: usize, controller: &Controller) -> Result<(), InputError> {
    let bounded = |field: &str, amount| bounded(&format!("controllers[{row}].{field}"), amount);
    bounded("escrow", controller.escrow)?;
    bounded("vbudget", controller.vbudget)?;
    bounded(
        "scored_epochs",
        Amount::from_nano(u128::from(controller.scored_epochs)),
    )?;
    let mut spent = controller.consumers.iter();
    spent.try_for_each(|(account, spent)| bounded(&format!("consumers.{account}"), *spent))
}

fn check_validator(row: usize, validator: &Validator) -> Result<(), InputError> {
    bounded(&format!("validators[{row}].stake"), validator.stake)?;
    if validator.skill.unsigned_abs() > PPM {
        let path = format!("validators[{row}].skill");
        return Err(InputError::new(&path, InputProblem::Skill));
    }
    Ok(())
}

fn bounded(path: &str, amount: Amount) -> Result<(), InputError> {
    if amount > AMOUNT_MAX {
        return Err(InputError::new(path, InputProblem::TooLarge));
    }
    Ok(())
}

/// Resolves every row of a list, then refuses a repeated one.
fn references<Row, Key: Ord>(
    list: &str,
    rows: &[Row],
    key: impl Fn(&Row) -> Result<Key, &'static str>,
) -> Result<(), InputError> {
    let keys: Result<Vec<Key>, InputError> = rows
        .iter()
        .enumerate()
        .map(|(row, content)| {
            key(content).map_err(|field| {
                InputError::new(&format!("{list}[{row}].{field}"), InputProblem::Unknown)
            })
        })
        .collect();
    distinct(list, keys?.into_iter())
}

fn distinct<Key: Ord>(list: &str, keys: impl Iterator<Item = Key>) -> Result<(), InputError> {
    let mut keys: Vec<(Key, usize)> = keys.zip(0..).collect();
    keys.sort_unstable();
    let repeated = keys.windows(2).find_map(|pair| match pair {
        [(first, _), (second, row)] if first == second => Some(row),
        _ => None,
    });
    match repeated {
        Some(row) => Err(InputError::new(
            &format!("{list}[{row}]"),
            InputProblem::Duplicate,
        )),
        None => Ok(()),
    }
}

impl InputError {
    fn new(path: &str, problem: InputProblem) -> Self {
        let path = path.to_owned();
        Self { path, problem }
    }
}

impl From<ParamsError> for InputError {
    fn from(error: ParamsError) -> Self {
        Self {
            path: format!("params.{}", error.name),
            problem: InputProblem::Params(error.problem),
        }
    }
}

impl fmt::Display for InputProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Params(problem) => problem.fmt(f),
            Self::Weights(sum) => write!(f, "the weights sum to {sum} ppm; they must sum to {PPM}"),
            Self::TooMany => write!(
                f,
                "too many rows: at most {PARAMETERS_MAX} parameters and {ROWS_MAX} of anything else"
            ),
            Self::TooLarge => f.write_str("must be below 2^63"),
            Self::Skill => write!(f, "a skill is -{PPM} to {PPM} ppm"),
            Self::Unknown => f.write_str("unknown id"),
            Self::Duplicate => f.write_str("repeats an earlier row"),
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl core::error::Error for InputError {}

#[cfg(test)]
mod tests;
