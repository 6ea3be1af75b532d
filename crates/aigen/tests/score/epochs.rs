//! Whole epochs, with real processes.

use crate::actors::{Process, Puppet};
use crate::network::{Network, SUITE, nano};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

const STAKE_NANO: i128 = 50_000_000_000;

fn names(state: &Value, list: &str) -> Vec<String> {
    let names = state[list].as_array().unwrap().iter();
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

fn has(state: &Value, list: &str, wanted: &[&str]) -> bool {
    let names = names(state, list);
    wanted
        .iter()
        .all(|name| names.iter().any(|known| known == name))
}

/// A validator's file of questions and answers.
fn evidence(network: &Network, name: &str, epoch: usize) -> Option<PathBuf> {
    let folder = network.folder.file(&format!(".aigen/validators/{name}"));
    let mut files = std::fs::read_dir(folder)
        .ok()?
        .map(|entry| entry.unwrap().path());
    let prefix = format!("epoch-{epoch}-");
    files.find(|path| {
        let file = path.file_name().unwrap().to_str().unwrap();
        file.starts_with(&prefix) && file.ends_with(".jsonl")
    })
}

/// How often each question was asked, and of those that were answered.
fn asked(network: &Network, name: &str, epoch: usize) -> (BTreeMap<String, usize>, usize) {
    let Some(path) = evidence(network, name, epoch) else {
        return (BTreeMap::new(), 0);
    };
    let text = std::fs::read_to_string(path).unwrap();
    let (mut times, mut answered) = (BTreeMap::new(), 0);
    for line in text.lines() {
        // The last line of a process that is still writing may be incomplete.
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        match line.get("answer") {
            Some(_) => answered += 1,
            None => {
                let key = format!("{}/{}/{}", line["controller"], line["case"], line["ask"]);
                *times.entry(key).or_default() += 1;
            }
        }
    }
    (times, answered)
}

struct Cast {
    keys: BTreeMap<&'static str, String>,
}

impl Cast {
    fn key(&self, name: &str) -> &str {
        &self.keys[name]
    }
}

const VALIDATORS: [&str; 5] = ["ann", "ben", "cat", "dan", "sid"];

fn assemble(network: &Network) -> Cast {
    // Dan's suite finds good what is bad.
    let lies = SUITE
        .replace("equals = \"word\"", "equals = \"lie\"")
        .replace("matches = '^Word: [a-z]+$'", "matches = '^[a-z]+[?]$'")
        .replace("forbidden = []", "forbidden = []\n    lie = [\"nothing\"]")
        .replace(
            "forbidden = [\"xyz\"]",
            "forbidden = [\"xyz\"]\n    lie = [\"nothing\"]",
        );
    std::fs::create_dir(network.folder.file("lies")).unwrap();
    network.folder.write("lies/words.toml", lies);
    let key = |name: &'static str| (name, network.validator(name, &format!("{name}-inc"), "50"));
    Cast {
        keys: VALIDATORS.into_iter().map(key).collect(),
    }
}

/// Money of everyone who is paid or slashed, before an epoch is closed.
fn purses(network: &Network) -> BTreeMap<String, i128> {
    let stakes = VALIDATORS.iter().map(|name| format!("stake:{name}"));
    let people = VALIDATORS.iter().map(|name| format!("validator:{name}"));
    let others = ["developer:ada", "developer:bob", "treasury"].map(str::to_owned);
    let addresses = stakes.chain(people).chain(others);
    addresses
        .map(|address| (address.clone(), network.balance(&address)))
        .collect()
}

/// What waits at each controller, by its digest: its escrow, and the budget of its validators.
fn waiting(network: &Network) -> BTreeMap<String, i128> {
    let mut waiting = BTreeMap::new();
    for row in network.balances()["data"].as_array().unwrap() {
        let address = row["address"].as_str().unwrap();
        let digest = address.strip_prefix("escrow:controller:");
        if let Some(digest) = digest.or(address.strip_prefix("budget:validators:")) {
            *waiting.entry(digest.to_owned()).or_default() += nano(&row["posted"]);
        }
    }
    waiting
}

/// What is not part of a settlement was planted: that goes to the treasury beside it.
fn planted(waiting: &BTreeMap<String, i128>, input: &Value) -> i128 {
    let controllers = input["controllers"].as_array().unwrap();
    let settled = |digest: &String| controllers.iter().any(|row| row["id"] == **digest);
    let planted = waiting.iter().filter(|(digest, _)| !settled(digest));
    planted.map(|(_, amount)| amount).sum()
}

/// Every purse has changed by exactly what the settlement says, to the nano-AIGEN.
fn paid_as_predicted(
    network: &Network,
    before: &BTreeMap<String, i128>,
    planted: i128,
    (input, output): &(Value, Value),
) {
    let mut expected = before.clone();
    *expected.get_mut("treasury").unwrap() +=
        i128::from(output["treasury"].as_i64().unwrap()) + planted;
    for controller in input["controllers"].as_array().unwrap() {
        let payout = &output["controllers"][controller["id"].as_str().unwrap()]["payout"];
        let owner = controller["owner"].as_str().unwrap();
        *expected.get_mut(&format!("developer:{owner}")).unwrap() +=
            i128::from(payout.as_u64().unwrap());
    }
    for (name, result) in output["validators"].as_object().unwrap() {
        let number = |field: &str| i128::from(result[field].as_u64().unwrap());
        *expected.get_mut(&format!("validator:{name}")).unwrap() += number("pay");
        *expected.get_mut(&format!("stake:{name}")).unwrap() -= number("slash");
    }
    assert_eq!(purses(network), expected);
}

/// Five validators, three epochs: two work (one is killed over its work and goes on), one copies,
/// one falls silent after it has committed, one lies. The node is killed in every window.
#[test]
fn right_is_paid_and_everything_else_is_not_whatever_is_killed() {
    let mut network = Network::start();
    let cast = assemble(&network);
    let honest = ["--suites", "suites"];
    let _ann = Process::start(&network, "ann", cast.key("ann"), &honest);
    let mut ben = Process::start(&network, "ben", cast.key("ben"), &honest);
    let _dan = Process::start(&network, "dan", cast.key("dan"), &["--suites", "lies"]);
    let cat = Puppet::new(&network, "cat", cast.key("cat"));
    let mut known = BTreeMap::new();
    // From the second epoch on payouts wait two seconds for appeals.
    network.done(&["params", "propose", "--set", "appeal_seconds=2"]);

    for epoch in 0..3 {
        network.use_controllers();
        network.kill_node();
        let mut sid = Process::start(&network, "sid", cast.key("sid"), &honest);
        network.assign();
        if epoch == 0 {
            network.wait_for("ben's first answers", || {
                asked(&network, "ben", epoch).1 >= 3
            });
            ben.kill();
            ben = Process::start(&network, "ben", cast.key("ben"), &honest);
        }
        network.wait("everyone has committed but cat", |state| {
            has(state, "committed", &["ann", "ben", "dan", "sid"])
        });
        sid.kill();
        network.kill_node();
        // Last epoch's answers of ann, which everyone can read, for what ann was asked before.
        let opening = cat.commit(&network, |question| {
            let key = format!("{}/{}", question["controller"], question["parameter"]);
            known.get(&key).copied().unwrap_or(500_000)
        });
        network.wait("three have revealed", |state| {
            has(state, "revealed", &["ann", "ben", "dan"])
        });
        network.kill_node();
        cat.reveal(&network, &opening);
        network.kill_node();

        let before = purses(&network);
        let waiting = waiting(&network);
        let statement = network.close();
        assert_eq!(statement["epoch"], epoch, "{statement}");
        let settled = network.settled(epoch);
        network.kill_node_while_money_waits();
        if epoch >= 1 {
            let paid = |_: &Value| network.balance(&format!("held:epoch{epoch}")) == 0;
            network.wait("the payouts that wait for appeals", |state| {
                // Ledger time passes with commands; a payment of nothing much is one.
                network.done(&["fund", "app:words", "0.000001"]);
                paid(state)
            });
        }
        let planted = planted(&waiting, &settled.0);
        assert!(planted > 0, "planted controllers were used");
        paid_as_predicted(&network, &before, planted, &settled);
        expected_of_each(&settled, epoch);
        for report in settled.0["reports"].as_array().unwrap() {
            if report["v"] == "ann" {
                let key = format!("{}/{}", report["c"], report["p"]);
                known.insert(key, u32::try_from(report["r"].as_u64().unwrap()).unwrap());
            }
        }
    }
    assert!(network.kills >= 15, "killed in every window of every epoch");

    // Ben was killed over its work, and asked no question twice but those that were under way.
    let (times, answered) = asked(&network, "ben", 0);
    assert!(times.values().all(|times| *times <= 2), "{times:?}");
    let again = times.values().filter(|times| **times == 2).count();
    assert!(again <= 4, "four questions are under way at most: {again}");
    assert_eq!(times.len(), answered, "every question was answered once");

    let verified = network.folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    income_tells_it(&network, cast.key("ann"));
}

fn expected_of_each((input, output): &(Value, Value), epoch: usize) {
    let result = |name: &str, field: &str| output["validators"][name][field].as_i64().unwrap();
    // What is planted is known exactly: each epoch proves a fifth of what is left.
    let proven = [200_000, 360_000, 488_000][epoch];
    for honest in ["ann", "ben"] {
        assert_eq!(result(honest, "skill"), proven, "{honest}");
        assert!(result(honest, "pay") > 0, "{honest}");
        assert_eq!(result(honest, "slash"), 0, "{honest}");
    }
    // A constant is never right about what it has not looked at.
    assert!(result("cat", "skill") <= 0, "{output}");
    assert!(result("dan", "skill") < 0, "{output}");
    for other in ["cat", "dan", "sid"] {
        assert_eq!(result(other, "pay"), 0, "{other}");
    }
    let silent = result("sid", "slash");
    let stakes = input["validators"].as_array().unwrap().iter();
    let stake = stakes.into_iter().find(|row| row["id"] == "sid").unwrap()["stake"]
        .as_i64()
        .unwrap();
    assert!(i128::from(stake) <= STAKE_NANO);
    assert_eq!(
        silent,
        stake * 2_000 / 1_000_000,
        "for committing and not revealing"
    );
    if epoch == 2 {
        // Below minus a fifth: bad luck is forgiven, this is not.
        assert!(result("dan", "slash") > 0, "for being wrong on purpose");
    }
}

/// What `aigen validator income` prints is what was paid less what it cost.
fn income_tells_it(network: &Network, key: &str) {
    let income = network
        .folder
        .json(&["validator", "income", "ann", "--key", key]);
    let rows = income["data"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{income}");
    for row in rows {
        let (paid, cost) = (nano(&row["paid"]), nano(&row["cost"]));
        assert!(cost > 0, "{row}");
        let net = row["net"].as_str().unwrap();
        let net = match net.strip_prefix('-') {
            Some(loss) => -nano(&loss.into()),
            None => nano(&net.into()),
        };
        assert_eq!(net, paid - cost, "{row}");
    }
    let table = network.done(&["validator", "income", "ann", "--key", key, "--csv"]);
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(
        table.starts_with("epoch,paid,slashed,cost,net,skill_ppm\n"),
        "{table}"
    );
}

/// A network is sane with nobody to score, and with one, two and three who do.
#[test]
fn with_no_validator_and_with_one_two_and_three() {
    let network = Network::start();
    let mut puppets: Vec<Puppet> = Vec::new();
    let mut coverage = Vec::new();
    for epoch in 0..4 {
        network.use_controllers();
        if epoch > 0 {
            let name = format!("v{epoch}");
            let key = network.validator(&name, &name, "10");
            puppets.push(Puppet::new(&network, &name, &key));
            network.assign();
            let openings: Vec<_> = puppets
                .iter()
                .map(|puppet| puppet.commit(&network, |_| 900_000))
                .collect();
            for (puppet, opening) in puppets.iter().zip(&openings) {
                puppet.reveal(&network, opening);
            }
        }
        network.close();
        let (input, output) = network.settled(epoch);
        for controller in input["controllers"].as_array().unwrap() {
            let id = controller["id"].as_str().unwrap();
            let old = controller["state"]["quality"].as_i64().unwrap_or(300_000);
            let new = output["controllers"][id]["state"]["quality"]
                .as_i64()
                .unwrap();
            let escrow = controller["escrow"].as_u64().unwrap();
            let result = &output["controllers"][id];
            let parts = ["payout", "remainder"].map(|field| result[field].as_u64().unwrap());
            assert_eq!(parts.iter().sum::<u64>(), escrow);
            if epoch == 0 {
                assert_eq!(new, 300_000, "nobody has said anything: the prior stays");
            } else {
                // Of the way to what is reported, a third for each owner; nobody alone moves it as
                // far as three together.
                let alpha = 1_000_000 / (controller["scored_epochs"].as_i64().unwrap() + 2);
                let alpha = alpha.max(200_000);
                let step = (new - old) * 1_000_000 / (900_000 - old);
                coverage.push((epoch, step * 1_000_000 / alpha));
            }
        }
    }
    for (owners, coverage) in coverage {
        let expected = 1_000_000 * owners as i64 / 3;
        assert!(
            (coverage - expected).abs() < 100,
            "{owners} owners cover {coverage} ppm"
        );
    }
    assert_eq!(network.folder.json(&["ledger", "verify"])["ok"], true);
}

/// A validator with a budget stops before it is exceeded, and reports what it has evaluated.
#[test]
fn a_validator_spends_at_most_its_budget() {
    let network = Network::start();
    let key = network.validator("ann", "ann-inc", "10");
    let before = network.balance("validator:ann");
    network.assign();
    let questions = network.state()["assignments"].as_array().unwrap().len();
    // Enough for about 8 of 20 questions: each may cost 0.0083, and costs about 0.0002.
    let budget = "0.01";
    let args = ["--suites", "suites", "--budget", budget, "--epochs", "1"];
    let _ann = Process::start(&network, "ann", &key, &args);
    network.wait("ann has revealed", |state| has(state, "revealed", &["ann"]));
    let spent = before - network.balance("validator:ann");
    assert!(spent > 0 && spent <= nano(&budget.into()), "{spent}");
    network.close();
    let (input, _) = network.settled(0);
    let count = |list: &str| input[list].as_array().unwrap().len();
    let reported = count("reports") + count("gold_reports");
    assert!(
        reported > 0 && reported < questions,
        "{reported} of {questions}"
    );
}
