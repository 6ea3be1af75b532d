//! What settlements paid an account, epoch by epoch.

use super::question::{between, own};
use super::statement;
use crate::extract::{Asked, Key};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{EarningKind, EpochEarning, List};
use aigen_node::network::{Network, PayoutKind, Posting};
use aigen_types::Epoch;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

/// `?account=&from=&to=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Who earned; the key's own account when absent.
    account: Option<String>,
    /// The first epoch.
    from: Option<String>,
    /// The last epoch, which counts.
    to: Option<String>,
}

/// Every payout to an account, the earliest epoch first. What is held while it can be appealed is
/// not there yet.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(question): Asked<Question>,
) -> Result<Json<List<EpochEarning>>, Failure> {
    let account = own(&caller, question.account.as_deref())?;
    let (from, to) = (question.from.as_deref(), question.to.as_deref());
    let asked = between(from, to, 0..=u64::MAX)?;
    let network = gateway.node.network();
    let epochs = network.settled_epochs();
    let epochs = epochs.filter(|(epoch, _)| asked.contains(&epoch.0));
    let paid = epochs.flat_map(|(epoch, settled)| {
        let own = settled.postings.iter().filter(|paid| paid.to == account);
        own.filter_map(move |posting| Some((epoch, posting, kind(posting.kind)?)))
    });
    let data = paid.map(|(epoch, posting, kind)| row(&network, epoch, posting, kind));
    Ok(Json(List::complete(data.collect())))
}

/// Slashed stake and burned money are nobody's earning.
fn kind(kind: PayoutKind) -> Option<EarningKind> {
    match kind {
        PayoutKind::Payout => Some(EarningKind::Controller),
        PayoutKind::ValidatorPay => Some(EarningKind::Validator),
        PayoutKind::Refund => Some(EarningKind::Refund),
        PayoutKind::Treasury | PayoutKind::Planted => Some(EarningKind::Protocol),
        PayoutKind::Slash | PayoutKind::Burned => None,
    }
}

fn row(network: &Network, epoch: Epoch, posting: &Posting, kind: EarningKind) -> EpochEarning {
    let subject = Some(posting.subject.clone()).filter(|subject| !subject.is_empty());
    let named = |subject: String| statement::name(network, &subject).unwrap_or(subject);
    EpochEarning {
        account: posting.to.clone(),
        epoch,
        kind,
        name: subject.map(named),
        earned: posting.amount,
        transfer: posting.transfer,
    }
}
