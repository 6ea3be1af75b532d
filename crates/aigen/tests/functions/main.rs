//! AI functions from their file to other people's programs: written, tried, published, called by
//! name, as tools of the Model Context Protocol and through generated clients, against the real
//! binary and the bundled model. The form is what is checked: content takes a larger model.

#[path = "../support/mod.rs"]
mod support;

use aigen_marvin::{AiError, ai_fn, classify};
use rmcp::model::{CallToolRequestParams, JsonObject, RequestMetaObject};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt, service::RunningService};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::process::Command;
use support::tools::{packages, python};
use support::{Folder, Serving};

/// Every kind of type that a schema can have and a language does not have alike.
const KINDS: &str = r##"
description = "Sort a message.\nIt says \"why\"."
max_tokens = 400
pass_ppm = 0
input = '''
{"type": "object", "required": ["text"], "properties": {
  "text": {"type": "string", "maxLength": 400},
  "known-tags": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
  "class": {"enum": ["mail", "chat", null]}}}
'''
output = '''
{"type": "object", "required": ["label", "count", "share", "sure", "parts", "next", "more"], "properties": {
  "label": {"enum": ["a", "b"], "description": "which of the two"},
  "count": {"type": "integer", "minimum": 0, "maximum": 9},
  "share": {"type": "number", "minimum": 0, "maximum": 1},
  "sure": {"type": "boolean"},
  "parts": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/part"}},
  "next": {"anyOf": [{"$ref": "#/$defs/part"}, {"type": "null"}]},
  "more": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "integer", "maximum": 9, "minimum": 0}},
  "why": {"type": "string", "maxLength": 8}},
 "$defs": {"part": {"type": "object", "required": ["from"], "properties": {"from": {"type": "integer", "minimum": 0, "maximum": 9}, "it's": {"const": true}}}}}
'''

[[golden]]
input = { text = "Hello." }
"##;

fn published() -> (Folder, Serving) {
    let folder = Folder::new();
    let node = folder.dev();
    folder.write("kinds.toml", KINDS);
    folder.json(&["fn", "publish", "kinds.toml", "ada/kinds@1.0.0"]);
    (folder, node)
}

#[test]
fn a_function_is_begun_tried_scored_and_published() {
    let folder = Folder::new();
    let _node = folder.dev();
    folder.json(&["fn", "new", "sentiment"]);
    let again = folder.run(&["fn", "new", "sentiment.toml"]);
    check!(again, @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: sentiment.toml is there already
    hint: name another file
    "#);

    let easy = std::fs::read_to_string(folder.file("sentiment.toml")).unwrap();
    folder.write(
        "easy.toml",
        easy.replace("pass_ppm = 900_000", "pass_ppm = 0"),
    );
    let tried = folder.json(&["fn", "test", "easy.toml"]);
    assert_eq!(tried["cases"].as_array().unwrap().len(), 1, "{tried}");
    let value: Value = serde_json::from_str(tried["cases"][0]["value"].as_str().unwrap()).unwrap();
    assert!(value["why"].is_string() && value["polarity"].is_string());
    // The bundled model does not know sarcasm.
    let hard = folder.run(&["fn", "test", "sentiment.toml", "--json"]);
    assert_eq!(hard.code, 1, "{hard}");
    assert!(
        hard.stderr
            .contains("0 of 1 golden cases passed, and 90 % of them have to"),
        "{hard}"
    );

    let parameters = |rows: &Value| -> Vec<String> {
        let rows = rows["data"].as_array().unwrap().iter();
        rows.map(|row| row["parameter"].as_str().unwrap().to_owned())
            .collect()
    };
    let scored = folder.json(&["fn", "eval", "easy.toml"]);
    assert_eq!(parameters(&scored), ["conformance", "quality"]);
    assert_eq!(scored["data"][0]["score"], 1_000_000, "{scored}");

    // The same questions and checks, put by a validator.
    std::fs::create_dir(folder.file("suites")).unwrap();
    folder.json(&["fn", "eval", "easy.toml", "--suite", "suites/easy.toml"]);
    folder.json(&["fn", "publish", "easy.toml", "ada/easy@1.0.0"]);
    let evaluate = [
        "validator",
        "evaluate",
        "ada/easy@1.0.0",
        "--suite",
        "easy",
        "--suites",
        "suites",
    ];
    let evaluated = folder.json(&evaluate);
    assert_eq!(parameters(&evaluated), parameters(&scored));
    assert_eq!(evaluated["data"][0]["score"], 1_000_000, "{evaluated}");

    let input = r#"{"text": "Great, it broke again."}"#;
    // Asked with the customer's key; the cases are the publisher's.
    let tried = folder.json(&["fn", "test", "ada/easy"]);
    assert_eq!(tried["cases"].as_array().unwrap().len(), 1, "{tried}");
    let ran = folder.json(&["fn", "run", "ada/easy", "--input", input]);
    assert_eq!(ran["guarantee"], "decoder", "{ran}");
    let receipt = folder.json(&["receipt", ran["receipt"].as_str().unwrap()]);
    assert_eq!(receipt["controller"], "ada/easy@1.0.0");
    assert_eq!(receipt["guarantee"], "decoder");
    let listed = folder.json(&["fn", "list"]);
    assert_eq!(listed["data"][0]["reference"], "ada/easy@1.0.0");
}

/// A wrong answer is the function's; a wrong key, a missing node and an empty account are not.
#[test]
fn what_is_no_answer_is_no_wrong_answer() {
    let folder = Folder::new();
    let node = folder.dev();
    folder.json(&["fn", "new", "sentiment.toml"]);
    let source = std::fs::read_to_string(folder.file("sentiment.toml")).unwrap();
    for asked in [
        ["fn", "test", "sentiment.toml"],
        ["fn", "eval", "sentiment.toml"],
    ] {
        let stranger = folder.run(&[&asked[..], &["--key", "aigen_nobody.x"]].concat());
        assert_eq!(stranger.code, 1, "{stranger}");
        assert!(
            stranger.stderr.contains("hint: check the key"),
            "{stranger}"
        );
        assert_eq!(stranger.stdout, "", "{stranger}");
    }
    let key = folder.json(&["key", "create", "user:poor"]);
    let poor = [
        "fn",
        "eval",
        "sentiment.toml",
        "--key",
        key["key"].as_str().unwrap(),
    ];
    let poor = folder.run(&poor);
    assert_eq!(poor.code, 1, "{poor}");
    assert!(poor.stderr.contains("AIGEN needed"), "{poor}");

    // Cut off after three tokens, which are paid.
    folder.write(
        "short.toml",
        source.replace("max_tokens = 100", "max_tokens = 3"),
    );
    folder.json(&["fn", "publish", "short.toml", "ada/short@1.0.0"]);
    for function in ["short.toml", "ada/short"] {
        let short = folder.run(&["fn", "test", function, "--json"]);
        let tried: Value = serde_json::from_str(&short.stdout).unwrap();
        assert_eq!(
            (short.code, &tried["passed_ppm"]),
            (1, &json!(0)),
            "{short}"
        );
        assert_ne!(tried["cost"], "0.00", "{short}");
        assert!(tried["cases"][0]["error"].is_string(), "{short}");
    }
    let cases = source.split("[[golden]]").next().unwrap();
    folder.write("none.toml", cases);
    for more in [
        &["fn", "test"][..],
        &["fn", "eval", "--suite", "none-suite.toml"],
    ] {
        let none = folder.run(&[more, &["none.toml"]].concat());
        assert!(
            none.stderr.contains("the function has no golden cases"),
            "{none}"
        );
    }
    assert!(!folder.file("none-suite.toml").exists());
    drop(node);
    let gone = folder.run(&[
        "fn",
        "eval",
        "sentiment.toml",
        "--url",
        "http://127.0.0.1:1",
    ]);
    assert_eq!(gone.code, 1, "{gone}");
    assert!(gone.stderr.contains("no node answers at"), "{gone}");
    let json = folder.run(&["fn", "new", "x.json"]);
    assert!(json.stderr.contains("hint: name it x.toml"), "{json}");
}

#[test]
fn what_is_wrong_with_a_function_is_said_by_its_place() {
    let (folder, _node) = published();
    check!(folder.run(&["fn", "run", "ada/kinds", "--input", r#"{"text": 5}"#]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: input.text: 5 is not of type "string"
    hint: correct the input: `aigen fn show NAME` shows what a function takes
    "#);
    check!(folder.run(&["fn", "run", "ada/kinds@2", "--input", r#"{"text": "a"}"#]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: function `ada/kinds@2` is not published here
    hint: `aigen fn list` lists what is published here
    "#);
    check!(folder.run(&["fn", "run", "kinds.toml", "--input", "Hello"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the input is not JSON
      because: expected value at line 1 column 1
    hint: give an object, like --input '{"text": "…"}'
    "#);
    check!(folder.run(&["fn", "run", "nothing", "--input", "{}"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: nothing is neither a file nor a published function
      because: "nothing" is not a controller version: write it as owner/name, owner/name@1.2.3, @1.2, @1 or @tag
    hint: give a function's file, or OWNER/NAME with or without @VERSION
    "#);
    check!(folder.run(&["fn", "run", "kinds.toml", "--input", r#"{"txt": "a"}"#]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the input does not fit
      because: input: there is no field `txt`; there are text, known-tags, class
    hint: its schema is the file's `input`
    "#);
    check!(folder.run(&["fn", "test", "missing.toml"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot read the function missing.toml
      because: No such file or directory (os error 2)
    hint: give the path of a function's file; `aigen fn new FILE` begins one
    "#);
    folder.write(
        "bad.toml",
        KINDS.replace("Hello.", "aaaaaaaa").replace("400},", "4},"),
    );
    check!(folder.run(&["fn", "publish", "bad.toml", "ada/bad@1.0.0"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: bad.toml is no function that can work
      because: the function: golden[0].input.text: "aaaaaaaa" is longer than 4 characters
    hint: correct it; docs/guides/functions.md says what a function is made of
    "#);
}

const WORDS: &str = r#"
description = "Name words."
max_tokens = 20
input = '{"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}'
output = '{"type": "array", "minItems": 3, "items": {"type": "string"}}'
"#;

/// It is whole all the same, from a file and published.
#[test]
fn a_value_that_was_closed_early_says_so() {
    let folder = Folder::new();
    let _node = folder.dev();
    folder.write("words.toml", WORDS);
    folder.json(&["fn", "publish", "words.toml", "ada/words@1.0.0"]);
    for function in ["words.toml", "ada/words"] {
        let answer = folder.json(&["fn", "run", function, "--input", r#"{"text": "a"}"#]);
        let words = answer["value"].as_array().unwrap();
        assert!(words.len() >= 3, "{answer}");
        assert_eq!(answer["guarantee"], "decoder", "{answer}");
        assert_eq!(answer["closed_early"], true, "{answer}");
    }
}

#[test]
fn what_a_call_would_cost_is_said_of_its_input() {
    let (folder, _node) = published();
    let input = r#"{"text": "Hello."}"#;
    let price = ["price", "fn:ada/kinds@1.0.0", "--input", input];
    let quote = folder.json(&price);
    assert_eq!(
        (&quote["model"], &quote["output_tokens"], &quote["retries"]),
        (&json!("aigen-tiny"), &json!(400), &json!(0))
    );
    let short = folder.json(&[&price[..], &["--output", "9", "--model", "aigen-tiny"]].concat());
    assert_eq!(short["output_tokens"], 9, "{short}");
    let told = folder.run(&price).stdout;
    let tokens = &quote["prompt_tokens"];
    let first = format!("{tokens} prompt tokens and 400 output tokens of aigen-tiny cost at most ");
    assert!(told.starts_with(&first), "{told}");
    let ran = folder.json(&["fn", "run", "ada/kinds", "--input", input]);
    let receipt = folder.json(&["receipt", ran["receipt"].as_str().unwrap()]);
    assert_eq!(&receipt["usage"]["prompt_tokens"], tokens, "{receipt}");
    check!(folder.run(&["price", "fn:ada/kinds", "--input", r#"{"txt": 5}"#]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: input: there is no field `txt`; there are text, known-tags, class
    hint: correct the input: `aigen fn show NAME` shows what a function takes
    "#);
    check!(folder.run(&["price", "fn:ada/kinds", "--prompt", "9", "--output", "9"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: what ada/kinds costs depends on what it is called with
    hint: give its input: aigen price fn:ada/kinds --input '{…}'; aigen fn show ada/kinds shows what it takes
    "#);
    check!(folder.run(&["price", "aigen-tiny", "--input", "{}"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: aigen-tiny is a model, and only functions take an input
    hint: name a function, fn:OWNER/NAME, or ask the model with --ask
    "#);
    check!(folder.run(&["price", "fn:kinds", "--input", "{}"]), @r#"
    exit code: 2
    ----- stdout
    ----- stderr
    error: invalid value 'fn:kinds' for '[MODEL]': "kinds" is not a controller version: write it as owner/name, owner/name@1.2.3, @1.2, @1 or @tag

    For more information, try '--help'.
    "#);
}

async fn tools(node: &Serving, key: &str) -> Result<RunningService<RoleClient, ()>, String> {
    aigen_client::install_tls();
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", node.url()));
    let config = config.auth_header(key);
    let client = ().serve(StreamableHttpClientTransport::from_config(config)).await;
    client.map_err(|error| error.to_string())
}

fn object(value: Value) -> JsonObject {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn functions_are_tools_of_the_model_context_protocol() {
    let (folder, node) = published();
    let client = tools(&node, node.key()).await.unwrap();
    let listed = client.list_all_tools().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "ada__kinds");
    assert_eq!(listed[0].input_schema["required"], json!(["text"]));
    assert!(listed[0].output_schema.is_some());
    let call = |tool: &'static str, input: Value| {
        let asked = CallToolRequestParams::new(tool).with_arguments(object(input));
        client.call_tool(asked)
    };
    let called = call("ada__kinds", json!({"text": "Hello."})).await.unwrap();
    assert_eq!(called.is_error, Some(false), "{called:?}");
    let value = called.structured_content.unwrap();
    assert!(
        ["a", "b"].contains(&value["label"].as_str().unwrap()),
        "{value}"
    );
    let receipt = &called.meta.unwrap().0["aigen/receipt"];
    assert_eq!(receipt["guarantee"], "decoder");
    let receipt = folder.json(&["receipt", receipt["id"].as_str().unwrap()]);
    assert_eq!(receipt["controller"], "ada/kinds@1.0.0");
    assert_eq!(receipt["payer"], "user:dev");
    // A call bounds what it may cost, and chooses whatever else it may.
    for (options, code) in [
        (json!({"max_cost": "0.0000001"}), "budget_too_small"),
        (json!({"max_tokens": 1}), "truncated"),
        (json!({"max_tokns": 1}), "invalid_json"),
    ] {
        let input = object(json!({"text": "Hello."}));
        let mut asked = CallToolRequestParams::new("ada__kinds").with_arguments(input);
        let meta = object(json!({"aigen/options": options}));
        asked.meta = Some(RequestMetaObject::from(meta));
        let refused = client.call_tool(asked).await.unwrap();
        assert_eq!(refused.is_error, Some(true), "{refused:?}");
        assert_eq!(refused.meta.unwrap().0["aigen/error"]["code"], code);
    }
    for (tool, input, expected) in [
        (
            "ada__kinds",
            json!({"text": 5}),
            "input.text: 5 is not of type",
        ),
        (
            "ada__none",
            json!({}),
            "function `ada/none` is not published here",
        ),
        ("kinds", json!({}), "there is no tool `kinds`"),
    ] {
        let refused = call(tool, input).await.unwrap();
        assert_eq!(refused.is_error, Some(true), "{refused:?}");
        let said = serde_json::to_string(&refused.content).unwrap();
        assert!(said.contains(expected), "{said}");
    }
    client.cancel().await.unwrap();

    // What is no JSON-RPC is told so in JSON-RPC.
    let headers = format!(
        "authorization: Bearer {}\r\naccept: application/json, text/event-stream",
        node.key()
    );
    for (method, headers, status, code) in [
        (
            "POST",
            format!("{headers}\r\ncontent-type: text/plain"),
            415,
            -32700,
        ),
        (
            "POST",
            format!("{headers}\r\ncontent-type: application/json"),
            415,
            -32700,
        ),
        ("GET", headers.clone(), 405, -32600),
    ] {
        let refused = support::http::raw(node.url(), method, "/mcp", &headers, "nonsense");
        assert_eq!(refused.status, status, "{method} {headers}");
        assert_eq!(refused.json()["error"]["code"], code, "{method} {headers}");
    }

    // The caller's own key, and nobody else's.
    let stranger = tools(&node, "aigen-nobody-000").await.unwrap();
    let refused = stranger.list_all_tools().await.unwrap_err().to_string();
    assert!(
        refused.contains("the API key is missing or wrong"),
        "{refused}"
    );
    assert!(tools(&node, "").await.is_err());
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}\n{complained}");
    said
}

const PYTHON: &str = r#"
from aigen_functions import AdaKindsInput, FunctionError, Functions, Options

functions = Functions()
asked: AdaKindsInput = {"text": "Hello.", "known-tags": ["x"], "class": None}
options: Options = {"seed": 7, "max_cost": "1"}
first = functions.ada_kinds(asked, options, idempotency_key="one")
again = functions.ada_kinds(asked, options, idempotency_key="one")
value = first.value
parts: list[int] = [part["from"] for part in value["parts"]]
following: int | None = value["next"]["from"] if value["next"] is not None else None
assert value["label"] in ("a", "b") and len(parts) <= 2 and value == again.value
assert first.receipt["id"] == again.receipt["id"] and first.receipt["guarantee"] == "decoder"
try:
    functions.call("ada/kinds", {"text": 5})
    raise SystemExit("taken")
except FunctionError as refused:
    assert (refused.status, refused.code, refused.param) == (422, "invalid_input", "input.text"), refused
    assert refused.hint is not None and str(refused).endswith(refused.hint)
assert Functions(functions.url + "/v1").ada_kinds(asked, options).receipt["guarantee"] == "decoder"
try:
    Functions("http://127.0.0.1:1").ada_kinds(asked)
    raise SystemExit("reached")
except FunctionError as away:
    assert away.status == 0 and "no node was reached at http://127.0.0.1:1: " in str(away), away
    assert "hint: start a node with `aigen dev`" in str(away), away
print("all passed")
"#;

const WRONG_PYTHON: &str = r#"
from aigen_functions import Functions

value = Functions().ada_kinds({"txt": "Hello."}).value
print(value["label"] + 1)
"#;

#[test]
fn the_python_client_is_typed_and_calls() {
    let Some(python) = python("mypy") else {
        return;
    };
    let (folder, node) = published();
    folder.json(&["gen", "python", "--out", "clients"]);
    let clients = folder.file("clients");
    let script = folder.write("clients/use.py", PYTHON);
    let mypy = |file: &str| {
        let mut command = Command::new(&python);
        let options = [
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--python-version",
            "3.11",
        ];
        command.args(options).arg(file).current_dir(&clients);
        command
    };
    succeeds(&mut mypy("use.py"));
    folder.write("clients/wrong.py", WRONG_PYTHON);
    let wrong = mypy("wrong.py").output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert!(
        said.contains("typeddict-unknown-key") || said.contains("typeddict-item"),
        "{said}"
    );
    assert!(said.contains("[operator]"), "{said}");
    let mut run = Command::new(&python);
    run.arg(script)
        .current_dir(&clients)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AIGEN_URL", node.url())
        .env("AIGEN_KEY", node.key());
    assert_eq!(succeeds(&mut run), "all passed\n");
}

const TYPESCRIPT: &str = r#"
import { FunctionError, Functions, type AdaKindsInput } from "./aigen-functions.js";

declare const process: { env: Record<string, string | undefined> };
const functions = new Functions();
const asked: AdaKindsInput = { text: "Hello.", "known-tags": ["x"], class: null };
const first = await functions.adaKinds(asked, { seed: 7, idempotencyKey: "two" });
const again = await functions.adaKinds(asked, { seed: 7, idempotencyKey: "two" });
const label: "a" | "b" = first.value.label;
const parts: number[] = first.value.parts.map((part) => part.from);
const following: number | null = first.value.next?.from ?? null;
const same = first.receipt.id === again.receipt.id && first.receipt.guarantee === "decoder";
if (!same || !["a", "b"].includes(label) || parts.length > 2 || following === undefined) {
  throw new Error(JSON.stringify(first));
}
try {
  await functions.call("ada/kinds", { text: 5 });
  throw new Error("taken");
} catch (refused) {
  if (!(refused instanceof FunctionError) || refused.param !== "input.text") {
    throw refused;
  }
}
await new Functions({ url: `${process.env["AIGEN_URL"]}/v1` }).adaKinds(asked);
const away = await new Functions({ url: "http://127.0.0.1:1" }).adaKinds(asked).catch((error: unknown) => error);
if (!(away instanceof FunctionError) || away.status !== 0 || !away.hint || !away.message.includes(away.hint)) {
  throw away;
}
console.log("all passed");
"#;

const WRONG_TYPESCRIPT: &str = r#"
import { Functions } from "./aigen-functions.js";

const functions = new Functions({ url: "", key: "" });
const reply = await functions.adaKinds({ txt: "Hello." });
export const label: number = reply.value.label;
"#;

#[test]
fn the_typescript_client_is_typed_and_calls() {
    let Some(packages) = packages("typescript") else {
        return;
    };
    let (folder, node) = published();
    folder.json(&["gen", "ts", "--function", "ada/kinds@1", "--out", "clients"]);
    let clients = folder.file("clients");
    folder.write("clients/package.json", r#"{"type": "module"}"#);
    folder.write("clients/use.ts", TYPESCRIPT);
    let tsc = |file: &str| {
        let mut command = Command::new("node");
        command
            .arg(packages.join("node_modules/typescript/bin/tsc"))
            .args(["--strict", "--noUncheckedIndexedAccess"])
            .args(["--exactOptionalPropertyTypes", "--target", "es2022"])
            .args(["--module", "nodenext", "--outDir", "out", file])
            .current_dir(&clients);
        command
    };
    succeeds(&mut tsc("use.ts"));
    folder.write("clients/wrong.ts", WRONG_TYPESCRIPT);
    let wrong = tsc("wrong.ts").output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert!(
        said.contains("'txt' does not exist") && said.contains("to type 'number'"),
        "{said}"
    );
    let mut run = Command::new("node");
    run.arg("out/use.js")
        .current_dir(&clients)
        .env("AIGEN_URL", node.url())
        .env("AIGEN_KEY", node.key());
    assert_eq!(succeeds(&mut run), "all passed\n");
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
enum Mood {
    Glad,
    Sad,
}

/// Say which mood `text` is in.
/// What it answers to may flip it.
#[ai_fn(publish, max_tokens = 20, temperature = 0.0)]
async fn mood(
    /** the message */
    text: &str,
    context: Option<&str>,
) -> Result<Mood, AiError>;

/// A signature in Rust, its source, and the published function ask in the same words.
#[tokio::test]
async fn a_function_in_rust_is_published_as_it_is_called() {
    let source = mood::source().unwrap();
    let function = aigen_functions::Function::parse(&source).unwrap();
    assert_eq!(function.input()["required"], json!(["text"]));
    let input = json!({"text": "What a day.", "context": "How was it?"});
    let (here, there) = (
        mood::prompt("What a day.", Some("How was it?")).unwrap(),
        function.word(&input).unwrap(),
    );
    assert_eq!((&here.system, &here.user), (&there.system, &there.user));

    let folder = Folder::new();
    let node = folder.dev();
    folder.write("mood.json", source);
    folder.json(&["fn", "publish", "mood.json", "ada/mood@1.0.0"]);
    let client = aigen_client::Client::new(node.url(), node.key()).unwrap();
    let body = json!({ "input": input });
    let reply: Value = client.post("/v1/functions/ada/mood", &body).await.unwrap();
    let called = mood::call("What a day.", Some("How was it?")).on(&client);
    assert_eq!(
        reply["value"].to_string(),
        called.detailed().await.unwrap().raw
    );
    let tokens = here.tokens(&client, "aigen-tiny").await.unwrap();
    assert_eq!(reply["receipt"]["usage"]["prompt_tokens"], tokens);
    let likely = classify::<Mood>("What a day.")
        .on(&client)
        .probabilities()
        .await
        .unwrap();
    let sum: f64 = likely.iter().map(|(_, share)| share).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{likely:?}");
}
