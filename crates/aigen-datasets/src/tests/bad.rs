//! What is wrong is said by line and column, and nothing of it is kept.

use super::{World, write};
use crate::Format::{self, Csv, JsonLines, Parquet, Text};
use crate::limits::{BAD_ROWS_SHOWN, ROW_BYTES_MAX};
use crate::{ImportError, Manifest, Source, canonicalise};
use std::io::Write;
use std::{fs, io};

fn refused(format: Format, bytes: &[u8]) -> String {
    let world = World::new();
    let error = world.import(format, bytes).expect_err("refused");
    assert_eq!(world.names(), [""; 0], "nothing is kept");
    error.to_string()
}

#[test]
fn rows_by_line_and_column() {
    let rows: &[(Format, &str, &str)] = &[
        (Csv, "a,b\n1,2\n1\n", "line 3: 1 cells, the header has 2"),
        (Csv, "a,b\n1,2,3\n", "line 2: 3 cells, the header has 2"),
        (
            Csv,
            "a,b\n1,x\"y\n",
            "line 2, column b: a quote inside a cell",
        ),
        (
            Csv,
            "a,b\n\"1\"2,3\n",
            "line 2, column a: text after a cell's closing quote",
        ),
        (
            Csv,
            "a,b\n\"1\n2\",3\nx,\"4\n5",
            "line 4, column b: a quote that is not closed",
        ),
        (
            Csv,
            "a,a\n1,2\n",
            "the header, column 2 `a`: two columns have this name",
        ),
        (
            Csv,
            "a,\n1,2\n",
            "the header, column 2 ``: a column without a name",
        ),
        (Csv, "a;b\n1;2\n", "--delimiter ';'"),
        (
            Csv,
            "a,b\r1,2\r",
            "the header has a carriage return in it, as where lines end in one alone",
        ),
        (
            Csv,
            "a,\u{1b}[31m\n1,2\n",
            "the header, column 2 `\\u{1b}[31m`: a column's name with a comma or a control character",
        ),
        (Csv, "", "the file is empty"),
        (Csv, "a,b\n", "there is no row in it"),
        (
            JsonLines,
            "{\"a\":1}\n[1]\n",
            "line 2: invalid type: sequence, expected a JSON object",
        ),
        (
            JsonLines,
            "{\"a\":1}\n{\"a\":\n",
            "line 2: EOF while parsing a value at byte 5",
        ),
        (
            JsonLines,
            "{\"a\":1,\"a\":2}",
            "line 1: the key `a` stands in it twice",
        ),
        (JsonLines, "{\"a\":1} 2", "line 1: trailing characters"),
        (
            JsonLines,
            "{\"a\":9223372036854775808}",
            "line 1: 9223372036854775808 is more than an integer of 64 bits holds (hint: write it as text",
        ),
        (
            JsonLines,
            "{\"a\":[1,\"\\\"2\",{\"b\":-123456789012345678901}]}",
            "-123456789012345678901 is more than",
        ),
        (
            JsonLines,
            "{\"a\":1e999}",
            "line 1: a number that a double cannot hold at byte",
        ),
        (JsonLines, "{\"a\":nope}", "a word that is none of JSON"),
        (
            JsonLines,
            "{\"a\":\"\\ud83d\"}",
            "half of a pair of surrogates",
        ),
        (
            JsonLines,
            "{\"\":1}",
            "line 1, column ``: a column without a name (hint: name it",
        ),
        (
            JsonLines,
            "\n\n",
            "there is no row in it\nhint: each line is a JSON object",
        ),
        (JsonLines, "{}\n{\"a\":null}", "no row has a value"),
        (
            Parquet,
            "PAR1 is what it begins with, but no more",
            "cannot be read as Parquet",
        ),
        (
            Text,
            "  \n\n",
            "there is no row in it\nhint: a row is a paragraph",
        ),
    ];
    for (format, text, expected) in rows {
        let message = refused(*format, text.as_bytes());
        assert!(message.contains(expected), "{text:?}: {message}");
        assert!(message.contains("hint: "), "{text:?}: {message}");
    }
}

#[test]
fn encodings() {
    let rows: &[(Format, &[u8], &str)] = &[
        (
            Csv,
            b"a,b\n1,caf\xe9\n",
            "line 2, column b: byte 4 of the cell is not UTF-8",
        ),
        (Csv, b"caf\xe9\n1\n", "the header, column 1, is not UTF-8"),
        (Csv, b"\xff\xfea\0,\0", "in UTF-16"),
        (
            JsonLines,
            b"{\"a\":\"caf\xe9\"}\n",
            "line 1: byte 10 of the line is not UTF-8",
        ),
        (JsonLines, b"\x1f\x8b\x08", "compressed"),
        (Text, b"caf\xe9", "line 1: the line is not UTF-8"),
    ];
    for (format, bytes, expected) in rows {
        let message = refused(*format, bytes);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn parquet_that_is_damaged_or_has_bytes() {
    assert!(
        refused(Parquet, &write::parquet_bytes()).contains("row 1, column blob: a column of bytes")
    );
    let whole = write::parquet(&[("tea", Some(1), 0.5), ("mug", None, 1.5)]);
    // Wherever it is cut or changed it is refused, or still says the same.
    for at in 0..whole.len() {
        let cut = read(&whole[..at]);
        assert!(matches!(cut, Err(ImportError::Unfit { .. })), "cut at {at}");
        let mut changed = whole.clone();
        changed[at] ^= 0x40;
        let _ = read(&changed);
    }
}

#[test]
fn parquet_that_json_has_no_place_for() {
    let integer = |schema: &str| write::parquet_integers(schema, &[1]);
    let rows = [
        (
            integer("message row { required int64 at (TIME(NANOS,true)); }"),
            "row 1, column at: a column of a time of day",
        ),
        (
            integer("message row { required int64 at (TIME(MICROS,true)); }"),
            "row 1, column at: a column of a time of day",
        ),
        (
            integer(
                "message row { required group in { required int64 at (TIMESTAMP(NANOS,true)); } }",
            ),
            "column \"in.at\": times in nanoseconds are not read within lists and groups",
        ),
        (
            write::parquet_map(&["a", "b", "a"]),
            "row 1, column map: the name `a` stands twice in it",
        ),
    ];
    for (bytes, expected) in rows {
        let message = refused(Parquet, &bytes);
        assert!(message.contains(expected), "{message}");
    }
}

fn read(bytes: &[u8]) -> Result<Manifest, ImportError> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    canonicalise(
        &Source::new(file.path(), Parquet),
        &mut io::sink(),
        &mut |_| {},
    )
}

#[test]
fn long_rows() {
    let cell = "x".repeat(ROW_BYTES_MAX);
    let rows = [
        (
            Csv,
            format!("a,b\n1,{cell}\n1,2\n1\n"),
            "line 2: a row of more than 1024 KiB",
            "2 bad rows",
        ),
        (
            Csv,
            format!("a,b\n1,\"{cell}\n1,2\n1\n"),
            "line 2, column b: a quote that is not closed",
            "1 bad row or more,",
        ),
        (
            Csv,
            format!("a\n{}\n1\n", ",".repeat(ROW_BYTES_MAX + 1)),
            "line 2: a row of",
            "1 bad row,",
        ),
        (
            JsonLines,
            format!("{{\"a\":\"{cell}\"}}\n{{}}\n[]\n"),
            "line 1: a row of",
            "2 bad rows",
        ),
        // Escaped in its canonical form it is longer.
        (
            Csv,
            format!("a\n{}\n", "\u{1}".repeat(ROW_BYTES_MAX / 4)),
            "line 2: a row of",
            "1 bad row",
        ),
    ];
    for (format, text, expected, count) in rows {
        let message = refused(format, text.as_bytes());
        assert!(
            message.contains(expected),
            "{expected}: {}",
            &message[..200.min(message.len())]
        );
        assert!(message.starts_with(count), "{count}: {}", &message[..40]);
    }
}

#[test]
fn the_first_and_the_total() {
    let text = format!("a,b\n{}", "1\n".repeat(1_000));
    let message = refused(Csv, text.as_bytes());
    assert!(
        message.starts_with("1000 bad rows, so nothing was read in\n"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1 + BAD_ROWS_SHOWN + 1);
    assert!(message.ends_with("and 980 more"), "{message}");
}

#[test]
fn bounds() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(
        World::new()
            .import(JsonLines, nested(16).as_bytes())
            .is_ok()
    );
    let message = refused(JsonLines, nested(17).as_bytes());
    assert!(message.contains("line 1, column a: lists and objects are nested more than 16 deep"));
    assert!(refused(JsonLines, nested(100_000).as_bytes()).contains("recursion limit"));
    let wide = |columns: usize| {
        (0..columns)
            .map(|n| format!("c{n}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let table = |columns| format!("{0}\n{0}\n", wide(columns));
    assert!(World::new().import(Csv, table(256).as_bytes()).is_ok());
    assert!(refused(Csv, table(257).as_bytes()).contains("257 columns, at most 256"));
    let rows: String = (0..257).map(|n| format!("{{\"c{n}\":1}}\n")).collect();
    assert!(
        refused(JsonLines, rows.as_bytes())
            .contains("line 257, column c256: more than 256 columns")
    );
}

#[test]
fn sources_that_are_none() {
    let world = World::new();
    let path = world.folder.path().join("table.xlsx");
    fs::write(&path, "x").expect("a file");
    assert!(
        Source::of(&path)
            .expect_err("no format")
            .to_string()
            .contains("hint: names end in .csv")
    );
    let missing = Source::new(&world.folder.path().join("none.csv"), Csv);
    let error = world
        .library
        .import(&missing, &mut |_| {})
        .expect_err("missing");
    assert!(matches!(error, ImportError::Source { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn what_is_in_a_folder_is_read_or_said() {
    let world = World::new();
    let folder = world.folder.path().join("texts");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("a.txt"), "One.").expect("a file");
    fs::write(folder.join(".draft.txt"), "Two.").expect("a file");
    std::os::unix::fs::symlink(folder.join("a.txt"), folder.join(".link")).expect("a link");
    let source = Source::new(&folder, Text);
    let read = || canonicalise(&source, &mut io::sink(), &mut |_| {});
    assert_eq!(
        read().expect("read").rows,
        1,
        "what begins with a dot is left out"
    );
    std::os::unix::fs::symlink(folder.join("a.txt"), folder.join("b.txt")).expect("a link");
    let refused = read().expect_err("a link").to_string();
    assert!(
        refused.contains("b.txt: neither a file nor a folder"),
        "{refused}"
    );
}
