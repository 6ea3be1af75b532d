mod page;

use super::*;
use crate::failure;

#[test]
fn the_default_file_says_the_defaults() {
    let config = Config::parse(DEFAULT_FILE).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(Config::parse("").unwrap(), Config::default());
}

#[test]
fn the_effective_configuration_reads_back() {
    let config = Config::default();
    let printed = toml::to_string(&config).unwrap();
    assert_eq!(Config::parse(&printed).unwrap(), config);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (file, expected) in [
        ("\nlisten_on = \"x\"", "line 2"),
        ("\nlisten_on = \"x\"", "unknown field `listen_on`"),
        ("listen = \"nowhere\"", "invalid socket address"),
        ("[[model]]\nname = \"m\"\nprize = 3", "line 3"),
        (
            "[[model]]\nname = \"m\"\nprice = { output = \"1e9\" }",
            "digits",
        ),
        ("[settlement]\nunknown = 1", "unknown field `unknown`"),
        ("network = \"Two Words\"", "is not a name"),
    ] {
        let error = Config::parse(file).unwrap_err().to_string();
        assert!(error.contains(expected), "{file}:\n{error}");
    }
}

#[test]
fn what_does_not_add_up_is_refused() {
    for (file, expected) in [
        ("model = []", "names no model"),
        (
            "[[model]]\nname = \"m\"\n[[model]]\nname = \"m\"",
            "are named `m`",
        ),
        ("[cors]\norigins = [\"*\"]", "`*` is not an origin"),
        (
            "[cors]\norigins = [\"https://app.example/\"]",
            "is not an origin",
        ),
        (
            "[cors]\norigins = [\"https://app.example:443\"]",
            "is not an origin",
        ),
        ("[shares]\nprovider = 1000000", "does not add up"),
        ("[shares]\nprovider = 2000000", "above 1000000"),
        ("[settlement]\ntol = 0", "tol"),
        ("[settlement]\nprior = 1000001", "prior"),
        (
            "grace_seconds = 86401",
            "`grace_seconds` is 86401, and may be 0 to 86400",
        ),
        ("lease_seconds = 0", "`lease_seconds` is 0, and may be 1 to"),
        (
            "[admission]\nqueue_seconds = 9223372036854775807",
            "`queue_seconds` of [admission] is 9223372036854775807",
        ),
        ("snapshot_commands = 0", "`snapshot_commands` is 0"),
        ("advertise = \"foo\"", "`advertise` is no URL"),
        (
            "[[model]]\nname = \"m\"\nprice = { input = \"1000000000.1\" }",
            "`input` of the model `m` is 1000000000.1",
        ),
        (
            "[[model]]\nname = \"m\"\ncontext_tokens = 9\n[model.remote]\nanswer_tokens = 0\n[[model.upstream]]\nbase_url = \"http://h\"",
            "`answer_tokens` of [model.remote] is 0",
        ),
        (
            "[[model]]\nname = \"m\"\ncontext_tokens = 9\n[[model.upstream]]\nbase_url = \"http://h\"\nmodel = \"\"",
            "a model without a name",
        ),
        (
            "[[model]]\nname = \"m\"\ncontext_tokens = 9\n[[model.upstream]]\nbase_url = \"http://h/v1?key=abc\"",
            "is not the base URL",
        ),
        ("[admission]\nqueue_seconds = 0", "nobody would be let in"),
        (
            "[replays]\ndays = 9223372036854775807",
            "`days` of [replays] is",
        ),
        (
            "[replays]\nmib = 9223372036854775807",
            "`mib` of [replays] is",
        ),
        (
            "[datasets]\nupload_mib = 0",
            "`upload_mib` of [datasets] is 0",
        ),
        (
            "[[model]]\nname = \"m\"\ncontext_tokens = 9\n[model.remote]\nidle_seconds = 0\n[[model.upstream]]\nbase_url = \"http://h\"",
            "`idle_seconds` of [model.remote] is 0",
        ),
    ] {
        let error = Config::parse(file).unwrap().check().unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains(expected), "{file}:\n{error}");
    }
}

/// A reload logs why it failed.
#[test]
fn no_error_repeats_a_password() {
    let of_upstream = "[[model]]\nname = \"m\"\ncontext_tokens = 9\n[[model.upstream]]\nbase_url = \"http://admin:hunter2@10.0.0.1/v1\"";
    let of_tool = "[[outside.tool]]\nname = \"t\"\nurl = \"http://admin:hunter2@10.0.0.1/v1\"";
    for file in [
        of_upstream,
        of_tool,
        "[telemetry]\notlp = \"http://admin:hunter2@10.0.0.1\"",
        "journal = [\"postgres://admin:hunter2@10.0.0.1/db\"]",
    ] {
        let error = Config::parse(file).and_then(|config| config.check());
        let error = format!("{:#}", error.unwrap_err());
        assert!(error.contains("://…@10.0.0.1"), "{file}:\n{error}");
        assert!(
            !error.contains("hunter2") && !error.contains("admin"),
            "{error}"
        );
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let mut config = Config::parse("network = \"file\"\ngrace_seconds = 3").unwrap();
    let variable = |name: &str| (name == "AIGEN_NETWORK").then(|| "env".to_owned());
    config.apply_env(variable).unwrap();
    assert_eq!(config.network.as_str(), "env");
    assert_eq!(config.grace_seconds, 3);
}

#[test]
fn a_wrong_variable_is_named() {
    let variable = |name: &str| (name == "AIGEN_LISTEN").then(|| "8000".to_owned());
    let error = Config::default().apply_env(variable).unwrap_err();
    assert!(error.to_string().contains("AIGEN_LISTEN"), "{error}");
    assert_ne!(
        failure::report(&error, true),
        std::process::ExitCode::SUCCESS
    );
}
