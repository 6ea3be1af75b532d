//! Rules, stakes and appeals over HTTP.

use super::epochs::{answers, publish, read, validator};
use super::world::{Reply, World};
use aigen_api::resources::{AppealMade, EpochState, EpochStatement, List, Rules, Validator};
use aigen_types::{Amount, Digest, Epoch};
use serde_json::{Value, json};

async fn rules(world: &World) -> Vec<Rules> {
    read::<List<Rules>>(&world.get(&world.ada, "/v1/aigen/rules").await).data
}

/// The next version, with these terms.
async fn next(world: &World, terms: Value) -> Value {
    let last = rules(world).await.pop().unwrap();
    json!({
        "version": last.version + 1, "parameters": last.parameters, "params": {}, "terms": terms,
    })
}

async fn propose(world: &World, key: &str, rules: &Value) -> Reply {
    world.post(key, "/v1/aigen/rules", rules).await
}

#[tokio::test]
async fn rules_are_proposed_by_operators_version_by_version() {
    let world = World::polite().await;
    assert_eq!(rules(&world).await.len(), 1, "what it was founded with");
    let wanted = next(&world, json!({"panel": 3, "appeal_bond": "0.5"})).await;
    assert_eq!(propose(&world, &world.ada, &wanted).await.error().0, 403);
    let after: List<Rules> = read(&propose(&world, &world.operator, &wanted).await);
    let told = |rules: &Rules| (rules.version, rules.from, rules.terms.panel);
    assert_eq!(told(after.data.last().unwrap()), (1, Epoch(0), 3));
    // A retry is the same proposal; another one under its number is not.
    read::<List<Rules>>(&propose(&world, &world.operator, &wanted).await);
    assert_eq!(rules(&world).await, after.data);
    let mut crossed = wanted.clone();
    crossed["terms"]["panel"] = json!(4);
    let refused = propose(&world, &world.operator, &crossed).await.error();
    assert_eq!((refused.0, refused.1.as_str()), (409, "rules_version"));
    world.settle().await;
}

#[tokio::test]
async fn what_is_wrong_with_rules_is_named() {
    let world = World::polite().await;
    let good = next(&world, json!({})).await;
    for (pointer, value, status, says) in [
        (
            "/parameters/0/weight",
            json!(999_999),
            400,
            "the weights sum to 999999",
        ),
        (
            "/parameters/0/weight",
            json!(1_000_001),
            400,
            "between 0 and 1000000",
        ),
        ("/parameters/0/kind", json!("guessed"), 400, "guessed"),
        ("/params", json!({"tol": 0}), 400, "params.tol"),
        ("/params", json!({"tol": 0.5}), 400, "tol"),
        ("/params", json!({"taste": 1}), 400, "unknown field `taste`"),
        (
            "/params",
            json!({"remainder": "validators"}),
            400,
            "validators",
        ),
        ("/terms", json!({"appeal_bond": -1}), 400, "appeal_bond"),
        (
            "/terms",
            json!({"panels": 1}),
            400,
            "unknown field `panels`",
        ),
        ("/version", json!(7), 409, "version"),
    ] {
        let mut wrong = good.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        let reply = propose(&world, &world.operator, &wrong).await;
        assert_eq!(reply.error().0, status, "{pointer}: {}", reply.text);
        assert!(reply.text.contains(says), "{pointer}: {}", reply.text);
    }
    assert_eq!(rules(&world).await.len(), 1, "nothing was changed");
    world.settle().await;
}

#[tokio::test]
async fn stakes_are_moved_once_however_often_they_are_asked_to() {
    let world = World::polite().await;
    let key = validator(&world, "vera").await;
    world.fund("validator:vera", "3").await;
    let id = "000000000000000000000000000000a1";
    let change = |amount: &str| json!({"validator": "vera", "amount": amount, "id": id});
    for _ in 0..2 {
        let moved: Validator = read(&world.post(&key, "/v1/aigen/stakes/add", &change("2")).await);
        assert_eq!(moved.stake, "7".parse::<Amount>().unwrap());
    }
    let out = json!({"validator": "vera", "amount": "4", "id": "000000000000000000000000000000a2"});
    for _ in 0..2 {
        let moved: Validator = read(&world.post(&key, "/v1/aigen/stakes/remove", &out).await);
        assert_eq!(moved.stake, "3".parse::<Amount>().unwrap());
    }
    assert_eq!(world.balance("validator:vera").0, 5_000_000_000);
    for (who, act, body, expected) in [
        (
            &key,
            "add",
            json!({"validator": "vera", "amount": "900"}),
            (402, "insufficient_funds"),
        ),
        (
            &key,
            "remove",
            json!({"validator": "vera", "amount": "900"}),
            (402, "insufficient_funds"),
        ),
        (
            &key,
            "add",
            json!({"validator": "vera", "amount": "0"}),
            (400, "amount_zero"),
        ),
        (
            &key,
            "add",
            json!({"validator": "nobody", "amount": "1"}),
            (403, "forbidden"),
        ),
        (
            &world.operator,
            "add",
            json!({"validator": "nobody", "amount": "1"}),
            (404, "validator_unknown"),
        ),
        (
            &world.ada,
            "remove",
            json!({"validator": "vera", "amount": "1"}),
            (403, "forbidden"),
        ),
    ] {
        let reply = world
            .post(who, &format!("/v1/aigen/stakes/{act}"), &body)
            .await;
        let (status, code, _) = reply.error();
        assert_eq!(
            (status, code.as_str()),
            expected,
            "{act} {body}: {}",
            reply.text
        );
    }
    world.settle().await;
}

/// An epoch whose payouts wait for appeals: the controller, and the key of its validator.
async fn held(world: &World) -> (Digest, String) {
    let terms = json!({"appeal_seconds": 60, "appeal_bond": "0.5"});
    let wanted = next(world, terms).await;
    read::<List<Rules>>(&propose(world, &world.operator, &wanted).await);
    let close = async |epoch: u64| -> EpochStatement {
        let path = format!("/v1/aigen/epochs/{epoch}/close");
        read(&world.post(&world.operator, &path, &json!({})).await)
    };
    let real = publish(world, "ada/real", true).await;
    let key = validator(world, "vera").await;
    world
        .chat(json!({"aigen": {"controller": "ada/real@1.0.0"}}))
        .await;
    let cell = json!({"validator": "vera", "controller": real.to_string(), "parameter": "quality", "suite": "quiz"});
    let post = async |key: &str, act: &str, body: &Value| -> EpochState {
        read(
            &world
                .post(key, &format!("/v1/aigen/epochs/0/{act}"), body)
                .await,
        )
    };
    post(&world.operator, "assign", &json!({"cells": [cell]})).await;
    let state: EpochState = read(&world.get(&key, "/v1/aigen/epochs/current").await);
    let (commit, reveal) = answers(&state, 300_000, Digest([1; 32]));
    post(&key, "commit", &commit).await;
    post(&key, "reveal", &reveal).await;
    close(0).await;
    (real, key)
}

#[tokio::test]
async fn an_appeal_that_is_asked_for_twice_is_one() {
    let world = World::polite().await;
    let (real, _) = held(&world).await;
    let appeal = |evidence: u8| {
        json!({
            "controller": real.to_string(), "parameter": "quality",
            "evidence": Digest([evidence; 32]).to_string(),
        })
    };
    let ask = async |body: &Value| {
        world
            .post(&world.ada, "/v1/aigen/epochs/0/appeals", body)
            .await
    };
    let before = world.balance("user:ada").0;
    let made: AppealMade = read(&ask(&appeal(1)).await);
    let again: AppealMade = read(&ask(&appeal(1)).await);
    assert_eq!(made, again);
    assert_eq!(
        before - world.balance("user:ada").0,
        500_000_000,
        "one bond"
    );
    // Other evidence is another appeal, with a bond of its own, which ada cannot pay.
    let (status, code, _) = ask(&appeal(2)).await.error();
    assert_eq!((status, code.as_str()), (402, "insufficient_funds"));

    let old = score(&world, real).await;
    let decide = async |key: &str, body: Value| {
        world
            .post(key, &format!("/v1/aigen/appeals/{}", made.id), &body)
            .await
    };
    assert_eq!(decide(&world.ada, json!({"truth": 1})).await.error().0, 403);
    let wrong = decide(&world.operator, json!({"truth": 1_000_001})).await;
    assert_eq!(wrong.error().1, "report_invalid");
    read::<EpochState>(&decide(&world.operator, json!({"truth": 900_000})).await);
    assert!(
        score(&world, real).await > old,
        "settled anew with what is right"
    );
    assert_eq!(
        world.balance("user:ada").0,
        before,
        "who is right gets its bond back"
    );
    let (status, code, _) = decide(&world.operator, json!({})).await.error();
    assert_eq!((status, code.as_str()), (409, "appeal_unknown"));
    // Decided is decided: the same request is not another appeal.
    let again: AppealMade = read(&ask(&appeal(1)).await);
    assert_eq!(made, again);
    assert_eq!(world.balance("user:ada").0, before);
    world.settle().await;
}

async fn score(world: &World, real: Digest) -> u32 {
    let told = world.get(&world.ada, "/v1/aigen/epochs/0/statement").await;
    let told: EpochStatement = read(&told);
    let mut results = told.controllers.into_iter();
    results
        .find(|result| result.id == real.to_string())
        .unwrap()
        .score
}

#[tokio::test]
async fn only_what_is_settled_and_not_paid_can_be_appealed() {
    let world = World::polite().await;
    let (real, key) = held(&world).await;
    let evidence = Digest([1; 32]).to_string();
    let row = |controller: Digest, parameter: &str| json!({"controller": controller.to_string(), "parameter": parameter, "evidence": evidence});
    for (epoch, body, expected) in [
        (1, row(real, "quality"), (409, "appeal_closed")),
        (2, row(real, "quality"), (409, "appeal_closed")),
        (
            0,
            row(Digest([3; 32]), "quality"),
            (404, "controller_unknown"),
        ),
        (0, row(real, "taste"), (404, "controller_unknown")),
    ] {
        let path = format!("/v1/aigen/epochs/{epoch}/appeals");
        let reply = world.post(&world.ada, &path, &body).await;
        let (status, code, _) = reply.error();
        assert_eq!(
            (status, code.as_str()),
            expected,
            "{epoch} {body}: {}",
            reply.text
        );
    }
    // While payouts wait, stakes that answer for them stay, and no further epoch is closed.
    let out = json!({"validator": "vera", "amount": "1"});
    let reply = world.post(&key, "/v1/aigen/stakes/remove", &out).await;
    assert_eq!(reply.error().1, "stake_in_use");
    let reply = world
        .post(&world.operator, "/v1/aigen/epochs/1/close", &json!({}))
        .await;
    assert_eq!(reply.error().1, "payout_held");
    world.settle().await;
}
