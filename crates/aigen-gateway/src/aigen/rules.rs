//! The rules of scoring and their versions.

use super::settlement;
use crate::extract::{Key, Post};
use crate::failure::Failure;
use crate::state::Gateway;
use aigen_api::resources::{List, ProposeRules, Rules, Terms};
use aigen_api::settlement as wire;
use aigen_node::economy::settlement::Input;
use aigen_node::network::{self, Network};
use aigen_types::Epoch;
use axum::Json;
use axum::extract::State;

pub(super) async fn list(State(gateway): State<Gateway>, _: Key) -> Json<List<Rules>> {
    let network = gateway.node.network();
    Json(List::complete(rules_versions(&network)))
}

pub(super) async fn propose(
    State(gateway): State<Gateway>,
    post: Post<ProposeRules>,
) -> Result<Json<List<Rules>>, Failure> {
    let ProposeRules {
        version,
        parameters,
        params,
        terms,
    } = post.body;
    let rules =
        read(parameters, params, terms).map_err(|problem| Failure::invalid("rules", problem))?;
    let propose = network::ProposeRules { version, rules };
    gateway.node.propose_rules(&post.caller, propose).await?;
    let network = gateway.node.network();
    Ok(Json(List::complete(rules_versions(&network))))
}

/// Every version, that of the founding first.
#[must_use]
pub fn rules_versions(network: &Network) -> Vec<Rules> {
    let founded = network.founded().map(|found| network::Rules {
        parameters: found.settings.parameters.clone(),
        params: found.settings.params,
        terms: network::Terms::default(),
    });
    let founded = founded.map(|rules| describe(0, Epoch(0), &rules));
    let later = network.rules_versions();
    let later = later.map(|(version, known)| describe(version, known.from, &known.rules));
    founded.into_iter().chain(later).collect()
}

fn describe(version: u64, from: Epoch, rules: &network::Rules) -> Rules {
    let as_input = Input {
        params: rules.params,
        parameters: rules.parameters.clone(),
        ..Input::default()
    };
    let wire::Input {
        params, parameters, ..
    } = settlement::input(&as_input);
    Rules {
        version,
        from,
        parameters,
        params,
        terms: terms_out(rules.terms),
    }
}

/// Rules as a file or a request gives them.
///
/// # Errors
/// What is wrong with them, by its path.
pub fn read(
    parameters: Vec<wire::Parameter>,
    params: wire::Params,
    terms: Terms,
) -> Result<network::Rules, String> {
    let as_input = wire::Input {
        params,
        parameters,
        controllers: Vec::new(),
        validators: Vec::new(),
        assigned: Vec::new(),
        reports: Vec::new(),
        gold: Vec::new(),
        gold_assigned: Vec::new(),
        gold_reports: Vec::new(),
        audits: Vec::new(),
    };
    let input = settlement::read_input(&as_input).map_err(|error| error.to_string())?;
    input.check().map_err(|error| error.to_string())?;
    Ok(network::Rules {
        parameters: input.parameters,
        params: input.params,
        terms: terms_in(terms),
    })
}

macro_rules! same_terms {
    ($($field:ident),*) => {
        fn terms_out(terms: network::Terms) -> Terms {
            Terms { $($field: terms.$field),* }
        }

        fn terms_in(terms: Terms) -> network::Terms {
            network::Terms { $($field: terms.$field),* }
        }
    };
}

same_terms!(
    activation_epochs,
    appeal_bond,
    appeal_seconds,
    commit_seconds,
    panel,
    registration_bond,
    reveal_seconds,
    timelock_epochs,
    unbonding_epochs
);
