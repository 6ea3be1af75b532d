//! What validators and the operator hash before they show it (settlement, section 9).

use crate::command::{Cell, Report};
use aigen_types::{Digest, Epoch, Slug};
use sha2::{Digest as _, Sha256};

const SCORE_DOMAIN: &[u8] = b"AIGEN/score/v1";
const GOLD_DOMAIN: &[u8] = b"AIGEN/gold/v1";
const SEED_DOMAIN: &[u8] = b"AIGEN/seed/v1";
const DRAW_DOMAIN: &[u8] = b"AIGEN/draw/v1";

/// The 32-byte identity of a named member: SHA-256 of its name.
#[must_use]
pub fn member_id(name: &Slug) -> Digest {
    finish(Sha256::new().chain_update(name.as_str()))
}

/// Hash of what one validator was assigned: its cells, sorted.
#[must_use]
pub fn assignment_root(cells: &[Cell]) -> Digest {
    let mut sorted: alloc::vec::Vec<_> = cells.iter().collect();
    sorted.sort_unstable();
    let hash = sorted.iter().fold(Sha256::new(), |hash, cell| {
        hash.chain_update(cell.controller.0)
            .chain_update(cell.parameter.as_str())
            .chain_update([0])
            .chain_update(cell.suite.as_str())
            .chain_update([0])
    });
    finish(hash)
}

/// Hash of what one validator reports: its reports, sorted.
#[must_use]
pub fn report_root(reports: &[Report]) -> Digest {
    let mut sorted: alloc::vec::Vec<_> = reports.iter().collect();
    sorted.sort_unstable();
    let hash = sorted.iter().fold(Sha256::new(), |hash, report| {
        hash.chain_update(report.controller.0)
            .chain_update(report.parameter.as_str())
            .chain_update([0])
            .chain_update(report.score.to_le_bytes())
    });
    finish(hash)
}

/// SHA-256("AIGEN/score/v1" | network | epoch u64le | validator | assignment root | report root | salt).
#[must_use]
pub fn score_commitment(
    network: &Slug,
    epoch: Epoch,
    validator: &Slug,
    assignment_root: Digest,
    report_root: Digest,
    salt: Digest,
) -> Digest {
    let hash = Sha256::new()
        .chain_update(SCORE_DOMAIN)
        .chain_update(member_id(network).0)
        .chain_update(epoch.0.to_le_bytes())
        .chain_update(member_id(validator).0)
        .chain_update(assignment_root.0)
        .chain_update(report_root.0)
        .chain_update(salt.0);
    finish(hash)
}

/// SHA-256("AIGEN/gold/v1" | controller | parameter | truth u32le | salt).
#[must_use]
pub fn gold_commitment(controller: Digest, parameter: &Slug, truth: u32, salt: Digest) -> Digest {
    let hash = Sha256::new()
        .chain_update(GOLD_DOMAIN)
        .chain_update(controller.0)
        .chain_update(parameter.as_str())
        .chain_update([0])
        .chain_update(truth.to_le_bytes())
        .chain_update(salt.0);
    finish(hash)
}

/// SHA-256("AIGEN/seed/v1" | seed): what an epoch's seed is committed to by, and the seed that the
/// epoch before opened.
#[must_use]
pub fn seed_commitment(seed: Digest) -> Digest {
    finish(Sha256::new().chain_update(SEED_DOMAIN).chain_update(seed.0))
}

/// SHA-256("AIGEN/draw/v1" | purpose | 0 | seed | controller | subject | 0): a draw that nobody
/// knows before the seed.
pub(crate) fn draw(purpose: &str, seed: Digest, controller: Digest, subject: &Slug) -> Digest {
    let hash = Sha256::new()
        .chain_update(DRAW_DOMAIN)
        .chain_update(purpose)
        .chain_update([0])
        .chain_update(seed.0)
        .chain_update(controller.0)
        .chain_update(subject.as_str())
        .chain_update([0]);
    finish(hash)
}

fn finish(hash: Sha256) -> Digest {
    Digest(hash.finalize().into())
}
