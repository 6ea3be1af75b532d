//! A million rows: read in, found, read back; beside SQLite's full-text search in the same run.
//!
//! ```sh
//! cargo bench --profile dev -p aigen-datasets
//! ROWS=100000 cargo bench --profile dev -p aigen-datasets
//! WORDS=2,4 cargo bench --profile dev -p aigen-datasets    # questions of these lengths only
//! ```
#![allow(missing_docs, clippy::print_stdout)]

use aigen_datasets::{Dataset, Library, Progress, Source};
use rusqlite::Connection;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tantivy::schema::{STORED, Schema};
use tantivy::{Index, TantivyDocument};

const WORDS: u64 = 50_000;
const QUERIES: usize = 1_000;
/// As many of them as SQLite is asked: common words take it seconds, and all of them an hour.
const QUERIES_RIVAL: usize = 50;
const LIMIT: usize = 10;

/// Always the same numbers (Knuth's linear congruence).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Few words are common and most are rare, about as Zipf says.
    fn word(&mut self) -> String {
        let unit = self.next() as f64 / (1_u64 << 31) as f64;
        let rank = (WORDS as f64).powf(unit) as u64;
        format!("w{rank}")
    }

    fn text(&mut self, words: usize) -> String {
        let words: Vec<_> = (0..words).map(|_| self.word()).collect();
        words.join(" ")
    }
}

fn main() {
    let rows = std::env::var("ROWS").map_or(1_000_000, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("rows.csv");
    write_csv(&csv, rows);
    println!(
        "{rows} rows, CSV of {}",
        mib(fs::metadata(&csv).expect("a file").len())
    );
    let (dataset, ours) = import(folder.path(), &csv);
    let (sqlite, theirs) = import_sqlite(folder.path(), rows);
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!(
        "  SQLite FTS5: {:.1} s; ours takes {ratio:.2} times as long",
        theirs.as_secs_f64()
    );
    read_back(&dataset, &folder.path().join("store"), rows.min(100_000));
    for words in lengths() {
        let questions = questions(words);
        let ours = times(&questions, |text| {
            dataset.search(text, LIMIT).expect("hits").len()
        });
        println!("search, {words} words: {}", ours.tell());
        let theirs = times(&questions[..QUERIES_RIVAL], |text| {
            search_sqlite(&sqlite, text)
        });
        println!(
            "  SQLite FTS5: {}; our p50 is {:.4} of it",
            theirs.tell(),
            ours.p50 / theirs.p50
        );
    }
}

/// Words of a question: `WORDS=2,4`, or all lengths that the table has.
fn lengths() -> Vec<usize> {
    let asked = std::env::var("WORDS").unwrap_or_else(|_| "1,2,4".into());
    let lengths = asked
        .split(',')
        .map(|words| words.parse().expect("numbers"));
    lengths.collect()
}

fn write_csv(path: &Path, rows: u64) {
    let mut out = BufWriter::new(fs::File::create(path).expect("a file"));
    writeln!(out, "id,title,text,price").expect("a disk");
    let mut draw = Draw(1);
    for id in 0..rows {
        let (title, text, price) = (draw.text(3), draw.text(12), draw.next() % 10_000);
        writeln!(out, "{id},{title},\"{text}\",{price}").expect("a disk");
    }
    out.flush().expect("a disk");
}

fn import(folder: &Path, csv: &Path) -> (Arc<Dataset>, Duration) {
    let library = Library::open(&folder.join("datasets")).expect("a library");
    let (start, before, mut reports) = (Instant::now(), peak_kib(), 0);
    let mut report = |_: Progress| reports += 1;
    let manifest = library
        .import(&Source::of(csv).expect("CSV"), &mut report)
        .expect("rows");
    let took = start.elapsed();
    println!(
        "publish: {:.1} s, {reports} reports of progress, at most {} resident ({} before), rows {}",
        took.as_secs_f64(),
        mib(peak_kib() << 10),
        mib(before << 10),
        mib(manifest.bytes),
    );
    (library.get(&manifest.digest).expect("kept"), took)
}

/// The most memory that this process had so far, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

fn import_sqlite(folder: &Path, rows: u64) -> (Connection, Duration) {
    let start = Instant::now();
    let mut sqlite = Connection::open(folder.join("rival.sqlite")).expect("a database");
    let schema = "CREATE VIRTUAL TABLE rows USING fts5(title, text, id UNINDEXED, price UNINDEXED)";
    sqlite.execute_batch(schema).expect("FTS5");
    let all = sqlite.transaction().expect("a transaction");
    let mut insert = all
        .prepare("INSERT INTO rows VALUES (?1, ?2, ?3, ?4)")
        .expect("sound");
    let mut draw = Draw(1);
    for id in 0..rows {
        let row = (
            draw.text(3),
            draw.text(12),
            id as i64,
            (draw.next() % 10_000) as i64,
        );
        insert.execute(row).expect("a row");
    }
    drop(insert);
    all.commit().expect("a disk");
    (sqlite, start.elapsed())
}

fn search_sqlite(sqlite: &Connection, text: &str) -> usize {
    let words: Vec<_> = text.split(' ').map(|word| format!("\"{word}\"")).collect();
    let mut search = sqlite
        .prepare_cached("SELECT rowid FROM rows WHERE rows MATCH ?1 ORDER BY rank LIMIT ?2")
        .expect("sound");
    let found = search.query_map((words.join(" OR "), LIMIT as i64), |row| {
        row.get::<_, i64>(0)
    });
    found.expect("hits").count()
}

fn questions(words: usize) -> Vec<String> {
    let mut draw = Draw(words as u64 + 7);
    (0..QUERIES).map(|_| draw.text(words)).collect()
}

struct Times {
    p50: f64,
    p99: f64,
}

impl Times {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let at = |part: usize| all[(all.len() * part / 100).min(all.len() - 1)].as_secs_f64() * 1e3;
        Self {
            p50: at(50),
            p99: at(99),
        }
    }

    fn tell(&self) -> String {
        format!("p50 {:.3} ms, p99 {:.3} ms", self.p50, self.p99)
    }
}

fn times<T>(questions: &[T], mut ask: impl FnMut(&T) -> usize) -> Times {
    questions
        .iter()
        .take(questions.len() / 20)
        .for_each(|question| {
            ask(question);
        });
    let took = questions.iter().map(|question| {
        let start = Instant::now();
        ask(question);
        start.elapsed()
    });
    Times::of(took.collect())
}

/// Rows by their numbers: from the file with offsets, and from the document store that the index
/// could keep instead.
fn read_back(dataset: &Dataset, folder: &Path, rows: u64) {
    fs::create_dir(folder).expect("a folder");
    let mut schema = Schema::builder();
    let json = schema.add_text_field("json", STORED);
    let index = Index::create_in_dir(folder, schema.build()).expect("an index");
    let mut writer = index
        .writer_with_num_threads(1, 64 << 20)
        .expect("a writer");
    for id in 0..rows {
        let row = dataset.row(id).expect("readable").expect("there");
        let mut text = String::new();
        write!(text, "{}", serde_json::Value::Object(row.values)).expect("memory");
        let mut document = TantivyDocument::new();
        document.add_text(json, text);
        writer.add_document(document).expect("added");
    }
    writer.commit().expect("a disk");
    let searcher = index.reader().expect("a reader").searcher();
    let segments = searcher.segment_readers().len() as u64;
    let mut draw = Draw(3);
    let ids: Vec<u64> = (0..10_000).map(|_| draw.next() % rows).collect();
    let ours = times(&ids, |id| {
        dataset
            .row(*id)
            .expect("readable")
            .map_or(0, |row| row.values.len())
    });
    let theirs = times(&ids, |id| {
        let segment = (*id % segments) as u32;
        let last = u64::from(searcher.segment_reader(segment).max_doc());
        let place = tantivy::DocAddress::new(segment, (*id % last) as u32);
        let found: TantivyDocument = searcher.doc(place).expect("readable");
        let text = tantivy::schema::Value::as_str(&found.get_first(json).expect("there"))
            .map(str::to_owned);
        let values: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&text.expect("text")).expect("JSON");
        values.len()
    });
    println!(
        "a row by its number: {} (tantivy's store: {}), p50 {:.2} of it",
        ours.tell(),
        theirs.tell(),
        ours.p50 / theirs.p50
    );
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
