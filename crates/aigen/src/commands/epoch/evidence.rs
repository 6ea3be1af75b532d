//! Single calls of an epoch, each with the proof that scores were measured by it.

use super::file::{print, read};
use super::whole::root;
use crate::failure::{OrHint, hinted};
use crate::output::Output;
use aigen_api::settlement as wire;
use aigen_gateway::settlement::{proof, read_proof};
use aigen_network::{Evidence, Network};
use aigen_types::{CallId, Digest, Epoch};
use anyhow::{Context, Result, anyhow};
use serde_json::json;
use std::path::Path;

/// Prints proofs: of one call, or of `sample` calls that nobody chose.
///
/// # Errors
/// When there is no such call in the epoch.
pub fn write(network: &Network, epoch: Epoch, call: Option<CallId>, sample: u64) -> Result<()> {
    let calls = network.evidence(epoch);
    let asked = match call {
        Some(call) => vec![call],
        None => sampled(&calls, root(network, epoch), sample),
    };
    let prove = |call: CallId| -> Result<wire::Proof> {
        let (evidence, found) = network.proof(epoch, call).ok_or_else(|| {
            hinted(
                format!("epoch {epoch} has no call {call} through a controller"),
                "`aigen receipt CALL` tells in which epoch a call counts",
            )
        })?;
        Ok(proof(&evidence, &found))
    };
    let proofs: Vec<_> = asked.into_iter().map(prove).collect::<Result<_>>()?;
    print(&proofs)
}

/// Drawn by the root itself, which is fixed before anyone asks for a sample.
fn sampled(calls: &[Evidence], root: Digest, sample: u64) -> Vec<CallId> {
    let mut drawn: Vec<_> = calls
        .iter()
        .map(|call| {
            let mut hasher = blake3::Hasher::new_keyed(&root.0);
            hasher.update(&call.call.0.to_le_bytes());
            (*hasher.finalize().as_bytes(), call.call)
        })
        .collect();
    drawn.sort_unstable();
    let count = usize::try_from(sample).unwrap_or(usize::MAX);
    drawn
        .into_iter()
        .take(count)
        .map(|(_, call)| call)
        .collect()
}

/// Checks proofs against the root they claim, or against this one.
///
/// # Errors
/// The first proof that does not lead to it.
pub fn verify(file: &Path, expected: Option<Digest>, out: Output) -> Result<()> {
    let text = read(file)?;
    let proofs: Vec<wire::Proof> = aigen_api::from_json(&text).or_hint(
        format!("{} holds no proofs", file.display()),
        "make some with `aigen epoch evidence`",
    )?;
    let mut roots = Vec::new();
    for (at, proof) in proofs.iter().enumerate() {
        let (evidence, path, claimed) =
            read_proof(proof).map_err(|problem| anyhow!("[{at}].{problem}"))?;
        let found = path.root(evidence.leaf());
        let wanted = expected.unwrap_or(claimed);
        if found != wanted {
            return Err(hinted(
                format!("[{at}]: call {} is no leaf of {wanted}", evidence.call),
                "scores were not measured by it, or it was changed",
            ));
        }
        roots.push(found);
    }
    roots.dedup();
    let root = roots.first().context("there is no proof in it")?;
    if roots.len() > 1 {
        return Err(hinted(
            "the proofs are of several epochs",
            "check them one by one",
        ));
    }
    out.data(
        &json!({ "calls": proofs.len(), "root": root.to_string() }),
        || format!("{} calls belong to {root}", proofs.len()),
    )
}
