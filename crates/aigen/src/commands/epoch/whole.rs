//! An epoch that stands alone in a file, and what can be said of it without a journal.

use super::file::{print, read};
use crate::failure::{OrHint, hinted};
use crate::output::Output;
use aigen_api::settlement as wire;
use aigen_economy::settlement::{Input, ParameterKind, settle};
use aigen_gateway::settlement::{evidence, input, output, read_evidence, read_input};
use aigen_network::{CONFORMANCE, Evidence, Network, SettledEpoch, evidence_root, measured};
use aigen_types::{Digest, Epoch};
use anyhow::{Context, Result, anyhow};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// What was checked.
#[derive(Serialize)]
struct Verified {
    epoch: u64,
    controllers: usize,
    validators: usize,
    calls: usize,
    /// Differences that a decided appeal explains.
    notes: Vec<String>,
}

/// Prints a settled epoch with everything that it rests on.
///
/// # Errors
/// When stdout cannot be written to.
pub fn write(network: &Network, epoch: Epoch, settled: &SettledEpoch) -> Result<()> {
    let founded = network
        .founded()
        .context("a network with a settled epoch is founded")?;
    let calls = network.evidence(epoch);
    let (went_in, came_out) = (input(&settled.input), output(&settled.output));
    print(&wire::WholeEpoch {
        epoch: epoch.0,
        hash: hash(&went_in, &came_out)?,
        evidence: calls.iter().map(evidence).collect(),
        input: went_in,
        latency_budget_micros: founded.settings.latency_budget_micros,
        network: founded.name.to_string(),
        output: came_out,
        telemetry_root: root(network, epoch).to_string(),
    })
}

/// The root that the settlement fixed; of an epoch without a seed, that of its calls.
pub fn root(network: &Network, epoch: Epoch) -> Digest {
    let opened = network.governance().opened.get(&epoch);
    opened.map_or_else(|| network.telemetry_root(epoch), |opened| opened.telemetry)
}

fn hash(input: &wire::Input, output: &wire::Output) -> Result<String> {
    let hash = Sha256::new()
        .chain_update(serde_json::to_vec(input)?)
        .chain_update(b"\n")
        .chain_update(serde_json::to_vec(output)?);
    Ok(Digest(hash.finalize().into()).to_string())
}

/// Settles a file's input again, and measures its calls again: all of it must be what it says.
///
/// # Errors
/// The first thing that is not.
pub fn verify(file: &Path, out: Output) -> Result<()> {
    let text = read(file)?;
    let whole: wire::WholeEpoch = aigen_api::from_json(&text).or_hint(
        format!("{} is no whole epoch", file.display()),
        "export one with `aigen epoch export --whole`",
    )?;
    let verified = verified(&whole).or_hint(
        format!("{} does not hold together", file.display()),
        "whoever made it changed something; ask for the journal: `aigen ledger verify` checks that",
    )?;
    out.data(&verified, || {
        let Verified { epoch, controllers, validators, calls, notes } = &verified;
        let notes: String = notes.iter().map(|note| format!("{note}\n")).collect();
        format!(
            "epoch {epoch} holds together: {controllers} controllers and {validators} validators are settled\n\
             as its input says, and what was measured follows from its {calls} calls\n{notes}"
        )
    })
}

fn verified(whole: &wire::WholeEpoch) -> Result<Verified> {
    let went_in = read_input(&whole.input)?;
    went_in.check()?;
    let settled = output(&settle(&went_in));
    if settled != whole.output {
        return Err(anyhow!("output: settling the input gives another one"));
    }
    let expected = hash(&whole.input, &whole.output)?;
    if whole.hash != expected {
        return Err(anyhow!("hash: input and output hash to {expected}"));
    }
    let calls = whole.evidence.iter().enumerate().map(|(at, call)| {
        read_evidence(call).map_err(|problem| anyhow!("evidence[{at}].{problem}"))
    });
    let calls: Vec<Evidence> = calls.collect::<Result<_>>()?;
    let root = evidence_root(&calls).to_string();
    if whole.telemetry_root != root {
        return Err(anyhow!("telemetry_root: the calls have the root {root}"));
    }
    Ok(Verified {
        epoch: whole.epoch,
        controllers: went_in.controllers.len(),
        validators: went_in.validators.len(),
        calls: calls.len(),
        notes: check_measured(&went_in, &calls, whole.latency_budget_micros)?,
    })
}

/// Every measured value of the input is what the calls come to.
fn check_measured(input: &Input, calls: &[Evidence], budget_micros: u64) -> Result<Vec<String>> {
    let measured = measured(calls);
    let is_measured = |id: &str| {
        input
            .parameters
            .iter()
            .any(|row| row.id == id && row.kind == ParameterKind::Measured)
    };
    let mut notes = Vec::new();
    for (at, controller) in input.controllers.iter().enumerate() {
        let digest = controller
            .id
            .parse::<Digest>()
            .context("a controller's id is its digest")?;
        let (tally, checked) = measured.get(&digest).cloned().unwrap_or_default();
        let prior = input.params.prior;
        let values = BTreeMap::from([
            ("reliability", tally.reliability(prior)),
            ("latency", tally.latency(budget_micros)),
            (CONFORMANCE, checked.conformance(prior)),
        ]);
        for (name, value) in &values {
            let stated = controller.measured.get(*name).copied();
            if is_measured(name) && stated != *value {
                return Err(hinted(
                    format!("controllers[{at}].measured.{name}: the calls come to {value:?}"),
                    "its calls, or what was measured, were changed",
                ));
            }
        }
        if let (Some(value), false) = (values[CONFORMANCE], is_measured(CONFORMANCE)) {
            let mut audits = input.audits.iter();
            let audit =
                audits.find(|row| row.controller == controller.id && row.parameter == CONFORMANCE);
            if audit.is_some_and(|audit| audit.truth != value) {
                let parts = value.parts();
                notes.push(format!(
                    "{}: audited otherwise than its calls' conformance of {parts} ppm",
                    controller.id
                ));
            }
        }
    }
    Ok(notes)
}
