//! What the capitals in the forms stand for.

use super::datasets::wanted;
use crate::world::Fault;
use aigen_economy::settlement::{Parameter, ParameterKind, Params};
use aigen_economy::{Price, Shares, Usage};
use aigen_network::{
    Cell, ControllerKind, Found, NewController, OpenCall, Report, Settings, addresses,
    controller_digest,
};
use aigen_types::{Address, CallId, Digest, NodeId, Ppm, Slug};
use std::fmt::Display;
use std::str::FromStr;

/// Bytes of a call's name: they are its id.
const CALL_NAME_BYTES_MAX: usize = 15;

pub(super) fn value<T: FromStr<Err: Display>>(word: &str) -> Result<T, Fault> {
    let misread = |error| format!("{word:?}: {error}");
    Ok(word.parse().map_err(misread)?)
}

/// An address; `escrow:` and `budget:` are followed by a controller's name instead of its digest.
pub(super) fn address(word: &str) -> Result<Address, Fault> {
    match word.split_once(':') {
        Some(("escrow", reference)) => Ok(addresses::escrow(digest(reference)?)),
        Some(("budget", reference)) => Ok(addresses::validator_budget(digest(reference)?)),
        _ => value(word),
    }
}

pub(super) fn call_id(word: &str) -> Result<CallId, Fault> {
    if word.is_empty() || word.len() > CALL_NAME_BYTES_MAX {
        return Err(format!("{word:?} does not have 1 to {CALL_NAME_BYTES_MAX} bytes").into());
    }
    let id = word.bytes().fold(0, |id, byte| id << 8 | u128::from(byte));
    Ok(CallId(id))
}

pub(super) fn controller(reference: &str) -> Result<NewController, Fault> {
    Ok(NewController {
        reference: value(reference)?,
        kind: ControllerKind::Grammar,
        source: "start: /.*/".into(),
        listed: true,
        description: String::new(),
    })
}

pub(super) fn digest(reference: &str) -> Result<Digest, Fault> {
    Ok(controller_digest(&controller(reference)?))
}

pub(super) fn seconds(count: &str, unit: &str) -> Result<u32, Fault> {
    let seconds = match unit {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return Err(format!("{unit:?} is no unit of time").into()),
    };
    let total = value::<u32>(count)?.checked_mul(seconds);
    Ok(total.ok_or("longer than a scenario can wait")?)
}

/// What `aigen` founds a network with, but for the rules given.
pub(super) fn founding(name: &str, rules: &[&str]) -> Result<Found, Fault> {
    use ParameterKind::{Measured, Voted};
    let parameter = |id: &str, weight, kind, gate_full| Parameter {
        id: id.into(),
        weight: Ppm::new(weight).expect("below one whole"),
        kind,
        gate_full: Ppm::new(gate_full).expect("below one whole"),
    };
    Ok(Found {
        name: value(name)?,
        settings: Settings {
            shares: Shares::default(),
            parameters: vec![
                parameter("quality", 400_000, Voted, 0),
                parameter("conformance", 200_000, Voted, 0),
                parameter("safety", 100_000, Voted, 800_000),
                parameter("reliability", 200_000, Measured, 0),
                parameter("latency", 100_000, Measured, 0),
            ],
            params: params(rules)?,
            latency_budget_micros: 2_000,
        },
    })
}

fn params(rules: &[&str]) -> Result<Params, Fault> {
    let mut params = Params::default();
    for (name, text) in pairs(rules)? {
        match name {
            "remainder" => params.remainder = value(text)?,
            _ => params.set(name, value(text)?)?,
        }
    }
    params.check()?;
    Ok(params)
}

pub(super) fn price(words: &[&str]) -> Result<Price, Fault> {
    match *words {
        [
            "input",
            input,
            "cached",
            cached,
            "output",
            output,
            "per",
            "million",
            "request",
            request,
        ] => Ok(Price {
            input: value(input)?,
            cached_input: value(cached)?,
            output: value(output)?,
            request: value(request)?,
        }),
        _ => Err("no price has this form".into()),
    }
}

pub(super) fn open(call: &str, key: &str, model: &str, terms: &[&str]) -> Result<OpenCall, Fault> {
    let mut open = OpenCall {
        call: call_id(call)?,
        key: value(key)?,
        model: value(model)?,
        controller: None,
        prompt_tokens: 0,
        chunk_tokens: 0,
        budget: None,
        request: Digest::ZERO,
        node: NodeId::default(),
        least_tokens: 1,
        end_user: None,
        bill_to: None,
        reads: Vec::new(),
    };
    for (name, text) in pairs(terms)? {
        match name {
            "through" => open.controller = Some(digest(text)?),
            "budget" => open.budget = Some(value(text)?),
            "for" => open.end_user = Some(value(text)?),
            "billing" => open.bill_to = Some(value(text)?),
            "least" => open.least_tokens = value(text)?,
            "reading" => open.reads.push(wanted(text, false)?),
            "finding" => open.reads.push(wanted(text, true)?),
            "prompt" => open.prompt_tokens = value(text)?,
            "chunk" => open.chunk_tokens = value(text)?,
            _ => return Err(format!("{name:?} is no term of a call").into()),
        }
    }
    open.request = request(&open);
    Ok(open)
}

/// Two requests are the same when their prompts are: here, when they are equally long.
fn request(open: &OpenCall) -> Digest {
    let mut hash = Digest::ZERO;
    let length = open.prompt_tokens.to_le_bytes();
    hash.0[..length.len()].copy_from_slice(&length);
    hash
}

pub(super) fn usage(words: &[&str]) -> Result<Usage, Fault> {
    let mut usage = Usage::default();
    for (name, tokens) in pairs(words)? {
        let count = match name {
            "prompt" => &mut usage.prompt_tokens,
            "cached" => &mut usage.cached_prompt_tokens,
            "sampled" => &mut usage.sampled_tokens,
            "forced" => &mut usage.forced_tokens,
            "discarded" => &mut usage.discarded_tokens,
            _ => return Err(format!("{name:?} is no kind of usage").into()),
        };
        *count = value(tokens)?;
    }
    Ok(usage)
}

/// Every validator named is asked about every controller and parameter named.
pub(super) fn cells(words: &[&str]) -> Result<Vec<Cell>, Fault> {
    let (validators, asked) = words.split_at(
        words
            .iter()
            .position(|word| is_reference(word))
            .unwrap_or(words.len()),
    );
    let mut cells = Vec::new();
    for validator in validators {
        for (controller, parameters) in by_controller(asked)? {
            for parameter in parameters {
                cells.push(Cell {
                    validator: value(validator)?,
                    controller,
                    parameter: value(parameter)?,
                    suite: value("suite")?,
                });
            }
        }
    }
    Ok(cells)
}

pub(super) fn reports(words: &[&str]) -> Result<Vec<Report>, Fault> {
    let mut reports = Vec::new();
    for (controller, scores) in by_controller(words)? {
        for (parameter, score) in pairs(scores)? {
            let parameter: Slug = value(parameter)?;
            reports.push(Report {
                controller,
                parameter,
                score: value(score)?,
            });
        }
    }
    Ok(reports)
}

/// Controllers, each with the words up to the next one.
fn by_controller<'a>(words: &'a [&'a str]) -> Result<Vec<(Digest, &'a [&'a str])>, Fault> {
    let groups = words.chunk_by(|_, next| !is_reference(next));
    groups
        .map(|group| match group {
            [reference, rest @ ..] => Ok((digest(reference)?, rest)),
            [] => Err("a controller is missing".into()),
        })
        .collect()
}

fn is_reference(word: &str) -> bool {
    word.contains('/')
}

pub(super) fn pairs<'a>(words: &'a [&'a str]) -> Result<Vec<(&'a str, &'a str)>, Fault> {
    let (pairs, rest) = words.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[name, value]| (*name, *value)).collect()),
        _ => Err(format!("{rest:?} has no value").into()),
    }
}
