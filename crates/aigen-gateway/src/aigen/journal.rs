use crate::extract::Key;
use crate::state::Gateway;
use aigen_api::resources::JournalTip;
use axum::Json;
use axum::extract::State;

/// Whoever keeps it can prove later that history was not rewritten.
pub(super) async fn tip(State(gateway): State<Gateway>, _: Key) -> Json<JournalTip> {
    let tip = gateway.node.journal_tip();
    Json(JournalTip {
        seq: tip.seq,
        hash: tip.hash,
    })
}
