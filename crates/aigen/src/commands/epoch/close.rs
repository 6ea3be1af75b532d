use super::assign::{plant, seed};
use crate::commands::validator::first_model;
use crate::evaluation::{Evaluator, Evidence, Library};
use crate::failure::hinted;
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
pub async fn close(
    node: &Asked,
    wait_seconds: u64,
    library: &Library,
    output: Output,
) -> Result<EpochStatement> {
    let state = wait_for_reveals(node, Duration::from_secs(wait_seconds), output).await?;
    if state.phase == EpochPhase::Commit {
        let path = format!("/v1/aigen/epochs/{}/freeze", state.epoch);
        let _: Value = node.post(&path, &json!({})).await?;
    }
    let gold = openings(node, &state, library).await?;
    let planted = gold.iter().map(|gold| gold.controller).collect();
    let seed = seed(node.key(), state.epoch);
    let request = CloseRequest {
        audits: audit(node, &state, seed, &planted, library, output).await?,
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
    library: &Library,
    output: Output,
) -> Result<Vec<Finding>> {
    let path = format!("/v1/aigen/epochs/current/audits/{seed}");
    let drawn: List<Drawn> = node.get(&path).await?;
    let real = drawn
        .data
        .into_iter()
        .filter(|cell| !planted.contains(&cell.controller));
    let evidence = Evidence::none();
    let seeds = format!("audit/{}", state.epoch);
    let mut findings = Vec::new();
    for cell in real {
        let suite = state.assignments.iter().find(|asked| {
            (asked.controller, &asked.parameter) == (cell.controller, &cell.parameter)
        });
        let suite = suite.context("a drawn cell is one of the assigned ones")?;
        let suite = library.find(&suite.suite)?;
        output.say(format!(
            "auditing {} in {}",
            cell.controller, cell.parameter
        ));
        let model = first_model(node).await?;
        let evaluator = Evaluator::new(node, &model, &evidence, &seeds).await?;
        let found = evaluator.evaluate(suite, cell.controller, || {}).await?;
        let found = found.ok_or_else(|| {
            let hint = "aigen fund operator --amount 1";
            hinted("the operator's account cannot pay for the audits", hint)
        })?;
        let truth = found.scores.get(&cell.parameter).copied();
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
async fn openings(node: &Asked, state: &EpochState, library: &Library) -> Result<Vec<GoldOpening>> {
    let names: BTreeSet<_> = state.assignments.iter().map(|cell| &cell.suite).collect();
    let mut openings = Vec::new();
    for name in names {
        for planted in plant(node, state.epoch, library.find(name)?).await? {
            openings.extend(planted.openings(node.key(), state.epoch));
        }
    }
    Ok(openings)
}
