use super::answer::served;
use crate::extract::{Key, Named};
use crate::failure::Failure;
use crate::functions;
use crate::state::Gateway;
use aigen_api::openai::{
    ListObject, Model, ModelInfo, ModelList, ModelObject, ModelPrice, Upstreams,
};
use aigen_node::economy::Price;
use aigen_node::network::{Network, Refusal};
use aigen_node::{Caller, ControlLevel, NodeError, Served};
use aigen_types::ModelName;
use axum::Json;
use axum::extract::State;

/// Those that the key may ask.
pub(super) async fn list(State(gateway): State<Gateway>, Key(caller): Key) -> Json<ModelList> {
    let functions: Vec<_> = functions::models(&gateway).collect();
    let network = gateway.node.network();
    let models = gateway.node.models();
    let described = models
        .iter()
        .filter(|(name, _)| is_allowed(&network, &caller, name))
        .filter_map(|(name, served)| describe(&network, name, served));
    Json(ModelList {
        object: ListObject::Is,
        data: described.chain(functions).collect(),
    })
}

pub(super) async fn get(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Named(id): Named<String>,
) -> Result<Json<Model>, Failure> {
    if id.starts_with("fn:") {
        let function = functions::models(&gateway).find(|model| {
            let name = model.id.split('@').next();
            model.id == id || name == Some(id.as_str())
        });
        let unknown = || Failure::from(NodeError::FunctionUnknown(id));
        return function.map(Json).ok_or_else(unknown);
    }
    let (name, served) = served(&gateway, &id)?;
    may_ask(&gateway, &caller, &name)?;
    let found = describe(&gateway.node.network(), &name, &served);
    let unknown = || Failure::model_unknown(&id, gateway.node.models().keys());
    found.map(Json).ok_or_else(unknown)
}

/// Whether a key may ask a model, for what is not a call and so is not checked by the network.
///
/// # Errors
/// The key is limited to others.
pub(crate) fn may_ask(
    gateway: &Gateway,
    caller: &Caller,
    model: &ModelName,
) -> Result<(), Failure> {
    match is_allowed(&gateway.node.network(), caller, model) {
        true => Ok(()),
        false => Err(NodeError::Refused(Refusal::ModelNotAllowed).into()),
    }
}

fn is_allowed(network: &Network, caller: &Caller, model: &ModelName) -> bool {
    let limits = network.keyring().limits.get(&caller.key);
    limits.is_none_or(|limits| limits.models.is_empty() || limits.models.contains(model))
}

/// `None` for a model that runs but is not in the catalogue: it has no price.
pub(crate) fn describe(network: &Network, name: &ModelName, served: &Served) -> Option<Model> {
    let model = network.model(name)?;
    let info = served.info();
    let open = info.upstreams.iter().filter(|upstream| upstream.open);
    let open = u32::try_from(open.count()).unwrap_or(u32::MAX);
    let total = u32::try_from(info.upstreams.len()).unwrap_or(u32::MAX);
    Some(Model {
        id: name.to_string(),
        object: ModelObject::Is,
        created: 0,
        owned_by: model.provider.to_string(),
        aigen: Some(ModelInfo {
            digest: model.digest,
            context_tokens: info.context_tokens,
            control: control(info.control).to_owned(),
            probabilities: info.probabilities,
            engine: info.engine,
            // How many, not who: an operator's machines are nobody else's business.
            upstreams: (total > 0).then_some(Upstreams {
                total,
                available: total - open,
            }),
            price: price(&model.price),
        }),
    })
}

fn control(level: ControlLevel) -> &'static str {
    match level {
        ControlLevel::Text => "text",
        ControlLevel::Schema => "schema",
        ControlLevel::Token => "token",
    }
}

pub(crate) fn price(price: &Price) -> ModelPrice {
    ModelPrice {
        input: price.input,
        cached_input: price.cached_input,
        output: price.output,
        request: price.request,
    }
}
