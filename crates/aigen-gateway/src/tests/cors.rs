//! Web pages ask: those of named origins are let in, all others see nothing new.

use super::world::{World, chat, collect, request};
use crate::{GatewayState, router};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;

const NAMED: &str = "https://app.example";

async fn world(origins: &[&str]) -> World {
    let mut world = World::polite().await;
    world.router = router(GatewayState {
        origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        ..GatewayState::new(world.node.clone())
    });
    world
}

/// Status, allowed origin, allowed methods, allowed headers of a browser's first question.
async fn preflight(world: &World, origin: &str) -> (u16, [Option<String>; 3]) {
    let asked = Request::options("/v1/chat/completions")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
        .body(Body::empty())
        .unwrap();
    let reply = collect(world.start(asked).await).await;
    let told = ["origin", "methods", "headers"].map(|what| {
        reply
            .header(&format!("access-control-allow-{what}"))
            .map(str::to_owned)
    });
    (reply.status.as_u16(), told)
}

#[tokio::test]
async fn pages_of_named_origins_may_ask_and_no_others() {
    let open = world(&["https://other.example", NAMED]).await;
    let told = |text: &str| Some(text.to_owned());
    let expected = [
        told(NAMED),
        told("GET, POST, PUT, PATCH, DELETE"),
        told("authorization,content-type"),
    ];
    assert_eq!(preflight(&open, NAMED).await, (204, expected));
    let closed = world(&[]).await;
    for (world, origin) in [
        (&open, "https://evil.example"),
        (&open, "https://app.example.evil.example"),
        (&open, "http://app.example"),
        (&open, "null"),
        (&closed, NAMED),
    ] {
        let refused = preflight(world, origin).await;
        assert_eq!(refused, (405, [None, None, None]), "{origin}");
    }
}

#[tokio::test]
async fn answers_and_failures_can_be_read_by_named_origins_only() {
    let world = world(&[NAMED]).await;
    for (key, origin, status, readable) in [
        (world.ada.as_str(), NAMED, 200, Some(NAMED)),
        (world.ada.as_str(), "https://evil.example", 200, None),
        ("aigen_ada-1.wrong", NAMED, 401, Some(NAMED)),
    ] {
        let body = chat(json!({})).to_string();
        let mut asked = request("POST", key, "/v1/chat/completions", &body);
        asked
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        let reply = world.send(asked).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin"), readable);
        assert_eq!(reply.header("vary"), readable.map(|_| "origin"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
}
