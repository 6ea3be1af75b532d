//! Many calls at once at the edge of a budget, and engines that cannot be stopped.

use super::{World, endless, parsed, read, request};
use crate::{CompletionRequest, IssuedKey, Node, NodeError};
use aigen_journal::MemoryStore;
use aigen_network::{Capped, Period, Refusal, Role, SetBudget};
use aigen_types::Amount;
use tokio::task::JoinSet;

async fn operator(node: &Node) -> crate::Caller {
    let key = IssuedKey::draw(parsed("boss"), parsed("operator"), Role::Operator);
    node.add_key(&key).await.unwrap();
    node.authenticate(&key.secret).unwrap()
}

async fn bound(world: &World, path: &str, cap: u128) {
    let set = SetBudget {
        path: parsed(path),
        cap: Some(Amount::from_nano(cap)),
        period: Period::Total,
    };
    let operator = operator(&world.node).await;
    world.node.set_budget(&operator, set).await.unwrap();
}

fn spent(world: &World, path: &str) -> (u128, u128) {
    let network = world.node.network();
    let cap = network.cap_at(network.ledger().now(), Capped::Path(parsed(path)));
    let state = network.cap_state(&cap.unwrap());
    (state.spent.nano(), state.held.nano())
}

/// A prompt of 6 tokens at 1 and up to 50 tokens at 2: 106 each. 7,000 is 66 calls and 4 units,
/// which no prompt with one token fits into.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_at_the_edge_of_a_budget_overshoot_by_nothing() {
    const CAP: u128 = 7_000;
    let world = World::new(1_000_000).await;
    bound(&world, "user:ada", CAP).await;
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let (node, caller) = (world.node.clone(), world.caller.clone());
        calls.spawn(async move {
            let running = node.complete(&caller, request(50)).await?;
            read(running)
                .await
                .1
                .receipt
                .map(|receipt| receipt.total().nano())
        });
    }
    let (mut charged, mut refused) = (0, 0);
    while let Some(call) = calls.join_next().await {
        match call.unwrap() {
            Ok(cost) => charged += cost,
            Err(NodeError::Refused(Refusal::BudgetExhausted { .. } | Refusal::InFlight { .. })) => {
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0, "200 calls of 106 do not fit into {CAP}");
    assert_eq!(
        charged,
        CAP - 4,
        "not one unit over, and no call less than there is money for"
    );
    assert_eq!(spent(&world, "user:ada"), (charged, 0));
    assert_eq!(world.money(), (1_000_000 - charged, 0));
    world.check();
}

#[tokio::test]
async fn an_end_user_spends_their_own_budget_and_no_more() {
    let world = World::new(1_000_000).await;
    bound(&world, "user:ada:user:*", 206).await;
    let ask = |user: &str| CompletionRequest {
        end_user: Some(parsed(user)),
        ..request(1_000)
    };
    let ended = async |user: &str| {
        let running = world.node.complete(&world.caller, ask(user)).await?;
        Ok::<_, NodeError>(read(running).await.1.receipt.unwrap().total().nano())
    };
    // 6 for the prompt and 100 tokens at 2.
    assert_eq!(ended("42").await.unwrap(), 206);
    let refused = ended("42").await.unwrap_err();
    assert!(
        matches!(refused, NodeError::Refused(Refusal::BudgetExhausted { .. })),
        "{refused}"
    );
    assert_eq!(ended("43").await.unwrap(), 206);
    assert_eq!(spent(&world, "user:ada:user:42"), (206, 0));
    world.check();
}

/// What cannot be stopped at a token is held for as a whole, and is refused where that is too much.
#[tokio::test]
async fn an_opaque_engine_is_held_for_as_a_whole() {
    let engine = endless().opaque();
    let world = World::on(Box::<MemoryStore>::default(), engine, 1_206).await;
    // 6 for the prompt and 600 at 2: in chunks the first 256 tokens would have been held.
    let running = world.complete(600).await.unwrap();
    let ended = read(running).await.1;
    let receipt = ended.receipt.unwrap();
    let holds: Vec<_> = receipt
        .call
        .holds
        .iter()
        .map(|hold| hold.amount.nano())
        .collect();
    assert_eq!(holds, [1_206]);
    assert_eq!(receipt.call.used.sampled_tokens, 600);
    let poor = World::on(Box::<MemoryStore>::default(), endless().opaque(), 1_205).await;
    let refused = poor.complete(600).await.unwrap_err();
    assert!(
        matches!(
            refused,
            NodeError::Refused(Refusal::InsufficientFunds { .. })
        ),
        "{refused}"
    );
    assert!(poor.complete(599).await.is_ok());
}

/// A key bounds what is below its spender, never itself, and no part of an account pays it out.
#[tokio::test]
async fn nobody_raises_their_own_bound() {
    let world = World::new(1_000).await;
    let operator = operator(&world.node).await;
    let caller = async |name: &str, account: &str, spender: &str| {
        let key = IssuedKey::draw(parsed(name), parsed(account), Role::Customer);
        let key = key.for_spender(Some(parsed(spender)));
        world.node.add_key(&key).await.unwrap();
        world.node.authenticate(&key.secret).unwrap()
    };
    let org = caller("k1", "org:acme", "org:acme").await;
    let team = caller("k2", "org:acme", "org:acme:team:x").await;
    let app = caller("k3", "app:zz", "app:zz").await;
    let user = caller("k4", "user:bob", "user:bob").await;
    let end_user = caller("k5", "app:zz:user:1", "app:zz:user:1").await;
    let developer = caller("k6", "developer:eve", "developer:eve").await;
    for (who, path, allowed) in [
        (&org, "org:acme", true),
        (&org, "org:acme:team:x", true),
        (&org, "org:other", false),
        (&org, "user:ada", false),
        (&team, "org:acme", false),
        (&team, "org:acme:team:x", false),
        (&team, "org:acme:team:x:user:*", true),
        (&team, "org:acme:team:x:app:y", true),
        (&team, "org:acme:team:xy", false),
        (&app, "app:zz", false),
        (&app, "app:zz:user:*", true),
        (&app, "app:zz:user:1", true),
        (&app, "app:y", false),
        (&user, "user:bob", true),
        (&user, "user:bob:app:x", true),
        (&user, "user:ada", false),
        (&end_user, "app:zz:user:1", false),
        (&end_user, "app:zz", false),
        (&developer, "developer:eve", false),
        (&operator, "user:ada", true),
        (&operator, "app:zz", true),
    ] {
        let set = SetBudget {
            path: parsed(path),
            cap: Some(Amount::from_nano(1)),
            period: Period::Day,
        };
        let lift = SetBudget {
            cap: None,
            ..set.clone()
        };
        for set in [set, lift] {
            let set = world.node.set_budget(who, set).await;
            assert_eq!(set.is_ok(), allowed, "{} {path}", who.spender);
        }
    }
    let to = parsed("user:eve");
    let paid = world
        .node
        .pay(&team, crate::random_transfer_id(), to, Amount::from_nano(1))
        .await;
    assert!(matches!(paid, Err(NodeError::Forbidden(_))), "{paid:?}");
}
