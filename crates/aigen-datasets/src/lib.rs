//! Datasets as files on disk: read in, kept by their content, searched, read row by row.
//!
//! A dataset is a list of rows, and a row is a JSON object. Whatever file they came in, rows are
//! kept in one canonical form (see [`canonical`]), and a dataset's id is the SHA-256 of that: the
//! same rows have the same id as CSV, JSONL or Parquet, with their keys in any order.
//!
//! Absent here: names, versions, prices and grants. Those are the network's; a folder of this
//! library knows a dataset by its [`Digest`](aigen_types::Digest) alone. Every call blocks.

pub mod canonical;
mod dataset;
mod error;
mod gather;
mod index;
mod library;
pub mod limits;
mod manifest;
mod rows;
mod schema;
mod source;
mod words;

pub use dataset::{Dataset, Hit, Row};
pub use error::{BadRow, BadRows, ImportError, ReadError};
pub use gather::{Progress, Stage};
pub use library::{Incoming, Library};
pub use manifest::Manifest;
pub use schema::{Column, ColumnType};
pub use source::{Format, Source};

/// A dataset's rows in canonical form, written to `out`, without keeping them: what a client does
/// to a file before it sends it.
///
/// # Errors
/// As [`Library::import`].
pub fn canonicalise(
    source: &Source,
    out: &mut dyn std::io::Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, ImportError> {
    let mut ends = std::io::sink();
    gather::gather(source, out, &mut ends, gather::Room::ENDLESS, progress)
}

#[cfg(test)]
mod tests;
