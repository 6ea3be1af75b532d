use aigen_types::{CallId, Digest, NodeId, TransferId};
use std::cell::RefCell;

/// `N` random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// Bytes that one call of the system gives for ids: a request draws five of them.
const POOLED_BYTES: usize = 1024;

thread_local! {
    /// Random bytes, and how many of them are used.
    static POOL: RefCell<([u8; POOLED_BYTES], usize)> = const { RefCell::new(([0; POOLED_BYTES], POOLED_BYTES)) };
}

/// As unforeseeable as [`bytes`], for names rather than secrets: some of it waits in memory.
fn pooled() -> [u8; 16] {
    POOL.with_borrow_mut(|(pool, used)| {
        if *used == POOLED_BYTES {
            (*pool, *used) = (bytes(), 0);
        }
        let mut drawn = [0; 16];
        drawn.swap_with_slice(&mut pool[*used..*used + 16]);
        *used += 16;
        drawn
    })
}

fn id() -> u128 {
    u128::from_le_bytes(pooled()).clamp(1, u128::MAX - 1)
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
