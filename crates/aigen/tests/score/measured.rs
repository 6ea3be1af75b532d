//! What the node measures itself: answers against what their controllers declare, on every call.

use crate::network::{Http, Network};
use crate::with_input;
use aigen_network::script_key;
use serde_json::{Value, json};

const ASKED: [&str; 3] = ["One?", "Two?", "Three?"];

const MANIFEST: &str = r#"
description = "Numbers"
licence = "MIT"

[answer]
type = "object"
required = ["number"]
additionalProperties = false
properties.number = { type = "integer" }
"#;

/// A controller that always gives these answers, and says that they are objects with a number.
fn publish(network: &Network, reference: &str, answers: [&str; 3]) {
    let script: Value = ASKED
        .iter()
        .zip(answers)
        .map(|(asked, answer)| (script_key(asked), json!(answer)))
        .collect();
    network.folder.write("answers.json", script.to_string());
    network.folder.write("manifest.toml", MANIFEST);
    let publish = [
        "controller",
        "publish",
        "answers.json",
        reference,
        "--manifest",
        "manifest.toml",
    ];
    network.done(&publish);
}

fn ask(network: &Network, app: &Http, controller: &str, asked: &str, max_tokens: u32) {
    let request = json!({
        "model": "aigen-tiny", "max_tokens": max_tokens,
        "messages": [{ "role": "user", "content": asked }],
        "aigen": { "controller": controller },
    });
    network.post(app, "/v1/chat/completions", &request).unwrap();
}

fn truth(input: &Value, controller: &str, network: &Network) -> Option<u64> {
    let shown = network.folder.json(&["controller", "show", controller]);
    let digest = &shown["digest"];
    let mut audits = input["audits"].as_array().unwrap().iter();
    let audit = audits.find(|row| row["c"] == *digest && row["p"] == "conformance")?;
    audit["truth"].as_u64()
}

#[test]
fn answers_are_checked_against_the_declared_schema_on_every_call() {
    let network = Network::start();
    publish(
        &network,
        "eve/strict@1.0.0",
        [r#"{"number": 1}"#, r#"{"number": 2}"#, r#"{"number": 3}"#],
    );
    publish(
        &network,
        "eve/loose@1.0.0",
        [r#"{"number": 1}"#, r#"{"number": "two"}"#, "three"],
    );
    let app = Http::new(&network.url, &network.key("app:words"));
    for controller in ["eve/strict@1.0.0", "eve/loose@1.0.0"] {
        for asked in ASKED {
            ask(&network, &app, controller, asked, 64);
        }
    }
    // Cut short by its caller: that says nothing of the controller.
    ask(&network, &app, "eve/strict@1.0.0", "One?", 2);
    network.close();
    let (input, _) = network.settled(0);
    // (right × 1,000,000 + 20 × 300,000) // (calls + 20)
    assert_eq!(
        truth(&input, "eve/strict@1.0.0", &network),
        Some(9_000_000 / 23)
    );
    assert_eq!(
        truth(&input, "eve/loose@1.0.0", &network),
        Some(7_000_000 / 23)
    );
    stands_alone(&network);
    calls_are_proven(&network);
}

fn verify(network: &Network, args: &[&str], text: &str) -> (bool, String) {
    let output = with_input(&mut network.folder.command(args), text);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), said)
}

/// The whole epoch is checked without the journal, and nothing in it can be changed.
fn stands_alone(network: &Network) {
    let whole = network.done(&["epoch", "export", "0", "--whole"]);
    let check = |text: &str| verify(network, &["epoch", "verify", "-"], text);
    let (fine, said) = check(&whole);
    assert!(fine && said.contains("7 calls"), "{said}");
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let calls = whole["evidence"].as_array().unwrap();
    let checked = calls
        .iter()
        .position(|call| call["conforms"] == true)
        .unwrap();
    let unchecked = format!("/evidence/{checked}/conforms");
    for (pointer, value, says) in [
        ("/output/treasury", json!(1), "output"),
        ("/hash", json!("00".repeat(32)), "hash"),
        (unchecked.as_str(), Value::Null, "telemetry_root"),
        ("/evidence/0/tokens", json!(999_999), "telemetry_root"),
        ("/evidence/0/outcome", json!(99), "evidence[0].outcome"),
        ("/evidence/0/call", json!("x"), "evidence[0].call"),
        ("/telemetry_root", json!("00".repeat(32)), "telemetry_root"),
        (
            "/input/controllers/0/escrow",
            json!(-1),
            "input.controllers[0].escrow",
        ),
    ] {
        let mut changed = whole.clone();
        *changed
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}")) = value;
        let (fine, said) = check(&changed.to_string());
        assert!(!fine && said.contains(says), "{pointer}: {said}");
        assert!(said.contains("hint:"), "{said}");
    }
}

fn calls_are_proven(network: &Network) {
    let proofs = network.done(&["epoch", "evidence", "0", "--sample", "4"]);
    assert_eq!(
        proofs,
        network.done(&["epoch", "evidence", "0", "--sample", "4"]),
        "nobody chooses"
    );
    let check = |text: &str, root: &[&str]| {
        verify(
            network,
            &[&["epoch", "verify-evidence", "-"], root].concat(),
            text,
        )
    };
    let (fine, said) = check(&proofs, &[]);
    assert!(fine && said.starts_with("4 calls belong to"), "{said}");
    let whole = network.folder.json(&["epoch", "export", "0", "--whole"]);
    let root = whole["telemetry_root"].as_str().unwrap();
    assert!(check(&proofs, &["--root", root]).0);
    assert!(!check(&proofs, &["--root", &"11".repeat(32)]).0);
    let mut changed: Value = serde_json::from_str(&proofs).unwrap();
    changed[2]["evidence"]["tokens"] = json!(999_999);
    let (fine, said) = check(&changed.to_string(), &[]);
    assert!(!fine && said.contains("[2]: call"), "{said}");
    let none = network.folder.run(&[
        "epoch",
        "evidence",
        "0",
        "--call",
        "00000000000000000000000000000005",
    ]);
    assert!(
        none.stderr.contains("has no call") && none.stderr.contains("hint:"),
        "{none}"
    );
}
