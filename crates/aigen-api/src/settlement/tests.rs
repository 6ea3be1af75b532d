use super::*;
use serde_json::{Value, json};

fn example() -> Value {
    json!({
        "params": {"slash_gold_floor": 0, "remainder": "refund"},
        "parameters": [{"id": "quality", "weight": 1_000_000, "kind": "voted", "gate_full": 0}],
        "controllers": [{
            "id": "c", "owner": "dev", "escrow": 1_000_000, "vbudget": 90_000, "scored_epochs": 5,
            "state": {"quality": 800_000}, "measured": {}, "consumers": {"ada": 7, "bob": 9}
        }],
        "validators": [{"id": "v0", "owner": "v0", "stake": 100, "skill": -700_000, "committed": true, "revealed": true}],
        "assigned": [{"v": "v0", "c": "c", "p": "quality"}],
        "reports": [{"v": "v0", "c": "c", "p": "quality", "r": -1}],
        "gold": [{"id": "g0", "truth": 500_000}],
        "gold_assigned": [{"v": "v0", "g": "g0"}],
        "gold_reports": [{"v": "v0", "g": "g0", "r": 400_000}],
        "audits": [{"c": "c", "p": "quality", "truth": 300_000}]
    })
}

#[test]
fn an_input_survives_unchanged() {
    let input = Input::from_json(example().to_string().as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&input).unwrap(), example());
    assert_eq!(input.params.remainder, Some(Remainder::Refund));
}

#[test]
fn an_output_survives_unchanged() {
    let json = json!({
        "controllers": {"c": {"score": 1, "state": {"quality": 1}, "scored_epochs": 6, "payout": 2, "remainder": 3}},
        "validators": {"v0": {"skill": -1, "pay": 0, "slash": 4}},
        "refunds": {"ada": 3}, "treasury": 4, "burned": u64::MAX
    });
    let output: Output = from_json(json.to_string().as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&output).unwrap(), json);
}

/// Equal values are equal bytes only if nothing depends on the order of declarations.
#[test]
fn keys_are_written_in_ascending_order() {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut pairs: Vec<_> = map.iter().collect();
                pairs.sort_by_key(|(key, _)| *key);
                let pairs = pairs
                    .into_iter()
                    .map(|(key, value)| (key.clone(), sorted(value)));
                Value::Object(pairs.collect())
            }
            Value::Array(items) => items.iter().map(sorted).collect(),
            leaf => leaf.clone(),
        }
    }
    let input = Input::from_json(example().to_string().as_bytes()).unwrap();
    let text = serde_json::to_string(&input).unwrap();
    assert_eq!(text, sorted(&example()).to_string());
    assert!(
        serde_json::to_string(&Output::default())
            .unwrap()
            .starts_with(
                r#"{"burned":0,"controllers":{},"refunds":{},"treasury":0,"validators":{}}"#
            )
    );
}

#[test]
fn every_malformed_input_names_its_field() {
    for (pointer, value, path, says) in [
        ("/weights", json!(1), "weights", "unknown field `weights`"),
        (
            "/params/rhoo",
            json!(1),
            "params.rhoo",
            "unknown field `rhoo`",
        ),
        (
            "/params/rho",
            json!(0.5),
            "params.rho",
            "expected a whole number, 0 or more",
        ),
        (
            "/params/rho",
            json!(-1),
            "params.rho",
            "expected a whole number, 0 or more",
        ),
        (
            "/params/rho",
            json!(null),
            "params.rho",
            "expected a whole number, 0 or more",
        ),
        (
            "/params/remainder",
            json!("validators"),
            "params.remainder",
            "expected one of `burn`, `refund`, `treasury`",
        ),
        (
            "/parameters/0/kind",
            json!("guessed"),
            "parameters[0].kind",
            "unknown variant `guessed`",
        ),
        (
            "/parameters/0/weight",
            json!(1_000_001),
            "parameters[0].weight",
            "between 0 and 1000000",
        ),
        (
            "/controllers/0/escrow",
            json!("1000000"),
            "controllers[0].escrow",
            "expected a whole number, 0 or more",
        ),
        (
            "/controllers/0/escrow",
            json!(1_u64 << 63),
            "controllers[0].escrow",
            "below 2^63",
        ),
        (
            "/controllers/0/state/quality",
            json!(1_000_001),
            "controllers[0].state.quality",
            "between 0 and 1000000",
        ),
        (
            "/controllers/0/consumers/ada",
            json!(-1),
            "controllers[0].consumers.ada",
            "expected a whole number, 0 or more",
        ),
        (
            "/validators/0/skill",
            json!(-1_000_001),
            "validators[0].skill",
            "a skill",
        ),
        (
            "/validators/0/committed",
            json!(1),
            "validators[0].committed",
            "expected a boolean",
        ),
        (
            "/reports/0/r",
            json!(1.5),
            "reports[0].r",
            "expected a whole number",
        ),
        (
            "/gold/0/truth",
            json!(1_000_001),
            "gold[0].truth",
            "between 0 and 1000000",
        ),
        (
            "/audits/0",
            json!({"c": "c", "p": "p"}),
            "audits[0].truth",
            "missing field `truth`",
        ),
        (
            "/assigned/0/x",
            json!(1),
            "assigned[0].x",
            "unknown field `x`",
        ),
    ] {
        let mut input = example();
        let (parent, key) = pointer
            .rsplit_once('/')
            .expect("pointers begin with a slash");
        match input.pointer_mut(parent).expect("the parent is there") {
            Value::Array(items) => items[0] = value,
            object => object[key] = value,
        }
        let error = Input::from_json(input.to_string().as_bytes()).expect_err(pointer);
        assert_eq!(error.path.as_deref(), Some(path), "{error}");
        assert!(error.message.contains(says), "{pointer}: {error}");
    }
}

#[test]
fn every_list_is_required() {
    for name in example().as_object().expect("an object").keys() {
        let mut input = example();
        input.as_object_mut().expect("an object").remove(name);
        let error = Input::from_json(input.to_string().as_bytes()).expect_err(name);
        assert_eq!(error.path.as_deref(), Some(name.as_str()));
        assert!(
            error.message.contains(&format!("missing field `{name}`")),
            "{error}"
        );
    }
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    let text = example().to_string();
    for (once, twice, says) in [
        (r#""ada":7"#, r#""ada":7,"ada":8"#, "`ada` comes twice"),
        (
            r#""escrow":"#,
            r#""escrow":1,"escrow":"#,
            "duplicate field `escrow`",
        ),
    ] {
        let error = Input::from_json(text.replace(once, twice).as_bytes()).unwrap_err();
        assert!(error.message.contains(says), "{error}");
    }
}
