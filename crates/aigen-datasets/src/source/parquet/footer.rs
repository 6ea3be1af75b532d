//! What a file's footer says of its schema, before the decoder, which goes into itself for every
//! level and makes its tables as long as they are said to be, is given it.

use super::thrift::{I32, LIST, STRUCT, Thrift, broken, expect};
use crate::error::ImportError;
use crate::limits::{PARQUET_DEPTH_MAX, PARQUET_FOOTER_BYTES_MAX, PARQUET_NODES_MAX};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// # Errors
/// The footer is longer, or its schema deeper or larger, than is read.
pub(super) fn check(path: &Path, file: &File, total: u64) -> Result<(), ImportError> {
    let mut file = file;
    let length = length(file, total).map_err(|error| super::damaged(path, &error.to_string()))?;
    if length > PARQUET_FOOTER_BYTES_MAX {
        let most = PARQUET_FOOTER_BYTES_MAX >> 20;
        return Err(ImportError::unfit(
            format!(
                "the footer of the Parquet file has {length} bytes, at most {most} MiB are read"
            ),
            "write the file again with fewer row groups",
        ));
    }
    let nodes = file
        .seek(SeekFrom::Start(total - 8 - length))
        .and_then(|_| schema(Thrift::new(BufReader::new(file.take(length)))));
    match nodes.map_err(|error| super::damaged(path, &error.to_string()))? {
        Fit::Fits => Ok(()),
        Fit::TooDeep => Err(ImportError::unfit(
            format!(
                "the columns of the Parquet file are nested more than {PARQUET_DEPTH_MAX} deep"
            ),
            "flatten them, or keep them as text",
        )),
        Fit::TooMany => Err(ImportError::unfit(
            format!("the schema of the Parquet file has more than {PARQUET_NODES_MAX} parts"),
            "leave some columns out, or publish several datasets",
        )),
    }
}

/// Of the footer, which stands before its length and the last four bytes.
fn length(mut file: &File, total: u64) -> io::Result<u64> {
    let start = total
        .checked_sub(8)
        .ok_or_else(|| broken("it is too short"))?;
    let mut tail = [0; 8];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, rest @ ..] = tail;
    match (rest, u64::from(u32::from_le_bytes([a, b, c, d]))) {
        (mark, length) if mark == *b"PAR1" && length <= start => Ok(length),
        _ => Err(broken("it does not end as Parquet does")),
    }
}

enum Fit {
    Fits,
    TooDeep,
    TooMany,
}

fn schema(mut footer: Thrift<impl Read>) -> io::Result<Fit> {
    let mut last = 0;
    while let Some((id, kind)) = footer.field(&mut last)? {
        if id != 2 {
            footer.skip(kind)?;
            continue;
        }
        expect(kind, LIST)?;
        match nodes(&mut footer)? {
            Fit::Fits => {}
            other => return Ok(other),
        }
    }
    Ok(Fit::Fits)
}

/// Nodes stand in a list, parents before their children, which they count.
fn nodes(footer: &mut Thrift<impl Read>) -> io::Result<Fit> {
    let (length, kind) = footer.list()?;
    if length > PARQUET_NODES_MAX {
        return Ok(Fit::TooMany);
    }
    let mut open = Vec::new();
    for _ in 0..length {
        expect(kind, STRUCT)?;
        let children = children(footer)?;
        if let Some(rest) = open.last_mut() {
            *rest -= 1;
        }
        if children > 0 {
            open.push(children);
        }
        if open.len() > PARQUET_DEPTH_MAX {
            return Ok(Fit::TooDeep);
        }
        while open.last() == Some(&0) {
            open.pop();
        }
    }
    Ok(Fit::Fits)
}

fn children(footer: &mut Thrift<impl Read>) -> io::Result<i64> {
    let (mut last, mut children) = (0, 0);
    while let Some((id, kind)) = footer.field(&mut last)? {
        match (id, kind) {
            (5, I32) => children = footer.i32(kind)?,
            _ => footer.skip(kind)?,
        }
    }
    Ok(children)
}
