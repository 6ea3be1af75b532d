//! Linked chains: a run of requests that takes effect as a whole or not at all.

use crate::store::Store;
use alloc::vec::Vec;

/// A request that can stand in a batch.
pub(crate) trait Event {
    type Refusal: Copy;
    /// For the others of a chain that one request broke.
    const FAILED: Self::Refusal;
    /// For a chain that the batch ends in the middle of.
    const CHAIN_OPEN: Self::Refusal;

    fn is_linked(&self) -> bool;

    /// Checks everything, then writes; a refusal has written nothing.
    fn apply(&self, store: &mut Store) -> Result<(), Self::Refusal>;

    /// What a refusal leaves behind, even in a chain that is undone.
    fn refused(&self, store: &mut Store, refusal: Self::Refusal);
}

/// The answers, in the order of the batch.
pub(crate) fn run<E: Event>(store: &mut Store, batch: &[E]) -> Vec<Result<(), E::Refusal>> {
    let mut answers = Vec::with_capacity(batch.len());
    for chain in batch.chunk_by(|event, _| event.is_linked()) {
        match chain {
            [event] if !event.is_linked() => answers.push(run_one(store, event)),
            _ => run_chain(store, chain, &mut answers),
        }
    }
    answers
}

fn run_one<E: Event>(store: &mut Store, event: &E) -> Result<(), E::Refusal> {
    event
        .apply(store)
        .inspect_err(|refusal| event.refused(store, *refusal))
}

fn run_chain<E: Event>(store: &mut Store, chain: &[E], answers: &mut Vec<Result<(), E::Refusal>>) {
    store.open_chain();
    let broken = chain.iter().enumerate().find_map(|(place, event)| {
        let is_last = place.saturating_add(1) == chain.len();
        let answer = if is_last && event.is_linked() {
            Err(E::CHAIN_OPEN)
        } else {
            event.apply(store)
        };
        answer.err().map(|refusal| (place, event, refusal))
    });
    let Some((place, event, refusal)) = broken else {
        store.keep_chain();
        answers.extend(chain.iter().map(|_| Ok(())));
        return;
    };
    store.undo_chain();
    event.refused(store, refusal);
    // An open end is named even where the chain was broken before it.
    answers.extend(chain.iter().enumerate().map(|(other, event)| {
        let is_open_end = other.saturating_add(1) == chain.len() && event.is_linked();
        Err(match other == place {
            true => refusal,
            false if is_open_end => E::CHAIN_OPEN,
            false => E::FAILED,
        })
    }));
}
