//! Budgets, allowances and corrections as an app developer meets them.

use super::world::{Reply, World, chat, collect, gated, receipt_of, request};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

/// A chat request whose headers carry these too.
fn with_headers(key: &str, fields: Value, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = request("POST", key, CHAT, &chat(fields).to_string());
    for (name, value) in headers {
        let name: axum::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

/// Status and `metadata.reason` of a refusal, and whether it says when to come back.
#[track_caller]
fn reason(reply: &Reply) -> (u16, String, bool) {
    let (status, _, _) = reply.error();
    let reason = reply.json()["error"]["metadata"]["reason"].clone();
    let again = reply.header("retry-after").is_some();
    (
        status,
        reason.as_str().unwrap_or_default().to_owned(),
        again,
    )
}

async fn budget(world: &World, path: &str, cap: &str) {
    let body = json!({"path": path, "cap": cap, "period": "total"});
    let reply = world
        .post(&world.operator, "/v1/aigen/budgets", &body)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// A polite call costs 30: 10, a prompt of 6 at 1 and 7 tokens at 2.
#[tokio::test]
async fn no_money_says_which_of_three_reasons() {
    let (script, go) = gated("ab");
    let world = World::new(script).await;
    let bob = world.key("bob-1", "user:bob").await;
    let broke = world.post(&bob, CHAT, &chat(json!({}))).await;
    assert_eq!(reason(&broke), (402, "insufficient_funds".into(), false));

    budget(&world, "user:ada", "0.00000005").await;
    let running = world
        .start(request(
            "POST",
            &world.ada,
            CHAT,
            &chat(json!({"stream": true})).to_string(),
        ))
        .await;
    let waiting = world.chat(json!({})).await;
    assert_eq!(
        reason(&waiting),
        (402, "in_flight_budget_exhausted".into(), true)
    );
    assert_eq!(waiting.header("x-should-retry"), Some("true"));
    drop(go);
    collect(running).await;

    budget(&world, "user:ada", "0.00000001").await;
    let spent = world.chat(json!({})).await;
    assert_eq!(reason(&spent), (402, "budget_exhausted".into(), false));
    assert_eq!(spent.json()["error"]["metadata"]["budget"], "user:ada");
    // A budget for all time has no next period.
    assert!(!spent.text.contains("next period"), "{}", spent.text);
    world.settle().await;
}

#[tokio::test]
async fn end_users_are_named_by_header_or_body_and_reach_nobody_else() {
    let world = World::polite().await;
    budget(&world, "user:ada:user:*", "0.00000003").await;
    let header = with_headers(&world.ada, json!({}), &[("x-aigen-end-user", "42")]);
    let first = world.send(header).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = world.chat(json!({"aigen": {"end_user": "42"}})).await;
    assert_eq!(reason(&again), (402, "budget_exhausted".into(), false));
    assert_eq!(
        world
            .chat(json!({"aigen": {"end_user": "43"}}))
            .await
            .status,
        200
    );

    let path = format!("/v1/aigen/receipts/{}", receipt_of(&first));
    let receipt = world.get(&world.ada, &path).await.json();
    assert_eq!(receipt["payer"], "user:ada");
    assert_eq!(receipt["spender"], "user:ada:user:42");
    assert_eq!(receipt["budgets"], json!(["user:ada:user:42"]));

    for bad in ["bob:app:x", "../user:bob", "*", "a b", "A", ""] {
        let reply = world
            .send(with_headers(
                &world.ada,
                json!({}),
                &[("x-aigen-end-user", bad)],
            ))
            .await;
        assert_eq!(reply.error().0, 400, "{bad:?}");
    }
    let headers = [("x-aigen-end-user", "Bob")];
    let said = world
        .send(with_headers(&world.ada, json!({}), &headers))
        .await;
    let said = said.json()["error"]["message"].to_string();
    assert!(said.contains("a-z 0-9 - _ . (an e-mail address"), "{said}");
    let both = with_headers(
        &world.ada,
        json!({"aigen": {"end_user": "1"}}),
        &[("x-aigen-end-user", "2")],
    );
    let expected = (
        400,
        "invalid_value".to_owned(),
        Some("aigen.end_user".to_owned()),
    );
    assert_eq!(world.send(both).await.error(), expected);
    world.settle().await;
}

/// Whoever is bounded from above neither lifts that bound nor raises it.
#[tokio::test]
async fn an_app_does_not_lift_the_cap_that_the_operator_set() {
    let world = World::polite().await;
    let app = world.key("zz-1", "app:zz").await;
    world.fund("app:zz", "1").await;
    budget(&world, "app:zz", "0.00000001").await;
    let ask = async || world.post(&app, CHAT, &chat(json!({}))).await;
    assert_eq!(
        reason(&ask().await),
        (402, "budget_exhausted".into(), false)
    );
    for body in [
        json!({"path": "app:zz"}),
        json!({"path": "app:zz", "cap": "1000", "period": "total"}),
        json!({"path": "app:zz", "cap": "1000", "period": "day"}),
    ] {
        let refused = world.post(&app, "/v1/aigen/budgets", &body).await;
        assert_eq!(refused.error().1, "forbidden", "{body}");
    }
    let users = json!({"path": "app:zz:user:*", "cap": "1"});
    let own = world.post(&app, "/v1/aigen/budgets", &users).await;
    assert_eq!(own.status, 200, "{}", own.text);
    assert_eq!(
        reason(&ask().await),
        (402, "budget_exhausted".into(), false)
    );
    let over = json!({"app": "app:zz", "cap": "1", "expires_at": 5});
    let over = world.post(&world.ada, "/v1/aigen/allowances", &over).await;
    assert_eq!(over.error().2.as_deref(), Some("expires_at"));
    world.settle().await;
}

/// A request to move money, with this key of its own.
fn keyed(key: &str, path: &str, once: &str, body: Value) -> Request<Body> {
    let mut request = request("POST", key, path, &body.to_string());
    let headers = request.headers_mut();
    headers.insert("idempotency-key", once.parse().unwrap());
    request
}

#[tokio::test]
async fn money_moves_once_for_an_idempotency_key() {
    let world = World::polite().await;
    let issue = |once: &str, amount: &str| {
        let body = json!({"to": "user:bob", "amount": amount});
        world.send(keyed(&world.operator, "/v1/aigen/issue", once, body))
    };
    let first = issue("i-1", "1").await.json();
    assert_eq!(issue("i-1", "1").await.json(), first);
    let other = issue("i-1", "2").await;
    assert_eq!(
        other.text.matches("choose another id").count(),
        2,
        "{}",
        other.text
    );
    assert_eq!(
        other.error(),
        (
            409,
            "exists_with_different_amount".to_owned(),
            Some("amount".to_owned())
        )
    );
    let elsewhere = json!({"to": "user:eve", "amount": "1"});
    let elsewhere = keyed(&world.operator, "/v1/aigen/issue", "i-1", elsewhere);
    let elsewhere = world.send(elsewhere).await;
    let (status, code, param) = elsewhere.error();
    assert_eq!((status, param.as_deref()), (409, Some("to")), "{code}");
    assert_ne!(issue("i-2", "1").await.json()["id"], first["id"]);
    let pay = |once: &str| {
        let body = json!({"to": "user:bob", "amount": "0.25"});
        world.send(keyed(&world.ada, "/v1/aigen/transfers", once, body))
    };
    // Another's key of the same name is another transfer.
    let [paid, again] = [pay("i-1").await.json(), pay("i-1").await.json()];
    assert_eq!(paid, again);
    assert_eq!(world.balance("user:bob").0, 2_250_000_000);
    let both = json!({"to": "user:bob", "amount": "1", "id": "0000000000000000000000000000000a"});
    let both = keyed(&world.ada, "/v1/aigen/transfers", "i-3", both);
    assert_eq!(world.send(both).await.error().2.as_deref(), Some("id"));

    let called = receipt_of(&world.chat(json!({})).await);
    world.fund("treasury", "1").await;
    let path = format!("/v1/aigen/receipts/{called}/refund");
    let refund = || {
        let body = json!({"amount": "0.00000001", "reason": "quality"});
        world.send(keyed(&world.operator, &path, "r-1", body))
    };
    let [given, again] = [refund().await.json(), refund().await.json()];
    assert_eq!(given["corrections"].as_array().unwrap().len(), 1, "{given}");
    assert_eq!(given["corrections"], again["corrections"]);
    world.settle().await;
}

/// Of two headers that say who asks, for whom or for which time, neither is taken.
#[tokio::test]
async fn a_header_of_identity_is_there_once() {
    let world = World::polite().await;
    for (name, value) in [
        ("X-Aigen-End-User", "nobody"),
        ("X-Aigen-Bill-To", "user:bob"),
        ("Idempotency-Key", "k"),
        ("Authorization", "Bearer aigen_x.00"),
        ("X-Api-Key", "aigen_x.00"),
    ] {
        let mut request = with_headers(&world.ada, json!({}), &[]);
        for _ in 0..2 {
            let name: axum::http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let expected = (400, "invalid_value".to_owned(), Some(name.to_owned()));
        assert_eq!(world.send(request).await.error(), expected, "{name}");
    }
    assert_eq!(world.node.network().receipts().count(), 0);
    world.settle().await;
}

#[tokio::test]
async fn a_user_pays_for_an_app_that_it_allows_and_for_no_other() {
    let world = World::polite().await;
    let tutor = world.key("tutor-1", "app:tutor").await;
    let eve = world.key("eve-1", "app:eve").await;
    let bill = |key: &str| with_headers(key, json!({}), &[("x-aigen-bill-to", "user:ada")]);
    assert_eq!(
        world.send(bill(&tutor)).await.error().1,
        "allowance_unknown"
    );
    let grant =
        json!({"app": "app:tutor", "cap": "0.00000004", "period": "total", "margin_ppm": 100_000});
    let path = "/v1/aigen/allowances";
    let forged = json!({"app": "app:eve", "user": "user:ada", "cap": "1"});
    assert_eq!(world.post(&eve, path, &forged).await.error().0, 403);
    assert_eq!(world.post(&world.ada, path, &grant).await.status, 200);

    let answer = world.send(bill(&tutor)).await;
    assert_eq!(
        answer.header("x-aigen-cost"),
        Some("0.000000033"),
        "30 and a tenth of it"
    );
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 33);
    assert_eq!(world.balance("app:tutor").0, 3);
    assert_eq!(world.send(bill(&eve)).await.error().1, "allowance_unknown");
    let spent = world.send(bill(&tutor)).await;
    assert_eq!(reason(&spent), (402, "budget_exhausted".into(), false));
    assert_eq!(
        spent.json()["error"]["metadata"]["budget"],
        "user:ada -> app:tutor"
    );

    // Both see the receipt; who has no part in it does not.
    let receipt = format!("/v1/aigen/receipts/{}", receipt_of(&answer));
    for (key, status) in [(&tutor, 200), (&world.ada, 200), (&eve, 404)] {
        assert_eq!(world.get(key, &receipt).await.status, status);
    }
    let shown = world.get(&tutor, &receipt).await.json();
    assert_eq!(
        (&shown["total_nano"], &shown["margin_nano"]),
        (&json!("30"), &json!("3"))
    );

    let revoke = json!({"app": "app:tutor"});
    let list = world
        .post(&world.ada, "/v1/aigen/allowances/revoke", &revoke)
        .await
        .json();
    assert_eq!(
        (&list["data"][0]["live"], &list["data"][0]["spent_nano"]),
        (&json!(false), &json!("33"))
    );
    assert_eq!(world.send(bill(&tutor)).await.error().1, "allowance_ended");
    world.settle().await;
}

/// The same body for another payer is another request: a retry must not get the other's reply.
#[tokio::test]
async fn an_idempotency_key_is_for_one_payer() {
    let world = World::polite().await;
    let ask = |user: &str| {
        let headers = [("x-aigen-end-user", user), ("idempotency-key", "order-1")];
        with_headers(&world.ada, json!({}), &headers)
    };
    assert_eq!(world.send(ask("1")).await.status, 200);
    assert_eq!(world.send(ask("1")).await.status, 200);
    assert_eq!(
        world.send(ask("2")).await.error().1,
        "idempotency_key_reused"
    );
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 30);
    world.settle().await;
}

#[tokio::test]
async fn calls_are_reversed_and_refunded_by_the_operator_alone() {
    let world = World::polite().await;
    let first = receipt_of(&world.chat(json!({})).await);
    let second = receipt_of(&world.chat(json!({})).await);
    let reverse = format!("/v1/aigen/receipts/{first}/reverse");
    let refund = format!("/v1/aigen/receipts/{second}/refund");
    let reason = json!({"reason": "duplicate"});
    assert_eq!(
        world.post(&world.ada, &reverse, &reason).await.error().0,
        403
    );
    let receipt = world.post(&world.operator, &reverse, &reason).await.json();
    assert_eq!(receipt["corrections"][0]["kind"], "reversal");
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 30);
    let again = world.post(&world.operator, &reverse, &reason).await;
    assert_eq!(again.error().1, "call_reversed");

    let part = json!({"amount": "0.00000002", "reason": "quality", "id": "0000000000000000000000000000000a"});
    let refused = world.post(&world.operator, &refund, &part).await;
    assert_eq!(refused.error().1, "payee_short");
    world.fund("treasury", "1").await;
    for _ in 0..2 {
        let receipt = world.post(&world.operator, &refund, &part).await.json();
        assert_eq!(receipt["corrections"].as_array().unwrap().len(), 1);
    }
    assert_eq!(world.balance("user:ada").0, 1_000_000_000 - 10);
    let more = json!({"amount": "0.000000011", "reason": "quality"});
    assert_eq!(
        world.post(&world.operator, &refund, &more).await.error().1,
        "refund_too_large"
    );
    world.settle().await;
}

/// A tenant that guesses another's transfer id neither uses it up nor burns it.
#[tokio::test]
async fn an_id_of_ones_choice_is_ones_own() {
    let world = World::polite().await;
    let eve = world.key("eve-1", "user:eve").await;
    let pay = json!({"to": "user:bob", "amount": "0.5", "id": "0000000000000000000000000000abcd"});
    let path = "/v1/aigen/transfers";
    // Eve has no money: her transfer fails for a passing reason, which burns the id.
    assert_eq!(world.post(&eve, path, &pay).await.error().0, 402);
    let paid = world.post(&world.ada, path, &pay).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!(world.balance("user:bob").0, 500_000_000);
    world.settle().await;
}

/// From whom to whom, how much, why and how, one line each.
fn entries(world: &World) -> Vec<String> {
    let network = world.node.network();
    let transfers = network.ledger().transfers();
    transfers
        .map(|transfer| {
            let from = network.address(transfer.debit_account_id);
            let to = network.address(transfer.credit_account_id);
            let (amount, flags) = (transfer.amount, transfer.flags);
            let (code, ledger) = (transfer.code, transfer.ledger);
            format!("{ledger}: {from:?} -> {to:?} {amount} {code} {flags:?}")
        })
        .collect()
}

#[tokio::test]
async fn the_same_request_streamed_or_not_posts_identical_entries() {
    let mut posted = Vec::new();
    for stream in [false, true] {
        let world = World::polite().await;
        budget(&world, "user:ada", "0.5").await;
        let reply = world.chat(json!({"stream": stream})).await;
        assert_eq!(reply.status, 200);
        world.settle().await;
        posted.push(entries(&world));
    }
    assert!(posted[0].len() > 6, "{:?}", posted[0]);
    assert_eq!(posted[0], posted[1]);
}

/// Rows of usage, as what was told apart, calls, and what was charged and given back.
async fn usage(world: &World, key: &str, query: &str) -> Vec<String> {
    let reply = world.get(key, &format!("/v1/aigen/usage?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let rows = reply.json()["data"].as_array().unwrap().clone();
    let told = |row: &Value| {
        let fields = [
            "account",
            "day",
            "spender",
            "model",
            "charged",
            "given_back",
        ];
        let fields = fields.iter().filter_map(|field| row[field].as_str());
        format!("{} {}", row["calls"], fields.collect::<Vec<_>>().join(" "))
    };
    rows.iter().map(told).collect()
}

#[tokio::test]
async fn usage_tells_apart_what_is_asked_for_and_nobody_sees_anothers() {
    let world = World::polite().await;
    let bob = world.key("bob-1", "user:bob").await;
    world.fund("user:bob", "1").await;
    for user in ["42", "42", "43"] {
        let headers = [("x-aigen-end-user", user)];
        world
            .send(with_headers(&world.ada, json!({}), &headers))
            .await;
    }
    world.post(&bob, CHAT, &chat(json!({}))).await;
    world.settle().await;
    let ada = usage(&world, &world.ada, "").await;
    assert_eq!(ada, ["3 user:ada 0.00000009 0.00"]);
    let by = usage(&world, &world.ada, "by=spender,model").await;
    let told = [
        "2 user:ada user:ada:user:42 tiny 0.00000006 0.00",
        "1 user:ada user:ada:user:43 tiny 0.00000003 0.00",
    ];
    assert_eq!(by, told);
    let day = usage(&world, &bob, "by=day&from=2023-11-14&to=2023-11-14").await;
    assert_eq!(day, ["1 user:bob 2023-11-14 0.00000003 0.00"]);
    assert!(usage(&world, &bob, "to=2023-11-13").await.is_empty());
    let everyone = usage(&world, &world.operator, "").await;
    assert_eq!(everyone.len(), 2);
    let bobs = usage(&world, &world.operator, "account=user:bob").await;
    assert_eq!(bobs, everyone[1..]);
    for (query, expected) in [
        ("account=user:ada", (403, "forbidden")),
        ("by=colour", (400, "invalid_value")),
        ("from=2023-02-30", (400, "invalid_value")),
        ("until=2023-01-01", (400, "invalid_value")),
    ] {
        let path = format!("/v1/aigen/usage?{query}");
        world.refused(&bob, &path, None, expected).await;
    }
}

#[tokio::test]
async fn receipts_are_listed_newest_first_page_by_page() {
    let world = World::polite().await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        let reply = world.chat(json!({})).await;
        calls.push(receipt_of(&reply).to_string());
    }
    world.settle().await;
    calls.reverse();
    let page = async |query: &str| {
        let reply = world
            .get(&world.ada, &format!("/v1/aigen/receipts?{query}"))
            .await;
        let page = reply.json();
        let ids = page["data"].as_array().unwrap().iter();
        let ids: Vec<_> = ids
            .map(|receipt| receipt["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, page["next"].as_str().map(str::to_owned))
    };
    let (first, next) = page("limit=2").await;
    assert_eq!(first, calls[..2]);
    let (second, end) = page(&format!("limit=2&after={}", next.unwrap())).await;
    assert_eq!((second.as_slice(), end), (&calls[2..], None));
    for (query, expected) in [
        ("account=user:bob", (403, "forbidden")),
        ("limit=101", (400, "invalid_value")),
        (
            "after=00000000000000000000000000000077",
            (400, "invalid_value"),
        ),
    ] {
        let path = format!("/v1/aigen/receipts?{query}");
        world.refused(&world.ada, &path, None, expected).await;
    }
}
