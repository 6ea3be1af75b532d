//! Files that rows come from.

mod csv;
mod json_lines;
mod line;
mod parquet;
mod text;

use crate::error::ImportError;
use crate::gather::Sink;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file or folder that rows are read from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub format: Format,
    /// What stands between the cells of CSV: one byte that is not a letter, digit, quote or line end.
    pub delimiter: u8,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table of text; its first line names the columns (RFC 4180, strictly).
    Csv,
    /// A JSON object on each line.
    JsonLines,
    /// A Parquet file.
    Parquet,
    /// A text, or a folder of them: a row for each paragraph, with `offset`, `text`, and of a folder `file`.
    Text,
}

impl Format {
    /// Their names, as people write them.
    pub const NAMES: [&str; 4] = ["csv", "jsonl", "parquet", "text"];

    /// By the ending of a file's name; a folder is one of text.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        if path.is_dir() {
            return Some(Self::Text);
        }
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            "txt" | "md" => Some(Self::Text),
            _ => None,
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::JsonLines),
            "parquet" => Ok(Self::Parquet),
            "text" => Ok(Self::Text),
            _ => Err(format!("a format is one of {}", Self::NAMES.join(", "))),
        }
    }
}

impl Source {
    /// A file, or a folder of text, of the format that its name says.
    ///
    /// # Errors
    /// The name says none.
    pub fn of(path: &Path) -> Result<Self, ImportError> {
        let format = Format::of(path).ok_or_else(|| {
            ImportError::unfit(
                format!("{}: its name does not say what it holds", path.display()),
                "names end in .csv, .tsv, .jsonl, .ndjson, .parquet, .txt or .md; or name the \
                 format; a JSON array becomes JSONL by `jq -c '.[]'`",
            )
        })?;
        Ok(Self::new(path, format))
    }

    /// A file or folder of this format. Cells of CSV stand between commas, or tabs if the name ends
    /// in `.tsv`.
    #[must_use]
    pub fn new(path: &Path, format: Format) -> Self {
        let tabs = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("tsv"));
        Self {
            path: path.to_owned(),
            format,
            delimiter: if tabs { b'\t' } else { b',' },
        }
    }
}

pub(crate) fn read(source: &Source, sink: &mut Sink) -> Result<(), ImportError> {
    match source.format {
        Format::Csv => csv::read(source, sink),
        Format::JsonLines => json_lines::read(&source.path, sink),
        Format::Parquet => parquet::read(&source.path, sink),
        Format::Text => text::read(&source.path, sink),
    }
}

/// Opens a file, with its length.
fn open(path: &Path) -> Result<(BufReader<File>, u64), ImportError> {
    let opened = File::open(path).and_then(|file| {
        let about = file.metadata()?;
        match about.is_file() {
            true => Ok((BufReader::with_capacity(1 << 18, file), about.len())),
            false => Err(std::io::Error::other("it is not a file")),
        }
    });
    opened.map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Source {
        path: path.to_owned(),
        source,
    }
}

/// Passes over a UTF-8 mark.
///
/// # Errors
/// The text begins as UTF-16 does, or compressed files do.
fn pass_mark(path: &Path, input: &mut BufReader<File>) -> Result<(), ImportError> {
    use std::io::BufRead;
    let start = input.fill_buf().map_err(|error| unreadable(path, error))?;
    let what = match start {
        [0xef, 0xbb, 0xbf, ..] => {
            input.consume(3);
            return Ok(());
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("in UTF-16", "iconv -f UTF-16 -t UTF-8"),
        [0x1f, 0x8b, ..] => ("compressed", "gunzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("compressed", "zstd -d"),
        [b'P', b'A', b'R', b'1', ..] => ("Parquet, not text", "name it .parquet"),
        _ => return Ok(()),
    };
    let hint = format!("convert it first: {}", what.1);
    Err(ImportError::unfit(
        format!("{} is {}", path.display(), what.0),
        hint,
    ))
}

fn neither(path: &Path) -> ImportError {
    ImportError::unfit(
        format!("{}: neither a file nor a folder", path.display()),
        "put the file itself in the place of the link, or name it with a dot before: it is left out then",
    )
}

/// Files of editors and version control.
fn is_hidden(path: &Path) -> bool {
    path.iter()
        .any(|part| part.to_string_lossy().starts_with('.'))
}

/// The files of a folder, in the order of their names, as paths within it.
fn files(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        let at = folder.join(&inner);
        let entries = fs::read_dir(&at).map_err(|error| unreadable(&at, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&at, error))?;
            let kind = entry.file_type().map_err(|error| unreadable(&at, error))?;
            let path = inner.join(entry.file_name());
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => folders.push(path),
                (_, true) => found.push(path),
                _ if is_hidden(&path) => {}
                // A link could lead out of the folder, or round in it.
                _ => return Err(neither(&at.join(entry.file_name()))),
            }
        }
        if found.len() > crate::limits::FILES_MAX {
            let what = format!("more than {} files", crate::limits::FILES_MAX);
            return Err(ImportError::unfit(what, "publish it as several datasets"));
        }
    }
    found.sort_unstable();
    Ok(found)
}
