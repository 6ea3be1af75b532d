//! Other people's clients, unmodified, against the real binary, and against a node whose model
//! is a script where a larger one would be needed to call tools of its own accord.
//!
//! `AIGEN_TEST_PYTHON` names the interpreter that has them (`make test` makes one in
//! `target/python`), `AIGEN_TEST_NODE` the folder with Node.js packages (`target/node`). Where
//! one is missing its tests are skipped and say so; under `CI` they fail.

mod scripted;
#[path = "../support/mod.rs"]
mod support;

use scripted::Scripted;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::Folder;
use support::tools::{packages, python};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sdk")
        .join(name)
}

/// A function of two fields, of which a client sees no more than its name.
const MOOD: &str = r#"
description = "Judge the mood of `text`."
max_tokens = 60
output = '{"type": "object", "required": ["mood", "stars"], "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}}}'

[input]
type = "object"
required = ["text"]
properties.text = { type = "string", maxLength = 40 }
"#;

fn publish_mood(folder: &Folder) {
    folder.write("mood.toml", MOOD);
    folder.json(&["fn", "publish", "mood.toml", "ada/mood@1.0.0"]);
}

/// Runs a client to its end; it says `all passed` last.
#[track_caller]
fn run(client: &mut Command) {
    let output = client.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.ends_with("all passed\n"), "{said}\n{complained}");
}

#[test]
fn openai_sdk() {
    let Some(python) = python("openai") else {
        return;
    };
    let folder = Folder::new();
    let node = folder.dev();
    publish_mood(&folder);
    let poor = folder.json(&["key", "create", "user:poor"]);
    run(Command::new(python)
        .arg(script("openai_sdk.py"))
        .env("OPENAI_BASE_URL", format!("{}/v1", node.url()))
        .env("OPENAI_API_KEY", node.key())
        .env("POOR_KEY", poor["key"].as_str().unwrap()));
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(verified["issued"], verified["balances"]);
}

#[test]
fn anthropic_sdk() {
    let Some(python) = python("anthropic") else {
        return;
    };
    let folder = Folder::new();
    let node = folder.dev();
    publish_mood(&folder);
    run(Command::new(python)
        .arg(script("anthropic_sdk.py"))
        .env("ANTHROPIC_BASE_URL", node.url())
        .env("ANTHROPIC_API_KEY", node.key()));
}

#[test]
fn openai_node_sdk() {
    let Some(packages) = packages("openai") else {
        return;
    };
    let folder = Folder::new();
    let node = folder.dev();
    publish_mood(&folder);
    // Packages are looked up beside the script.
    let script = std::fs::read_to_string(script("openai_sdk.mjs")).unwrap();
    let script = {
        let path = packages.join("openai_sdk.mjs");
        std::fs::write(&path, script).unwrap();
        path
    };
    run(Command::new("node")
        .arg(script)
        .env("OPENAI_BASE_URL", format!("{}/v1", node.url()))
        .env("OPENAI_API_KEY", node.key()));
}

/// LangChain's own standard tests of a chat model. They want tools to be called without being
/// forced, which takes a larger model than the bundled one; hence the script.
#[test]
fn langchains_standard_tests() {
    let Some(python) = python("langchain_tests") else {
        return;
    };
    let scripted = Scripted::start();
    let output = Command::new(python)
        .args([
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--asyncio-mode=auto",
            // langchain-openai keeps its connections from one test to the next.
            "-o",
            "asyncio_default_test_loop_scope=session",
        ])
        .arg(script("langchain_standard.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("OPENAI_BASE_URL", format!("{}/v1", scripted.url()))
        .env("OPENAI_API_KEY", scripted.key())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains(" passed"), "{said}\n{complained}");
}

/// Schemathesis makes requests up from the OpenAPI document, good and bad ones: none ends in a
/// 500, and every answer has the status, type and shape that the document says.
#[test]
fn schemathesis() {
    let Some(python) = python("schemathesis") else {
        return;
    };
    let scripted = Scripted::start();
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    let folder = Folder::new();
    let output = Command::new(python)
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("{}/api-doc/openapi.json", scripted.url()))
        .args(["--checks", checks, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "15", "--seed", "7", "--workers", "1"])
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .arg(format!(
            "--header=Authorization: Bearer {}",
            scripted.operator()
        ))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
}

/// A package of our own, and what it is tested against.
fn package(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../sdk")
        .join(name)
}

/// `sdk/python`: its types hold under mypy, and everything it claims holds before a real node.
#[test]
fn the_python_package() {
    let Some(python) = python("mypy") else {
        return;
    };
    let package = package("python");
    let folder = Folder::new();
    let checked = Command::new(&python)
        .args(["-m", "mypy", "--strict", "src", "tests", "--cache-dir"])
        .arg(folder.file("mypy"))
        .env("MYPYPATH", "src")
        .current_dir(&package)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}");
    pages_are_typed(&python, &folder);
    let node = folder.dev();
    let poor = folder.json(&["key", "create", "user:poor"]);
    folder.write("rows.csv", "a,b\n1,2\n3,4\n");
    let publish = ["dataset", "publish", "rows.csv", "--name", "dev/rows@1.0.0"];
    folder.json(&[&publish[..], &["--licence", "MIT", "--open"]].concat());
    let read = folder.json(&["dataset", "rows", "dev/rows"]);
    run(Command::new(python)
        .arg(package.join("tests/run.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("READ", read["receipt"].as_str().unwrap())
        .env("AIGEN_URL", node.url())
        .env("AIGEN_KEY", node.key())
        .env("POOR_KEY", poor["key"].as_str().unwrap()));
}

/// What pages say in Python holds under mypy, for who pastes it.
fn pages_are_typed(python: &Path, folder: &Folder) {
    let package = package("python");
    for page in ["README.md", "../../docs/guides/ai-functions.md"] {
        let text = std::fs::read_to_string(package.join(page)).unwrap();
        let blocks = text.split("```python\n").skip(1);
        let blocks: Vec<_> = blocks
            .map(|block| block.split("```").next().unwrap())
            .collect();
        assert!(!blocks.is_empty(), "{page}");
        folder.write("page.py", blocks.join("\n"));
        let checked = Command::new(python)
            .args(["-m", "mypy", "--strict", "page.py", "--cache-dir", "mypy"])
            .env("MYPYPATH", package.join("src"))
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{page}: {said}");
    }
}

/// It builds a wheel, which is all that an empty environment needs.
#[test]
fn the_python_package_is_a_wheel() {
    let Some(python) = python("hatchling") else {
        return;
    };
    let folder = Folder::new();
    let pip = |python: &Path, args: &[&str]| {
        let mut command = Command::new(python);
        command.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
        let output = command.args(args).current_dir(folder.path()).output();
        let output = output.unwrap();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {complained}");
    };
    let package = package("python");
    let package = package.to_str().unwrap();
    let built = ["--no-deps", "--no-build-isolation", "--no-index"];
    pip(
        &python,
        &[&["wheel"], &built[..], &["--wheel-dir", "wheels", package]].concat(),
    );
    let empty = folder.file("empty");
    let mut made = Command::new(&python);
    made.args(["-m", "venv"]).arg(&empty);
    assert!(made.status().unwrap().success());
    let python = empty.join("bin/python");
    pip(
        &python,
        &["install", "--no-index", "--find-links", "wheels", "aigen"],
    );
    let node = folder.dev();
    let script = "import aigen; print(aigen.__file__, aigen.AiGen().account().address)";
    let output = Command::new(python)
        .args(["-c", script])
        .env("AIGEN_URL", node.url())
        .env("AIGEN_KEY", node.key())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("site-packages") && said.ends_with(" user:dev\n"),
        "{said}{complained}"
    );
}

/// `sdk/typescript`: packed, installed into an empty folder, its types compared, everything it claims before a real node.
#[test]
fn the_typescript_package() {
    let Some(packages) = packages("typescript") else {
        return;
    };
    let folder = Folder::new();
    let node = folder.dev();
    let poor = folder.json(&["key", "create", "user:poor"]);
    run(Command::new("node")
        .arg(package("typescript").join("tests/run.mjs"))
        .arg(packages)
        .env("AIGEN_URL", node.url())
        .env("AIGEN_KEY", node.key())
        .env("POOR_KEY", poor["key"].as_str().unwrap()));
}

/// What `aigen dev` prints for Python works when it is pasted.
#[test]
fn the_snippet_of_aigen_dev() {
    use std::io::{BufRead, BufReader};
    let Some(python) = python("openai") else {
        return;
    };
    let folder = Folder::new();
    let mut dev = folder
        .command(&["dev", "--port", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(dev.stdout.take().unwrap()).lines();
    let lines = lines
        .map(Result::unwrap)
        .skip_while(|line| !line.starts_with("from openai"));
    let snippet: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let output = Command::new(python)
        .args(["-c", &snippet.join("\n")])
        .output();
    dev.kill().unwrap();
    dev.wait().unwrap();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{snippet:#?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!output.stdout.is_empty());
}
