//! Several prompts in one request of `/v1/completions`: one call, one hold, one receipt.

use super::world::{Reply, World, breathe, gated, receipt_of, request};
use aigen_types::Amount;
use serde_json::{Value, json};

const PATH: &str = "/v1/completions";

fn body(prompt: Value, fields: Value) -> Value {
    let mut body = json!({"model": "tiny", "temperature": 0, "prompt": prompt});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn ask(world: &World, prompt: Value, fields: Value) -> Reply {
    world.post(&world.ada, PATH, &body(prompt, fields)).await
}

/// Index, text and why it ended, of each answer in the order they come.
fn answers(reply: &Reply) -> Vec<(u64, String, String)> {
    let answers = reply.json()["choices"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let answer = |choice: &Value| {
        let index = choice["index"].as_u64().unwrap();
        (index, text(&choice["text"]), text(&choice["finish_reason"]))
    };
    answers.iter().map(answer).collect()
}

/// The same of a stream, whose parts may come in any order.
fn streamed(events: &[Value], count: usize) -> Vec<(u64, String, String)> {
    let mut all: Vec<_> = (0..count as u64)
        .map(|index| (index, String::new(), String::new()))
        .collect();
    for choice in events
        .iter()
        .flat_map(|event| event["choices"].as_array().unwrap())
    {
        let one = &mut all[usize::try_from(choice["index"].as_u64().unwrap()).unwrap()];
        one.1 += choice["text"].as_str().unwrap();
        if let Some(finish) = choice["finish_reason"].as_str() {
            assert!(one.2.is_empty(), "{choice} ended twice");
            one.2 = finish.to_owned();
        }
    }
    all
}

/// Its tokens, and what it cost in nano-AIGEN.
fn charged(reply: &Value) -> (u64, u64, u128) {
    let usage = |field: &str| reply["usage"][field].as_u64().unwrap();
    let cost: Amount = reply["aigen"]["cost"].as_str().unwrap().parse().unwrap();
    let (prompt, completion) = (usage("prompt_tokens"), usage("completion_tokens"));
    (prompt, completion, cost.nano())
}

/// An answer has its prompt's number times `n`, and comes to what it would by itself; only the
/// price of the request is paid once.
#[tokio::test]
async fn every_prompt_is_answered_in_its_place() {
    let world = World::polite().await;
    for (prompts, n) in [
        (json!(["Hi", "Yo"]), 1),
        (json!(["Yo", "Hi", "Hi", "What?"]), 1),
        (json!(["Hi", "Yo", "Hi"]), 3),
        (json!(["Hi"]), 2),
    ] {
        let fields = json!({"n": n});
        let whole = ask(&world, prompts.clone(), fields.clone()).await;
        assert_eq!(whole.status, 200, "{}", whole.text);
        let (mut expected, mut sum) = (Vec::new(), (0, 0, 0));
        for prompt in prompts.as_array().unwrap() {
            let one = ask(&world, prompt.clone(), fields.clone()).await;
            let offset = expected.len() as u64;
            let moved = answers(&one).into_iter();
            expected.extend(moved.map(|(index, text, finish)| (index + offset, text, finish)));
            let (prompt, completion, cost) = charged(&one.json());
            sum = (sum.0 + prompt, sum.1 + completion, sum.2 + cost - 10);
        }
        assert_eq!(answers(&whole), expected, "{prompts} {n}");
        assert_eq!(
            charged(&whole.json()),
            (sum.0, sum.1, sum.2 + 10),
            "{prompts} {n}"
        );
        let path = format!("/v1/aigen/receipts/{}", receipt_of(&whole));
        let receipt = world.get(&world.ada, &path).await.json();
        let (_, _, cost) = charged(&whole.json());
        assert_eq!(receipt["total_nano"], cost.to_string());

        let fields = json!({"n": n, "stream": true, "stream_options": {"include_usage": true}});
        let reply = ask(&world, prompts.clone(), fields).await;
        let (events, done) = reply.events();
        assert!(done, "{}", reply.text);
        assert_eq!(streamed(&events, expected.len()), expected, "{prompts} {n}");
        assert_eq!(
            charged(events.last().unwrap()),
            charged(&whole.json()),
            "{prompts} {n}"
        );
    }
    world.settle().await;
}

/// As the model's own tokenizer has them.
#[tokio::test]
async fn tokens_are_prompts_as_their_text_is() {
    let world = World::polite().await;
    let tokens = async |text: &str| {
        let asked = json!({"model": "tiny", "prompt": text});
        let told = world.post(&world.ada, "/tokenize", &asked).await;
        told.json()["tokens"].clone()
    };
    let (hi, yo) = (tokens("Hi").await, tokens("Yo").await);
    for (tokens, texts) in [
        (hi.clone(), json!("Hi")),
        (json!([hi]), json!(["Hi"])),
        (json!([yo, hi]), json!(["Yo", "Hi"])),
    ] {
        let by_tokens = ask(&world, tokens, json!({"n": 2})).await;
        let by_texts = ask(&world, texts.clone(), json!({"n": 2})).await;
        assert_eq!(by_tokens.status, 200, "{}", by_tokens.text);
        assert_eq!(answers(&by_tokens), answers(&by_texts), "{texts}");
        assert_eq!(
            charged(&by_tokens.json()),
            charged(&by_texts.json()),
            "{texts}"
        );
    }
    world.settle().await;
}

/// All answers are steered, and all are held for before the first begins.
#[tokio::test]
async fn all_answers_are_steered_and_held_for() {
    let world = World::polite().await;
    let fields = json!({"aigen": {"controller": "choice", "params": {"options": ["no"]}}});
    let steered = ask(&world, json!(["Hi", "Yo"]), fields).await;
    let texts: Vec<_> = answers(&steered)
        .into_iter()
        .map(|answer| answer.1)
        .collect();
    assert_eq!(texts, ["no", "no"], "{}", steered.text);
    // 10, two prompts of 3 at 1 and two answers of up to 5 at 2.
    for (most, status) in [("0.000000035", 402), ("0.000000036", 200)] {
        let fields = json!({"max_tokens": 5, "aigen": {"max_cost": most}});
        let reply = ask(&world, json!(["Hi", "Yo"]), fields).await;
        assert_eq!(reply.status.as_u16(), status, "{most}: {}", reply.text);
    }
    world.settle().await;
}

/// Whoever leaves ends all of them, and nothing stays held.
#[tokio::test]
async fn whoever_hangs_up_ends_all_answers() {
    let (script, go) = gated(&"ab".repeat(100));
    let world = World::new(script).await;
    let fields = json!({"stream": true, "max_tokens": 50});
    let body = body(json!(["Hi", "Yo", "Hm"]), fields).to_string();
    let running = world.start(request("POST", &world.ada, PATH, &body)).await;
    (0..4).for_each(|_| go.send(()).unwrap());
    breathe().await;
    drop(running);
    drop(go);
    world.settle().await;
    let (available, held, posted) = world.balance("user:ada");
    assert_eq!((available, held), (posted, 0));
}
