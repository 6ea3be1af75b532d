//! Rows come back as they went in.

use super::World;
use crate::{Format, ReadError, Source, canonicalise};
use proptest::prelude::*;
use serde_json::{Map, Number, Value};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |x| Number::from_f64(x).map(Value::Number)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn row() -> impl Strategy<Value = Map<String, Value>> {
    let fields = prop::collection::btree_map("[a-e]", value(), 0..5);
    fields.prop_map(|fields| fields.into_iter().collect())
}

/// As a reader has it: without null, whole numbers as integers.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => match crate::canonical::whole(number) {
            Some(whole) => whole.into(),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), normal(v))).collect(),
        _ => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn round_trip(rows in prop::collection::vec(row(), 1..12), first in 0_usize..14, limit in 0_usize..14) {
        let world = World::new();
        let text: String = rows.iter().map(|row| format!("{}\n", Value::Object(row.clone()))).collect();
        prop_assume!(rows.iter().any(|row| row.values().any(|value| !value.is_null())));
        let manifest = world.import(Format::JsonLines, text.as_bytes()).expect("rows");
        let dataset = world.library.get(&manifest.digest).expect("kept");
        prop_assert_eq!(manifest.rows, rows.len() as u64);
        let expected = rows.iter().enumerate().skip(first).take(limit);
        let read = dataset.rows(first as u64, limit, None).expect("rows");
        prop_assert_eq!(read.len(), expected.clone().count());
        for (read, (id, row)) in read.iter().zip(expected) {
            let row: Map<String, Value> = row.iter().filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), normal(v))).collect();
            prop_assert_eq!(read.id, id as u64);
            prop_assert_eq!(&Value::Object(read.values.clone()), &Value::Object(row));
        }
    }

    /// What the csv crate writes, this room reads: the same cells, and the same id as objects of text.
    #[test]
    fn csv_as_others_write_it(rows in prop::collection::vec(prop::collection::vec("[a-z0\",;\r\n é\t'-]{0,6}", 3), 1..8)) {
        let world = World::new();
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).expect("memory");
        // A word in each column, so that each is one of text.
        writer.write_record(["x", "y", "z"]).expect("memory");
        let mut lines = String::from("{\"a\":\"x\",\"b\":\"y\",\"c\":\"z\"}\n");
        for row in &rows {
            writer.write_record(row).expect("memory");
            let fields: Map<String, Value> =
                ["a", "b", "c"].iter().zip(row).map(|(k, v)| ((*k).to_owned(), v.clone().into())).collect();
            lines.push_str(&format!("{}\n", Value::Object(fields)));
        }
        let csv = world.import(Format::Csv, &writer.into_inner().expect("memory")).expect("CSV");
        let json = world.import(Format::JsonLines, lines.as_bytes()).expect("JSONL");
        prop_assert_eq!(world.content(&csv), world.content(&json));
        prop_assert_eq!(csv, json);
    }

    /// No bytes are more than an error.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\"a,\n{}:1\\[\\]]{0,60}") {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("source");
        for format in [Format::Csv, Format::JsonLines, Format::Parquet, Format::Text] {
            for bytes in [&bytes[..], text.as_bytes()] {
                std::fs::write(&path, bytes).expect("a file");
                let _ = canonicalise(&Source::new(&path, format), &mut std::io::sink(), &mut |_| {});
            }
        }
    }
}

#[test]
fn columns() {
    let world = World::new();
    let manifest = world.import(Format::Csv, b"a,b\n1,x\n2,\n").expect("rows");
    let dataset = world.library.get(&manifest.digest).expect("kept");
    let only = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let rows = dataset.rows(0, 10, Some(&only(&["b"]))).expect("rows");
    assert_eq!(
        rows.iter()
            .map(|row| Value::Object(row.values.clone()).to_string())
            .collect::<Vec<_>>(),
        [r#"{"b":"x"}"#, "{}"]
    );
    let error = dataset
        .rows(0, 10, Some(&only(&["c"])))
        .expect_err("no column");
    assert!(matches!(&error, ReadError::UnknownColumn { .. }));
    assert_eq!(error.to_string(), "there is no column `c`; there are a, b");
    assert_eq!(
        dataset.row(1).expect("a row").expect("there").values["a"],
        2
    );
    assert_eq!(dataset.row(2).expect("no error"), None);
    assert_eq!(dataset.row(u64::MAX).expect("no error"), None);
}

#[test]
fn what_is_removed_is_gone() {
    let world = World::new();
    let manifest = world.import(Format::Csv, b"a\nx\n").expect("rows");
    let held = world.library.get(&manifest.digest).expect("kept");
    assert_eq!(held.rows(0, 1, None).expect("rows").len(), 1);
    assert!(world.library.remove(&manifest.digest).expect("removed"));
    assert!(!world.library.remove(&manifest.digest).expect("nothing"));
    assert_eq!(world.names(), [""; 0]);
    assert_eq!(
        held.rows(0, 1, None).expect("who reads may finish").len(),
        1
    );
}
