//! The table of keywords in `docs/concepts/jarvis.md`, which this test writes:
//! `UPDATE_GOLDEN=1 cargo test -p aigen-jarvis --test conformance keywords`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::{Judge, Report, rows};

const BEGIN: &str = "<!-- keywords -->\n";
const END: &str = "<!-- /keywords -->\n";

/// What stands below these are names of the schema's own, and no keywords.
const NAMED: [&str; 6] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
];

/// The keywords of a schema and of those within it.
fn keywords(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Array(list) => list.iter().for_each(|one| keywords(one, found)),
        Value::Object(map) => {
            for (keyword, value) in map {
                found.insert(keyword.clone());
                match value {
                    Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                        named.values().for_each(|one| keywords(one, found));
                    }
                    // Values of the schema's own.
                    _ if [
                        "const",
                        "enum",
                        "default",
                        "examples",
                        "required",
                        "dependentRequired",
                    ]
                    .contains(&keyword.as_str()) => {}
                    _ => keywords(value, found),
                }
            }
        }
        _ => {}
    }
}

fn table() -> String {
    let judge = Judge::new();
    let mut reports: BTreeMap<String, Report> = BTreeMap::new();
    for case in rows(include_str!("cases.rows")) {
        let mut found = BTreeSet::new();
        keywords(&case.schema, &mut found);
        for keyword in found {
            judge.judge(&case, reports.entry(keyword).or_default());
        }
    }
    let mut lines = vec![
        "| keyword | schemas with it | compile | by llguidance alone | instances that agree | false accepts | false rejects |".to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(reports.iter().map(|(keyword, report)| {
        let counts = [
            report.schemas - report.unknown,
            report.compiled(),
            report.alone,
            report.agreed,
            report.false_accepts.len(),
            report.false_rejects.len(),
        ];
        format!(
            "| `{keyword}` | {} |",
            counts.map(|count| count.to_string()).join(" | ")
        )
    }));
    lines.join("\n") + "\n"
}

#[test]
fn keywords_are_what_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/concepts/jarvis.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the page has a place for it");
    let (there, after) = rest.split_once(END).expect("the place has an end");
    let table = table();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(page, [before, BEGIN, &table, END, after].concat()).unwrap();
        return;
    }
    assert_eq!(there, table, "UPDATE_GOLDEN=1 writes it anew");
}
