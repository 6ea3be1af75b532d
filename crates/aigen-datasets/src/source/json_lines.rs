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
    let row = row.map_err(|error| unreadable(line, &error))?;
    match too_large(text) {
        Some(integer) => {
            let what = format!("{integer} is more than an integer of 64 bits holds");
            Err(BadRow::new(line, what, "write it as text, in quotes"))
        }
        None => Ok(row.0),
    }
}

/// What serde_json says, in words for people, and what to do about it.
fn unreadable(line: u64, error: &serde_json::Error) -> BadRow {
    let place = match error.column() {
        0 => String::new(),
        at => format!(" at byte {at}"),
    };
    // Its own place says "line 1", which is a line of the line.
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    let (what, hint) = SAID
        .iter()
        .find(|(said, ..)| what.contains(said))
        .map_or((what, OBJECTS), |(_, ours, hint)| {
            (ours.unwrap_or(what), *hint)
        });
    BadRow::new(line, format!("{what}{place}"), hint)
}

const OBJECTS: &str = "each line is one JSON object; a JSON array becomes JSONL by `jq -c '.[]'`";

/// What it says that people read otherwise, what is said instead, and what to do about it.
const SAID: [(&str, Option<&str>, &str); 6] = [
    (
        "expected ident",
        Some("a word that is none of JSON"),
        "true, false and null are the only ones; a text stands in quotes",
    ),
    (
        "number out of range",
        Some("a number that a double cannot hold"),
        "write it as text, in quotes",
    ),
    (
        "surrogate",
        Some("half of a pair of surrogates"),
        "write the character itself, or both halves: \\ud83d\\ude00",
    ),
    (
        "unexpected end of hex escape",
        Some("half of a pair of surrogates"),
        "write the character itself, or both halves: \\ud83d\\ude00",
    ),
    ("stands in it twice", None, "rename one of them"),
    ("recursion limit", None, "flatten it, or keep it as text"),
];

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
            if fields.insert(name.clone(), value).is_some() {
                return Err(M::Error::custom(format!(
                    "the key `{name}` stands in it twice"
                )));
            }
        }
        Ok(Fields(fields))
    }
}

/// The first integer below −2⁶³ or above 2⁶³−1 of a line of JSON: no column holds it, and what is read as a
/// double has other digits than were written.
fn too_large(json: &[u8]) -> Option<&str> {
    let json = std::str::from_utf8(json).ok()?;
    let mut rest = json;
    loop {
        rest = rest.trim_start_matches(|c: char| c != '"' && c != '-' && !c.is_ascii_digit());
        if rest.is_empty() {
            return None;
        }
        if let Some(text) = rest.strip_prefix('"') {
            rest = after_quote(text);
            continue;
        }
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
        let is_integer = !number.contains(['.', 'e', 'E']);
        if is_integer && number.parse::<i64>().is_err() {
            return Some(number);
        }
        rest = after;
    }
}

/// What follows a text's closing quote.
fn after_quote(text: &str) -> &str {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or("", |end| &text[end + 1..])
}
