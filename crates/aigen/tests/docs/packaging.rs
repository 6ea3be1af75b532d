//! What is packaged agrees with the program: a unit for systemd and an image for containers.

use crate::support::Folder;
use crate::support::tools::skip;
use std::collections::BTreeSet;
use std::process::Command;

const UNIT: &str = include_str!("../../../../packaging/aigen.service");
const IMAGE: &str = include_str!("../../../../Dockerfile");
const SETUP: &str = include_str!("../../../../scripts/setup");
const WORKSPACE: &str = include_str!("../../../../Cargo.toml");

/// The values of `KEY=` in the unit.
fn values(key: &str) -> Vec<&'static str> {
    let prefix = format!("{key}=");
    UNIT.lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .collect()
}

/// What the environment is set to, there and in the image, by its variable.
fn environment() -> Vec<(&'static str, &'static str)> {
    let image = IMAGE
        .split_whitespace()
        .filter(|word| word.starts_with("AIGEN_"));
    let pairs = values("Environment").into_iter().chain(image);
    pairs.map(|pair| pair.split_once('=').unwrap()).collect()
}

#[test]
fn every_variable_is_one_that_the_program_reads() {
    let folder = Folder::new();
    folder.write("aigen.toml", "network = \"packaged\"\n");
    let set = environment();
    assert!(set.len() > 5, "{set:?}");
    for (name, value) in set {
        let mut command = folder.command(&["config", "--json"]);
        let value = if name == "AIGEN_CONFIG" {
            "aigen.toml"
        } else {
            value
        };
        let ran = folder.ran(command.env(name, value));
        let shown = if name == "AIGEN_CONFIG" {
            "packaged"
        } else {
            value
        };
        assert!(
            ran.stdout.contains(&format!("\"{shown}\"")),
            "{name}: {ran}"
        );
    }
}

#[test]
fn the_unit_keeps_what_it_says_where_it_says() {
    let [command] = values("ExecStart")[..] else {
        panic!("{UNIT}")
    };
    let arguments: Vec<_> = command.split(' ').skip(1).chain(["--help"]).collect();
    assert_eq!(Folder::new().run(&arguments).code, 0, "{command}");
    // systemd makes these folders and nothing else is writable.
    let made = [
        ("StateDirectory", "/var/lib"),
        ("CacheDirectory", "/var/cache"),
    ];
    let folders = made.map(|(key, under)| format!("{under}/{}", values(key)[0]));
    for (name, value) in environment()
        .into_iter()
        .take(3)
        .filter(|(name, _)| *name != "AIGEN_CONFIG")
    {
        assert!(
            folders.iter().any(|folder| value.starts_with(folder)),
            "{name}"
        );
    }
    let default = Folder::new().json(&["config"]);
    let patience: u64 = values("TimeoutStopSec")[0].parse().unwrap();
    assert!(patience > default["grace_seconds"].as_u64().unwrap());
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        return skip("there is no systemd-analyze");
    }
    // The program is not installed here; whatever is will do.
    let program = values("ExecStart")[0].split(' ').next().unwrap();
    let folder = Folder::new();
    let unit = folder.write("aigen.service", UNIT.replace(program, "/bin/true"));
    let analyze = |args: &[&str]| {
        let analyzed = Command::new("systemd-analyze")
            .args(args)
            .arg(&unit)
            .output();
        let analyzed = analyzed.unwrap();
        let said = [analyzed.stdout, analyzed.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(analyzed.status.success(), "{args:?}\n{said}");
        said
    };
    assert_eq!(analyze(&["verify"]), "");
    // Its scale ends at 10.0, which is a service with nothing forbidden; below 2.0 it says OK.
    let bound = ["security", "--offline=yes", "--threshold=20"];
    let said = analyze(&bound);
    assert!(said.contains("Overall exposure level"), "{said}");
}

#[test]
fn the_image_is_built_with_what_setup_installs() {
    let words: BTreeSet<_> = IMAGE.split_whitespace().collect();
    let list = SETUP
        .split_once("packages=(")
        .unwrap()
        .1
        .split_once(')')
        .unwrap()
        .0;
    let [rust] = WORKSPACE
        .lines()
        .filter_map(|line| line.strip_prefix("rust-version = "))
        .collect::<Vec<_>>()[..]
    else {
        panic!("no Rust version")
    };
    let base = format!("rust:{}-bookworm", rust.trim_matches('"'));
    assert!(words.contains(base.as_str()), "FROM {base}");
    // Both come with the base image.
    for package in list
        .split(' ')
        .filter(|name| !matches!(*name, "curl" | "ca-certificates"))
    {
        assert!(words.contains(package), "{package}");
    }
}
