//! A JSON object on each line.

use super::line::{self, Line};
use crate::error::{BadRow, ImportError};
use crate::gather::{Sink, Stage, too_long};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub(super) fn read(path: &Path, sink: &mut Sink) -> Result<(), ImportError> {
    let (mut input, total) = super::open(path)?;
    super::pass_mark(path, &mut input)?;
    let (mut text, mut bytes, mut number) = (Vec::new(), 0, 0);
    loop {
        number += 1;
        let read = line::read(&mut input, &mut text, &mut bytes);
        match read.map_err(|error| super::unreadable(path, error))? {
            Line::End => break,
            Line::TooLong => sink.bad(too_long(number)),
            Line::Whole if text.iter().all(u8::is_ascii_whitespace) => {}
            Line::Whole => match parse(number, &text) {
                Ok(row) => sink.row(number, &row)?,
                Err(bad) => sink.bad(bad),
            },
        }
        sink.progress(Stage::Reading, bytes, total);
    }
    Ok(())
}

fn parse(line: u64, text: &[u8]) -> Result<BTreeMap<String, Value>, BadRow> {
    if let Err(error) = std::str::from_utf8(text) {
        let what = format!("byte {} of the line is not UTF-8", error.valid_up_to() + 1);
        return Err(BadRow::new(line, what, "convert the file: iconv -t UTF-8"));
    }
    let row: Result<Fields, _> = serde_json::from_slice(text);
    row.map(|row| row.0).map_err(|error| {
        let place = match error.column() {
            0 => String::new(),
            at => format!(" at byte {at}"),
        };
        // Its own place says "line 1", which is a line of the line.
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        let hint = "each line is one JSON object; a JSON array becomes JSONL by `jq -c '.[]'`";
        BadRow::new(line, format!("{what}{place}"), hint)
    })
}

/// An object whose keys differ: of two values with one key either would be lost.
struct Fields(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if let Some(name) = too_large(&value) {
                return Err(M::Error::custom(format!(
                    "{name} is more than 64 bits hold; write it as text"
                )));
            }
            if fields.insert(name.clone(), value).is_some() {
                return Err(M::Error::custom(format!(
                    "the key `{name}` stands in it twice"
                )));
            }
        }
        Ok(Fields(fields))
    }
}

/// An integer between 2⁶³ and 2⁶⁴: the only one that JSON reads exactly and a column cannot hold.
fn too_large(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) if number.as_i64().is_none() => number.as_u64(),
        Value::Array(items) => items.iter().find_map(too_large),
        Value::Object(fields) => fields.values().find_map(too_large),
        _ => None,
    }
}
