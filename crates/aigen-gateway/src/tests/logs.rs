//! What the access log says, and what it never says.

use super::world::{World, chat, request};
use serde_json::json;
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn lines(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let access = lines.filter(|line| line["target"] == "aigen::access");
        access.map(|line| line["fields"].clone()).collect()
    }
}

#[tokio::test]
async fn one_line_per_request_without_secrets_or_content() {
    let world = World::polite().await;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    world.chat(json!({})).await;
    world.chat(json!({"stream": true})).await;
    world.chat(json!({"model": "Hi there\n"})).await;
    world.get("aigen_ada-1.stolen", "/v1/aigen/account").await;
    let body = chat(json!({})).to_string();
    let asked = world.start(request("POST", &world.ada, "/v1/chat/completions", &body));
    drop(asked);
    drop(guard);
    let lines = log.lines();
    let told = |line: &serde_json::Value| {
        [
            "status",
            "key",
            "model",
            "prompt_tokens",
            "completion_tokens",
            "cost",
            "outcome",
        ]
        .map(|field| line[field].to_string().replace('"', ""))
        .join(" ")
    };
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "200 ada-1 tiny 6 7 0.00000003 stop",
            "200 ada-1 tiny 6 7 0.00000003 stop",
            "404 ada-1 invalid 0 0 null model_not_found",
            "401 null null 0 0 null invalid_api_key",
        ]
    );
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for never in [
        "Hello",
        "Hi",
        "stolen",
        world.ada.rsplit_once('.').unwrap().1,
    ] {
        assert!(!text.contains(never), "{never:?} was logged");
    }
    world.settle().await;
}
