use crate::canonical::write_row;
use crate::error::{BadRow, BadRows, ImportError};
use crate::limits::{DEPTH_MAX, PROGRESS_BYTES, ROW_BYTES_MAX, ROWS_MAX};
use crate::manifest::Manifest;
use crate::rows::END_BYTES;
use crate::schema::Seen;
use crate::source::{self, Format, Source};
use aigen_types::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Write;

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Bytes of that done.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// Rows done; none while a file is only looked through.
    pub rows: u64,
}

/// What an import does, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Takes the rows from where another node left them.
    Fetching,
    /// Looks through a CSV file, for the types of its columns and for bad rows.
    Checking,
    /// Reads rows and writes them in canonical form.
    Reading,
    /// Builds the index.
    Indexing,
}

/// How many bytes of rows, with their ends, an import may come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// What there is room for; nothing more is written.
    pub free: u64,
    /// The largest dataset that is kept: rows of more than `free` are read on that far, since they may
    /// be those.
    pub known: u64,
    /// Of all datasets, for the error.
    pub all: u64,
}

impl Room {
    pub const ENDLESS: Self = Self {
        free: u64::MAX,
        known: 0,
        all: u64::MAX,
    };
}

/// Reads a source: its rows in canonical form go to `rows`, the end of each (u64, little-endian) to
/// `ends`.
pub(crate) fn gather(
    source: &Source,
    rows: &mut dyn Write,
    ends: &mut dyn Write,
    room: Room,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, ImportError> {
    let mut sink = Sink {
        format: source.format,
        rows,
        ends,
        room,
        progress,
        line: Vec::new(),
        hash: Sha256::new(),
        seen: Seen::default(),
        bad: BadRows::default(),
        bytes: 0,
        count: 0,
        next_report: 0,
    };
    source::read(source, &mut sink)?;
    sink.finish()
}

/// Where a format's rows go.
pub(crate) struct Sink<'a> {
    format: Format,
    rows: &'a mut dyn Write,
    ends: &'a mut dyn Write,
    room: Room,
    progress: &'a mut dyn FnMut(Progress),
    line: Vec<u8>,
    hash: Sha256,
    seen: Seen,
    bad: BadRows,
    bytes: u64,
    count: u64,
    next_report: u64,
}

impl Sink<'_> {
    /// Takes a row that begins on this line.
    pub(crate) fn row(
        &mut self,
        line: u64,
        fields: &BTreeMap<String, Value>,
    ) -> Result<(), ImportError> {
        if let Err(bad) = self.check(line, fields) {
            self.bad(bad);
        }
        // With a bad row nothing is kept; further rows are only checked.
        if self.bad.total > 0 {
            return Ok(());
        }
        self.count += 1;
        self.bytes += self.line.len() as u64;
        self.hash.update(&self.line);
        self.write()?;
        match self.count > ROWS_MAX {
            true => Err(ImportError::unfit(
                format!("more than {ROWS_MAX} rows"),
                "publish it as several datasets",
            )),
            false => Ok(()),
        }
    }

    /// Writes the row down, if there is room.
    fn write(&mut self) -> Result<(), ImportError> {
        let taken = self.bytes + self.count * END_BYTES;
        if taken > self.room.free {
            return match taken > self.room.known {
                true => Err(ImportError::Full(self.room.all)),
                false => Ok(()),
            };
        }
        let wrote = self.rows.write_all(&self.line);
        let wrote = wrote.and_then(|()| self.ends.write_all(&self.bytes.to_le_bytes()));
        wrote.map_err(ImportError::Keep)
    }

    /// Writes the row to `self.line`.
    fn check(&mut self, line: u64, fields: &BTreeMap<String, Value>) -> Result<(), BadRow> {
        if let Some((name, _)) = fields.iter().find(|(_, value)| depth(value) > DEPTH_MAX) {
            let what = format!("lists and objects are nested more than {DEPTH_MAX} deep");
            return Err(BadRow::new(line, what, "flatten it, or keep it as text").column(name));
        }
        self.seen.row(fields).map_err(|(name, what)| {
            let hint = match name.is_empty() {
                true => "name it",
                false => "use short names, and as few as all rows share",
            };
            BadRow::new(line, what, hint).column(shortened(&name))
        })?;
        self.line.clear();
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value));
        write_row(fields, &mut self.line).expect("a vector takes all");
        match self.line.len() > ROW_BYTES_MAX {
            true => Err(too_long(line)),
            false => Ok(()),
        }
    }

    /// Takes a row that is wrong.
    pub(crate) fn bad(&mut self, mut row: BadRow) {
        if self.format == Format::Parquet {
            row.counts = "row";
        }
        self.bad.add(row);
    }

    /// Whether there was a bad row.
    pub(crate) fn is_bad(&self) -> bool {
        self.bad.total > 0
    }

    /// Says that the rest cannot be read after the last bad row.
    pub(crate) fn stopped(&mut self) {
        self.bad.stopped = true;
    }

    /// Reports, once in [`PROGRESS_BYTES`] and at the end.
    pub(crate) fn progress(&mut self, stage: Stage, done: u64, total: u64) {
        if done < self.next_report && done < total {
            return;
        }
        self.next_report = if done < total {
            done + PROGRESS_BYTES
        } else {
            0
        };
        let rows = self.count;
        (self.progress)(Progress {
            stage,
            done,
            total,
            rows,
        });
    }

    fn finish(self) -> Result<Manifest, ImportError> {
        if self.bad.total > 0 {
            return Err(ImportError::BadRows(self.bad));
        }
        if self.count == 0 {
            return Err(ImportError::unfit(
                "there is no row in it",
                no_rows(self.format),
            ));
        }
        let columns = self.seen.columns();
        if columns.is_empty() {
            let hint = "a dataset has at least one column with a value in it";
            return Err(ImportError::unfit("no row has a value", hint));
        }
        self.rows
            .flush()
            .and_then(|()| self.ends.flush())
            .map_err(ImportError::Keep)?;
        Ok(Manifest {
            digest: Digest(self.hash.finalize().into()),
            rows: self.count,
            bytes: self.bytes,
            columns,
        })
    }
}

/// What a row is, for who has none.
fn no_rows(format: Format) -> &'static str {
    match format {
        Format::Csv => "a dataset has at least one row; of a CSV file the first line is its header",
        Format::JsonLines => "each line is a JSON object, and a dataset has at least one row",
        Format::Parquet => "write the table again, with at least one row",
        Format::Text => {
            "a row is a paragraph of a .txt or .md file; files whose names begin with a dot are left out"
        }
    }
}

pub(crate) fn too_long(line: u64) -> BadRow {
    let what = format!("a row of more than {} KiB", ROW_BYTES_MAX >> 10);
    BadRow::new(line, what, "divide it into several rows")
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}
