//! One call, made and run again a hundred times beside neighbours whose number, order and lengths are drawn anew.

use crate::components::{asked, publish};
use crate::support::{Folder, Serving, http};
use aigen_testkit_guests::Guest;
use serde_json::{Value, json};
use std::thread;

const ROUNDS: u32 = 100;

/// SplitMix64: the same neighbours in every run of the test.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Goes on in three branches, takes a token back in each, and keeps the first that is done.
const FORKS: &str = "(if (i32.eqz (local.get $why)) (then (call $fork (i32.const 2))) (else
    (if (i32.and (i32.lt_u (local.get $position) (i32.const 6)) (i32.ne (local.get $why) (i32.const 6)))
      (then (call $any (i32.sub (i32.const 6) (local.get $position))))
      (else (if (i32.lt_u (global.get $steps) (i32.const 8))
        (then (call $backtrack (i32.const 1))) (else (call $stop)))))))";

/// A node that offers this guest, which has so many branches.
fn offer(folder: &Folder, step: &str, branches: u32) -> Serving {
    folder.write("forks.wasm", Guest::stepping(step).module());
    let manifest =
        "description = \"Forks\"\nlicence = \"MIT\"\n\n[requires]\nbacktrack = true\nfork = true\n";
    folder.write(
        "yes-no.toml",
        format!("{manifest}\n[limits]\nbranches = {branches}\n"),
    );
    let node = folder.serve(&[]);
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    let published = publish(folder, "forks.wasm", "ada/forks@1.0.0");
    assert_eq!(published.code, 0, "{published}");
    node
}

/// The call that is looked at.
fn steered() -> Value {
    json!({
        "model": "aigen-tiny", "temperature": 1, "seed": 3, "max_tokens": 16,
        "messages": [{"role": "user", "content": "What is the capital of Norway?"}],
        "aigen": {"controller": "ada/forks@1", "replay": true},
    })
}

/// Somebody who reads and says more or less, free or held to a schema.
fn neighbour(rng: &mut Rng) -> Value {
    let asks = [
        "Hello! ",
        "Tell me about lakes. ",
        "What is the capital of Norway? ",
    ];
    let question = asks[rng.below(3) as usize].repeat(1 + rng.below(6) as usize);
    let mut body = json!({
        "model": "aigen-tiny", "temperature": 1, "seed": rng.below(1 << 32), "max_tokens": 1 + rng.below(24),
        "messages": [{"role": "user", "content": question}],
    });
    if rng.below(2) == 0 {
        body["response_format"] = json!({"type": "json_object"});
    }
    body
}

/// Makes the call at a place among the neighbours that the generator draws; gives back its answer.
fn beside(node: &Serving, key: &str, rng: &mut Rng) -> Value {
    let count = rng.below(7);
    let place = rng.below(count + 1);
    let post = |body: Value| {
        http::send(
            node.url(),
            "POST",
            "/v1/chat/completions",
            key,
            &body.to_string(),
        )
    };
    let bodies: Vec<_> = (0..count).map(|_| neighbour(rng)).collect();
    thread::scope(|scope| {
        let (before, after) = bodies.split_at(place as usize);
        let start = |body: &Value| {
            let body = body.clone();
            scope.spawn(move || post(body))
        };
        let mut others: Vec<_> = before.iter().map(start).collect();
        let call = scope.spawn(|| post(steered()));
        others.extend(after.iter().map(start));
        for other in others {
            let said = other.join().unwrap();
            assert_eq!(said.status, 200, "{}", said.body);
        }
        call.join().unwrap().json()
    })
}

/// Branches that need more tokens at once than their call began with wait until those are paid for.
#[test]
fn branches_that_wait_for_their_money_get_it() {
    let folder = Folder::new();
    let three = "(if (i32.eqz (local.get $why)) (then (call $fork (i32.const 3))) (else
        (if (i32.eq (local.get $why) (i32.const 1)) (then (call $any (i32.const 2))) (else (call $stop)))))";
    let node = offer(&folder, three, 4);
    let mut body = steered();
    body["max_tokens"] = json!(2);
    let answer: Value = {
        let said = asked(&node, &folder, "/v1/chat/completions", Some(body));
        serde_json::from_str(&said).unwrap()
    };
    let id = answer["aigen"]["receipt"].as_str();
    let receipt = folder.json(&["receipt", id.unwrap_or_else(|| panic!("{answer}"))]);
    assert_eq!(
        (&receipt["steering"]["branches"], &receipt["finish"]),
        (&json!(3), &json!("stop")),
        "{receipt}"
    );
    let usage = |kind: &str| receipt["usage"][kind].as_u64().unwrap();
    assert!(
        usage("sampled_tokens") <= 2 && usage("sampled_tokens") + usage("discarded_tokens") > 4,
        "{receipt}"
    );
    let held = folder.json(&["ledger", "balance", "operator"])["data"][0]["held_nano"].clone();
    assert_eq!(held, "0");
}

#[test]
fn one_receipt_is_the_same_in_a_hundred_shuffled_batches() {
    let folder = Folder::new();
    let node = offer(&folder, FORKS, 3);
    let key = std::fs::read_to_string(folder.file(".aigen/operator.key")).unwrap();
    let key = key.trim();
    let mut rng = Rng(7);
    let first = http::send(
        node.url(),
        "POST",
        "/v1/chat/completions",
        key,
        &steered().to_string(),
    );
    let first = first.json();
    let text = &first["choices"][0]["message"]["content"];
    let id = first["aigen"]["receipt"]
        .as_str()
        .unwrap_or_else(|| panic!("{first}"));
    let receipt = folder.json(&["receipt", id]);
    let steering = &receipt["steering"];
    assert_eq!(
        (&steering["branches"], &receipt["finish"]),
        (&json!(2), &json!("stop")),
        "{receipt}"
    );
    assert!(
        receipt["usage"]["discarded_tokens"].as_u64().unwrap() > 0,
        "{receipt}"
    );
    for round in 0..ROUNDS {
        let answer = beside(&node, key, &mut rng);
        let same = |field: &str| answer["aigen"]["steering"][field] == steering[field];
        assert!(
            same("decisions") && same("fuel"),
            "round {round}: {answer}\n{receipt}"
        );
        assert_eq!(
            answer["choices"][0]["message"]["content"], *text,
            "round {round}"
        );
        // And the first receipt once more, while the next ones are served.
        let path = format!("/v1/aigen/receipts/{id}/replay");
        let again: Value = thread::scope(|scope| {
            let other = neighbour(&mut rng).to_string();
            let url = node.url();
            let other =
                scope.spawn(move || http::send(url, "POST", "/v1/chat/completions", key, &other));
            let said = asked(&node, &folder, &path, Some(json!({})));
            assert_eq!(other.join().unwrap().status, 200);
            serde_json::from_str(&said).unwrap()
        });
        assert_eq!(
            (&again["same"], &again["decisions"]),
            (&json!(true), &steering["decisions"]),
            "round {round}: {again}"
        );
    }
    assert_eq!(node.stop().0, 0);
}
