use crate::{Form, Function, holds};
use serde_json::{Map, Value, json};

const SENTIMENT: &str = r#"
description = "Judge the sentiment of `text`."
prompt = "{% if context %}In answer to: {{ context }}\n{% endif %}{{ text }}"
max_tokens = 60
pass_ppm = 900000
output = '{"type": "object", "required": ["why", "polarity"], "properties": {"why": {"type": "string"}, "polarity": {"enum": ["good", "bad"]}}}'

[input]
type = "object"
required = ["text"]
properties.text = { type = "string", maxLength = 100 }
properties.context = { type = "string" }

[[golden]]
input = { text = "Lovely." }
expect = { polarity = "good" }
"#;

fn sentiment() -> Function {
    Function::parse(SENTIMENT).unwrap()
}

#[test]
fn a_source_is_read_with_the_order_of_its_answer() {
    let function = sentiment();
    let names: Vec<_> = function.output()["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(names, ["why", "polarity"]);
    assert_eq!(function.output()["additionalProperties"], json!(false));
    assert_eq!((function.max_tokens, function.pass.parts()), (60, 900_000));
}

#[test]
fn an_input_is_worded_and_never_read_as_a_template() {
    let worded = |input: Value| sentiment().word(&input).unwrap().user;
    assert_eq!(worded(json!({"text": "{{ 1 + 1 }}"})), "{{ 1 + 1 }}");
    assert_eq!(
        worded(json!({"text": "Great.", "context": "It broke."})),
        "In answer to: It broke.\nGreat."
    );
    let system = sentiment().word(&json!({"text": "a"})).unwrap().system;
    assert!(
        system.starts_with("Judge the sentiment of `text`.\n\nAnswer in JSON of this schema:\n{")
    );
}

#[test]
fn a_message_is_an_input() {
    let one = sentiment();
    for (message, expected) in [
        ("Lovely.", Ok(json!({"text": "Lovely."}))),
        (
            r#"{"text": "a", "context": "b"}"#,
            Ok(json!({"text": "a", "context": "b"})),
        ),
        // An object is the input, and never the text: a misspelt field would be judged as one.
        (r#"{"txt": "Lovely."}"#, Err("input".to_owned())),
        ("{5}", Ok(json!({"text": "{5}"}))),
        (&"a".repeat(101), Err("input.text".to_owned())),
    ] {
        let input = one.input_of(message).map_err(|misfit| misfit.path);
        assert_eq!(input, expected, "{message}");
    }
    let two = SENTIMENT.replace(
        r#"required = ["text"]"#,
        r#"required = ["text", "context"]"#,
    );
    let two = two.replace(
        r#"{ text = "Lovely." }"#,
        r#"{ text = "a", context = "b" }"#,
    );
    let two = Function::parse(&two).unwrap();
    let refused = two.input_of("Lovely.").unwrap_err().to_string();
    assert_eq!(
        refused,
        "input: the message must be a JSON object, its input"
    );
}

#[test]
fn inputs_are_checked_by_their_path() {
    for (input, expected) in [
        (json!({"text": "a"}), "ok"),
        (json!({"text": 5}), "input.text"),
        (json!({}), "input"),
        (json!({"text": "a", "more": 1}), "input"),
        (json!([]), "input"),
    ] {
        let path = sentiment()
            .check_input(&input)
            .map_err(|misfit| misfit.path);
        assert_eq!(path.err().as_deref().unwrap_or("ok"), expected, "{input}");
    }
}

#[test]
fn fields_that_there_are_not_are_named_beside_those_that_there_are() {
    let closed = r#"{"type": "object", "additionalProperties": false}"#;
    let rows = [
        (
            r#"{"type": "object", "properties": {"context": {}, "text": {}}}"#.to_owned(),
            json!({"text": "a", "txt": 1}),
            "input: there is no field `txt`; there are context, text",
        ),
        (
            closed.to_owned(),
            json!({"a": 1, "b": {}}),
            "input: there are no fields `a`, `b`; it has none",
        ),
        (
            format!(r#"{{"type": "object", "properties": {{"in": {closed}, "no": false}}}}"#),
            json!({"in": {"a": 1}}),
            "input.in: there is no field `a`; it has none",
        ),
        (
            r#"{"type": "object", "properties": {"no": false}}"#.to_owned(),
            json!({"no": 1}),
            "input.no: nothing may stand here",
        ),
        (
            r##"{"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}},
                "$defs": {"a": {"type": "object", "properties": {"b": {}}}}}"##
                .to_owned(),
            json!({"a": {"c": 1}}),
            "input.a: there is no field `c`; there are b",
        ),
        (
            r#"{"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": false}"#
                .to_owned(),
            json!({"c": 1}),
            "input: there is no field `c`",
        ),
    ];
    for (input, given, expected) in rows {
        let source = json!({"description": "d", "input": input, "output": {"type": "boolean"}});
        let function = Function::parse(&source.to_string()).unwrap();
        let refused = function.check_input(&given).unwrap_err();
        assert_eq!(refused.to_string(), expected, "{input}");
    }
    let many: Map<_, _> = (0..30).map(|n| (format!("f{n:02}"), json!({}))).collect();
    let many = json!({"type": "object", "properties": many});
    let source = json!({"description": "d", "input": many, "output": {"type": "boolean"}});
    let function = Function::parse(&source.to_string()).unwrap();
    let refused = function.check_input(&json!({"a": 1})).unwrap_err();
    assert!(refused.reason.ends_with("f19 and 10 more"), "{refused}");
}

#[test]
fn a_type_that_contains_itself_ends_somewhere() {
    let list = |item: &str| format!(r#"{{"type": "array", "minItems": 1, "items": {item}}}"#);
    let node = |next: &str, required: &str| {
        format!(
            r##"{{"$ref": "#/$defs/node", "$defs": {{"node": {{"type": "object",
               "properties": {{"next": {next}}}, "required": [{required}]}}}}}}"##
        )
    };
    let again = r##"{"$ref": "#/$defs/node"}"##;
    let rows = [
        (node(again, ""), true),
        (node(again, "\"next\""), false),
        (
            node(
                r##"{"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}"##,
                "\"next\"",
            ),
            true,
        ),
        (
            node(
                r##"{"anyOf": [{"$ref": "#/$defs/node"}, {"$ref": "#/$defs/node"}]}"##,
                "\"next\"",
            ),
            false,
        ),
        (
            node(
                r##"{"type": "array", "items": {"$ref": "#/$defs/node"}}"##,
                "\"next\"",
            ),
            true,
        ),
        (node(&list(again), "\"next\""), false),
        (list(r##"{"$ref": "#"}"##), false),
        (r#"{"type": "boolean"}"#.to_owned(), true),
    ];
    for (output, ends) in rows {
        let source = json!({"description": "d", "input": {"type": "object"}, "output": output});
        let read = Function::parse(&source.to_string());
        assert_eq!(read.is_ok(), ends, "{output}: {read:?}");
    }
}

#[test]
fn what_cannot_work_is_refused_by_its_place() {
    let with = |old: &str, new: &str| {
        assert!(SENTIMENT.contains(old), "{old}");
        Function::parse(&SENTIMENT.replace(old, new))
            .unwrap_err()
            .to_string()
    };
    for (old, new, expected) in [
        (
            "max_tokens = 60",
            "max_tokens = 0",
            "max_tokens: must be 1 to 32768",
        ),
        ("max_tokens = 60", "colour = 1", "source: "),
        ("{{ text }}", "{{ txt }}", "there is no `txt`; there are "),
        ("{{ text }}", "{% for", "prompt: syntax error"),
        (
            "{{ text }}",
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            "prompt: it computes more than 200000 steps",
        ),
        (
            "{{ text }}",
            "{% for a in range(1200) %}{{ 'a' * 1000 }}{% endfor %}",
            "prompt: it writes more than 1048576 bytes",
        ),
        (
            r#"{ text = "Lovely." }"#,
            "{ text = 5 }",
            "golden[0].input.text: 5 is not of type",
        ),
        (
            r#"expect = { polarity = "good" }"#,
            r#"expect = { polarty = "good" }"#,
            "golden[0].expect.polarty: the output has no such field; it has ",
        ),
        (
            r#"expect = { polarity = "good" }"#,
            r#"expect = { polarity = "purple" }"#,
            "golden[0].expect.polarity: \"purple\" is not one of ",
        ),
        (
            r#"expect = { polarity = "good" }"#,
            r#"expect = ["good"]"#,
            "golden[0].expect: the output is no array here",
        ),
        (
            r#"[input]
type = "object""#,
            r#"[input]
type = "string""#,
            "input: must be a schema of `type` object",
        ),
        (
            r#""polarity": {"enum""#,
            r#""polarity": {"type""#,
            "output.properties.polarity.type: ",
        ),
        (
            r#""why": {"type": "string"}"#,
            r#""why": {"type": "strin"}"#,
            "output.properties.why.type: \"strin\" is no type; the types are string, ",
        ),
        (
            r#""why": {"type": "string"}"#,
            r#""why": {"type": "string", "pattern": "(?=a)b"}"#,
            "output.properties.why.pattern: \"(?=a)b\" is no pattern that takes linear time; write",
        ),
        (
            r#""why": {"type": "string"}"#,
            r##""why": {"$ref": "#"}"##,
            "output: no value of it ends: let it stop somewhere",
        ),
        (
            r#""why": {"type": "string"}"#,
            r#""why": {"$ref": "https://example.org/why"}"#,
            "output: it refers to what is not in it, and nothing is fetched",
        ),
        ("max_tokens = 60", "retries = 9", "retries: must be 0 to 8"),
        (
            "pass_ppm = 900000",
            "pass_ppm = 1000001",
            "pass_ppm: must be 0 to 1000000",
        ),
    ] {
        let refused = with(old, new);
        assert!(refused.contains(expected), "{new}: {refused}");
    }
}

#[test]
fn a_case_that_no_answer_passes_is_refused() {
    let output = r##"{"type": "object", "properties": {
        "n": {"type": "integer", "minimum": 1}, "part": {"$ref": "#/$defs/part"},
        "next": {"anyOf": [{"$ref": "#/$defs/part"}, {"type": "null"}, {"const": "none"}]},
        "all": {"type": ["array", "null"], "items": {"$ref": "#/$defs/part"}},
        "open": {"type": "object"}, "more": {"type": "object", "additionalProperties": {"type": "string"}}},
      "$defs": {"part": {"type": "object", "properties": {"a": {"type": "boolean"}}}}}"##;
    for (expected, wrong) in [
        (json!(null), None),
        (
            json!({"n": 1, "part": {"a": true}, "next": {"a": false}, "all": [{}, {"a": true}]}),
            None,
        ),
        (
            json!({"n": 1.0, "next": "none", "all": null, "open": {"b": 1}, "more": {"x": "y"}}),
            None,
        ),
        (json!({"n": 0}), Some("golden[0].expect.n: 0 is less than")),
        (
            json!({"part": {"b": 1}}),
            Some("golden[0].expect.part.b: the output has no such field; it has a"),
        ),
        (
            json!({"next": {"a": 1}}),
            Some("golden[0].expect.next: no form of the output has this"),
        ),
        (
            json!({"all": [{}, {"a": 1}]}),
            Some("golden[0].expect.all.1.a: 1 is not of type"),
        ),
        (
            json!({"part": []}),
            Some("golden[0].expect.part: the output is no array here"),
        ),
        (
            json!("text"),
            Some("golden[0].expect: \"text\" is not of type"),
        ),
    ] {
        let source = json!({
            "description": "d", "input": {"type": "object"}, "output": output,
            "golden": [{"input": {}, "expect": expected}],
        });
        let read = Function::parse(&source.to_string()).map_err(|error| error.to_string());
        match wrong {
            None => drop(read.unwrap()),
            Some(wrong) => assert!(
                read.as_ref().is_err_and(|said| said.contains(wrong)),
                "{read:?}"
            ),
        }
    }
}

#[test]
fn a_template_is_tried_with_a_sample_where_no_case_is_golden() {
    let none = SENTIMENT.split("[[golden]]").next().unwrap();
    Function::parse(none).unwrap();
    let refused = Function::parse(&none.replace("{{ text }}", "{{ txt }}")).unwrap_err();
    assert_eq!(refused.place, "prompt");
}

#[test]
fn an_answer_holds_what_is_expected_of_it() {
    for (expected, value, held) in [
        (json!(null), json!(1), true),
        (json!({"a": 1}), json!({"a": 1.0, "b": 2}), true),
        (json!({"a": 1}), json!({"b": 2}), false),
        (json!([{"a": 1}, 2]), json!([{"a": 1, "b": 1}, 2]), true),
        (json!([1]), json!([1, 2]), false),
        (json!("a"), json!("A"), false),
    ] {
        assert_eq!(holds(&expected, &value), held, "{expected} {value}");
    }
}

#[test]
fn a_value_is_found_in_what_a_model_says() {
    let form = Form::of(sentiment().output()).unwrap();
    let good = r#"{"why":"a","polarity":"good"}"#;
    let other = r#"{"why":"b","polarity":"bad"}"#;
    let rows = [
        (good.to_owned(), Ok(good)),
        (format!("  {good}\n"), Ok(good)),
        (
            format!("Here you are:\n```json\n{good}\n```\nAnything else?"),
            Ok(good),
        ),
        (format!("```\n{good}\n```"), Ok(good)),
        (format!("Sure! {good} I hope that helps {{you}}."), Ok(good)),
        (format!("Not {other}, but {good}"), Ok(good)),
        (format!("{good} and {{\"polarity\": \"odd\"}}"), Ok(good)),
        (format!("[{good}]"), Err("it must be an object")),
        ("good".to_owned(), Err("it holds no JSON")),
        (String::new(), Err("it holds no JSON")),
        (
            r#"{"why": "a"}"#.to_owned(),
            Err("the field `polarity` is missing"),
        ),
        (
            r#"{"why": "secret", "polarity": "bad", "more": "secret"}"#.to_owned(),
            Err("there is no field `more`; there are "),
        ),
        (
            r#"I say {"why": "a", "polarity": "secret"}"#.to_owned(),
            Err("/polarity: it must be one of "),
        ),
        (good[..20].to_owned(), Err("it holds no JSON")),
        ("[".repeat(100_000), Err("it holds no JSON")),
        ("[1,".repeat(100_000), Err("it holds no JSON")),
    ];
    for (text, expected) in rows {
        let shown = text.chars().take(80).collect::<String>();
        match (form.find(&text), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{shown}"),
            (Err(reason), Err(expected)) => {
                assert!(reason.contains(expected), "{shown}: {reason}");
                assert!(!reason.contains("secret"), "{reason}");
            }
            (found, _) => panic!("{shown}: {found:?}"),
        }
    }
    let number = Form::of(&json!({"type": "integer"})).unwrap();
    assert_eq!(number.find("It is\n```json\n7\n```"), Ok("7"));
    assert!(number.find("It is 7.").is_err());
}

/// A model is told these words, and a validator's would name the value, or itself.
#[test]
fn what_an_answer_must_be_is_said_in_words_of_our_own() {
    let object =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    for (schema, said, expected) in [
        (json!({"type": "string"}), "5", "it must be a text"),
        (
            json!({"type": ["null", "integer"]}),
            "{}",
            "it must be null or an integer",
        ),
        (json!({"enum": ["a", 1]}), "5", "it must be one of \"a\", 1"),
        (json!({"const": "a"}), "5", "it must be \"a\""),
        (object, r#"{"a": 5}"#, "/a: it must be a text"),
        (json!({"minimum": 3}), "2", "it must be at least 3"),
        (json!({"maximum": 3}), "4", "it must be at most 3"),
        (
            json!({"exclusiveMinimum": 3}),
            "3",
            "it must be more than 3",
        ),
        (
            json!({"exclusiveMaximum": 3}),
            "3",
            "it must be less than 3",
        ),
        (json!({"multipleOf": 2}), "3", "it must be a multiple of 2"),
        (
            json!({"minLength": 2}),
            "\"x\"",
            "it must have at least 2 characters",
        ),
        (
            json!({"maxLength": 1}),
            "\"xx\"",
            "it must have at most 1 character",
        ),
        (json!({"minItems": 1}), "[]", "it must have at least 1 item"),
        (
            json!({"maxItems": 1}),
            "[1,2]",
            "it must have at most 1 item",
        ),
        (
            json!({"minProperties": 1}),
            "{}",
            "it must have at least 1 field",
        ),
        (
            json!({"maxProperties": 0}),
            r#"{"a":1}"#,
            "it must have at most 0 fields",
        ),
        (
            json!({"uniqueItems": true}),
            "[1,1]",
            "no item may stand in it twice",
        ),
        (
            json!({"pattern": "^a$"}),
            "\"b\"",
            "it must match the pattern ^a$",
        ),
        (
            json!({"format": "date"}),
            "\"b\"",
            "it must be of the format date",
        ),
        (
            json!({"format": "uuid"}),
            "\"b\"",
            "it must be of the format uuid",
        ),
        (
            json!({"anyOf": [{"type": "null"}, {"minimum": 3}]}),
            "2",
            "it fits none of the alternatives",
        ),
        (
            json!({"oneOf": [{"type": "null"}, {"minimum": 3}]}),
            "2",
            "it fits none of the alternatives",
        ),
        (
            json!({"oneOf": [{"maximum": 3}, {"minimum": 3}]}),
            "3",
            "it fits several of the alternatives, and must fit one",
        ),
    ] {
        let form = Form::of(&schema).unwrap();
        assert_eq!(form.find(said), Err(expected.to_owned()), "{schema} {said}");
    }
    let long: Vec<_> = (0..22).collect();
    let refused = Form::of(&json!({"enum": long}))
        .unwrap()
        .find("99")
        .unwrap_err();
    assert!(refused.ends_with("18, 19 and 2 more"), "{refused}");
}
