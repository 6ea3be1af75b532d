use crate::limits::BAD_ROWS_SHOWN;
use std::{fmt, io, path::PathBuf};

/// A row that does not fit, where it is and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The file, when the source is a folder.
    pub file: Option<String>,
    /// The line it begins on, from 1; of a Parquet file the row, from 1.
    pub line: u64,
    /// What `line` counts: `line` or `row`.
    pub counts: &'static str,
    /// The column's name, or its number where it has none.
    pub column: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl BadRow {
    pub(crate) fn new(line: u64, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            file: None,
            line,
            counts: "line",
            column: None,
            what: what.into(),
            hint: hint.into(),
        }
    }

    pub(crate) fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}, ")?;
        }
        write!(f, "{} {}", self.counts, self.line)?;
        match self.column.as_deref() {
            Some("") => f.write_str(", column ``")?,
            Some(column) => write!(f, ", column {column}")?,
            None => {}
        }
        write!(f, ": {} (hint: {})", self.what, self.hint)
    }
}

/// The bad rows of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// The first ones, in the order of their lines.
    pub first: Vec<BadRow>,
    /// How many there are.
    pub total: u64,
    /// Reading ended at the last one: how many more there are is not known.
    pub stopped: bool,
}

impl BadRows {
    pub(crate) fn add(&mut self, row: BadRow) {
        if self.first.len() < BAD_ROWS_SHOWN {
            self.first.push(row);
        }
        self.total += 1;
    }
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.stopped { " or more" } else { "" };
        let plural = if self.total == 1 { "" } else { "s" };
        write!(
            f,
            "{} bad row{plural}{more}, so nothing was read in",
            self.total
        )?;
        self.first
            .iter()
            .try_for_each(|row| write!(f, "\n  {row}"))?;
        match self.total.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            rest => write!(f, "\n  and {rest} more"),
        }
    }
}

/// Why a source was not read in. Nothing of it is kept then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Rows are wrong.
    #[error("{0}")]
    BadRows(BadRows),
    /// The source as a whole cannot be a dataset.
    #[error("{what}\nhint: {hint}")]
    Unfit {
        /// What is wrong.
        what: String,
        /// What to do about it.
        hint: String,
    },
    /// The source cannot be read.
    #[error("cannot read {}", path.display())]
    Source {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The rows of all datasets would take more than this many bytes.
    #[error("at most {0} bytes of datasets are kept here, and these rows would be more")]
    Full(u64),
    /// The rows cannot be kept.
    #[error("cannot keep the dataset")]
    Keep(#[source] io::Error),
    /// The index cannot be built.
    #[error("cannot index the dataset")]
    Index(#[source] tantivy::TantivyError),
}

impl ImportError {
    pub(crate) fn unfit(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unfit {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// Why rows were not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such column.
    #[error("there is no column `{column}`; there are {known}")]
    UnknownColumn {
        /// The name asked for.
        column: String,
        /// The names there are.
        known: String,
    },
    /// The question is longer than [`limits::QUERY_BYTES_MAX`](crate::limits::QUERY_BYTES_MAX).
    #[error("a question has at most {max} bytes, this one has {bytes}")]
    LongQuery {
        /// Its length.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// The files cannot be read.
    #[error("cannot read the dataset's rows")]
    Rows(#[from] io::Error),
    /// A row is not what was written.
    #[error("row {0} of the dataset is damaged")]
    Damaged(u64),
    /// The index cannot be read.
    #[error("cannot search the dataset")]
    Index(#[from] tantivy::TantivyError),
}
