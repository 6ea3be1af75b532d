//! Published functions, called by name: `{input}` in, `{value, receipt}` out. They are controllers
//! like any other below, so nothing here knows of money.

mod call;
mod document;
mod named;

use crate::extract::{Key, Named};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::Function;
use aigen_node::Function as Read;
use aigen_node::network::{Controller, Network};
use aigen_types::{Digest, Ppm};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

pub(crate) use named::{addressed, models};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/v1/functions/openapi.json", get(document::of_all))
        .route("/v1/functions/{*name}", get(show).post(call::create))
}

/// One function, or its OpenAPI document.
async fn show(
    State(gateway): State<Gateway>,
    _: Key,
    Named(name): Named<String>,
) -> Result<Response, Failure> {
    match name.strip_suffix("/openapi.json") {
        Some(name) => {
            let function = one(&gateway, name)?;
            Ok(Json(document::of(&[function])).into_response())
        }
        None => Ok(Json(one(&gateway, &name)?).into_response()),
    }
}

fn one(gateway: &Gateway, name: &str) -> Result<Function, Failure> {
    let (digest, function) = gateway.node.function(name)?;
    let network = gateway.node.network();
    let known = network.controller(digest);
    let described = known.map(|known| describe(&network, digest, known, &function));
    described.ok_or_else(|| aigen_node::NodeError::FunctionUnknown(name.to_owned()).into())
}

/// Every listed function in the version that its name alone means.
pub(crate) fn all(gateway: &Gateway) -> Vec<Function> {
    let functions = gateway.node.functions();
    let network = gateway.node.network();
    let all = functions.iter();
    all.map(|(digest, known, function)| describe(&network, *digest, known, function))
        .collect()
}

fn describe(network: &Network, digest: Digest, known: &Controller, function: &Read) -> Function {
    Function {
        reference: known.published.reference.clone(),
        digest,
        description: function.description.clone(),
        input: function.input().clone(),
        output: function.output().clone(),
        max_tokens: function.max_tokens,
        temperature: function.temperature,
        retries: function.retries,
        model: function.model.clone(),
        score: network.score(digest).map(Ppm::parts),
    }
}

/// The model that computes a function: the one that is asked for, the function's own, or the
/// first here that writes text.
fn model(gateway: &Gateway, asked: Option<&String>, function: &Read) -> Result<String, Failure> {
    if let Some(model) = asked.or(function.model.as_ref()) {
        return Ok(model.clone());
    }
    let models = gateway.node.models();
    let mut writing = models.iter().filter(|(_, served)| !served.makes_vectors());
    let first = writing.next().map(|(name, _)| name.to_string());
    first.ok_or_else(|| Failure::no_models(&gateway.node.loading()))
}
