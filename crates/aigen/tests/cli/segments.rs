//! One published controller on a model of this machine and on one that another node answers for.

use crate::components::{asked, publish};
use crate::support::http::send;
use crate::support::{Folder, Serving};
use aigen_testkit_guests::{Guest, built};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}}, "required": ["mood", "stars"], "additionalProperties": false}"#;

/// As the text form of WebAssembly writes it.
fn escaped(text: &str) -> String {
    text.replace('"', "\\22")
}

/// Generates under the schema, then stops.
fn typed() -> Vec<u8> {
    let length = SCHEMA.len();
    let step = format!(
        "(if (local.get $why) (then (call $stop)) (else
          (call $schema (i32.const 256) (i32.const {length}) (i32.const 0) (i32.const 0) (i32.const 2048))
          (if (i32.load8_u (i32.const 2048)) (then unreachable))
          (call $any (i32.const 0))
          (i32.store8 (i32.const 1032) (i32.const 1))
          (i32.store (i32.const 1036)
            (call $matcher_id (call $matcher (i32.load (i32.const 2052)))))))"
    );
    Guest {
        step: &step,
        text: &escaped(SCHEMA),
        ..Guest::default()
    }
    .module()
}

fn ask(node: &Serving, folder: &Folder, model: &str, controller: &str) -> Value {
    let body = json!({
        "model": model, "temperature": 0, "seed": 1, "max_tokens": 40,
        "messages": [{"role": "user", "content": "The box was broken."}],
        "aigen": {"controller": controller},
    });
    let said = asked(node, folder, "/v1/chat/completions", Some(body));
    serde_json::from_str(&said).unwrap()
}

#[test]
fn the_same_controller_types_what_is_computed_here_and_elsewhere() {
    let (folder, away) = (Folder::new(), Folder::new());
    let upstream = away.dev();
    let url = upstream.url();
    folder.write(
        "aigen.toml",
        format!(
            "[[model]]\nname = \"aigen-tiny\"\n\n[[model]]\nname = \"far\"\ncontext_tokens = 512\n\
             [[model.upstream]]\nbase_url = \"{url}/v1\"\nmodel = \"aigen-tiny\"\napi_key_env = \"UPSTREAM_KEY\"\n"
        ),
    );
    let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
    let node = Serving::start(folder.command(&serve).env("UPSTREAM_KEY", upstream.key()));
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    folder.write("typed.wasm", typed());
    let manifest = |control: &str| {
        folder.write(
            "yes-no.toml",
            format!("description = \"Typed\"\nlicence = \"MIT\"\n\n[requires]\ncontrol = \"{control}\"\n"),
        );
    };
    manifest("schema");
    let published = publish(&folder, "typed.wasm", "ada/typed@1.0.0");
    assert_eq!(published.code, 0, "{published}");
    for model in ["aigen-tiny", "far"] {
        let answer = ask(&node, &folder, model, "ada/typed@1.0.0");
        let text = answer["choices"][0]["message"]["content"].as_str();
        let text = text.unwrap_or_else(|| panic!("{model}: {answer}"));
        let value: Value = serde_json::from_str(text).unwrap();
        let mood = value["mood"].as_str().unwrap();
        let stars = value["stars"].as_u64().unwrap();
        assert!(
            ["good", "bad"].contains(&mood) && (1..=5).contains(&stars),
            "{value}"
        );
        assert_eq!(answer["aigen"]["grammar_complete"], true, "{answer}");
        assert_eq!(answer["aigen"]["outcome"], "name");
        let receipt = folder.json(&["receipt", answer["aigen"]["receipt"].as_str().unwrap()]);
        assert_eq!(receipt["controller"], "ada/typed@1.0.0");
        assert!(
            receipt["steering"]["fuel"].as_u64().unwrap() > 0,
            "{receipt}"
        );
        let paid = receipt["split"].as_array().unwrap().iter();
        assert!(
            paid.clone().any(|share| share["role"] == "controller"),
            "{receipt}"
        );
    }
    // What it says that it needs, and what it does, are refused by name.
    manifest("token");
    assert_eq!(publish(&folder, "typed.wasm", "ada/typed@2.0.0").code, 0);
    let refused = ask(&node, &folder, "far", "ada/typed@2.0.0");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("does not let every token be steered as closely as that"),
        "{message}"
    );
    manifest("schema");
    folder.write(
        "forks.wasm",
        Guest::stepping(
            "(call $any (i32.const 4)) (if (local.get $why) (then (call $fork (i32.const 2))))",
        )
        .module(),
    );
    assert_eq!(publish(&folder, "forks.wasm", "ada/forks@1.0.0").code, 0);
    let failed = ask(&node, &folder, "far", "ada/forks@1.0.0");
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("a fork of a text that has begun, on a model that is computed elsewhere"),
        "{message}"
    );
    let held = folder.json(&["ledger", "balance", "operator"])["data"][0]["held_nano"].clone();
    assert_eq!(held, "0");
}

/// Three branches say four tokens each at most, and the last of them is kept.
const LAST_OF_THREE: &str = "(if (i32.eqz (local.get $why)) (then (call $fork (i32.const 2))) (else
    (if (i32.eq (local.get $why) (i32.const 1)) (then (call $any (i32.const 4))) (else
      (call $stop) (i32.store8 (i32.const 1033) (i32.eq (local.get $branch) (i32.const 2)))))))";

/// A fork on a model that is computed elsewhere is a request for each branch: held for, asked and charged, each by
/// itself.
#[test]
fn a_fork_elsewhere_is_parallel_requests() {
    let (folder, away) = (Folder::new(), Folder::new());
    let upstream = away.dev();
    let url = upstream.url();
    folder.write(
        "aigen.toml",
        format!(
            "[[model]]\nname = \"far\"\ncontext_tokens = 512\n[model.remote]\nprobabilities = false\n\
             [[model.upstream]]\nbase_url = \"{url}/v1\"\nmodel = \"aigen-tiny\"\napi_key_env = \"UPSTREAM_KEY\"\n"
        ),
    );
    let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
    let node = Serving::start(folder.command(&serve).env("UPSTREAM_KEY", upstream.key()));
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    folder.write("last.wasm", Guest::stepping(LAST_OF_THREE).module());
    let manifest = "description = \"Last of three\"\nlicence = \"MIT\"\n\n[requires]\ncontrol = \"text\"\nfork = true\n\n[limits]\nbranches = 3\n";
    folder.write("yes-no.toml", manifest);
    let published = publish(&folder, "last.wasm", "ada/last@1.0.0");
    assert_eq!(published.code, 0, "{published}");
    let answer = ask(&node, &folder, "far", "ada/last@1");
    let id = answer["aigen"]["receipt"].as_str();
    let receipt = folder.json(&["receipt", id.unwrap_or_else(|| panic!("{answer}"))]);
    assert_eq!(receipt["steering"]["branches"], 2, "{receipt}");
    let asked = send(url, "GET", "/v1/aigen/receipts", upstream.key(), "").json();
    // Nothing is forced but where the node finds out whether schemas are followed there.
    let asked = asked["data"].as_array().unwrap().iter();
    let asked: Vec<_> = asked
        .filter(|one| one["usage"]["forced_tokens"] == 0)
        .collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    let tokens = |receipt: &Value, kinds: &[&str]| -> u64 {
        let of = |kind: &&str| receipt["usage"][*kind].as_u64().unwrap();
        kinds.iter().map(of).sum()
    };
    let prompt = ["prompt_tokens", "cached_prompt_tokens"];
    let sum = |kinds: &[&str]| asked.iter().map(|one| tokens(one, kinds)).sum::<u64>();
    assert_eq!(tokens(&receipt, &prompt), sum(&prompt), "{receipt}");
    let (kept, unkept) = (["sampled_tokens"], ["discarded_tokens"]);
    assert!(tokens(&receipt, &unkept) > 0, "{receipt}");
    let output = tokens(&receipt, &kept) + tokens(&receipt, &unkept);
    assert_eq!(output, sum(&kept), "{receipt}");
    let unkept = receipt["steering"]["unkept_tokens"].as_u64();
    assert_eq!(unkept, receipt["usage"]["discarded_tokens"].as_u64());
    let held = folder.json(&["ledger", "balance", "operator"])["data"][0]["held_nano"].clone();
    assert_eq!(held, "0");
    assert_eq!(node.stop().0, 0);
    assert_eq!(folder.json(&["ledger", "verify"])["ok"], true);
}

const BEST_OF_THREE: &str = "description = \"Best of three\"\nlicence = \"MIT\"\n\n[requires]\ncontrol = \"text\"\nfork = true\nprobabilities = true\n\n[limits]\nbranches = 3\n";

/// The example that keeps the likeliest of three runs wherever somebody tells how likely they are, and is refused by
/// name elsewhere.
#[test]
fn the_best_of_three_elsewhere_is_the_likeliest() {
    let Some(best) = built("best-of-three") else {
        return;
    };
    let (folder, away) = (Folder::new(), Folder::new());
    let upstream = away.dev();
    let url = upstream.url();
    let model = |name: &str, more: &str| {
        format!(
            "[[model]]\nname = \"{name}\"\ncontext_tokens = 512\n{more}\
             [[model.upstream]]\nbase_url = \"{url}/v1\"\nmodel = \"aigen-tiny\"\napi_key_env = \"UPSTREAM_KEY\"\n"
        )
    };
    let [far, mute] = [
        model("far", ""),
        model("mute", "[model.remote]\nprobabilities = false\n"),
    ];
    folder.write("aigen.toml", far + &mute);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
    let node = Serving::start(folder.command(&serve).env("UPSTREAM_KEY", upstream.key()));
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    let models = folder.json(&["models"]);
    let told = models["data"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .map(|one| {
            (
                one["id"].as_str().unwrap(),
                one["aigen"]["probabilities"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("far", true), ("mute", false)], "{models}");
    folder.write("best.wasm", best);
    folder.write("yes-no.toml", BEST_OF_THREE);
    let published = publish(&folder, "best.wasm", "ada/best@1.0.0");
    assert_eq!(published.code, 0, "{published}");
    let said = |model: &str, controller: &str| {
        let body = json!({
            "model": model, "temperature": 1, "seed": 1, "max_tokens": 12,
            "messages": [{"role": "user", "content": "The box was broken."}],
            "aigen": {"controller": controller},
        });
        let said = asked(&node, &folder, "/v1/chat/completions", Some(body));
        serde_json::from_str::<Value>(&said).unwrap()
    };
    let answer = said("far", "ada/best@1");
    let outcome = &answer["aigen"]["outcome"];
    assert!(outcome["mean_logprob"].as_f64().unwrap() < 0.0, "{answer}");
    let receipt = folder.json(&["receipt", answer["aigen"]["receipt"].as_str().unwrap()]);
    assert_eq!(receipt["steering"]["branches"], 2, "{receipt}");
    // The same seeds upstream, the same words, the same decisions.
    let again = said("far", "ada/best@1");
    assert_eq!(again["aigen"]["decisions"], answer["aigen"]["decisions"]);
    assert_eq!(&again["aigen"]["outcome"], outcome);
    let refused = said("mute", "ada/best@1")["error"]["message"].clone();
    let refused = refused.as_str().unwrap();
    assert!(refused.contains("how likely its tokens are"), "{refused}");
    folder.write(
        "yes-no.toml",
        BEST_OF_THREE.replace("probabilities = true\n", ""),
    );
    assert_eq!(publish(&folder, "best.wasm", "ada/best@2.0.0").code, 0);
    let refused = said("mute", "ada/best@2")["error"]["message"].clone();
    let refused = refused.as_str().unwrap();
    assert!(refused.contains("to observe probabilities"), "{refused}");
}
