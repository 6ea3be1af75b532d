//! The page of errors that are no refusals names every code of the gateway, with what to do.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../../docs/reference/errors.md");

/// The one table of status codes; in it rows are `Row(status, kind, "code", way out)`.
const SOURCE: &str = include_str!("../../../aigen-gateway/src/status.rs");

#[test]
fn every_code_has_a_row() {
    let hints = hints();
    let row = Regex::new(r#"Row\(\s*(\d+),\s*\w+,\s*"([a-z_]+)",\s*("[^"]*"|&?\w+)"#).unwrap();
    let mut rows = BTreeSet::new();
    for found in row.captures_iter(SOURCE) {
        let way_out = match found[3].strip_prefix('"') {
            Some(text) => text.trim_end_matches('"'),
            // Made for the request: the models there are, the methods there are.
            None => hints.get(&found[3]).copied().unwrap_or("the hint says"),
        };
        rows.insert(format!("| `{}` | {} | {way_out} |\n", &found[2], &found[1]));
    }
    assert!(rows.len() > 30, "{rows:?}");
    let rows: String = rows.into_iter().collect();
    let table = format!("| code | status | what to do |\n|---|---|---|\n{rows}\n");
    assert!(
        PAGE.contains(&table),
        "docs/reference/errors.md should read:\n{table}"
    );
}

/// `const NAME: &str = "text";`
fn hints() -> BTreeMap<String, &'static str> {
    let constant = Regex::new(r#"const (\w+): &str = "([^"]*)";"#).unwrap();
    let found = constant.captures_iter(SOURCE);
    found
        .map(|found| (found[1].to_owned(), found.get(2).unwrap().as_str()))
        .collect()
}
