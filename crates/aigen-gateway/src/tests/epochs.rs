//! An epoch over HTTP, and who sees what of it.

use super::world::{Reply, World};
use aigen_api::resources::{
    Controller, EarningKind, EpochEarning, EpochPhase, EpochState, EpochStatement, List, Validator,
};
use aigen_node::network::{
    Cell, Report, assignment_root, gold_commitment, report_root, score_commitment,
};
use aigen_types::{Amount, Digest, Epoch};
use serde_json::{Value, json};

#[track_caller]
pub(super) fn read<T: serde::de::DeserializeOwned>(reply: &Reply) -> T {
    assert!(reply.status.is_success(), "{} {}", reply.status, reply.text);
    serde_json::from_str(&reply.text).unwrap()
}

pub(super) async fn publish(world: &World, name: &str, listed: bool) -> Digest {
    let new = json!({"reference": format!("{name}@1.0.0"), "kind": "grammar", "source": "start: \"a\"", "listed": listed});
    let published = world
        .post(&world.operator, "/v1/aigen/controllers", &new)
        .await;
    read::<Controller>(&published).digest
}

pub(super) async fn validator(world: &World, name: &str) -> String {
    let address = format!("validator:{name}");
    let key = world.key(&format!("{name}-key"), &address).await;
    world.fund(&address, "5").await;
    let new = json!({"name": name, "owner": format!("{name}-owner"), "stake": "5"});
    let registered: Validator = read(&world.post(&key, "/v1/aigen/validators", &new).await);
    assert_eq!(registered.stake.nano(), 5_000_000_000);
    key
}

/// The commitment and the opening of a validator that answers every question alike.
pub(super) fn answers(state: &EpochState, score: u32, salt: Digest) -> (Value, Value) {
    let validator = &state.assignments[0].validator;
    let cells: Vec<_> = state
        .assignments
        .iter()
        .map(|cell| Cell {
            validator: cell.validator.clone(),
            controller: cell.controller,
            parameter: cell.parameter.clone(),
            suite: cell.suite.clone(),
        })
        .collect();
    let reports: Vec<_> = cells
        .iter()
        .map(|cell| Report {
            controller: cell.controller,
            parameter: cell.parameter.clone(),
            score,
        })
        .collect();
    let commitment = score_commitment(
        &state.network,
        state.epoch,
        validator,
        assignment_root(&cells),
        report_root(&reports),
        salt,
    );
    let told: Vec<_> = reports.iter().map(|report| json!({
        "controller": report.controller.to_string(), "parameter": report.parameter.to_string(), "score": report.score
    })).collect();
    let name = validator.to_string();
    (
        json!({"epoch": state.epoch.0, "validator": name, "commitment": commitment.to_string()}),
        json!({"epoch": state.epoch.0, "validator": name, "salt": salt.to_string(), "reports": told}),
    )
}

#[tokio::test]
async fn an_epoch_from_assignment_to_statement() {
    let world = World::polite().await;
    let real = publish(&world, "ada/real", true).await;
    let planted = publish(&world, "eve/planted", false).await;
    let (v0, v1) = (validator(&world, "v0").await, validator(&world, "v1").await);
    world
        .chat(json!({"aigen": {"controller": "ada/real@1.0.0"}}))
        .await;
    let (gold_salt, quality) = (Digest([9; 32]), "quality".parse().unwrap());
    let gold = gold_commitment(planted, &quality, 700_000, gold_salt);
    let cell = |validator: &str, controller: Digest| json!({"validator": validator, "controller": controller.to_string(), "parameter": "quality", "suite": "quiz"});
    let cells = [cell("v0", real), cell("v0", planted), cell("v1", real)];
    let assign = json!({"cells": cells, "gold": [gold.to_string()]});
    let post = async |key: &str, act: &str, body: Value| {
        world
            .post(key, &format!("/v1/aigen/epochs/0/{act}"), &body)
            .await
    };
    assert_eq!(post(&v0, "assign", assign.clone()).await.error().0, 403);
    let assigned: EpochState = read(&post(&world.operator, "assign", assign).await);
    assert_eq!(
        (assigned.phase, assigned.assignments.len()),
        (EpochPhase::Commit, 3)
    );

    let seen =
        async |key: &str| -> EpochState { read(&world.get(key, "/v1/aigen/epochs/current").await) };
    let (mine, theirs) = (seen(&v0).await, seen(&v1).await);
    assert_eq!((mine.assignments.len(), theirs.assignments.len()), (2, 1));
    assert!(
        mine.assignments
            .iter()
            .all(|cell| cell.validator.as_str() == "v0")
    );
    assert!(seen(&world.ada).await.assignments.is_empty());

    let (commit0, reveal0) = answers(&mine, 700_000, Digest([1; 32]));
    let (commit1, reveal1) = answers(&theirs, 600_000, Digest([2; 32]));
    assert_eq!(post(&v1, "commit", commit0.clone()).await.error().0, 403);
    assert_eq!(
        post(&v0, "reveal", reveal0.clone()).await.error().1,
        "epoch_phase"
    );
    let wrong_epoch = world.post(&v0, "/v1/aigen/epochs/3/commit", &commit0).await;
    assert_eq!(wrong_epoch.error().2.as_deref(), Some("epoch"));
    let state: EpochState = read(&post(&v0, "commit", commit0).await);
    assert_eq!(state.committed.len(), 1);
    let copied = json!({"epoch": 0, "validator": "v1", "commitment": "00"});
    assert_eq!(
        post(&v1, "commit", copied).await.error().2.as_deref(),
        Some("commitment")
    );
    let state: EpochState = read(&post(&v1, "commit", commit1).await);
    assert_eq!(state.phase, EpochPhase::Reveal);
    read::<EpochState>(&post(&v0, "reveal", reveal0).await);
    read::<EpochState>(&post(&v1, "reveal", reveal1).await);
    assert_eq!(seen(&world.operator).await.revealed.len(), 2);

    let opening = json!({"controller": planted.to_string(), "parameter": "quality", "truth": 700_000, "salt": gold_salt.to_string()});
    let lie = json!({"gold": [{"controller": planted.to_string(), "parameter": "quality", "truth": 1, "salt": gold_salt.to_string()}]});
    assert_eq!(
        post(&world.operator, "close", lie).await.error().1,
        "gold_mismatch"
    );
    let closed: EpochStatement =
        read(&post(&world.operator, "close", json!({"gold": [opening]})).await);
    assert_eq!(closed.epoch, Epoch(0));
    let told: EpochStatement = read(&world.get(&world.ada, "/v1/aigen/epochs/0/statement").await);
    assert_eq!(told, closed);
    assert!(
        told.controllers
            .iter()
            .any(|controller| controller.name.as_deref() == Some("ada/real@1.0.0"))
    );
    earnings_are_the_statements(&world, &told, [&v0, &v1]).await;
    assert_eq!(
        world
            .get(&world.ada, "/v1/aigen/epochs/1/statement")
            .await
            .error()
            .0,
        404
    );
    assert_eq!(seen(&world.ada).await.epoch, Epoch(1));
    let listed: List<Controller> = read(&world.get(&world.ada, "/v1/aigen/controllers").await);
    assert!(listed.data[0].score.is_some());
    let validators: List<Validator> = read(&world.get(&world.ada, "/v1/aigen/validators").await);
    assert_eq!(validators.data.len(), 2);
    world.settle().await;
}

/// What each account is told that it earned is what the statement says, and only its own key and the
/// operator's are told.
async fn earnings_are_the_statements(world: &World, told: &EpochStatement, keys: [&String; 2]) {
    let path = |of: &str| format!("/v1/aigen/earnings/epochs?account={of}&from=0&to=0");
    let earned = async |key: &str, of: &str, kind: EarningKind| {
        let rows: List<EpochEarning> = read(&world.get(key, &path(of)).await);
        let rows = rows.data.into_iter().filter(|row| row.kind == kind);
        rows.collect::<Vec<_>>()
    };
    let sum = |rows: &[EpochEarning]| rows.iter().map(|row| row.earned).sum::<Amount>();
    let developer = earned(&world.operator, "developer:ada", EarningKind::Controller).await;
    assert_eq!(developer[0].name.as_deref(), Some("ada/real@1.0.0"));
    assert_eq!(developer[0].earned.nano(), world.balance("developer:ada").0);
    let payouts = told.controllers.iter().map(|controller| controller.payout);
    assert_eq!(sum(&developer), payouts.sum());
    for (key, validator) in keys.into_iter().zip(&told.validators) {
        let account = format!("validator:{}", validator.id);
        let own = earned(key, &account, EarningKind::Validator).await;
        assert_eq!(sum(&own), validator.pay);
    }
    let protocol = earned(&world.operator, "treasury", EarningKind::Protocol).await;
    assert!(sum(&protocol) >= told.treasury);
    let strange = world.get(keys[0], &path("validator:v1")).await;
    assert_eq!(strange.error().0, 403, "{}", strange.text);
}

#[tokio::test]
async fn the_operator_can_freeze_a_window_nobody_fills() {
    let world = World::polite().await;
    let real = publish(&world, "ada/real", true).await;
    let v0 = validator(&world, "v0").await;
    let cell = json!({"validator": "v0", "controller": real.to_string(), "parameter": "quality", "suite": "quiz"});
    let freeze = async |key: &str, epoch: u64| {
        world
            .post(key, &format!("/v1/aigen/epochs/{epoch}/freeze"), &json!({}))
            .await
    };
    assert_eq!(freeze(&world.operator, 0).await.error().1, "epoch_phase");
    world
        .post(
            &world.operator,
            "/v1/aigen/epochs/0/assign",
            &json!({"cells": [cell]}),
        )
        .await;
    assert_eq!(freeze(&v0, 0).await.error().0, 403);
    assert_eq!(
        freeze(&world.operator, 1).await.error().1,
        "epoch_not_current"
    );
    assert_eq!(
        read::<EpochState>(&freeze(&world.operator, 0).await).phase,
        EpochPhase::Reveal
    );
    let closed = world
        .post(&world.operator, "/v1/aigen/epochs/0/close", &json!({}))
        .await;
    let closed: EpochStatement = read(&closed);
    assert!(closed.validators[0].slash.nano() > 0);
    world.settle().await;
}
