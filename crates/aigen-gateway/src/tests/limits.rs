//! What keys are limited to: rates, models, scopes and time.

use super::world::{Reply, World, chat, request};
use aigen_node::network::KeyLimits;
use serde_json::{Value, json};

/// A key of ada's with these limits.
async fn limited(world: &World, limits: Value) -> String {
    let new = json!({"account": "user:ada", "name": "narrow", "limits": limits});
    let reply = world.post(&world.operator, "/v1/aigen/keys", &new).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["key"].as_str().unwrap().to_owned()
}

async fn ask(world: &World, key: &str) -> Reply {
    world
        .post(key, "/v1/chat/completions", &chat(json!({})))
        .await
}

#[tokio::test]
async fn a_key_makes_so_many_requests_in_a_minute() {
    let world = World::polite().await;
    let key = limited(&world, json!({"requests_per_minute": 2})).await;
    for left in ["1", "0"] {
        let reply = ask(&world, &key).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.header("x-ratelimit-limit-requests"), Some("2"));
        let remaining = reply.header("x-ratelimit-remaining-requests");
        // The world's ledger has a clock of its own, so that nothing is left of its minute here.
        assert!(
            [Some(left), Some("2")].contains(&remaining),
            "{remaining:?}"
        );
    }
    let refused = ask(&world, &key).await;
    assert_eq!(
        refused.error(),
        (429, "rate_limit_exceeded".to_owned(), None)
    );
    assert_eq!(refused.header("x-should-retry"), Some("true"));
    assert!(refused.header("retry-after").is_some());
    // Another key of the same account is not slowed down.
    assert_eq!(ask(&world, &world.ada).await.status, 200);
    world.settle().await;
}

#[tokio::test]
async fn a_key_uses_so_many_tokens_in_a_minute() {
    let world = World::polite().await;
    // 6 of the prompt and 7 of the answer.
    let key = limited(&world, json!({"tokens_per_minute": 13})).await;
    assert_eq!(ask(&world, &key).await.status, 200);
    assert_eq!(ask(&world, &key).await.error().1, "rate_limit_exceeded");
    let wide = json!({"tokens_per_minute": 14});
    let path = "/v1/aigen/keys/narrow/limits";
    let key_now = world.post(&world.operator, path, &wide).await.json();
    assert_eq!(key_now["limits"], wide);
    assert_eq!(ask(&world, &key).await.status, 200);
    world.settle().await;
}

#[tokio::test]
async fn a_key_is_for_some_models_and_purposes_and_for_a_time() {
    let world = World::polite().await;
    let account = |key: &str| request("GET", key, "/v1/aigen/account", "");
    for (limits, completes, reads) in [
        (json!({}), 200, 200),
        (json!({"models": ["tiny"]}), 200, 200),
        (json!({"models": ["other"]}), 403, 200),
        (json!({"scopes": ["complete"]}), 200, 403),
        (json!({"scopes": ["read"]}), 403, 200),
        (json!({"scopes": ["read", "complete"]}), 200, 200),
        (json!({"expires_at": 1}), 401, 401),
    ] {
        let world_of = World::polite().await;
        let key = limited(&world_of, limits.clone()).await;
        assert_eq!(ask(&world_of, &key).await.status, completes, "{limits}");
        assert_eq!(world_of.send(account(&key)).await.status, reads, "{limits}");
        world_of.settle().await;
    }
    let key = limited(&world, json!({"scopes": ["complete"]})).await;
    let pay = json!({"to": "user:bob", "amount": "0.1"});
    let refused = world.post(&key, "/v1/aigen/transfers", &pay).await;
    assert_eq!(refused.error().1, "forbidden");
    assert_eq!(world.node.network().keyring().limits.len(), 1);
    let path = "/v1/aigen/keys/narrow/limits";
    world.post(&world.operator, path, &json!({})).await;
    assert_eq!(world.node.network().keyring(), &Default::default());
    let _ = KeyLimits::default();
    world.settle().await;
}

#[tokio::test]
async fn only_operators_limit() {
    let world = World::polite().await;
    let path = "/v1/aigen/keys/ada-1/limits";
    let refused = world.post(&world.ada, path, &json!({})).await;
    assert_eq!(refused.error().1, "forbidden");
    let unknown = world
        .post(&world.operator, "/v1/aigen/keys/none/limits", &json!({}))
        .await;
    assert_eq!(unknown.error().1, "key_unknown");
    let wrong = world.post(&world.operator, path, &json!({"rpm": 1})).await;
    assert_eq!(
        wrong.error(),
        (400, "invalid_json".to_owned(), Some("rpm".to_owned()))
    );
    world.settle().await;
}
