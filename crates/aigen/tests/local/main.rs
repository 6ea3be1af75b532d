//! AI functions without a server, compared with the same ones asked of one.

#[path = "../../examples/in_process.rs"]
mod in_process;
#[path = "../support/mod.rs"]
mod support;

use aigen::{Local, Opening};
use aigen_client::Client;
use aigen_marvin::{
    AiError, Backend, Detailed, Guarantee, ai_fn, cast, classify, extract, generate,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use support::Folder;

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
enum Mood {
    Glad,
    Sad,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
struct Judged {
    mood: Mood,
    sarcasm: bool,
    #[schemars(length(max = 12))]
    word: String,
}

/// Judge the mood of `text`.
#[ai_fn(max_tokens = 60, temperature = 0.8, seed = 7)]
async fn judge(text: &str) -> Result<Judged, AiError>;

async fn local() -> Local {
    Local::open(Opening::default()).await.unwrap()
}

/// Names of fields, all the way down.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Null => Value::Null,
        _ => true.into(),
    }
}

/// One function, by whoever answers, in every way there is to ask; with what each answer cost.
async fn everything(on: &dyn Backend) -> (Vec<String>, Vec<Detailed<Judged>>) {
    let text = "What a day.";
    let mut said = Vec::new();
    let many = judge::map([text, "Again?"]).on(on).concurrency(2).await;
    said.extend(many.into_iter().map(|answer| format!("{answer:?}")));
    let extracted = extract::<Judged>(text).seed(3).on(on).await;
    said.push(format!("{:?}", extracted.unwrap()));
    let converted = cast::<bool>(&"yes").on(on).await;
    said.push(format!("{:?}", converted.unwrap()));
    let made = generate::<Mood>(3).seed(5).on(on).await.unwrap();
    assert_eq!(made.len(), 3);
    said.push(format!("{made:?}"));
    let likely = classify::<Mood>(text).on(on).probabilities().await.unwrap();
    let sum: f64 = likely.iter().map(|(_, share)| share).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{likely:?}");
    said.push(format!("{likely:?}"));
    let prompt = judge::prompt(text).unwrap();
    let tokens = prompt.tokens(on, "aigen-tiny").await.unwrap();
    let poor = judge::call(text).budget("0.000000001".parse().unwrap());
    let poor = poor.on(on).await;
    assert!(matches!(poor, Err(AiError::Budget { .. })), "{poor:?}");
    said.push(format!("{tokens} tokens, {}", poor.unwrap_err()));

    let plain = judge::call(text).on(on).detailed().await.unwrap();
    assert_eq!(plain.guarantee, Guarantee::Decoder);
    // The controller's grammar, under which every answer is of the type.
    let regex = r#"\{"mood":"(Glad|Sad)","sarcasm":true,"word":"[a-z]{1,5}"\}"#;
    let stacked = judge::call(text)
        .controller("regex")
        .param("pattern", regex);
    let stacked = stacked.on(on).detailed().await.unwrap();
    assert_eq!(stacked.guarantee, Guarantee::Controller);
    assert!(stacked.value.sarcasm);
    (said, vec![plain, stacked])
}

#[tokio::test]
async fn in_this_process_and_over_http_a_function_is_the_same() {
    let folder = Folder::new();
    let node = folder.dev();
    let client = Client::new(node.url(), node.key()).unwrap();
    let local = local().await;
    let (here, there) = (everything(&local).await, everything(&client).await);
    assert_eq!(here.0, there.0);
    for (here, there) in here.1.iter().zip(&there.1) {
        assert_eq!(here.value, there.value);
        assert_eq!((&here.raw, here.cost()), (&there.raw, there.cost()));
        assert!(!here.cost().is_zero());
        let reply = |detailed: &Detailed<Judged>| {
            let [receipt] = &detailed.receipts[..] else {
                panic!("one answer, one receipt");
            };
            serde_json::to_value(receipt).unwrap()
        };
        let (mut ours, mut theirs) = (reply(here), reply(there));
        assert_eq!(shape(&ours), shape(&theirs));
        let path =
            |reply: &Value| format!("/v1/aigen/receipts/{}", reply["receipt"].as_str().unwrap());
        let own: Value = local.get(&path(&ours)).await.unwrap();
        let other: Value = client.get(&path(&theirs)).await.unwrap();
        assert_eq!(shape(&own), shape(&other));
        assert_eq!(
            (&own["split"], &own["payer"]),
            (&other["split"], &other["payer"])
        );
        for reply in [&mut ours, &mut theirs] {
            reply["receipt"] = Value::Null;
            reply["journal_seq"] = Value::Null;
        }
        assert_eq!(ours, theirs);
    }
}

#[tokio::test]
async fn the_same_key_is_charged_once() {
    let local = local().await;
    let request = serde_json::json!({
        "model": "aigen-tiny", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}],
    });
    let request = serde_json::from_value(request).unwrap();
    let first = local.complete(&request, "one").await.unwrap();
    let again = local.complete(&request, "one").await.unwrap();
    assert_eq!(first, again);
    let balance = "/v1/aigen/account";
    let before: Value = local.get(balance).await.unwrap();
    local.complete(&request, "one").await.unwrap();
    assert_eq!(local.get::<Value>(balance).await.unwrap(), before);
    local.complete(&request, "two").await.unwrap();
    assert_ne!(local.get::<Value>(balance).await.unwrap(), before);
}

#[tokio::test]
async fn a_folder_keeps_the_ledger_for_the_next_time_and_for_the_command_line() {
    let folder = Folder::new();
    let opening = Opening {
        data_dir: Some(folder.file(".aigen")),
        ..Opening::default()
    };
    let local = Local::open(opening.clone()).await.unwrap();
    let detailed = judge::call("a").on(&local).detailed().await.unwrap();
    let receipt = detailed.receipts[0].receipt;
    let taken = Local::open(opening.clone()).await.unwrap_err().to_string();
    assert!(taken.contains("is in use by a running node"), "{taken}");
    assert!(taken.contains("\nhint: "), "{taken}");
    local.close(Duration::ZERO).await;

    let local = Local::open(opening).await.unwrap();
    let path = format!("/v1/aigen/receipts/{receipt}");
    let kept: Value = local.get(&path).await.unwrap();
    assert_eq!(kept["total"], detailed.cost().to_string());
    // Dropped, not closed: whoever opens the folder next finds it free and whole.
    drop(local);
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    let shown = folder.json(&["ledger", "balance"]);
    assert!(shown.to_string().contains("user:dev"), "{shown}");
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_with_a_way_out() {
    let folder = Folder::new();
    std::fs::create_dir(folder.file("x")).unwrap();
    folder.write("x/not-ours", "");
    let shared = folder.write("shared.toml", "journal = \"postgres://localhost/aigen\"\n");
    let broken = folder.write("broken.gguf", "nothing");
    let rows = [
        (
            Opening {
                data_dir: Some(folder.file("x")),
                ..Opening::default()
            },
            "is not empty and not an AiGen data folder",
        ),
        (
            Opening {
                config: Some(shared),
                ..Opening::default()
            },
            "several nodes share the journal",
        ),
        (
            Opening {
                model: Some(broken.display().to_string()),
                ..Opening::default()
            },
            "cannot serve the model",
        ),
    ];
    for (opening, expected) in rows {
        let error = Local::open(opening).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("\nhint: "), "{error}");
    }
}

#[test]
fn the_example_runs() {
    in_process::main().unwrap();
}
