//! How an epoch turns money spent and scores revealed into payouts.
//!
//! [`settle`] is a pure function of integers: anyone with the same [`Input`] gets the same
//! [`Output`]. Its parts, in the order in which they run:
//!
//! | module | question |
//! |---|---|
//! | `panel` | who counts: live validators, recusal, voting weight |
//! | `consensus` | what the counted reports of one cell (controller, parameter) support |
//! | `score` | how far each state moves, and the score they make |
//! | `skill` | how good a validator is against hidden truth |
//! | `pay` | what each counted report earns |
//! | `slash` | what a stake loses |
//! | `route` | where every remainder goes |
//!
//! `PPM` is one million and every ratio an integer in ppm. Every division rounds down, also of
//! negative numbers, and what rounding leaves goes to the treasury.
//!
//! A controller's payout depends on its own score alone, never on its rivals': a pool shared in
//! proportion would cancel absolute scores and hand a down-scored controller's money to the
//! others. Validators are paid from the budgets of the controllers they score and never from
//! what a low score leaves.

mod check;
mod consensus;
mod input;
mod int;
mod measure;
mod names;
mod output;
mod panel;
mod params;
mod pay;
mod route;
mod score;
mod skill;
mod slash;
mod text;
mod working;

pub use check::{InputError, InputProblem};
pub use consensus::supported;
pub use input::{
    Assignment, Audit, Controller, Gold, GoldAssignment, GoldReport, Input, Parameter,
    ParameterKind, Report, Validator,
};
pub use measure::{latency, reliability};
pub use output::{ControllerResult, Output, ValidatorResult};
pub use params::{Params, ParamsError, ParamsProblem, RemainderPolicy};
pub use working::{
    ControllerWorking, GateWorking, GoldWorking, ParameterWorking, ReportWorking, SlashReason,
    SlashWorking, ValidatorWorking, Working,
};

use aigen_types::Amount;
use alloc::vec::Vec;
use consensus::Tally;
use names::CellKey;
use panel::Panel;
use pay::Terms;

/// Settles an epoch.
///
/// Its result means something for an input that [`Input::check`] accepts. Others do not make it
/// panic: rows with unknown ids are ignored, of repeated rows one counts, and numbers stop at
/// the ends of their range.
#[must_use]
pub fn settle(input: &Input) -> Output {
    settle_explained(input).0
}

/// Settles an epoch and shows the working.
#[must_use]
pub fn settle_explained(input: &Input) -> (Output, Working<'_>) {
    let panel = Panel::of(input);
    let mut validators = judge(&panel);
    let rows = 0..input.controllers.len();
    let controllers = rows
        .map(|row| score(&panel, row, &mut validators))
        .collect();
    slash(&panel, &mut validators);
    let working = Working {
        controllers,
        validators,
    };
    (route::output(input, &working), working)
}

/// Every validator with its new skill, nothing paid and nothing slashed yet.
fn judge<'a>(panel: &Panel<'a>) -> Vec<ValidatorWorking<'a>> {
    let params = &panel.input.params;
    let validators = panel.input.validators.iter().enumerate();
    validators
        .map(|(row, validator)| {
            let gold = skill::judge(params, panel.evidence_on(row));
            ValidatorWorking {
                id: &validator.id,
                params,
                stake: validator.stake,
                skill_before: validator.skill,
                gold,
                skill: skill::learn(params, validator.skill, &gold),
                reports: Vec::new(),
                pay: Amount::ZERO,
                grounds: Vec::new(),
                cap: Amount::ZERO,
                slash: Amount::ZERO,
            }
        })
        .collect()
}

/// Scores one controller and pays for the reports on it.
fn score<'a>(
    panel: &Panel<'a>,
    row: usize,
    validators: &mut [ValidatorWorking<'a>],
) -> ControllerWorking<'a> {
    let columns = 0..panel.input.parameters.len();
    let parameters = columns
        .map(|column| score_cell(panel, (row, column), validators))
        .collect();
    score::controller(panel.input, &panel.input.controllers[row], parameters)
}

/// Moves one state of a controller and, if validators vote on it, pays for their reports.
fn score_cell<'a>(
    panel: &Panel<'a>,
    key: CellKey,
    validators: &mut [ValidatorWorking<'a>],
) -> ParameterWorking<'a> {
    let input = panel.input;
    let (controller, parameter) = (&input.controllers[key.0], &input.parameters[key.1]);
    let cell = panel.cell(key);
    let tally = Tally::of_cell(panel, &cell);
    let reading = match parameter.kind {
        ParameterKind::Voted => Some(consensus::reading(panel, &cell, &tally)),
        ParameterKind::Measured => score::measurement(controller, parameter),
    };
    if parameter.kind == ParameterKind::Voted {
        let terms = Terms::of(input, controller, parameter);
        pay::cell(panel, &cell, &tally, &terms, validators);
    }
    score::advance(&input.params, controller, parameter, reading)
}

fn slash(panel: &Panel<'_>, validators: &mut [ValidatorWorking<'_>]) {
    let params = &panel.input.params;
    let rows = panel.input.validators.iter().zip(&panel.seats).enumerate();
    for ((row, (validator, seat)), working) in rows.zip(validators) {
        let evidence = panel.evidence_on(row);
        working.grounds = slash::grounds(params, validator, seat, working.skill, evidence);
        working.cap = slash::cap(params, seat);
        let grounds = working.grounds.iter().map(|ground| ground.amount);
        working.slash = grounds.sum::<Amount>().min(working.cap);
    }
}
