//! What measured values rest on: the epoch's calls through controllers, as leaves of a Merkle tree.

use crate::calls::{Outcome, Receipt};
use crate::network::Network;
use aigen_types::{CallId, Digest, Epoch};
use alloc::sync::Arc;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};

/// One call, as far as scores are measured by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The call.
    pub call: CallId,
    /// The controller version.
    pub controller: Digest,
    /// How it ended.
    pub outcome: Outcome,
    /// Time its controller took, in microseconds.
    pub controller_micros: u64,
    /// Output tokens it computed.
    pub tokens: u64,
    /// Whether the answer was what the controller declares; none if that was not checked.
    pub conforms: Option<bool>,
}

/// That a leaf belongs to a root: the hashes beside its way up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Place of the leaf, from 0.
    pub place: u64,
    /// Leaves of the tree.
    pub leaves: u64,
    /// From the leaf up; none where a node has no sibling.
    pub path: Vec<Option<Digest>>,
}

impl Evidence {
    fn of(call: CallId, receipt: &Receipt) -> Option<Self> {
        Some(Self {
            call,
            controller: receipt.call.controller?,
            outcome: receipt.outcome,
            controller_micros: receipt.controller_micros,
            tokens: receipt.call.used.computed_tokens(),
            conforms: receipt.steered.conforms,
        })
    }

    /// SHA-256(0 | call u128le | controller | outcome u8 | micros u64le | tokens u64le), and where
    /// conformance was checked one byte more: 1 or 0.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        let hash = Sha256::new()
            .chain_update([0])
            .chain_update(self.call.0.to_le_bytes())
            .chain_update(self.controller.0)
            .chain_update([self.outcome.number()])
            .chain_update(self.controller_micros.to_le_bytes())
            .chain_update(self.tokens.to_le_bytes());
        let hash = match self.conforms {
            Some(conforms) => hash.chain_update([u8::from(conforms)]),
            None => hash,
        };
        Digest(hash.finalize().into())
    }
}

impl Proof {
    /// The root that this leaf has with this proof.
    #[must_use]
    pub fn root(&self, leaf: Digest) -> Digest {
        let mut place = self.place;
        let mut hash = leaf;
        for sibling in &self.path {
            hash = match sibling {
                Some(sibling) if place & 1 == 0 => parent(hash, *sibling),
                Some(sibling) => parent(*sibling, hash),
                None => hash,
            };
            place >>= 1;
        }
        counted(self.leaves, hash)
    }
}

impl Network {
    /// The calls through controllers that count in an epoch and were not reversed, by their id.
    #[must_use]
    pub fn evidence(&self, epoch: Epoch) -> Vec<Evidence> {
        let counted = self.counted_in(epoch);
        let mut evidence: Vec<_> = counted
            .filter_map(|(call, receipt)| Evidence::of(call, &receipt))
            .collect();
        evidence.sort_unstable_by_key(|one| one.call);
        evidence
    }

    /// Calls of an epoch but those that were undone, newest first.
    pub(super) fn counted_in(
        &self,
        epoch: Epoch,
    ) -> impl Iterator<Item = (CallId, Arc<Receipt>)> + use<'_> {
        let receipts = self.receipts.of_epoch(epoch);
        receipts.filter(|(_, receipt)| receipt.reversal.is_none())
    }

    /// Root over an epoch's evidence so far.
    #[must_use]
    pub fn telemetry_root(&self, epoch: Epoch) -> Digest {
        evidence_root(&self.evidence(epoch))
    }

    /// The proof for one call of an epoch.
    #[must_use]
    pub fn proof(&self, epoch: Epoch, call: CallId) -> Option<(Evidence, Proof)> {
        let evidence = self.evidence(epoch);
        let place = evidence.iter().position(|one| one.call == call)?;
        let leaves: Vec<_> = evidence.iter().map(Evidence::leaf).collect();
        Some((evidence[place], prove(&leaves, place)))
    }
}

/// Root over all leaves of an epoch.
#[must_use]
pub fn evidence_root(evidence: &[Evidence]) -> Digest {
    let leaves: Vec<_> = evidence.iter().map(Evidence::leaf).collect();
    root(&leaves)
}

/// SHA-256(2 | leaves u64le | top): a tree of other size has another root, whatever its leaves.
fn root(leaves: &[Digest]) -> Digest {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = above(&level);
    }
    counted(len(leaves), level.pop().unwrap_or(Digest::ZERO))
}

fn prove(leaves: &[Digest], place: usize) -> Proof {
    let (mut level, mut at, mut path) = (leaves.to_vec(), place, Vec::new());
    while level.len() > 1 {
        path.push(level.get(at ^ 1).copied());
        level = above(&level);
        at >>= 1;
    }
    Proof {
        place: u64::try_from(place).unwrap_or(u64::MAX),
        leaves: len(leaves),
        path,
    }
}

/// The level above; a node without a sibling goes up as it is.
fn above(level: &[Digest]) -> Vec<Digest> {
    let pairs = level.chunks(2);
    pairs
        .map(|pair| match pair {
            [left, right] => parent(*left, *right),
            rest => rest.first().copied().unwrap_or(Digest::ZERO),
        })
        .collect()
}

fn parent(left: Digest, right: Digest) -> Digest {
    let hash = Sha256::new()
        .chain_update([1])
        .chain_update(left.0)
        .chain_update(right.0);
    Digest(hash.finalize().into())
}

fn counted(leaves: u64, top: Digest) -> Digest {
    let hash = Sha256::new()
        .chain_update([2])
        .chain_update(leaves.to_le_bytes());
    Digest(hash.chain_update(top.0).finalize().into())
}

fn len(leaves: &[Digest]) -> u64 {
    u64::try_from(leaves.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_no_other() {
        for count in 1..40_u8 {
            let leaves: Vec<_> = (0..count).map(|byte| Digest([byte; 32])).collect();
            let root = root(&leaves);
            for (place, leaf) in leaves.iter().enumerate() {
                let proof = prove(&leaves, place);
                assert_eq!(proof.root(*leaf), root, "{place} of {count}");
                assert_ne!(proof.root(Digest([99; 32])), root);
                let elsewhere = Proof {
                    place: proof.place ^ 1,
                    ..proof.clone()
                };
                let moved = elsewhere.root(*leaf);
                assert!(moved != root || proof.path.first().is_none_or(Option::is_none));
            }
            assert_ne!(root, super::root(&leaves[1..]));
        }
    }
}
