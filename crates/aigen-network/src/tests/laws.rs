use super::{World, used};
use crate::{Outcome, Reply};
use aigen_economy::Usage;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Open { call: u128, prompt: u64, chunk: u64 },
    Extend { call: u128, chunk: u64 },
    Spend { call: u128, share: u64 },
    Close { call: u128, share: u64 },
    Wait { seconds: u64 },
}

fn act() -> impl Strategy<Value = Act> {
    let call = 1..4_u128;
    prop_oneof![
        (call.clone(), 1..200_u64, 1..300_u64).prop_map(|(call, prompt, chunk)| Act::Open {
            call,
            prompt,
            chunk
        }),
        (call.clone(), 1..600_u64).prop_map(|(call, chunk)| Act::Extend { call, chunk }),
        (call.clone(), 0..=100_u64).prop_map(|(call, share)| Act::Spend { call, share }),
        (call, 0..=100_u64).prop_map(|(call, share)| Act::Close { call, share }),
        (1..30_000_u64).prop_map(|seconds| Act::Wait { seconds }),
    ]
}

/// A share of what the call's holds cover, in percent.
fn share_of(world: &World, call: u128, share: u64) -> Option<Usage> {
    let call = world.network.call(aigen_types::CallId(call))?;
    let output = (call.covered_tokens * share / 100).max(call.used.computed_tokens());
    Some(used(call.prompt_tokens, output))
}

proptest! {
    /// Whatever calls do and however time passes: every command leaves the ledger sound and
    /// all money accounted for (`World::check`), what is within the cover can always be
    /// charged, and in the end nothing is held.
    #[test]
    fn nothing_is_lost_and_nothing_stays_held(funds in 1_000..60_000_u128, acts in prop::collection::vec(act(), 1..40)) {
        let mut world = World::new(funds);
        for act in acts {
            match act {
                Act::Open { call, prompt, chunk } => { let _ = world.open(call, prompt, chunk, None); }
                Act::Extend { call, chunk } => if let Some(used) = share_of(&world, call, 0) {
                    let _ = world.extend(call, chunk, used);
                },
                Act::Spend { call, share } => if let Some(used) = share_of(&world, call, share) {
                    prop_assert_eq!(world.progress(call, used), Ok(Reply::Done));
                },
                Act::Close { call, share } => if let Some(used) = share_of(&world, call, share) {
                    prop_assert!(world.close(call, used, Outcome::Stop).is_ok());
                },
                Act::Wait { seconds } => world.seconds += seconds,
            }
        }
        let open: alloc::vec::Vec<_> = world.network.calls().map(|(id, call)| (id.0, call.used)).collect();
        for (call, used) in open {
            prop_assert!(world.close(call, used, Outcome::Recovered).is_ok());
        }
        for account in world.network.ledger().accounts() {
            prop_assert!(account.debits_pending.is_zero() && account.credits_pending.is_zero());
        }
    }
}
