//! What whoever keeps traces is told of a request, and what it is never told.

use super::world::{World, chat, request};
use crate::{Attribute, GatewayState, Span, Spans, router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Kept(Mutex<Vec<Span>>);

impl Spans for Kept {
    fn ended(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }
}

fn told(span: &Span) -> String {
    let attributes = span.attributes.iter().map(|(name, value)| {
        let value = match value {
            _ if name.contains("micros") => "[TIME]".to_owned(),
            Attribute::Text(text) => text.clone(),
            Attribute::Count(count) => count.to_string(),
            Attribute::Texts(texts) => format!("{texts:?}"),
        };
        format!("\n  {name} = {value}")
    });
    let attributes: String = attributes.collect();
    format!("{} failed={}{attributes}\n", span.name, span.failed)
}

#[tokio::test]
async fn a_span_says_what_was_asked_and_what_it_came_to() {
    let mut world = World::polite().await;
    let kept = Arc::new(Kept::default());
    world.router = router(GatewayState {
        spans: Some(kept.clone()),
        ..GatewayState::new(world.node.clone())
    });
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let with = |flags: &str, fields: Value| {
        let body = chat(fields).to_string();
        let mut asked = request("POST", &world.ada, "/v1/chat/completions", &body);
        let parent = format!("00-{trace}-00f067aa0ba902b7-{flags}");
        asked
            .headers_mut()
            .insert("traceparent", parent.parse().unwrap());
        asked
    };
    world
        .send(with(
            "01",
            json!({"stream": true, "user": "planted-secret"}),
        ))
        .await;
    // Whoever asks for no trace gets none.
    world.send(with("00", json!({}))).await;
    world.chat(json!({"model": "gpt-7"})).await;
    world
        .get("aigen_ada-1.planted-secret", "/v1/aigen/account")
        .await;
    world.settle().await;
    let spans = kept.0.lock().unwrap().clone();
    let all: String = spans.iter().map(told).collect();
    insta::assert_snapshot!(all, @r#"
    chat tiny failed=false
      http.request.method = POST
      url.path = /v1/chat/completions
      http.response.status_code = 200
      aigen.key = ada-1
      gen_ai.operation.name = chat
      gen_ai.provider.name = aigen
      gen_ai.response.model = tiny
      gen_ai.request.model = tiny
      gen_ai.usage.input_tokens = 6
      gen_ai.usage.output_tokens = 7
      gen_ai.response.finish_reasons = ["stop"]
      aigen.time_to_first_token_micros = [TIME]
      aigen.cost = 0.00000003
      aigen.hold = 0.000000528
    chat gpt-7 failed=false
      http.request.method = POST
      url.path = /v1/chat/completions
      http.response.status_code = 404
      error.type = model_not_found
      aigen.key = ada-1
      gen_ai.operation.name = chat
      gen_ai.provider.name = aigen
      gen_ai.request.model = gpt-7
    GET failed=false
      http.request.method = GET
      url.path = /v1/aigen/account
      http.response.status_code = 401
      error.type = invalid_api_key
    "#);
    let [first, second, _] = &spans[..] else {
        panic!("{}", spans.len())
    };
    assert_eq!(format!("{:032x}", first.context.trace), trace);
    assert_eq!(first.context.parent, Some(0x00f0_67aa_0ba9_02b7));
    assert_ne!(second.context.trace, first.context.trace);
    for never in [
        "planted-secret",
        "Hello",
        world.ada.rsplit_once('.').unwrap().1,
    ] {
        assert!(!format!("{spans:?}").contains(never), "{never:?} was told");
    }
}
