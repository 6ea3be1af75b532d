//! Rules, stakes and appeals, as an operator and a validator type them.

use crate::actors::Puppet;
use crate::check;
use crate::network::{Network, nano};
use crate::support::Ran;
use serde_json::Value;

fn propose(network: &Network, sets: &[&str]) -> Ran {
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let propose: Vec<_> = ["params", "propose"].into_iter().chain(sets).collect();
    network.folder.run(&propose)
}

#[test]
fn rules_are_tried_out_proposed_and_refused() {
    let network = Network::start();
    let run = |args: &[&str]| network.folder.run(args);
    check!(propose(&network, &["appeal_bond=1.5", "prior=250000"]), @r#"
    exit code: 0
    ----- stdout
    version 1 holds from epoch 0
    ----- stderr
    "#);
    check!(run(&["params", "simulate", "--set", "prior=0"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no epoch is settled yet
    hint: an operator settles the current one with `aigen epoch close`
    "#);
    check!(propose(&network, &["speed=3"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there is no rule `speed`
    hint: `aigen params show` lists every name with what holds now; a scored parameter's are NAME.weight and NAME.gate_full
    "#);
    check!(propose(&network, &["panel=many"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: `panel=many` does not fit
      because: invalid type: string "many", expected u64
    "#);
    check!(propose(&network, &["quality.weight=1"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: parameters: the weights sum to 600001 ppm; they must sum to 1000000
    "#);
    check!(propose(&network, &["beauty.weight=1"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: controllers are not scored in `beauty`
    "#);
    check!(propose(&network, &["remainder=validators"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: `remainder=validators` does not fit
      because: unknown variant `validators`, expected one of `burn`, `refund`, `treasury`
    "#);

    network.use_controllers();
    network.close();
    let simulated = |set: &str| {
        let rows = network.folder.json(&["params", "simulate", "--set", set]);
        let rows = rows["rows"].as_array().unwrap().clone();
        let row = |who: &str, what: &str| {
            let found = rows
                .iter()
                .find(|row| row["who"] == who && row["what"] == what);
            let row = found.unwrap_or_else(|| panic!("{who} {what}: {rows:?}"));
            ["before", "after"].map(|field| row[field].as_str().unwrap().to_owned())
        };
        (
            row("ada/sure@1.0.0", "score"),
            row("ada/sure@1.0.0", "payout"),
        )
    };
    let (score, payout) = simulated("gold_min_spread=50001");
    assert_eq!(score[0], score[1], "nothing that matters here");
    assert_eq!(payout[0], payout[1]);
    // Nobody has scored anything: a score is its prior, but for what is measured.
    let (score, payout) = simulated("safety.gate_full=0");
    let parts = score.map(|score| score.parse::<u64>().unwrap());
    assert_eq!(
        parts[0],
        parts[1] * 312_500 / 1_000_000,
        "the gate: 250,000 of 800,000"
    );
    let [before, after] = payout.map(|payout| nano(&payout.into()));
    assert!(before > 0 && after > before, "{before} {after}");
    let shown = network.folder.json(&["params", "show"]);
    let versions: Vec<_> = shown["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["from"].clone())
        .collect();
    assert_eq!(versions, [0, 0], "trying out has changed nothing");
}

#[test]
fn stakes_grow_at_once_and_shrink_after_an_epoch() {
    let network = Network::start();
    assert_eq!(propose(&network, &["unbonding_epochs=1"]).code, 0);
    let key = network.validator("ann", "ann-inc", "10");
    let run = |args: &[&str]| network.folder.run(&[args, &["--key", &key]].concat());
    let stands = || ["stake:ann", "validator:ann"].map(|address| network.balance(address));
    network.use_controllers();
    network.close();
    check!(run(&["validator", "stake", "ann", "5"]), @r#"
    exit code: 0
    ----- stdout
    validator ann now has 15.00 AIGEN locked
    ----- stderr
    "#);
    assert_eq!(stands(), [15_000_000_000, 45_000_000_000]);
    check!(run(&["validator", "stake", "ann", "500"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: 45.00 AIGEN available, 500.00 AIGEN needed
    hint: ask the operator: aigen fund validator:ann 455.00
    "#);
    check!(run(&["validator", "unstake", "ann", "4"]), @r#"
    exit code: 0
    ----- stdout
    validator ann now has 11.00 AIGEN locked
    ----- stderr
    "#);
    check!(run(&["validator", "unstake", "ann", "40"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: 11.00 AIGEN available, 40.00 AIGEN needed
    hint: fund the account: ask the operator
    "#);
    assert_eq!(stands(), [11_000_000_000, 45_000_000_000]);
    assert_eq!(
        network.balance("unbonding:ann"),
        4_000_000_000,
        "it waits an epoch"
    );
    network.use_controllers();
    network.close();
    assert_eq!(stands(), [11_000_000_000, 49_000_000_000]);
}

/// Three validators say that a controller is good; somebody shows that it is not.
#[test]
fn an_appeal_changes_what_was_settled_and_not_yet_paid() {
    let network = Network::start();
    let rules = ["appeal_seconds=3600", "appeal_bond=1.5"];
    assert_eq!(propose(&network, &rules).code, 0);
    let validators = ["ann", "ben", "cat"].map(|name| {
        let key = network.validator(name, name, "10");
        (Puppet::new(&network, name, &key), key)
    });
    network.use_controllers();
    network.assign();
    let openings = validators
        .each_ref()
        .map(|(puppet, _)| puppet.commit(&network, |_| 900_000));
    for ((puppet, _), opening) in validators.iter().zip(&openings) {
        puppet.reveal(&network, opening);
    }
    let before = network.close();
    let held = network.balance("held:epoch0");
    assert!(held > 0, "{before}");

    network
        .folder
        .write("proof.json", "it says nothing of the kind");
    let key = &validators[0].1;
    let appeal = |epoch: &str, controller: &str, parameter: &str| {
        let cell = ["--controller", controller, "--parameter", parameter];
        let proof = ["--evidence", "proof.json", "--key", key, "--json"];
        let appeal = [&["epoch", "appeal", epoch], &cell[..], &proof].concat();
        network.folder.run(&appeal)
    };
    let appealed = |parameter: &str| {
        let made = appeal("0", "ada/sure@1.0.0", parameter);
        assert_eq!(made.code, 0, "{made}");
        let made: Value = serde_json::from_str(&made.stdout).unwrap();
        made["id"].as_str().unwrap().to_owned()
    };
    let purse = network.balance("validator:ann");
    let right = appealed("quality");
    assert_eq!(
        network.balance("validator:ann"),
        purse - 1_500_000_000,
        "the bond"
    );
    check!(appeal("7", "ada/sure@1.0.0", "quality"), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    {"error":{"messages":["the epoch has no results that can be appealed now"],"hints":["an epoch can be appealed between its settlement and its payment"]}}
    "#);
    check!(appeal("0", "ada/never@1.0.0", "quality"), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    {"error":{"messages":["controller `ada/never@1.0.0` is not published here"],"hints":["`aigen controller list` lists what is published here"]}}
    "#);

    let decide = |args: &[&str]| {
        let decide = [&["epoch", "decide", &right], args].concat();
        network.folder.run(&decide)
    };
    check!(decide(&["--truth", "100000", "--key", key]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: this key may not do that: it needs an operator's key
    hint: use a key that may, or ask the operator
    "#);
    check!(decide(&["--truth", "100000"]), @r#"
    exit code: 0
    ----- stdout
    appeal [ID] is decided
    ----- stderr
    "#);
    check!(decide(&["--truth", "100000"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no such open appeal
    hint: an epoch can be appealed between its settlement and its payment
    "#);
    assert_eq!(
        network.balance("validator:ann"),
        purse,
        "who was right has the bond again"
    );
    let wrong = appealed("latency");
    let treasury = network.balance("treasury");
    network.done(&["epoch", "decide", &wrong]);
    assert_eq!(
        network.balance("treasury"),
        treasury + 1_500_000_000,
        "and who was wrong has not"
    );

    let (input, output) = network.settled(0);
    let audits = input["audits"].as_array().unwrap();
    let audit = audits.iter().find(|row| row["p"] == "quality").unwrap();
    assert_eq!(audit["truth"], 100_000, "{audits:?}");
    let digest = audit["c"].as_str().unwrap();
    let payout = |output: &Value| output["controllers"][digest]["payout"].as_u64().unwrap();
    assert!(payout(&output) < payout(&before["output"]), "{output}");
    let slashes = output["validators"].as_object().unwrap().values();
    let slashed: u64 = slashes.map(|row| row["slash"].as_u64().unwrap()).sum();
    assert!(slashed > 0, "for what all three said of it");
    assert_eq!(
        network.balance("held:epoch0"),
        held + i128::from(slashed),
        "nothing is paid yet"
    );
    explained(&network, digest, &output);
}

/// What is printed of the epoch is what was settled after the appeal.
fn explained(network: &Network, digest: &str, output: &Value) {
    let score = network.folder.json(&["explain", "score", "ada/sure@1.0.0"]);
    assert_eq!(
        score["value"], output["controllers"][digest]["score"],
        "{score}"
    );
    let by_digest = network.folder.json(&["explain", "score", &digest[..12]]);
    assert_eq!(by_digest, score);
    let skill = network
        .folder
        .json(&["explain", "skill", "ann", "--epoch", "0"]);
    assert_eq!(
        skill["value"], output["validators"]["ann"]["skill"],
        "{skill}"
    );
    check!(network.folder.run(&["explain", "skill", "zoe"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there was no validator zoe in epoch 0
    hint: there were: ann, ben, cat
    "#);
    check!(network.folder.run(&["explain", "score", "ada/none@1.0.0"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there is no controller ada/none@1.0.0
    hint: name it OWNER/NAME@VERSION, or by the first digits of its digest
    "#);
    check!(network.folder.run(&["explain", "score", "ada/sure@1.0.0", "--epoch", "7"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: epoch 7 is not settled
    hint: an operator settles the current one with `aigen epoch close`
    "#);
    let table = network.done(&["epoch", "show", "0", "--csv"]);
    let mut lines = table.lines();
    let headings = "epoch,kind,id,name,score_or_skill_ppm,earned,not_earned,slashed";
    assert_eq!(lines.next(), Some(headings));
    let people = lines.filter(|line| line.contains(",controller,") || line.contains(",validator,"));
    let rows = output["controllers"].as_object().unwrap().len()
        + output["validators"].as_object().unwrap().len();
    assert_eq!(people.count(), rows, "{table}");
    let json = network.folder.json(&["epoch", "show", "0"]);
    assert_eq!(json["output"], *output);
}
