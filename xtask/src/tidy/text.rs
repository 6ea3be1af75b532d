//! Rules about the text of one file.

use super::is;
use std::path::Path;

/// Lines of one Rust file.
const FILE_LINES_MAX: usize = 700;

/// Files that may be longer because they are one thing behind a small door, and what that thing is.
const LONG_FILES: &[(&str, &str)] = &[];

// Split so that this file does not contain what it looks for.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
];
const SLEEPS: &[&str] = &[
    concat!("thread::", "sleep("),
    concat!("time::", "sleep("),
    concat!("time.", "sleep("),
];
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
];

/// What is wrong with a file, one line each.
pub fn check(file: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut in_tests = is_test_file(file);
    for (at, line) in text.lines().enumerate() {
        in_tests |= line.trim() == "#[cfg(test)]";
        let whys = check_line(file, line, in_tests);
        faults.extend(whys.map(|why| format!("{}:{}: {why}", file.display(), at + 1)));
    }
    let whole = check_whole(file, text);
    faults.extend(whole.map(|why| format!("{}: {why}", file.display())));
    faults
}

fn check_line(file: &Path, line: &str, in_tests: bool) -> impl Iterator<Item = &'static str> {
    let rust = is(file, "rs");
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| line.contains(phrase));
    [
        (line.ends_with([' ', '\t']), "a space at the end"),
        (rust && line.contains('\t'), "a tab"),
        (rust && has(UNFINISHED), "unfinished work"),
        (
            in_tests && has(SLEEPS),
            "a test that waits for luck; wait for the thing itself",
        ),
        (names_machine(line), "a path of somebody's machine"),
    ]
    .into_iter()
    .filter_map(|(wrong, why)| wrong.then_some(why))
}

fn check_whole(file: &Path, text: &str) -> Option<String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Some("no line feed at the end".to_owned());
    }
    let lines = text.lines().count();
    let listed = LONG_FILES.iter().any(|(name, _)| file == Path::new(name));
    let long = is(file, "rs") && lines > FILE_LINES_MAX && !listed;
    long.then(|| format!("{lines} lines; split it, or list it in xtask/src/tidy/text.rs"))
}

fn is_test_file(file: &Path) -> bool {
    let named = file.file_stem().is_some_and(|stem| stem == "tests");
    named || file.components().any(|part| part.as_os_str() == "tests")
}

/// An absolute path: not the middle of a URL or of a relative one, and not an example's.
fn names_machine(line: &str) -> bool {
    MACHINE_PATHS.iter().any(|path| {
        line.match_indices(path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let inside = |c: char| c.is_alphanumeric() || "._-/}".contains(c);
            let example = line[at + path.len()..].starts_with("you/");
            !before.is_some_and(inside) && !example
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_refused_and_allowed() {
        for (file, line, expected) in [
            ("a.rs", "let a = 1;", None),
            ("a.md", "two spaces  ", Some("a space at the end")),
            ("a.rs", "\tlet a = 1;", Some("a tab")),
            ("a.py", "\ta = 1", None),
            ("a.rs", concat!("todo", "!()"), Some("unfinished work")),
            ("a.rs", concat!("std::thread::", "sleep(d);"), None),
            (
                "src/a/tests.rs",
                concat!("std::thread::", "sleep(d);"),
                Some("a test that waits"),
            ),
            (
                "tests/sdk.py",
                concat!("time.", "sleep(1)"),
                Some("a test that waits"),
            ),
            (
                "a.toml",
                concat!("x = \"/ho", "me/ada\""),
                Some("a path of"),
            ),
            ("a.md", concat!("https://x.org/ho", "me/ada"), None),
            ("a.md", concat!("`/ho", "me/you/.cache`"), None),
            ("a.md", concat!("./ro", "ot/ada"), None),
        ] {
            let faults = check(Path::new(file), &format!("{line}\n"));
            match expected {
                None => assert!(faults.is_empty(), "{line}: {faults:?}"),
                Some(says) => assert!(faults[0].contains(says), "{line}: {faults:?}"),
            }
        }
    }

    #[test]
    fn a_sleep_below_cfg_test_is_in_a_test() {
        let text = concat!("#[cfg(test)]\nmod tests {\n    thread::", "sleep(d);\n}\n");
        assert_eq!(check(Path::new("a.rs"), text).len(), 1);
    }

    #[test]
    fn a_file_ends_with_a_line_feed_and_is_not_too_long() {
        assert!(check(Path::new("a.rs"), "").is_empty());
        assert!(check(Path::new("a.rs"), "fn a() {}")[0].contains("no line feed"));
        let lines = "x\n".repeat(FILE_LINES_MAX + 1);
        assert!(check(Path::new("a.rs"), &lines)[0].contains("701 lines"));
        assert!(check(Path::new("a.md"), &lines).is_empty());
    }
}
