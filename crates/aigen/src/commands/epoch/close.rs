use super::assign::{find_suite, plant, seed, suites_by_name};
use crate::commands::validator::first_model;
use crate::evaluation::evaluate;
use crate::output::Output;
use crate::reach::Asked;
use aigen_api::resources::{
    CloseRequest, Drawn, EpochPhase, EpochState, EpochStatement, Finding, GoldOpening, List,
};
use aigen_types::{Digest, Slug};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often the close looks whether more validators have revealed.
const POLL: Duration = Duration::from_millis(250);

/// Waits for validators that were asked and have not revealed, up to `wait_seconds`, then opens
/// the hidden truths and settles.
///
/// # Errors
/// When the node refuses.
pub async fn close(node: &Asked, wait_seconds: u64, output: Output) -> Result<EpochStatement> {
    let state = wait_for_reveals(node, Duration::from_secs(wait_seconds), output).await?;
    if state.phase == EpochPhase::Commit {
        let path = format!("/v1/aigen/epochs/{}/freeze", state.epoch);
        let _: Value = node.post(&path, &json!({})).await?;
    }
    let gold = openings(node, &state).await?;
    let planted = gold.iter().map(|gold| gold.controller).collect();
    let seed = seed(node.key(), state.epoch);
    let request = CloseRequest {
        audits: audit(node, &state, seed, &planted, output).await?,
        gold,
        seed: (!state.assignments.is_empty()).then_some(seed),
    };
    let path = format!("/v1/aigen/epochs/{}/close", state.epoch);
    node.post(&path, &request).await
}

/// Evaluates again, with every case of its suite, whatever the seed draws.
async fn audit(
    node: &Asked,
    state: &EpochState,
    seed: Digest,
    planted: &BTreeSet<Digest>,
    output: Output,
) -> Result<Vec<Finding>> {
    let path = format!("/v1/aigen/epochs/current/audits/{seed}");
    let drawn: List<Drawn> = node.get(&path).await?;
    let real = drawn
        .data
        .into_iter()
        .filter(|cell| !planted.contains(&cell.controller));
    let suites = suites_by_name();
    let mut findings = Vec::new();
    for cell in real {
        let suite = state.assignments.iter().find(|asked| {
            (asked.controller, &asked.parameter) == (cell.controller, &cell.parameter)
        });
        let suite = suite.context("a drawn cell is one of the assigned ones")?;
        let suite = find_suite(&suites, &suite.suite)?;
        output.say(format!(
            "auditing {} in {}",
            cell.controller, cell.parameter
        ));
        let model = first_model(node).await?;
        let seeds = |case| i64::try_from(case).unwrap_or(0);
        let found = evaluate(node, &model, suite, cell.controller, seeds, || {}).await?;
        let truth = found.scores.get(cell.parameter.as_str()).copied();
        findings.push(Finding {
            controller: cell.controller,
            parameter: cell.parameter,
            truth: truth.context("the suite checks what was assigned with it")?,
        });
    }
    Ok(findings)
}

async fn wait_for_reveals(node: &Asked, wait: Duration, output: Output) -> Result<EpochState> {
    let began = Instant::now();
    loop {
        let state: EpochState = node.get("/v1/aigen/epochs/current").await?;
        let missing = missing(&state);
        if missing.is_empty() || began.elapsed() >= wait {
            if !missing.is_empty() {
                output.say(format!("closing without {}", missing.join(", ")));
            }
            return Ok(state);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn missing(state: &EpochState) -> Vec<&str> {
    let asked: BTreeSet<_> = state
        .assignments
        .iter()
        .map(|cell| &cell.validator)
        .collect();
    let silent = asked
        .into_iter()
        .filter(|name| !state.revealed.contains(name));
    silent.map(Slug::as_str).collect()
}

/// What was committed to at assignment, computed again from the suites that were assigned.
async fn openings(node: &Asked, state: &EpochState) -> Result<Vec<GoldOpening>> {
    let names: BTreeSet<_> = state.assignments.iter().map(|cell| &cell.suite).collect();
    let suites = suites_by_name();
    let mut openings = Vec::new();
    for name in names {
        for planted in plant(node, state.epoch, find_suite(&suites, name)?).await? {
            openings.extend(planted.openings(node.key(), state.epoch));
        }
    }
    Ok(openings)
}
