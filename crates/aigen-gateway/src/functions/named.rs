//! Functions where a model is named: `fn:owner/name`, with or without a version.

use super::model;
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::anthropic::MessagesRequest;
use aigen_api::openai::{ChatRequest, Extension, Model, ModelObject, ResponsesRequest};

const PREFIX: &str = "fn:";

/// What of a request says who answers it, on every route where a model is named.
pub(crate) trait Addressed {
    /// Its model, its extension and its temperature.
    fn parts(&mut self) -> (&mut String, &mut Option<Extension>, &mut Option<f64>);
}

impl Addressed for ChatRequest {
    fn parts(&mut self) -> (&mut String, &mut Option<Extension>, &mut Option<f64>) {
        (&mut self.model, &mut self.aigen, &mut self.temperature)
    }
}

impl Addressed for ResponsesRequest {
    fn parts(&mut self) -> (&mut String, &mut Option<Extension>, &mut Option<f64>) {
        (&mut self.model, &mut self.aigen, &mut self.temperature)
    }
}

impl Addressed for MessagesRequest {
    fn parts(&mut self) -> (&mut String, &mut Option<Extension>, &mut Option<f64>) {
        (&mut self.model, &mut self.aigen, &mut self.temperature)
    }
}

/// Lets a function that the request names compute it: with the model that the request or the
/// function names, and the function's temperature where the request has none. Called once the
/// request's own bounds are checked: a function may be warmer than Anthropic's scale reaches.
pub(crate) fn addressed(gateway: &Gateway, request: &mut impl Addressed) -> Result<(), Failure> {
    let (named, extension, temperature) = request.parts();
    let mut aigen = extension.clone().unwrap_or_default();
    let Some(name) = named.strip_prefix(PREFIX) else {
        let controller = aigen.controller.as_deref();
        let function = controller.and_then(|name| gateway.node.function(name).ok());
        if let Some((_, function)) = function {
            temperature.get_or_insert(function.temperature);
        }
        return Ok(());
    };
    if aigen.controller.is_some() {
        let reason = "the model is a function, which steers itself";
        return Err(Failure::invalid("aigen.controller", reason));
    }
    let found = gateway.node.function(name);
    let (digest, function) = found.map_err(|error| Failure::from(error).param("model"))?;
    let model = model(gateway, aigen.model.take().as_ref(), &function)?;
    aigen.controller = Some(digest.to_string());
    *named = model;
    temperature.get_or_insert(function.temperature);
    *extension = Some(aigen);
    Ok(())
}

/// Every listed function as a model.
pub(crate) fn models(gateway: &Gateway) -> impl Iterator<Item = Model> {
    let functions = gateway.node.functions().into_iter();
    functions.map(|(_, known, _)| Model {
        id: format!("{PREFIX}{}", known.published.reference),
        object: ModelObject::Is,
        created: known.published_at.0 / 1_000_000_000,
        owned_by: known.published.reference.owner.to_string(),
        aigen: None,
    })
}
