//! §6, second half: what the counted reports of one voted cell earn.

use super::consensus::Tally;
use super::input::{Controller, Input, Parameter, ParameterKind};
use super::int::{Int, PPM, PPM_SQUARED};
use super::panel::{Cell, Panel, g};
use super::params::Params;
use super::score::old_state;
use super::working::{ReportWorking, ValidatorWorking};

/// What a cell offers, the same for every report on it.
pub(super) struct Terms<'a> {
    controller: &'a str,
    parameter: &'a str,
    /// `vbudget*weight_p//Σ weights of voted parameters`.
    budget: Int,
    /// The state before this epoch, against which a change is found.
    old: Int,
}

impl<'a> Terms<'a> {
    pub fn of(input: &Input, controller: &'a Controller, parameter: &'a Parameter) -> Self {
        let voted = input.parameters.iter();
        let voted = voted.filter(|parameter| parameter.kind == ParameterKind::Voted);
        let weights: Int = voted.map(|parameter| Int::from(parameter.weight)).sum();
        Self {
            controller: &controller.id,
            parameter: &parameter.id,
            budget: Int::from(controller.vbudget) * parameter.weight.into() / weights,
            old: old_state(&input.params, controller, parameter),
        }
    }
}

/// Pays for every counted report of a voted cell.
///
/// Its reference is the audit's truth, else what the reports of *other owners* support: nobody
/// is paid for agreeing with themselves.
pub(super) fn cell<'a>(
    panel: &Panel<'_>,
    cell: &Cell<'_>,
    tally: &Tally,
    terms: &Terms<'a>,
    validators: &mut [ValidatorWorking<'a>],
) {
    let places = cell.places.iter();
    let assigned: Int = places.map(|place| panel.seats[place.validator].stake).sum();
    let others = tally.supported_without_each_owner();
    for (validator, value) in cell.reports() {
        let seat = &panel.seats[validator];
        let others = || others.get(&seat.owner).copied().flatten();
        let reference = cell.truth.or_else(others);
        let budget = terms.budget * seat.stake / assigned;
        let params = &panel.input.params;
        let report = report(
            params,
            terms,
            value,
            reference,
            budget,
            &validators[validator],
        );
        let working = &mut validators[validator];
        working.pay = working.pay.saturating_add(report.pay);
        working.reports.push(report);
    }
}

fn report<'a>(
    params: &Params,
    terms: &Terms<'a>,
    value: Int,
    reference: Option<Int>,
    budget: Int,
    validator: &ValidatorWorking<'_>,
) -> ReportWorking<'a> {
    let g = g(params, validator.skill.into());
    let f = quality(params, value, reference, terms.old);
    ReportWorking {
        controller: terms.controller,
        parameter: terms.parameter,
        value: value.ppm(),
        budget: budget.amount(),
        reference: reference.map(Int::ppm),
        g: g.ppm(),
        f: f.ppm(),
        pay: (budget * g * f / PPM_SQUARED).amount(),
    }
}

/// `f`: how near a report is to its reference, and how much of a change from the old state it found.
fn quality(params: &Params, report: Int, reference: Option<Int>, old: Int) -> Int {
    let Some(reference) = reference else {
        return params.q_solo.into();
    };
    let d1 = (report - reference).abs();
    let near = (PPM - d1 * PPM / params.tol.into()).max(Int::ZERO);
    let d0 = (old - reference).abs();
    if d0 <= params.delta.into() {
        return near;
    }
    let beta = Int::from(params.beta);
    let found = (d0 - d1).max(Int::ZERO) * PPM / d0;
    ((PPM - beta) * near + beta * found) / PPM
}
