//! Rows of datasets that a controller asks for: paid within the call that it steers, before it is
//! given them.

use super::{Asks, refuse};
use crate::error::NodeError;
use aigen_jarvis::{Answer, Answered, OutsideError};
use aigen_network::{Command, DatasetUse, ReadWithin, Refusal};
use aigen_types::{DatasetName, DatasetSelector};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

impl Asks {
    /// Only of a dataset that the manifest names, which the operator has granted.
    pub(super) fn query(
        self,
        dataset: String,
        query: String,
        limit: u32,
    ) -> BoxFuture<'static, Answered> {
        let Ok(selector) = dataset.parse::<DatasetSelector>() else {
            let why = format!("`{dataset}` is no dataset: write owner/name");
            return refuse(OutsideError::Denied(why));
        };
        let named = |name: &String| name.parse::<DatasetName>().as_ref() == Ok(&selector.dataset);
        if !self.permitted.datasets.iter().any(named) {
            let why = format!("the manifest asks for no dataset `{}`", selector.dataset);
            return refuse(OutsideError::Denied(why));
        }
        self.read(selector, query, limit).boxed()
    }

    async fn read(self, dataset: DatasetSelector, query: String, limit: u32) -> Answered {
        let (node, caller) = (self.node.clone(), self.behalf.caller.clone());
        let purpose = DatasetUse::Controller;
        let find = move || node.search_dataset(&caller, &dataset, &query, limit, purpose);
        let found = tokio::task::spawn_blocking(find).await;
        let found = found.unwrap_or(Err(NodeError::ShuttingDown));
        let found = found.map_err(refused)?;
        if !found.rows.is_empty() {
            let within = ReadWithin {
                call: self.behalf.call,
                wanted: found.wanted,
            };
            let paid = self.node.submit(Command::ReadWithin(within)).await;
            paid.map_err(refused)?;
        }
        let rows = found.rows.into_iter();
        let rows = rows.map(|row| json!({"row": row.id, "values": row.values}).to_string());
        Ok(Answer::Rows(rows.collect()))
    }
}

fn refused(error: NodeError) -> OutsideError {
    let why = error.to_string();
    match error {
        NodeError::Refused(
            Refusal::DatasetNotAllowed
            | Refusal::DatasetNotGranted
            | Refusal::DatasetUseNotAllowed
            | Refusal::ColumnNotGranted,
        ) => OutsideError::Denied(why),
        NodeError::Refused(Refusal::DatasetUnknown | Refusal::DatasetWithdrawn) => {
            OutsideError::Unavailable(why)
        }
        // Whatever other rule says so, the money or a rate is what there is too little of.
        NodeError::Refused(_) => OutsideError::Limit(why),
        _ => OutsideError::Unavailable(why),
    }
}
