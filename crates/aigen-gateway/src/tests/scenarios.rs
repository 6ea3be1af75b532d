//! Scenarios as their people would live them: every line is a request with somebody's key, and a
//! call is a completion of a model that never stops by itself.
//!
//! Lines that only a node says to its ledger (`open`, `extend`, `close`, …) have no request. A
//! scenario with one of them does not run here.

use super::world::{Reply, World, request};
use aigen_api::resources::{Account, Allowance, CorrectionKind, List, Receipt};
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_node::network::{Capped, Command, Found, Period};
use aigen_testkit::{Act, Failure, Line, Question, Scenario, WholeCall};
use aigen_types::{Address, Amount, CallId, Slug, Timestamp};
use axum::http::HeaderName;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, str};

const SECOND: u64 = 1_000_000_000;

#[tokio::test]
async fn scenarios_of_whole_calls_go_alike_over_http() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut ran = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".scn") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let scenario = Scenario::parse(&name, &text).unwrap_or_else(|failure| panic!("{failure}"));
        if !scenario.lines.iter().all(|line| has_request(&line.act)) {
            continue;
        }
        for streamed in [false, true] {
            if let Err(failure) = run(&scenario, streamed).await {
                panic!("streamed: {streamed}: {failure}");
            }
        }
        ran.push(name);
    }
    ran.sort();
    assert_eq!(
        ran,
        [
            "an-app-and-its-user.scn",
            "chargeback.scn",
            "the-last-nano.scn"
        ]
    );
}

fn has_request(act: &Act) -> bool {
    match act {
        Act::Submit(command) => matches!(
            command,
            Command::Found(_)
                | Command::PublishModel(_)
                | Command::Issue(_)
                | Command::Pay(_)
                | Command::CreateKey(_)
                | Command::RevokeKey(_)
                | Command::SetBudget(_)
                | Command::GrantAllowance(_)
                | Command::RevokeAllowance(_)
                | Command::ReverseCall(_)
                | Command::RefundCall(_)
        ),
        Act::Call(_) | Act::Wait { .. } => true,
        Act::Ask(question) => matches!(
            question,
            Question::Account(_) | Question::Receipt(_) | Question::Cap(_)
        ),
        Act::Repeat | Act::Plant(_) | Act::Epoch(_) | Act::Restart => false,
    }
}

async fn run(scenario: &Scenario, streamed: bool) -> Result<(), Failure> {
    let [
        Line {
            act: Act::Submit(Command::Found(found)),
            ..
        },
        lines @ ..,
    ] = &scenario.lines[..]
    else {
        panic!("{}: it does not begin with a network", scenario.file);
    };
    let mut clients = Clients::of(found.clone(), streamed).await;
    for line in lines {
        let happened = clients.step(&line.act).await;
        if !line.accepts(&happened) {
            let wanted = line.expected.as_deref().unwrap_or("no refusal");
            return Err(scenario.failure(line, wanted, &happened));
        }
        clients.world.node.network().check().unwrap();
    }
    clients.world.settle().await;
    Ok(())
}

/// Everyone who has a key, and what they know.
struct Clients {
    world: World,
    clock: Arc<AtomicU64>,
    streamed: bool,
    /// By name: whose money it spends, and its secret.
    keys: BTreeMap<Slug, (Address, String)>,
    /// Calls of the scenario that were let in, by the ids that the node gave them.
    calls: BTreeMap<CallId, CallId>,
}

impl Clients {
    async fn of(found: Found, streamed: bool) -> Self {
        let clock = Arc::new(AtomicU64::new(SECOND));
        let now = Arc::clone(&clock);
        let endless = Script::new(|vocabulary, _| {
            let size = aigen_node::Tokenizer::vocab_size(vocabulary);
            let mut logits = vec![0.0; size as usize];
            logits[usize::from(b'a')] = 10.0;
            logits
        });
        let engine = ScriptedEngine::new(Vocabulary::bytes(), endless);
        let now = move || Timestamp(now.load(Ordering::SeqCst));
        Self {
            world: World::founded(engine, found, now).await,
            clock,
            streamed,
            keys: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    async fn step(&mut self, act: &Act) -> String {
        match act {
            Act::Wait { seconds } => self.wait((*seconds).into()),
            Act::Ask(question) => self.answer(question).await,
            Act::Call(call) => {
                self.wait(1);
                self.call(call).await
            }
            Act::Submit(command) => {
                self.wait(1);
                self.submit(command).await
            }
            other => panic!("{other:?} has no request"),
        }
    }

    fn wait(&self, seconds: u64) -> String {
        self.clock.fetch_add(seconds * SECOND, Ordering::SeqCst);
        "ok".into()
    }

    async fn submit(&mut self, command: &Command) -> String {
        match command {
            // Models are what a node is configured with.
            Command::PublishModel(model) => {
                self.world.node.publish_model(model.clone()).await.unwrap();
                "ok".into()
            }
            Command::Pay(pay) => {
                let body = json!({"to": pay.to.to_string(), "amount": pay.amount.to_string()});
                let key = self.key_of(&pay.from).await;
                let paid = self.world.post(&key, "/v1/aigen/transfers", &body).await;
                // HTTP has one word for too little money, whatever it is needed for.
                outcome(&paid).replace("insufficient_funds", "exceeds_credits")
            }
            Command::CreateKey(new) => {
                let spender = new.spender.as_ref().map(ToString::to_string);
                let created = self.create_key(&new.name, &new.account, spender).await;
                outcome(&created)
            }
            Command::ReverseCall(reverse) => {
                let body = json!({"reason": reverse.reason.to_string()});
                self.correct(reverse.call, "reverse", &body).await
            }
            Command::RefundCall(refund) => {
                let amount = refund.amount.to_string();
                let body = json!({"reason": refund.reason.to_string(), "amount": amount});
                self.correct(refund.call, "refund", &body).await
            }
            other => {
                let (path, body) = operators(other);
                outcome(&self.world.post(&self.world.operator, &path, &body).await)
            }
        }
    }

    async fn create_key(&mut self, name: &Slug, of: &Address, spender: Option<String>) -> Reply {
        let body = json!({"name": name.to_string(), "account": of.to_string(), "spender": spender});
        let operator = &self.world.operator;
        let created = self.world.post(operator, "/v1/aigen/keys", &body).await;
        if created.status.is_success() {
            let secret = created.json()["key"].as_str().unwrap().to_owned();
            self.keys.insert(name.clone(), (of.clone(), secret));
        }
        created
    }

    /// Any key of an account; a new one if the scenario gives it none.
    async fn key_of(&mut self, account: &Address) -> String {
        let known = |keys: &BTreeMap<Slug, (Address, String)>| {
            let mut keys = keys.values();
            keys.find(|(of, _)| of == account)
                .map(|(_, secret)| secret.clone())
        };
        if let Some(secret) = known(&self.keys) {
            return secret;
        }
        self.create_key(&"wallet".parse().unwrap(), account, None)
            .await;
        known(&self.keys).unwrap()
    }

    async fn call(&mut self, call: &WholeCall) -> String {
        let open = &call.open;
        // The model puts one token of its own before every text.
        let bytes = usize::try_from(open.prompt_tokens - 1).unwrap();
        let body = json!({
            "model": open.model.to_string(),
            "prompt": "x".repeat(bytes),
            "max_tokens": call.output_tokens,
            "temperature": 0,
            "stream": self.streamed,
            "aigen": {"max_cost": open.budget.map(|budget| budget.to_string())},
        });
        let (_, secret) = &self.keys[&open.key];
        let mut sent = request("POST", secret, "/v1/completions", &body.to_string());
        for (name, value) in [
            (
                "x-aigen-end-user",
                open.end_user.as_ref().map(ToString::to_string),
            ),
            (
                "x-aigen-bill-to",
                open.bill_to.as_ref().map(ToString::to_string),
            ),
        ] {
            if let Some(value) = value {
                let name = HeaderName::from_static(name);
                sent.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let reply = self.world.send(sent).await;
        if !reply.status.is_success() {
            return outcome(&reply);
        }
        let id = super::world::receipt_of(&reply);
        self.calls.insert(open.call, id);
        let receipt = self.receipt(id).await;
        let charged = receipt.total.checked_add(receipt.margin).unwrap();
        format!("{}, charged {charged}", receipt.finish)
    }

    async fn correct(&self, call: CallId, how: &str, body: &Value) -> String {
        let id = self.calls[&call];
        let path = format!("/v1/aigen/receipts/{id}/{how}");
        let reply = self.world.post(&self.world.operator, &path, body).await;
        if !reply.status.is_success() {
            return outcome(&reply);
        }
        let receipt: Receipt = parsed(&reply);
        format!("gave back {}", receipt.corrections.last().unwrap().amount)
    }

    async fn receipt(&self, id: CallId) -> Receipt {
        parsed(&self.ask(&format!("/v1/aigen/receipts/{id}")).await)
    }

    async fn ask(&self, path: &str) -> Reply {
        let reply = self.world.get(&self.world.operator, path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply
    }

    async fn answer(&self, question: &Question) -> String {
        match question {
            Question::Account(address) => {
                let path = format!("/v1/aigen/accounts/{address}");
                let account: Account = parsed(&self.ask(&path).await);
                format!("available {}, held {}", account.available, account.held)
            }
            Question::Receipt(call) => match self.calls.get(call) {
                Some(id) => described(&self.receipt(*id).await),
                None => "none".into(),
            },
            Question::Cap(Capped::Path(path)) => self.budget(path).await,
            Question::Cap(Capped::Allowance { user, app }) => self.allowance(user, app).await,
            other => panic!("{other:?} has no request"),
        }
    }

    async fn budget(&self, path: &Address) -> String {
        let budgets = self.ask("/v1/aigen/budgets").await.json();
        let budgets = budgets["data"].as_array().unwrap();
        let found = budgets.iter().find(|one| one["path"] == path.to_string());
        found.map_or("none".into(), used)
    }

    async fn allowance(&self, user: &Address, app: &Address) -> String {
        let reply = self.ask("/v1/aigen/allowances").await;
        let all: List<Allowance> = parsed(&reply);
        let place = all
            .data
            .iter()
            .position(|one| one.user == *user && one.app == *app);
        place.map_or("none".into(), |place| used(&reply.json()["data"][place]))
    }
}

/// What an operator sends for this.
fn operators(command: &Command) -> (String, Value) {
    let path = |end: &str| format!("/v1/aigen/{end}");
    match command {
        Command::Issue(issue) => {
            let (to, amount) = (issue.to.to_string(), issue.amount.to_string());
            (path("issue"), json!({"to": to, "amount": amount}))
        }
        Command::RevokeKey(name) => (path(&format!("keys/{name}/revoke")), json!({})),
        Command::SetBudget(set) => {
            let cap = set.cap.map(|cap| cap.to_string());
            let body =
                json!({"path": set.path.to_string(), "cap": cap, "period": period(set.period)});
            (path("budgets"), body)
        }
        Command::GrantAllowance(grant) => {
            let body = json!({
                "user": grant.user.to_string(),
                "app": grant.app.to_string(),
                "cap": grant.cap.to_string(),
                "period": period(grant.period),
                "margin_ppm": grant.margin.parts(),
                "expires_at": grant.expires_at.map(|at| at.0),
            });
            (path("allowances"), body)
        }
        Command::RevokeAllowance(revoke) => {
            let (user, app) = (revoke.user.to_string(), revoke.app.to_string());
            (path("allowances/revoke"), json!({"user": user, "app": app}))
        }
        other => panic!("{other:?} has no request"),
    }
}

fn period(period: Period) -> String {
    period.to_string()
}

/// `ok`, or why not. An error's code is HTTP's; the network's own word is beside it where they differ.
fn outcome(reply: &Reply) -> String {
    if reply.status.is_success() {
        return "ok".into();
    }
    let error = &reply.json()["error"];
    let reason = error["metadata"]["reason"].as_str();
    let code = reason.or(error["code"].as_str()).unwrap();
    format!("refused {code}")
}

#[track_caller]
fn parsed<T: DeserializeOwned>(reply: &Reply) -> T {
    serde_json::from_str(&reply.text).unwrap_or_else(|error| panic!("{error}: {}", reply.text))
}

fn used(bound: &Value) -> String {
    let amount = |field: &str| bound[field].as_str().unwrap();
    format!(
        "cap {}, spent {}, held {}, left {}",
        amount("cap"),
        amount("spent"),
        amount("held"),
        amount("available")
    )
}

fn described(receipt: &Receipt) -> String {
    let refunds = receipt.corrections.iter();
    let refunds = refunds.filter(|correction| correction.kind == CorrectionKind::Refund);
    let refunded = refunds.fold(Amount::ZERO, |sum, refund| {
        sum.saturating_add(refund.amount)
    });
    let is_reversed = receipt
        .corrections
        .iter()
        .any(|correction| correction.kind == CorrectionKind::Reversal);
    format!(
        "{}, charged {}, margin {}, refunded {refunded}, {}",
        receipt.finish,
        receipt.total,
        receipt.margin,
        if is_reversed { "reversed" } else { "kept" },
    )
}
