//! Texts to vectors, with a model made of the bundled one: random as its vectors are, they are the
//! same for the same text, of length 1, and paid for by the prompt.

use crate::support::Folder;
use crate::support::http::send;
use serde_json::{Value, json};

const BUNDLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/aigen-tiny.gguf");

/// Adds a number to a GGUF file's metadata.
fn with_number(file: &[u8], key: &str, number: u32) -> Vec<u8> {
    let tensors = u64_at(file, 8);
    let pairs = u64_at(file, 16);
    let mut at = 24;
    for _ in 0..pairs {
        at = after_text(file, at);
        let kind = u32_at(file, at);
        at = after_value(file, at + 4, kind);
    }
    let metadata = at;
    for _ in 0..tensors {
        at = after_text(file, at);
        let dimensions = u32_at(file, at) as usize;
        at += 4 + 8 * dimensions + 4 + 8;
    }
    let mut new = file[..16].to_vec();
    new.extend((pairs + 1).to_le_bytes());
    new.extend(&file[24..metadata]);
    new.extend((key.len() as u64).to_le_bytes());
    new.extend(key.as_bytes());
    new.extend(4_u32.to_le_bytes());
    new.extend(number.to_le_bytes());
    new.extend(&file[metadata..at]);
    new.resize(new.len().next_multiple_of(32), 0);
    new.extend(&file[at.next_multiple_of(32)..]);
    new
}

fn u32_at(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
}

fn u64_at(file: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(file[at..at + 8].try_into().unwrap())
}

fn after_text(file: &[u8], at: usize) -> usize {
    at + 8 + usize::try_from(u64_at(file, at)).unwrap()
}

fn after_value(file: &[u8], at: usize, kind: u32) -> usize {
    match kind {
        0 | 1 | 7 => at + 1,
        2 | 3 => at + 2,
        4..=6 => at + 4,
        10..=12 => at + 8,
        8 => after_text(file, at),
        9 => {
            let (kind, length) = (u32_at(file, at), u64_at(file, at + 4));
            (0..length).fold(at + 12, |at, _| after_value(file, at, kind))
        }
        other => panic!("a value of type {other}"),
    }
}

/// A folder with a model that makes vectors beside the bundled one.
fn folder() -> Folder {
    let folder = Folder::new();
    let file = std::fs::read(BUNDLED).unwrap();
    folder.write("vectors.gguf", with_number(&file, "llama.pooling_type", 1));
    folder.write(
        "aigen.toml",
        "[[model]]\nname = \"aigen-tiny\"\n[[model]]\nname = \"vectors\"\nfile = \"vectors.gguf\"\n\
         price = { input = \"7\", cached_input = \"7\", output = \"1\", request = \"0\" }\n",
    );
    folder
}

/// Another node's vectors, at this node's price, counted as the other counts.
#[test]
fn vectors_of_another_node_are_passed_on_and_paid() {
    let (near, away) = (Folder::new(), folder());
    let upstream = away.dev();
    let far = |more: &str| {
        let url = upstream.url();
        format!(
            "[[model]]\nname = \"far\"\nprovider = \"acme\"\ncontext_tokens = 512\n\
             price = {{ input = \"100\", cached_input = \"100\", output = \"1\", request = \"0\" }}\n\
             [model.remote]\nvectors = true\n{more}\n[[model.upstream]]\nbase_url = \"{url}/v1\"\n\
             model = \"vectors\"\napi_key_env = \"UPSTREAM_KEY\"\n"
        )
    };
    near.write("aigen.toml", far("tools = true"));
    let refused = near.run(&["config"]);
    assert!(
        refused
            .stderr
            .contains("the model `far` makes vectors, and `tools` is for"),
        "{refused}"
    );
    near.write("aigen.toml", far(""));
    let mut command = near.command(&["dev", "--port", "0", "--json"]);
    let node = crate::support::Serving::start(command.env("UPSTREAM_KEY", upstream.key()));
    let ask = |node: &crate::support::Serving, path: &str, body: Value| {
        send(node.url(), "POST", path, node.key(), &body.to_string())
    };
    let texts = ["The delivery was late.", "The box was broken."];
    let direct = ask(
        &upstream,
        "/v1/embeddings",
        json!({"model": "vectors", "input": texts}),
    )
    .json();
    let passed = ask(
        &node,
        "/v1/embeddings",
        json!({"model": "far", "input": texts}),
    )
    .json();
    assert_eq!(passed["data"], direct["data"], "{passed}");
    assert_eq!(passed["usage"], direct["usage"]);
    assert_eq!(
        passed["aigen"]["counted"],
        json!({"by": "upstream"}),
        "{passed}"
    );
    let receipt = near.json(&["receipt", passed["aigen"]["receipt"].as_str().unwrap()]);
    let tokens = direct["usage"]["prompt_tokens"].as_u64().unwrap();
    assert_eq!(
        receipt["total_nano"],
        (tokens * 100_000).to_string(),
        "{receipt}"
    );
    assert_eq!(receipt["counted_by"], "upstream");
    let models = near.json(&["models"]);
    assert_eq!(
        models["data"][0]["aigen"]["engine"], "remote (vectors)",
        "{models}"
    );

    // Nothing is charged for what the upstream refuses, and nothing else is asked of it.
    let long = json!({"model": "far", "input": "word ".repeat(2_000)});
    let refused = ask(&node, "/v1/embeddings", long);
    assert_eq!(
        refused.error(),
        (400, "upstream_refused".into()),
        "{refused:?}"
    );
    let chat = json!({"model": "far", "messages": [{"role": "user", "content": "Hi"}]});
    let refused = ask(&node, "/v1/chat/completions", chat);
    assert_eq!(
        refused.error(),
        (400, "unsupported_parameter".into()),
        "{refused:?}"
    );
    let balance = near.json(&["ledger", "balance", "user:dev"])["data"][0].clone();
    assert_eq!(balance["held_nano"], "0", "{balance}");
    drop(upstream);
    let gone = ask(
        &node,
        "/v1/embeddings",
        json!({"model": "far", "input": "a"}),
    );
    assert_eq!(
        gone.error(),
        (502, "upstream_unavailable".into()),
        "{gone:?}"
    );
    let after = near.json(&["ledger", "balance", "user:dev"])["data"][0].clone();
    assert_eq!(after, balance);
}

#[test]
fn texts_become_vectors() {
    let folder = folder();
    let node = folder.dev();
    let ask = |body: Value| {
        let body = body.to_string();
        send(node.url(), "POST", "/v1/embeddings", node.key(), &body)
    };
    let texts = [
        "The delivery was late.",
        "The box was broken.",
        "The delivery was late.",
    ];
    let reply = ask(json!({"model": "vectors", "input": texts})).json();
    let vector = |at: usize| -> Vec<f64> {
        let numbers = reply["data"][at]["embedding"]
            .as_array()
            .unwrap_or_else(|| panic!("{reply}"));
        numbers
            .iter()
            .map(|number| number.as_f64().unwrap())
            .collect()
    };
    let length = vector(0).iter().map(|x| x * x).sum::<f64>();
    assert!((length - 1.0).abs() < 1e-4, "{length}");
    assert_eq!(vector(0), vector(2));
    assert_ne!(vector(0), vector(1));
    let tokens = reply["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens > 10, "{reply}");
    let receipt = folder.json(&["receipt", reply["aigen"]["receipt"].as_str().unwrap()]);
    assert_eq!(
        receipt["total_nano"],
        (tokens * 7_000).to_string(),
        "{receipt}"
    );
    // What OpenAI's Python client asks for: four bytes a number, in base64.
    let encoded =
        ask(json!({"model": "vectors", "input": texts[0], "encoding_format": "base64"})).json();
    let text = encoded["data"][0]["embedding"].as_str().unwrap();
    assert_eq!(
        text.trim_end_matches('=').len(),
        (vector(0).len() * 4 * 4).div_ceil(3)
    );
    // The tokens of a text are embedded as the text is.
    let tokens = |text: &str| {
        let body = json!({"model": "vectors", "prompt": text}).to_string();
        send(node.url(), "POST", "/tokenize", node.key(), &body).json()["tokens"].clone()
    };
    let of = |input: Value| ask(json!({"model": "vectors", "input": input})).json();
    let lists = of(json!([tokens(texts[0]), tokens(texts[1])]));
    for at in [0, 1] {
        let there = &lists["data"][at]["embedding"];
        assert_eq!(*there, reply["data"][at]["embedding"], "{lists}");
    }
    let one = of(tokens(texts[0]));
    assert_eq!(
        one["data"][0]["embedding"], reply["data"][0]["embedding"],
        "{one}"
    );
    for (body, status, code) in [
        (
            json!({"model": "aigen-tiny", "input": "x"}),
            400,
            "unsupported_parameter",
        ),
        (
            json!({"model": "vectors", "input": ""}),
            400,
            "invalid_value",
        ),
        (
            json!({"model": "vectors", "input": [1, 99_999_999]}),
            400,
            "invalid_value",
        ),
        (
            json!({"model": "vectors", "input": [[1], []]}),
            400,
            "invalid_value",
        ),
        (
            json!({"model": "vectors", "input": "word ".repeat(2_000)}),
            400,
            "context_length_exceeded",
        ),
        (
            json!({"model": "other", "input": "x"}),
            404,
            "model_not_found",
        ),
    ] {
        assert_eq!(ask(body.clone()).error(), (status, code.into()), "{body}");
    }
    let chat =
        json!({"model": "vectors", "messages": [{"role": "user", "content": "Hi"}]}).to_string();
    let refused = send(
        node.url(),
        "POST",
        "/v1/chat/completions",
        node.key(),
        &chat,
    );
    assert_eq!(refused.error(), (400, "unsupported_parameter".into()));
    let account = folder.json(&["ledger", "balance", "user:dev"]);
    assert_eq!(account["data"][0]["held_nano"], "0", "{account}");
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}
