//! A text that comes in parts from elsewhere leaves in the same parts, however many of them come at once.

use super::elsewhere::{Unheard, info};
use super::world::World;
use aigen_engine::text::{
    Asked, OnText, TextEnding, TextEngine, TextEvent, TextFinish, TextInfo, TextRequest,
};
use aigen_node::ControlLevel;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::future::ready;
use std::sync::Arc;

const PARTS: [&str; 5] = ["Where", " is", " my", "\n\"parcel\"", "? é日"];

/// All of whose answer comes at once.
struct AtOnce;

impl TextEngine for AtOnce {
    fn info(&self) -> TextInfo {
        TextInfo {
            tools: true,
            ..info(ControlLevel::Text)
        }
    }

    fn check(&self, _: &TextRequest) -> Result<(), String> {
        Ok(())
    }

    fn start(&self, _: TextRequest, mut on_event: OnText) -> Asked {
        on_event(TextEvent::Started);
        on_event(TextEvent::Text(PARTS.into_iter().collect()));
        on_event(TextEvent::Finished(TextEnding {
            finish: Ok(TextFinish::Stop),
            claimed: None,
        }));
        Asked {
            control: Box::new(Unheard),
            answering: Box::pin(ready(())),
        }
    }
}

#[tokio::test]
async fn each_part_of_a_text_is_an_event_of_its_own_on_every_route() {
    let said = json!([{"role": "user", "content": "Say it."}]);
    let chat = json!({"model": "tiny", "messages": said, "stream": true});
    let mut offering = chat.clone();
    offering["tools"] = json!([{"type": "function", "function": {"name": "look"}}]);
    for (path, body, place) in [
        ("/v1/chat/completions", chat, "/choices/0/delta/content"),
        ("/v1/chat/completions", offering, "/choices/0/delta/content"),
        (
            "/v1/completions",
            json!({"model": "tiny", "prompt": "Say it.", "stream": true}),
            "/choices/0/text",
        ),
        (
            "/v1/responses",
            json!({"model": "tiny", "input": "Say it.", "stream": true}),
            "/delta",
        ),
        (
            "/v1/messages",
            json!({"model": "tiny", "max_tokens": 100, "messages": said, "stream": true}),
            "/delta/text",
        ),
    ] {
        let world = World::remote(Arc::new(AtOnce)).await;
        let reply = world.post(&world.ada, path, &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        let data = reply.text.lines();
        let data = data.filter_map(|line| line.strip_prefix("data: "));
        let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let texts = events.filter_map(|event| Some(event.pointer(place)?.as_str()?.to_owned()));
        let texts: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
        assert_eq!(texts, PARTS, "{path}: {}", reply.text);
    }
}
