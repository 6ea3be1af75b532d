use super::money::transfer_id;
use crate::extract::{Key, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{List, MoveStake, RegisterValidator, Validator};
use aigen_node::NodeError;
use aigen_node::network::{self, Network, NewValidator, Refusal, addresses};
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

pub(super) async fn add_stake(
    State(gateway): State<Gateway>,
    post: Post<MoveStake>,
) -> Result<Json<Validator>, Failure> {
    let change = change(&post)?;
    let payer = addresses::validator(&change.validator);
    let name = change.validator.clone();
    let moved = gateway.node.add_stake(&post.caller, change).await;
    moved.map_err(|error| Failure::to_payer(error, &payer))?;
    one(&gateway, &name)
}

pub(super) async fn remove_stake(
    State(gateway): State<Gateway>,
    post: Post<MoveStake>,
) -> Result<Json<Validator>, Failure> {
    let change = change(&post)?;
    let name = change.validator.clone();
    gateway.node.remove_stake(&post.caller, change).await?;
    one(&gateway, &name)
}

fn change(post: &Post<MoveStake>) -> Result<network::MoveStake, Failure> {
    let (caller, body) = (&post.caller, &post.body);
    let chosen = transfer_id(caller, post.idempotency_key.as_deref(), body.id)?;
    Ok(network::MoveStake {
        id: caller.transfer_id(chosen),
        validator: body.validator.clone(),
        amount: body.amount,
    })
}

fn one(gateway: &Gateway, name: &Slug) -> Result<Json<Validator>, Failure> {
    let network = gateway.node.network();
    let mut validators = network.validators();
    let found = validators.find(|(known, _)| *known == name);
    let (_, validator) = found.ok_or(NodeError::Refused(Refusal::ValidatorUnknown))?;
    Ok(Json(describe(&network, name, validator)))
}

fn describe(network: &Network, name: &Slug, validator: &network::Validator) -> Validator {
    Validator {
        name: name.clone(),
        owner: validator.owner.clone(),
        stake: network.available(&addresses::stake(name)),
        active_stake: network.active_stake(name),
        skill: validator.skill,
    }
}
