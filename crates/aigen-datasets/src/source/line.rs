//! Lines, without holding one that is too long.

use crate::limits::ROW_BYTES_MAX;
use std::io::{self, BufRead};

/// One line as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It is in the buffer, without its end.
    Whole,
    /// It was passed over.
    TooLong,
    /// There is no further one.
    End,
}

/// Reads a line into `into`, and counts its bytes, with its end, into `bytes`.
pub(super) fn read(
    input: &mut impl BufRead,
    into: &mut Vec<u8>,
    bytes: &mut u64,
) -> io::Result<Line> {
    into.clear();
    let mut long = false;
    let before = *bytes;
    loop {
        let part = input.fill_buf()?;
        if part.is_empty() && *bytes == before {
            return Ok(Line::End);
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        let text = &part[..end.unwrap_or(part.len())];
        long |= into.len() + text.len() > ROW_BYTES_MAX;
        if !long {
            into.extend_from_slice(text);
        }
        let done = end.is_some() || part.is_empty();
        let used = end.map_or(part.len(), |end| end + 1);
        input.consume(used);
        *bytes += used as u64;
        if done {
            into.pop_if(|last| *last == b'\r');
            return Ok(if long { Line::TooLong } else { Line::Whole });
        }
    }
}
