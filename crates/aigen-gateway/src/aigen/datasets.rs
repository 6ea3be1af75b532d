//! Datasets: the catalogue, publishing, and rows that are paid before they leave.

mod publish;
mod rows;

pub(super) use publish::{imports, publish};
pub(super) use rows::{download, list_rows};

use super::history::history_page;
use crate::extract::{Asked, Key, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{
    Dataset, DatasetColumn, DatasetGrant, DatasetPrice, DatasetUse, List, RevokeDatasetGrant,
    SetDatasetPrice, WithdrawDataset,
};
use aigen_node::network::{self, Network};
use aigen_node::{Caller, NodeError, economy};
use aigen_types::{DatasetName, DatasetRef, DatasetSelector};
use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

/// `?limit=&after=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// How many, at most.
    limit: Option<usize>,
    /// Only those after this one, by its reference.
    after: Option<String>,
}

/// `{owner}/{name}` of the path, as a version, a dataset or whichever version is meant.
pub(super) struct OfPath<T>(pub T);

impl<T: FromStr<Err: Display>> FromRequestParts<Gateway> for OfPath<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, gateway).await;
        let Path((owner, name)) =
            path.map_err(|error| Failure::invalid("path", error.body_text()))?;
        let parsed = format!("{owner}/{name}").parse().map(Self);
        parsed.map_err(|error| Failure::invalid("path", error))
    }
}

/// Every version, in the order of names. Withdrawn ones are there, and say so.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    _: Key,
    Asked(page): Asked<Page>,
) -> Result<Json<List<Dataset>>, Failure> {
    let limit = history_page(page.limit)?;
    let after = page.after.map(|text| text.parse::<DatasetRef>());
    let after = after.transpose();
    let after = after.map_err(|error| Failure::invalid("after", error))?;
    let network = gateway.node.network();
    let known = network.datasets();
    let rest = known.skip_while(|known| {
        let after = after.as_ref();
        after.is_some_and(|after| known.published.reference <= *after)
    });
    let mut rest = rest.map(|known| describe(&gateway, known)).peekable();
    let data: Vec<_> = rest.by_ref().take(limit).collect();
    let next = data.last().filter(|_| rest.peek().is_some());
    Ok(Json(List {
        next: next.map(|last| last.reference.to_string()),
        data,
    }))
}

/// One version; by its name alone the highest that serves.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    _: Key,
    OfPath(selector): OfPath<DatasetSelector>,
) -> Result<Json<Dataset>, Failure> {
    let network = gateway.node.network();
    let known = network.resolve_dataset(&selector);
    let known = known.ok_or_else(|| NodeError::DatasetUnknown(selector.to_string()))?;
    Ok(Json(describe(&gateway, known)))
}

fn describe(gateway: &Gateway, known: &network::Dataset) -> Dataset {
    let new = &known.published;
    let column = |column: &network::Column| DatasetColumn {
        name: column.name.clone(),
        kind: column.kind.clone(),
    };
    Dataset {
        reference: new.reference.clone(),
        content: new.content,
        rows: new.rows,
        bytes: new.bytes,
        columns: new.columns.iter().map(column).collect(),
        description: new.description.clone(),
        licence: new.licence.clone(),
        uses: new.uses.iter().map(|one| use_out(*one)).collect(),
        open: new.open,
        price: DatasetPrice {
            row: new.price.row,
            hit: new.price.hit,
            download: new.price.download,
        },
        provider: new.provider.clone(),
        published_at: known.published_at,
        withdrawn: known.withdrawn.clone(),
        here: gateway.node.dataset_content(&new.content).is_some(),
    }
}

fn version(gateway: &Gateway, reference: &DatasetRef) -> Result<Json<Dataset>, Failure> {
    let network = gateway.node.network();
    let known = network.dataset(reference);
    let known = known.ok_or_else(|| NodeError::DatasetUnknown(reference.to_string()))?;
    Ok(Json(describe(gateway, known)))
}

pub(super) async fn price(
    State(gateway): State<Gateway>,
    OfPath(reference): OfPath<DatasetRef>,
    post: Post<SetDatasetPrice>,
) -> Result<Json<Dataset>, Failure> {
    let SetDatasetPrice { row, hit, download } = post.body;
    let price = economy::DatasetPrice { row, hit, download };
    let node = &gateway.node;
    node.price_dataset(&post.caller, reference.clone(), price)
        .await?;
    version(&gateway, &reference)
}

pub(super) async fn withdraw(
    State(gateway): State<Gateway>,
    OfPath(reference): OfPath<DatasetRef>,
    post: Post<WithdrawDataset>,
) -> Result<Json<Dataset>, Failure> {
    let node = &gateway.node;
    node.withdraw_dataset(&post.caller, reference.clone(), post.body.reason)
        .await?;
    version(&gateway, &reference)
}

/// The grants of a dataset: all of them for its owner, its own for anybody else.
pub(super) async fn grants(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    OfPath(dataset): OfPath<DatasetName>,
) -> Result<Json<List<DatasetGrant>>, Failure> {
    let network = gateway.node.network();
    seen_by(&network, &caller, &dataset).map(Json)
}

fn seen_by(
    network: &Network,
    caller: &Caller,
    dataset: &DatasetName,
) -> Result<List<DatasetGrant>, Failure> {
    let owner = network.dataset_owner(&dataset.owner);
    let owner = owner.ok_or_else(|| NodeError::DatasetUnknown(dataset.to_string()))?;
    let owns = caller.must_own(owner).is_ok();
    let shown = network
        .grants(dataset)
        .filter(|(to, _)| owns || caller.account.is_within(to));
    let grant = |(to, grant): (&aigen_types::Address, &network::Grant)| DatasetGrant {
        to: to.clone(),
        columns: grant.columns.clone(),
        uses: grant.uses.iter().map(|one| use_out(*one)).collect(),
        until: grant.until,
    };
    Ok(List::complete(shown.map(grant).collect()))
}

pub(super) async fn grant(
    State(gateway): State<Gateway>,
    OfPath(dataset): OfPath<DatasetName>,
    post: Post<DatasetGrant>,
) -> Result<Json<List<DatasetGrant>>, Failure> {
    let DatasetGrant {
        to,
        columns,
        uses,
        until,
    } = post.body;
    must_be_there(&gateway.node.network(), &dataset, &columns)?;
    let uses = uses.into_iter().map(use_in).collect();
    let grant = network::GrantDataset {
        dataset: dataset.clone(),
        by: post.caller.account.clone(),
        to,
        grant: network::Grant {
            columns,
            uses,
            until,
        },
    };
    gateway.node.grant_dataset(&post.caller, grant).await?;
    seen_by(&gateway.node.network(), &post.caller, &dataset).map(Json)
}

/// A grant of what no version has would let nobody read anything.
fn must_be_there(
    network: &Network,
    dataset: &DatasetName,
    columns: &[String],
) -> Result<(), Failure> {
    let versions = network.datasets().map(|known| &known.published);
    let mut versions = versions
        .filter(|published| published.reference.dataset == *dataset)
        .peekable();
    if versions.peek().is_none() {
        return Err(NodeError::DatasetUnknown(dataset.to_string()).into());
    }
    let known = versions.flat_map(|published| &published.columns);
    let known: BTreeSet<_> = known.map(|column| &*column.name).collect();
    match columns.iter().find(|name| !known.contains(&***name)) {
        Some(name) => {
            let known: Vec<_> = known.into_iter().collect();
            let reason = format!(
                "there is no column `{name}`; there are {}",
                known.join(", ")
            );
            Err(Failure::invalid("columns", reason))
        }
        None => Ok(()),
    }
}

pub(super) async fn revoke(
    State(gateway): State<Gateway>,
    OfPath(dataset): OfPath<DatasetName>,
    post: Post<RevokeDatasetGrant>,
) -> Result<Json<List<DatasetGrant>>, Failure> {
    let revoke = network::RevokeDataset {
        dataset: dataset.clone(),
        by: post.caller.account.clone(),
        to: post.body.to,
    };
    gateway.node.revoke_dataset(&post.caller, revoke).await?;
    seen_by(&gateway.node.network(), &post.caller, &dataset).map(Json)
}

pub(super) fn use_out(one: network::DatasetUse) -> DatasetUse {
    match one {
        network::DatasetUse::Read => DatasetUse::Read,
        network::DatasetUse::Completion => DatasetUse::Completion,
        network::DatasetUse::Controller => DatasetUse::Controller,
        network::DatasetUse::Download => DatasetUse::Download,
    }
}

fn use_in(one: DatasetUse) -> network::DatasetUse {
    match one {
        DatasetUse::Read => network::DatasetUse::Read,
        DatasetUse::Completion => network::DatasetUse::Completion,
        DatasetUse::Controller => network::DatasetUse::Controller,
        DatasetUse::Download => network::DatasetUse::Download,
    }
}
