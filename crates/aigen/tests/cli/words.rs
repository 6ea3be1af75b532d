//! Commands that need neither a node nor a data folder.

use crate::check;
use crate::support::Folder;

#[test]
fn a_word_is_explained() {
    let folder = Folder::new();
    check!(folder.run(&["dict", "hold"]), @r"
    exit code: 0
    ----- stdout
    hold: money reserved for a running call; it ends in capture, void or expiry
      (not: lock, freeze, pending transaction)
    ----- stderr
    ");
    check!(folder.run(&["dict", "blockchain"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: `blockchain` is not a word of AiGen
    hint: `aigen dict` lists every word
    ");
    assert!(folder.json(&["dict"])["data"].as_array().unwrap().len() > 30);
}

#[test]
fn the_configuration_is_printed() {
    let folder = Folder::new();
    let defaults = folder.run(&["config", "--default"]);
    folder.write("aigen.toml", defaults.stdout);
    let config = folder.json(&["config"]);
    assert_eq!(config["listen"], "127.0.0.1:8000");
    assert_eq!(config["model"][0]["price"]["output"], "60.00");
    let config = folder.json(&["config", "--data-dir", "elsewhere"]);
    assert_eq!(config["data_dir"], "elsewhere");
}

#[test]
fn a_wrong_configuration_is_shown_with_its_line() {
    let folder = Folder::new();
    folder.write(
        "aigen.toml",
        "network = \"local\"\nlisten_on = \"0.0.0.0:80\"\n",
    );
    check!(folder.run(&["config"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: aigen.toml is not a valid configuration
      because: TOML parse error at line 2, column 1
      |
    2 | listen_on = "0.0.0.0:80"
      | ^^^^^^^^^
    unknown field `listen_on`, expected one of `listen`, `data_dir`, `journal`, `advertise`, `lease_seconds`, `models_dir`, `hub`, `network`, `snapshot_commands`, `grace_seconds`, `log`, `memory_mib`, `model`, `admission`, `outside`, `datasets`, `replays`, `tls`, `telemetry`, `cors`, `shares`, `settlement`
    hint: `aigen config --default` prints a file with every key and what it means
    "#);
    check!(folder.run(&["config", "--config", "missing.toml"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot read the configuration missing.toml
      because: No such file or directory (os error 2)
    hint: `aigen config --default > aigen.toml` writes one to start from
    ");
}

#[test]
fn completions_are_printed_for_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = folder.run(&["completions", shell]);
        assert_eq!(ran.code, 0, "{ran}");
        assert!(ran.stdout.contains("aigen"), "{shell}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let folder = Folder::new();
    for args in [
        &[][..],
        &["frobnicate"],
        &["fund", "user:ada"],
        &["fund", "user:ada", "1e9"],
    ] {
        assert_eq!(folder.run(args).code, 2, "{args:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let folder = Folder::new();
    let aigen = env!("CARGO_BIN_EXE_aigen");
    let pipe = format!("{aigen} config --default | head -1");
    let ran = folder.ran(std::process::Command::new("bash").args(["-o", "pipefail", "-c", &pipe]));
    assert_eq!(ran.code, 0, "{ran}");
}

/// Whoever asked for JSON reads JSON, however wrong the rest of the line is.
#[test]
fn wrong_usage_is_json_where_that_was_asked_for() {
    let folder = Folder::new();
    check!(folder.run(&["--json", "receipt"]), @r#"
    exit code: 2
    ----- stdout
    ----- stderr
    {"error":{"messages":["the following required arguments were not provided:\n  <ID>"],"hints":["Usage: aigen receipt <ID>","For more information, try '--help'."]}}
    "#);
    check!(folder.run(&["modles", "--json"]), @r#"
    exit code: 2
    ----- stdout
    ----- stderr
    {"error":{"messages":["unrecognized subcommand 'modles'"],"hints":["some similar subcommands exist: 'model', 'models'","Usage: aigen [OPTIONS] <COMMAND>","For more information, try '--help'."]}}
    "#);
    let help = folder.run(&["--json", "fund", "--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""), "{help}");
    assert!(help.stdout.contains("Issue money"), "{help}");
}

#[test]
fn a_wrong_value_is_told_what_it_should_be() {
    let folder = Folder::new();
    folder.write("short.lark", "start: \"a\"");
    folder.write("short.txt", "start: \"a\"");
    for (args, expected) in [
        (
            &["fund", "user:x", "-5"][..],
            "invalid value '-5' for '<AMOUNT>': an amount is ",
        ),
        (
            &["fn", "run", "a/b", "--input", "{}", "--budget", "-1"],
            "invalid value '-1' for '--budget <AMOUNT>': an amount is ",
        ),
        (
            &["receipt", "zzz"],
            "invalid value 'zzz' for '<ID>': an id is 32 hex digits",
        ),
        (
            &["refund", "zzz", "1"],
            "invalid value 'zzz' for '<CALL>': an id is 32 hex digits",
        ),
        (
            &["dataset", "grant", "acme/faq", "user:ada", "--days", "0"],
            "0 is not in 1..",
        ),
        (
            &["controller", "test", "short.lark"],
            "short.lark is no component: it does not begin as WebAssembly does\nhint: traces are of components",
        ),
        (
            &["controller", "publish", "short.txt", "ada/short@1.0.0"],
            "the name of short.txt does not say what it is\nhint: give the path of a Lark grammar",
        ),
        (
            &["controller", "new", "Bad Name"],
            "\"Bad Name\" cannot be the name of a controller\nhint: name the folder",
        ),
    ] {
        let ran = folder.run(args);
        assert_ne!(ran.code, 0, "{ran}");
        assert!(ran.stderr.contains(expected), "{expected}: {ran}");
    }
    assert!(!folder.file("Bad Name").exists());
}
