use super::*;
use crate::settlement::{
    Assignment, Audit, Gold, GoldAssignment, GoldReport, Parameter, ParameterKind, Report,
};
use aigen_types::Ppm;
use alloc::borrow::ToOwned;
use alloc::string::ToString;

/// Two of everything, and nothing wrong with it.
fn input() -> Input {
    let id = |letter: &str, row| format!("{letter}{row}");
    let place = |row| (id("v", row), id("c", row), id("p", row));
    let rows = || 0..2;
    Input {
        parameters: rows()
            .map(|row| Parameter {
                id: id("p", row),
                weight: Ppm::new(500_000).unwrap(),
                kind: ParameterKind::Voted,
                gate_full: Ppm::ZERO,
            })
            .collect(),
        controllers: rows()
            .map(|row| Controller {
                id: id("c", row),
                ..Controller::default()
            })
            .collect(),
        validators: rows()
            .map(|row| Validator {
                id: id("v", row),
                ..Validator::default()
            })
            .collect(),
        assigned: rows()
            .map(|row| {
                let (validator, controller, parameter) = place(row);
                Assignment {
                    validator,
                    controller,
                    parameter,
                }
            })
            .collect(),
        reports: rows()
            .map(|row| {
                let (validator, controller, parameter) = place(row);
                Report {
                    validator,
                    controller,
                    parameter,
                    value: -7,
                }
            })
            .collect(),
        gold: rows()
            .map(|row| Gold {
                id: id("g", row),
                truth: Ppm::ONE,
            })
            .collect(),
        gold_assigned: rows()
            .map(|row| GoldAssignment {
                validator: id("v", row),
                gold: id("g", row),
            })
            .collect(),
        gold_reports: rows()
            .map(|row| GoldReport {
                validator: id("v", row),
                gold: id("g", row),
                value: 2_000_000,
            })
            .collect(),
        audits: rows()
            .map(|row| Audit {
                controller: id("c", row),
                parameter: id("p", row),
                truth: Ppm::ONE,
            })
            .collect(),
        ..Input::default()
    }
}

#[test]
fn names_the_bad_field() {
    let check = |spoil: &dyn Fn(&mut Input), expected: &str| {
        let mut input = input();
        spoil(&mut input);
        let error = input.check().map_err(|error| error.to_string());
        assert_eq!(error, Err(expected.to_owned()));
    };
    assert_eq!(input().check(), Ok(()));
    let huge = Amount::from_nano(1 << 63);
    let stranger = || "x".to_owned();

    check(
        &|input| input.params.tol = Ppm::ZERO,
        "params.tol: must be positive: it is divided by",
    );
    check(
        &|input| input.params.min_owners = 0,
        "params.min_owners: must be positive: it is divided by",
    );
    check(
        &|input| input.parameters[1].weight = Ppm::ZERO,
        "parameters: the weights sum to 500000 ppm; they must sum to 1000000",
    );
    check(
        &|input| input.parameters.clear(),
        "parameters: the weights sum to 0 ppm; they must sum to 1000000",
    );
    check(
        &|input| input.parameters[1].id = "p0".to_owned(),
        "parameters[1]: repeats an earlier row",
    );
    check(
        &|input| input.parameters.resize_with(65, || input_parameter("more")),
        "parameters: too many rows: at most 64 parameters and 16777216 of anything else",
    );
    check(
        &|input| input.controllers[1].id = "c0".to_owned(),
        "controllers[1]: repeats an earlier row",
    );
    check(
        &|input| input.controllers[1].escrow = huge,
        "controllers[1].escrow: must be below 2^63",
    );
    check(
        &|input| input.controllers[0].vbudget = huge,
        "controllers[0].vbudget: must be below 2^63",
    );
    check(
        &|input| input.controllers[0].scored_epochs = u64::MAX,
        "controllers[0].scored_epochs: must be below 2^63",
    );
    check(
        &|input| input.controllers[0].consumers = [("ada".to_owned(), huge)].into(),
        "controllers[0].consumers.ada: must be below 2^63",
    );
    check(
        &|input| input.validators[1].stake = huge,
        "validators[1].stake: must be below 2^63",
    );
    check(
        &|input| input.validators[1].skill = -1_000_001,
        "validators[1].skill: a skill is -1000000 to 1000000 ppm",
    );
    check(
        &|input| input.assigned[1].controller = stranger(),
        "assigned[1].c: unknown id",
    );
    check(
        &|input| input.assigned.push(input.assigned[0].clone()),
        "assigned[2]: repeats an earlier row",
    );
    check(
        &|input| input.reports[0].validator = stranger(),
        "reports[0].v: unknown id",
    );
    check(
        &|input| input.reports[0].parameter = stranger(),
        "reports[0].p: unknown id",
    );
    check(
        &|input| input.reports.push(input.reports[1].clone()),
        "reports[2]: repeats an earlier row",
    );
    check(
        &|input| input.gold_assigned[0].gold = stranger(),
        "gold_assigned[0].g: unknown id",
    );
    check(
        &|input| input.gold_reports[1].validator = stranger(),
        "gold_reports[1].v: unknown id",
    );
    check(
        &|input| input.audits.push(input.audits[0].clone()),
        "audits[2]: repeats an earlier row",
    );
}

fn input_parameter(id: &str) -> Parameter {
    Parameter {
        id: id.to_owned(),
        weight: Ppm::ZERO,
        kind: ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    }
}

#[test]
fn params_are_set_by_name() {
    let mut params = crate::settlement::Params::default();
    for (name, value, expected) in [
        ("prior", 1_000_000, Ok(())),
        ("min_owners", 5, Ok(())),
        (
            "prior",
            1_000_001,
            Err("params.prior: must be 0 to 1000000 (ppm)"),
        ),
        (
            "priors",
            1,
            Err("params.priors: no parameter has this name"),
        ),
    ] {
        let result = params.set(name, value).map_err(|error| error.to_string());
        assert_eq!(result, expected.map_err(ToOwned::to_owned), "{name}");
    }
    assert_eq!((params.prior, params.min_owners), (Ppm::ONE, 5));
    for refused in ["controllers", "validators", "Treasury", ""] {
        assert!(
            refused
                .parse::<crate::settlement::RemainderPolicy>()
                .is_err()
        );
    }
}
