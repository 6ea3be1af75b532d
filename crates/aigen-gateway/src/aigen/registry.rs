use super::history::history_page;
use crate::extract::{Asked, Key, Named, Nothing, Post};
use crate::failure::Failure;
use crate::openai::price;
use crate::state::Gateway;
use aigen_api::resources::{
    Controller, ControllerKind, List, PricePage, PublishController, SetStanding, Signed, Standing,
    TagController,
};
use aigen_node::network::{self, Network, NewController, NewRelease, Role, addresses};
use aigen_node::{Caller, NodeError};
use aigen_types::{Digest, Ppm};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::cmp::Reverse;

/// `?limit=&after=&sort=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// How many, at most; all of them when absent.
    limit: Option<usize>,
    /// Only those after this one, by its digest.
    after: Option<String>,
    #[serde(default)]
    sort: Order,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    #[default]
    Digest,
    /// The best first, then those that are not scored yet; each by name and version.
    Score,
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(page): Asked<Page>,
) -> Result<Json<List<Controller>>, Failure> {
    let limit = page
        .limit
        .map(|limit| history_page(Some(limit)))
        .transpose()?;
    let network = gateway.node.network();
    let shown = |controller: &network::Controller| {
        controller.published.listed || caller.role == Role::Operator
    };
    let listed = network.controllers();
    let mut listed: Vec<_> = listed.filter(|(_, known)| shown(known)).collect();
    if page.sort == Order::Score {
        // Those that have the same score, or none, by name: digests are in no order for anybody.
        listed.sort_by_cached_key(|(digest, known)| {
            (
                Reverse(network.score(*digest)),
                known.published.reference.clone(),
            )
        });
    }
    let begin = match page.after {
        None => 0,
        Some(after) => {
            let after: Option<Digest> = after.parse().ok();
            let place = listed.iter().position(|(digest, _)| Some(*digest) == after);
            place.ok_or_else(|| Failure::invalid("after", "there is no such controller"))? + 1
        }
    };
    let rest = listed.len() - begin;
    let limit = limit.unwrap_or(rest);
    let data = listed[begin..].iter().take(limit);
    let data: Vec<_> = data
        .map(|(digest, known)| describe(&network, &caller, *digest, known))
        .collect();
    let next = data.last().filter(|_| rest > limit);
    Ok(Json(List {
        next: next.map(|last| last.digest.to_string()),
        data,
    }))
}

/// One version, by reference or digest. An unlisted one is shown like any other: a validator
/// who could tell them apart would know which questions are planted.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(name): Named<String>,
) -> Result<Response, Failure> {
    if let Some(controller) = name.strip_suffix("/versions") {
        return versions(&gateway, &caller, controller).map(IntoResponse::into_response);
    }
    let network = gateway.node.network();
    let found = find(&network, &name)
        .and_then(|digest| Some((digest, network.controller(digest)?)))
        .map(|(digest, controller)| {
            let described = describe(&network, &caller, digest, controller);
            with_refusal(&gateway, described)
        });
    found
        .map(|found| Json(found).into_response())
        .ok_or_else(|| Failure::from(NodeError::ControllerUnknown(name)).param("path"))
}

/// What an operator does not grant is said where one version is looked at.
fn with_refusal(gateway: &Gateway, controller: Controller) -> Controller {
    let release = controller.release.as_ref();
    let refused = release.and_then(|signed| {
        let node = &gateway.node;
        node.outside_refused(&controller.reference, &signed.manifest)
    });
    Controller {
        refused,
        ..controller
    }
}

pub(super) fn find(network: &Network, name: &str) -> Option<Digest> {
    let by_selector = || network.resolve_controller(&name.parse().ok()?);
    name.parse().ok().or_else(by_selector)
}

/// The versions of a controller that listings show, the lowest first.
fn versions(
    gateway: &Gateway,
    caller: &Caller,
    name: &str,
) -> Result<Json<List<Controller>>, Failure> {
    let controller = name.parse();
    let controller =
        controller.map_err(|error| Failure::invalid("path", format!("{name:?}: {error}")))?;
    let network = gateway.node.network();
    let versions: Vec<_> = network
        .versions(&controller)
        .filter_map(|digest| Some((digest, network.controller(digest)?)))
        .filter(|(_, known)| known.published.listed || caller.role == Role::Operator)
        .map(|(digest, known)| describe(&network, caller, digest, known))
        .collect();
    if versions.is_empty() {
        return Err(NodeError::ControllerUnknown(name.to_owned()).into());
    }
    Ok(Json(List::complete(versions)))
}

pub(super) async fn set_standing(
    State(gateway): State<Gateway>,
    post: Post<SetStanding>,
) -> Result<Json<Controller>, Failure> {
    let SetStanding {
        reference,
        standing,
        reason,
    } = post.body;
    let standing = match standing {
        Standing::Current => network::Standing::Current,
        Standing::Deprecated => network::Standing::Deprecated,
        Standing::Yanked => network::Standing::Yanked,
    };
    let name = reference.to_string();
    let stated = network::Stated { standing, reason };
    let set = network::SetStanding { reference, stated };
    gateway.node.set_standing(&post.caller, set).await?;
    known(&gateway, &post.caller, name).map(Json)
}

pub(super) async fn tag(
    State(gateway): State<Gateway>,
    post: Post<TagController>,
) -> Result<Json<TagController>, Failure> {
    let TagController {
        controller,
        tag,
        version,
    } = post.body.clone();
    let key = network::TagKey { controller, tag };
    let tag = network::TagController { key, version };
    gateway.node.tag_controller(&post.caller, tag).await?;
    Ok(Json(post.body))
}

fn known(gateway: &Gateway, caller: &Caller, name: String) -> Result<Controller, Failure> {
    let network = gateway.node.network();
    let found = find(&network, &name).and_then(|digest| {
        let known = network.controller(digest)?;
        Some(describe(&network, caller, digest, known))
    });
    found.ok_or_else(|| NodeError::ControllerUnknown(name).into())
}

pub(super) async fn publish(
    State(gateway): State<Gateway>,
    post: Post<PublishController>,
) -> Result<(StatusCode, Json<Controller>), Failure> {
    let PublishController {
        reference,
        kind,
        source,
        component,
        listed,
        description,
        release,
    } = post.body;
    let new = NewController {
        reference,
        kind: match kind {
            ControllerKind::Grammar => network::ControllerKind::Grammar,
            ControllerKind::Script => network::ControllerKind::Script,
            ControllerKind::Wasm => network::ControllerKind::Wasm,
            ControllerKind::Function => network::ControllerKind::Function,
        },
        source,
        listed,
        description,
    };
    let digest = match release {
        None => gateway.node.publish_controller(&post.caller, new).await?,
        Some(signed) => {
            let release = released(new, signed, component.as_deref());
            let node = &gateway.node;
            node.publish_release(&post.caller, release, component)
                .await?
        }
    };
    let network = gateway.node.network();
    let published = network.controller(digest);
    let published = published.ok_or_else(|| NodeError::ControllerUnknown(digest.to_string()))?;
    let described = describe(&network, &post.caller, digest, published);
    Ok((StatusCode::CREATED, Json(described)))
}

fn released(controller: NewController, signed: Signed, component: Option<&[u8]>) -> NewRelease {
    let content = component.unwrap_or(controller.source.as_bytes());
    let release = network::Release {
        content: network::content_digest(content),
        content_bytes: content.len() as u64,
        manifest: signed.manifest,
        publisher: signed.publisher,
        signature: signed.signature,
    };
    NewRelease {
        controller,
        release,
    }
}

fn describe(
    network: &Network,
    caller: &Caller,
    digest: Digest,
    controller: &network::Controller,
) -> Controller {
    let published = &controller.published;
    let owner = addresses::developer(&published.reference.owner);
    let stated = network.stated(digest);
    let name = published.reference.controller();
    let tags = network.tags(&name).filter(|(_, tagged)| *tagged == digest);
    let release = network.release(digest);
    let inside = caller.must_own(&owner).is_ok();
    // Whoever may list functions knows these already.
    let is_function = published.kind == network::ControllerKind::Function;
    Controller {
        reference: published.reference.clone(),
        digest,
        description: published.description.clone(),
        published_at: controller.published_at,
        score: network.score(digest).map(Ppm::parts),
        standing: match stated.standing {
            network::Standing::Current => Standing::Current,
            network::Standing::Deprecated => Standing::Deprecated,
            network::Standing::Yanked => Standing::Yanked,
        },
        reason: stated.reason,
        tags: tags.map(|(tag, _)| tag.to_string()).collect(),
        content: release.map(|release| release.content),
        release: release.map(|release| Signed {
            manifest: release.manifest.clone(),
            publisher: release.publisher,
            signature: release.signature,
        }),
        refused: None,
        kind: (inside || is_function).then_some(match published.kind {
            network::ControllerKind::Grammar => ControllerKind::Grammar,
            network::ControllerKind::Script => ControllerKind::Script,
            network::ControllerKind::Wasm => ControllerKind::Wasm,
            network::ControllerKind::Function => ControllerKind::Function,
        }),
        source: Some(published.source.clone()).filter(|source| inside && !source.is_empty()),
        listed: inside.then_some(published.listed),
    }
}

pub(super) async fn price_book(
    State(gateway): State<Gateway>,
    _: Key,
    Asked(Nothing {}): Asked<Nothing>,
) -> Json<List<PricePage>> {
    let network = gateway.node.network();
    let pages = network.models().map(|(name, model)| PricePage {
        model: name.clone(),
        version: model.price_version,
        price: price(&model.price),
    });
    Json(List::complete(pages.collect()))
}
