//! Whoever wrote a regular expression is told where it is wrong, wherever it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use aigen_engine::scripted::Vocabulary;
use serde_json::{Value, json};

use crate::{CompileError, Compiler, Function, Hole, JsonOptions, Program, ToolGrammar};

fn compiler() -> Compiler {
    Compiler::new(Arc::new(Vocabulary::bytes())).unwrap()
}

fn check(rows: impl IntoIterator<Item = (Result<Program, CompileError>, &'static str)>) {
    for (result, says) in rows {
        let error = result.map(|_| ()).expect_err(says);
        let error = error.to_string();
        assert!(error.contains(says), "{error}\nshould say: {says}");
    }
}

#[test]
fn the_place_in_an_expression_is_told() {
    let compiler = compiler();
    let long = format!("{}(", "ä".repeat(500));
    check([
        (
            compiler.regex("ab(c"),
            r#"unclosed group (at column 3: "(c")"#,
        ),
        (
            compiler.regex("ab\\"),
            r#"incomplete escape sequence, reached end of pattern prematurely (at column 3: "\\")"#,
        ),
        (compiler.regex("a{2"), r#"(at column 2: "{2")"#),
        (
            compiler.regex("a\nb[z-a]c"),
            r#"(at line 2, column 3: "z-a]c")"#,
        ),
        (
            compiler.regex(r"\p{Klingon}"),
            r#"Unicode property not found (at column 1: "\\p{Klingon}")"#,
        ),
        (compiler.regex(&long), r#"(at column 501: "(")"#),
    ]);
}

#[test]
fn the_place_in_a_grammar_is_told() {
    let compiler = compiler();
    let filled = |source: &str, value: Value| {
        let hole = Hole::from_json(&value).unwrap();
        compiler.grammar_template(source, &BTreeMap::from([("data".to_owned(), hole)]))
    };
    let wrong =
        json!({"type": "object", "properties": {"a/b": {"type": "string", "pattern": "^x(y"}}});
    check([
        (
            compiler.lark("start: \"x\" a\na: /b/ | /ab(c/"),
            r#"the regular expression is not valid: unclosed group (at line 2, column 4; in the expression column 3: "(c")"#,
        ),
        (
            compiler.lark("start: %json {\"type\": \"string\", \"pattern\": \"ab(c\"}"),
            r#"the regular expression is not valid: unclosed group (at "#,
        ),
        (
            filled("start: @regex(data)", json!("ab(c")),
            r#"unclosed group (at hole `data`, line 1, column 3: "(c")"#,
        ),
        (
            filled("start: @json(data)", wrong),
            r##"unclosed group (at hole `data`, #/properties/a~1b/pattern, column 3: "(y")"##,
        ),
    ]);
}

#[test]
fn the_place_in_a_schema_is_told() {
    let compiler = compiler();
    let schema = |schema: Value| compiler.json_schema(&schema, JsonOptions::default());
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let tools = |parameters: Value, answer: Option<Value>| {
        compiler.tools(&ToolGrammar {
            functions: vec![Function {
                name: "find".to_owned(),
                parameters: json!({"type": "object", "properties": {"what": parameters}}),
                strict: true,
            }],
            answer,
            ..ToolGrammar::default()
        })
    };
    check([
        (
            schema(text("^[0-9{3}$")),
            r#"unclosed character class (at #/pattern, column 2: "[0-9{3}$")"#,
        ),
        // What is rewritten on the way is told as it was written.
        (
            schema(text(r"^\d\d\w(a")),
            r##"unclosed group (at #/pattern, column 8: "(a")"##,
        ),
        (
            schema(json!({
                "type": "object",
                // A property of this name, a value of this kind: neither is an expression.
                "properties": {"pattern": {"const": {"pattern": "(("}}, "const": text("a(b")},
            })),
            r##"(at #/properties/const/pattern, column 2: "(b")"##,
        ),
        (
            schema(json!({"type": "object", "patternProperties": {"^(a": {"type": "string"}}})),
            r##"(at #/patternProperties, column 2: "(a")"##,
        ),
        (
            schema(json!({"type": "array", "prefixItems": [{"type": "string"}, text("a)")]})),
            r##"unopened group (at #/prefixItems/1/pattern, column 2: ")")"##,
        ),
        (
            tools(text("a(b"), None),
            r##"(at parameters of `find`, #/properties/what/pattern, column 2: "(b")"##,
        ),
        (
            tools(
                text("ab"),
                Some(json!({"type": "array", "items": text("(")})),
            ),
            r##"(at the answer's schema, #/items/pattern, column 1: "(")"##,
        ),
    ]);
}
