//! Controllers from `new` to `test`, in every language that there is a toolchain for.

use crate::check;
use crate::components;
use crate::support::tools::python;
use crate::support::{Folder, Ran};
use aigen_testkit_guests as guests;
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

/// clang with its linker; `None`, with a word about it, if one of them is not here.
fn c_tools() -> Option<()> {
    let there = ["clang", "wasm-ld"].map(|tool| {
        let ran = std::process::Command::new(tool).arg("--version").output();
        ran.is_ok_and(|ran| ran.status.success())
    });
    if there == [true; 2] {
        return Some(());
    }
    guests::skip("clang or wasm-ld is missing; run scripts/setup --tests");
    None
}

#[test]
fn a_project_in_c() {
    if c_tools().is_some() {
        tried("c", None);
    }
}

/// Two branches put in what they keep notes of, say a token each and tell each other; the second is kept, and says how often it
/// was asked.
const FORKS: &str = r#"
#include "aigen_controller.h"

typedef struct {
  uint32_t index;
  int64_t steps;
  char *notes;
} forks;

static bool open(void *state, const aigen_request *request, aigen_error *error) {
  forks *self = state;
  if (!aigen_is(request->argument, "{\"loud\":true}")) return aigen_invalid(error, "it is not loud");
  self->notes = malloc(1);
  return true;
}

static bool forked(const void *state, void *copy, uint32_t index, aigen_error *error) {
  (void)state, (void)error;
  ((forks *)copy)->index = index;
  ((forks *)copy)->notes = malloc(100000);
  return true;
}

static bool step(void *state, const aigen_step *step, aigen_decision *decision, aigen_error *error) {
  forks *self = state;
  self->steps++;
  if (step->why.tag == AIGEN_STARTED) {
    aigen_fork(decision, 1);
    return true;
  }
  if (self->steps < 40) {
    self->notes = realloc(self->notes, (size_t)self->steps * 1000);
    memset(self->notes, 'n', (size_t)self->steps * 1000);
    aigen_edit(decision, 0, "n");
    return true;
  }
  if (step->why.tag == AIGEN_EDITED) {
    aigen_segment_t *segment = aigen_segment(decision);
    aigen_until_tokens(segment, 1);
    aigen_until_text(segment, "zz");
    aigen_until_text(segment, "yy");
    aigen_temperature(segment, 0);
    return true;
  }
  if (self->index == 0) {
    aigen_stop_unkept(decision);
    return aigen_set("over", "yes", 3, error);
  }
  aigen_list_u8_t over;
  if (!aigen_get("over", &over)) {
    aigen_wait_for_variable(decision, "over");
    return true;
  }
  aigen_list_u8_free(&over);
  aigen_log("the first is over");
  aigen_stop(decision);
  return true;
}

static void finish(void *state, aigen_text_t *json) {
  forks *self = state;
  aigen_add(json, "{\"steps\":");
  aigen_add_number(json, -self->steps);
  aigen_add(json, "}");
}

static void close(void *state) { free(((forks *)state)->notes); }

const aigen_controller controller = {
    .size = sizeof(forks), .open = open, .step = step, .fork = forked, .finish = finish, .close = close};
"#;

#[test]
fn a_controller_in_c_forks_waits_and_has_a_last_word() {
    if c_tools().is_none() {
        return;
    }
    let folder = Folder::new();
    let made = run(
        &folder,
        &["controller", "new", "forks", "--lang", "c"],
        None,
    );
    assert_eq!(made.code, 0, "{made}");
    folder.write("forks/controller.c", FORKS);
    std::fs::remove_file(folder.file("forks/traces/answers.trace")).unwrap();
    let manifest = std::fs::read_to_string(folder.file("forks/controller.toml")).unwrap();
    let manifest = manifest.replace(
        "additionalProperties = false",
        "additionalProperties = true",
    );
    let more = "[requires]\nfork = true\n\n[limits]\nbranches = 2\n";
    folder.write("forks/controller.toml", format!("{manifest}\n{more}"));
    let trial = [
        "controller",
        "test",
        "forks",
        "--prompt",
        "Hi",
        "--json",
        "--params",
    ];
    let tried = |params: &str| run(&folder, &[&trial[..], &[params]].concat(), None);
    let ran = tried("{\"loud\":true}");
    assert_eq!(ran.code, 0, "{ran}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let outcome = &report["session"]["outcome"];
    assert!(outcome.to_string().contains("steps"), "{report}");
    let refused = tried("{}");
    assert!(refused.to_string().contains("it is not loud"), "{refused}");
    // What is wrong with the source is told as clang tells it.
    folder.write("forks/controller.c", "int x = ;\n");
    let ran = run(&folder, &["controller", "build", "forks"], None);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("controller.c:1:9: error"), "{ran}");
    assert!(ran.stderr.contains("correct the source"), "{ran}");
    // A function that there is not is the author's matter, and no missing toolchain.
    let source = FORKS.replace("aigen_log(", "nobody_has(");
    folder.write(
        "forks/controller.c",
        format!("void nobody_has(const char *);\n{source}"),
    );
    let ran = run(&folder, &["controller", "build", "forks"], None);
    assert!(ran.stderr.contains("undefined symbol: nobody_has"), "{ran}");
    assert!(ran.stderr.contains("correct the source"), "{ran}");
}

/// What the author of a controller reads of every call to it, but for the times.
#[test]
fn a_trial_shows_every_step() {
    let folder = Folder::new();
    // Three tokens; two of them taken back and two others put in; one of a set of one; the end.
    let step = "(if (i32.eq (global.get $steps) (i32.const 1)) (then (call $any (i32.const 3))))
        (i32.store (i32.const 4096) (i32.const 300))
        (i32.store (i32.const 4100) (i32.const 301))
        (if (i32.eq (global.get $steps) (i32.const 2))
          (then (call $edit (i32.const 2) (i32.const 4096) (i32.const 2))))
        (if (i32.eq (global.get $steps) (i32.const 3))
          (then
            (call $tokens (i32.const 4096) (i32.const 1) (i32.const 2048))
            (call $of (call $id (i32.load (i32.const 2052))))))
        (if (i32.gt_u (global.get $steps) (i32.const 3)) (then (call $stop)))";
    folder.write("steps.wasm", guests::Guest::stepping(step).module());
    let trial = ["controller", "test", "steps.wasm", "--prompt", "Hello!"];
    let ran = run(&folder, &trial, None);
    check!(timeless(&ran), @r#"
    exit code: 0
    ----- stdout

    branch | at | because | sampled | forced | backtracked | masked | µs | fuel | decision
    0 | 0 | opened | 0 | 0 | 0 | 0 | [TIME] | 61
    0 | 0 | started | 0 | 0 | 0 | 0 | [TIME] | 194 | generate 3
    0 | 3 | token limit | 3 | 0 | 0 | 0 | [TIME] | 205 | edit: back 2, append 2
    0 | 3 | edited | 0 | 2 | 2 | 4095 | [TIME] | 927 | generate 1
    0 | 4 | token limit | 1 | 0 | 0 | 0 | [TIME] | 196 | stop

    Huestion inuestion
    ended with stop: 2 sampled, 2 forced, 2 discarded, 0 hidden; 1727 fuel; decisions [DIGEST]
    outcome "name"
    ----- stderr
    loading aigen-tiny from [FOLDER]/models/aigen-tiny-0d1749b5cbb464c7.gguf
    "#);
}

/// It logs while it opens, at its first step and at its end.
const SAYS: guests::Guest<'static> = guests::Guest {
    open: "(call $log (i32.const 1) (i32.const 16) (i32.const 4))",
    finish: "(call $log (i32.const 3) (i32.const 16) (i32.const 4))",
    ..guests::Guest::stepping(
        "(if (i32.eq (global.get $steps) (i32.const 1))
           (then (call $log (i32.const 2) (i32.const 16) (i32.const 17)) (call $any (i32.const 1)))
           (else (call $stop)))",
    )
};

#[test]
fn a_trial_shows_what_a_controller_logs() {
    let folder = Folder::new();
    folder.write("says.wasm", SAYS.module());
    let trial = ["controller", "test", "says.wasm", "--prompt", "Hello!"];
    let told = timeless(&run(&folder, &trial, None));
    let logged = told.lines().filter(|line| line.contains("| logged |"));
    assert_eq!(
        logged.collect::<Vec<_>>(),
        [
            "0 | 0 | logged | info: name",
            "0 | 0 | logged | warn: name of something",
            "0 | 1 | logged | error: name",
        ],
        "{told}"
    );
    let ran = run(&folder, &[&trial[..], &["--json"]].concat(), None);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let steps = report["session"]["steps"].as_array().unwrap();
    let lines: Vec<_> = steps
        .iter()
        .map(|step| format!("{} {}", step["why"], step["log"]))
        .collect();
    assert_eq!(
        lines,
        [
            r#""opened" [{"level":"info","message":"name"}]"#,
            r#""started" [{"level":"warn","message":"name of something"}]"#,
            r#""token limit" null"#,
            r#""finished" [{"level":"error","message":"name"}]"#,
        ],
        "{report}"
    );
    // One that does not open has said why before.
    let broken = guests::Guest {
        open: "(call $log (i32.const 1) (i32.const 16) (i32.const 4)) unreachable",
        ..SAYS
    };
    folder.write("says.wasm", broken.module());
    let told = timeless(&run(&folder, &trial, None));
    for words in [
        "0 | 0 | logged | info: name",
        "fault: trap",
        "ended with trap (the controller trapped in one call of `open`: ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

/// The cells of the table apart, and none of its times.
fn timeless(ran: &Ran) -> String {
    let said = ran.to_string();
    let lines = said.lines().map(|line| {
        let mut cells: Vec<&str> = line.split("  ").map(str::trim).collect();
        cells.retain(|cell| !cell.is_empty());
        if let [_, _, _, _, _, _, _, time, ..] = &mut cells[..]
            && time.parse::<u64>().is_ok()
        {
            *time = "[TIME]";
        }
        cells.join(" | ")
    });
    lines.collect::<Vec<_>>().join("\n")
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
    let nowhere = PathBuf::from("/nowhere/clang");
    let tool = Some(("AIGEN_CLANG", &nowhere));
    run(&folder, &["controller", "new", "in-c", "--lang", "c"], tool);
    let ran = run(&folder, &["controller", "build", "in-c"], tool);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("apt-get install clang lld"), "{ran}");
}

/// What both SDKs promise of a fork, over the host's handles as stubs: no toolchain is needed.
#[test]
fn a_fork_shares_nothing_that_can_change() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let sdk = guests::root().join("sdk");
    let python = python("copy").map(|python| (python, "forks.py", sdk.join("controller-python")));
    let node = (
        PathBuf::from("node"),
        "forks.mjs",
        sdk.join("controller-js/aigen-controller.js"),
    );
    for (interpreter, script, sdk) in python.into_iter().chain([node]) {
        let ran = std::process::Command::new(&interpreter)
            .arg(here.join(script))
            .arg(sdk)
            .output();
        let Ok(ran) = ran else {
            guests::skip(&format!("{} is missing", interpreter.display()));
            continue;
        };
        let complained = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(
            String::from_utf8_lossy(&ran.stdout),
            "all passed\n",
            "{complained}"
        );
    }
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
