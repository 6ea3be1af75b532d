//! Try a model and a controller: the answer as it comes, coloured by how each token came about,
//! and what it costs.

mod ticking;

use super::{answer, encoded, receipts};
use crate::api::{Asked, Trouble};
use crate::guard::{Posted, SignedIn};
use crate::layout::token;
use crate::sessions::Session;
use crate::show::aigen;
use aigen_api::openai::{Citation, Model, ModelList};
use aigen_api::resources::{Controller, Dataset, DatasetUse, List, Receipt};
use axum::body::{Body, BodyDataStream};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::{Value, json};
use std::convert::Infallible;
use ticking::Ticking;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

/// Frames on their way to the browser; a slow one slows the call, and nothing is lost.
const FRAMES: usize = 32;
const TOKENS_MAX: u32 = 2_048;

pub async fn show(who: SignedIn) -> Response {
    let main = form(&who.api(), &who.session).await;
    answer(&who, "/playground", "Playground", main)
}

async fn form(api: &Asked<'_>, session: &Session) -> Result<Markup, Trouble> {
    let models: ModelList = api.get("/v1/models").await?;
    let controllers: List<Controller> = api
        .get("/v1/aigen/controllers?limit=200&sort=score")
        .await?;
    let datasets: List<Dataset> = api.get("/v1/aigen/datasets?limit=200").await?;
    let for_prompts = datasets
        .data
        .iter()
        .filter(|dataset| serves_prompts(dataset));
    Ok(html! {
        h1 { "Playground" }
        form.stack method="post" action="/playground" data-stream="/playground/stream" {
            (token(session))
            div.row {
                label { "Model" select name="model" { @for model in &models.data { option { (model.id) } } } }
                label {
                    "Controller"
                    select name="controller" {
                        option value="" { "none" }
                        @for controller in &controllers.data { option value=(controller.reference) { (controller.reference) } }
                    }
                }
                label {
                    "Dataset"
                    select name="dataset" {
                        option value="" { "none" }
                        @for dataset in for_prompts { option value=(dataset.reference) { (dataset.reference) } }
                    }
                }
                label { "Tokens at most" input name="max_tokens" type="number" min="1" max=(TOKENS_MAX) value="64"; }
            }
            label {
                "Controller's parameters"
                span.quiet { "A JSON object, like {\"options\": [\"yes\", \"no\"]}" }
                input name="params";
            }
            label { "Message" textarea name="message" rows="4" required { } }
            div { button type="submit" { "Ask" } }
        }
        h2 { "Answer" }
        div #answer .answer aria-live="polite" {}
        ul.kinds aria-label="Colours" {
            li.sampled { "sampled" } li.masked { "sampled among a few" } li.forced { "forced" }
            li.forked { "in a branch" } li.taken-back { "taken back" }
        }
        h2 { "Cost" }
        div #cost { "Nothing yet." }
    })
}

fn serves_prompts(dataset: &Dataset) -> bool {
    let allowed = dataset.uses.contains(&DatasetUse::Completion);
    allowed && dataset.here && dataset.withdrawn.is_none()
}

/// What the form asks the API for.
fn request(posted: &Posted) -> Result<Value, Trouble> {
    let max_tokens: u32 = posted.field("max_tokens").parse().unwrap_or(64);
    let mut request = json!({
        "model": posted.field("model"),
        "messages": [{ "role": "user", "content": posted.field("message") }],
        "max_tokens": max_tokens.clamp(1, TOKENS_MAX),
        "aigen": {},
    });
    if !posted.field("controller").is_empty() {
        request["aigen"]["controller"] = posted.field("controller").into();
    }
    if !posted.field("dataset").is_empty() {
        request["aigen"]["datasets"] = json!([posted.field("dataset")]);
    }
    if !posted.field("params").is_empty() {
        let params: Result<Value, _> = serde_json::from_str(posted.field("params"));
        request["aigen"]["params"] = params.map_err(|error| Trouble {
            status: axum::http::StatusCode::BAD_REQUEST,
            message: format!("the controller's parameters are no JSON: {error}"),
            hint: "write them as an object, like {\"options\": [\"yes\", \"no\"]}".to_owned(),
        })?;
    }
    Ok(request)
}

/// For browsers without script: the whole answer at once.
pub async fn whole(posted: Posted) -> Response {
    let main = async {
        let api = posted.who.api();
        let reply = api
            .post::<Value>("/v1/chat/completions", &request(&posted)?)
            .await?;
        let content = reply["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_default();
        let receipt = receipt(&api, &reply["aigen"]).await?;
        Ok(html! {
            h1 { "Answer" }
            div.answer { (content) }
            (cited(&reply["aigen"]))
            h2 { "Cost" }
            (receipts::whole(&receipt))
            p { a href="/playground" { "Ask again" } }
        })
    };
    let main = main.await;
    answer(&posted.who, "/playground", "Answer", main)
}

/// The rows that stood in the prompt, by the numbers that the answer may name.
fn cited(extension: &Value) -> Markup {
    let cited: Vec<Citation> =
        serde_json::from_value(extension["citations"].clone()).unwrap_or_default();
    html! {
        @if !cited.is_empty() {
            h2 { "Rows in the prompt" }
            ul { @for one in &cited {
                li { "[" (one.number) "] row " (one.row) " of " a href={ "/datasets/" (one.dataset) } { (one.dataset) } }
            } }
        }
    }
}

async fn receipt(api: &Asked<'_>, extension: &Value) -> Result<Receipt, Trouble> {
    let id = extension["receipt"].as_str().unwrap_or_default();
    api.get(&format!("/v1/aigen/receipts/{id}")).await
}

/// The answer as it comes, as events of this page's own.
pub async fn stream(posted: Posted) -> Response {
    let (frames, stream) = tokio::sync::mpsc::channel(FRAMES);
    tokio::spawn(async move {
        let frames = Frames(frames);
        if let Err(met) = relay(&posted, &frames).await {
            let said = json!({ "message": met.message, "hint": met.hint });
            frames.send("trouble", &said).await;
        }
    });
    let body = ReceiverStream::new(stream).map(Ok::<_, Infallible>);
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(body),
    )
        .into_response()
}

struct Frames(tokio::sync::mpsc::Sender<String>);

impl Frames {
    /// Whether the browser is still there.
    async fn send(&self, kind: &str, data: &Value) -> bool {
        self.0
            .send(format!("event: {kind}\ndata: {data}\n\n"))
            .await
            .is_ok()
    }
}

async fn relay(posted: &Posted, frames: &Frames) -> Result<(), Trouble> {
    let api = posted.who.api();
    let path = format!("/v1/models/{}", encoded(posted.field("model")));
    let model: Model = api.get(&path).await?;
    // Of an answer from elsewhere nobody here sees how its tokens came about.
    let info = model.aigen;
    let traced = info.as_ref().is_some_and(|info| info.control == "token");
    let mut request = request(posted)?;
    request["stream"] = true.into();
    request["aigen"]["trace"] = traced.into();
    let price = info.map(|info| info.price).unwrap_or_default();
    let mut ticking = Ticking::begin(&api, price, &request).await;
    let reply = api.open("/v1/chat/completions", &request).await?;
    let mut events = Events::of(reply.into_body().into_data_stream());
    let mut extension = Value::Null;
    while let Some(event) = events.next().await {
        if !event["error"].is_null() {
            let said =
                json!({ "message": event["error"]["message"], "hint": event["error"]["hint"] });
            frames.send("trouble", &said).await;
        }
        if event["aigen"].is_object() {
            extension = event["aigen"].clone();
        }
        let told = if traced {
            steps(&event)
        } else {
            content(&event)
        };
        for told in told {
            ticking.tick(&told);
            // Whoever left is charged for what was computed, as by any other client.
            if !frames.send("token", &told).await || !frames.send("cost", &ticking.told()).await {
                return Ok(());
            }
        }
    }
    if extension["receipt"].is_string() {
        let receipt = receipt(&api, &extension).await?;
        let html = html! {
            p { strong { (aigen(receipt.total)) } }
            (cited(&extension))
            (receipts::whole(&receipt))
        };
        frames
            .send("end", &json!({ "html": html.into_string() }))
            .await;
    }
    Ok(())
}

/// The text of an event, of which nothing more is known.
fn content(event: &Value) -> Vec<Value> {
    let content = event["choices"][0]["delta"]["content"].as_str();
    let content = content.filter(|text| !text.is_empty());
    let token = content.map(|text| json!({ "text": text, "kind": "sampled" }));
    token.into_iter().collect()
}

/// The tokens of an event: text and how each came about, or how many were taken back.
fn steps(event: &Value) -> Vec<Value> {
    let steps = event["steps"].as_array();
    steps.into_iter().flatten().filter_map(step).collect()
}

fn step(step: &Value) -> Option<Value> {
    let branch = step["branch"].as_u64().unwrap_or_default();
    let kind = match step["kind"].as_str()? {
        "removed" => return Some(json!({ "branch": branch, "removed": step["tokens"] })),
        "sampled" if branch > 0 => "forked",
        "sampled" if step["masked"].as_u64() > Some(0) => "masked",
        "sampled" => "sampled",
        "forced" => "forced",
        _ => return None,
    };
    Some(json!({ "branch": branch, "kind": kind, "text": step["text"] }))
}

/// The API's events, out of the bytes of its body.
struct Events {
    body: BodyDataStream,
    text: Vec<u8>,
}

impl Events {
    fn of(body: BodyDataStream) -> Self {
        Self {
            body,
            text: Vec::new(),
        }
    }

    /// The next event that is JSON; comments and the last word are skipped.
    async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.text.drain(..end + 2).collect();
                let frame = String::from_utf8_lossy(&frame);
                let data = frame.lines().find_map(|line| line.strip_prefix("data: "));
                if let Some(event) = data.and_then(|data| serde_json::from_str(data).ok()) {
                    return Some(event);
                }
            }
            let bytes = self.body.next().await?.ok()?;
            self.text.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_coloured_by_how_they_came_about() {
        let event = json!({ "index": 0, "steps": [
            { "branch": 0, "position": 0, "kind": "decided", "why": "open", "decision": "generate", "micros": 1, "fuel": 2 },
            { "branch": 0, "position": 0, "kind": "forced", "token": 1, "text": "Word: ", "masked": 0 },
            { "branch": 0, "position": 1, "kind": "sampled", "token": 2, "text": "yes", "masked": 500 },
            { "branch": 0, "position": 2, "kind": "sampled", "token": 3, "text": "!", "masked": 0 },
            { "branch": 0, "position": 3, "kind": "removed", "tokens": 1 },
            { "branch": 1, "position": 2, "kind": "sampled", "token": 4, "text": ".", "masked": 9 },
        ]});
        let told: Vec<_> = steps(&event).iter().map(Value::to_string).collect();
        assert_eq!(
            told,
            [
                r#"{"branch":0,"kind":"forced","text":"Word: "}"#,
                r#"{"branch":0,"kind":"masked","text":"yes"}"#,
                r#"{"branch":0,"kind":"sampled","text":"!"}"#,
                r#"{"branch":0,"removed":1}"#,
                r#"{"branch":1,"kind":"forked","text":"."}"#,
            ]
        );
    }

    #[tokio::test]
    async fn events_are_read_however_their_bytes_are_cut() {
        let text =
            ": waiting\n\ndata: {\"a\":1}\n\nevent: trace\ndata: {\"b\":2}\n\ndata: [DONE]\n\n";
        for size in 1..text.len() {
            let pieces: Vec<_> = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
            let stream = tokio_stream::iter(pieces).map(Ok::<_, Infallible>);
            let mut events = Events::of(Body::from_stream(stream).into_data_stream());
            let mut seen = Vec::new();
            while let Some(event) = events.next().await {
                seen.push(event.to_string());
            }
            assert_eq!(seen, [r#"{"a":1}"#, r#"{"b":2}"#], "{size}");
        }
    }
}
