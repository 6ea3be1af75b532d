use crate::extract::Key;
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{BatchWritten, JournalTip, JournalVerified, VerificationState};
use aigen_node::{NodeError, Verified};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Whoever keeps it can prove later that history was not rewritten.
pub(super) async fn tip(State(gateway): State<Gateway>, _: Key) -> Json<JournalTip> {
    let tip = gateway.node.journal_tip();
    Json(JournalTip {
        seq: tip.seq,
        hash: tip.hash,
    })
}

/// How far the journal has been verified since the node started. Open to every key.
pub(super) async fn verified(State(gateway): State<Gateway>, _: Key) -> Json<JournalVerified> {
    Json(told(gateway.node.verified()))
}

/// Begins to verify it, unless that is being done.
pub(super) async fn verify(
    State(gateway): State<Gateway>,
    Key(caller): Key,
) -> Result<(StatusCode, Json<JournalVerified>), Failure> {
    caller.must_operate()?;
    gateway.node.begin_verifying()?;
    Ok((StatusCode::ACCEPTED, Json(told(gateway.node.verified()))))
}

fn told(verified: Verified) -> JournalVerified {
    let never = JournalVerified {
        state: VerificationState::Never,
        since: None,
        until: None,
        records: 0,
        of: 0,
        fault: None,
    };
    match verified {
        Verified::Never => never,
        Verified::Running { since, record, of } => JournalVerified {
            state: VerificationState::Running,
            since: Some(since),
            records: record,
            of,
            ..never
        },
        Verified::Done {
            since,
            until,
            asked,
            records,
            found,
        } => JournalVerified {
            state: match found {
                Ok(_) => VerificationState::Sound,
                Err(_) => VerificationState::Damaged,
            },
            since: Some(since),
            until: Some(until),
            records,
            of: asked.seq,
            fault: found.err(),
        },
    }
}

/// Another node of the same journal has a batch written. What it shows is no user's key, but a
/// secret that nodes read in the store they share.
pub(super) async fn write(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    batch: Bytes,
) -> Result<Json<BatchWritten>, Failure> {
    let shown = headers.get(header::AUTHORIZATION);
    let shown = shown.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if !shown.is_some_and(|secret| gateway.node.is_known(secret)) {
        return Err(NodeError::KeyWrong.into());
    }
    let record = gateway.node.accept_batch(&batch).await?;
    Ok(Json(BatchWritten { record }))
}

/// Nothing that was read leaves before it is durable.
pub(crate) async fn durable(
    State(gateway): State<Gateway>,
    request: Request,
    next: Next,
) -> Response {
    let reads = request.method().is_safe();
    let response = next.run(request).await;
    if !reads {
        // What was written was waited for.
        return response;
    }
    match gateway.node.durable().await {
        Ok(()) => response,
        Err(error) => Failure::from(error).into_response(),
    }
}
