//! llguidance says in words which of its bounds was reached, and in nothing else. Each row provokes one of them,
//! so that a version that says it otherwise is noticed here and not by whoever is told the wrong thing.

use std::collections::BTreeSet;
use std::sync::Arc;

use aigen_engine::scripted;
use llguidance::ParserFactory;
use llguidance::api::{ParserLimits, TopLevelGrammar};
use serde_json::{Value, json};
use toktrie::InferenceCapabilities;

use super::super::vocabulary::Vocabulary;
use super::*;
use crate::limits::parser_limits;

/// A token that a lexer takes many states for.
const WORD: &str =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What llguidance says where a grammar, or the first mask under it after `text`, costs more than `limits`.
fn said(limits: ParserLimits, grammar: TopLevelGrammar, text: &str) -> String {
    let vocabulary = scripted::Vocabulary::with_words([WORD]);
    let environment = Vocabulary::environment(Arc::new(vocabulary)).unwrap();
    let able = InferenceCapabilities::default();
    let mut factory = ParserFactory::new(&environment, able, &[]).unwrap();
    factory.quiet();
    *factory.limits_mut() = limits;
    let mut matcher = llguidance::Matcher::new(factory.create_parser(grammar));
    let bytes: Vec<u32> = text.bytes().map(u32::from).collect();
    // Whatever goes wrong stays in the matcher.
    let _ = matcher.consume_tokens(&bytes);
    let _ = matcher.compute_mask();
    let _ = matcher.compute_ff_tokens();
    matcher.get_error().unwrap_or_default()
}

fn lark(source: &str) -> TopLevelGrammar {
    TopLevelGrammar::from_lark(source.to_owned())
}

/// Lists within lists, twice over.
fn deep() -> Value {
    let within = |inner: Value, _| json!({"type": "array", "items": inner});
    let deep = (0..150).fold(json!({"type": "string"}), within);
    json!({"allOf": [deep.clone(), deep]})
}

/// Six choices of twelve, all at once.
fn exploding() -> Value {
    let one = |at: usize| {
        let choice = |n| json!({"properties": {format!("p{at}"): {"const": n}}});
        json!({"anyOf": (0..12).map(choice).collect::<Vec<_>>()})
    };
    json!({"allOf": (0..6).map(one).collect::<Vec<_>>()})
}

/// One lexeme of four hundred alternatives, which llguidance walks through in advance.
fn heavy() -> String {
    let words: Vec<_> = (0..400).map(|n| format!("a{{0,{n}}}b{n}c")).collect();
    format!("start: A\nA: /({})/", words.join("|"))
}

/// A bound, limits under which a grammar reaches it, the grammar, and text that comes before.
type Row = (&'static str, ParserLimits, TopLevelGrammar, &'static str);

fn of_schemas(usual: &ParserLimits) -> [Row; 3] {
    let schema = TopLevelGrammar::from_json_schema;
    let long = json!({
        "type": "string", "pattern": "^(.*a.{30}b.*){20}$", "minLength": 100, "maxLength": 100_000,
    });
    [
        ("schema too large", schema(exploding())),
        ("Unable to determine if regex is empty", schema(long)),
        ("intersection stack level exceeded", schema(deep())),
    ]
    .map(|(bound, schema)| (bound, usual.clone(), schema, ""))
}

fn of_lexers(usual: &ParserLimits) -> [Row; 4] {
    let initial = |initial_lexer_fuel| ParserLimits {
        initial_lexer_fuel,
        ..usual.clone()
    };
    let step = ParserLimits {
        step_lexer_fuel: 0,
        ..usual.clone()
    };
    let states = ParserLimits {
        max_lexer_states: 2,
        ..usual.clone()
    };
    let all = "start: A\nA: /(.*a.*){20}/ & /(.*b.*){20}/ & ~/(.*c.*){20}/";
    let many = "start: A\nA: /([a-z]+ [0-9]+){1,400}/";
    [
        ("fuel exhausted", initial(2_000), lark(all), ""),
        (
            "lexer precomputation failed",
            initial(30_000),
            lark(&heavy()),
            "",
        ),
        ("too many expressions constructed", step, lark(many), "aaaa"),
        ("too many states", states, lark(many), "aaaa"),
    ]
}

fn of_parsers(usual: &ParserLimits) -> [Row; 3] {
    let size = ParserLimits {
        max_grammar_size: 1,
        ..usual.clone()
    };
    let row = ParserLimits {
        max_items_in_row: 1,
        ..usual.clone()
    };
    let step = ParserLimits {
        step_max_items: 10,
        ..usual.clone()
    };
    let three = lark("start: \"a\" \"b\" \"c\"");
    let ambiguous = || lark("start: x x x x x x x x\nx: y*\ny: z*\nz: /a/*");
    [
        ("too big (limit for this grammar", size, three, ""),
        ("items; max is", row, ambiguous(), "a"),
        ("many items (limit", step, ambiguous(), ""),
    ]
}

#[test]
fn every_bound_is_named_as_llguidance_names_it() {
    let usual = parser_limits();
    let rows = of_schemas(&usual).into_iter();
    let rows = rows.chain(of_lexers(&usual)).chain(of_parsers(&usual));
    let mut provoked = BTreeSet::new();
    for (bound, limits, grammar, text) in rows {
        let said = said(limits, grammar, text);
        assert!(said.contains(bound), "`{bound}` is called {said:?} now");
        let error = CompileError::from_llguidance(&said);
        assert_eq!(error.kind, CompileErrorKind::TooCostly, "{said}");
        provoked.insert(bound);
    }
    assert_eq!(provoked, BTreeSet::from(BOUNDS));
    // What is merely wrong is no matter of cost.
    let wrong = said(usual, lark("start: nowhere"), "");
    let error = CompileError::from_llguidance(&wrong);
    assert_eq!(error.kind, CompileErrorKind::Invalid, "{wrong}");
}
