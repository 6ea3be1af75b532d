//! Files that claim more than there is: refused before memory is taken for it.

use crate::{Source, canonicalise};
use flate2::{Compression as Level, write::GzEncoder};
use parquet::basic::Compression;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

const FILE: &str = "AIGEN_TEST_HOSTILE_FILE";
/// Address space, in KiB, that reading any of them may take beside the test's own: what claims of 2 GiB
/// would not fit into.
const TAKEN_MAX_KIB: u64 = 512 << 10;

const TEXT: &str = "message row { required binary a (UTF8); }";
const LIST: &str =
    "message row { required group a (LIST) { repeated group list { required int32 element; } } }";

const MOST: i64 = i32::MAX as i64;
const DATA: i64 = 0;
const DICTIONARY: i64 = 2;
const PLAIN: i64 = 0;
const DELTA_BYTES: i64 = 7;

/// A page whose header says what it likes.
#[derive(Clone)]
struct Page {
    kind: i64,
    size: i64,
    values: i64,
    encoding: i64,
    body: Vec<u8>,
}

impl Page {
    fn new(kind: i64, size: i64, values: i64, body: &[u8]) -> Self {
        let body = body.to_vec();
        Self {
            kind,
            size,
            values,
            encoding: PLAIN,
            body,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        // Each field of 32 bits follows the one before: 0x15. The struct is field 5 or 7: 0x2c or 0x4c.
        let field = |out: &mut Vec<u8>, value: i64| {
            out.push(0x15);
            varint(out, zigzag(value));
        };
        for value in [self.kind, self.size, self.body.len() as i64] {
            field(out, value);
        }
        out.push(if self.kind == DICTIONARY { 0x4c } else { 0x2c });
        field(out, self.values);
        field(out, self.encoding);
        if self.kind == DATA {
            // How levels are written: RLE.
            field(out, 3);
            field(out, 3);
        }
        out.extend([0, 0]);
        out.extend(&self.body);
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A file of one column whose footer says that it has these pages, and `more` bytes than it has.
fn file(schema: &str, codec: Compression, pages: &[Page], more: i64) -> Vec<u8> {
    let mut out = b"PAR1".to_vec();
    pages.iter().for_each(|page| page.write(&mut out));
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let schema = Arc::new(SchemaDescriptor::new(schema));
    let dictionary = pages[0].kind == DICTIONARY;
    let column = ColumnChunkMetaData::builder(schema.column(0))
        .set_compression(codec)
        .set_num_values(1)
        .set_data_page_offset(4)
        .set_dictionary_page_offset(dictionary.then_some(4))
        .set_total_compressed_size(out.len() as i64 - 4 + more)
        .set_total_uncompressed_size(100);
    let group = RowGroupMetaData::builder(Arc::clone(&schema))
        .set_num_rows(1)
        .set_column_metadata(vec![column.build().expect("a column")]);
    let about = FileMetaData::new(1, 1, None, None, schema, None);
    let about = ParquetMetaData::new(about, vec![group.build().expect("a group")]);
    let footer = ParquetMetaDataWriter::new(&mut out, &about);
    footer.finish().expect("a footer");
    out
}

/// A footer alone: a schema of groups within each other, each the only child of the one above.
fn deep(levels: usize) -> Vec<u8> {
    // Version 1, then a list of structs: names of one letter, and the number of children.
    let mut footer = vec![0x15, 2, 0x19, 0xfc];
    varint(&mut footer, levels as u64 + 1);
    footer.extend([0x48, 1, b'a', 0x15, 2, 0].repeat(levels));
    footer.extend([0x15, 2, 0x38, 1, b'a', 0]);
    footer.extend([0x16, 0, 0x19, 0x0c, 0]);
    ended(footer)
}

fn ended(footer: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(footer.len()).expect("short").to_le_bytes();
    [b"PAR1".to_vec(), footer, length.to_vec(), b"PAR1".to_vec()].concat()
}

/// 1 GiB of zeros, packed into a megabyte.
fn bomb() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Level::fast());
    let zeros = vec![0; 1 << 20];
    (0..1 << 10).for_each(|_| packed.write_all(&zeros).expect("memory"));
    packed.finish().expect("memory")
}

fn hostile() -> Vec<(Vec<u8>, &'static str)> {
    let none = Compression::UNCOMPRESSED;
    let row = Page::new(DATA, 5, 1, b"\x01\0\0\0a");
    let dictionary = Page::new(DICTIONARY, 5, MOST, b"\x01\0\0\0a");
    let lengths = Page {
        encoding: DELTA_BYTES,
        ..row.clone()
    };
    let empty = Page::new(DATA, MOST, 1, b"");
    let listed = Page::new(DATA, 8, MOST, b"\x02\0\0\0\x02\0\0\0");
    vec![
        (
            file(TEXT, none, &[dictionary, row.clone()], 0),
            "the pages of a row group take",
        ),
        (
            file(TEXT, Compression::SNAPPY, std::slice::from_ref(&empty), 0),
            "the pages of a row group take",
        ),
        (
            file(TEXT, Compression::ZSTD(Default::default()), &[empty], 0),
            "the pages of a row group take",
        ),
        (
            file(
                TEXT,
                Compression::GZIP(Default::default()),
                &[Page::new(DATA, 5, 1, &bomb())],
                0,
            ),
            "a page is larger than it says",
        ),
        (
            file(TEXT, Compression::LZ4, std::slice::from_ref(&row), 0),
            "LZ4 in Hadoop's form is not read",
        ),
        (
            file(TEXT, none, &[lengths], 0),
            "texts as differences of lengths are not read",
        ),
        (
            file(TEXT, none, &[row], 1 << 40),
            "a column goes on after the file's end",
        ),
        (
            file(TEXT, none, &[Page::new(DATA, -1, 1, b"")], 0),
            "a count of it is negative",
        ),
        (
            file(LIST, none, &[listed], 0),
            "the lists of a row group have 2147483647 items",
        ),
        (deep(4_000), "nested more than 48 deep"),
        (
            deep(1_000_000),
            "the schema of the Parquet file has more than 4096 parts",
        ),
        (
            ended(vec![0; 9 << 20]),
            "the footer of the Parquet file has 9437184 bytes",
        ),
        (
            b"PAR1\xff\xff\xff\x7fPAR1".to_vec(),
            "it does not end as Parquet does",
        ),
    ]
}

#[test]
fn claims_take_no_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    for (at, (bytes, expected)) in hostile().into_iter().enumerate() {
        let path = folder.path().join(format!("{at}.parquet"));
        fs::write(&path, bytes).expect("a file");
        refused(&path, &[expected]);
    }
}

/// A row of 1 GiB is passed over, and the bad row after it is found.
#[test]
fn long_rows_take_no_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "line 2: a row of more than 1024 KiB";
    for (name, start, end, expected) in [
        ("a.csv", "a,b\n1,", "\n1\n", [long, "line 3: 1 cells"]),
        (
            "b.csv",
            "a,b\n1,\"",
            "\"\n1\n",
            ["line 2, column b: a quote that is not closed", "or more"],
        ),
        (
            "c.jsonl",
            "{\"a\":1}\n{\"a\":\"",
            "\"}\n[]\n",
            [long, "line 3: invalid type"],
        ),
        ("d.txt", "one\n", "\n\u{fe}\n", [long, "1 bad row,"]),
    ] {
        let path = folder.path().join(name);
        sparse(&path, start, end);
        refused(&path, &expected);
    }
}

/// A file with a hole of 1 GiB in it, which takes no disk and is read as zeros.
fn sparse(path: &Path, start: &str, end: &str) {
    let mut file = fs::File::create_new(path).expect("a file");
    file.write_all(start.as_bytes()).expect("its start");
    file.seek(SeekFrom::Current(1 << 30)).expect("a hole");
    file.write_all(end.as_bytes()).expect("its end");
}

/// Reads a file in a child, which has to refuse it with these words.
#[track_caller]
fn refused(path: &Path, expected: &[&str]) {
    let done = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "tests::hostile::read_hostile", "--nocapture"])
        .env(FILE, path)
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", path.display());
    for expected in expected.iter().chain(&["hint: "]) {
        assert!(
            said.contains(expected),
            "{}, {expected}: {said}",
            path.display()
        );
    }
}

/// The child: reads one file, says why it is refused, and fails if that took memory.
#[test]
fn read_hostile() {
    let Ok(path) = env::var(FILE) else {
        return;
    };
    let before = peak_kib();
    let source = Source::of(Path::new(&path)).expect("its ending says what it is");
    let read = canonicalise(&source, &mut io::sink(), &mut |_| {});
    let taken = peak_kib() - before;
    eprintln!("{}", read.expect_err("refused"));
    assert!(taken < TAKEN_MAX_KIB, "{taken} KiB were taken");
}

/// The most address space that this process had so far, in KiB: memory counts when it is asked for.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmPeak:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).expect("KiB")
}
