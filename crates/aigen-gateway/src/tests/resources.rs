//! AiGen's own resources.

use super::world::{Reply, World, chat, receipt_of, request};
use aigen_api::openai::ModelList;
use aigen_api::resources::{
    Account, Controller, CountedBy, Key, KeyCreated, List, PricePage, Receipt, Transfer,
};
use aigen_node::network::NewModel;
use aigen_node::{Loader, Loading, Served, ServedModels};
use aigen_types::{Amount, ModelName};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, mpsc};
use tokio::sync::oneshot;

impl World {
    #[track_caller]
    fn read<T: DeserializeOwned>(reply: &Reply) -> T {
        assert!(reply.status.is_success(), "{} {}", reply.status, reply.text);
        serde_json::from_str(&reply.text).unwrap()
    }

    async fn fetch<T: DeserializeOwned>(&self, key: &str, path: &str) -> T {
        Self::read(&self.get(key, path).await)
    }

    pub(super) async fn refused(
        &self,
        key: &str,
        path: &str,
        body: Option<Value>,
        expected: (u16, &str),
    ) {
        let reply = match body {
            None => self.get(key, path).await,
            Some(body) => self.post(key, path, &body).await,
        };
        let (status, code, _) = reply.error();
        assert_eq!((status, code.as_str()), expected, "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn health_and_models() {
    let world = World::polite().await;
    assert_eq!(
        world.get("", "/health").await.json(),
        json!({"status": "ok"})
    );
    assert_eq!(
        world.get("", "/ready").await.json(),
        json!({"status": "ready", "models": {"tiny": true}})
    );
    let models: ModelList = world.fetch(&world.ada, "/v1/models").await;
    insta::assert_json_snapshot!(models);
    let one = world.get(&world.ada, "/v1/models/tiny").await.json();
    assert_eq!(one["aigen"]["control"], "token");
    let prices: List<PricePage> = world.fetch(&world.ada, "/v1/aigen/price-book").await;
    assert_eq!(prices.data[0].price.request, Amount::from_nano(10));
    world.settle().await;
}

/// Comes to a third of the way, and no further once it is let go.
struct Stuck {
    came: Mutex<Option<oneshot::Sender<()>>>,
    goes: Mutex<mpsc::Receiver<()>>,
}

impl Loader for Stuck {
    fn load(
        &self,
        _: &ModelName,
        _: &ServedModels,
        loading: &Loading,
    ) -> Result<(Served, NewModel), String> {
        assert!(loading.at(33).is_continue());
        let came = self.came.lock().unwrap().take();
        came.unwrap().send(()).unwrap();
        let _ = self.goes.lock().unwrap().recv();
        Err("the file ends early".into())
    }
}

/// What `/ready` says while a model is a third of the way there, which then fails.
async fn ready_while_loading(world: &World) -> Reply {
    let ((came, there), (go, goes)) = (oneshot::channel(), mpsc::channel());
    let (came, goes) = (Mutex::new(Some(came)), Mutex::new(goes));
    world.node.load_by(Arc::new(Stuck { came, goes }));
    let meanwhile = async {
        there.await.unwrap();
        let ready = world.get("", "/ready").await;
        for path in ["/v1/chat/completions", "/v1/completions", "/v1/messages"] {
            let body = json!({
                "model": "large", "prompt": "Hi", "max_tokens": 1,
                "messages": [{"role": "user", "content": "Hi"}],
            });
            let asked = world.post(&world.ada, path, &body).await;
            assert_eq!(asked.status, 503, "{path}: {}", asked.text);
            assert!(
                asked.text.contains("`large` is being loaded: 33 %"),
                "{}",
                asked.text
            );
            assert_eq!(asked.header("retry-after"), Some("5"));
        }
        go.send(()).unwrap();
        ready
    };
    let large = json!({"model": "large"});
    let load = world.post(&world.operator, "/v1/aigen/models/load", &large);
    let (failed, ready) = tokio::join!(load, meanwhile);
    assert_eq!(failed.error().1, "model_not_loaded", "{}", failed.text);
    assert_eq!(world.node.loading().len(), 0);
    ready
}

#[tokio::test]
async fn a_model_that_is_being_loaded_is_told_of() {
    let world = World::polite().await;
    assert_eq!(
        ready_while_loading(&world).await.json(),
        json!({"status": "ready", "models": {"tiny": true}, "loading": {"large": 33}})
    );
    let world = World::polite().await;
    let tiny = json!({"model": "tiny"});
    let unload = "/v1/aigen/models/unload";
    assert_eq!(world.post(&world.operator, unload, &tiny).await.status, 200);
    let ready = ready_while_loading(&world).await;
    assert_eq!(ready.error(), (503, "model_loading".into(), None));
    let error = &ready.json()["error"];
    assert_eq!(error["metadata"]["loading"], json!({"large": 33}));
    assert_eq!(ready.header("retry-after"), Some("5"));
}

#[tokio::test]
async fn accounts_are_their_owners() {
    let world = World::polite().await;
    let account: Account = world.fetch(&world.ada, "/v1/aigen/account").await;
    assert_eq!(
        (account.address.as_str(), account.available.nano()),
        ("user:ada", 1_000_000_000)
    );
    let same: Account = world.fetch(&world.ada, "/v1/aigen/accounts/user:ada").await;
    assert_eq!(same, account);
    let seen: Account = world
        .fetch(&world.operator, "/v1/aigen/accounts/user:ada")
        .await;
    assert_eq!(seen, account);
    let unknown: Account = world
        .fetch(&world.operator, "/v1/aigen/accounts/x:a/b@1")
        .await;
    assert_eq!(unknown.posted, Amount::ZERO);
    world
        .refused(
            &world.ada,
            "/v1/aigen/accounts/user:bob",
            None,
            (403, "forbidden"),
        )
        .await;
    world
        .refused(
            &world.operator,
            "/v1/aigen/accounts/User",
            None,
            (400, "invalid_value"),
        )
        .await;
    world.settle().await;
}

#[tokio::test]
async fn money_moves_once_per_id() {
    let world = World::polite().await;
    let id = "0000000000000000000000000000abcd";
    let pay = json!({"to": "user:bob", "amount": "0.25", "id": id});
    for _ in 0..2 {
        let paid: Transfer =
            World::read(&world.post(&world.ada, "/v1/aigen/transfers", &pay).await);
        assert_eq!(
            (paid.from.as_str(), paid.to.as_str(), paid.reason.as_str()),
            ("user:ada", "user:bob", "pay")
        );
    }
    assert_eq!(world.balance("user:ada").0, 750_000_000);
    let more = json!({"to": "user:bob", "amount": "0.3", "id": id});
    let path = "/v1/aigen/transfers";
    world
        .refused(
            &world.ada,
            path,
            Some(more),
            (409, "exists_with_different_amount"),
        )
        .await;
    let rows = [
        (
            json!({"to": "user:bob", "amount": "2"}),
            402,
            "insufficient_funds",
        ),
        (json!({"to": "user:bob", "amount": "0"}), 400, "amount_zero"),
        (
            json!({"to": "user:ada", "amount": "1"}),
            400,
            "accounts_must_be_different",
        ),
        (
            json!({"to": "clearing:calls", "amount": "1"}),
            403,
            "address_reserved",
        ),
        (
            json!({"to": "user:bob", "amount": "1", "id": "0"}),
            400,
            "invalid_value",
        ),
        (json!({"to": "user:bob", "amount": 1}), 400, "invalid_json"),
    ];
    for (body, status, code) in rows {
        world
            .refused(&world.ada, path, Some(body), (status, code))
            .await;
    }
    let fund = json!({"to": "user:ada", "amount": "1"});
    world
        .refused(
            &world.ada,
            "/v1/aigen/issue",
            Some(fund),
            (403, "forbidden"),
        )
        .await;
    world.settle().await;
}

#[tokio::test]
async fn transfers_come_newest_first_page_by_page() {
    let world = World::polite().await;
    for amount in ["0.1", "0.2", "0.3"] {
        world
            .post(
                &world.ada,
                "/v1/aigen/transfers",
                &json!({"to": "user:bob", "amount": amount}),
            )
            .await;
    }
    world.chat(json!({})).await;
    let page: List<Transfer> = world.fetch(&world.ada, "/v1/aigen/transfers?limit=3").await;
    let told = |page: &List<Transfer>| -> Vec<_> {
        page.data
            .iter()
            .map(|transfer| format!("{} {}", transfer.reason, transfer.amount))
            .collect()
    };
    assert_eq!(told(&page), ["capture 0.00000003", "pay 0.30", "pay 0.20"]);
    let path = format!("/v1/aigen/transfers?limit=3&after={}", page.next.unwrap());
    let page: List<Transfer> = world.fetch(&world.ada, &path).await;
    assert_eq!(told(&page), ["pay 0.10", "issue 1.00"]);
    assert_eq!(page.next, None);
    let bob: List<Transfer> = world
        .fetch(&world.operator, "/v1/aigen/transfers?account=user:bob")
        .await;
    assert_eq!(told(&bob), ["pay 0.30", "pay 0.20", "pay 0.10"]);
    let everyone: List<Transfer> = world.fetch(&world.operator, "/v1/aigen/transfers").await;
    assert!(
        everyone
            .data
            .iter()
            .any(|transfer| transfer.reason == "provider_share")
    );
    for (query, expected) in [
        ("account=user:bob", (403, "forbidden")),
        ("limit=0", (400, "invalid_value")),
        ("limit=x", (400, "invalid_value")),
        ("after=77", (400, "invalid_value")),
        ("colour=red", (400, "invalid_value")),
    ] {
        world
            .refused(
                &world.ada,
                &format!("/v1/aigen/transfers?{query}"),
                None,
                expected,
            )
            .await;
    }
    world.settle().await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_ends_when_revoked() {
    let world = World::polite().await;
    let new = json!({"account": "user:ada", "name": "laptop"});
    let made = world.post(&world.operator, "/v1/aigen/keys", &new).await;
    assert_eq!(
        (made.status.as_u16(), made.header("cache-control")),
        (201, Some("no-store"))
    );
    let key: KeyCreated = World::read(&made);
    world.fetch::<Account>(&key.key, "/v1/aigen/account").await;
    let listed = world.get(&world.operator, "/v1/aigen/keys").await;
    assert!(!listed.text.contains(&key.key));
    world
        .refused(
            &world.operator,
            "/v1/aigen/keys",
            Some(new),
            (409, "name_taken"),
        )
        .await;
    let drawn = world
        .post(
            &world.operator,
            "/v1/aigen/keys",
            &json!({"account": "user:ada"}),
        )
        .await;
    assert!(
        World::read::<KeyCreated>(&drawn)
            .name
            .as_str()
            .starts_with("key-")
    );
    world
        .refused(&world.ada, "/v1/aigen/keys", None, (403, "forbidden"))
        .await;
    world
        .refused(
            &world.ada,
            "/v1/aigen/keys",
            Some(json!({"account": "user:ada"})),
            (403, "forbidden"),
        )
        .await;
    let gone = world
        .send(request(
            "DELETE",
            &world.operator,
            "/v1/aigen/keys/laptop",
            "",
        ))
        .await;
    assert!(World::read::<Key>(&gone).revoked);
    world
        .refused(&key.key, "/v1/aigen/account", None, (401, "key_revoked"))
        .await;
    let unknown = world
        .send(request(
            "DELETE",
            &world.operator,
            "/v1/aigen/keys/none",
            "",
        ))
        .await;
    assert_eq!(unknown.error().0, 404);
    world.settle().await;
}

#[tokio::test]
async fn a_receipt_adds_up_and_is_its_payers() {
    let world = World::polite().await;
    let reply = world.chat(json!({})).await;
    let path = format!("/v1/aigen/receipts/{}", receipt_of(&reply));
    let receipt: Receipt = world.fetch(&world.ada, &path).await;
    assert_eq!(receipt.counted_by, Some(CountedBy::Engine));
    let sum = |amounts: &mut dyn Iterator<Item = Amount>| amounts.map(Amount::nano).sum::<u128>();
    assert_eq!(
        sum(&mut receipt.lines.iter().map(|line| line.amount)),
        receipt.total.nano()
    );
    assert_eq!(
        sum(&mut receipt.split.iter().map(|share| share.amount)),
        receipt.total.nano()
    );
    assert_eq!(
        (receipt.finish.as_str(), receipt.total.nano()),
        ("stop", 30)
    );
    assert_eq!(
        json!(receipt.journal_seq),
        reply.json()["aigen"]["journal_seq"]
    );
    let bob = world.key("bob-1", "user:bob").await;
    world.refused(&bob, &path, None, (404, "not_found")).await;
    world.fetch::<Receipt>(&world.operator, &path).await;
    world
        .refused(
            &world.ada,
            "/v1/aigen/receipts/xyz",
            None,
            (400, "invalid_value"),
        )
        .await;
    let tip = world.get(&world.ada, "/v1/aigen/journal/tip").await.json();
    assert!(tip["seq"].as_u64().unwrap() >= receipt.journal_seq);
    world.settle().await;
}

#[tokio::test]
async fn a_published_controller_steers_and_is_paid() {
    let world = World::polite().await;
    let ada_dev = world.key("ada-dev", "developer:ada").await;
    let new = json!({"reference": "ada/yes@1.0.0", "kind": "grammar", "source": "start: \"yes\"", "description": "Says yes"});
    let path = "/v1/aigen/controllers";
    world
        .refused(&world.ada, path, Some(new.clone()), (403, "forbidden"))
        .await;
    let published = world.post(&ada_dev, path, &new).await;
    assert_eq!(published.status, 201, "{}", published.text);
    let published: Controller = World::read(&published);
    let reply = world
        .chat(json!({"aigen": {"controller": "ada/yes@1.0.0"}}))
        .await;
    let body = reply.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
    assert_eq!(body["aigen"]["controller"], "ada/yes@1.0.0");
    let receipt = format!("/v1/aigen/receipts/{}", receipt_of(&reply));
    let receipt: Receipt = world.fetch(&world.ada, &receipt).await;
    assert_eq!(receipt.controller_digest, Some(published.digest));
    assert!(receipt.split.iter().any(|share| share.role == "controller"));
    let rows = [
        (
            json!({"reference": "ada/yes@1.0.0", "kind": "grammar", "source": "start: \"no\""}),
            409,
            "controller_version_exists",
        ),
        (
            json!({"reference": "ada/bad@1.0.0", "kind": "grammar", "source": "start: ("}),
            422,
            "controller_refused",
        ),
        (
            json!({"reference": "ada/hid@1.0.0", "kind": "grammar", "source": "start: \"a\"", "listed": false}),
            403,
            "forbidden",
        ),
    ];
    for (body, status, code) in rows {
        world
            .refused(&ada_dev, path, Some(body), (status, code))
            .await;
    }
    world.settle().await;
}

#[tokio::test]
async fn planted_controllers_look_like_any_other() {
    let world = World::polite().await;
    let path = "/v1/aigen/controllers";
    let publish = |name: &str, kind: &str, source: &str, listed: bool| json!({"reference": format!("{name}@1.0.0"), "kind": kind, "source": source, "listed": listed});
    let real = publish("ada/real", "grammar", "start: \"a\"", true);
    let planted = publish("eve/planted", "script", "{}", false);
    let [real, planted] = [real, planted].map(|new| async move { new });
    let real: Controller = World::read(&world.post(&world.operator, path, &real.await).await);
    let planted: Controller = World::read(&world.post(&world.operator, path, &planted.await).await);
    let fields =
        |value: Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let seen = |digest| format!("{path}/{digest}");
    let a = world.get(&world.ada, &seen(real.digest)).await.json();
    let b = world.get(&world.ada, &seen(planted.digest)).await.json();
    assert_eq!(fields(a), fields(b));
    let listed: List<Controller> = world.fetch(&world.ada, path).await;
    assert_eq!(listed.data.len(), 1);
    assert_eq!((listed.data[0].kind, listed.data[0].listed), (None, None));
    let all: List<Controller> = world.fetch(&world.operator, path).await;
    assert_eq!(all.data.len(), 2);
    world
        .refused(
            &world.ada,
            "/v1/aigen/controllers/x/y@1.0.0",
            None,
            (404, "controller_not_found"),
        )
        .await;
    world.settle().await;
}

#[tokio::test]
async fn a_customers_key_speaks_for_its_account_alone() {
    let world = World::polite().await;
    let body = chat(json!({}));
    world.post(&world.ada, "/v1/chat/completions", &body).await;
    let operators: List<Transfer> = world.fetch(&world.operator, "/v1/aigen/transfers").await;
    let adas: List<Transfer> = world.fetch(&world.ada, "/v1/aigen/transfers").await;
    assert!(operators.data.len() > adas.data.len());
    assert!(adas.data.iter().all(|transfer| {
        [&transfer.from, &transfer.to]
            .iter()
            .any(|side| side.as_str() == "user:ada")
    }));
    world.settle().await;
}
