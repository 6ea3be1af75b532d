//! Parquet files, row by row.

mod footer;
mod nanos;
mod pages;
mod thrift;

use crate::error::{BadRow, ImportError};
use crate::gather::{Sink, Stage};
use nanos::Nanos;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub(super) fn read(path: &Path, sink: &mut Sink) -> Result<(), ImportError> {
    let (file, total) = super::open(path)?;
    let file = file.into_inner();
    footer::check(path, &file, total)?;
    // The decoder asserts what only a damaged file breaks; it owns nothing that outlives it.
    let read = catch_unwind(AssertUnwindSafe(|| rows(path, file, total, sink)));
    read.unwrap_or_else(|_| Err(damaged(path, "its pages do not fit together")))
}

fn rows(path: &Path, file: File, total: u64, sink: &mut Sink) -> Result<(), ImportError> {
    let broken = |error: ParquetError| damaged(path, &error.to_string());
    let headers = file.try_clone().map_err(|e| super::unreadable(path, e))?;
    let reader = SerializedFileReader::new(file).map_err(broken)?;
    let groups = reader.num_row_groups();
    let about = reader.metadata().file_metadata();
    let expected = u64::try_from(about.num_rows()).unwrap_or(0);
    let nanos = nanos::of(about.schema_descr())?;
    let mut line = 0;
    for group in 0..groups {
        let group = reader.get_row_group(group).map_err(broken)?;
        pages::check(path, &headers, total, group.metadata())?;
        for row in group.get_row_iter(None).map_err(broken)? {
            line += 1;
            match fields(line, row.map_err(broken)?, &nanos) {
                Ok(fields) => sink.row(line, &fields)?,
                Err(bad) => bad.into_iter().for_each(|bad| sink.bad(bad)),
            }
            // Its bytes are spread over columns: rows say how far it is.
            let done = u128::from(total) * u128::from(line) / u128::from(expected.max(line));
            sink.progress(Stage::Reading, u64::try_from(done).unwrap_or(total), total);
        }
    }
    match line == expected {
        true => Ok(()),
        false => Err(damaged(
            path,
            &format!("it says {expected} rows and has {line}"),
        )),
    }
}

fn damaged(path: &Path, what: &str) -> ImportError {
    ImportError::unfit(
        format!("{} cannot be read as Parquet: {what}", path.display()),
        "write the file again, with Snappy, gzip, LZ4_RAW or Zstandard, or none of them",
    )
}

/// The row, or everything that is wrong with it.
fn fields(
    line: u64,
    row: Row,
    nanos: &BTreeMap<String, Nanos>,
) -> Result<BTreeMap<String, Value>, Vec<BadRow>> {
    let (mut fields, mut bad) = (BTreeMap::new(), Vec::new());
    for (name, field) in row.into_columns() {
        let value = match (nanos.get(&name), field) {
            (Some(nanos), Field::Long(count)) => nanos.value(count),
            (_, field) => value(field),
        };
        match value {
            Err((what, hint)) => bad.push(BadRow::new(line, what, hint).column(&name)),
            Ok(value) => {
                if fields.insert(name.clone(), value).is_some() {
                    let hint = "rename one of them";
                    bad.push(BadRow::new(line, "two columns have this name", hint).column(name));
                }
            }
        }
    }
    if bad.is_empty() { Ok(fields) } else { Err(bad) }
}

type Unfit = (String, &'static str);

fn value(field: Field) -> Result<Value, Unfit> {
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(value) => value.into(),
        Field::Byte(value) => value.into(),
        Field::Short(value) => value.into(),
        Field::Int(value) => value.into(),
        Field::Long(value) => value.into(),
        Field::UByte(value) => value.into(),
        Field::UShort(value) => value.into(),
        Field::UInt(value) => value.into(),
        Field::ULong(value) => i64::try_from(value).map_err(|_| large(value))?.into(),
        Field::Float16(value) => double(value.to_f64())?,
        Field::Float(value) => double(shortest(value))?,
        Field::Double(value) => double(value)?,
        Field::Str(text) => text.into(),
        Field::Date(days) => date(i64::from(days)).into(),
        Field::TimestampMillis(at) => instant(i128::from(at) * 1_000_000).into(),
        Field::TimestampMicros(at) => instant(i128::from(at) * 1_000).into(),
        Field::Group(row) => object(row.into_columns().into_iter().map(Ok))?,
        Field::ListInternal(list) => {
            let items = list.elements().iter().cloned().map(value);
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Field::MapInternal(map) => object(map.entries().iter().map(entry))?,
        Field::Decimal(_) => return Err(unfit("a decimal number")),
        Field::Bytes(_) => return Err(unfit("bytes")),
        Field::TimeMillis(_) | Field::TimeMicros(_) => return Err(unfit("a time of day")),
    })
}

/// Names are given once: a value that another one takes the place of would be lost.
fn object(
    fields: impl IntoIterator<Item = Result<(String, Field), Unfit>>,
) -> Result<Value, Unfit> {
    let mut object = Map::new();
    for field in fields {
        let (name, field) = field?;
        if object.contains_key(&name) {
            return Err((
                format!("the name `{name}` stands twice in it"),
                "rename one of the two, or leave one out",
            ));
        }
        object.insert(name, value(field)?);
    }
    Ok(Value::Object(object))
}

/// Of a map, whose key becomes a name.
fn entry((key, field): &(Field, Field)) -> Result<(String, Field), Unfit> {
    let name = match value(key.clone())? {
        Value::String(name) => name,
        other => other.to_string(),
    };
    Ok((name, field.clone()))
}

fn unfit(kind: &str) -> Unfit {
    (
        format!("a column of {kind} has no place in JSON"),
        "cast the column to text or to a number",
    )
}

fn large(value: u64) -> Unfit {
    (
        format!("{value} is more than an integer of 64 bits holds"),
        "cast the column to text",
    )
}

fn double(value: f64) -> Result<Value, Unfit> {
    let number = Number::from_f64(value);
    number.map(Value::Number).ok_or_else(|| {
        (
            format!("{value} is not a number of JSON"),
            "write null where there is no value",
        )
    })
}

/// The double that people read in a single: 0.1 and not 0.10000000149011612, so that a file written
/// from the same table as text says the same.
fn shortest(value: f32) -> f64 {
    value
        .to_string()
        .parse()
        .unwrap_or_else(|_| f64::from(value))
}

/// Days since 1970-01-01 as `2024-02-29`, in the Gregorian calendar.
fn date(days: i64) -> String {
    // Years begin in March here, so that the leap day is the last of them.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (
        day - (153 * month + 2) / 5 + 1,
        if month < 10 { month + 3 } else { month - 9 },
    );
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Nanoseconds since 1970 as `2024-02-29T12:00:00Z`, with as many digits of a second as it has.
fn instant(nanos: i128) -> String {
    const SECOND: i128 = 1_000_000_000;
    const DAY: i128 = 86_400 * SECOND;
    let day = i64::try_from(nanos.div_euclid(DAY)).expect("64 bits of any unit are fewer days");
    let rest = nanos.rem_euclid(DAY);
    let (seconds, fraction) = (rest / SECOND, rest % SECOND);
    let fraction = match fraction {
        0 => String::new(),
        some => format!(".{some:09}").trim_end_matches('0').to_owned(),
    };
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!(
        "{}T{hours:02}:{minutes:02}:{:02}{fraction}Z",
        date(day),
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::{date, instant};

    #[test]
    fn days() {
        let rows = "
            0 1970-01-01
            -1 1969-12-31
            59 1970-03-01
            11016 2000-02-29
            19782 2024-02-29
            19783 2024-03-01
            -25510 1900-02-27
            -25509 1900-02-28
            -25508 1900-03-01
        ";
        for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (days, expected) = row.split_once(' ').expect("two cells");
            assert_eq!(date(days.parse().expect("days")), expected, "{row}");
        }
        assert_eq!(instant(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(instant(1_500_000_000), "1970-01-01T00:00:01.5Z");
        assert_eq!(instant(86_400_000_000_000), "1970-01-02T00:00:00Z");
    }
}
