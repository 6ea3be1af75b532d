//! The same rows have the same id, whatever they came in.

use super::{World, write};
use crate::{Format, Library, Source};
use sha2::{Digest as _, Sha256};
use std::fs;

const CANONICAL: &str = "\
    {\"name\":\"tea, green\",\"price\":4.5,\"size\":250}\n\
    {\"name\":\"007\",\"price\":1}\n\
    {\"name\":\"a \\\"mug\\\"\",\"price\":12,\"size\":1}\n";

#[test]
fn one_id() {
    let world = World::new();
    let csv =
        "price,name,size\r\n4.50,\"tea, green\",250\r\n1.0,007,\r\n\r\n12,\"a \"\"mug\"\"\",1";
    let semicolons = csv.replace(',', ";").replace("tea;", "tea,");
    let lines = "\
        {\"size\":250,\"name\":\"tea, green\",\"price\":4.5}\n\
        {\"price\":1.0,\"name\":\"007\",\"size\":null}\n\
        \n\
        {\"name\":\"a \\u0022mug\\u0022\",\"size\":1e0,\"price\":12}";
    let table = [
        ("tea, green", Some(250), 4.5),
        ("007", None, 1.0),
        ("a \"mug\"", Some(1), 12.0),
    ];
    let first = world.import(Format::Csv, csv.as_bytes()).expect("CSV");
    assert_eq!(world.content(&first), CANONICAL);
    assert_eq!(first.digest.to_string(), hex(&Sha256::digest(CANONICAL)));
    let path = world.folder.path().join("semicolons.csv");
    fs::write(&path, format!("\u{feff}{semicolons}")).expect("a file");
    let mut source = Source::of(&path).expect("CSV");
    source.delimiter = b';';
    let others = [
        world
            .library
            .import(&source, &mut |_| {})
            .expect("semicolons"),
        world
            .import(Format::JsonLines, lines.as_bytes())
            .expect("JSONL"),
        world
            .import(Format::Parquet, &write::parquet(&table))
            .expect("Parquet"),
        world
            .import(Format::JsonLines, CANONICAL.as_bytes())
            .expect("itself"),
    ];
    for other in others {
        assert_eq!(other, first);
    }
    assert_eq!(world.names(), [first.digest.to_string()], "kept once");
    let schema = "[{\"name\":\"name\",\"type\":\"text\",\"nullable\":false},\
        {\"name\":\"price\",\"type\":\"number\",\"nullable\":false},\
        {\"name\":\"size\",\"type\":\"integer\",\"nullable\":true}]";
    assert_eq!(first.schema(), schema);
    // Opened again it is the same.
    let again = Library::open(&world.folder.path().join("datasets")).expect("a library");
    assert_eq!(again.get(&first.digest).expect("kept").manifest(), &first);
}

/// Pandas writes times in nanoseconds, which the decoder's rows show as integers.
#[test]
fn times_of_parquet_are_text() {
    let world = World::new();
    for (kind, value, expected) in [
        (
            "TIMESTAMP(MILLIS,true)",
            1_500,
            "\"1970-01-01T00:00:01.5Z\"",
        ),
        (
            "TIMESTAMP(MICROS,false)",
            1_500_000,
            "\"1970-01-01T00:00:01.5Z\"",
        ),
        (
            "TIMESTAMP(NANOS,true)",
            1_500_000_000,
            "\"1970-01-01T00:00:01.5Z\"",
        ),
        (
            "TIMESTAMP(NANOS,false)",
            -1,
            "\"1969-12-31T23:59:59.999999999Z\"",
        ),
        ("INTEGER(64,true)", -1, "-1"),
    ] {
        let schema = format!("message row {{ required int64 at ({kind}); }}");
        let file = write::parquet_integers(&schema, &[value]);
        let manifest = world.import(Format::Parquet, &file).expect(kind);
        let row = format!("{{\"at\":{expected}}}\n");
        assert_eq!(world.content(&manifest), row, "{kind}");
    }
}

#[test]
fn keys_of_parquet_are_names_as_they_are() {
    let world = World::new();
    let file = write::parquet_map(&["\"quoted\"", "plain"]);
    let manifest = world.import(Format::Parquet, &file).expect("a map");
    let row = "{\"map\":{\"\\\"quoted\\\"\":0,\"plain\":1}}\n";
    assert_eq!(world.content(&manifest), row);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn canonical_values() {
    let rows = [
        (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
        (
            r#"{"a":-0.0,"b":1e2,"c":1.5e300}"#,
            r#"{"a":0,"b":100,"c":1.5e+300}"#,
        ),
        (
            r#"{"a":{"z":[1.0,null],"y":null},"b":null}"#,
            r#"{"a":{"y":null,"z":[1,null]}}"#,
        ),
        (r#"{"a":"\u00e9\/\n\u0001"}"#, "{\"a\":\"é/\\n\\u0001\"}"),
        (
            "{\"a\":1152921504606846976.0}",
            "{\"a\":1152921504606846976}",
        ),
        ("{\"a\":1}\n{}", "{\"a\":1}\n{}"),
    ];
    for (line, canonical) in rows {
        let world = World::new();
        let manifest = world
            .import(Format::JsonLines, line.as_bytes())
            .expect(line);
        assert_eq!(world.content(&manifest), format!("{canonical}\n"), "{line}");
        let again = world
            .import(Format::JsonLines, canonical.as_bytes())
            .expect(canonical);
        assert_eq!(again, manifest, "{line}");
    }
}

#[test]
fn a_folder_of_texts() {
    let world = World::new();
    let folder = world.folder.path().join("texts");
    fs::create_dir_all(folder.join("b")).expect("a folder");
    let long = "word ".repeat(1_000);
    fs::write(
        folder.join("a.md"),
        "# One\r\n\r\nTwo\nlines.\n\n\n\nThree.",
    )
    .expect("a file");
    fs::write(folder.join("b/c.txt"), format!("\n{long}\nend")).expect("a file");
    fs::write(folder.join(".hidden"), "nothing").expect("a file");
    let manifest = world
        .library
        .import(&Source::of(&folder).expect("texts"), &mut |_| {});
    let manifest = manifest.expect("texts");
    let dataset = world.library.get(&manifest.digest).expect("kept");
    let rows = dataset.rows(0, 10, None).expect("rows");
    let show = |row: &crate::Row| {
        let text = row.values["text"].as_str().expect("text");
        format!(
            "{} {} {} {:?}",
            row.values["file"],
            row.values["offset"],
            text.len(),
            &text[..5]
        )
    };
    let shown: Vec<String> = rows.iter().map(show).collect();
    let expected = [
        r##""a.md" 0 5 "# One""##,
        r#""a.md" 9 10 "Two\nl""#,
        r#""a.md" 23 6 "Three""#,
        r#""b/c.txt" 1 4095 "word ""#,
        r#""b/c.txt" 4096 909 "word ""#,
    ];
    assert_eq!(shown, expected);
    fs::write(folder.join("table.csv"), "a").expect("a file");
    let refused = world
        .library
        .import(&Source::of(&folder).expect("texts"), &mut |_| {});
    assert!(
        refused
            .expect_err("a table")
            .to_string()
            .contains("neither .txt nor .md")
    );
}
