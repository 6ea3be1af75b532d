//! What documents tell people to type can be typed: every command and flag that they mention is there.

use super::Cli;
use clap::Command;
use regex::Regex;
use std::path::{Path, PathBuf};

/// Every page that people read, from the top of the repository.
fn pages() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![top.join("README.md"), top.join("ARCHITECTURE.md")];
    let mut folders = vec![top.join("docs"), top.join("suites"), top.join("model")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(kind) if kind == "md" => pages.push(path),
                _ => {}
            }
        }
    }
    pages
}

/// Calls of the program in a page's code, each up to where another program or a comment begins.
fn calls(page: &str) -> Vec<String> {
    let code = Regex::new(r"(?s)```(?:console|sh)\n(.*?)```|`([^`\n]+)`").unwrap();
    let call = Regex::new(r"(?m)(?:^|[\s(])aigen ([a-z][^\n;)#&]*)").unwrap();
    let mut calls = Vec::new();
    for found in code.captures_iter(page) {
        let text = found.get(1).or(found.get(2)).unwrap().as_str();
        let whole = text.replace("\\\n", " ");
        for found in call.captures_iter(&whole) {
            let alone = found[1].split(" | ").next().unwrap_or_default();
            calls.push(alone.to_owned());
        }
    }
    calls
}

/// What of a call is not there. `close|show` are two calls that are written as one.
fn unknown(root: &Command, call: &str) -> Option<String> {
    let words: Vec<_> = call.split_whitespace().collect();
    let mut commands = vec![root];
    let mut rest = words.iter();
    while commands.iter().any(|command| command.has_subcommands()) {
        let Some(word) = rest.next().filter(|word| !word.starts_with('-')) else {
            break;
        };
        // A placeholder, or the end of a sentence.
        if *word == "…" || word.starts_with(|c: char| c.is_uppercase()) {
            return None;
        }
        let found = word
            .split('|')
            .map(|name| commands[0].find_subcommand(name));
        match found.collect::<Option<Vec<_>>>() {
            Some(found) => commands = found,
            None => return Some((*word).to_owned()),
        }
    }
    let flag = Regex::new(r"^--([a-z][a-z0-9-]*)").unwrap();
    let flags = words.iter().filter_map(|word| flag.captures(word));
    let mut flags = flags.map(|found| found[1].to_owned());
    let known = |command: &Command, name: &str| {
        let own = command.get_arguments().chain(root.get_arguments());
        own.into_iter().any(|arg| arg.get_long() == Some(name)) || name == "help"
    };
    flags.find(|name| !commands.iter().all(|command| known(command, name)))
}

#[test]
fn what_pages_mention_is_there() {
    let root = Cli::definition();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in pages() {
        for call in calls(&std::fs::read_to_string(&path).unwrap()) {
            count += 1;
            let why = unknown(&root, &call);
            wrong.extend(why.map(|word| format!("{}: {word}: aigen {call}", path.display())));
        }
    }
    assert!(count > 150, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_there_is_found() {
    let root = Cli::definition();
    for (call, word) in [
        ("ledger verify", None),
        ("ledger backup|restore", None),
        ("key create user:ada --name ada --json", None),
        ("…", None),
        ("params simulate --set tol=1", None),
        ("ledger verfy", Some("verfy")),
        ("epoch close|open", Some("close|open")),
        ("key create user:ada --nom ada", Some("nom")),
    ] {
        assert_eq!(unknown(&root, call).as_deref(), word, "{call}");
    }
    let page = "`aigen fund A 1` ```console\n$ aigen dev   # a node\n$ aigen chat \\\n  --local | cat\n```\n";
    let calls = calls(page);
    let calls: Vec<_> = calls.iter().map(|call| call.trim_end()).collect();
    assert_eq!(calls, ["fund A 1", "dev", "chat    --local"]);
}
