use super::settlement;
use crate::extract::{Key, Named};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{ControllerResult, DatasetFees, EpochStatement, ValidatorResult};
use aigen_node::network::{EpochReads, Network, SettledEpoch};
use aigen_types::{Digest, Epoch};
use axum::Json;
use axum::extract::State;

/// Open to every key: what cannot be recomputed cannot be trusted.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    _: Key,
    Named(epoch): Named<u64>,
) -> Result<Json<EpochStatement>, Failure> {
    of(&gateway, Epoch(epoch))
}

pub(super) fn of(gateway: &Gateway, epoch: Epoch) -> Result<Json<EpochStatement>, Failure> {
    let network = gateway.node.network();
    let settled = settled(&network, epoch)?;
    Ok(Json(describe(&network, epoch, settled)))
}

pub(super) fn settled(network: &Network, epoch: Epoch) -> Result<&SettledEpoch, Failure> {
    let missing = || {
        let way_out = "GET /v1/aigen/epochs/current tells which epoch is running";
        Failure::not_found(format_args!("epoch {epoch} is not settled"), way_out)
    };
    network.settled(epoch).ok_or_else(missing)
}

/// The statement of a settled epoch.
#[must_use]
pub fn describe(network: &Network, epoch: Epoch, settled: &SettledEpoch) -> EpochStatement {
    let output = &settled.output;
    let controllers = output
        .controllers
        .iter()
        .map(|(id, result)| ControllerResult {
            id: id.clone(),
            name: name(network, id),
            score: result.score.parts(),
            payout: result.payout,
            remainder: result.remainder,
        });
    let validators = output
        .validators
        .iter()
        .map(|(id, result)| ValidatorResult {
            id: id.clone(),
            skill: result.skill,
            pay: result.pay,
            slash: result.slash,
        });
    EpochStatement {
        epoch,
        controllers: controllers.collect(),
        validators: validators.collect(),
        treasury: output.treasury,
        burned: output.burned,
        datasets: dataset_fees(network.reads_in(epoch)),
        journal_seq: settled.record,
        input: settlement::input(&settled.input),
        output: settlement::output(output),
    }
}

fn dataset_fees(sums: EpochReads) -> Option<DatasetFees> {
    let fees = DatasetFees {
        reads: sums.reads,
        rows: sums.rows,
        fees: sums.fees,
        protocol: sums.protocol,
        given_back: sums.given_back,
    };
    (fees.reads > 0).then_some(fees)
}

pub(super) fn name(network: &Network, id: &str) -> Option<String> {
    let controller = network.controller(id.parse::<Digest>().ok()?)?;
    Some(controller.published.reference.to_string())
}
