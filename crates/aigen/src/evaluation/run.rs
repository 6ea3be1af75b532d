use super::suite::{Case, Suite, score};
use crate::reach::Asked;
use aigen_api::openai::{ChatRequest, ChatResponse, Extension, Message, Role};
use aigen_client::ClientError;
use aigen_types::{Amount, Digest};
use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Requests one evaluation keeps running at a time: enough for the node to batch, few enough
/// to leave it to others.
const RUNNING_MAX: usize = 4;

/// How creative an evaluated controller may be. Above zero, so that validators with seeds of
/// their own see transcripts of their own.
const TEMPERATURE: f64 = 0.4;

/// One answer of a controller.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it said; empty if it failed.
    pub text: String,
    /// What it cost.
    pub cost: Amount,
}

/// What a whole suite says of one controller.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// By parameter: the share of cases that passed, in parts per million.
    pub scores: BTreeMap<String, u32>,
    /// What finding out cost.
    pub cost: Amount,
}

/// Asks one case of a controller through the public API.
///
/// # Errors
/// When the node cannot be reached or refuses for a reason that is not the controller's.
pub async fn ask(
    node: &Asked,
    model: &str,
    suite: &Suite,
    case: &Case,
    controller: &str,
    seed: i64,
) -> Result<Answer> {
    let mut request = ChatRequest::new(
        model,
        vec![Message::new(Role::User, case.fill(&suite.prompt))],
    );
    request.max_tokens = Some(suite.max_tokens);
    request.temperature = Some(TEMPERATURE);
    request.seed = Some(seed);
    request.aigen = Some(Extension {
        controller: Some(controller.to_owned()),
        params: params(suite, case),
        ..Extension::default()
    });
    match node
        .post::<ChatResponse>("/v1/chat/completions", &request)
        .await
    {
        Ok(reply) => Ok(Answer {
            text: reply.text().to_owned(),
            cost: reply.aigen.map_or(Amount::ZERO, |aigen| aigen.cost),
        }),
        Err(error) if is_controllers_fault(&error) => Ok(Answer {
            text: String::new(),
            cost: Amount::ZERO,
        }),
        Err(error) => Err(error),
    }
}

/// A controller that refuses or fails has answered: wrongly.
fn is_controllers_fault(error: &anyhow::Error) -> bool {
    const CONTROLLER_REFUSED: u16 = 422;
    matches!(
        error.downcast_ref(),
        Some(ClientError::Api {
            status: CONTROLLER_REFUSED,
            ..
        })
    )
}

fn params(suite: &Suite, case: &Case) -> Map<String, Value> {
    let value = |name: &String| (name.clone(), case.param(name));
    suite.params.iter().map(value).collect()
}

/// Asks every case and judges every answer. `seeds` gives each case a seed of this evaluator's own;
/// `done` is called after each.
///
/// # Errors
/// The first case that could not be asked.
pub async fn evaluate(
    node: &Asked,
    model: &str,
    suite: &Suite,
    controller: Digest,
    seeds: impl Fn(usize) -> i64,
    done: impl Fn(),
) -> Result<Evaluation> {
    let name = controller.to_string();
    let asked = suite.cases.iter().enumerate().map(|(at, case)| {
        let (seed, name, done) = (seeds(at), &name, &done);
        async move {
            let answer = ask(node, model, suite, case, name, seed).await;
            done();
            answer
        }
    });
    let answers: Vec<_> = stream::iter(asked)
        .buffered(RUNNING_MAX)
        .try_collect()
        .await?;
    let scores = suite.checks.keys().map(|parameter| {
        let judged = suite.cases.iter().zip(&answers);
        let passed = judged
            .filter(|(case, answer)| suite.passes(parameter, case, &answer.text) == Some(true))
            .count();
        (parameter.clone(), score(passed, answers.len()))
    });
    Ok(Evaluation {
        scores: scores.collect(),
        cost: answers.iter().map(|answer| answer.cost).sum(),
    })
}
