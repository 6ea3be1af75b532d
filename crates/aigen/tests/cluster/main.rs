//! Several nodes on one journal in a real PostgreSQL, each a process of its own.

#[path = "../support/mod.rs"]
mod support;

use aigen_api::openai::{ChatRequest, Message, Role};
use aigen_client::{Client, ClientError, RowsQuery};
use aigen_testkit_postgres::Server;
use aigen_types::Amount;
use futures::future::join_all;
use serde_json::Value;
use std::time::Duration;
use support::{Folder, Serving};
use tokio::time::timeout;

/// A node of the cluster: its folder, and its process while it runs.
struct Node {
    folder: Folder,
    process: Option<Serving>,
}

impl Node {
    fn start(url: &str) -> Self {
        let mut node = Self {
            folder: Folder::new(),
            process: None,
        };
        node.restart(url);
        node
    }

    fn restart(&mut self, url: &str) {
        let lease = "network = \"shared\"\nlease_seconds = 1\n";
        self.folder
            .write("aigen.toml", format!("journal = \"{url}\"\n{lease}"));
        self.process = Some(self.folder.serve(&[]));
    }

    fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    fn url(&self) -> &str {
        self.process.as_ref().unwrap().url()
    }

    /// Runs a command that must succeed.
    fn json(&self, args: &[&str]) -> Value {
        self.folder.json(args)
    }

    fn fund(&self, address: &str, amount: &str) {
        self.json(&["fund", address, amount]);
    }

    fn available(&self, address: &str) -> String {
        let balance = self.json(&["ledger", "balance", address]);
        balance["data"][0]["available"].as_str().unwrap().to_owned()
    }
}

fn verified(node: &Node) -> Value {
    let verified = node.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(verified["issued"], verified["balances"], "{verified}");
    verified
}

fn short(tokens: u32) -> ChatRequest {
    ChatRequest {
        max_tokens: Some(tokens),
        ..ChatRequest::new("aigen-tiny", vec![Message::new(Role::User, "Hello!")])
    }
}

/// Either node takes keys, money and calls; a killed leader is followed by the other, and a
/// restarted node finds everything.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_and_go_and_the_ledger_stays() {
    let server = Server::start();
    let url = server.url();
    let mut one = Node::start(&url);
    let two = Node::start(&url);
    one.fund("user:ada", "1");
    let key = two.json(&["key", "create", "user:ada", "--name", "ada"]);
    let key = key["key"].as_str().unwrap();
    for node in [&one, &two] {
        // What one node was told is known at the other by the time it was asked next.
        let client = Client::new(node.url(), key).unwrap();
        let answer = client.chat(&short(4)).await.unwrap();
        assert!(!answer.choices.is_empty());
    }
    one.kill();
    // Nobody leads until the lease ends; then the one that is left does.
    two.fund("user:ada", "2");
    let client = Client::new(two.url(), key).unwrap();
    client.chat(&short(4)).await.unwrap();
    one.restart(&url);
    one.fund("user:bob", "3");
    assert_eq!(one.available("user:bob"), "3.00");
    assert_eq!(two.available("user:ada"), one.available("user:ada"));
    let receipts = verified(&one)["transfers"].as_u64().unwrap();
    assert!(receipts > 10);

    // A backup of the database is a journal like any other.
    one.json(&["ledger", "backup", "backup.sqlite"]);
    let alone = Folder::new();
    let backup = one.folder.file("backup.sqlite");
    alone.json(&["ledger", "restore", backup.to_str().unwrap()]);
    let restored = alone.json(&["ledger", "balance", "user:bob"]);
    assert_eq!(restored["data"][0]["available"], "3.00");
}

/// Two hundred calls at once, at two nodes, where the balance is enough for some of them.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_spends_more_than_there_is_at_two_nodes() {
    two_hundred_calls("0.05", None).await;
}

/// The same, where there is money enough, and a budget ends it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_spends_more_than_a_budget_at_two_nodes() {
    two_hundred_calls("10", Some("0.05")).await;
}

/// A call of 8 tokens comes to about 0.0009 AIGEN, so that 0.05 are enough for about fifty.
async fn two_hundred_calls(funds: &str, budget: Option<&str>) {
    let server = Server::start();
    let url = server.url();
    let nodes = [Node::start(&url), Node::start(&url)];
    nodes[0].fund("user:ada", funds);
    if let Some(cap) = budget {
        nodes[0].json(&["budget", "set", "user:ada", cap, "--per", "total"]);
    }
    let key = nodes[1].json(&["key", "create", "user:ada", "--name", "ada"]);
    let key = key["key"].as_str().unwrap();
    let clients = nodes
        .each_ref()
        .map(|node| Client::new(node.url(), key).unwrap());
    let request = short(8);
    let calls = (0..200).map(|number| clients[number % 2].chat(&request));
    let (mut costs, mut refused) = (Vec::new(), 0);
    for outcome in join_all(calls).await {
        match outcome {
            Ok(answer) => costs.push(answer.aigen.unwrap().cost),
            Err(ClientError::Api { status: 402, .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(!costs.is_empty() && refused > 0, "{costs:?}, {refused}");
    let answered: Amount = costs.into_iter().sum();
    let balance = nodes[0].json(&["ledger", "balance", "user:ada"]);
    let (balance, no_budgets) = (&balance["data"][0], Vec::new());
    assert_eq!(balance["held"], "0.00", "{balance}");
    let available: Amount = balance["available"].as_str().unwrap().parse().unwrap();
    // What is gone is what the answers cost, to the nano-AIGEN.
    let all = available.checked_add(answered);
    assert_eq!(all, Some(funds.parse().unwrap()));
    let budgets = nodes[1].json(&["budget", "list"]);
    let budgets = budgets["data"].as_array().unwrap_or(&no_budgets);
    assert_eq!(budgets.len(), usize::from(budget.is_some()));
    for kept in budgets {
        assert_eq!(kept["held"], "0.00", "{kept}");
        assert_eq!(kept["spent"], answered.to_string(), "{kept}");
        let cap: Amount = budget.unwrap().parse().unwrap();
        assert!(answered <= cap, "{answered} of {cap}");
    }
    verified(&nodes[1]);
}

/// Rows that are published on one node are read on the other, which takes them from the database; a
/// backup of the database has them, too.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_node_are_read_on_the_other() {
    let server = Server::start();
    let url = server.url();
    let mut one = Node::start(&url);
    let two = Node::start(&url);
    one.fund("user:ada", "1");
    let key = |account: &str, name: &str| {
        let made = two.json(&["key", "create", account, "--name", name]);
        made["key"].as_str().unwrap().to_owned()
    };
    let (acme, ada) = (key("org:acme", "acme"), key("user:ada", "ada"));
    // Some parts of a mebibyte each.
    let row = |n: u32| format!("{{\"n\":{n},\"text\":\"word{n} {}\"}}\n", "x".repeat(1_000));
    one.folder
        .write("rows.jsonl", (0..3_000).map(row).collect::<String>());
    let said = [
        "--name",
        "acme/rows@1.0.0",
        "--licence",
        "MIT",
        "--open",
        "--key",
        &acme,
    ];
    let price = ["--price-per-row", "0.001", "--price-per-download", "0.1"];
    let publish = [&["dataset", "publish", "rows.jsonl"][..], &said, &price].concat();
    let published = one.json(&publish);
    assert_eq!(published["here"], true);
    let seen = two.json(&["dataset", "show", "acme/rows", "--key", &ada]);
    assert_eq!(
        (&seen["content"], &seen["here"]),
        (&published["content"], &false.into())
    );

    let client = Client::new(two.url(), &ada).unwrap();
    let asked = RowsQuery {
        q: Some("word2999".into()),
        limit: Some(1),
        ..RowsQuery::default()
    };
    let (mut coming, selector) = (0, "acme/rows".parse().unwrap());
    let found = loop {
        match client.dataset_rows(&selector, &asked).await {
            Ok(found) => break found,
            Err(ClientError::Api { status: 503, error }) => {
                assert_eq!(error.code.as_deref(), Some("dataset_coming"), "{error}");
                coming += 1;
            }
            Err(other) => panic!("{other}"),
        }
    };
    assert!(coming > 0, "it was there before it was asked for");
    assert_eq!(
        (found.data[0].row, found.cost.to_string().as_str()),
        (2_999, "0.001")
    );
    assert_eq!(two.available("user:ada"), "0.999");

    // With the first node gone the other has all of it, as its digest says.
    one.kill();
    two.json(&[
        "dataset",
        "download",
        "acme/rows",
        "--to",
        "taken.jsonl",
        "--key",
        &ada,
    ]);
    let check = two.json(&["dataset", "check", "taken.jsonl"]);
    assert_eq!(check["content"], published["content"]);
    verified(&two);

    two.json(&["ledger", "backup", "backup.sqlite"]);
    let alone = Folder::new();
    let backup = two.folder.file("backup.sqlite");
    alone.json(&["ledger", "restore", backup.to_str().unwrap()]);
    let restored = alone.serve(&[]);
    let client = Client::new(restored.url(), &ada).unwrap();
    while client.dataset_rows(&selector, &asked).await.is_err() {}
}

/// The database is gone for a while: requests are refused, nothing is lost, and it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_refuses_and_resumes() {
    let mut server = Server::start();
    let node = Node::start(&server.url());
    node.fund("user:ada", "1");
    let key = node.json(&["key", "create", "user:ada", "--name", "ada"]);
    let client = Client::new(node.url(), key["key"].as_str().unwrap()).unwrap();
    server.kill();
    // One that comes at once may wait for the database; those after it are told not to.
    let refusal = loop {
        let request = short(4);
        let answer = timeout(Duration::from_secs(2), client.chat(&request)).await;
        if let Ok(Err(error)) = answer {
            break error;
        }
    };
    let ClientError::Api { status, .. } = &refusal else {
        panic!("{refusal}");
    };
    assert_eq!(*status, 503, "{refusal}");
    server.restart();
    while client.chat(&short(4)).await.is_err() {}
    verified(&node);
}

/// The primary burns down; its standby has everything that was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_has_every_acknowledged_command() {
    let mut primary = Server::start();
    let standby = primary.standby();
    let node = Node::start(&Server::url_of(&[&primary, &standby]));
    for number in 1..=20 {
        node.fund(&format!("user:{number}"), "1");
    }
    primary.kill();
    standby.promote();
    // Funding waits until there is somewhere to write to.
    while node.folder.run(&["fund", "user:late", "1"]).code != 0 {}
    for number in 1..=20 {
        assert_eq!(node.available(&format!("user:{number}")), "1.00");
    }
    verified(&node);
}
