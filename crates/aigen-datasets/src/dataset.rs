use crate::error::ReadError;
use crate::index::Search;
use crate::limits::ANSWER_ROWS_MAX;
use crate::manifest::Manifest;
use crate::rows::{ROWS, RowFile};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs::File, io, sync::Arc};

/// A dataset that is kept here. Its files are opened when they are first needed.
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    rows: Once<RowFile>,
    search: Once<Search>,
}

/// A row that a search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its number, from 0.
    pub row: u64,
    /// How well it matches (BM25): larger is better.
    pub score: f32,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number, from 0.
    pub id: u64,
    /// Its values by column, in the order of their names; a column without a value is left out.
    pub values: Map<String, Value>,
}

impl Dataset {
    pub(crate) fn new(folder: PathBuf, manifest: Manifest) -> Self {
        Self {
            folder,
            manifest,
            rows: Once::default(),
            search: Once::default(),
        }
    }

    /// What it is.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The rows that match a question best, at most `limit` and at most [`ANSWER_ROWS_MAX`], by
    /// score, then by row. Any text is a question: it is taken as words, never as syntax.
    ///
    /// # Errors
    /// The question is too long; the index cannot be read.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<Hit>, ReadError> {
        self.search_in(query, None, limit)
    }

    /// As [`Dataset::search`], looking into these columns only, or into all of them.
    ///
    /// # Errors
    /// There is no such column; and as [`Dataset::search`].
    pub fn search_in(
        &self,
        query: &str,
        columns: Option<&[String]>,
        limit: usize,
    ) -> Result<Vec<Hit>, ReadError> {
        let columns = self.places(columns)?;
        let open = || {
            Search::open(
                &self.folder.join(crate::library::INDEX),
                &self.manifest.columns,
            )
        };
        self.search
            .get(open)?
            .search(query, &columns, limit.min(ANSWER_ROWS_MAX))
    }

    /// Rows from number `first` on, at most `limit` and at most [`ANSWER_ROWS_MAX`], with these
    /// columns or all. None beyond the last row.
    ///
    /// # Errors
    /// There is no such column; the rows cannot be read.
    pub fn rows(
        &self,
        first: u64,
        limit: usize,
        columns: Option<&[String]>,
    ) -> Result<Vec<Row>, ReadError> {
        let end = first.saturating_add(limit.min(ANSWER_ROWS_MAX) as u64);
        self.pick(first..end.min(self.manifest.rows), columns)
    }

    /// The rows of these numbers, in this order, with these columns or all.
    ///
    /// # Errors
    /// There is no such column; the rows cannot be read.
    pub fn pick(
        &self,
        ids: impl IntoIterator<Item = u64>,
        columns: Option<&[String]>,
    ) -> Result<Vec<Row>, ReadError> {
        self.places(columns)?;
        let rows = self.rows.get(|| RowFile::open(&self.folder))?;
        let read = |id| {
            let mut values = rows.row(id)?;
            if let Some(columns) = columns {
                values.retain(|name, _| columns.contains(name));
            }
            Ok(Row { id, values })
        };
        ids.into_iter().map(read).collect()
    }

    /// The row of this number, or `None` beyond the last.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn row(&self, id: u64) -> Result<Option<Row>, ReadError> {
        Ok(self.rows(id, 1, None)?.pop())
    }

    /// Bytes of a row in canonical form. The row must exist.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn row_bytes(&self, id: u64) -> Result<u64, ReadError> {
        let rows = self.rows.get(|| RowFile::open(&self.folder))?;
        Ok(rows.length(id)?)
    }

    /// All rows in canonical form (JSONL): their SHA-256 is the dataset's id.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn content(&self) -> io::Result<File> {
        File::open(self.folder.join(ROWS))
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn places(&self, columns: Option<&[String]>) -> Result<Vec<usize>, ReadError> {
        let known = &self.manifest.columns;
        let place = |name: &String| {
            let place = known.iter().position(|column| column.name == *name);
            place.ok_or_else(|| ReadError::UnknownColumn {
                column: name.clone(),
                known: known
                    .iter()
                    .map(|c| c.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
        };
        match columns {
            Some(columns) => columns.iter().map(place).collect(),
            None => Ok((0..known.len()).collect()),
        }
    }
}

/// Something that is opened once. `OnceLock` cannot fail to open yet.
struct Once<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Once<T> {
    fn get<E>(&self, open: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut held = self.0.lock().expect("no holder panics");
        if held.is_none() {
            *held = Some(Arc::new(open()?));
        }
        Ok(Arc::clone(held.as_ref().expect("just opened")))
    }
}
