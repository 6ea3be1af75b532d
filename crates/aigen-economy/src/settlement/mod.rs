//! How an epoch turns money spent and scores revealed into payouts.
//!
//! [`settle`] is a pure function of integers: anyone with the same [`Input`] gets the same
//! [`Output`]. Its parts, in the order in which they run:
//!
//! | module | question |
//! |---|---|
//! | `panel` | who counts: live validators, recusal, voting weight |
//! | `evidence` | which known truths a validator is judged by, and what it said to them |
//! | `skill` | how good that makes it, against always answering the median |
//! | `slash` | what its stake loses |
//! | `consensus` | what the counted reports of one cell (controller, parameter) support |
//! | `pay` | what each counted report earns |
//! | `score` | how far each state moves, and the score and payout they make |
//! | `route` | where every remainder goes |
//!
//! `PPM` is one million and every ratio an integer in ppm. Every division rounds down, also of
//! negative numbers, and what rounding leaves goes to the treasury.
//!
//! A controller's payout depends on its own score alone, never on its rivals': a pool shared in
//! proportion would cancel absolute scores and hand a down-scored controller's money to the
//! others. Validators are paid from the budgets of the controllers they score and never from
//! what a low score leaves.

mod audit;
mod check;
mod consensus;
mod evidence;
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

pub use audit::audit_probability;
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
use evidence::Record;
use names::{CellKey, Names};
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
    let names = Names::of(input);
    let panel = Panel::of(input, &names);
    let record = Record::of(&panel, &names);
    let rows = 0..input.validators.len();
    let mut validators: Vec<_> = rows.map(|row| judge(&panel, &record, row)).collect();
    let rows = 0..input.controllers.len();
    let controllers = rows.map(|row| score(&panel, row, &mut validators));
    let controllers = controllers.collect();
    let working = Working {
        controllers,
        validators,
    };
    (route::output(input, &working), working)
}

/// A validator's new skill and what its stake loses; nothing is paid yet.
fn judge<'a>(panel: &Panel<'a>, record: &Record, row: usize) -> ValidatorWorking<'a> {
    let params = &panel.input.params;
    let (validator, seat) = (&panel.input.validators[row], &panel.seats[row]);
    let evidence = record.on(row);
    let gold = skill::judge(params, evidence);
    let skill = skill::learn(params, validator.skill, &gold);
    let grounds = slash::grounds(params, validator, seat, skill, evidence);
    let cap = slash::cap(params, seat);
    ValidatorWorking {
        id: &validator.id,
        params,
        stake: validator.stake,
        skill_before: validator.skill,
        gold,
        skill,
        reports: Vec::new(),
        pay: Amount::ZERO,
        slash: grounds.iter().map(|g| g.amount).sum::<Amount>().min(cap),
        grounds,
        cap,
    }
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
