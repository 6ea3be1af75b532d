//! Rows on disk: `rows.jsonl`, and `rows.ends` with the end of each row in eight bytes.
//!
//! The file that is hashed, searched and downloaded is the one that is read from. A row takes two
//! reads at known places, whatever the number of rows.

use crate::error::ReadError;
use crate::limits::ROW_BYTES_MAX;
use serde_json::{Map, Value};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(crate) const ROWS: &str = "rows.jsonl";
pub(crate) const ENDS: &str = "rows.ends";
/// Bytes that say where a row ends.
pub(crate) const END_BYTES: u64 = 8;

pub(crate) struct RowFile {
    rows: File,
    ends: File,
}

impl RowFile {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            rows: File::open(folder.join(ROWS))?,
            ends: File::open(folder.join(ENDS))?,
        })
    }

    /// The row's bytes, without its line end. The row must exist.
    fn bytes(&self, row: u64) -> io::Result<Vec<u8>> {
        let (start, _) = self.span(row)?;
        let length = usize::try_from(self.length(row)?).ok();
        let length = length.filter(|length| *length <= ROW_BYTES_MAX);
        let mut bytes = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
        self.rows.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }

    /// The row's length, without its line end. The row must exist.
    pub(crate) fn length(&self, row: u64) -> io::Result<u64> {
        let (start, end) = self.span(row)?;
        let length = end
            .checked_sub(start)
            .and_then(|length| length.checked_sub(1));
        Ok(length.ok_or(io::ErrorKind::InvalidData)?)
    }

    pub(crate) fn row(&self, row: u64) -> Result<Map<String, Value>, ReadError> {
        serde_json::from_slice(&self.bytes(row)?).map_err(|_| ReadError::Damaged(row))
    }

    fn span(&self, row: u64) -> io::Result<(u64, u64)> {
        let mut pair = [0; 16];
        match row.checked_sub(1) {
            Some(before) => self.ends.read_exact_at(&mut pair, before * 8)?,
            None => self.ends.read_exact_at(&mut pair[8..], 0)?,
        }
        let number = |at: usize| u64::from_le_bytes(pair[at..at + 8].try_into().expect("8 bytes"));
        Ok((number(0), number(8)))
    }
}
