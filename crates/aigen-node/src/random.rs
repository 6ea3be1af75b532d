use aigen_types::{CallId, Digest, NodeId, TransferId};

/// `N` random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

fn id() -> u128 {
    u128::from_le_bytes(bytes()).clamp(1, u128::MAX - 1)
}

/// A call id for a caller that gave no idempotency key.
#[must_use]
pub fn random_call_id() -> CallId {
    CallId(id())
}

/// A transfer id for a caller that chose none.
#[must_use]
pub fn random_transfer_id() -> TransferId {
    TransferId(id())
}

/// 32 random bytes: salts and seeds.
#[must_use]
pub fn random_digest() -> Digest {
    Digest(bytes())
}

/// An id for a node that starts; never zero, which is a node that nobody named.
#[must_use]
pub fn random_node_id() -> NodeId {
    NodeId(u64::from_le_bytes(bytes()).max(1))
}
