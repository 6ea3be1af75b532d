//! The examples' JSON, read by hand: the crate itself defines no serialised form.

use aigen_economy::settlement::{
    Assignment, Audit, Controller, Gold, GoldAssignment, GoldReport, Input, Output, Parameter,
    ParameterKind, Params, Report, Validator,
};
use aigen_types::{Amount, Ppm};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub fn input(json: &Value) -> Input {
    Input {
        params: params(json["params"].as_object().unwrap()),
        parameters: rows(&json["parameters"], |row| Parameter {
            id: text(&row["id"]),
            weight: ppm(&row["weight"]),
            kind: match row["kind"].as_str().unwrap() {
                "voted" => ParameterKind::Voted,
                "measured" => ParameterKind::Measured,
                other => panic!("{other}"),
            },
            gate_full: ppm(&row["gate_full"]),
        }),
        controllers: rows(&json["controllers"], |row| Controller {
            id: text(&row["id"]),
            owner: text(&row["owner"]),
            escrow: amount(&row["escrow"]),
            vbudget: amount(&row["vbudget"]),
            scored_epochs: row["scored_epochs"].as_u64().unwrap(),
            state: map(&row["state"], ppm),
            measured: map(&row["measured"], ppm),
            consumers: map(&row["consumers"], amount),
        }),
        validators: rows(&json["validators"], |row| Validator {
            id: text(&row["id"]),
            owner: text(&row["owner"]),
            stake: amount(&row["stake"]),
            skill: row["skill"].as_i64().unwrap(),
            committed: row["committed"].as_bool().unwrap(),
            revealed: row["revealed"].as_bool().unwrap(),
        }),
        assigned: rows(&json["assigned"], |row| Assignment {
            validator: text(&row["v"]),
            controller: text(&row["c"]),
            parameter: text(&row["p"]),
        }),
        reports: rows(&json["reports"], |row| Report {
            validator: text(&row["v"]),
            controller: text(&row["c"]),
            parameter: text(&row["p"]),
            value: row["r"].as_i64().unwrap(),
        }),
        gold: rows(&json["gold"], |row| Gold {
            id: text(&row["id"]),
            truth: ppm(&row["truth"]),
        }),
        gold_assigned: rows(&json["gold_assigned"], |row| GoldAssignment {
            validator: text(&row["v"]),
            gold: text(&row["g"]),
        }),
        gold_reports: rows(&json["gold_reports"], |row| GoldReport {
            validator: text(&row["v"]),
            gold: text(&row["g"]),
            value: row["r"].as_i64().unwrap(),
        }),
        audits: rows(&json["audits"], |row| Audit {
            controller: text(&row["c"]),
            parameter: text(&row["p"]),
            truth: ppm(&row["truth"]),
        }),
    }
}

fn params(overrides: &Map<String, Value>) -> Params {
    let mut params = Params::default();
    for (name, value) in overrides {
        match value {
            Value::String(policy) => params.remainder = policy.parse().unwrap(),
            value => params.set(name, value.as_u64().unwrap()).unwrap(),
        }
    }
    params
}

pub fn output(output: &Output) -> Value {
    let controllers = output.controllers.iter().map(|(id, result)| {
        let state = result.state.iter();
        let result = json!({
            "score": result.score.parts(),
            "state": state.map(|(id, value)| (id.clone(), value.parts().into())).collect::<Map<_, _>>(),
            "scored_epochs": result.scored_epochs,
            "payout": integer(result.payout),
            "remainder": integer(result.remainder),
        });
        (id.clone(), result)
    });
    let validators = output.validators.iter().map(|(id, result)| {
        let (pay, slash) = (integer(result.pay), integer(result.slash));
        let result = json!({"skill": result.skill, "pay": pay, "slash": slash});
        (id.clone(), result)
    });
    let refunds = output.refunds.iter();
    json!({
        "controllers": controllers.collect::<Map<_, _>>(),
        "validators": validators.collect::<Map<_, _>>(),
        "refunds": refunds.map(|(id, part)| (id.clone(), integer(*part).into())).collect::<Map<_, _>>(),
        "treasury": integer(output.treasury),
        "burned": integer(output.burned),
    })
}

pub fn ppm(json: &Value) -> Ppm {
    Ppm::new(json.as_u64().unwrap().try_into().unwrap()).unwrap()
}

pub fn amount(json: &Value) -> Amount {
    Amount::from_nano(json.as_u64().unwrap().into())
}

fn integer(amount: Amount) -> u64 {
    amount.nano().try_into().unwrap()
}

fn text(json: &Value) -> String {
    json.as_str().unwrap().to_owned()
}

fn rows<Row>(json: &Value, row: impl Fn(&Value) -> Row) -> Vec<Row> {
    json.as_array().unwrap().iter().map(row).collect()
}

fn map<T>(json: &Value, value: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    let entries = json.as_object().unwrap().iter();
    entries.map(|(key, v)| (key.clone(), value(v))).collect()
}
