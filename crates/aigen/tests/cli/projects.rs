//! Controllers from `new` to `test`, in every language that there is a toolchain for.

use crate::components;
use crate::support::{Folder, Ran, guests};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A tool that `scripts/setup --tests` brings; `None`, with a word about it, if it is not here.
fn tool(path: &str) -> Option<PathBuf> {
    let path = guests::root().join("target").join(path);
    if path.exists() {
        return Some(path.canonicalize().unwrap());
    }
    guests::skip(&format!(
        "{} is missing; run scripts/setup --tests",
        path.display()
    ));
    None
}

fn run(folder: &Folder, args: &[&str], tool: Option<(&str, &PathBuf)>) -> Ran {
    let mut command = folder.command(args);
    // One folder for the crates that every new project needs.
    command.env(
        "CARGO_TARGET_DIR",
        guests::root().join("target/controllers"),
    );
    if let Some((variable, tool)) = tool {
        command.env(variable, tool);
    }
    folder.ran(&mut command)
}

/// The whole way of a new project; what the trial said.
fn tried(language: &str, tool: Option<(&str, &PathBuf)>) -> Value {
    let folder = Folder::new();
    let made = run(
        &folder,
        &["controller", "new", "yes-no", "--lang", language],
        tool,
    );
    assert_eq!(made.code, 0, "{made}");
    let again = run(
        &folder,
        &["controller", "new", "yes-no", "--lang", language],
        tool,
    );
    assert!(again.stderr.contains("is there already"), "{again}");
    let trial = [
        "controller",
        "test",
        "yes-no",
        "--prompt",
        "Is 7 prime?",
        "--json",
    ];
    let ran = run(&folder, &trial, tool);
    assert_eq!(ran.code, 0, "{ran}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["traces"][0]["wrong"], Value::Null, "{report}");
    let session = &report["session"];
    let text = session["text"].as_str().unwrap();
    assert!(["yes", "no"].contains(&text), "{session}");
    let steps = session["steps"].as_array().unwrap();
    let said = |step: &Value| format!("{}: {}", step["why"], step["decision"]);
    let said: Vec<_> = steps.iter().map(said).collect();
    assert_eq!(
        said,
        [
            r#""opened": """#,
            r#""started": "generate""#,
            r#""matcher finished": "stop""#
        ]
    );
    assert!(steps[1]["masked"].as_u64().unwrap() > 0, "{session}");
    assert!(steps[1]["fuel"].as_u64().unwrap() > 0, "{session}");
    // A trace that expects something else fails, and says what.
    folder.write(
        "yes-no/traces/answers.trace",
        "prompt Q:\nmodel yes\ntext no\n",
    );
    let ran = run(&folder, &["controller", "test", "yes-no"], tool);
    assert_eq!(ran.code, 1, "{ran}");
    let wrong = "answers.trace:1: its text is \"yes\", not \"no\"";
    assert!(ran.stdout.contains(wrong), "{ran}");
    report
}

#[test]
fn a_project_in_rust() {
    if guests::example("yes-no").is_some() {
        tried("rust", None);
    }
}

#[test]
fn a_project_in_python() {
    if let Some(tool) = tool("python/bin/componentize-py") {
        tried("python", Some(("AIGEN_COMPONENTIZE_PY", &tool)));
    }
}

#[test]
fn a_project_in_javascript() {
    if let Some(tool) = tool("node/node_modules/.bin/componentize-qjs") {
        tried("js", Some(("AIGEN_COMPONENTIZE_QJS", &tool)));
    }
}

/// What is missing is named, with what brings it.
#[test]
fn a_toolchain_that_is_missing_is_named() {
    let folder = Folder::new();
    let nowhere = PathBuf::from("/nowhere/componentize-py");
    let tool = Some(("AIGEN_COMPONENTIZE_PY", &nowhere));
    run(
        &folder,
        &["controller", "new", "yes-no", "--lang", "python"],
        tool,
    );
    let ran = run(&folder, &["controller", "build", "yes-no"], tool);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("pip install componentize-py"), "{ran}");
    let ran = run(&folder, &["controller", "build", "."], tool);
    assert!(ran.stderr.contains("there is no controller in"), "{ran}");
}

/// Every command of the guide, in its order, as its reader would paste it.
#[test]
fn the_guide_is_true() {
    if guests::example("yes-no").is_none() {
        return;
    }
    let folder = Folder::new();
    let node = folder.serve(&[]);
    assert_eq!(folder.run(&["fund", "operator", "1"]).code, 0);
    let guide = guests::root().join("docs/guides/controller-author.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_aigen")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let (mut place, mut run) = (folder.path().to_owned(), 0);
    for line in guide.lines().filter_map(|line| line.strip_prefix("$ ")) {
        if let Some(into) = line.strip_prefix("cd ") {
            place = place.join(into);
            continue;
        }
        let receipt = match line.contains("RECEIPT") {
            true => components::get(&node, &folder, "/v1/aigen/receipts")["data"][0]["id"].clone(),
            false => Value::Null,
        };
        let line = line.replace("RECEIPT", receipt.as_str().unwrap_or_default());
        let mut command = folder.command(&[]);
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &line])
            .current_dir(&place)
            .env("PATH", &path);
        shell.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        shell.env("AIGEN_DATA_DIR", folder.file(".aigen"));
        shell.env(
            "CARGO_TARGET_DIR",
            guests::root().join("target/controllers"),
        );
        command = shell;
        let ran = folder.ran(&mut command);
        assert_eq!(ran.code, 0, "{line}\n{ran}");
        run += 1;
    }
    assert!(run > 8, "{run} commands");
}
