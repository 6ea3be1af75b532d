use crate::limits::ROW_BYTES_MAX;
use std::io::{self, BufRead};

/// The cells of one row, in one buffer that is used again.
#[derive(Default)]
pub(super) struct Cells {
    bytes: Vec<u8>,
    ends: Vec<(usize, bool)>,
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Each cell's text, and whether it stood in quotes. What is not UTF-8 is empty here: look for
    /// it with [`Cells::broken`] first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        self.raw().map(move |(bytes, quoted)| (text(bytes), quoted))
    }

    /// The first cell that is not UTF-8, and the byte in it.
    pub(super) fn broken(&self) -> Option<(usize, usize)> {
        self.raw().enumerate().find_map(|(cell, (bytes, _))| {
            let error = std::str::from_utf8(bytes).err()?;
            Some((cell, error.valid_up_to()))
        })
    }

    fn raw(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, quoted)| {
            let cell = &self.bytes[start..*end];
            start = *end;
            (cell, *quoted)
        })
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&mut self, quoted: bool) {
        self.ends.push((self.bytes.len(), quoted));
    }
}

/// The line that a row begins on, and what is wrong with it there if anything is.
pub(super) type Begun = Result<u64, (u64, Fault)>;

/// What is wrong with a row's quotes or length.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A quote stands in a cell that does not begin with one.
    Stray { cell: usize },
    /// Something stands between a closing quote and the cell's end.
    AfterQuote { cell: usize },
    /// A quote is not closed before the file's end, or within [`ROW_BYTES_MAX`].
    Unclosed { cell: usize },
    /// The row is longer than [`ROW_BYTES_MAX`].
    TooLong,
}

impl Fault {
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Stray { .. } => "a quote inside a cell that does not begin with one",
            Self::AfterQuote { .. } => "text after a cell's closing quote",
            Self::Unclosed { .. } => "a quote that is not closed within a mebibyte, or at all",
            Self::TooLong => "a row of more than a mebibyte",
        }
    }

    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::TooLong => "divide it into several rows",
            _ => "put the whole cell in quotes, and write each quote in it twice",
        }
    }

    pub(super) fn cell(&self) -> Option<usize> {
        match self {
            Self::Stray { cell } | Self::AfterQuote { cell } | Self::Unclosed { cell } => {
                Some(*cell)
            }
            Self::TooLong => None,
        }
    }

    /// Where the next row begins is known but after an open quote.
    pub(super) fn ends_reading(&self) -> bool {
        matches!(self, Self::Unclosed { .. })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a cell's first byte.
    Start,
    /// In a cell without quotes.
    Bare,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: the second of a pair, or the closing one.
    Closed,
    /// In the rest of a line that is wrong.
    Skip,
}

/// Reads rows.
pub(super) struct Reader<R> {
    input: R,
    delimiter: u8,
    /// Lines that have ended.
    lines: u64,
    bytes: u64,
}

/// A row that is being read.
struct Row {
    state: State,
    fault: Option<Fault>,
    start: u64,
    bytes: usize,
}

impl Row {
    fn after(lines: u64) -> Self {
        Self {
            state: State::Start,
            fault: None,
            start: lines + 1,
            bytes: 0,
        }
    }
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self {
            input,
            delimiter,
            lines: 0,
            bytes: 0,
        }
    }

    /// Bytes read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads the next row that is not an empty line: the line it begins on, or what is wrong there.
    pub(super) fn read(&mut self, cells: &mut Cells) -> io::Result<Option<Begun>> {
        cells.clear();
        let mut row = Row::after(self.lines);
        loop {
            let part = self.input.fill_buf()?;
            if part.is_empty() {
                return Ok(row.at_end(cells));
            }
            let (used, ended) = row.take(part, self.delimiter, cells, &mut self.lines);
            self.input.consume(used);
            self.bytes += used as u64;
            if row.is_unclosed() {
                return Ok(Some(row.result()));
            }
            if ended {
                if row.fault.is_none() && cells.is_blank() {
                    cells.clear();
                    row = Row::after(self.lines);
                    continue;
                }
                return Ok(Some(row.result()));
            }
        }
    }
}

impl Cells {
    fn is_blank(&self) -> bool {
        matches!(self.ends[..], [(0, false)])
    }
}

impl Row {
    /// Takes bytes up to the row's end: how many, and whether it ended.
    fn take(
        &mut self,
        part: &[u8],
        delimiter: u8,
        cells: &mut Cells,
        lines: &mut u64,
    ) -> (usize, bool) {
        for (at, byte) in part.iter().enumerate() {
            *lines += u64::from(*byte == b'\n');
            if self.step(*byte, delimiter, cells) {
                return (at + 1, true);
            }
            self.bytes += 1;
            if self.bytes > ROW_BYTES_MAX && self.fault.is_none() {
                self.too_long(cells);
                if self.is_unclosed() {
                    return (at + 1, true);
                }
            }
        }
        (part.len(), false)
    }

    /// Takes one byte; whether it ended the row.
    fn step(&mut self, byte: u8, delimiter: u8, cells: &mut Cells) -> bool {
        match (self.state, byte) {
            (State::Skip, b'\n') => return true,
            (State::Skip, _) => {}
            (State::Quoted, b'"') => self.state = State::Closed,
            (State::Quoted, _) => cells.bytes.push(byte),
            (State::Closed, b'"') => {
                cells.bytes.push(b'"');
                self.state = State::Quoted;
            }
            (State::Start, b'"') => self.state = State::Quoted,
            (State::Bare, b'"') => self.wrong(Fault::Stray { cell: cells.len() }),
            (_, b'\n') => {
                self.end_line(cells);
                return true;
            }
            (state, _) if byte == delimiter => {
                cells.end(state == State::Closed);
                self.state = State::Start;
            }
            // The first half of a line's end.
            (State::Closed, b'\r') => {}
            (State::Closed, _) => self.wrong(Fault::AfterQuote { cell: cells.len() }),
            (State::Start | State::Bare, _) => {
                cells.bytes.push(byte);
                self.state = State::Bare;
            }
        }
        false
    }

    fn end_line(&self, cells: &mut Cells) {
        if self.state == State::Bare {
            cells.bytes.pop_if(|last| *last == b'\r');
        }
        cells.end(self.state == State::Closed);
    }

    fn wrong(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.state = State::Skip;
    }

    fn too_long(&mut self, cells: &mut Cells) {
        let fault = match self.state {
            State::Quoted => Fault::Unclosed { cell: cells.len() },
            _ => Fault::TooLong,
        };
        cells.clear();
        self.wrong(fault);
    }

    fn is_unclosed(&self) -> bool {
        matches!(self.fault, Some(Fault::Unclosed { .. }))
    }

    fn at_end(mut self, cells: &mut Cells) -> Option<Begun> {
        match self.state {
            State::Start if cells.len() == 0 => return None,
            State::Skip => {}
            State::Quoted => self.wrong(Fault::Unclosed { cell: cells.len() }),
            _ => self.end_line(cells),
        }
        Some(self.result())
    }

    fn result(self) -> Result<u64, (u64, Fault)> {
        match self.fault {
            None => Ok(self.start),
            Some(fault) => Err((self.start, fault)),
        }
    }
}
