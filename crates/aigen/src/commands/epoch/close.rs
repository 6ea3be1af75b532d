use super::assign::{find_suite, plant, suites_by_name};
use crate::output::Output;
use crate::reach::Asked;
use aigen_api::resources::{CloseRequest, EpochPhase, EpochState, EpochStatement, GoldOpening};
use aigen_types::Slug;
use anyhow::Result;
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
    let request = CloseRequest {
        gold: openings(node, &state).await?,
    };
    let path = format!("/v1/aigen/epochs/{}/close", state.epoch);
    node.post(&path, &request).await
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
