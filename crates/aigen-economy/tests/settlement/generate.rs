//! Inputs from a tape of numbers: an empty tape gives the smallest input, and a shorter or
//! smaller tape a simpler one, so that failures shrink well.

use aigen_economy::settlement::{
    Assignment, Audit, Controller, Gold, GoldAssignment, GoldReport, Input, Parameter,
    ParameterKind, Params, RemainderPolicy, Report, Validator,
};
use aigen_types::{Amount, Ppm};
use proptest::prelude::*;
use std::collections::BTreeMap;

const WHOLE: u64 = 1_000_000;

/// Inputs that `check` accepts: amounts of a few nano-AIGEN up to just below 2⁶³.
pub fn well_formed() -> impl Strategy<Value = Input> {
    tape().prop_map(|mut tape| input(&mut tape))
}

/// Inputs with a few fields and rows that may be anything.
pub fn ill_formed() -> impl Strategy<Value = Input> {
    tape().prop_map(|mut tape| {
        let mut input = input(&mut tape);
        for _ in 0..=tape.below(4) {
            spoil(&mut tape, &mut input);
        }
        input
    })
}

fn tape() -> impl Strategy<Value = Tape> {
    proptest::collection::vec(any::<u64>(), 0..2_000).prop_map(|numbers| Tape {
        numbers: numbers.into_iter(),
    })
}

#[derive(Debug)]
struct Tape {
    numbers: std::vec::IntoIter<u64>,
}

impl Tape {
    fn next(&mut self) -> u64 {
        self.numbers.next().unwrap_or(0)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, of: u64) -> bool {
        self.below(of) == of - 1
    }

    fn ppm(&mut self) -> Ppm {
        let parts = match self.below(8) {
            0 => 0,
            1 => WHOLE,
            // Few distinct values, so that reports tie.
            2..5 => self.below(11) * 100_000,
            _ => self.below(WHOLE + 1),
        };
        Ppm::new(parts as u32).unwrap()
    }

    fn amount(&mut self) -> Amount {
        let most = i64::MAX as u64;
        Amount::from_nano(u128::from(match self.below(4) {
            0 => self.below(5),
            1 => self.below(2_000_000_000),
            2 => most - self.below(5),
            _ => self.below(most),
        }))
    }
}

fn input(tape: &mut Tape) -> Input {
    let parameters = parameters(tape);
    let controllers: Vec<_> = (0..tape.below(4))
        .map(|row| controller(tape, row, &parameters))
        .collect();
    let validators: Vec<_> = (0..tape.below(8)).map(|row| validator(tape, row)).collect();
    let gold: Vec<_> = (0..tape.below(6))
        .map(|row| Gold {
            id: format!("g{row}"),
            truth: tape.ppm(),
        })
        .collect();
    let mut input = Input {
        params: params(tape),
        parameters,
        controllers,
        validators,
        gold,
        ..Input::default()
    };
    cells(tape, &mut input);
    golds(tape, &mut input);
    input
}

fn params(tape: &mut Tape) -> Params {
    let remainder = match tape.below(3) {
        0 => RemainderPolicy::Treasury,
        1 => RemainderPolicy::Burn,
        _ => RemainderPolicy::Refund,
    };
    let mut params = Params {
        remainder,
        ..Params::default()
    };
    if tape.chance(2) {
        for (name, _) in params.ratios() {
            if tape.chance(4) {
                let least = u64::from(["tol", "stale_cov", "skill_full"].contains(&name));
                let value = u64::from(tape.ppm().parts()).max(least);
                params.set(name, value).unwrap();
            }
        }
        params.min_owners = tape.below(5) as u32 + 1;
    }
    params
}

fn parameters(tape: &mut Tape) -> Vec<Parameter> {
    let count = tape.below(4) + 1;
    let mut left = WHOLE;
    (0..count)
        .map(|row| {
            let weight = if row + 1 == count {
                left
            } else {
                tape.below(left + 1)
            };
            left -= weight;
            Parameter {
                id: format!("p{row}"),
                weight: Ppm::new(weight as u32).unwrap(),
                kind: if tape.chance(3) {
                    ParameterKind::Measured
                } else {
                    ParameterKind::Voted
                },
                gate_full: if tape.chance(3) {
                    tape.ppm()
                } else {
                    Ppm::ZERO
                },
            }
        })
        .collect()
}

fn controller(tape: &mut Tape, row: u64, parameters: &[Parameter]) -> Controller {
    let some = |tape: &mut Tape| -> BTreeMap<String, Ppm> {
        let known = parameters.iter().filter(|_| !tape.chance(4));
        let ids: Vec<_> = known.map(|parameter| parameter.id.clone()).collect();
        ids.into_iter().map(|id| (id, tape.ppm())).collect()
    };
    Controller {
        id: format!("c{row}"),
        owner: format!("o{}", tape.below(5)),
        state: some(tape),
        measured: some(tape),
        escrow: tape.amount(),
        vbudget: tape.amount(),
        scored_epochs: match tape.chance(8) {
            true => i64::MAX as u64 - tape.below(3),
            false => tape.below(12),
        },
        consumers: (0..tape.below(4))
            .map(|_| (format!("u{}", tape.below(5)), tape.amount()))
            .collect(),
    }
}

fn validator(tape: &mut Tape, row: u64) -> Validator {
    let skill = i64::from(tape.ppm().parts());
    Validator {
        id: format!("v{row}"),
        owner: format!("o{}", tape.below(5)),
        stake: tape.amount(),
        skill: if tape.chance(4) { -skill } else { skill },
        committed: !tape.chance(8),
        revealed: !tape.chance(8),
    }
}

/// Assignments, reports (a few by the unassigned, a few out of range) and audits.
fn cells(tape: &mut Tape, input: &mut Input) {
    for controller in &input.controllers {
        for parameter in &input.parameters {
            let (controller, parameter) = (&controller.id, &parameter.id);
            for validator in &input.validators {
                let validator = &validator.id;
                if !tape.chance(4) {
                    input.assigned.push(Assignment {
                        validator: validator.clone(),
                        controller: controller.clone(),
                        parameter: parameter.clone(),
                    });
                }
                if !tape.chance(4) {
                    input.reports.push(Report {
                        validator: validator.clone(),
                        controller: controller.clone(),
                        parameter: parameter.clone(),
                        value: answer(tape),
                    });
                }
            }
            if tape.chance(5) {
                input.audits.push(Audit {
                    controller: controller.clone(),
                    parameter: parameter.clone(),
                    truth: tape.ppm(),
                });
            }
        }
    }
}

fn golds(tape: &mut Tape, input: &mut Input) {
    for validator in &input.validators {
        for gold in &input.gold {
            if !tape.chance(4) {
                input.gold_assigned.push(GoldAssignment {
                    validator: validator.id.clone(),
                    gold: gold.id.clone(),
                });
            }
            if !tape.chance(4) {
                input.gold_reports.push(GoldReport {
                    validator: validator.id.clone(),
                    gold: gold.id.clone(),
                    value: answer(tape),
                });
            }
        }
    }
}

fn answer(tape: &mut Tape) -> i64 {
    match tape.below(16) {
        14 => -1,
        15 => WHOLE as i64 + 1,
        _ => i64::from(tape.ppm().parts()),
    }
}

/// Makes one thing wrong that the types allow.
fn spoil(tape: &mut Tape, input: &mut Input) {
    let amount = Amount::from_nano(match tape.below(3) {
        0 => u128::MAX,
        1 => i64::MAX as u128 + 1,
        _ => u128::from(tape.next()),
    });
    let stranger = || "stranger".to_owned();
    match tape.below(16) {
        0 => input.params.tol = Ppm::ZERO,
        1 => input.params.min_owners = 0,
        2 => input.params.skill_full = Ppm::ZERO,
        3 => input.params.stale_cov = Ppm::ZERO,
        4 => input
            .parameters
            .iter_mut()
            .for_each(|p| p.weight = Ppm::ONE),
        5 => input.parameters.clear(),
        6 => input.controllers.iter_mut().for_each(|c| c.escrow = amount),
        7 => input
            .controllers
            .iter_mut()
            .for_each(|c| c.vbudget = amount),
        8 => input.validators.iter_mut().for_each(|v| v.stake = amount),
        9 => input.validators.iter_mut().for_each(|v| v.skill = i64::MIN),
        10 => input
            .controllers
            .iter_mut()
            .for_each(|c| c.scored_epochs = u64::MAX),
        11 => input.reports.extend(input.reports.clone()),
        12 => input
            .assigned
            .iter_mut()
            .for_each(|a| a.controller = stranger()),
        13 => input.validators.extend(input.validators.clone()),
        14 => input
            .gold_reports
            .iter_mut()
            .for_each(|r| r.gold = stranger()),
        _ => input.controllers.iter_mut().for_each(|c| {
            c.consumers.insert(stranger(), amount);
        }),
    }
}
