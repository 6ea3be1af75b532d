//! Budgets of keys: what one key may spend by itself, enforced by the hold of every call.

use super::world::{Reply, World, chat, receipt_of, request};
use futures::future::join_all;
use serde_json::{Value, json};

const KEYS: &str = "/v1/aigen/keys";
const CHAT: &str = "/v1/chat/completions";

/// A key with these fields beside its account and a budget for all time.
async fn bounded(world: &World, name: &str, account: &str, cap: &str) -> String {
    let budget = json!({"cap": cap, "per": "total"});
    let new = json!({"account": account, "name": name, "budget": budget});
    let reply = world.post(&world.operator, KEYS, &new).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["key"].as_str().unwrap().to_owned()
}

/// Cap, spent, held and left in nano-AIGEN, as the node tells whoever holds this key.
async fn told(world: &World, key: &str, name: &str) -> [String; 4] {
    let reply = world.get(key, &format!("{KEYS}/{name}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let budget = reply.json()["budget"].clone();
    ["cap", "spent", "held", "available"].map(|amount| {
        let amount = budget[format!("{amount}_nano")].as_str();
        amount.unwrap_or("none").to_owned()
    })
}

async fn ask(world: &World, key: &str, fields: Value) -> Reply {
    world.post(key, CHAT, &chat(fields)).await
}

/// A polite call costs 30: 10, a prompt of 6 at 1 and 7 tokens at 2.
#[tokio::test]
async fn a_key_spends_its_own_budget_and_no_other_key_is_bounded_by_it() {
    let world = World::polite().await;
    let key = bounded(&world, "laptop", "user:ada", "0.000000035").await;
    let first = ask(&world, &key, json!({})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(told(&world, &key, "laptop").await, ["35", "30", "0", "5"]);
    let path = format!("/v1/aigen/receipts/{}", receipt_of(&first));
    let receipt = world.get(&key, &path).await.json();
    assert_eq!(receipt["payer"], "user:ada");
    assert_eq!(receipt["spender"], "user:ada:key:laptop");
    assert_eq!(receipt["budgets"], json!(["user:ada:key:laptop"]));

    let refused = ask(&world, &key, json!({})).await;
    assert_eq!(refused.error().1, "budget_exhausted");
    assert!(
        refused.text.contains("user:ada:key:laptop"),
        "{}",
        refused.text
    );
    // Another key of the account spends what it likes.
    assert_eq!(ask(&world, &world.ada, json!({})).await.status, 200);

    // Raised, it goes on; without it only the account's money is a bound.
    let path = format!("{KEYS}/laptop/budget");
    for (set, shown) in [
        (json!({"cap": "0.000000065", "per": "total"}), "65"),
        (json!({}), "none"),
    ] {
        let set = world.post(&world.operator, &path, &set).await;
        assert_eq!(set.status, 200, "{}", set.text);
        assert_eq!(told(&world, &world.operator, "laptop").await[0], shown);
        assert_eq!(ask(&world, &key, json!({})).await.status, 200);
    }
    world.settle().await;
}

/// What each row asks is refused, and leaves everything as it was.
#[tokio::test]
async fn what_a_budget_of_a_key_cannot_be_is_said() {
    let world = World::polite().await;
    let key = bounded(&world, "laptop", "user:ada", "5").await;
    let budget = json!({"cap": "1"});
    for (key, path, body, status, code, says) in [
        // Of a key that spends for what others spend for.
        (
            &world.operator,
            "/ada-1/budget",
            budget.clone(),
            409,
            "key_shares_spender",
            "aigen key create user:ada --budget AMOUNT",
        ),
        (
            &world.operator,
            "/none/budget",
            budget.clone(),
            404,
            "key_unknown",
            "check the name",
        ),
        (
            &key,
            "/laptop/budget",
            budget.clone(),
            403,
            "forbidden",
            "operator",
        ),
        (
            &world.operator,
            "",
            json!({"account": "operator", "name": "o", "budget": budget}),
            400,
            "spender_invalid",
            "pairs of words",
        ),
        (
            &world.operator,
            "",
            json!({"account": "user:ada", "name": "o", "role": "operator", "budget": budget}),
            400,
            "invalid_value",
            "budget",
        ),
        (
            &world.operator,
            "",
            json!({"account": "user:ada", "name": "o", "budget": {"per": "day"}}),
            400,
            "invalid_json",
            "cap",
        ),
        (
            &world.operator,
            "",
            json!({"account": "user:ada", "name": "o", "budget": {"cap": "99999999999"}}),
            400,
            "amount_too_large",
            "",
        ),
        // The budget of the key that has the name stays.
        (
            &world.operator,
            "",
            json!({"account": "user:ada", "name": "laptop", "budget": budget}),
            409,
            "name_taken",
            "",
        ),
    ] {
        let reply = world.post(key, &format!("{KEYS}{path}"), &body).await;
        let (found, found_code, _) = reply.error();
        assert_eq!(
            (found, &*found_code),
            (status, code),
            "{path} {body}: {}",
            reply.text
        );
        assert!(reply.text.contains(says), "{path} {body}: {}", reply.text);
    }
    let taken_away = world
        .post(
            &world.operator,
            &format!("{KEYS}/laptop/budget"),
            &json!({}),
        )
        .await;
    assert_eq!(taken_away.status, 200, "{}", taken_away.text);
    let again = world
        .post(
            &world.operator,
            &format!("{KEYS}/laptop/budget"),
            &json!({}),
        )
        .await;
    assert_eq!(again.error().1, "budget_unknown");
    // None of them was made, so that the name is free.
    assert_eq!(
        world
            .get(&world.operator, &format!("{KEYS}/o"))
            .await
            .error()
            .0,
        404
    );
    world.settle().await;
}

/// A payment would evade its budget, as raising it would; and it is nobody's business but its own.
#[tokio::test]
async fn a_key_with_a_budget_neither_pays_nor_raises_it_and_sees_itself() {
    let world = World::polite().await;
    let key = bounded(&world, "laptop", "user:ada", "5").await;
    for (path, body) in [
        (
            "/v1/aigen/transfers",
            json!({"to": "user:eve", "amount": "1"}),
        ),
        (
            "/v1/aigen/budgets",
            json!({"path": "user:ada:key:laptop", "cap": "9"}),
        ),
        ("/v1/aigen/budgets", json!({"path": "user:ada:key:laptop"})),
        (
            "/v1/aigen/allowances",
            json!({"app": "app:eve", "cap": "9"}),
        ),
    ] {
        let refused = world.post(&key, path, &body).await;
        assert_eq!(refused.error().0, 403, "{path} {body}: {}", refused.text);
    }
    assert_eq!(told(&world, &key, "laptop").await[0], "5000000000");
    let other = world.get(&key, &format!("{KEYS}/ada-1")).await;
    assert_eq!(other.error().1, "forbidden");
    // The account's own key is above it.
    let set = json!({"path": "user:ada:key:laptop", "cap": "4"});
    let set = world.post(&world.ada, "/v1/aigen/budgets", &set).await;
    assert_eq!(set.status, 200, "{}", set.text);
    assert_eq!(told(&world, &key, "laptop").await[0], "4000000000");
    world.settle().await;
}

/// One end user has one bound, through whichever of an app's keys they come.
#[tokio::test]
async fn an_end_user_is_bounded_as_one_through_every_key_of_an_app() {
    let world = World::polite().await;
    world.fund("app:zz", "1").await;
    let each = json!({"path": "app:zz:user:*", "cap": "0.00000003", "period": "total"});
    let each = world
        .post(&world.operator, "/v1/aigen/budgets", &each)
        .await;
    assert_eq!(each.status, 200, "{}", each.text);
    let plain = world.key("zz-1", "app:zz").await;
    let web = bounded(&world, "web", "app:zz", "1").await;
    let phone = bounded(&world, "phone", "app:zz", "1").await;
    let as_user = |user: &str| json!({"aigen": {"end_user": user}});
    for (user, first) in [("41", &plain), ("42", &web), ("43", &phone)] {
        let reply = ask(&world, first, as_user(user)).await;
        assert_eq!(reply.status, 200, "{user}: {}", reply.text);
        for key in [&plain, &web, &phone] {
            let refused = ask(&world, key, as_user(user)).await;
            assert_eq!(refused.error().1, "budget_exhausted", "{user}");
        }
    }
    assert_eq!(told(&world, &web, "web").await[1], "30");
    world.settle().await;
}

/// Fifty calls at once, of every route and by both of what may race: the budget is met to the nano.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_calls_at_once_never_pass_a_keys_budget() {
    for stream in [false, true] {
        let world = World::polite().await;
        // Six calls of 30 and 3 too few for a prompt and one token.
        let key = bounded(&world, "laptop", "user:ada", "0.000000195").await;
        let calls = (0..50).map(|number| {
            let (path, body) = match number % 2 {
                0 => (CHAT, chat(json!({"stream": stream, "max_tokens": 7}))),
                _ => ("/v1/responses", json!({"model": "tiny", "input": "Hi", "temperature": 0, "stream": stream, "max_output_tokens": 7})),
            };
            world.send(request("POST", &key, path, &body.to_string()))
        });
        let replies = join_all(calls).await;
        let answered = replies.iter().filter(|reply| reply.status == 200).count();
        let refused = replies.iter().filter(|reply| reply.status == 402).count();
        assert_eq!(answered + refused, 50);
        assert!(answered > 0 && refused > 0, "{answered} {refused}");
        let [cap, spent, held, left] = told(&world, &key, "laptop").await;
        let amount = |text: &str| text.parse::<u128>().unwrap();
        assert_eq!((&*cap, &*held), ("195", "0"));
        let charged: u128 = {
            let network = world.node.network();
            let receipts = network.receipts();
            receipts.map(|(_, receipt)| receipt.total().nano()).sum()
        };
        assert_eq!((amount(&spent), amount(&left)), (charged, 195 - charged));
        assert!(charged <= 195, "{charged}");
        world.settle().await;
    }
}
