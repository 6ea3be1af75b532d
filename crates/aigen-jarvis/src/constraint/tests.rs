//! What compiles, what is refused and why, and what cannot be broken out of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aigen_engine::scripted::{Script, Vocabulary};
use aigen_engine::{ChatMessage, EngineError, TokenId, Tokenizer};
use serde_json::{Value, json};

use super::{
    CompileError, CompileErrorKind, CompileLimits, Compiler, Function, Hole, JsonOptions,
    ToolGrammar,
};
use crate::limits::FORCED_BYTES_MAX;
use crate::stage::{Stage, pieces};
use crate::{Fault, Finish, Program};

fn compiler() -> Compiler {
    Compiler::new(Arc::new(Vocabulary::with_words(pieces()))).unwrap()
}

/// Whether `text` is complete under the program, decided by forcing it byte by byte.
fn accepts(program: Result<Program, CompileError>, text: &str) -> bool {
    let stage = Stage::wanting(&[], &[text]);
    let outcome = stage.run(stage.request(program.unwrap()));
    outcome.ending.finish == Finish::Stop && outcome.text() == text
}

/// A compiler over bytes, whose programs `accepts` can run.
fn bytes() -> Compiler {
    Compiler::new(Arc::new(Vocabulary::bytes())).unwrap()
}

fn holes(holes: &[(&str, Value)]) -> BTreeMap<String, Hole> {
    let hole = |(name, value): &(&str, Value)| (name.to_string(), Hole::from_json(value).unwrap());
    holes.iter().map(hole).collect()
}

const HOSTILE: [&str; 18] = [
    "\"",
    "\\",
    "\\\"",
    "\n",
    "\r\n",
    "\t",
    "%",
    "}",
    "{",
    "/",
    "@quote(x)",
    "é €😀",
    "\u{7f}\u{1}",
    "\" | \"x",
    "\\\nstart: \"x\"",
    "%ignore /x/",
    "<|end|> <[5]>",
    "// # comment",
];

#[test]
fn data_cannot_leave_its_hole() {
    let compiler = bytes();
    for data in HOSTILE {
        let fill = |kind: &str, value: Value| {
            let source = format!("start: \"<\" @{kind}(data) \">\"");
            compiler.grammar_template(&source, &holes(&[("data", value)]))
        };
        let said = format!("<{data}>");
        assert!(accepts(fill("text", json!(data)), &said), "text {data:?}");
        assert!(
            accepts(fill("choice", json!(["other", data])), &said),
            "choice {data:?}"
        );
        assert!(
            !accepts(fill("choice", json!(["other", data])), "<x>"),
            "choice {data:?}"
        );
        let pattern = regex_syntax::escape(data);
        assert!(
            accepts(fill("regex", json!(pattern)), &said),
            "regex {data:?}"
        );
        let schema = json!({"const": data});
        // JSON allows DEL as it is, llguidance writes it escaped.
        let said = format!("<{}>", json!(data)).replace('\u{7f}', "\\u007f");
        assert!(accepts(fill("json", schema), &said), "json {data:?}");
        let text = format!("Say w{data}w now.");
        let line = text.lines().next().unwrap();
        let word = line.split_whitespace().nth(1).unwrap();
        let word = word.trim_end_matches(super::quote::is_edge);
        assert!(
            accepts(fill("quote", json!(text)), &format!("<{word}>")),
            "quote {data:?}"
        );
    }
}

#[test]
fn a_template_is_filled_outside_literals_only() {
    let source = r#"
        // @quote(comment) # @text(comment)
        start: "@text(string)" /@text.regex./ @text(a) PAIR @text(a) # @text(no)
        PAIR: @choice(b) "\"@text(x)" /\/@/
    "#;
    let filled = holes(&[("a", json!("A")), ("b", json!(["B", "C"]))]);
    let program = bytes().grammar_template(source, &filled);
    assert!(accepts(program, "@text(string)@text(regex)AC\"@text(x)/@A"));
}

#[test]
fn the_published_example_works() {
    let lesson = "Mount Kenya is the highest mountain in Kenya. It is 5,199 m high.";
    let source = r#"start: "Question: " question "\nAnswer: " answer
question: /[^\n?]{5,120}\?/
answer: @quote(lesson)
"#;
    let fill = || bytes().grammar_template(source, &holes(&[("lesson", json!(lesson))]));
    let answer = |answer| format!("Question: What is high?\nAnswer: {answer}");
    for good in ["Mount Kenya", "5,199 m high", "Kenya. It is", "Kenya"] {
        assert!(accepts(fill(), &answer(good)), "{good}");
    }
    for bad in [
        "Mount Kenya.",
        " Mount",
        "ount Kenya",
        "Mount  Kenya",
        "Mintorko",
        "199 m",
        "",
    ] {
        assert!(!accepts(fill(), &answer(bad)), "{bad}");
    }
}

/// What follows a quotation must not begin like what follows it in the text.
#[test]
fn quotations_can_stand_in_a_sentence() {
    let lesson = "Up Mount Kenya. It is (very) high.\nNext line.";
    let source = "start: \"In \" @quote(lesson, 3) \".\\nDone\"";
    let fill = || bytes().grammar_template(source, &holes(&[("lesson", json!(lesson))]));
    for quoted in [
        "Mount Kenya",
        "Kenya",
        "Kenya. It is",
        "very",
        "high",
        "Next line",
    ] {
        assert!(accepts(fill(), &format!("In {quoted}.\nDone")), "{quoted}");
    }
}

#[test]
fn quotations_have_a_length() {
    let text = "one two three four";
    assert!(accepts(bytes().quote(text, Some(2)), "two three"));
    assert!(!accepts(bytes().quote(text, Some(2)), "two three four"));
    assert!(!accepts(bytes().quote("one\ntwo", None), "one\ntwo"));
    assert!(accepts(bytes().quote("ＡＢ 富士山。高い", None), "富士"));
}

/// Every refusal says what is wrong, and where it can, where.
#[test]
fn refusals_are_clear() {
    let compiler = compiler();
    let template =
        |source: &str, value: Value| compiler.grammar_template(source, &holes(&[("data", value)]));
    let json = |schema: Value| compiler.json_schema(&schema, JsonOptions::default());
    let deep =
        |n: usize, open: &str, close: &str| format!("{}x{}", open.repeat(n), close.repeat(n));
    for (result, says) in [
        (
            compiler.regex("("),
            "regular expression is not valid: unclosed group",
        ),
        (compiler.regex(""), "regular expression is empty"),
        (compiler.regex("a\\"), "regular expression is not valid"),
        (compiler.regex("(?=a)b"), "look-around"),
        (compiler.choice(&[]), "at least one option"),
        (
            compiler.choice(&[String::new()]),
            "option of a choice is empty",
        ),
        (compiler.quote("... —", None), "has no words"),
        (compiler.quote("word", Some(0)), "at least one word"),
        (
            compiler.quote(&"word ".repeat(20_000), None),
            "too long for 12 words at a time",
        ),
        (compiler.lark("begin: \"x\""), "no start rule"),
        (compiler.lark("start: missing"), "unknown name: \"missing\""),
        (compiler.lark("start: \"x"), "lexer error"),
        (
            compiler.lark(&format!("start: {}", deep(500, "(", ")"))),
            "nested",
        ),
        (
            compiler.lark(&format!("start: \"{}\"", "x".repeat(300_000))),
            "bytes, and",
        ),
        (compiler.regex(&deep(500, "(", ")")), "nest"),
        (json(json!(3)), "a JSON Schema is an object"),
        (json(json!(false)), "allows nothing"),
        (json(json!({"type": "strange"})), "strange"),
        (
            json(json!({"type": "string", "minLength": 5, "maxLength": 2})),
            "Unsatisfiable",
        ),
        (json(json!({"$ref": "http://example.com/schema"})), "$ref"),
        (json(json!({"$ref": "file:///etc/passwd"})), "$ref"),
        (
            json(json!({"uniqueItems": true, "type": "array"})),
            "uniqueItems",
        ),
        (
            template("start: @quote(lesson)", json!("x")),
            "does not fill the hole `lesson` (at hole `lesson`, line 1)",
        ),
        // What is given and fills nothing may be misspelt.
        (
            template("start: @quote(lesson)", json!("x")),
            "it has no hole `data`",
        ),
        (
            template("start: \"x\"\n  | @quote(data)", json!(["x"])),
            "@quote is filled with a text (at hole `data`, line 2)",
        ),
        (
            template("start: @choice(data)", json!("x")),
            "filled with a list of texts",
        ),
        (template("start: @regex(data)", json!("a\\")), "not valid"),
        (
            template("start: @json(data)", json!("x")),
            "filled with a JSON Schema",
        ),
        (
            template("start: @poem(data)", json!("x")),
            "hint: write @quote(name)",
        ),
        (template("start: @data", json!("x")), "`@` begins a hole"),
        (
            template("start: @text(data, 5)", json!("x")),
            "`@` begins a hole",
        ),
    ] {
        let error = result.expect_err(says).to_string();
        assert!(error.contains(says), "{error}\nshould say: {says}");
    }
}

/// Grammars made to hurt: each compiles and runs within bounds, or is refused or
/// ends with a fault; none hangs, crashes or escapes.
#[test]
fn hostile_grammars_end_in_time() {
    let wide: Vec<String> = (0..20_000).map(|n| format!("\"k{n}\"")).collect();
    let properties: serde_json::Map<String, Value> = (0..2_000)
        .map(|n| (format!("p{n}"), json!({"type": "string"})))
        .collect();
    let mut nested = json!({"type": "string"});
    for _ in 0..100 {
        nested = json!({"anyOf": [nested.clone(), {"type": "array", "items": nested}]});
        if nested.to_string().len() > 100_000 {
            break;
        }
    }
    let stage = Stage::wanting(&[], &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]);
    let compiler = &stage.compiler;
    let lark = |source: &str| compiler.lark(source);
    let json = |schema: Value| compiler.json_schema(&schema, JsonOptions::default());
    let overlapping = |property: usize| {
        let one = |n| json!({"properties": {format!("p{property}"): {"const": n}}});
        json!({"anyOf": (0..12).map(one).collect::<Vec<_>>()})
    };
    let all: Vec<Value> = (0..6).map(overlapping).collect();
    let programs = [
        ("all of any of: too costly", json(json!({"allOf": all}))),
        (
            "pattern and length: too costly",
            json(
                json!({"type": "string", "pattern": "^(.*a.{30}b.*){20}$", "minLength": 100, "maxLength": 100_000}),
            ),
        ),
        (
            "many intersections: too costly",
            lark(
                "start: A\nA: /(.*(ab|ba|aa).*){15}/ & /(.*(bc|cb).*){15}/ & /(.*(ca|cc).*){15}/ & /.{0,400}/ & ~/(.*abc.*){9}/",
            ),
        ),
        (
            "a first token that costs too much: too costly",
            lark("start: A\nA: /(.*a.*){60}/ & /(.*b.*){60}/ & /(.*c.*){60}/ & ~/(.*d.*){60}/"),
        ),
        (
            "nested repetition: too costly",
            compiler.regex("((((a{1,100}){1,100}){1,100}){1,100}){1,100}"),
        ),
        ("exponential states", compiler.regex("(a|b)*a(a|b){40}")),
        (
            "intersections",
            lark("start: A\nA: /(.*a.*){20}/ & /(.*b.*){20}/ & /(.*c.*){20}/"),
        ),
        ("negation", lark("start: A\nA: ~(/(.*a){15}.*/)")),
        (
            "large classes",
            compiler.regex(r"(\w{1,200}\W{1,200}){1,200}"),
        ),
        ("left recursion", lark("start: start start | \"a\" | \"\"")),
        (
            "ambiguity",
            lark("start: x x x x x x x x\nx: y*\ny: z*\nz: /a/*"),
        ),
        ("forced for ever: too costly", lark("start: \"a\" start")),
        ("control token", lark("start: \"a\" <[256]> \"a\"")),
        ("end token", lark("start: \"a\" <[257]> \"a\"")),
        ("any token", lark("start: \"a\" <[*]> \"a\"")),
        ("forced at length: too costly", lark("start: \"a\"{100000}")),
        ("no end: refused", lark("start: x\nx: x")),
        (
            "wide: too costly",
            lark(&format!("start: {}", wide.join(" | "))),
        ),
        (
            "many properties: too costly",
            json(json!({"type": "object", "properties": properties})),
        ),
        ("nested any-of", json(nested)),
        ("schema loop: refused", json(json!({"$ref": "#"}))),
        (
            "schema recursion",
            json(json!({"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "null"}]})),
        ),
        (
            "long strings",
            json(json!({"type": "string", "minLength": 100_000})),
        ),
        (
            "long arrays: too costly",
            json(json!({"type": "array", "items": {"type": "null"}, "minItems": 100_000})),
        ),
        (
            "hostile pattern",
            json(json!({"type": "string", "pattern": "^(a+)+$"})),
        ),
        (
            "numbers",
            json(
                json!({"type": "number", "multipleOf": 0.0001, "minimum": -1e12, "maximum": 1e12}),
            ),
        ),
    ];
    for (what, program) in programs {
        let started = Instant::now();
        let said = match program {
            // On a busy machine the clock may be first, with the same name.
            Err(error) if error.kind == CompileErrorKind::TooCostly => {
                format!("too costly: {error}")
            }
            Err(error) => format!("refused: {error}"),
            Ok(program) => {
                let request = stage.request(program);
                let ending = stage.run(request).ending;
                match ending.finish {
                    Finish::Fault(fault @ Fault::GrammarTooCostly { .. }) => {
                        format!("too costly: {fault}")
                    }
                    Finish::Fault(fault) => format!("{}: {fault}", fault.name()),
                    finish => format!("{finish:?} {:?}", ending.usage),
                }
            }
        };
        let took = started.elapsed();
        let (_, ends) = what.split_once(": ").unwrap_or((what, ""));
        assert!(said.starts_with(ends), "{what}: {said}");
        assert!(
            took < Duration::from_secs(20),
            "{what} took {took:?}: {said}"
        );
    }
}

/// What no session could come out of is refused before there is one.
#[test]
fn a_grammar_that_forces_text_without_an_end_does_not_compile() {
    let compiler = bytes();
    let endless = json!({
        "type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"],
        "additionalProperties": false,
    });
    for (what, program) in [
        ("a rule", compiler.lark("start: \"a\" start")),
        ("two rules", compiler.lark("start: \"k\" n\nn: \"v\" n\n")),
        (
            "a schema",
            compiler.json_schema(&endless, JsonOptions::default()),
        ),
    ] {
        let error = program.map(|_| ()).expect_err(what);
        assert!(error.what.contains("has no end"), "{what}: {error}");
        assert_eq!(error.kind, CompileErrorKind::TooCostly, "{what}");
    }
    for good in [
        "start: \"a\"{2000}",
        "start: \"a\" start | \"b\"",
        "start: \"a\" on\non: \"b\" on | \"\"",
    ] {
        compiler
            .lark(good)
            .unwrap_or_else(|error| panic!("{good}: {error}"));
    }
}

/// What llguidance advises is not for its user's user.
#[test]
fn ways_out_are_ways() {
    let compiler = bytes();
    let overlapping = json!({"oneOf": [{"type": "integer"}, {"type": "number"}]});
    let elsewhere = json!({"$ref": "http://example.org/a"});
    for (schema, what, hint) in [
        (json!({"not": {}}), "nimplemented", "leave the keyword out"),
        (overlapping, "may overlap", "write `anyOf`"),
        (elsewhere, "leads out of the schema", "below `$defs`"),
    ] {
        let refused = compiler.json_schema(&schema, JsonOptions::default());
        let error = refused.map(|_| ()).expect_err(what);
        assert!(error.what.contains(what), "{error}");
        assert!(
            error.hint.as_ref().is_some_and(|way| way.contains(hint)),
            "{error}"
        );
    }
    let template = "start: \"a\" @json(s) @text(t)";
    for schema in [json!({"type": "boolea"}), json!({"not": {}})] {
        let filled = holes(&[("s", schema), ("t", json!("x"))]);
        let refused = compiler.grammar_template(template, &filled);
        let error = refused.map(|_| ()).expect_err("its schema is none");
        assert_eq!(error.hole(), Some("s"), "{error}");
    }
}

/// A constraint that fails at run time ends the session; the model never goes on
/// without it.
#[test]
fn constraints_fail_closed() {
    let stage = Stage::wanting(&[], &["aaaa"]);
    // Forces the same byte for ever after one that is chosen, which exhausts the parser.
    let program = stage.compiler.lark("start: /[ab]/ on\non: \"a\" on");
    let program = program.unwrap();
    let ending = stage.run(stage.request(program)).ending;
    let costs = matches!(ending.finish, Finish::Fault(Fault::GrammarTooCostly { .. }));
    assert!(costs, "{ending:?}");
    assert!(ending.usage.sampled_tokens <= 1, "{ending:?}");
    assert_eq!(ending.grammar_complete, Some(false));
}

#[test]
fn a_row_without_any_possible_token_is_a_fault() {
    for program in [Program::free(), bytes().regex("a+").unwrap()] {
        let nothing = Script::new(|vocabulary, _| vec![f32::NAN; vocabulary.vocab_size() as usize]);
        let stage = Stage::with_script(&[], nothing);
        let ending = stage.run(stage.request(program)).ending;
        assert_eq!(ending.finish, Finish::Fault(Fault::MaskEmpty));
    }
}

/// An end token a grammar asks for in the middle is only a token.
#[test]
fn an_end_token_ends_only_where_the_grammar_may_end() {
    let stage = Stage::wanting(&[], &["a"]);
    let end = stage.vocabulary.end();
    let source = format!("start: \"a\" (<[{end}]> | \"b\") \"c\"");
    let outcome = stage.run(stage.request(stage.compiler.lark(&source).unwrap()));
    assert_eq!(
        (outcome.text().as_str(), &outcome.ending.finish),
        ("ac", &Finish::Stop)
    );
    assert_eq!(outcome.ending.grammar_complete, Some(true));
}

#[test]
fn compiled_grammars_are_kept() {
    let limits = CompileLimits {
        cached: 2,
        ..CompileLimits::default()
    };
    let compiler = Compiler::with_limits(Arc::new(Vocabulary::bytes()), limits).unwrap();
    let digest = |pattern: &str| compiler.regex(pattern).unwrap().digest();
    let first = digest("a+");
    assert_eq!(digest("a+"), first);
    assert_ne!(digest("b+"), first);
    digest("c+");
    assert_eq!(compiler.cached(), 2);
}

/// Functions `f`, of one number, and `g`, whose schema cannot be enforced as a whole.
fn tools(required: bool, parallel: bool, answer: Option<Value>) -> ToolGrammar {
    let number = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let loose = json!({"type": "object", "not": {"required": ["x"]}});
    let function = |name: &str, parameters, strict| Function {
        name: name.to_owned(),
        parameters,
        strict,
    };
    ToolGrammar {
        functions: vec![function("f", number, true), function("g", loose, false)],
        required,
        parallel,
        answer,
    }
}

#[test]
fn calls_have_valid_arguments_and_only_where_they_may_be() {
    let call = |name: &str, arguments: &str| {
        format!("<tool_call>\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n</tool_call>")
    };
    let f = call("f", "{\"n\":7}");
    let answer = Some(json!({"const": 1}));
    for (grammar, text, accepted) in [
        (tools(false, true, None), "Just text.", true),
        (tools(false, true, None), "", true),
        (tools(false, true, None), "a < b <tool", true),
        (tools(false, true, None), f.as_str(), true),
        (tools(false, true, None), &format!("Wait.\n{f}"), true),
        (tools(false, true, None), &format!("{f}\n{f}"), true),
        (tools(false, true, None), &format!("{f} and more"), false),
        (tools(false, true, None), "<tool_call> is a tag", false),
        (tools(false, true, None), &call("f", "{\"n\":\"x\"}"), false),
        (tools(false, true, None), &call("h", "{}"), false),
        (tools(false, true, None), &call("g", "{\"y\":[1]}"), true),
        (tools(false, false, None), &format!("{f}\n{f}"), false),
        (tools(true, true, None), "Just text.", false),
        (
            tools(true, true, None),
            &format!("{f}\n{}", call("g", "{}")),
            true,
        ),
        (tools(false, true, answer.clone()), "1", true),
        (tools(false, true, answer.clone()), "2", false),
        (tools(false, true, answer), &f, true),
    ] {
        assert_eq!(
            accepts(bytes().tools(&grammar), text),
            accepted,
            "{grammar:?}: {text}"
        );
    }
}

#[test]
fn a_strict_function_must_be_enforced_as_a_whole() {
    let mut grammar = tools(false, true, None);
    grammar.functions[1].strict = true;
    assert!(bytes().tools(&grammar).is_err());
}

/// The longest text that its tokenizer was given.
struct Measuring(Vocabulary, AtomicUsize);

impl Tokenizer for Measuring {
    fn encode(&self, text: &str, parse_special: bool, add_bos: bool) -> Vec<TokenId> {
        self.1.fetch_max(text.len(), Ordering::Relaxed);
        self.0.encode(text, parse_special, add_bos)
    }

    fn token_bytes(&self, token: TokenId) -> &[u8] {
        self.0.token_bytes(token)
    }

    fn is_special(&self, token: TokenId) -> bool {
        self.0.is_special(token)
    }

    fn end_tokens(&self) -> &[TokenId] {
        self.0.end_tokens()
    }

    fn vocab_size(&self) -> u32 {
        self.0.vocab_size()
    }

    fn chat(&self, messages: &[ChatMessage]) -> Result<Vec<TokenId>, EngineError> {
        self.0.chat(messages)
    }
}

/// A grammar may force more than anybody has time to make tokens of at once.
#[test]
fn forced_text_becomes_tokens_in_parts() {
    let text = "é, Mount Kenya is high. ".repeat(200);
    let vocabulary = Vocabulary::with_words(["Mount", " Kenya", " is", " high", "."]);
    let measuring = Arc::new(Measuring(vocabulary, AtomicUsize::new(0)));
    let compiler = Compiler::new(measuring.clone()).unwrap();
    let program = compiler.lark(&format!("start: {text:?} /[ab]/")).unwrap();
    let matcher = program.matcher().unwrap();
    let mut tokens = Vec::new();
    loop {
        let forced = matcher.forced().unwrap();
        if forced.is_empty() {
            break;
        }
        matcher.advance(&forced).unwrap();
        tokens.extend(forced);
    }
    assert_eq!(measuring.decode(&tokens), text.as_bytes());
    // The same tokens as of the whole text at once, where a model's own tokenizer cuts words.
    assert_eq!(tokens, measuring.0.encode(&text, false, false));
    let longest = measuring.1.load(Ordering::Relaxed);
    assert!(
        longest <= FORCED_BYTES_MAX + 2 * " Kenya".len(),
        "{longest}"
    );
}
