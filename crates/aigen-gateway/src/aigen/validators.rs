use crate::extract::{Key, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{List, RegisterValidator, Validator};
use aigen_node::network::{self, Network, NewValidator, addresses};
use aigen_types::Slug;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

pub(super) async fn list(State(gateway): State<Gateway>, _: Key) -> Json<List<Validator>> {
    let network = gateway.node.network();
    let validators = network.validators();
    let validators = validators.map(|(name, validator)| describe(&network, name, validator));
    Json(List::complete(validators.collect()))
}

pub(super) async fn register(
    State(gateway): State<Gateway>,
    post: Post<RegisterValidator>,
) -> Result<(StatusCode, Json<Validator>), Failure> {
    let RegisterValidator { name, owner, stake } = post.body;
    let payer = addresses::validator(&name);
    let new = NewValidator {
        name: name.clone(),
        owner: owner.clone(),
        stake,
    };
    let registered = gateway.node.register_validator(&post.caller, new).await;
    registered.map_err(|error| Failure::to_payer(error, &payer))?;
    let registered = network::Validator { owner, skill: 0 };
    let described = describe(&gateway.node.network(), &name, &registered);
    Ok((StatusCode::CREATED, Json(described)))
}

fn describe(network: &Network, name: &Slug, validator: &network::Validator) -> Validator {
    Validator {
        name: name.clone(),
        owner: validator.owner.clone(),
        stake: network.available(&addresses::stake(name)),
        skill: validator.skill,
    }
}
