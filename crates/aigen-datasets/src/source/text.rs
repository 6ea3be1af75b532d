//! Texts: a row for each paragraph, with where it begins and its text, and of a folder the file.
//!
//! Paragraphs stand between empty lines. One of more than [`PASSAGE_BYTES_MAX`] is divided at a space,
//! so that a passage fits into a prompt.

use super::line::{self, Line};
use crate::error::{BadRow, ImportError};
use crate::gather::{Sink, Stage, too_long};
use crate::limits::PASSAGE_BYTES_MAX;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) fn read(path: &Path, sink: &mut Sink) -> Result<(), ImportError> {
    if !path.is_dir() {
        // Its name may be anybody's: the same text is the same dataset.
        return read_file(path, None, sink);
    }
    let is_text = |file: &PathBuf| matches!(extension(file).as_str(), "txt" | "md");
    let (texts, others): (Vec<_>, Vec<_>) = super::files(path)?.into_iter().partition(is_text);
    if let Some(other) = others.iter().find(|other| !super::is_hidden(other)) {
        return Err(ImportError::unfit(
            format!("{}: neither .txt nor .md", path.join(other).display()),
            "a folder of texts holds nothing else; tables are published as files of their own",
        ));
    }
    let visible = texts.iter().filter(|text| !super::is_hidden(text));
    visible
        .into_iter()
        .try_for_each(|text| read_file(&path.join(text), Some(text), sink))
}

fn extension(path: &Path) -> String {
    let end = path.extension().and_then(|end| end.to_str());
    end.unwrap_or_default().to_ascii_lowercase()
}

fn read_file(path: &Path, name: Option<&Path>, sink: &mut Sink) -> Result<(), ImportError> {
    let not_utf8_name = || {
        let what = format!("{}: its name is not UTF-8", path.display());
        ImportError::unfit(what, "rename the file")
    };
    let name = name.map(|name| name.to_str().ok_or_else(not_utf8_name));
    let name = name.transpose()?;
    let (mut input, total) = super::open(path)?;
    super::pass_mark(path, &mut input)?;
    let mut text = Text {
        name,
        passage: String::new(),
        offset: 0,
        line: 1,
    };
    let (mut bytes, mut number, mut buffer) = (0, 0, Vec::new());
    loop {
        number += 1;
        let offset = bytes;
        let read = line::read(&mut input, &mut buffer, &mut bytes);
        match read.map_err(|error| super::unreadable(path, error))? {
            Line::End => break,
            Line::TooLong => sink.bad(of_file(name, too_long(number))),
            Line::Whole => match std::str::from_utf8(&buffer) {
                Ok(line) => text.line(number, offset, line, sink)?,
                Err(_) => sink.bad(of_file(name, not_utf8(number))),
            },
        }
        sink.progress(Stage::Reading, bytes, total);
    }
    text.end(sink)
}

fn of_file(name: Option<&str>, mut bad: BadRow) -> BadRow {
    bad.file = name.map(str::to_owned);
    bad
}

fn not_utf8(line: u64) -> BadRow {
    BadRow::new(
        line,
        "the line is not UTF-8",
        "convert the file: iconv -t UTF-8",
    )
}

/// The paragraph that is being read.
struct Text<'a> {
    name: Option<&'a str>,
    passage: String,
    offset: u64,
    line: u64,
}

impl Text<'_> {
    fn line(
        &mut self,
        number: u64,
        offset: u64,
        line: &str,
        sink: &mut Sink,
    ) -> Result<(), ImportError> {
        if line.trim().is_empty() {
            return self.end(sink);
        }
        match self.passage.is_empty() {
            true => (self.offset, self.line) = (offset, number),
            false => self.passage.push('\n'),
        }
        self.passage.push_str(line);
        while self.passage.len() > PASSAGE_BYTES_MAX {
            let at = division(&self.passage);
            let rest = self.passage.split_off(at);
            let taken = std::mem::replace(&mut self.passage, rest);
            self.row(&taken, sink)?;
            self.offset += at as u64;
            self.line = number;
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), ImportError> {
        let passage = std::mem::take(&mut self.passage);
        match passage.is_empty() {
            true => Ok(()),
            false => self.row(&passage, sink),
        }
    }

    fn row(&self, passage: &str, sink: &mut Sink) -> Result<(), ImportError> {
        let file = self.name.map(|name| ("file", Value::from(name)));
        let rest = [
            ("offset", Value::from(self.offset)),
            ("text", Value::from(passage)),
        ];
        let fields = file.into_iter().chain(rest);
        let fields: BTreeMap<_, _> = fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        sink.row(self.line, &fields)
    }
}

/// After the last space of the first [`PASSAGE_BYTES_MAX`] bytes, or where they end.
fn division(passage: &str) -> usize {
    let end = passage.floor_char_boundary(PASSAGE_BYTES_MAX);
    let space = passage[..end]
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_whitespace());
    space.map_or(end, |(at, c)| at + c.len_utf8())
}
