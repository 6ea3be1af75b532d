//! The canonical form of rows, whose SHA-256 is a dataset's id.
//!
//! One row is one line: a JSON object without white space, ended by `\n`. Keys stand in the order
//! of their UTF-8 bytes, in nested objects too. A column without a value (null, or not there) is
//! left out of its row, so that a table and a list of objects say the same. A number with a whole
//! value from −2⁶³ to 2⁶³−1 is written as an integer, however it was typed (`1.0` is `1`); any other
//! is an IEEE double, in the shortest form that reads back the same. Text is written as it is, with
//! `"`, `\` and control characters escaped as JSON's short forms or `\u00xx`.
//!
//! So the file of a dataset's rows is JSONL, and `sha256sum` of it prints the dataset's id.

use serde_json::{Map, Value};
use std::io::{self, Write};

/// Writes one row with its line end.
///
/// # Errors
/// Those of `out`.
pub fn write_row<'a>(
    fields: impl Iterator<Item = (&'a str, &'a Value)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut fields: Vec<_> = fields.filter(|(_, value)| !value.is_null()).collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    write_object(&fields, out)?;
    out.write_all(b"\n")
}

fn write_object(sorted: &[(&str, &Value)], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")?;
    for (at, (name, value)) in sorted.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        write_value(value, out)?;
    }
    out.write_all(b"}")
}

fn write_value(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    match value {
        Value::Object(fields) => write_object(&sorted(fields), out),
        Value::Array(items) => write_list(items, out),
        Value::Number(number) => match whole(number) {
            Some(integer) => write!(out, "{integer}"),
            None => write!(out, "{number}"),
        },
        _ => Ok(serde_json::to_writer(out, value)?),
    }
}

fn write_list(items: &[Value], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        write_value(item, out)?;
    }
    out.write_all(b"]")
}

fn sorted(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut fields: Vec<_> = fields.iter().map(|(k, v)| (k.as_str(), v)).collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    fields
}

/// The number as an integer, if its value is one from −2⁶³ to 2⁶³−1.
#[must_use]
pub fn whole(number: &serde_json::Number) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0; // 2⁶³, the first that does not fit.
    number.as_i64().or_else(|| {
        let double = number.as_f64().filter(|_| number.is_f64())?;
        // Both casts are exact: the bounds are powers of two, and the value is whole.
        (double.fract() == 0.0 && (-END..END).contains(&double)).then_some(double as i64)
    })
}
