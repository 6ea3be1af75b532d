//! Passages of datasets in answers: cited, held and paid with their call, whichever way it is asked.

use super::world::{Reply, World, chat, receipt_of, request};
use aigen_node::{Datasets, Library};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;

const FAQ: &str = "question,answer\n\
    How do I say Hi?,By waving.\n\
    Do you take cards?,We do.\n";

/// 10 nano-AIGEN per row and 5 per hit, of which the protocol keeps 6 %.
const FEE: u64 = 15;

async fn shop() -> (World, TempDir) {
    let world = World::polite().await;
    let folder = tempfile::tempdir().unwrap();
    let library = Library::open(folder.path()).unwrap();
    world.node.keep_datasets(Datasets::new(library, 4096, 8192));
    let acme = world.key("acme-1", "org:acme").await;
    for (name, open) in [("acme/faq@1.0.0", true), ("acme/private@1.0.0", false)] {
        let said = format!(
            "name={name}&open={open}&format=csv&licence=CC0-1.0&per_row=0.00000001&per_hit=0.000000005"
        );
        let request = Request::post(format!("/v1/aigen/datasets?{said}"))
            .header("authorization", format!("Bearer {acme}"))
            .body(Body::from(FAQ));
        let reply = world.send(request.unwrap()).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }
    (world, folder)
}

fn cited() -> Value {
    json!([{"number": 1, "dataset": "acme/faq@1.0.0", "row": 0, "columns": ["answer", "question"]}])
}

fn cost(reply: &Value) -> u64 {
    let text = reply["aigen"]["cost"].as_str().unwrap();
    let amount: aigen_types::Amount = text.parse().unwrap();
    amount.nano().try_into().unwrap()
}

#[tokio::test]
async fn an_answer_cites_and_its_receipt_charges_what_was_in_its_prompt() {
    let (world, _folder) = shop().await;
    let plain = world.chat(json!({})).await.json();
    let reply = world
        .chat(json!({"aigen": {"datasets": ["acme/faq"]}}))
        .await;
    let answer = reply.json();
    assert_eq!(answer["aigen"]["citations"], cited());
    assert_eq!(plain["aigen"].get("citations"), None);
    let tokens = |answer: &Value| answer["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(&answer) > tokens(&plain) + 100);
    // A prompt token costs 1: the rest is the fee, to the nano-AIGEN.
    let more = tokens(&answer) - tokens(&plain);
    assert_eq!(cost(&answer), cost(&plain) + more + FEE);

    let path = format!("/v1/aigen/receipts/{}", receipt_of(&reply));
    let receipt = world.get(&world.ada, &path).await.json();
    let read = &receipt["reads"][0];
    assert_eq!(read["dataset"], "acme/faq@1.0.0");
    assert_eq!(
        (&read["purpose"], &read["fee_nano"]),
        (&json!("completion"), &json!("15"))
    );
    assert_eq!(read["ranges"], json!([{"first": 0, "count": 1}]));
    let earned: u128 = read["earned_nano"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.balance("org:acme").0, earned);
    let lines = receipt["lines"].as_array().unwrap().iter();
    let kinds: Vec<_> = lines.map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["request", "input", "output", "dataset_rows", "dataset_hits"]
    );

    let acme = world.key("acme-2", "org:acme").await;
    let earnings = world.get(&acme, "/v1/aigen/earnings").await.json();
    assert_eq!(earnings["data"][0]["dataset"], "acme/faq@1.0.0");
    assert_eq!(earnings["data"][0]["earned_nano"], read["earned_nano"]);
    assert_eq!(earnings["data"][0].get("purpose"), None);
    let told = "/v1/aigen/earnings?account=org:acme&by=day,purpose";
    let told = world.get(&world.operator, told).await.json();
    assert_eq!(told["data"][0]["purpose"], "completion");
    let wrong = world.get(&acme, "/v1/aigen/earnings?by=model").await;
    assert_eq!(wrong.error().1, "invalid_value", "{}", wrong.text);
    let other = "/v1/aigen/earnings?account=org:acme";
    assert_eq!(world.get(&world.ada, other).await.status, 403);
    world.settle().await;
}

/// A key for other datasets gets no passage, and is told so.
#[tokio::test]
async fn a_key_that_is_limited_to_other_datasets_is_given_no_passage() {
    let (world, _folder) = shop().await;
    let limit = json!({"datasets": ["acme/private"]});
    let path = "/v1/aigen/keys/ada-1/limits";
    let key = world.post(&world.operator, path, &limit).await.json();
    assert_eq!(key["limits"], limit);
    let before = world.balance("user:ada");
    let asked = json!({"aigen": {"datasets": ["acme/faq"]}});
    let (status, code, _) = world.chat(asked.clone()).await.error();
    assert_eq!((status, &*code), (403, "dataset_not_allowed"));
    let count = json!({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "aigen": {"datasets": ["acme/faq"]}});
    let counted = world.post(&world.ada, "/v1/messages/count_tokens", &count);
    assert_eq!(counted.await.status, 403);
    assert_eq!(world.balance("user:ada"), before);
    world.post(&world.operator, path, &json!({})).await;
    assert_eq!(world.chat(asked).await.status, 200);
    world.settle().await;
}

/// Streams, and the routes of others, say and charge the same.
#[tokio::test]
async fn every_way_to_ask_is_charged_and_cites_alike() {
    let (world, _folder) = shop().await;
    let datasets = json!({"datasets": [{"id": "acme/faq", "limit": 1, "query": "Hi"}]});
    let whole = world.chat(json!({"aigen": datasets})).await.json();
    let streamed = world.chat(json!({"stream": true, "aigen": datasets})).await;
    let (events, done) = streamed.events();
    let last = events
        .iter()
        .find(|event| event.get("aigen").is_some())
        .unwrap();
    assert!(done);
    assert_eq!(last["aigen"]["citations"], cited());
    assert_eq!(cost(last), cost(&whole));
    for (path, body) in [
        (
            "/v1/completions",
            json!({"model": "tiny", "prompt": "Hi", "aigen": datasets}),
        ),
        (
            "/v1/responses",
            json!({"model": "tiny", "input": "Hi", "aigen": datasets}),
        ),
        (
            "/v1/messages",
            json!({"model": "tiny", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "aigen": datasets}),
        ),
    ] {
        let reply = world.post(&world.ada, path, &body).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let receipt = format!("/v1/aigen/receipts/{}", receipt_of(&reply));
        let receipt = world.get(&world.ada, &receipt).await.json();
        assert_eq!(receipt["reads"][0]["fee_nano"], "15", "{path}");
        assert_eq!(reply.json()["aigen"]["citations"], cited(), "{path}");
    }
    world.settle().await;
}

/// What a dataset adds to a prompt is counted before it is asked for, by whoever may read it, for nothing.
#[tokio::test]
async fn passages_are_counted_as_they_are_charged() {
    let (world, _folder) = shop().await;
    let asked = |dataset: &str| {
        json!({
            "model": "tiny", "messages": [{"role": "user", "content": "Hi"}],
            "aigen": {"datasets": [dataset]},
        })
    };
    let count = "/v1/messages/count_tokens";
    let counted = world.post(&world.ada, count, &asked("acme/faq")).await;
    let mut plain = asked("acme/faq");
    plain.as_object_mut().unwrap().remove("aigen");
    let plain = world.post(&world.ada, count, &plain).await;
    let tokens = |reply: &Reply| reply.json()["input_tokens"].as_u64().unwrap();
    assert!(tokens(&counted) > tokens(&plain) + 100, "{}", counted.text);
    let refused = world.post(&world.ada, count, &asked("acme/private")).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(world.balance("user:ada").0, 1_000_000_000);
    let mut whole = asked("acme/faq");
    whole["max_tokens"] = json!(9);
    let answer = world.post(&world.ada, "/v1/messages", &whole).await.json();
    assert_eq!(answer["usage"]["input_tokens"], tokens(&counted));
    world.settle().await;
}

#[tokio::test]
async fn what_may_not_be_read_is_refused_before_any_charge() {
    let (world, _folder) = shop().await;
    let ask = |datasets: Value| chat(json!({"aigen": {"datasets": datasets}}));
    let many: Vec<_> = (0..9).map(|_| "acme/faq").collect();
    let price = FEE - 1;
    for (status, code, body) in [
        (404, "dataset_unknown", ask(json!(["acme/none"]))),
        (404, "dataset_unknown", ask(json!(["acme/faq@2"]))),
        (403, "dataset_not_granted", ask(json!(["acme/private"]))),
        (400, "invalid_json", ask(json!(["acme"]))),
        (
            400,
            "invalid_json",
            ask(json!([{"id": "acme/faq", "rows": 1}])),
        ),
        (
            400,
            "invalid_value",
            ask(json!([{"id": "acme/faq", "limit": 51}])),
        ),
        (400, "invalid_value", ask(json!(many))),
        (
            402,
            "budget_too_small",
            chat(
                json!({"aigen": {"datasets": ["acme/faq"], "max_cost": format!("0.0000000{price}")}}),
            ),
        ),
    ] {
        let reply: Reply = world.post(&world.ada, "/v1/chat/completions", &body).await;
        let (was, with, _) = reply.error();
        assert_eq!(
            (was, with.as_str()),
            (status, code),
            "{body}: {}",
            reply.text
        );
    }
    assert_eq!(world.balance("user:ada").0, 1_000_000_000);
    world.settle().await;
}

/// What is looked for is too long: the field that says it is named, which may be the question itself.
#[tokio::test]
async fn a_question_that_is_too_long_is_named_as_it_was_written() {
    let (world, _folder) = shop().await;
    let long = "x".repeat((64 << 10) + 1);
    let named = json!({"datasets": ["acme/faq", {"id": "acme/faq", "query": long}]});
    let named = chat(json!({"aigen": named}));
    let said = json!({
        "model": "tiny", "aigen": {"datasets": ["acme/faq"]},
        "messages": [{"role": "user", "content": long}],
    });
    let completion = json!({"model": "tiny", "prompt": long, "aigen": {"datasets": ["acme/faq"]}});
    for (path, body, param) in [
        ("/v1/chat/completions", &named, "aigen.datasets[1].query"),
        ("/v1/aigen/quote", &named, "aigen.datasets[1].query"),
        ("/v1/chat/completions", &said, "messages"),
        ("/v1/aigen/quote", &said, "messages"),
        ("/v1/completions", &completion, "prompt"),
    ] {
        let reply = world.post(&world.ada, path, body).await;
        let found = reply.error();
        let expected = (400, "invalid_value".to_owned(), Some(param.to_owned()));
        assert_eq!(found, expected, "{path} {}", reply.text);
        assert!(reply.text.contains("at most 65536 bytes"), "{}", reply.text);
    }
    world.settle().await;
}

/// A quote says of the same request what it then costs, passages and their fees included, for nothing.
#[tokio::test]
async fn a_quote_has_the_passages_and_their_fees() {
    let (world, _folder) = shop().await;
    let quote = async |body: &Value| world.post(&world.ada, "/v1/aigen/quote", body).await;
    let plain = quote(&chat(json!({"max_tokens": 9}))).await.json();
    let asked = chat(json!({"max_tokens": 9, "aigen": {"datasets": ["acme/faq"]}}));
    let quoted = quote(&asked).await.json();
    let reads = json!([{"dataset": "acme/faq@1.0.0", "rows": 1, "hits": 1, "fee_nano": "15", "fee": "0.000000015"}]);
    assert_eq!((&plain["reads"], &quoted["reads"]), (&json!([]), &reads));
    assert_eq!(
        (&quoted["fees_nano"], &quoted["payer"]),
        (&json!("15"), &json!("user:ada"))
    );
    assert_eq!(quoted["output_tokens"], 9);
    let nano =
        |quote: &Value, name: &str| -> u64 { quote[name].as_str().unwrap().parse().unwrap() };
    let tokens = |quote: &Value| quote["prompt_tokens"].as_u64().unwrap();
    // A prompt token costs 1.
    let more = tokens(&quoted) - tokens(&plain) + FEE;
    assert!(more > FEE + 100, "{quoted}");
    for name in ["least_nano", "most_nano"] {
        assert_eq!(nano(&quoted, name), nano(&plain, name) + more, "{name}");
    }
    let mut retried = request("POST", &world.ada, "/v1/aigen/quote", &asked.to_string());
    let key = "retried".parse().unwrap();
    retried.headers_mut().insert("idempotency-key", key);
    assert_eq!(world.send(retried).await.json(), quoted);
    assert_eq!(world.balance("user:ada").0, 1_000_000_000);

    let answer = world
        .post(&world.ada, "/v1/chat/completions", &asked)
        .await
        .json();
    assert_eq!(answer["usage"]["prompt_tokens"], quoted["prompt_tokens"]);
    assert!((nano(&quoted, "least_nano")..=nano(&quoted, "most_nano")).contains(&cost(&answer)));

    let bounded = |nano: u64| {
        let max_cost = aigen_types::Amount::from_nano(nano.into()).to_string();
        chat(json!({"aigen": {"datasets": ["acme/faq"], "max_cost": max_cost}}))
    };
    let least = nano(&quoted, "least_nano");
    assert_eq!(
        nano(&quote(&bounded(least)).await.json(), "most_nano"),
        least
    );
    let private = chat(json!({"aigen": {"datasets": ["acme/private"]}}));
    for (status, code, body) in [
        (402, "budget_too_small", bounded(least - 1)),
        (403, "dataset_not_granted", private),
        (
            404,
            "model_not_found",
            json!({"model": "none", "messages": [{"role": "user", "content": "Hi"}]}),
        ),
    ] {
        let (was, with, _) = quote(&body).await.error();
        assert_eq!((was, with.as_str()), (status, code));
    }
    world.settle().await;
}
