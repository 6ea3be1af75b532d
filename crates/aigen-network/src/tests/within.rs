//! Calls within calls: the same money, the same bound, and no third level.

use super::calls::price;
use super::{World, covered, parsed, used};
use crate::{Command, OpenCall, OpenSubCall, Outcome, Refusal, Reply};
use aigen_types::{Amount, CallId, Digest, NodeId};

fn call(call: u128, budget: Option<u128>) -> OpenCall {
    OpenCall {
        call: CallId(call),
        key: parsed("ada-key"),
        model: parsed("tiny"),
        controller: None,
        prompt_tokens: 100,
        chunk_tokens: 10,
        budget: budget.map(Amount::from_nano),
        request: Digest([3; 32]),
        node: NodeId(7),
        least_tokens: 1,
        end_user: None,
        bill_to: None,
        reads: alloc::vec::Vec::new(),
    }
}

fn within(parent: u128, open: OpenCall) -> Command {
    let parent = CallId(parent);
    Command::OpenSubCall(OpenSubCall { parent, open })
}

#[test]
fn a_bound_is_of_the_whole_family() {
    let mut world = World::new(100_000_000);
    // Room for 10 tokens of each of two calls, and 5 more of either.
    let bound = 2 * price(100, 10) + (price(100, 15) - price(100, 10));
    world.ok(Command::OpenCall(call(1, Some(bound))));
    assert_eq!(covered(world.ok(within(1, call(2, None)))).0, 10);
    // The child takes what is left, and then nobody gets more.
    assert_eq!(covered(world.extend(2, 512, used(100, 10)).unwrap()).0, 15);
    assert_eq!(
        world.extend(2, 1, used(100, 12)),
        Err(Refusal::CoverExhausted)
    );
    assert_eq!(
        world.extend(1, 1, used(100, 10)),
        Err(Refusal::CoverExhausted)
    );
    world.network.check().unwrap();
    // What it did not use is the parent's again.
    world.close(2, used(100, 12), Outcome::Stop).unwrap();
    assert_eq!(covered(world.extend(1, 512, used(100, 10)).unwrap()).0, 13);
    // One that ends later than its parent is bounded all the same.
    let refused = world.apply(within(1, call(3, None))).unwrap_err();
    assert_eq!(refused.code(), "budget_too_small");
    world.close(1, used(100, 13), Outcome::Stop).unwrap();
    world.network.check().unwrap();
    let spent: u128 = [1, 2]
        .map(|id| world.network.receipt(CallId(id)).unwrap().total().nano())
        .iter()
        .sum();
    assert_eq!(spent, price(100, 13) + price(100, 12));
    assert!(spent <= bound);
    assert_eq!(world.balance("user:ada"), 100_000_000 - spent);
    assert_eq!(world.network.sub_calls(CallId(1)).count(), 1);
    assert_eq!(world.network.parent_of(CallId(2)), Some(CallId(1)));
}

#[test]
fn a_bound_of_its_own_holds_too() {
    let mut world = World::new(100_000_000);
    world.ok(Command::OpenCall(call(1, None)));
    let opened = world.ok(within(1, call(2, Some(price(100, 4)))));
    assert!(
        matches!(opened, Reply::Covered { tokens: 4, .. }),
        "{opened:?}"
    );
}

#[test]
fn a_call_within_a_call_is_its_parents() {
    let mut world = World::new(100_000_000);
    world.ok(Command::OpenCall(call(1, None)));
    world.ok(within(1, call(2, None)));
    for (why, open, refusal) in [
        (
            "within a third",
            within(2, call(3, None)),
            Refusal::SubCallInvalid,
        ),
        (
            "within nothing",
            within(9, call(3, None)),
            Refusal::CallUnknown,
        ),
        ("again", within(1, call(2, None)), Refusal::CallExists),
    ] {
        assert_eq!(world.apply(open), Err(refusal), "{why}");
    }
    let other = OpenCall {
        end_user: Some(parsed("bob")),
        ..call(3, None)
    };
    let refused = world.apply(within(1, other)).unwrap_err();
    assert!(
        matches!(refused, Refusal::SubCallInvalid | Refusal::SpenderInvalid),
        "{refused:?}"
    );
    world.close(1, used(100, 1), Outcome::Stop).unwrap();
    assert_eq!(
        world.apply(within(1, call(3, None))),
        Err(Refusal::CallClosed)
    );
}
