//! A settlement's input and output as the file format has them.

mod evidence;
mod read;

pub use evidence::{evidence, proof, read_evidence, read_proof};
pub use read::{OutOfRange, read_input};

use aigen_api::settlement as wire;
use aigen_node::economy::settlement::{
    Controller, Input, Output, Parameter, ParameterKind, Params, RemainderPolicy, Validator,
};
use aigen_types::{Amount, Ppm};
use std::collections::BTreeMap;

/// An input as a file has it.
#[must_use]
pub fn input(input: &Input) -> wire::Input {
    wire::Input {
        params: params(&input.params),
        parameters: input.parameters.iter().map(parameter).collect(),
        controllers: input.controllers.iter().map(controller).collect(),
        validators: input.validators.iter().map(validator).collect(),
        assigned: each(&input.assigned, |cell| wire::Cell {
            v: cell.validator.clone(),
            c: cell.controller.clone(),
            p: cell.parameter.clone(),
        }),
        reports: each(&input.reports, |report| wire::Report {
            v: report.validator.clone(),
            c: report.controller.clone(),
            p: report.parameter.clone(),
            r: report.value,
        }),
        gold: each(&input.gold, |gold| wire::Gold {
            id: gold.id.clone(),
            truth: gold.truth.parts().into(),
        }),
        gold_assigned: each(&input.gold_assigned, |cell| wire::GoldCell {
            v: cell.validator.clone(),
            g: cell.gold.clone(),
        }),
        gold_reports: each(&input.gold_reports, |report| wire::GoldReport {
            v: report.validator.clone(),
            g: report.gold.clone(),
            r: report.value,
        }),
        audits: each(&input.audits, |audit| wire::Audit {
            c: audit.controller.clone(),
            p: audit.parameter.clone(),
            truth: audit.truth.parts().into(),
        }),
    }
}

/// An output as a file has it.
#[must_use]
pub fn output(output: &Output) -> wire::Output {
    let controllers = output.controllers.iter().map(|(id, result)| {
        let result = wire::ControllerResult {
            payout: nano(result.payout),
            remainder: nano(result.remainder),
            score: result.score.parts().into(),
            scored_epochs: result.scored_epochs,
            state: scores(&result.state),
        };
        (id.clone(), result)
    });
    let validators = output.validators.iter().map(|(id, result)| {
        let result = wire::ValidatorResult {
            pay: nano(result.pay),
            skill: result.skill,
            slash: nano(result.slash),
        };
        (id.clone(), result)
    });
    wire::Output {
        burned: output.burned.nano(),
        controllers: controllers.collect(),
        refunds: amounts(&output.refunds),
        treasury: output.treasury.nano(),
        validators: validators.collect(),
    }
}

fn each<T, U>(items: &[T], shape: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().map(shape).collect()
}

fn parameter(parameter: &Parameter) -> wire::Parameter {
    wire::Parameter {
        gate_full: parameter.gate_full.parts().into(),
        id: parameter.id.clone(),
        kind: match parameter.kind {
            ParameterKind::Measured => wire::ParameterKind::Measured,
            ParameterKind::Voted => wire::ParameterKind::Voted,
        },
        weight: parameter.weight.parts().into(),
    }
}

fn controller(controller: &Controller) -> wire::Controller {
    wire::Controller {
        consumers: amounts(&controller.consumers),
        escrow: nano(controller.escrow),
        id: controller.id.clone(),
        measured: scores(&controller.measured),
        owner: controller.owner.clone(),
        scored_epochs: controller.scored_epochs,
        state: scores(&controller.state),
        vbudget: nano(controller.vbudget),
    }
}

fn validator(validator: &Validator) -> wire::Validator {
    wire::Validator {
        committed: validator.committed,
        id: validator.id.clone(),
        owner: validator.owner.clone(),
        revealed: validator.revealed,
        skill: validator.skill,
        stake: nano(validator.stake),
    }
}

/// Every parameter is written, so that a later change of a default changes no old statement.
macro_rules! written {
    ($params:ident, $($name:ident)*) => {
        wire::Params {
            $($name: Some($params.$name.parts().into()),)*
            min_owners: Some($params.min_owners.into()),
            remainder: Some(match $params.remainder {
                RemainderPolicy::Burn => wire::Remainder::Burn,
                RemainderPolicy::Refund => wire::Remainder::Refund,
                RemainderPolicy::Treasury => wire::Remainder::Treasury,
            }),
        }
    };
}

fn params(params: &Params) -> wire::Params {
    written!(params,
        alpha_down alpha_gold alpha_stale alpha_up audit_tol beta delta gold_min_spread prior
        q_solo rho skill_full slash_absent slash_audit slash_cap slash_gold slash_gold_floor
        slash_noreveal stale_cov support tol)
}

fn scores(scores: &BTreeMap<String, Ppm>) -> wire::Scores {
    let scores = scores.iter();
    scores
        .map(|(id, score)| (id.clone(), score.parts().into()))
        .collect()
}

fn amounts(amounts: &BTreeMap<String, Amount>) -> wire::Consumers {
    let amounts = amounts.iter();
    amounts
        .map(|(id, amount)| (id.clone(), nano(*amount)))
        .collect()
}

/// Amounts of one party lie below 2⁶³ nano-AIGEN: a settlement's input is checked for it.
fn nano(amount: Amount) -> u64 {
    u64::try_from(amount.nano()).unwrap_or(u64::MAX)
}
