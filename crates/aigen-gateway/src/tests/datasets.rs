//! Datasets: published by one account, granted to another, and paid before a row leaves.

use super::world::{Reply, World, request};
use aigen_node::{Datasets, Library};
use axum::body::Body;
use axum::http::Request;
use futures::channel::mpsc;
use futures::stream;
use serde_json::{Value, json};
use tempfile::TempDir;

const FAQ: &str = "question,answer,votes\n\
    How do I return a mug?,Send it back within 30 days.,7\n\
    Warranty,\"A mug has none; a kettle, two years.\",\n\
    Opening hours,From nine to five.,3\n";

/// A world with a provider, whose datasets lie in a folder that is dropped with it.
struct Shop {
    world: World,
    acme: String,
    _folder: TempDir,
}

impl Shop {
    async fn new() -> Self {
        Self::with_room(8192).await
    }

    /// For this many bytes of rows, and for half as many of a file.
    async fn with_room(bytes: u64) -> Self {
        let world = World::polite().await;
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(folder.path()).unwrap();
        let datasets = Datasets::new(library, bytes / 2, bytes);
        world.node.keep_datasets(datasets);
        let acme = world.key("acme-1", "org:acme").await;
        Self {
            world,
            acme,
            _folder: folder,
        }
    }

    /// With the FAQ published at 10 nano-AIGEN per row and 5 per hit, to be granted.
    async fn with_faq() -> Self {
        let shop = Self::new().await;
        let said = "name=acme/faq@1.0.0&format=csv&licence=CC-BY-4.0&per_row=0.00000001&per_hit=0.000000005&per_download=0.000001";
        let reply = shop.publish(&shop.acme, said, FAQ).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        shop
    }

    async fn publish(&self, key: &str, said: &str, file: &str) -> Reply {
        self.send_file(key, said, Body::from(file.to_owned())).await
    }

    async fn send_file(&self, key: &str, said: &str, file: Body) -> Reply {
        let path = format!("/v1/aigen/datasets?{said}");
        let request = Request::post(path)
            .header("authorization", format!("Bearer {key}"))
            .body(file);
        self.world.send(request.unwrap()).await
    }

    /// How many files and folders lie where datasets do.
    fn files(&self) -> usize {
        std::fs::read_dir(self._folder.path()).unwrap().count()
    }

    async fn grant(&self, grant: Value) {
        let path = "/v1/aigen/datasets/acme/faq/grants";
        let reply = self.world.post(&self.acme, path, &grant).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// What ada is answered, of the FAQ.
    async fn ada(&self, rest: &str) -> Reply {
        let path = format!("/v1/aigen/datasets/acme/{rest}");
        self.world.get(&self.world.ada, &path).await
    }

    async fn ada_once(&self, key: &str, rest: &str) -> Reply {
        let path = format!("/v1/aigen/datasets/acme/{rest}");
        let mut asked = request("GET", &self.world.ada, &path, "");
        asked
            .headers_mut()
            .insert("idempotency-key", key.parse().unwrap());
        self.world.send(asked).await
    }

    #[track_caller]
    fn spent(&self, nano: u128) {
        assert_eq!(self.world.balance("user:ada").0, 1_000_000_000 - nano);
    }
}

fn rows(reply: &Reply) -> Vec<u64> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let rows = body["data"].as_array().unwrap().iter();
    rows.map(|row| row["row"].as_u64().unwrap()).collect()
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    let (was, with, _) = reply.error();
    assert_eq!((was, with.as_str()), (status, code), "{}", reply.text);
}

#[tokio::test]
async fn what_is_published_is_shown() {
    let shop = Shop::with_faq().await;
    let shown = shop.ada("faq").await.json();
    assert_eq!(shown["reference"], "acme/faq@1.0.0");
    assert_eq!((&shown["rows"], &shown["here"]), (&json!(3), &json!(true)));
    assert_eq!(shown["price"]["per_row_nano"], "10");
    let columns = json!([
        {"name": "answer", "type": "text"}, {"name": "question", "type": "text"},
        {"name": "votes", "type": "integer?"},
    ]);
    assert_eq!(shown["columns"], columns);
    let list = shop.world.get(&shop.world.ada, "/v1/aigen/datasets").await;
    assert_eq!(list.json(), json!({"data": [shown]}));
    let none = "/v1/aigen/datasets?after=acme/faq@1.0.0";
    let none = shop.world.get(&shop.world.ada, none).await;
    assert_eq!(none.json(), json!({"data": []}));
    shop.world.settle().await;
}

#[tokio::test]
async fn nothing_leaves_without_a_grant_and_a_charge() {
    let shop = Shop::with_faq().await;
    refused(&shop.ada("faq/rows").await, 403, "dataset_not_granted");
    refused(
        &shop.ada("faq/rows?q=mug").await,
        403,
        "dataset_not_granted",
    );
    refused(&shop.ada("faq/download").await, 403, "dataset_not_granted");
    shop.grant(json!({"to": "user:ada", "columns": ["question", "votes"], "uses": ["read"]}))
        .await;
    refused(
        &shop.ada("faq/rows?columns=answer").await,
        403,
        "column_not_granted",
    );
    refused(
        &shop.ada("faq/download").await,
        403,
        "dataset_use_not_allowed",
    );
    let dear = shop.ada("faq/rows?max_cost=0.000000029").await;
    refused(&dear, 402, "budget_too_small");
    let said = "3 rows cost 0.00000003 AIGEN, and the read may cost 0.000000029 AIGEN: \
        at 0.00000001 AIGEN per row that is enough for 2; allow at least that in `max_cost`, or ask for fewer rows";
    let message = dear.json()["error"]["message"].clone();
    assert!(message.as_str().unwrap().starts_with(said), "{message}");
    assert_eq!(dear.error().2.as_deref(), Some("max_cost"));
    assert_eq!(dear.json()["error"]["metadata"]["rows_within"], 2);
    let searched = shop.ada("faq/rows?q=mug&max_cost=0.000000014").await;
    let said = "1 row that was searched for costs 0.000000015 AIGEN, and the read may cost 0.000000014 AIGEN: \
        at 0.000000015 AIGEN per row that is less than one;";
    let message = searched.json()["error"]["message"].clone();
    assert!(message.as_str().unwrap().starts_with(said), "{message}");
    shop.spent(0);
    let read = shop.ada("faq/rows").await;
    assert_eq!(rows(&read), [0, 1, 2]);
    let body = read.json();
    assert_eq!(
        body["data"][0]["values"],
        json!({"question": "How do I return a mug?", "votes": 7})
    );
    assert_eq!(body["data"][1]["values"], json!({"question": "Warranty"}));
    assert_eq!(body["cost_nano"], "30");
    assert_eq!(read.header("x-aigen-cost"), Some("0.00000003"));
    assert_eq!(read.header("x-aigen-receipt"), body["receipt"].as_str());
    shop.spent(30);
    // What may not be read is not searched either: "days" stands in an answer.
    assert_eq!(rows(&shop.ada("faq/rows?q=days").await), [0; 0]);
    assert_eq!(rows(&shop.ada("faq/rows?q=MUG%22%20AND(").await), [0]);
    shop.spent(30 + 15);
    assert!(shop.world.balance("org:acme").0 > 0, "the provider is paid");
    shop.world.settle().await;
}

#[tokio::test]
async fn a_key_may_be_limited_to_some_datasets() {
    let shop = Shop::with_faq().await;
    let said = "name=acme/open@1.0.0&format=csv&licence=CC0-1.0&open=true&per_row=0.00000001&per_download=0";
    assert_eq!(shop.publish(&shop.acme, said, FAQ).await.status, 201);
    shop.grant(json!({"to": "user:ada"})).await;
    let paid = shop.ada_once("before", "faq/rows?limit=1").await;
    assert_eq!(rows(&paid), [0]);
    let world = &shop.world;
    let path = "/v1/aigen/keys/ada-1/limits";
    for (limits, faq, open) in [
        (json!({"datasets": ["acme/open"]}), 403, 200),
        (json!({"datasets": ["acme/faq"]}), 200, 403),
        (json!({"datasets": ["acme/faq", "acme/open"]}), 200, 200),
        (json!({}), 200, 200),
    ] {
        let key = world.post(&world.operator, path, &limits).await.json();
        let kept = key.get("limits").cloned().unwrap_or(json!({}));
        assert_eq!(kept, limits);
        for (name, expected) in [("faq", faq), ("open", open)] {
            for way in ["rows", "rows?q=mug", "download"] {
                let reply = shop.ada(&format!("{name}/{way}")).await;
                assert_eq!(
                    reply.status, expected,
                    "{limits} {name}/{way}: {}",
                    reply.text
                );
                if expected == 403 {
                    refused(&reply, 403, "dataset_not_allowed");
                }
            }
        }
        let again = shop.ada_once("before", "faq/rows?limit=1").await;
        assert_eq!(rows(&again), [0], "what was paid is shown again");
    }
    world.settle().await;
}

#[tokio::test]
async fn pages_follow_each_other() {
    let shop = Shop::with_faq().await;
    shop.grant(json!({"to": "user:ada"})).await;
    let first = shop.ada("faq/rows?limit=2").await;
    assert_eq!(
        (rows(&first), &first.json()["next"]),
        (vec![0, 1], &json!("2"))
    );
    let second = shop.ada("faq/rows?limit=2&after=2").await;
    assert_eq!((rows(&second), second.json().get("next")), (vec![2], None));
    shop.spent(30);
    let beyond = shop.ada("faq/rows?after=3").await;
    assert_eq!(
        (rows(&beyond), beyond.header("x-aigen-receipt")),
        (vec![], None)
    );
    let found = shop.ada("faq/rows?q=mug&limit=1").await;
    assert_eq!(
        (rows(&found), &found.json()["next"]),
        (vec![1], &json!("1"))
    );
    assert!(found.json()["data"][0]["score"].as_f64().unwrap() > 0.0);
    let more = shop.ada("faq/rows?q=mug&limit=1&after=1").await;
    assert_eq!(rows(&more), [0]);
    shop.spent(60);
    for (rest, code) in [
        ("faq/rows?limit=0", "invalid_value"),
        ("faq/rows?limit=1001", "invalid_value"),
        ("faq/rows?columns=nothing", "column_unknown"),
        ("faq/rows?max_cost=much", "invalid_value"),
        ("faq/rows?colour=red", "invalid_value"),
    ] {
        refused(&shop.ada(rest).await, 400, code);
    }
    // What is wrong is named as it was written.
    for (rest, param) in [
        ("faq/rows?q=mug&q=kettle", "q"),
        ("faq/rows?limit=some", "limit"),
        ("faq/rows?query=mug", "query"),
        ("faq/download?q=mug", "q"),
    ] {
        let (_, _, named) = shop.ada(rest).await.error();
        assert_eq!(named.as_deref(), Some(param), "{rest}");
    }
    refused(&shop.ada("none/rows").await, 404, "dataset_unknown");
    refused(&shop.ada("faq@1.0.1/rows").await, 404, "dataset_unknown");
    shop.spent(60);
    shop.world.settle().await;
}

#[tokio::test]
async fn a_read_that_is_repeated_is_charged_once() {
    let shop = Shop::with_faq().await;
    shop.grant(json!({"to": "user:ada"})).await;
    let first = shop.ada_once("mine", "faq/rows?q=mug").await;
    let again = shop.ada_once("mine", "faq/rows?q=mug").await;
    assert_eq!(first.text, again.text);
    shop.spent(30);
    let other = shop.ada_once("mine", "faq/rows?q=kettle").await;
    assert_eq!(other.status, 409, "{}", other.text);
    let page = shop.ada_once("page", "faq/rows?limit=1").await;
    assert_eq!(page.json()["next"], "1");
    // Even when the version serves nobody any more, what was paid is given again.
    let path = "/v1/aigen/datasets/acme/faq@1.0.0/withdraw";
    let gone = shop
        .world
        .post(&shop.acme, path, &json!({"reason": "old"}))
        .await;
    assert_eq!(gone.json()["withdrawn"], "old");
    refused(&shop.ada("faq/rows").await, 410, "dataset_withdrawn");
    let still = shop.ada_once("mine", "faq/rows?q=mug").await;
    assert_eq!(first.text, still.text);
    // A page that was read, too; the next one is not to be had any more.
    let same = shop.ada_once("page", "faq/rows?limit=1").await;
    assert_eq!(same.text, page.text);
    let next = shop.ada_once("next", "faq/rows?limit=1&after=1").await;
    refused(&next, 410, "dataset_withdrawn");
    shop.spent(40);
    shop.world.settle().await;
}

#[tokio::test]
async fn a_download_is_the_content() {
    let shop = Shop::with_faq().await;
    shop.grant(json!({"to": "user:ada"})).await;
    let taken = shop.ada("faq/download").await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let dear = shop.ada("faq/download?max_cost=0.0000009").await;
    refused(&dear, 402, "budget_too_small");
    let message = dear.json()["error"]["message"].clone();
    assert!(!message.as_str().unwrap().contains("per row"), "{message}");
    assert_eq!(taken.header("x-aigen-cost"), Some("0.000001"));
    assert_eq!(taken.header("content-type"), Some("application/jsonl"));
    let first = "{\"answer\":\"Send it back within 30 days.\",\"question\":\"How do I return a mug?\",\"votes\":7}";
    assert_eq!(taken.text.lines().next(), Some(first));
    assert_eq!(taken.text.lines().count(), 3);
    shop.spent(1_000);
    // The same rows under another name are kept once, and cost what that name asks.
    let said = "name=acme/faq@2.0.0&format=jsonl&licence=MIT&open=true";
    let again = shop.publish(&shop.acme, said, &taken.text).await;
    assert_eq!(
        again.json()["content"],
        shop.ada("faq@1.0.0").await.json()["content"]
    );
    assert_eq!(rows(&shop.ada("faq/rows").await), [0, 1, 2]);
    shop.spent(1_000);
    shop.world.settle().await;
}

#[tokio::test]
async fn prices_and_grants_are_the_owners() {
    let shop = Shop::with_faq().await;
    let price = "/v1/aigen/datasets/acme/faq@1.0.0/price";
    let grants = "/v1/aigen/datasets/acme/faq/grants";
    let world = &shop.world;
    for (path, body) in [
        (price, json!({"row": "5"})),
        (grants, json!({"to": "user:ada"})),
        (
            "/v1/aigen/datasets/acme/faq@1.0.0/withdraw",
            json!({"reason": ""}),
        ),
    ] {
        refused(
            &world.post(&world.ada, path, &body).await,
            403,
            "dataset_not_owned",
        );
    }
    let said = "name=acme/other@1.0.0&format=csv&licence=MIT";
    refused(
        &shop.publish(&world.ada, said, FAQ).await,
        403,
        "dataset_not_owned",
    );
    let changed = world
        .post(&shop.acme, price, &json!({"row": "0.00000002"}))
        .await;
    assert_eq!(changed.json()["price"]["per_row_nano"], "20");
    assert_eq!(changed.json()["price"]["per_hit_nano"], "0");
    shop.grant(json!({"to": "user:ada", "until": 1_900_000_000_000_000_000_u64}))
        .await;
    shop.grant(json!({"to": "user:bob"})).await;
    let all = world.get(&shop.acme, grants).await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    let own = world.get(&world.ada, grants).await.json();
    assert_eq!(
        own["data"],
        json!([{"to": "user:ada", "until": 1_900_000_000_000_000_000_u64}])
    );
    assert_eq!(rows(&shop.ada("faq/rows?limit=1").await), [0]);
    shop.spent(20);
    let revoke = format!("{grants}/revoke");
    let left = world
        .post(&shop.acme, &revoke, &json!({"to": "user:ada"}))
        .await;
    assert_eq!(left.json()["data"], json!([{"to": "user:bob"}]));
    refused(
        &shop.ada("faq/rows?limit=1").await,
        403,
        "dataset_not_granted",
    );
    refused(
        &world
            .post(&shop.acme, &revoke, &json!({"to": "user:ada"}))
            .await,
        404,
        "grant_unknown",
    );
    shop.world.settle().await;
}

#[tokio::test]
async fn what_cannot_be_published_is_said_and_not_kept() {
    let shop = Shop::new().await;
    let said = |rest: &str| format!("name=acme/faq@1.0.0&licence=MIT&{rest}");
    let large = format!("a\n{}\n", "x".repeat(5_000));
    let other = format!("format=csv&content={}", "0".repeat(64));
    for (rest, file, status, code) in [
        ("format=csv", "a,b\n1\n", 422, "dataset_rows_invalid"),
        ("format=csv", "", 422, "dataset_unfit"),
        ("format=parquet", "no", 422, "dataset_unfit"),
        ("format=xlsx", FAQ, 400, "invalid_value"),
        ("format=csv&delimiter=%C3%A9", FAQ, 422, "dataset_unfit"),
        ("format=csv&uses=reading", FAQ, 400, "invalid_value"),
        ("format=csv", &large, 413, "body_too_large"),
        (&other, FAQ, 422, "dataset_differs"),
        ("", FAQ, 400, "invalid_value"),
    ] {
        let reply = shop.publish(&shop.acme, &said(rest), file).await;
        refused(&reply, status, code);
    }
    let bad = shop
        .publish(&shop.acme, &said("format=csv"), "a,b\n1\n2,3\n4\n")
        .await;
    let metadata = &bad.json()["error"]["metadata"];
    assert_eq!(metadata["bad_rows_total"], 2);
    assert_eq!(metadata["bad_rows"][1]["line"], 4);
    refused(
        &shop.publish("", &said("format=csv"), FAQ).await,
        401,
        "missing_api_key",
    );
    assert_eq!(shop.files(), 0, "nothing is left of what was refused");
    // The node keeps 8 KiB of rows.
    for (version, status) in [(1, 201), (2, 201), (3, 507)] {
        let said = format!("name=acme/big@{version}.0.0&format=text&licence=MIT");
        let text = format!("{version}{}", "x".repeat(4_000));
        let reply = shop.publish(&shop.acme, &said, &text).await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
    assert_eq!(shop.files(), 2);
    // And no more than that is written of a small file that unpacks to much.
    let wide = format!("{}\n{}", "x".repeat(100), "1\n".repeat(500));
    let reply = shop.publish(&shop.acme, &said("format=csv"), &wide).await;
    refused(&reply, 507, "datasets_full");
    assert_eq!(shop.files(), 2);
    shop.world.settle().await;
}

/// Whoever hangs up once all is sent has it published all the same.
#[tokio::test]
async fn a_hang_up_after_the_file_changes_nothing() {
    let shop = Shop::with_room(1 << 20).await;
    let rows: String = (0..20_000).map(|n| format!("{n},word {n}\n")).collect();
    let said = "name=acme/words@1.0.0&format=csv&licence=MIT&open=true";
    let file = format!("n,t\n{rows}");
    let mut publishing = Box::pin(shop.publish(&shop.acme, said, &file));
    while shop.world.node.dataset_imports().is_empty() {
        let done = futures::poll!(&mut publishing);
        assert!(done.is_pending(), "it was read in before anybody looked");
        tokio::task::yield_now().await;
    }
    drop(publishing);
    // One file is read in after the other.
    let next = "name=acme/next@1.0.0&format=text&licence=MIT";
    let next = shop.publish(&shop.acme, next, "one").await;
    assert_eq!(next.status, 201, "{}", next.text);
    let read = shop.ada("words/rows?q=19999").await;
    assert_eq!(self::rows(&read), [19_999]);
    assert_eq!(shop.files(), 2, "and the file that was sent is gone");
    shop.world.settle().await;
}

/// Whoever hangs up before has nothing published, and nothing is left of it.
#[tokio::test]
async fn a_hang_up_within_the_file_leaves_nothing() {
    let shop = Shop::new().await;
    let said = "name=acme/faq@1.0.0&format=csv&licence=MIT";
    let broken = std::io::Error::other("the connection is gone");
    let pieces = [Ok(FAQ.to_owned()), Err(broken)];
    let reply = shop
        .send_file(&shop.acme, said, Body::from_stream(stream::iter(pieces)))
        .await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    let (sender, pieces) = mpsc::unbounded::<Result<String, std::io::Error>>();
    sender.unbounded_send(Ok(FAQ.to_owned())).unwrap();
    let body = Body::from_stream(pieces);
    let mut publishing = Box::pin(shop.send_file(&shop.acme, said, body));
    while shop.files() == 0 {
        assert!(futures::poll!(&mut publishing).is_pending());
        tokio::task::yield_now().await;
    }
    drop(publishing);
    assert_eq!(shop.files(), 0);
    refused(&shop.ada("faq").await, 404, "dataset_unknown");
    shop.world.settle().await;
}

/// Asked for again under the same key, a refund of a read is the one that was given.
#[tokio::test]
async fn a_refund_of_a_read_is_given_once() {
    let shop = Shop::with_faq().await;
    shop.grant(json!({"to": "user:ada"})).await;
    let read = shop.ada("faq/rows?limit=2").await;
    let receipt = read.header("x-aigen-receipt").unwrap();
    shop.world.fund("treasury", "1").await;
    let path = format!("/v1/aigen/receipts/{receipt}/refund");
    let refund = |once: &str, amount: &str| {
        let body = json!({"amount": amount, "reason": "quality"}).to_string();
        let mut asked = request("POST", &shop.world.operator, &path, &body);
        let headers = asked.headers_mut();
        headers.insert("idempotency-key", once.parse().unwrap());
        shop.world.send(asked)
    };
    let given = refund("r-1", "0.000000005").await;
    assert_eq!(given.status, 200, "{}", given.text);
    let again = refund("r-1", "0.000000005").await;
    assert_eq!(again.json()["corrections"], given.json()["corrections"]);
    shop.spent(20 - 5);
    let other = refund("r-1", "0.000000006").await;
    assert_eq!(other.status, 409, "{}", other.text);
    let second = refund("r-2", "0.000000005").await.json();
    assert_eq!(second["corrections"].as_array().unwrap().len(), 2);
    shop.spent(20 - 10);
    shop.world.settle().await;
}

/// Reads outside of calls have lines of their own in `usage`, and what is given back of them counts there.
#[tokio::test]
async fn what_was_read_is_in_usage() {
    let shop = Shop::with_faq().await;
    shop.grant(json!({"to": "user:ada"})).await;
    let usage = async |key: &str, query: &str| -> Vec<String> {
        let path = format!("/v1/aigen/usage?{query}");
        let reply = shop.world.get(key, &path).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let rows = reply.json()["data"].as_array().unwrap().clone();
        let told = |row: &Value| {
            let fields = [
                "kind",
                "account",
                "day",
                "spender",
                "model",
                "dataset",
                "charged",
                "given_back",
            ];
            let fields = fields.iter().filter_map(|field| row[field].as_str());
            let [calls, reads, rows] = ["calls", "reads", "rows"].map(|field| &row[field]);
            format!(
                "{calls} {reads} {rows} {}",
                fields.collect::<Vec<_>>().join(" ")
            )
        };
        rows.iter().map(told).collect()
    };
    let (ada, operator) = (&shop.world.ada, &shop.world.operator);
    assert_eq!(usage(ada, "").await, [""; 0]);
    let found = shop.ada("faq/rows?q=mug&limit=1").await;
    assert_eq!(rows(&found).len(), 1);
    let reads = "0 1 1 dataset_read user:ada 0.000000015 0.00";
    assert_eq!(usage(ada, "").await, [reads]);
    assert_eq!(
        usage(operator, "").await,
        [reads],
        "who only reads is among everyone"
    );
    shop.ada("faq/download").await;
    shop.world.chat(json!({})).await;
    let both = [
        "1 0 0 user:ada 0.00000003 0.00",
        "0 2 4 dataset_read user:ada 0.000001015 0.00",
    ];
    assert_eq!(usage(ada, "").await, both);
    let told = [
        "1 0 0 user:ada 2023-11-14 user:ada tiny 0.00000003 0.00",
        "0 2 4 dataset_read user:ada 2023-11-14 user:ada acme/faq@1.0.0 0.000001015 0.00",
    ];
    assert_eq!(usage(ada, "by=day,spender,model,dataset").await, told);
    assert_eq!(usage(ada, "to=2023-11-13").await, [""; 0]);
    let path = format!(
        "/v1/aigen/receipts/{}/reverse",
        found.header("x-aigen-receipt").unwrap()
    );
    let reversed = shop
        .world
        .post(operator, &path, &json!({"reason": "fraud"}))
        .await;
    assert_eq!(reversed.status, 200, "{}", reversed.text);
    let back = usage(ada, "account=user:ada").await;
    assert_eq!(
        back[1],
        "0 2 4 dataset_read user:ada 0.000001015 0.000000015"
    );
    shop.world.node.network().check().unwrap();
    shop.world.settle().await;
}

/// What has a price by row is given away as a whole only where somebody says so.
#[tokio::test]
async fn a_download_is_named_or_is_no_use() {
    let shop = Shop::new().await;
    for (version, more, uses) in [
        (
            "1.0.0",
            "&per_row=0.001",
            &["read", "completion", "controller"][..],
        ),
        (
            "1.1.0",
            "",
            &["read", "completion", "controller", "download"],
        ),
        (
            "1.2.0",
            "&per_hit=0.001&per_download=0",
            &["read", "completion", "controller", "download"],
        ),
    ] {
        let said = format!("name=acme/a@{version}&format=csv&licence=MIT{more}");
        let published = shop.publish(&shop.acme, &said, FAQ).await;
        assert_eq!(published.json()["uses"], json!(uses), "{more}");
    }
    let said = "name=acme/a@1.3.0&format=csv&licence=MIT&per_row=0.001&uses=read,download";
    let refused = shop.publish(&shop.acme, said, FAQ).await.error();
    assert_eq!(
        (refused.0, refused.2.as_deref()),
        (400, Some("per_download"))
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_granted() {
    let shop = Shop::with_faq().await;
    for (name, grant, status, param) in [
        (
            "faq",
            json!({"to": "user:ada", "columns": ["nope"]}),
            400,
            Some("columns"),
        ),
        ("nope", json!({"to": "user:ada"}), 404, None),
    ] {
        let path = format!("/v1/aigen/datasets/acme/{name}/grants");
        let reply = shop.world.post(&shop.acme, &path, &grant).await;
        let (was, _, named) = reply.error();
        assert_eq!((was, named.as_deref()), (status, param), "{}", reply.text);
    }
}
