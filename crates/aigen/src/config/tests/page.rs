//! The page of the configuration names every key and its default.

use crate::config::Config;
use std::collections::BTreeSet;
use std::fmt::Write;

const PAGE: &str = include_str!("../../../../../docs/reference/config.md");

/// Headings, the section each stands for, and what such a section cannot do without.
const SECTIONS: [(&str, &str, &str); 15] = [
    ("Top level", "", ""),
    ("`[[model]]`", "[[model]]", "name = \"aigen-tiny\""),
    ("`[model.price]`", "[model.price]", ""),
    (
        "`[[model.upstream]]`",
        "[[model.upstream]]",
        "base_url = \"http://a/v1\"",
    ),
    ("`[model.remote]`", "[model.remote]", ""),
    ("`[admission]`", "[admission]", ""),
    ("`[outside]`", "[outside]", ""),
    (
        "`[[outside.tool]]`",
        "[[outside.tool]]",
        "name = \"a\"\nurl = \"http://a/\"",
    ),
    ("`[datasets]`", "[datasets]", ""),
    ("`[replays]`", "[replays]", ""),
    ("`[tls]`", "[tls]", "certificate = \"a\"\nkey = \"b\""),
    ("`[telemetry]`", "[telemetry]", "otlp = \"http://a:4318\""),
    ("`[cors]`", "[cors]", ""),
    ("`[shares]`", "[shares]", ""),
    ("`[settlement]`", "[settlement]", ""),
];

/// The rows below a heading: key and default.
fn rows(heading: &str) -> Vec<(&'static str, &'static str)> {
    let (_, section) = PAGE
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no section {heading}"));
    let section = section.split("\n## ").next().unwrap();
    let cells = section
        .lines()
        .map(|line| line.split(" | ").collect::<Vec<_>>());
    let rows = cells.filter(|cells| cells.len() == 4 && cells[0].starts_with("| `"));
    rows.map(|cells| (cells[0][2..].trim_matches('`'), cells[2]))
        .collect()
}

/// The section, in a file whose model it may be a part of.
fn file(section: &str, lines: &str) -> String {
    let model = match section.contains("model.") {
        true => "[[model]]\nname = \"aigen-tiny\"\n",
        false => "",
    };
    format!("{model}{section}\n{lines}\n")
}

#[test]
fn every_key_has_a_row_and_every_row_is_a_key() {
    for (heading, section, _) in SECTIONS {
        let wrong = file(section, "no_such_key = 1");
        let error = Config::parse(&wrong).unwrap_err().to_string();
        let (_, expected) = error.split_once("expected ").expect(&error);
        let keys: BTreeSet<_> = expected.split('`').skip(1).step_by(2).collect();
        let mut listed: BTreeSet<_> = rows(heading).into_iter().map(|(key, _)| key).collect();
        if heading == "Top level" {
            listed.extend(["model", "admission", "outside", "datasets", "replays"]);
            listed.extend(["tls", "telemetry", "cors", "shares", "settlement"]);
        }
        if heading == "`[outside]`" {
            listed.insert("tool");
        }
        if heading == "`[[model]]`" {
            listed.extend(["price", "upstream", "remote"]);
        }
        assert_eq!(listed, keys, "{heading}");
    }
}

#[test]
fn every_default_is_the_programs() {
    for (heading, section, required) in SECTIONS {
        let mut given = required.to_owned() + "\n";
        for (key, default) in rows(heading) {
            match default.trim_matches('`') {
                "none" | "required" => assert!(!default.contains('`'), "{key}"),
                value => writeln!(given, "{key} = {value}").unwrap(),
            }
        }
        let [with, without] = [&given, required].map(|lines| Config::parse(&file(section, lines)));
        assert_eq!(
            settled(with.unwrap()),
            settled(without.unwrap()),
            "{heading}"
        );
    }
}

/// Rules that are left to the settlement are those it has.
fn settled(config: Config) -> (Config, aigen_network::Settings) {
    let settings = config.settings().unwrap();
    let settlement = aigen_api::settlement::Params::default();
    (
        Config {
            settlement,
            ..config
        },
        settings,
    )
}

#[test]
fn a_row_without_a_default_has_none() {
    let printed = toml::to_string(&Config::default()).unwrap();
    for (heading, ..) in SECTIONS
        .iter()
        .filter(|(heading, ..)| !["`[tls]`", "`[telemetry]`"].contains(heading))
    {
        for (key, default) in rows(heading) {
            let absent = !printed
                .lines()
                .any(|line| line.starts_with(&format!("{key} = ")));
            // One is a folder of this machine's; some sections are not there by default.
            let excepted =
                key == "models_dir" || heading.contains("upstream") || heading.contains("remote");
            assert!(excepted || default != "none" || absent, "{heading} {key}");
        }
    }
}
