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
