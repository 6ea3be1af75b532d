use super::{INPUT, OUTPUT, REQUEST, World, covered, parsed, used};
use crate::{Command, OpenCall, Outcome, Refusal, Reply};
use aigen_economy::Usage;
use aigen_types::{Amount, CallId, Digest, NodeId};
use proptest::prelude::*;

pub(super) fn price(prompt: u128, output: u128) -> u128 {
    REQUEST + prompt * INPUT + output * OUTPUT
}

#[test]
fn a_call_is_held_then_charged_for_what_it_used() {
    let mut world = World::new(1_000_000);
    let (tokens, held) = covered(world.open(1, 100, 256, None).unwrap());
    assert_eq!((tokens, held), (256, price(100, 256)));
    assert_eq!(world.balance("user:ada"), 1_000_000 - held);
    let charged = world.close(1, used(100, 40), Outcome::Stop).unwrap();
    assert_eq!(charged, Reply::Charged(Amount::from_nano(price(100, 40))));
    assert_eq!(world.balance("user:ada"), 1_000_000 - price(100, 40));
    let protocol = price(100, 40) * 60_000 / 1_000_000;
    assert!(world.balance("protocol") >= protocol);
    assert_eq!(
        world.balance("protocol") + world.balance("provider:acme"),
        price(100, 40)
    );
}

#[test]
fn a_controllers_share_is_put_into_its_escrow() {
    let mut world = World::new(1_000_000);
    let digest = world.controller("ada/quiz@1.0.0");
    world.open(1, 100, 256, Some(digest)).unwrap();
    world.close(1, used(100, 40), Outcome::Stop).unwrap();
    let total = price(100, 40);
    assert_eq!(
        world.balance(&alloc::format!("escrow:controller:{digest}")),
        total / 5
    );
    assert_eq!(
        world.balance(&alloc::format!("budget:validators:{digest}")),
        total * 4 / 100
    );
}

#[test]
fn discarded_tokens_are_charged_but_are_no_developers_usage() {
    let mut world = World::new(1_000_000);
    let digest = world.controller("ada/quiz@1.0.0");
    world.open(1, 100, 256, Some(digest)).unwrap();
    let usage = Usage {
        discarded_tokens: 40,
        ..used(100, 40)
    };
    world.close(1, usage, Outcome::Stop).unwrap();
    assert_eq!(world.balance("user:ada"), 1_000_000 - price(100, 80));
    assert_eq!(
        world.balance(&alloc::format!("escrow:controller:{digest}")),
        price(100, 40) / 5
    );
}

#[test]
fn the_cover_ends_exactly_where_the_balance_does() {
    // Enough for prompt, request and 300 tokens, and 59 nano more: not enough for one more token.
    let mut world = World::new(price(100, 300) + 59);
    assert_eq!(covered(world.open(1, 100, 256, None).unwrap()).0, 256);
    let (tokens, held) = covered(world.extend(1, 512, used(100, 192)).unwrap());
    assert_eq!(
        (tokens, held),
        (300, price(100, 300)),
        "what is left covers 44 of 512"
    );
    assert_eq!(world.balance("user:ada"), 59);
    assert_eq!(
        world.extend(1, 512, used(100, 290)),
        Err(Refusal::CoverExhausted)
    );
    world.close(1, used(100, 300), Outcome::Budget).unwrap();
    assert_eq!(world.balance("user:ada"), 59);
}

proptest! {
    /// As many tokens as were asked for, or all that the balance pays for.
    #[test]
    fn the_cover_is_what_was_asked_for_or_all_that_there_is(
        balance in price(100, 1)..price(100, 400),
        chunk in 1..512_u64,
        more in 1..512_u64,
    ) {
        let mut world = World::new(balance);
        let affordable = u64::try_from((balance - price(100, 0)) / OUTPUT).unwrap();
        let first = chunk.min(affordable);
        let opened = covered(world.open(1, 100, chunk, None).unwrap());
        prop_assert_eq!(opened, (first, price(100, first.into())));
        let all = affordable.min(first + more);
        match world.extend(1, more, used(100, 0)) {
            Ok(reply) => prop_assert_eq!(covered(reply), (all, price(100, all.into()))),
            Err(refusal) => {
                prop_assert_eq!(refusal, Refusal::CoverExhausted);
                prop_assert_eq!(first, affordable);
            }
        }
    }
}

#[test]
fn a_callers_own_bound_ends_the_cover_too() {
    let mut world = World::new(1_000_000);
    let open = |budget| {
        Command::OpenCall(OpenCall {
            call: CallId(1),
            key: parsed("ada-key"),
            model: parsed("tiny"),
            controller: None,
            prompt_tokens: 100,
            chunk_tokens: 256,
            budget: Some(Amount::from_nano(budget)),
            request: Digest([3; 32]),
            node: NodeId(7),
            least_tokens: 1,
            end_user: None,
            bill_to: None,
            reads: alloc::vec::Vec::new(),
        })
    };
    let refused = world.apply(open(price(100, 1) - 1));
    assert_eq!(refused.unwrap_err().code(), "budget_too_small");
    assert_eq!(covered(world.ok(open(price(100, 7)))), (7, price(100, 7)));
}

#[test]
fn every_refusal_moves_nothing() {
    let mut world = World::new(price(100, 1) - 1);
    let before = world.balance("user:ada");
    assert_eq!(
        world.open(1, 100, 256, None).unwrap_err().code(),
        "insufficient_funds"
    );
    assert_eq!(
        world.open(1, 100, 256, Some(Digest([9; 32]))),
        Err(Refusal::ControllerUnknown)
    );
    assert_eq!(
        world.close(1, used(1, 1), Outcome::Stop),
        Err(Refusal::CallUnknown)
    );
    world.issue("user:ada", 1_000_000);
    world.open(1, 100, 10, None).unwrap();
    assert_eq!(world.open(1, 100, 10, None), Err(Refusal::CallExists));
    assert_eq!(
        world.progress(1, used(100, 11)),
        Err(Refusal::UsageExceedsCover)
    );
    assert_eq!(
        world.close(1, used(101, 1), Outcome::Stop),
        Err(Refusal::UsageExceedsCover)
    );
    world.progress(1, used(100, 5)).unwrap();
    assert_eq!(
        world.progress(1, used(100, 4)),
        Err(Refusal::UsageRunsBackwards)
    );
    world.close(1, used(100, 5), Outcome::Stop).unwrap();
    assert_eq!(
        world.close(1, used(100, 5), Outcome::Stop),
        Err(Refusal::CallClosed)
    );
    assert_eq!(
        world.open(1, 100, 10, None),
        Err(Refusal::CallExists),
        "an id is used once"
    );
    assert_eq!(
        world.balance("user:ada"),
        before + 1_000_000 - price(100, 5)
    );
}

#[test]
fn a_call_that_computed_nothing_costs_nothing() {
    let mut world = World::new(1_000_000);
    world.open(1, 100, 256, None).unwrap();
    let charged = world
        .close(1, Usage::default(), Outcome::EngineFault)
        .unwrap();
    assert_eq!(charged, Reply::Charged(Amount::ZERO));
    assert_eq!(world.balance("user:ada"), 1_000_000);
}

#[test]
fn holds_of_a_node_that_never_came_back_are_released_by_time() {
    let mut world = World::new(1_000_000);
    world.open(1, 100, 256, None).unwrap();
    world.seconds += u64::from(crate::limits::HOLD_TIMEOUT_SECONDS) + 1;
    world.issue("user:bob", 1);
    assert_eq!(world.balance("user:ada"), 1_000_000);
    let charged = world.close(1, used(100, 5), Outcome::Recovered).unwrap();
    assert_eq!(
        charged,
        Reply::Charged(Amount::ZERO),
        "there is nothing left to take from"
    );
    let receipt = world.network.receipt(CallId(1)).unwrap();
    assert_eq!(receipt.outcome, Outcome::Expired);
}
