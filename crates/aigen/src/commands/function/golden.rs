//! Golden cases: whether they pass, and what validators would say of them.

use super::What;
use super::target::{Answer, NoValue, Target, as_text};
use crate::commands::validator::evaluate::{rows, tell};
use crate::context::Context;
use crate::evaluation::{Evaluation, Suite, Transcript};
use crate::failure::{OrHint, hinted};
use crate::output::{Table, counted};
use crate::reach::Asked;
use aigen_functions::{Function, holds};
use aigen_types::{Amount, PPM, mul_div_floor};
use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Calls at a time: enough for the node to batch, few enough to leave it to others.
const RUNNING_MAX: usize = 4;

/// One golden case that was tried.
#[derive(Debug, Serialize)]
struct Tried {
    case: usize,
    passed: bool,
    /// What the model wrote, value or not.
    value: String,
    /// Why it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip)]
    cost: Amount,
}

#[derive(Debug, Serialize)]
struct Summary {
    cases: Vec<Tried>,
    passed_ppm: u64,
    needed_ppm: u32,
    #[serde(serialize_with = "as_text")]
    cost: Amount,
}

/// Fails if fewer cases pass than the function asks for.
pub async fn test(what: &What, context: &Context) -> Result<()> {
    let (function, tried) = try_all(what, context).await?;
    let passed = tried.iter().filter(|tried| tried.passed).count();
    let (all, needed) = (tried.len(), function.pass.parts());
    let summary = Summary {
        passed_ppm: parts(passed, all),
        needed_ppm: needed,
        cost: tried.iter().map(|tried| tried.cost).sum(),
        cases: tried,
    };
    context.output.data(&summary, || {
        format!(
            "{}{passed} of {all} golden cases passed; cost {} AIGEN",
            shown(&summary.cases),
            summary.cost
        )
    })?;
    ensure!(
        summary.passed_ppm >= u64::from(needed),
        hinted(
            format!(
                "{passed} of {all} golden cases passed, and {} of them have to",
                percent(needed)
            ),
            "change the prompt or the model, or the function's pass_ppm",
        )
    );
    Ok(())
}

/// Parts per million as people say them: 900000 is 90 %.
fn percent(parts: u32) -> String {
    let (whole, rest) = (parts / 10_000, parts % 10_000);
    match rest {
        0 => format!("{whole} %"),
        rest => {
            let rest = format!("{rest:04}");
            format!("{whole}.{} %", rest.trim_end_matches('0'))
        }
    }
}

fn parts(passed: usize, all: usize) -> u64 {
    let parts = mul_div_floor(passed as u128, u128::from(PPM), all as u128);
    parts
        .and_then(|parts| u64::try_from(parts).ok())
        .unwrap_or(0)
}

fn shown(tried: &[Tried]) -> String {
    let mut table = Table::new(&["case", "result", "value"]);
    for Tried {
        case,
        passed,
        value,
        error,
        ..
    } in tried
    {
        let result = if *passed { "passed" } else { "failed" };
        let value = error.as_ref().unwrap_or(value);
        table.row([case.to_string(), result.to_owned(), one_line(value)]);
    }
    table.to_string()
}

/// A row of a table is a line, however a model breaks its answer.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

/// The parameters that validators report, as `aigen validator evaluate` prints them.
pub async fn eval(what: &What, context: &Context) -> Result<()> {
    let (function, tried) = try_all(what, context).await?;
    let suite = Suite::parse(&suite(&what.function, &function)?)?;
    let transcripts: Vec<_> = tried
        .iter()
        .map(|tried| Transcript::of_answer(tried.value.clone()))
        .collect();
    let scores = tokio::task::block_in_place(|| suite.scores(&transcripts))?;
    let cost: Amount = tried.iter().map(|tried| tried.cost).sum();
    let rows = rows(&Evaluation {
        scores,
        cases: tried.len(),
    });
    tell(&rows, cost, context)
}

/// Writes what [`eval`] checks as a suite of its own.
pub async fn write_suite(what: &What, file: &Path, context: &Context) -> Result<()> {
    let function = match Target::open(&what.function)? {
        Target::File(function) => *function,
        published => published.function(&owner(what, context)?).await?,
    };
    must_have_cases(&function)?;
    let text = suite(&what.function, &function)?;
    fs::write(file, &text).or_hint(
        format!("cannot write {}", file.display()),
        "name a file in a folder that you can write to",
    )?;
    let cases = function.golden.len();
    let shown = json!({ "file": file.display().to_string(), "cases": cases });
    context.output.data(&shown, || {
        format!(
            "wrote {}, {}",
            file.display(),
            counted(cases as u64, "case")
        )
    })
}

fn must_have_cases(function: &Function) -> Result<()> {
    ensure!(
        !function.golden.is_empty(),
        hinted(
            "the function has no golden cases",
            "add one: [[golden]] with `input` and `expect`",
        )
    );
    Ok(())
}

/// Golden cases are shown to whoever published them: in a data folder that is its operator, whoever asks.
fn owner(what: &What, context: &Context) -> Result<Asked> {
    let publisher = what.reach.as_operator(context);
    publisher.or_else(|_| what.reach.as_customer(context))
}

/// Every golden case, asked once.
async fn try_all(what: &What, context: &Context) -> Result<(Function, Vec<Tried>)> {
    let node = what.reach.as_customer(context)?;
    let target = Target::open(&what.function)?;
    let function = match &target {
        Target::File(function) => (**function).clone(),
        published => published.function(&owner(what, context)?).await?,
    };
    must_have_cases(&function)?;
    let bar = context
        .output
        .progress(Some(function.golden.len() as u64), "cases");
    let asked = function.golden.iter().enumerate().map(|(at, golden)| {
        let (node, target, bar) = (&node, &target, &bar);
        async move {
            let answer = target.ask(node, &what.asking, &golden.input).await;
            bar.inc(1);
            tried(at + 1, &golden.expect, answer)
        }
    });
    let tried = stream::iter(asked)
        .buffered(RUNNING_MAX)
        .try_collect()
        .await;
    bar.finish_and_clear();
    Ok((function, tried?))
}

/// A model that gives no value has answered: wrongly. A node that does not answer has not.
fn tried(case: usize, expect: &Value, answer: Result<Answer>) -> Result<Tried> {
    let none = match answer {
        Ok(answer) => {
            return Ok(Tried {
                case,
                passed: holds(expect, &answer.value),
                value: answer.raw,
                error: None,
                cost: answer.cost,
            });
        }
        Err(error) => error.downcast::<NoValue>()?,
    };
    Ok(Tried {
        case,
        passed: false,
        error: Some(none.why().to_owned()),
        value: none.raw,
        cost: none.cost,
    })
}

/// The golden cases as an evaluation suite: the questions are the inputs, `quality` is holding what
/// is expected, `conformance` being of the type.
fn suite(name: &str, function: &Function) -> Result<String> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.split(['@', '.']).next().unwrap_or(name);
    let name: String = name
        .to_ascii_lowercase()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
        .collect();
    let cases: Vec<_> = function
        .golden
        .iter()
        .map(|golden| {
            json!({ "input": golden.input.to_string(), "expect": golden.expect.to_string() })
        })
        .collect();
    let suite = json!({
        "name": name,
        "prompt": "{input}",
        "params": [],
        "max_tokens": function.max_tokens,
        "checks": {
            "quality": { "holds": "expect" },
            "conformance": { "schema": function.output().to_string() },
        },
        "case": cases,
    });
    Ok(toml::to_string(&suite)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_several_lines_is_one_row() {
        let tried = [Tried {
            case: 1,
            passed: false,
            value: "{\n  \"a\": 1\n}\n".to_owned(),
            error: None,
            cost: Amount::ZERO,
        }];
        assert_eq!(
            shown(&tried),
            "case  result  value\n1     failed  { \"a\": 1 }\n"
        );
    }
}
