use super::statement;
use crate::extract::{Key, Named, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{
    AssignRequest, Assignment, CloseRequest, CommitRequest, EpochPhase, EpochState, EpochStatement,
    RevealRequest,
};
use aigen_node::network::{
    self, AssignEpoch, Cell, CloseEpoch, CommitScores, GoldOpening, Phase, Refusal, Report,
    RevealScores, Role, addresses,
};
use aigen_node::{Caller, NodeError};
use aigen_types::{Epoch, Slug};
use axum::Json;
use axum::extract::State;

pub(super) async fn current(
    State(gateway): State<Gateway>,
    Key(caller): Key,
) -> Result<Json<EpochState>, Failure> {
    state(&gateway, &caller)
}

pub(super) async fn assign(
    State(gateway): State<Gateway>,
    Named(epoch): Named<u64>,
    post: Post<AssignRequest>,
) -> Result<Json<EpochState>, Failure> {
    let cells = post.body.cells.into_iter().map(|cell| Cell {
        validator: cell.validator,
        controller: cell.controller,
        parameter: cell.parameter,
        suite: cell.suite,
    });
    let assign = AssignEpoch {
        epoch: Epoch(epoch),
        cells: cells.collect(),
        gold: post.body.gold,
    };
    gateway.node.assign_epoch(&post.caller, assign).await?;
    state(&gateway, &post.caller)
}

pub(super) async fn commit(
    State(gateway): State<Gateway>,
    Named(epoch): Named<u64>,
    post: Post<CommitRequest>,
) -> Result<Json<EpochState>, Failure> {
    let CommitRequest {
        epoch: named,
        validator,
        commitment,
    } = post.body;
    let commit = CommitScores {
        epoch: same(epoch, named)?,
        validator,
        commitment,
    };
    gateway.node.commit_scores(&post.caller, commit).await?;
    state(&gateway, &post.caller)
}

/// Has no body: there is nothing to say but which epoch.
pub(super) async fn freeze(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(epoch): Named<u64>,
) -> Result<Json<EpochState>, Failure> {
    caller.must_operate()?;
    if gateway.node.network().epoch().number != Epoch(epoch) {
        return Err(NodeError::Refused(Refusal::EpochNotCurrent).into());
    }
    gateway.node.freeze_commits(&caller).await?;
    state(&gateway, &caller)
}

pub(super) async fn reveal(
    State(gateway): State<Gateway>,
    Named(epoch): Named<u64>,
    post: Post<RevealRequest>,
) -> Result<Json<EpochState>, Failure> {
    let RevealRequest {
        epoch: named,
        validator,
        salt,
        reports,
    } = post.body;
    let reports = reports.into_iter().map(|report| Report {
        controller: report.controller,
        parameter: report.parameter,
        score: report.score,
    });
    let reveal = RevealScores {
        epoch: same(epoch, named)?,
        validator,
        salt,
        reports: reports.collect(),
    };
    gateway.node.reveal_scores(&post.caller, reveal).await?;
    state(&gateway, &post.caller)
}

pub(super) async fn close(
    State(gateway): State<Gateway>,
    Named(epoch): Named<u64>,
    post: Post<CloseRequest>,
) -> Result<Json<EpochStatement>, Failure> {
    let gold = post.body.gold.into_iter().map(|gold| GoldOpening {
        controller: gold.controller,
        parameter: gold.parameter,
        truth: gold.truth,
        salt: gold.salt,
    });
    let close = CloseEpoch {
        epoch: Epoch(epoch),
        gold: gold.collect(),
    };
    let epoch = gateway.node.close_epoch(&post.caller, close).await?;
    statement::of(&gateway, epoch)
}

/// Path and body name the same epoch.
fn same(path: u64, body: Epoch) -> Result<Epoch, Failure> {
    if body == Epoch(path) {
        Ok(body)
    } else {
        Err(Failure::invalid(
            "epoch",
            format_args!("the path says {path}, the body {body}"),
        ))
    }
}

/// What this caller may know: an operator everything, a validator its own questions, nobody
/// else any. Real and planted questions look alike.
fn state(gateway: &Gateway, caller: &Caller) -> Result<Json<EpochState>, Failure> {
    let network = gateway.node.network();
    let founded = network.founded();
    let founded = founded.ok_or(NodeError::Refused(Refusal::NotFounded))?;
    let epoch = network.epoch();
    let sees = |validator: &Slug| {
        caller.role == Role::Operator || caller.account == addresses::validator(validator)
    };
    let seen = |validators: &mut dyn Iterator<Item = &Slug>| {
        let seen = validators.filter(|validator| sees(validator));
        seen.cloned().collect()
    };
    Ok(Json(EpochState {
        network: founded.name.clone(),
        epoch: epoch.number,
        phase: phase(epoch.phase),
        assignments: assignments(epoch, sees),
        committed: seen(&mut epoch.commitments.keys()),
        revealed: seen(&mut epoch.reveals.keys()),
    }))
}

fn assignments(epoch: &network::EpochState, sees: impl Fn(&Slug) -> bool) -> Vec<Assignment> {
    let cells = epoch.cells.iter().filter(|cell| sees(&cell.validator));
    cells
        .map(|cell| Assignment {
            validator: cell.validator.clone(),
            controller: cell.controller,
            parameter: cell.parameter.clone(),
            suite: cell.suite.clone(),
        })
        .collect()
}

fn phase(phase: Phase) -> EpochPhase {
    match phase {
        Phase::Open => EpochPhase::Open,
        Phase::Commit => EpochPhase::Commit,
        Phase::Reveal => EpochPhase::Reveal,
    }
}
