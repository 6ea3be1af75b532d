//! What runs and what went before, as pages and programs ask for it.

use super::epochs::{publish, read};
use super::world::{World, chat, gated, request};
use aigen_api::resources::{
    CallThrough, Controller, ControllerPast, EpochStatement, EpochSummary, List, OpenCall, Receipt,
    ValidatorPast, Workings,
};
use serde_json::{Value, json};

async fn steered(world: &World, controller: &str) {
    let reply = world
        .chat(json!({"aigen": {"controller": controller}}))
        .await;
    assert!(reply.status.is_success(), "{}", reply.text);
}

async fn close(world: &World, epoch: u64) -> EpochStatement {
    let path = format!("/v1/aigen/epochs/{epoch}/close");
    read(&world.post(&world.operator, &path, &json!({})).await)
}

#[tokio::test]
async fn a_running_call_says_what_it_holds() {
    let (script, release) = gated("Hello");
    let world = World::new(script).await;
    let body = chat(json!({"stream": true, "max_tokens": 7})).to_string();
    let running = world
        .start(request("POST", &world.ada, "/v1/chat/completions", &body))
        .await;
    let calls: List<OpenCall> = read(&world.get(&world.ada, "/v1/aigen/calls").await);
    let [call] = calls.data.as_slice() else {
        panic!("one call runs: {calls:?}");
    };
    assert_eq!(call.held.nano(), world.balance("user:ada").1, "{call:?}");
    assert_eq!(
        (call.payer.as_str(), call.model.as_str()),
        ("user:ada", "tiny")
    );
    assert_eq!(call.covered_tokens, 7);
    let everyone: List<OpenCall> = read(&world.get(&world.operator, "/v1/aigen/calls").await);
    assert_eq!(everyone, calls);
    let key = world.key("bob-key", "user:bob").await;
    let bobs: List<OpenCall> = read(&world.get(&key, "/v1/aigen/calls").await);
    assert!(bobs.data.is_empty(), "{bobs:?}");
    world
        .refused(
            &key,
            "/v1/aigen/calls?account=user:ada",
            None,
            (403, "forbidden"),
        )
        .await;
    drop((running, release));
    world.settle().await;
    let calls: List<OpenCall> = read(&world.get(&world.ada, "/v1/aigen/calls").await);
    assert!(calls.data.is_empty(), "{calls:?}");
}

#[tokio::test]
async fn epochs_are_told_newest_first_and_settled_again() {
    let world = World::polite().await;
    let real = publish(&world, "ada/real", true).await;
    let mut statements = Vec::new();
    for epoch in 0..3 {
        steered(&world, "ada/real@1.0.0").await;
        statements.push(close(&world, epoch).await);
    }
    let page: List<EpochSummary> = read(&world.get(&world.ada, "/v1/aigen/epochs?limit=2").await);
    let numbers =
        |page: &List<EpochSummary>| page.data.iter().map(|row| row.epoch.0).collect::<Vec<_>>();
    assert_eq!(
        (numbers(&page), page.next.as_deref()),
        (vec![2, 1], Some("1"))
    );
    let rest: List<EpochSummary> = read(&world.get(&world.ada, "/v1/aigen/epochs?after=1").await);
    assert_eq!(numbers(&rest), [0]);
    assert_eq!(page.data[0].payout, statements[2].controllers[0].payout);

    let past = "/v1/aigen/history/controllers/ada/real@1.0.0";
    let past: List<ControllerPast> = read(&world.get(&world.ada, past).await);
    for (past, told) in past.data.iter().zip(&statements) {
        let row = &told.controllers[0];
        assert_eq!((past.epoch, past.id), (told.epoch, real));
        assert_eq!(
            (past.score, past.payout, past.remainder),
            (row.score, row.payout, row.remainder)
        );
        assert_eq!(past.state.keys().collect::<Vec<_>>(), ["quality"]);
    }
    assert_eq!(past.data.len(), 3);
    let nobody: List<ValidatorPast> = read(
        &world
            .get(&world.ada, "/v1/aigen/history/validators/zoe")
            .await,
    );
    assert!(nobody.data.is_empty());

    let path = format!("/v1/aigen/epochs/1/calls?controller={real}");
    let behind: List<CallThrough> = read(&world.get(&world.ada, &path).await);
    let escrowed = behind.data.iter().map(|call| call.escrowed.nano());
    let row = &statements[1].controllers[0];
    assert_eq!(
        (behind.data.len(), escrowed.sum::<u128>()),
        (1, row.payout.nano() + row.remainder.nano()),
        "{behind:?}"
    );
    let by_name = world
        .get(
            &world.ada,
            "/v1/aigen/epochs/1/calls?controller=ada/real@1.0.0",
        )
        .await;
    assert_eq!(read::<List<CallThrough>>(&by_name), behind);

    let path = format!("/v1/aigen/epochs/1/workings?id={real}");
    let workings: Workings = read(&world.get(&world.ada, &path).await);
    assert!(workings.same);
    assert_eq!(workings.data[0].name, "ada/real@1.0.0");
    assert!(
        workings.data[0].lines[0].starts_with("payout = escrow × score"),
        "{workings:?}"
    );
    for (path, expected) in [
        ("/v1/aigen/epochs/7/workings", (404, "not_found")),
        ("/v1/aigen/epochs?limit=0", (400, "invalid_value")),
        (
            "/v1/aigen/epochs/1/calls?controller=ada/none@1.0.0",
            (404, "controller_not_found"),
        ),
        (
            "/v1/aigen/history/controllers/ada/none@1.0.0",
            (404, "controller_not_found"),
        ),
    ] {
        world.refused(&world.ada, path, None, expected).await;
    }
}

#[tokio::test]
async fn controllers_are_listed_by_score_and_by_the_page() {
    let world = World::polite().await;
    for name in ["ada/one", "ada/two", "ada/three"] {
        publish(&world, name, true).await;
    }
    steered(&world, "ada/two@1.0.0").await;
    close(&world, 0).await;
    let mut names = Vec::new();
    let mut path = "/v1/aigen/controllers?sort=score&limit=2".to_owned();
    loop {
        let page: List<Controller> = read(&world.get(&world.ada, &path).await);
        names.extend(page.data.iter().map(|row| row.reference.to_string()));
        let Some(next) = page.next else { break };
        path = format!("/v1/aigen/controllers?sort=score&limit=2&after={next}");
    }
    // The one that is scored, then the others by name.
    assert_eq!(names, ["ada/two@1.0.0", "ada/one@1.0.0", "ada/three@1.0.0"]);
    let all: Value = world.get(&world.ada, "/v1/aigen/controllers").await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    world
        .refused(
            &world.ada,
            "/v1/aigen/controllers?after=nothing",
            None,
            (400, "invalid_value"),
        )
        .await;
}

#[tokio::test]
async fn an_operator_sees_what_everyone_paid_for() {
    let world = World::polite().await;
    let bob = world.key("bob-key", "user:bob").await;
    world.fund("user:bob", "1").await;
    for key in [&world.ada, &bob] {
        let reply = world
            .post(key, "/v1/chat/completions", &chat(json!({})))
            .await;
        assert!(reply.status.is_success(), "{}", reply.text);
    }
    let everyone = "/v1/aigen/receipts?everyone=true";
    let page: List<Receipt> = read(&world.get(&world.operator, everyone).await);
    let payers: Vec<_> = page
        .data
        .iter()
        .map(|receipt| receipt.payer.as_str())
        .collect();
    assert_eq!(payers, ["user:bob", "user:ada"]);
    world
        .refused(&world.ada, everyone, None, (403, "forbidden"))
        .await;
    let both = "/v1/aigen/receipts?everyone=true&account=user:ada";
    world
        .refused(&world.operator, both, None, (400, "invalid_value"))
        .await;
}
