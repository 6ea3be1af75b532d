//! More clients than the machine can serve: everyone gets an answer, and nothing stays behind.

use crate::support::http::{begin, finish, send};
use crate::support::{Folder, Serving};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn node(folder: &Folder, admission: &str) -> Serving {
    folder.write("aigen.toml", format!("[admission]\n{admission}\n"));
    folder.dev()
}

fn body(max_tokens: u32) -> String {
    json!({
        "model": "aigen-tiny",
        "messages": [{"role": "user", "content": "Hello!"}],
        "max_tokens": max_tokens,
        "temperature": 0,
    })
    .to_string()
}

fn account(folder: &Folder) -> Value {
    folder.json(&["ledger", "balance", "user:dev"])["data"][0].clone()
}

/// A metric's value, of whatever model.
fn metric(node: &Serving, name: &str) -> f64 {
    let text = send(node.url(), "GET", "/metrics", "", "").body;
    let line = text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = rest
            .strip_prefix('{')
            .map_or(Some(rest), |rest| Some(rest.split_once('}')?.1));
        value?.trim().parse().ok()
    });
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[test]
fn a_thousand_clients_at_once() {
    let folder = Folder::new();
    let mut node = node(&folder, "requests = 64\nrequests_per_key = 60");
    let other = folder.json(&["key", "create", "user:other"]);
    let other = other["key"].as_str().unwrap().to_owned();
    assert_eq!(folder.run(&["fund", "user:other", "1"]).code, 0);
    let before = node.resident_kib();

    // All of them are there before anyone reads an answer.
    let clients: Vec<_> = (0..1_000)
        .map(|_| {
            begin(
                node.url(),
                "POST",
                "/v1/chat/completions",
                node.key(),
                &body(8),
            )
        })
        .collect();
    let neighbour = begin(node.url(), "POST", "/v1/chat/completions", &other, &body(8));
    let mut answers = BTreeMap::new();
    for client in clients {
        let reply = finish(client);
        if reply.status != 200 {
            let (status, code) = reply.error();
            assert!(
                [(429, "key_busy"), (503, "engine_busy")].contains(&(status, &code)),
                "{reply:?}"
            );
            let pause: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=300).contains(&pause), "{reply:?}");
        }
        *answers.entry(reply.status).or_insert(0) += 1;
    }
    // One key's crowd is not in another's way.
    assert_eq!(finish(neighbour).status, 200);
    let served = answers[&200];
    assert!((60..1_000).contains(&served), "{answers:?}");

    assert_eq!(account(&folder)["held_nano"], "0");
    assert_eq!(metric(&node, "aigen_held_nano"), 0.0);
    assert_eq!(metric(&node, "vllm:num_requests_running"), 0.0);
    assert_eq!(metric(&node, "vllm:num_requests_waiting"), 0.0);
    assert_eq!(
        metric(&node, "vllm:e2e_request_latency_seconds_count"),
        f64::from(served + 1)
    );
    // Requests wait in line and not in memory: 200 kB for each of a thousand is a generous bound.
    let grown = node.resident_kib() - before;
    assert!(grown < 200_000, "{grown} KiB more than before");
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(verified["issued"], verified["balances"]);
}

/// Which models answer, and the format that Prometheus asks for.
#[test]
fn ready_tells_the_truth() {
    let folder = Folder::new();
    let node = folder.dev();
    let ready = send(node.url(), "GET", "/ready", "", "");
    assert_eq!(
        (ready.status, ready.json()["models"]["aigen-tiny"].clone()),
        (200, json!(true))
    );
    let text = send(node.url(), "GET", "/metrics", "", "");
    assert!(
        text.header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    assert!(text.body.ends_with("# EOF\n"), "{text:?}");
}

/// Models come and go while the node runs, within the memory that they may take.
#[test]
fn models_are_loaded_and_unloaded() {
    let folder = Folder::new();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/aigen-tiny.gguf");
    assert_eq!(
        folder
            .run(&["model", "add", bundled, "--name", "second"])
            .code,
        0
    );
    // Each takes 21 MiB with four sequences of 1,024 tokens: room for two, and for no third.
    let models = format!(
        "memory_mib = 48\n[[model]]\nname = \"aigen-tiny\"\n\
         [[model]]\nname = \"large\"\nfile = \"{bundled}\"\nsequences = 200\n"
    );
    folder.write("aigen.toml", models);
    let refused = folder.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("`large` needs"), "{refused}");
    folder.write("aigen.toml", "memory_mib = 48\n");
    let node = folder.dev();
    let ask = |model: &str| {
        let body = body(1).replace("aigen-tiny", model);
        send(
            node.url(),
            "POST",
            "/v1/chat/completions",
            node.key(),
            &body,
        )
    };
    assert_eq!(ask("second").error(), (404, "model_not_found".into()));
    let loaded = folder.run(&["model", "load", "second"]);
    assert_eq!(
        (loaded.code, loaded.stdout.as_str()),
        (0, "second is served\n"),
        "{loaded}"
    );
    let reply = ask("second");
    assert_eq!(reply.status, 200, "{reply:?}");
    // The same weights, so the same digest, in the reply and in the list.
    let listed = folder.json(&["models"]);
    let digests: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| &model["aigen"]["digest"])
        .collect();
    assert_eq!(digests, [&reply.json()["aigen"]["model_digest"]; 2]);
    let levels = |model: &str| {
        let text = send(node.url(), "GET", "/metrics", "", "").body;
        let of = format!("vllm:num_requests_running{{model_name=\"{model}\"}} 0");
        text.contains(&of)
    };
    assert!(levels("second"));
    let unloaded = folder.run(&["model", "unload", "second"]);
    assert_eq!(unloaded.code, 0, "{unloaded}");
    assert!(levels("aigen-tiny") && !levels("second"));
    assert_eq!(ask("second").error(), (404, "model_not_found".into()));
    assert_eq!(ask("aigen-tiny").status, 200);
    let unknown = folder.run(&["model", "load", "third"]);
    assert_eq!(unknown.code, 1, "{unknown}");
    assert!(
        unknown.stderr.contains("there is no model named `third`"),
        "{unknown}"
    );
    let key = folder.json(&["key", "create", "user:other"]);
    let other = key["key"].as_str().unwrap();
    let forbidden = folder.run(&["model", "unload", "aigen-tiny", "--key", other]);
    assert!(forbidden.stderr.contains("operator"), "{forbidden}");
}
