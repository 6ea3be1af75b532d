//! The dashboard in real headless Chromium, before a node with something to show.
//!
//! `AIGEN_TEST_NODE` names the folder with playwright-core and axe-core (`make test` makes one in
//! `target/node`, and installs Chromium). Screenshots stay in `target/screenshots`.

#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use support::Folder;
use support::tools::{packages, skip};

const CONTROLLER: &str = "ada/sure@1.0.0";
/// Names and descriptions come from strangers.
const HOSTILE: &str = r#"
description = "<img src=x onerror=alert(1)><script>alert(2)</script>\" onmouseover=alert(3)"
licence = "MIT"
"#;
const GRAMMAR: &str = "start: \"Word: \" word\nword: @choice(words)\n";

fn done(folder: &Folder, args: &[&str]) {
    let ran = folder.run(args);
    assert_eq!(ran.code, 0, "{args:?}\n{ran}");
}

/// A node whose every page has something on it: an app that pays by an allowance, a controller,
/// a validator, a settled epoch.
fn lively() -> (Folder, support::Serving) {
    let folder = Folder::new();
    let node = folder.dev();
    folder.write("sure.lark", GRAMMAR);
    folder.write("hostile.toml", HOSTILE);
    folder.write(
        "faq.csv",
        "question,answer,votes\nA mug?,\"Yes, a mug.\",\nTea?,No.,7\n",
    );
    for args in [
        &["controller", "publish", "sure.lark", CONTROLLER][..],
        &[
            "controller",
            "publish",
            "sure.lark",
            "eve/evil@1.0.0",
            "--manifest",
            "hostile.toml",
        ],
        &[
            "dataset",
            "publish",
            "faq.csv",
            "--name",
            "acme/faq@1.0.0",
            "--licence",
            "MIT",
            "--price-per-row",
            "0.002",
            "--description",
            "<script>alert(4)</script>",
        ],
        &["dataset", "grant", "acme/faq", "app:words", "--days", "30"],
        &["dataset", "grant", "acme/faq", "user:dev"],
        &["fund", "validator:ann", "60"],
        &["fund", "app:words", "5"],
        &["budget", "set", "app:words", "2.5", "--per", "day"],
    ] {
        done(&folder, args);
    }
    let key = folder.json(&["key", "create", "validator:ann"])["key"].clone();
    let stake = [
        "--owner",
        "ann-inc",
        "--stake",
        "50",
        "--key",
        key.as_str().unwrap(),
    ];
    done(
        &folder,
        &[&["validator", "register", "ann"][..], &stake].concat(),
    );
    let app = folder.json(&["key", "create", "app:words"])["key"].clone();
    let client = aigen_client::Client::new(node.url(), app.as_str().unwrap()).unwrap();
    let request = json!({
        "model": "aigen-tiny", "max_tokens": 12,
        "messages": [{ "role": "user", "content": "Say a word." }],
        "aigen": { "controller": CONTROLLER, "params": { "words": ["yes", "no"] } },
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..3 {
        let _: Value = runtime
            .block_on(client.post("/v1/chat/completions", &request))
            .unwrap();
    }
    let app = app.as_str().unwrap();
    done(&folder, &["dataset", "rows", "acme/faq", "--key", app]);
    done(&folder, &["epoch", "close", "--wait", "0"]);
    (folder, node)
}

#[test]
fn every_page_in_a_browser() {
    let chromium = std::env::var("CHROMIUM").unwrap_or("/usr/bin/chromium".to_owned());
    if !Path::new(&chromium).exists() {
        return skip(&format!("no Chromium at {chromium}"));
    }
    let Some(packages) = packages("playwright-core") else {
        return;
    };
    let (folder, node) = lively();
    // Packages are looked up beside the script.
    let script = packages.join("dashboard-pages.mjs");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard/pages.mjs");
    std::fs::copy(own, &script).unwrap();
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    let operator = std::fs::read_to_string(folder.file(".aigen/operator.key")).unwrap();
    let output = Command::new("node")
        .arg(&script)
        .env("URL", node.url())
        .env("KEY", node.key())
        .env("OPERATOR", operator.trim())
        .env("CONTROLLER", CONTROLLER)
        .env("CHROMIUM", chromium)
        .env("SHOTS", shots)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.ends_with("all passed\n"), "{said}\n{complained}");
    // Not kept by the test harness: how long a newcomer needs is to be seen.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), &output.stdout);
}
