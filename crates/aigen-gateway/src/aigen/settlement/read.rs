//! From the file's numbers back to the settlement's own types.

use aigen_api::settlement as wire;
use aigen_node::economy::settlement::{
    Assignment, Audit, Controller, Gold, GoldAssignment, GoldReport, Input, Parameter,
    ParameterKind, Params, RemainderPolicy, Report, Validator,
};
use aigen_types::{Amount, Ppm};
use std::collections::BTreeMap;
use std::fmt;

/// A number that is not parts per million: above one whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    path: String,
    value: u64,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} must be 0 to 1000000 (ppm)",
            self.path, self.value
        )
    }
}

impl std::error::Error for OutOfRange {}

/// Reads an input. What it means is checked by [`Input::check`].
///
/// # Errors
/// The first number that is not parts per million, by its path.
pub fn read_input(file: &wire::Input) -> Result<Input, OutOfRange> {
    Ok(Input {
        params: params(&file.params)?,
        parameters: each("parameters", &file.parameters, parameter)?,
        controllers: each("controllers", &file.controllers, controller)?,
        validators: file.validators.iter().map(validator).collect(),
        assigned: file.assigned.iter().map(assignment).collect(),
        reports: file.reports.iter().map(report).collect(),
        gold: each("gold", &file.gold, gold)?,
        gold_assigned: file.gold_assigned.iter().map(gold_assignment).collect(),
        gold_reports: file.gold_reports.iter().map(gold_report).collect(),
        audits: each("audits", &file.audits, audit)?,
    })
}

fn each<T, U>(
    list: &str,
    items: &[T],
    read: impl Fn(&str, &T) -> Result<U, OutOfRange>,
) -> Result<Vec<U>, OutOfRange> {
    let numbered = items.iter().enumerate();
    numbered
        .map(|(at, item)| read(&format!("{list}[{at}]"), item))
        .collect()
}

fn ppm(path: &str, field: &str, value: u64) -> Result<Ppm, OutOfRange> {
    let parts = u32::try_from(value).ok().and_then(Ppm::new);
    parts.ok_or_else(|| OutOfRange {
        path: format!("{path}.{field}"),
        value,
    })
}

fn scores(path: &str, scores: &wire::Scores) -> Result<BTreeMap<String, Ppm>, OutOfRange> {
    let scores = scores.iter();
    scores
        .map(|(id, value)| Ok((id.clone(), ppm(path, id, *value)?)))
        .collect()
}

fn amount(nano: u64) -> Amount {
    Amount::from_nano(nano.into())
}

fn parameter(path: &str, file: &wire::Parameter) -> Result<Parameter, OutOfRange> {
    Ok(Parameter {
        id: file.id.clone(),
        weight: ppm(path, "weight", file.weight)?,
        kind: match file.kind {
            wire::ParameterKind::Measured => ParameterKind::Measured,
            wire::ParameterKind::Voted => ParameterKind::Voted,
        },
        gate_full: ppm(path, "gate_full", file.gate_full)?,
    })
}

fn controller(path: &str, file: &wire::Controller) -> Result<Controller, OutOfRange> {
    let consumers = file.consumers.iter();
    Ok(Controller {
        id: file.id.clone(),
        owner: file.owner.clone(),
        escrow: amount(file.escrow),
        vbudget: amount(file.vbudget),
        scored_epochs: file.scored_epochs,
        state: scores(&format!("{path}.state"), &file.state)?,
        measured: scores(&format!("{path}.measured"), &file.measured)?,
        consumers: consumers
            .map(|(id, spent)| (id.clone(), amount(*spent)))
            .collect(),
    })
}

fn validator(file: &wire::Validator) -> Validator {
    Validator {
        id: file.id.clone(),
        owner: file.owner.clone(),
        stake: amount(file.stake),
        skill: file.skill,
        committed: file.committed,
        revealed: file.revealed,
    }
}

fn assignment(file: &wire::Cell) -> Assignment {
    Assignment {
        validator: file.v.clone(),
        controller: file.c.clone(),
        parameter: file.p.clone(),
    }
}

fn report(file: &wire::Report) -> Report {
    Report {
        validator: file.v.clone(),
        controller: file.c.clone(),
        parameter: file.p.clone(),
        value: file.r,
    }
}

fn gold(path: &str, file: &wire::Gold) -> Result<Gold, OutOfRange> {
    Ok(Gold {
        id: file.id.clone(),
        truth: ppm(path, "truth", file.truth)?,
    })
}

fn gold_assignment(file: &wire::GoldCell) -> GoldAssignment {
    GoldAssignment {
        validator: file.v.clone(),
        gold: file.g.clone(),
    }
}

fn gold_report(file: &wire::GoldReport) -> GoldReport {
    GoldReport {
        validator: file.v.clone(),
        gold: file.g.clone(),
        value: file.r,
    }
}

fn audit(path: &str, file: &wire::Audit) -> Result<Audit, OutOfRange> {
    Ok(Audit {
        controller: file.c.clone(),
        parameter: file.p.clone(),
        truth: ppm(path, "truth", file.truth)?,
    })
}

/// What a file does not set is at its default.
macro_rules! given {
    ($file:ident, $($name:ident)*) => {{
        let mut params = Params::default();
        $(if let Some(value) = $file.$name {
            params.$name = ppm("params", stringify!($name), value)?;
        })*
        params
    }};
}

fn params(file: &wire::Params) -> Result<Params, OutOfRange> {
    let mut params = given!(file,
        alpha_down alpha_gold alpha_stale alpha_up audit_tol beta delta gold_min_spread prior
        q_solo rho skill_full slash_absent slash_audit slash_cap slash_gold slash_gold_floor
        slash_noreveal stale_cov support tol);
    if let Some(owners) = file.min_owners {
        // No panel has more owners than this, so more cannot be asked for either.
        params.min_owners = u32::try_from(owners).unwrap_or(u32::MAX);
    }
    if let Some(remainder) = file.remainder {
        params.remainder = match remainder {
            wire::Remainder::Burn => RemainderPolicy::Burn,
            wire::Remainder::Refund => RemainderPolicy::Refund,
            wire::Remainder::Treasury => RemainderPolicy::Treasury,
        };
    }
    Ok(params)
}
