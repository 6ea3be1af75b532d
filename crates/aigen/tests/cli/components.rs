//! Controllers that are WebAssembly components, from publishing to being paid.

use crate::check;
use crate::support::{Folder, Serving};
use aigen_testkit_guests as guests;
use serde_json::Value;

const MANIFEST: &str = r#"
description = "Yes or no"
licence = "MIT"

[limits]
request_fuel = 50_000_000
"#;

pub fn publish(folder: &Folder, file: &str, reference: &str) -> crate::support::Ran {
    let args = [
        "controller",
        "publish",
        file,
        reference,
        "--manifest",
        "yes-no.toml",
    ];
    folder.run(&args)
}

/// What the node says to its operator, who posts this, if anything.
pub fn asked(node: &Serving, folder: &Folder, path: &str, body: Option<Value>) -> String {
    let key = std::fs::read_to_string(folder.file(".aigen/operator.key")).unwrap();
    aigen_client::install_tls();
    let url = format!("{}{path}", node.url());
    let asked = async {
        let client = reqwest::Client::new();
        let request = match body {
            Some(body) => client.post(url).json(&body),
            None => client.get(url),
        };
        let reply = request.bearer_auth(key.trim()).send().await;
        reply.unwrap().text().await.unwrap()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(asked)
}

pub fn get(node: &Serving, folder: &Folder, path: &str) -> Value {
    serde_json::from_str(&asked(node, folder, path, None)).unwrap()
}

/// A node whose operator can pay.
fn serve(folder: &Folder) -> Serving {
    let node = folder.serve(&[]);
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    node
}

fn receipt(folder: &Folder, answer: &Value) -> Value {
    let id = answer["aigen"]["receipt"].as_str().unwrap();
    folder.json(&["receipt", id])
}

#[test]
fn a_component_is_published_runs_and_is_paid() {
    let Some(module) = guests::example("yes-no") else {
        return;
    };
    let folder = Folder::new();
    folder.write("yes-no.wasm", std::fs::read(module).unwrap());
    folder.write("yes-no.toml", MANIFEST);
    let node = serve(&folder);
    check!(publish(&folder, "yes-no.wasm", "ada/yes-no@1.0.0"), @r"
    exit code: 0
    ----- stdout
    published ada/yes-no@1.0.0, digest [DIGEST]
    ----- stderr
    ");
    // The same again is the same.
    assert_eq!(publish(&folder, "yes-no.wasm", "ada/yes-no@1.0.0").code, 0);
    let published = folder.json(&["controller", "show", "ada/yes-no@1.0"]);
    let ask = || {
        folder.json(&[
            "chat",
            "Is 7 prime?",
            "--temperature",
            "0",
            "--controller",
            "ada/yes-no@1.0",
        ])
    };
    let answer = ask();
    let text = answer["text"].as_str().unwrap();
    assert!(["yes", "no"].contains(&text), "{answer}");
    let first = receipt(&folder, &answer);
    assert_eq!(first["controller_digest"], published["digest"]);
    assert_eq!(first["finish"], "stop");
    let fuel = first["steering"]["fuel"].as_u64().unwrap();
    assert!(fuel > 0, "{first}");
    assert_eq!(answer["aigen"]["steering"], first["steering"]);
    let escrow = format!(
        "escrow:controller:{}",
        published["digest"].as_str().unwrap()
    );
    let held = folder.json(&["ledger", "balance", &escrow]);
    let share = first["split"].as_array().unwrap().iter();
    let share = share
        .clone()
        .find(|share| share["role"] == "controller")
        .unwrap();
    assert_eq!(held["data"][0]["posted"], share["amount"], "{held} {first}");

    // A node that starts again compiles nothing: what it compiled lies in its folder.
    assert_eq!(node.stop().0, 0);
    assert_eq!(
        std::fs::read_dir(folder.file(".aigen/compiled"))
            .unwrap()
            .count(),
        1
    );
    let _node = folder.serve(&[]);
    let again = receipt(&folder, &ask());
    assert_eq!(again["steering"]["fuel"].as_u64().unwrap(), fuel);
    // And one that lost its folder does, from the journal's store.
    drop(_node);
    std::fs::remove_dir_all(folder.file(".aigen/compiled")).unwrap();
    let node = folder.serve(&[]);
    assert_eq!(
        receipt(&folder, &ask())["steering"]["fuel"]
            .as_u64()
            .unwrap(),
        fuel
    );
    assert_eq!(node.stop().0, 0);
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

/// It ends its own request, by name, and what the model computed until then is paid.
#[test]
fn a_hostile_component_ends_one_request() {
    let folder = Folder::new();
    // A token, then no end.
    let step = "(call $any (i32.const 1))
        (if (i32.gt_u (global.get $steps) (i32.const 1)) (then (loop $l (br $l))))";
    folder.write("loop.wasm", guests::Guest::stepping(step).module());
    folder.write("yes-no.toml", MANIFEST);
    let node = serve(&folder);
    assert_eq!(publish(&folder, "loop.wasm", "eve/loop@1.0.0").code, 0);
    let ran = folder.run(&["chat", "Hello!", "--controller", "eve/loop@1.0.0"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        ran.stderr
            .contains("the controller used its fuel up, which is 20000000 for one call"),
        "{ran}"
    );
    let receipts = get(&node, &folder, "/v1/aigen/receipts");
    let receipt = &receipts["data"][0];
    assert_eq!(receipt["finish"], "controller_fault", "{receipt}");
    assert_eq!(receipt["steering"]["fault"], "fuel_exhausted");
    assert_eq!(receipt["usage"]["sampled_tokens"], 1);
    assert_ne!(receipt["total"], "0");
    // Everyone else goes on.
    assert_eq!(folder.run(&["chat", "Hello!"]).code, 0);
}

/// What the controller `says` makes of a question, told by a node that logs this, with what it logged until it
/// was stopped.
fn said_and_logged(filter: &str) -> (Value, String) {
    let folder = Folder::new();
    let says = guests::Guest {
        open: "(call $log (i32.const 1) (i32.const 16) (i32.const 4))",
        finish: "(call $log (i32.const 3) (i32.const 16) (i32.const 17))",
        ..guests::Guest::stepping("(call $stop)")
    };
    folder.write("says.wasm", says.module());
    folder.write("yes-no.toml", MANIFEST);
    let mut serve = folder.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let node = Serving::start(serve.env("AIGEN_LOG", filter));
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    assert_eq!(publish(&folder, "says.wasm", "ada/says@1.0.0").code, 0);
    let ask = serde_json::json!({
        "model": "aigen-tiny",
        "messages": [{"role": "user", "content": "Hello!"}],
        "aigen": {"controller": "ada/says@1.0.0", "trace": true},
    });
    let said = asked(&node, &folder, "/v1/chat/completions", Some(ask));
    let (code, logged) = node.stop();
    assert_eq!(code, 0, "{logged}");
    (serde_json::from_str(&said).unwrap(), logged)
}

/// In the reply where a trace is asked for, and in the node's log at debug level, under the call's own id.
#[test]
fn what_a_controller_logs_reaches_its_author() {
    let (said, logged) = said_and_logged("warn,aigen::controller=debug");
    let steps = said["aigen"]["trace"][0].as_array().unwrap();
    let told: Vec<_> = steps
        .iter()
        .filter(|step| step["kind"] == "logged")
        .map(|step| format!("{} {}", step["level"], step["message"]))
        .collect();
    assert_eq!(
        told,
        [r#""info" "name""#, r#""error" "name of something""#],
        "{said}"
    );
    let lines = logged
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines
        .filter(|line| line["target"] == "aigen::controller")
        .map(|line| {
            assert_eq!(line["call"], said["aigen"]["receipt"], "{line}");
            format!(
                "{} {} {} {}",
                line["level"], line["controller"], line["severity"], line["said"]
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            r#""DEBUG" "ada/says@1.0.0" "info" "name""#,
            r#""DEBUG" "ada/says@1.0.0" "error" "name of something""#,
        ],
        "{logged}"
    );
    // Where nobody asked for that much, only which call it was.
    let (said, logged) = said_and_logged("info");
    assert!(!logged.contains("name of something"), "{logged}");
    let receipt = said["aigen"]["receipt"].as_str().unwrap();
    let access = logged
        .lines()
        .find(|line| line.contains("aigen::access") && line.contains(receipt));
    assert!(access.is_some(), "{receipt}: {logged}");
}

#[test]
fn what_is_no_component_is_refused() {
    let folder = Folder::new();
    folder.write("yes-no.toml", MANIFEST);
    folder.write("none.wasm", b"\0asm no more");
    folder.write("large.wasm", guests::Guest::stepping("").module());
    let _node = folder.serve(&[]);
    check!(publish(&folder, "none.wasm", "ada/none@1.0.0"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: none.wasm was not published
      because: failed to parse WebAssembly module: unknown binary version: 0x206f6e20 (at offset 0x4)
    hint: correct the controller, its parameters or the schema
    ");
    folder.write("yes-no.toml", format!("{MANIFEST}memory_mib = 4096\n"));
    check!(publish(&folder, "large.wasm", "ada/large@1.0.0"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: large.wasm was not published
      because: the manifest: limits.memory_mib: must be 1 to 128
    hint: correct the controller, its parameters or the schema
    ");
}

/// What is taken back is charged to the caller and not counted for the developer; who asked for it
/// sees it go, and the call can be run again.
#[test]
fn tokens_that_are_taken_back() {
    let folder = Folder::new();
    let step = "(if (i32.eq (global.get $steps) (i32.const 1)) (then (call $any (i32.const 3))))
        (if (i32.eq (global.get $steps) (i32.const 2)) (then (call $backtrack (i32.const 2))))
        (if (i32.gt_u (global.get $steps) (i32.const 2)) (then (call $stop)))";
    folder.write("back.wasm", guests::Guest::stepping(step).module());
    let requires = "\n[requires]\nbacktrack = true\n";
    folder.write(
        "yes-no.toml",
        format!("{MANIFEST}discarded_tokens = 2\n{requires}"),
    );
    let node = serve(&folder);
    let published = publish(&folder, "back.wasm", "eve/back@1.0.0");
    assert_eq!(published.code, 0, "{published}");
    let body = serde_json::json!({
        "model": "aigen-tiny", "stream": true, "seed": 1,
        "messages": [{"role": "user", "content": "Hello!"}],
        "aigen": {"controller": "eve/back@1", "retract": true, "replay": true},
    });
    let said = asked(&node, &folder, "/v1/chat/completions", Some(body));
    assert!(
        said.contains("event: retract\ndata: {\"index\":0,\"bytes\":"),
        "{said}"
    );
    let receipts = get(&node, &folder, "/v1/aigen/receipts");
    let receipt = &receipts["data"][0];
    let tokens = |kind: &str| receipt["usage"][kind].as_u64().unwrap();
    assert_eq!(
        (tokens("sampled_tokens"), tokens("discarded_tokens")),
        (1, 2),
        "{receipt}"
    );
    let nano = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let lines = receipt["lines"].as_array().unwrap();
    let discarded = lines
        .iter()
        .find(|line| line["kind"] == "discarded")
        .unwrap();
    let kept = nano(&receipt["total"]) - nano(&discarded["amount"]);
    let split = receipt["split"].as_array().unwrap();
    let share = split
        .iter()
        .find(|share| share["role"] == "controller")
        .unwrap();
    let share = nano(&share["amount"]);
    assert!(
        (share - kept * 0.2).abs() < 2e-9,
        "{share} of {kept}: {receipt}"
    );

    let id = receipt["id"].as_str().unwrap();
    let ran = folder.run(&["controller", "replay", id, "--times", "100"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(
        ran.stdout.starts_with("the same decisions 100 times: "),
        "{ran}"
    );
    // One more than its manifest allows.
    folder.write(
        "yes-no.toml",
        format!("{MANIFEST}discarded_tokens = 1\n{requires}"),
    );
    assert_eq!(publish(&folder, "back.wasm", "eve/back@1.0.1").code, 0);
    let ran = folder.run(&["chat", "Hello!", "--controller", "eve/back@1"]);
    assert!(ran.stderr.contains("took back more than 1 tokens"), "{ran}");
}
