//! How long a settlement takes for 10³ to 10⁶ reports: `cargo bench -p aigen-economy`.
//!
//! Twenty validators report on every cell of five parameters, so that a row more is a controller
//! or a validator more. The last column should stay about the same: cost is linear in reports
//! but for the logarithms of sorting and looking up.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use aigen_economy::settlement::{
    Assignment, Controller, Input, Parameter, ParameterKind, Report, Validator, settle,
};
use aigen_types::{Amount, Ppm};
use std::time::Instant;

const PARAMETERS: usize = 5;
const REPORTS_PER_CELL: usize = 20;
/// Reports settled in one series at least: the kernel's account of a thread moves in ticks of
/// up to 10 ms.
const LEAST_REPORTS: usize = 200_000;
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

fn main() {
    println!(
        "{:>9} {:>10} {:>10} {:>12}",
        "reports", "check", "settle", "per report"
    );
    for reports in [1_000, 10_000, 100_000, 1_000_000] {
        let input = input(reports);
        let times = (LEAST_REPORTS / reports).max(1);
        let check = fastest(times, || assert_eq!(input.check(), Ok(())));
        let settle = fastest(times, || drop(std::hint::black_box(settle(&input))));
        let each = settle * 1e9 / reports as f64;
        println!(
            "{reports:>9} {:>7.1} ms {:>7.1} ms {each:>9.0} ns",
            check * 1e3,
            settle * 1e3
        );
    }
}

/// Seconds one run takes, of the fastest of five series: the one least disturbed.
fn fastest(times: usize, run: impl Fn()) -> f64 {
    let started = Instant::now();
    let now = || cpu_seconds().unwrap_or_else(|| started.elapsed().as_secs_f64());
    let runs = (0..5).map(|_| {
        let start = now();
        (0..times).for_each(|_| run());
        (now() - start) / times as f64
    });
    runs.fold(f64::INFINITY, f64::min)
}

/// Seconds this thread has run, where Linux tells: on a busy machine the clock on the wall
/// measures the neighbours.
fn cpu_seconds() -> Option<f64> {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = schedule.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

fn input(reports: usize) -> Input {
    let controllers = reports / (PARAMETERS * REPORTS_PER_CELL);
    let validators = (controllers / 2).max(REPORTS_PER_CELL);
    let mut input = Input {
        parameters: (0..PARAMETERS).map(parameter).collect(),
        controllers: (0..controllers).map(controller).collect(),
        validators: (0..validators).map(validator).collect(),
        ..Input::default()
    };
    for (row, controller) in input.controllers.iter().enumerate() {
        for (column, parameter) in input.parameters.iter().enumerate() {
            for seat in 0..REPORTS_PER_CELL {
                let validator = &input.validators[(row * 7 + column + seat) % validators];
                let assignment = Assignment {
                    validator: validator.id.clone(),
                    controller: controller.id.clone(),
                    parameter: parameter.id.clone(),
                };
                input.reports.push(Report {
                    validator: assignment.validator.clone(),
                    controller: assignment.controller.clone(),
                    parameter: assignment.parameter.clone(),
                    value: (row * 31 + seat * 977) as i64 % 1_000_001,
                });
                input.assigned.push(assignment);
            }
        }
    }
    input
}

fn parameter(row: usize) -> Parameter {
    Parameter {
        id: format!("parameter-{row}"),
        weight: Ppm::new(200_000).expect("a fifth"),
        kind: ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    }
}

fn controller(row: usize) -> Controller {
    Controller {
        // Like a digest in hex, which is what these ids are: 64 digits, spread from the first.
        id: format!("{:032x}{row:032x}", (row as u128).wrapping_mul(SPREAD)),
        owner: format!("developer-{row}"),
        escrow: Amount::from_nano(1_000_000_000),
        vbudget: Amount::from_nano(200_000_000),
        ..Controller::default()
    }
}

fn validator(row: usize) -> Validator {
    Validator {
        id: format!("validator-{row}"),
        owner: format!("owner-{row}"),
        stake: Amount::from_nano(1_000_000_000 + row as u128),
        skill: 500_000,
        committed: true,
        revealed: true,
    }
}
