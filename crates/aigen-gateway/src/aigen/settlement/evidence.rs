//! Evidence and its proofs as files have them.

use aigen_api::settlement as wire;
use aigen_node::network::{Evidence, Outcome, Proof};
use aigen_types::Digest;
use std::str::FromStr;

/// A call as a file has it.
#[must_use]
pub fn evidence(evidence: &Evidence) -> wire::Evidence {
    wire::Evidence {
        call: evidence.call.to_string(),
        conforms: evidence.conforms,
        controller: evidence.controller.to_string(),
        controller_micros: evidence.controller_micros,
        outcome: evidence.outcome.number(),
        tokens: evidence.tokens,
    }
}

/// A proof as a file has it.
#[must_use]
pub fn proof(call: &Evidence, proof: &Proof) -> wire::Proof {
    let path = proof.path.iter();
    wire::Proof {
        evidence: evidence(call),
        leaves: proof.leaves,
        path: path.map(|hash| hash.map(|hash| hash.to_string())).collect(),
        place: proof.place,
        root: proof.root(call.leaf()).to_string(),
    }
}

/// A file's call.
///
/// # Errors
/// The field that says something else.
pub fn read_evidence(file: &wire::Evidence) -> Result<Evidence, String> {
    let mut outcomes = Outcome::ALL.into_iter();
    let outcome = outcomes.find(|outcome| outcome.number() == file.outcome);
    Ok(Evidence {
        call: parsed("call", &file.call)?,
        controller: parsed("controller", &file.controller)?,
        outcome: outcome.ok_or_else(|| format!("outcome: there is no outcome {}", file.outcome))?,
        controller_micros: file.controller_micros,
        tokens: file.tokens,
        conforms: file.conforms,
    })
}

/// A file's proof, and the root it claims.
///
/// # Errors
/// The field that says something else.
pub fn read_proof(file: &wire::Proof) -> Result<(Evidence, Proof, Digest), String> {
    let hash = |hash: &Option<String>| hash.as_ref().map(|hash| parsed("path", hash)).transpose();
    let proof = Proof {
        place: file.place,
        leaves: file.leaves,
        path: file.path.iter().map(hash).collect::<Result<_, _>>()?,
    };
    Ok((
        read_evidence(&file.evidence)?,
        proof,
        parsed("root", &file.root)?,
    ))
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{field}: {error}"))
}
