//! Laws that hold for every grammar and every model, on random ones of both.

use aigen_engine::TokenId;
use aigen_engine::scripted::{Script, Vocabulary};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::stage::{Outcome, Stage, noise, pieces};
use crate::{Finish, JsonOptions, Program, SessionRequest};

/// A model that babbles, with a liking for what closes something.
fn babbling(seed: u64) -> Stage {
    let words = pieces();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let script = Script::new(move |vocabulary, history| babble(vocabulary, history, seed));
    Stage::with_script(&words, script)
}

fn babble(vocabulary: &Vocabulary, history: &[TokenId], seed: u64) -> Vec<f32> {
    let mut logits = noise(vocabulary, history, seed);
    for closing in ["\"", "}", "]", ","] {
        logits[usize::from(closing.as_bytes()[0])] += 3.0;
    }
    logits[vocabulary.end() as usize] += 4.0;
    logits
}

fn run(stage: &Stage, program: Program) -> Outcome {
    stage.run(SessionRequest {
        max_tokens: 600,
        ..stage.request(program)
    })
}

/// The keywords a request is likely to use, three levels deep.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "null"})),
        Just(json!({"type": "number"})),
        (-500..500_i64, 0..1000_i64).prop_map(
            |(low, width)| json!({"type": "integer", "minimum": low, "maximum": low + width})
        ),
        (0..4_u8, 0..20_u8).prop_map(
            |(low, width)| json!({"type": "string", "minLength": low, "maxLength": low + width})
        ),
        vec("[a-z\"\\\\ é/%{}]{0,6}", 1..4).prop_map(|options| json!({"enum": options})),
        "[a-z\\n😀]{0,5}".prop_map(|value| json!({"const": value})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0..3_u8, 0..3_u8).prop_map(|(items, low, width)| json!(
                {"type": "array", "items": items, "minItems": low, "maxItems": low + width}
            )),
            vec(inner.clone(), 1..3).prop_map(|options| json!({"anyOf": options})),
            vec((inner, any::<bool>()), 0..4).prop_map(object),
        ]
    })
}

fn object(properties: Vec<(Value, bool)>) -> Value {
    let named = || (0..).map(|n| format!("k{n}")).zip(&properties);
    let required: Vec<String> = named()
        .filter(|(_, (_, required))| *required)
        .map(|(name, _)| name)
        .collect();
    let properties: serde_json::Map<_, _> = named()
        .map(|(name, (schema, _))| (name, schema.clone()))
        .collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Whether `value` is valid, for the keywords above; written apart from the
/// grammar compiler so that one can catch the other.
fn valid(schema: &Value, value: &Value) -> bool {
    let within = |count: usize, low: &str, high: &str| {
        let bound = |name: &str| schema[name].as_u64().map(|bound| bound as usize);
        bound(low).is_none_or(|low| count >= low) && bound(high).is_none_or(|high| count <= high)
    };
    if let Some(options) = schema["enum"].as_array() {
        return options.contains(value);
    }
    if let Some(only) = schema.get("const") {
        return only == value;
    }
    if let Some(schemas) = schema["anyOf"].as_array() {
        return schemas.iter().any(|schema| valid(schema, value));
    }
    match (schema["type"].as_str().unwrap(), value) {
        ("boolean", Value::Bool(_)) | ("null", Value::Null) | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => whole(number).is_some_and(|number| {
            (schema["minimum"].as_i64().unwrap()..=schema["maximum"].as_i64().unwrap())
                .contains(&number)
        }),
        ("string", Value::String(text)) => within(text.chars().count(), "minLength", "maxLength"),
        ("array", Value::Array(items)) => {
            within(items.len(), "minItems", "maxItems")
                && items.iter().all(|item| valid(&schema["items"], item))
        }
        ("object", Value::Object(fields)) => {
            let required = schema["required"].as_array().unwrap();
            required
                .iter()
                .all(|name| fields.contains_key(name.as_str().unwrap()))
                && fields.iter().all(|(name, field)| {
                    schema["properties"]
                        .get(name)
                        .is_some_and(|schema| valid(schema, field))
                })
        }
        _ => false,
    }
}

/// The integer a number is; `-0` is one that serde reads as a float.
fn whole(number: &serde_json::Number) -> Option<i64> {
    let zero = || (number.as_f64() == Some(0.0)).then_some(0);
    number.as_i64().or_else(zero)
}

/// Whether there is whitespace between JSON's tokens.
fn is_compact(json: &str) -> bool {
    let (mut string, mut escaped) = (false, false);
    json.chars().all(|c| {
        let compact = string || !c.is_whitespace();
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => string = !string,
            _ => {}
        }
        compact
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn json_is_valid_under_its_schema(schema in schema(), seed: u64) {
        let stage = babbling(seed);
        let program = stage.compiler.json_schema(&schema, JsonOptions::default()).unwrap();
        let outcome = run(&stage, program);
        let complete = outcome.ending.grammar_complete;
        match outcome.ending.finish {
            Finish::Stop => {
                let text = outcome.text();
                // `1e999` is JSON, and more than a double can hold.
                let value: Result<Value, _> = serde_json::from_str(&text);
                prop_assume!(!value.as_ref().is_err_and(|error| error.to_string().contains("out of range")));
                let value = value.unwrap();
                prop_assert!(valid(&schema, &value), "{schema}\n{text}");
                prop_assert!(is_compact(&text), "{text}");
                prop_assert_eq!(complete, Some(true));
            }
            Finish::Length => {}
            ref other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn quotations_are_substrings(
        text in "word ([a-zA-Zé€]{1,7}[.,;:!?'\")]{0,2}[ \\n(\"$—-]{1,2}){1,30}",
        words in 1..6_u32,
        seed: u64,
    ) {
        let stage = babbling(seed);
        let outcome = run(&stage, stage.compiler.quote(&text, Some(words)).unwrap());
        let quoted = outcome.text();
        prop_assert_eq!(outcome.ending.finish, Finish::Stop);
        prop_assert!(text.contains(&quoted), "{quoted:?} is not in {text:?}");
        // A sign between blanks, like a bullet or a lone `€`, is no word.
        let quoted_words = quoted.split_whitespace().filter(|run| run.contains(char::is_alphanumeric));
        prop_assert!(quoted_words.count() <= words as usize, "{quoted}");
        let edges = |c: char| c.is_whitespace() || ".,;:!?'\")(—".contains(c);
        prop_assert_eq!(quoted.trim_matches(edges), quoted.as_str());
        prop_assert!(!quoted.is_empty());
    }

    #[test]
    fn choices_are_made(options in vec("[a-z \"\\\\\\n😀]{1,8}", 1..6), seed: u64) {
        let stage = babbling(seed);
        let outcome = run(&stage, stage.compiler.choice(&options).unwrap());
        prop_assert!(options.contains(&outcome.text()), "{}", outcome.text());
        prop_assert_eq!(outcome.ending.finish, Finish::Stop);
    }

    /// What a session tells about itself adds up, whatever the budget.
    #[test]
    fn no_token_is_computed_beyond_its_cover(schema in schema(), seed: u64, cover in 0..40_u64) {
        let stage = babbling(seed);
        let program = stage.compiler.json_schema(&schema, JsonOptions::default()).unwrap();
        let request = stage.request(program);
        let covered = crate::Cover::new(cover);
        covered.close();
        let outcome = stage.run(SessionRequest { cover: covered, ..request });
        let usage = outcome.ending.usage;
        prop_assert!(usage.computed() <= cover);
        prop_assert_eq!(outcome.pieces().last().map_or(0, |piece| piece.usage.computed()), usage.computed());
        // The prompt's pass is paid by the prompt; each later one feeds tokens that
        // were computed, and is made for one more.
        let fed: u32 = stage.fed().iter().sum();
        prop_assert!(u64::from(fed) < cover.max(1), "{fed} fed of {cover}");
        if outcome.ending.finish == Finish::Budget {
            prop_assert_eq!(usage.computed(), cover);
        }
    }
}
