use crate::extract::{Key, Named, Post};
use crate::failure::Failure;
use crate::openai::price;
use crate::state::Gateway;
use aigen_api::resources::{Controller, ControllerKind, List, PricePage, PublishController};
use aigen_node::network::{self, Network, NewController, Role, addresses};
use aigen_node::{Caller, NodeError};
use aigen_types::{ControllerRef, Digest};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

pub(super) async fn list(
    State(gateway): State<Gateway>,
    Key(caller): Key,
) -> Json<List<Controller>> {
    let network = gateway.node.network();
    let shown = |controller: &network::Controller| {
        controller.published.listed || caller.role == Role::Operator
    };
    let controllers = network
        .controllers()
        .filter(|(_, controller)| shown(controller))
        .map(|(digest, controller)| describe(&network, &caller, digest, controller));
    Json(List::complete(controllers.collect()))
}

/// One version, by reference or digest. An unlisted one is shown like any other: a validator
/// who could tell them apart would know which questions are planted.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(name): Named<String>,
) -> Result<Json<Controller>, Failure> {
    let network = gateway.node.network();
    let found = find(&network, &name)
        .and_then(|digest| Some((digest, network.controller(digest)?)))
        .map(|(digest, controller)| describe(&network, &caller, digest, controller));
    found
        .map(Json)
        .ok_or_else(|| NodeError::ControllerUnknown(name).into())
}

fn find(network: &Network, name: &str) -> Option<Digest> {
    let by_reference = || network.controller_digest(&name.parse::<ControllerRef>().ok()?);
    name.parse().ok().or_else(by_reference)
}

pub(super) async fn publish(
    State(gateway): State<Gateway>,
    post: Post<PublishController>,
) -> Result<(StatusCode, Json<Controller>), Failure> {
    let PublishController {
        reference,
        kind,
        source,
        listed,
        description,
    } = post.body;
    let new = NewController {
        reference,
        kind: match kind {
            ControllerKind::Grammar => network::ControllerKind::Grammar,
            ControllerKind::Script => network::ControllerKind::Script,
            ControllerKind::Wasm => network::ControllerKind::Wasm,
        },
        source,
        listed,
        description,
    };
    let digest = gateway.node.publish_controller(&post.caller, new).await?;
    let network = gateway.node.network();
    let published = network.controller(digest);
    let published = published.ok_or_else(|| NodeError::ControllerUnknown(digest.to_string()))?;
    let described = describe(&network, &post.caller, digest, published);
    Ok((StatusCode::CREATED, Json(described)))
}

fn describe(
    network: &Network,
    caller: &Caller,
    digest: Digest,
    controller: &network::Controller,
) -> Controller {
    let published = &controller.published;
    let owner = addresses::developer(&published.reference.owner);
    let inside = caller.must_own(&owner).is_ok();
    Controller {
        reference: published.reference.clone(),
        digest,
        description: published.description.clone(),
        published_at: controller.published_at,
        score: score(network, digest),
        kind: inside.then_some(match published.kind {
            network::ControllerKind::Grammar => ControllerKind::Grammar,
            network::ControllerKind::Script => ControllerKind::Script,
            network::ControllerKind::Wasm => ControllerKind::Wasm,
        }),
        source: inside.then(|| published.source.clone()),
        listed: inside.then_some(published.listed),
    }
}

/// From the last settlement that scored it.
fn score(network: &Network, digest: Digest) -> Option<u32> {
    let id = digest.to_string();
    let results = network.settled_epochs();
    let scored = results.filter_map(|(_, settled)| settled.output.controllers.get(&id));
    scored.last().map(|result| result.score.parts())
}

pub(super) async fn price_book(State(gateway): State<Gateway>, _: Key) -> Json<List<PricePage>> {
    let network = gateway.node.network();
    let pages = network.models().map(|(name, model)| PricePage {
        model: name.clone(),
        version: model.price_version,
        price: price(&model.price),
    });
    Json(List::complete(pages.collect()))
}
