//! What the pages of a row group will take in memory, by their headers, before one of them is read.
//!
//! The decoder believes headers: it makes a dictionary of as many values as are said to be in it, and a
//! page of as many bytes. Some kilobytes could ask for more memory than there is.

use super::thrift::{STRUCT, Thrift, broken, expect};
use crate::error::ImportError;
use crate::limits::{PARQUET_LIST_VALUES_MAX, PARQUET_PAGES_BYTES_MAX};
use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that a value of a dictionary takes beside its own, at most.
const VALUE_BYTES: u64 = 40;

const DICTIONARY: i64 = 2;
/// Lengths, as differences: how many there are is said within the page, after it was made smaller.
const DELTA_LENGTHS: [i64; 2] = [6, 7];

/// # Errors
/// Its columns would take more than [`PARQUET_PAGES_BYTES_MAX`] together, or its headers do not fit.
pub(super) fn check(
    path: &Path,
    file: &File,
    total: u64,
    group: &RowGroupMetaData,
) -> Result<(), ImportError> {
    let (mut bytes, mut listed) = (0_u64, 0_u64);
    for column in group.columns() {
        let weight = weigh(file, total, column).map_err(|error| match error {
            Trouble::Broken(error) => super::damaged(path, &error.to_string()),
            Trouble::Unread(what, hint) => {
                ImportError::unfit(format!("column {}: {what}", column.column_path()), hint)
            }
        })?;
        bytes = bytes.saturating_add(weight.bytes);
        if column.column_descr().max_rep_level() > 0 {
            listed = listed.saturating_add(weight.values);
        }
    }
    if bytes > PARQUET_PAGES_BYTES_MAX {
        let most = PARQUET_PAGES_BYTES_MAX;
        return Err(ImportError::unfit(
            format!(
                "the pages of a row group take {bytes} bytes at a time, at most {most} are read"
            ),
            "write the file again with smaller pages and dictionaries",
        ));
    }
    match listed > PARQUET_LIST_VALUES_MAX {
        true => Err(ImportError::unfit(
            format!(
                "the lists of a row group have {listed} items, at most {PARQUET_LIST_VALUES_MAX} are read"
            ),
            "write the file again with smaller row groups",
        )),
        false => Ok(()),
    }
}

/// What a column takes: its dictionary and its largest page are there at the same time.
#[derive(Default)]
struct Weight {
    dictionary: u64,
    page: u64,
    bytes: u64,
    values: u64,
}

enum Trouble {
    Broken(io::Error),
    Unread(&'static str, &'static str),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

fn weigh(file: &File, total: u64, column: &ColumnChunkMetaData) -> Result<Weight, Trouble> {
    let codec = column.compression();
    if codec == Compression::LZ4 {
        let hint = "write the file again with Snappy, gzip, Zstandard or LZ4_RAW";
        return Err(Trouble::Unread("LZ4 in Hadoop's form is not read", hint));
    }
    let (mut at, length) = column.byte_range();
    let end = at.checked_add(length).filter(|end| *end <= total);
    let end = end.ok_or_else(|| broken("a column goes on after the file's end"))?;
    let mut weight = Weight::default();
    while at < end {
        let (page, header) = Page::read(file, at, end)?;
        at += header;
        if DELTA_LENGTHS.contains(&page.encoding) {
            let hint = "write the file again with plain or dictionary encoding";
            return Err(Trouble::Unread(
                "texts as differences of lengths are not read",
                hint,
            ));
        }
        if matches!(codec, Compression::GZIP(_)) {
            page.measure(file, at)?;
        }
        weight.add(&page);
        at += page.compressed;
    }
    weight.bytes = weight.dictionary.saturating_add(weight.page);
    Ok(weight)
}

impl Weight {
    fn add(&mut self, page: &Page) {
        if page.kind == DICTIONARY {
            let values = page.values.saturating_mul(VALUE_BYTES);
            self.dictionary = self.dictionary.max(page.size.saturating_add(values));
        } else {
            self.page = self.page.max(page.size);
            self.values = self.values.saturating_add(page.values);
        }
    }
}

/// What a page's header says.
#[derive(Default)]
struct Page {
    kind: i64,
    size: u64,
    compressed: u64,
    values: u64,
    encoding: i64,
    /// Of the second version: bytes before what is packed.
    levels: u64,
}

impl Page {
    /// The header at this place, and its length.
    fn read(mut file: &File, at: u64, end: u64) -> io::Result<(Self, u64)> {
        file.seek(SeekFrom::Start(at))?;
        // Most headers have less than 100 bytes, and a page follows that is not read here.
        let input = BufReader::with_capacity(256, file.take(end - at));
        let mut header = Thrift::new(input);
        let page = Self::parse(&mut header)?;
        match page.compressed <= end - at - header.bytes() {
            true => Ok((page, header.bytes())),
            false => Err(broken("a page goes on after its column's end")),
        }
    }

    fn parse(header: &mut Thrift<impl Read>) -> io::Result<Self> {
        let (mut page, mut last, mut kinds) = (Self::default(), 0, 0);
        while let Some((id, kind)) = header.field(&mut last)? {
            match id {
                1 => page.kind = header.i32(kind)?,
                2 => page.size = count(header.i32(kind)?)?,
                3 => page.compressed = count(header.i32(kind)?)?,
                // Of a page of values, of a dictionary, and of values in the second version.
                5 | 7 | 8 => {
                    expect(kind, STRUCT)?;
                    page.values_of(header, id == 8)?;
                    kinds += 1;
                }
                _ => header.skip(kind)?,
            }
        }
        match kinds > 1 {
            true => Err(broken("a page is of two kinds")),
            false => Ok(page),
        }
    }

    fn values_of(&mut self, header: &mut Thrift<impl Read>, second: bool) -> io::Result<()> {
        let mut last = 0;
        while let Some((id, kind)) = header.field(&mut last)? {
            match (id, second) {
                (1, _) => self.values = count(header.i32(kind)?)?,
                (2, false) | (4, true) => self.encoding = header.i32(kind)?,
                (5 | 6, true) => self.levels += count(header.i32(kind)?)?,
                _ => header.skip(kind)?,
            }
        }
        Ok(())
    }

    /// The decoder of gzip goes on to the end of what it is given, whatever the header says. Where it
    /// fails the decoder will, too, and says so.
    fn measure(&self, mut file: &File, at: u64) -> io::Result<()> {
        file.seek(SeekFrom::Start(at + self.levels.min(self.compressed)))?;
        let packed = file.take(self.compressed.saturating_sub(self.levels));
        let mut unpacked = MultiGzDecoder::new(packed).take(self.size + 1);
        let (mut piece, mut found) = (vec![0; 1 << 16], 0);
        while let Ok(length @ 1..) = unpacked.read(&mut piece) {
            found += length as u64;
        }
        match found > self.size {
            true => Err(broken("a page is larger than it says")),
            false => Ok(()),
        }
    }
}

fn count(number: i64) -> io::Result<u64> {
    u64::try_from(number).map_err(|_| broken("a count of it is negative"))
}
