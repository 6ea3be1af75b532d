//! Asks a suite's questions of a controller, and has its judges asked, through the public API.

use super::check::{FAVOURABLE, Judge};
use super::evidence::{Answer, Evidence, Key};
use super::suite::{Case, Suite};
use super::transcript::{ANSWER, Transcript, paraphrase, verdict};
use crate::reach::Asked;
use aigen_api::openai::{
    AigenStop, ChatRequest, ChatResponse, Extension, Message, ModelPrice, Role,
};
use aigen_api::resources::{List, PricePage};
use aigen_client::ClientError;
use aigen_economy::{Price, cover};
use aigen_types::{Amount, Digest, Slug};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Requests one evaluation keeps running at a time: enough for the node to batch, few enough
/// to leave it to others.
const RUNNING_MAX: usize = 4;

/// How creative an evaluated controller may be. Above zero, so that validators with seeds of
/// their own see transcripts of their own.
const TEMPERATURE: f64 = 0.4;

/// Tokens that a chat template puts around a message, and some more. A token is at least one byte.
const TEMPLATE_TOKENS_MAX: u64 = 256;

/// Tokens of a verdict: `first` or `second`, however a model spells them.
const VERDICT_TOKENS_MAX: u32 = 16;

/// What a whole suite says of one controller.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// By parameter: the mean over the cases, in parts per million.
    pub scores: BTreeMap<Slug, u32>,
    /// Cases that were asked.
    pub cases: usize,
}

/// Somebody who evaluates.
pub struct Evaluator<'a> {
    /// The node to ask.
    pub node: &'a Asked,
    /// The model to evaluate with.
    pub model: &'a str,
    /// What was asked before, and what may be spent.
    pub evidence: &'a Evidence,
    /// Makes transcripts one's own: every seed follows from it.
    pub seeds: &'a str,
    prices: BTreeMap<String, Price>,
}

/// Why a question has no answer.
enum Unasked {
    /// It might cost more than may be spent.
    Unaffordable,
    /// It could not be asked at all.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Unasked {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<'a> Evaluator<'a> {
    /// # Errors
    /// When the node cannot be asked what its models cost.
    pub async fn new(
        node: &'a Asked,
        model: &'a str,
        evidence: &'a Evidence,
        seeds: &'a str,
    ) -> Result<Self> {
        let pages: List<PricePage> = node.get("/v1/aigen/price-book").await?;
        let pages = pages.data.into_iter();
        let prices = pages
            .map(|page| (page.model.to_string(), price(&page.price)))
            .collect();
        Ok(Self {
            node,
            model,
            evidence,
            seeds,
            prices,
        })
    }

    /// Asks every case and judges every answer; `done` is called after each. `None` if there is
    /// not enough money for all of them.
    ///
    /// # Errors
    /// The first question that could not be asked, or a check that failed.
    pub async fn evaluate(
        &self,
        suite: &Suite,
        controller: Digest,
        done: impl Fn(),
    ) -> Result<Option<Evaluation>> {
        let asked = suite.cases.iter().enumerate().map(|(at, case)| {
            let done = &done;
            async move {
                let transcript = self.transcript(suite, controller, at, case).await;
                done();
                transcript
            }
        });
        let asked: Result<Vec<_>, _> = stream::iter(asked)
            .buffered(RUNNING_MAX)
            .try_collect()
            .await;
        let transcripts = match asked {
            Ok(transcripts) => transcripts,
            Err(Unasked::Unaffordable) => return Ok(None),
            Err(Unasked::Failed(error)) => return Err(error),
        };
        let scores = tokio::task::block_in_place(|| suite.scores(&transcripts))?;
        let cases = transcripts.len();
        Ok(Some(Evaluation { scores, cases }))
    }

    async fn transcript(
        &self,
        suite: &Suite,
        controller: Digest,
        at: usize,
        case: &Case,
    ) -> Result<Transcript, Unasked> {
        let mut transcript = Transcript::default();
        let key = |ask: &str| Key::new(controller, (&suite.name, suite.version), at, ask);
        for (wording, prompt) in suite.wordings().enumerate() {
            let ask = match wording.checked_sub(1) {
                None => ANSWER.to_owned(),
                Some(other) => paraphrase(other),
            };
            let request = self.question(suite, controller, case, prompt);
            let text = self.ask(key(&ask), request).await?;
            transcript.add(ask, text);
        }
        let answer = transcript.text(ANSWER).to_owned();
        for (parameter, check) in &suite.checks {
            for (rule, judge) in check.judges() {
                for order in 0..FAVOURABLE.len() {
                    let ask = verdict((parameter.as_str(), rule), order);
                    let request = judgement(judge, suite, case, &answer, order);
                    let text = self.ask(key(&ask), request).await?;
                    transcript.add(ask, text);
                }
            }
        }
        Ok(transcript)
    }

    fn question(
        &self,
        suite: &Suite,
        controller: Digest,
        case: &Case,
        prompt: &str,
    ) -> ChatRequest {
        let value = |name: &String| (name.clone(), case.param(name));
        let mut request = request(self.model, case.fill(prompt), suite.max_tokens);
        request.temperature = Some(TEMPERATURE);
        request.aigen = Some(Extension {
            controller: Some(controller.to_string()),
            params: suite.params.iter().map(value).collect(),
            ..Extension::default()
        });
        request
    }

    /// The text that answers, from the evidence if it was asked before.
    async fn ask(&self, key: Key, mut request: ChatRequest) -> Result<String, Unasked> {
        if let Some(answer) = self.evidence.find(&key) {
            return Ok(answer.text);
        }
        let seed = self.seed(&key);
        let most = self.most(&request)?;
        if !self.evidence.begin(&key, seed, most).await? {
            return Err(Unasked::Unaffordable);
        }
        request.seed = Some(seed);
        if let Some(extension) = &mut request.aigen {
            extension.max_cost = Some(most);
        }
        let answer = match self.node.try_post("/v1/chat/completions", &request).await {
            Ok(reply) => answer(&reply)?,
            Err(error) if is_controllers_fault(&error) => Answer::default(),
            Err(error) => {
                self.evidence.forget(&key);
                return Err(match out_of_money(&error) {
                    true => Unasked::Unaffordable,
                    false => Unasked::Failed(self.node.explain(error)),
                });
            }
        };
        let text = answer.text.clone();
        self.evidence.finish(key, seed, answer)?;
        Ok(text)
    }

    /// A transcript of one's own: whoever has another name sees other samples of a controller.
    fn seed(&self, key: &Key) -> i64 {
        let Key {
            controller,
            case,
            ask,
            ..
        } = key;
        let text = format!("{}/{controller}/{case}/{ask}", self.seeds);
        let hash = blake3::hash(text.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        i64::from_le_bytes(bytes) & i64::MAX
    }

    /// What a request can cost at most.
    fn most(&self, request: &ChatRequest) -> Result<Amount> {
        let price = self.prices.get(&request.model);
        let price =
            price.with_context(|| format!("the price book has no model {}", request.model))?;
        let bytes = serde_json::to_string(&request.messages)?.len() as u64;
        // A controller that takes tokens back pays for them too; most take none.
        let output = 2 * u64::from(request.max_tokens.unwrap_or(0));
        Ok(cover(price, bytes + TEMPLATE_TOKENS_MAX, output)?)
    }
}

fn request(model: &str, text: String, max_tokens: u32) -> ChatRequest {
    let mut request = ChatRequest::new(model, vec![Message::new(Role::User, text)]);
    request.max_tokens = Some(max_tokens);
    request
}

/// Two answers beside each other, of which the judge may say only which one is better.
fn judgement(judge: &Judge, suite: &Suite, case: &Case, answer: &str, order: usize) -> ChatRequest {
    let reference = case.first(&judge.against);
    let (first, second) = match order {
        0 => (answer, reference),
        _ => (reference, answer),
    };
    // The case's fields first: what a controller said is not searched for placeholders.
    let prompt = case
        .fill(&judge.prompt)
        .replace("{question}", &case.fill(&suite.prompt));
    let prompt = prompt.replace("{first}", first).replace("{second}", second);
    let mut request = request(&judge.model, prompt, VERDICT_TOKENS_MAX);
    request.temperature = Some(0.0);
    let options = json!({ "options": FAVOURABLE });
    request.aigen = Some(Extension {
        controller: Some("choice".to_owned()),
        params: options
            .as_object()
            .cloned()
            .unwrap_or_else(Map::<String, Value>::new),
        ..Extension::default()
    });
    request
}

/// What money cut short is no answer.
fn answer(reply: &ChatResponse) -> Result<Answer, Unasked> {
    let aigen = reply.aigen.as_ref();
    if aigen.is_some_and(|aigen| aigen.stop == Some(AigenStop::Budget)) {
        return Err(Unasked::Unaffordable);
    }
    let cost = aigen.map_or(0, |aigen| aigen.cost.nano());
    Ok(Answer {
        text: reply.text().to_owned(),
        cost_nano: u64::try_from(cost)?,
        receipt: aigen.map(|aigen| aigen.receipt.to_string()),
    })
}

/// A controller that refuses or fails has answered: wrongly.
fn is_controllers_fault(error: &ClientError) -> bool {
    const CONTROLLER_REFUSED: u16 = 422;
    matches!(
        error,
        ClientError::Api {
            status: CONTROLLER_REFUSED,
            ..
        }
    )
}

fn out_of_money(error: &ClientError) -> bool {
    const PAYMENT_REQUIRED: u16 = 402;
    matches!(
        error,
        ClientError::Api {
            status: PAYMENT_REQUIRED,
            ..
        }
    )
}

fn price(price: &ModelPrice) -> Price {
    Price {
        input: price.input,
        cached_input: price.cached_input,
        output: price.output,
        request: price.request,
    }
}
