//! CSV: RFC 4180, strictly, since a file that is read by guesses is charged by guesses.
//!
//! The file is read twice. The first time finds every bad row and what each column holds: a column is
//! of booleans, or of numbers, if every cell that is not empty is one as JSON writes it; else it is
//! text, `007` and a number with more digits than a double holds among it. The second time reads rows.
//! An empty cell is no value; in a column of text `""` is an empty text.

mod cells;
mod kind;

use self::cells::{Begun, Cells, Fault, Reader};
use self::kind::Kind;
use super::Source;
use crate::error::{BadRow, ImportError};
use crate::gather::{Sink, Stage, too_long};
use crate::schema::check_name;
use std::collections::BTreeMap;
use std::io;

pub(super) fn read(source: &Source, sink: &mut Sink) -> Result<(), ImportError> {
    check_delimiter(source.delimiter)?;
    let kinds = check(source, sink)?;
    if sink.is_bad() {
        return Ok(());
    }
    let mut table = Table::open(source)?;
    while let Some(line) = table.next(sink, Stage::Reading)? {
        let mut fields = BTreeMap::new();
        for ((name, kind), (cell, quoted)) in
            table.header.iter().zip(&kinds).zip(table.cells.iter())
        {
            fields.insert(name.clone(), kind.value(cell, quoted));
        }
        sink.row(line, &fields)?;
    }
    Ok(())
}

fn check(source: &Source, sink: &mut Sink) -> Result<Vec<Kind>, ImportError> {
    let mut table = Table::open(source)?;
    let mut kinds = vec![Kind::Unknown; table.header.len()];
    while table.next(sink, Stage::Checking)?.is_some() {
        for (kind, (cell, _)) in kinds.iter_mut().zip(table.cells.iter()) {
            *kind = kind.with(cell);
        }
    }
    Ok(kinds)
}

fn check_delimiter(delimiter: u8) -> Result<(), ImportError> {
    let fit = delimiter == b'\t' || delimiter.is_ascii_punctuation() && delimiter != b'"';
    match fit {
        true => Ok(()),
        false => Err(ImportError::unfit(
            "what stands between cells is a tab or one of !#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
            "leave it out for commas",
        )),
    }
}

/// A file whose header is read.
struct Table<'a> {
    source: &'a Source,
    reader: Reader<io::BufReader<std::fs::File>>,
    total: u64,
    header: Vec<String>,
    cells: Cells,
}

impl<'a> Table<'a> {
    fn open(source: &'a Source) -> Result<Self, ImportError> {
        let (mut input, total) = super::open(&source.path)?;
        super::pass_mark(&source.path, &mut input)?;
        let mut table = Self {
            source,
            reader: Reader::new(input, source.delimiter),
            total,
            header: Vec::new(),
            cells: Cells::default(),
        };
        table.header = table.read_header()?;
        Ok(table)
    }

    fn read_header(&mut self) -> Result<Vec<String>, ImportError> {
        let hint = "the first line names the columns";
        match self.read()? {
            None => return Err(ImportError::unfit("the file is empty", hint)),
            Some(Err((_, fault))) => {
                return Err(ImportError::unfit(
                    format!("the header: {}", fault.what()),
                    fault.hint(),
                ));
            }
            Some(Ok(_)) => {}
        }
        if let Some((cell, _)) = self.cells.broken() {
            let what = format!("the header, column {}, is not UTF-8", cell + 1);
            return Err(ImportError::unfit(what, "convert the file: iconv -t UTF-8"));
        }
        let names: Vec<String> = self
            .cells
            .iter()
            .map(|(name, _)| name.trim().to_owned())
            .collect();
        check_header(&names)?;
        Ok(names)
    }

    /// The line of the next row that is a good one. Bad ones go to the sink.
    fn next(&mut self, sink: &mut Sink, stage: Stage) -> Result<Option<u64>, ImportError> {
        loop {
            let read = self.read()?;
            sink.progress(stage, self.reader.bytes().min(self.total), self.total);
            match read {
                None => return Ok(None),
                Some(Ok(line)) => match self.fault(line) {
                    None => return Ok(Some(line)),
                    Some(bad) => sink.bad(bad),
                },
                Some(Err((line, fault))) => {
                    sink.bad(self.describe(line, &fault));
                    if fault.ends_reading() {
                        sink.stopped();
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn read(&mut self) -> Result<Option<Begun>, ImportError> {
        let read = self.reader.read(&mut self.cells);
        read.map_err(|error| super::unreadable(&self.source.path, error))
    }

    fn fault(&self, line: u64) -> Option<BadRow> {
        let (found, wanted) = (self.cells.len(), self.header.len());
        if found != wanted {
            let what = format!("{found} cells, the header has {wanted}");
            let hint = "a cell that has a delimiter or a line end in it stands in quotes";
            return Some(BadRow::new(line, what, hint));
        }
        let (cell, at) = self.cells.broken()?;
        let what = format!("byte {} of the cell is not UTF-8", at + 1);
        let bad = BadRow::new(
            line,
            what,
            "convert the file: iconv -f LATIN1 -t UTF-8, or from what it is in",
        );
        Some(bad.column(&self.header[cell]))
    }

    fn describe(&self, line: u64, fault: &Fault) -> BadRow {
        if let Fault::TooLong = fault {
            return too_long(line);
        }
        let bad = BadRow::new(line, fault.what(), fault.hint());
        match fault.cell().and_then(|cell| self.header.get(cell)) {
            Some(name) => bad.column(name),
            None => bad,
        }
    }
}

/// A name without what a terminal would do instead of showing it.
fn shown(name: &str) -> String {
    let letter = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    name.chars().map(letter).collect()
}

fn check_header(names: &[String]) -> Result<(), ImportError> {
    if names.iter().any(|name| name.contains('\r')) {
        return Err(ImportError::unfit(
            "the header has a carriage return in it, as where lines end in one alone",
            "let lines end in a line feed: tr '\\r' '\\n' < FILE",
        ));
    }
    if let [only] = names
        && let Some(other) = [';', '\t', '|', ',']
            .into_iter()
            .find(|other| only.contains(*other))
    {
        return Err(ImportError::unfit(
            format!("the header is one column with {other:?} in it"),
            format!(
                "is {other:?} what stands between the cells? Then say so: `--delimiter {other:?}`"
            ),
        ));
    }
    for (at, name) in names.iter().enumerate() {
        let twice = || {
            names[..at]
                .contains(name)
                .then(|| "two columns have this name".to_owned())
        };
        if let Some(what) = check_name(name).err().or_else(twice) {
            return Err(ImportError::unfit(
                format!("the header, column {} `{}`: {what}", at + 1, shown(name)),
                "the first line names every column, each by a name of its own",
            ));
        }
    }
    if names.len() > crate::limits::COLUMNS_MAX {
        let what = format!(
            "the header has {} columns, at most {} are read",
            names.len(),
            crate::limits::COLUMNS_MAX
        );
        return Err(ImportError::unfit(
            what,
            "leave some out, or publish several datasets",
        ));
    }
    Ok(())
}
