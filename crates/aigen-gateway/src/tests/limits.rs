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
        (
            json!({"expires_at": 9_000_000_000_000_000_000_u64}),
            200,
            200,
        ),
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
    world.settle().await;
}

/// Models are listed for whoever may ask or read; those that a key may not ask are not there for it.
#[tokio::test]
async fn a_key_sees_the_models_that_it_may_ask() {
    for (limits, list, one, count) in [
        (json!({"scopes": ["read"]}), Some(1), 200, 403),
        (json!({"scopes": ["manage"]}), None, 403, 403),
        (json!({"models": ["tiny"]}), Some(1), 200, 200),
        (json!({"models": ["other"]}), Some(0), 403, 403),
    ] {
        let world = World::polite().await;
        let key = limited(&world, limits.clone()).await;
        let models = world.get(&key, "/v1/models").await.json();
        let listed = models["data"].as_array().map(Vec::len);
        assert_eq!(listed, list, "{limits}: {models}");
        assert_eq!(world.get(&key, "/v1/models/tiny").await.status, one);
        let said = json!([{"role": "user", "content": "Hi"}]);
        for (path, body) in [
            ("/tokenize", json!({"model": "tiny", "prompt": "Hi"})),
            ("/detokenize", json!({"model": "tiny", "tokens": [72]})),
            (
                "/v1/messages/count_tokens",
                json!({"model": "tiny", "messages": said}),
            ),
        ] {
            let counted = world.post(&key, path, &body).await;
            assert_eq!(counted.status, count, "{limits} {path}: {}", counted.text);
        }
        world.settle().await;
    }
}

/// Whoever has the secret of a key that has ended is told so, and a list tells it apart from others.
#[tokio::test]
async fn a_key_that_has_ended_says_how() {
    let world = World::polite().await;
    let operator = world.node.authenticate(&world.operator).unwrap();
    let [revoked, expired] = [world.key("old", "user:ada"), world.key("late", "user:ada")];
    let (revoked, expired) = (revoked.await, expired.await);
    let path = "/v1/aigen/keys/old/revoke";
    let gone = world.post(&world.operator, path, &json!({})).await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    // What no request may say: it has been for a time.
    let over = KeyLimits {
        expires_at: Some(aigen_types::Timestamp(1)),
        ..KeyLimits::default()
    };
    let late = "late".parse().unwrap();
    world.node.limit_key(&operator, late, over).await.unwrap();
    assert_eq!(ask(&world, &revoked).await.error().1, "key_revoked");
    assert_eq!(ask(&world, &expired).await.error().1, "key_expired");
    let forged = format!("{}0", &revoked[..revoked.len() - 1]);
    if forged != revoked {
        assert_eq!(ask(&world, &forged).await.error().1, "invalid_api_key");
    }
    let keys = world.get(&world.operator, "/v1/aigen/keys").await.json();
    let states = keys["data"].as_array().unwrap().iter().map(|key| {
        let [name, revoked, expired] = ["name", "revoked", "expired"].map(|of| &key[of]);
        format!("{name} {revoked} {expired}")
    });
    let states = states.collect::<Vec<_>>().join(", ").replace('"', "");
    assert_eq!(
        states,
        "ada-1 false false, late false true, old true false, op false false"
    );
    let path = "/v1/aigen/keys/old/limits";
    let limits = world.post(&world.operator, path, &json!({})).await;
    assert_eq!(limits.error(), (409, "key_ended".to_owned(), None));
    world.settle().await;
}

/// Param of what makes no key, or one that could never be used.
const USELESS: &str = r#"
limits.requests_per_minute | {"limits": {"requests_per_minute": 0}}
limits.tokens_per_minute   | {"limits": {"tokens_per_minute": 0}}
limits.expires_at          | {"limits": {"expires_at": 1}}
limits.expires_at          | {"limits": {"expires_at": 1800000000}}
spender                    | {"account": "org:acme", "spender": "org:other:team:x"}
spender                    | {"account": "org:acme:team:x", "spender": "org:acme"}
name                       | {"name": "aigen_ada-1.0123456789abcdef0123456789abcdef"}
Idempotency-Key            | {}
"#;

#[tokio::test]
async fn no_key_is_made_that_could_not_be_used() {
    let world = World::polite().await;
    for row in USELESS.trim().lines() {
        let (param, body) = row.split_once('|').unwrap();
        let mut body: Value = serde_json::from_str(body).unwrap();
        if body["account"].is_null() {
            body["account"] = json!("user:ada");
        }
        let mut post = request("POST", &world.operator, "/v1/aigen/keys", &body.to_string());
        if param.trim() == "Idempotency-Key" {
            post.headers_mut()
                .insert("idempotency-key", "k".parse().unwrap());
        }
        let (status, _, named) = world.send(post).await.error();
        assert_eq!(
            (status, named.as_deref()),
            (400, Some(param.trim())),
            "{row}"
        );
    }
    assert_eq!(world.node.network().keys().count(), 2);
    let path = "/v1/aigen/keys/ada-1/limits";
    let never = json!({"requests_per_minute": 0});
    let never = world.post(&world.operator, path, &never).await.error();
    assert_eq!(never.2.as_deref(), Some("requests_per_minute"));
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
