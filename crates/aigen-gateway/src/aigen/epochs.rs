use super::statement;
use crate::extract::{Key, Named, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{
    AppealMade, AppealRequest, AssignRequest, Assignment, CloseRequest, CommitRequest,
    DecideRequest, Drawn, EpochPhase, EpochState, EpochStatement, List, RevealRequest,
};
use aigen_node::network::{
    self, AssignEpoch, Cell, CloseEpoch, CommitScores, GoldOpening, Phase, Refusal, Report,
    RevealScores, Role, addresses,
};
use aigen_node::{Caller, NodeError};
use aigen_types::{Digest, Epoch, Slug, TransferId};
use axum::Json;
use axum::extract::State;
use std::collections::BTreeSet;

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
        seed: post.body.seed,
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
    let audits = post
        .body
        .audits
        .into_iter()
        .map(|finding| network::Finding {
            controller: finding.controller,
            parameter: finding.parameter,
            truth: finding.truth,
        });
    let close = CloseEpoch {
        epoch: Epoch(epoch),
        gold: gold.collect(),
        seed: post.body.seed,
        audits: audits.collect(),
    };
    let epoch = gateway.node.close_epoch(&post.caller, close).await?;
    statement::of(&gateway, epoch)
}

/// Operators only: whoever knows the seed before the reports are in knows what is audited.
pub(super) async fn drawn(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(seed): Named<Digest>,
) -> Result<Json<List<Drawn>>, Failure> {
    caller.must_operate()?;
    let network = gateway.node.network();
    // A planted controller has a truth already: its gold commitment says which, to the operator
    // alone, who leaves it out of what is opened.
    let drawn = network.audits_drawn(seed, &BTreeSet::new());
    let drawn = drawn.into_iter().map(|(controller, parameter)| Drawn {
        controller,
        parameter,
    });
    Ok(Json(List::complete(drawn.collect())))
}

pub(super) async fn appeal(
    State(gateway): State<Gateway>,
    Named(epoch): Named<u64>,
    post: Post<AppealRequest>,
) -> Result<Json<AppealMade>, Failure> {
    let epoch = Epoch(epoch);
    let id = appeal_id(&post.caller, epoch, &post.body);
    let appeal = network::Appeal {
        id,
        epoch,
        from: post.caller.account.clone(),
        controller: post.body.controller,
        parameter: post.body.parameter,
        evidence: post.body.evidence,
    };
    gateway.node.appeal(&post.caller, appeal).await?;
    Ok(Json(AppealMade { id, epoch }))
}

/// The same appeal asked for twice is one: whoever is told nothing because a connection broke may
/// ask again without laying down a second bond.
fn appeal_id(caller: &Caller, epoch: Epoch, appeal: &AppealRequest) -> TransferId {
    let mut hasher = blake3::Hasher::new_derive_key("aigen appeal id v1");
    hasher.update(&epoch.0.to_le_bytes());
    hasher.update(&appeal.controller.0);
    hasher.update(&appeal.evidence.0);
    hasher.update(appeal.parameter.as_str().as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    caller.transfer_id(TransferId(u128::from_le_bytes(bytes)))
}

pub(super) async fn decide(
    State(gateway): State<Gateway>,
    Named(id): Named<TransferId>,
    post: Post<DecideRequest>,
) -> Result<Json<EpochState>, Failure> {
    let truth = post.body.truth;
    let decide = network::DecideAppeal { id, truth };
    gateway.node.decide_appeal(&post.caller, decide).await?;
    state(&gateway, &post.caller)
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
        commit_until: network.governance().plan.commit_until,
        reveal_until: network.governance().plan.reveal_until,
        panel_seed: network.panel_seed().map_err(NodeError::Refused)?,
        panel: network.rules().map_err(NodeError::Refused)?.terms.panel,
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
        Phase::Settle => EpochPhase::Settle,
    }
}
