//! What is said of metrics, in the page and in what draws and watches them.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../../docs/reference/metrics.md");
const DASHBOARD: &str = include_str!("../../../../packaging/grafana-dashboard.json");
const ALERTS: &str = include_str!("../../../../packaging/prometheus-alerts.yml");

/// Fields stand here with their types, and once more with names and help: a metric that has counted nothing yet
/// is not in what a node answers.
const SOURCE: &str = include_str!("../../../aigen-gateway/src/metrics.rs");

struct Metric {
    name: String,
    kind: &'static str,
    help: String,
}

impl Metric {
    /// As a query names it.
    fn series(&self) -> Vec<String> {
        let with = |end: &str| format!("{}{end}", self.name);
        match self.kind {
            "counter" => vec![with("_total")],
            "histogram" => vec![with("_bucket"), with("_sum"), with("_count")],
            _ => vec![with("")],
        }
    }
}

fn metrics() -> Vec<Metric> {
    let field = Regex::new(r"(?m)^    (\w+): (\w.*),$").unwrap();
    let types: BTreeMap<_, _> = field
        .captures_iter(SOURCE)
        .map(|found| (found[1].to_owned(), kind(&found[2])))
        .collect();
    let row = Regex::new(r#"(\w+): add\w*\(&mut registry, "([^"]+)", "([^"]+)""#).unwrap();
    let metrics = row.captures_iter(SOURCE).map(|found| Metric {
        name: found[2].to_owned(),
        kind: types[&found[1]],
        help: found[3].to_owned(),
    });
    metrics.collect()
}

fn kind(name: &str) -> &'static str {
    match name {
        "Counts" | "Seconds" => "counter",
        "Times" => "histogram",
        "Levels" | "Gauge" => "gauge",
        name if name.contains("Counter") => "counter",
        name if name.contains("Gauge") => "gauge",
        _ => "none",
    }
}

#[test]
fn the_page_lists_every_metric() {
    let rows = metrics().into_iter().map(|metric| {
        let name = match metric.kind {
            "counter" => format!("{}_total", metric.name),
            _ => metric.name,
        };
        format!("| `{name}` | {} | {} |\n", metric.kind, metric.help)
    });
    let table: String = rows.collect();
    assert!(table.lines().count() > 20, "{table}");
    assert!(!table.contains("| none |"), "{table}");
    let head = "| metric | kind | what |\n|---|---|---|\n";
    let table = format!("{head}{table}\n");
    assert!(
        PAGE.contains(&table),
        "docs/reference/metrics.md should read:\n{table}"
    );
}

#[test]
fn every_query_names_a_metric() {
    let known: BTreeSet<_> = metrics().iter().flat_map(Metric::series).collect();
    let word = Regex::new(r"\b(?:vllm:|aigen_)[a-z0-9_]+").unwrap();
    for (file, text) in [
        ("grafana-dashboard.json", DASHBOARD),
        ("prometheus-alerts.yml", ALERTS),
    ] {
        let named: BTreeSet<_> = queries(text)
            .iter()
            .flat_map(|query| word.find_iter(query).map(|found| found.as_str().to_owned()))
            .collect::<BTreeSet<_>>();
        assert!(named.len() > 4, "{file}: {named:?}");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} asks for {unknown:?}");
    }
}

/// The lines of a dashboard or of rules that are queries.
fn queries(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim_start);
    let queries = lines.filter(|line| line.starts_with("\"expr\":") || line.starts_with("expr:"));
    queries.collect()
}

#[test]
fn every_reason_that_is_watched_can_be_given() {
    let status = include_str!("../../../aigen-gateway/src/status.rs");
    let label = Regex::new(r#"reason=~?"([^"]+)""#).unwrap();
    let mut count = 0;
    for found in label.captures_iter(ALERTS) {
        for reason in found[1].split('|') {
            let given = format!("\"{reason}\"");
            assert!(
                status.contains(&given) || SOURCE.contains(&given),
                "{reason}"
            );
            count += 1;
        }
    }
    assert!(count > 2, "{count}");
}

#[test]
fn everything_that_is_counted_is_drawn() {
    let drawn = metrics().into_iter().filter(|metric| {
        let series = metric.series();
        series.iter().any(|name| DASHBOARD.contains(name.as_str()))
    });
    // How long answers are computed for is the whole time less the time in the line, and both are drawn.
    assert_eq!(drawn.count() + 1, metrics().len());
}
