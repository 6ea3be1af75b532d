//! Grammars with holes: published by one party, filled per request with
//! another's data.
//!
//! In Lark source, outside strings, regular expressions and comments:
//!
//! | hole | becomes | from |
//! |---|---|---|
//! | `@quote(name)`, `@quote(name, 5)` | a run of 1 to 12 (5) words of the text | [`Hole::Text`] |
//! | `@text(name)` | the text itself | [`Hole::Text`] |
//! | `@regex(name)` | what the regular expression matches | [`Hole::Text`] |
//! | `@choice(name)` | one of the options | [`Hole::Options`] |
//! | `@json(name)` | compact JSON of the schema | [`Hole::Schema`] |
//!
//! Data is written as one expression and cannot change the grammar around it.
//!
//! A quotation is one terminal, and terminals take the longest match: what
//! follows one must not begin as the text goes on after it. String literals
//! right behind a quotation are exempt, because they become part of its terminal:
//! `@quote(lesson) "."` works where the lesson reads `Kenya. It`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::{CompileError, JsonOptions, quote, source};

/// What a request puts into a hole.
#[derive(Clone, Debug, PartialEq)]
pub enum Hole {
    /// For `@quote`, `@text` and `@regex`.
    Text(String),
    /// For `@choice`.
    Options(Vec<String>),
    /// For `@json`.
    Schema(Value),
}

impl Hole {
    fn sample(kind: &str) -> Self {
        match kind {
            "choice" => Self::Options(vec!["one".to_owned(), "two".to_owned()]),
            "json" => Self::Schema(serde_json::json!({ "type": "object" })),
            _ => Self::Text("One sentence with seven words in it.".to_owned()),
        }
    }

    /// Reads a hole from a request's JSON: a string is a text, an array of
    /// strings the options of a choice, an object a schema.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Object(_) => Some(Self::Schema(value.clone())),
            Value::Array(options) => {
                let options = options
                    .iter()
                    .map(|option| option.as_str().map(str::to_owned));
                options.collect::<Option<_>>().map(Self::Options)
            }
            _ => None,
        }
    }
}

/// The source with all its holes filled.
///
/// # Errors
/// For a hole that is not in `holes`, is of another kind, or cannot be filled
/// with this data. The error names the hole.
pub(super) fn fill(template: &str, holes: &BTreeMap<String, Hole>) -> Result<String, CompileError> {
    let mut filler = Filler {
        template,
        rest: template,
        filled: String::with_capacity(template.len()),
        terminals: Vec::new(),
        terminal_prefix: unused_name(template),
        holes,
    };
    filler.run()?;
    Ok(filler.finish())
}

/// The schema that a template's whole text must satisfy, if it is nothing but one: `start: @json(name)`
/// or `start: %json {…}`. What engines can run that show no tokens.
///
/// # Errors
/// For a hole that the data does not fill.
pub fn schema_of(
    template: &str,
    holes: &BTreeMap<String, Hole>,
) -> Result<Option<Value>, CompileError> {
    let said = template.lines().map(|line| {
        let line = line.trim();
        let is_comment = line.starts_with('#') || line.starts_with("//");
        if is_comment { "" } else { line }
    });
    let said = said.collect::<Vec<_>>().join("\n");
    let rule = said.trim().strip_prefix("start");
    let rule = rule.and_then(|rule| rule.trim_start().strip_prefix(':'));
    let Some(rule) = rule.map(str::trim) else {
        return Ok(None);
    };
    if let Some(schema) = rule.strip_prefix("%json") {
        return Ok(serde_json::from_str(schema).ok());
    }
    match Call::parse(rule) {
        Some((call, "")) if call.kind == "json" => match holes.get(call.name) {
            Some(Hole::Schema(schema)) => Ok(Some(schema.clone())),
            Some(_) => Err(wrong_kind(call.kind)),
            None => Err(unfilled(call.name, template, holes)),
        },
        _ => Ok(None),
    }
}

/// Data for every hole of a template, to try whether it compiles at all.
pub(super) fn sample(template: &str) -> BTreeMap<String, Hole> {
    let calls = template.match_indices('@');
    let calls = calls.filter_map(|(at, _)| Call::parse(&template[at..]));
    calls
        .map(|(call, _)| (call.name.to_owned(), Hole::sample(call.kind)))
        .collect()
}

/// Whether a template has a hole of this name.
pub(super) fn names(template: &str, name: &str) -> bool {
    let calls = template.match_indices('@');
    let mut calls = calls.filter_map(|(at, _)| Call::parse(&template[at..]));
    calls.any(|(call, _)| call.name == name)
}

struct Filler<'a> {
    template: &'a str,
    rest: &'a str,
    filled: String,
    /// Right-hand sides that have to be terminals of their own.
    terminals: Vec<String>,
    terminal_prefix: String,
    holes: &'a BTreeMap<String, Hole>,
}

impl Filler<'_> {
    fn run(&mut self) -> Result<(), CompileError> {
        while let Some(c) = self.rest.chars().next() {
            match c {
                '@' => self.hole()?,
                '"' => self.copy(delimited(self.rest, '"')),
                '/' if !self.rest.starts_with("//") => self.copy(delimited(self.rest, '/')),
                '/' | '#' => self.copy(self.rest.find('\n').unwrap_or(self.rest.len())),
                _ => self.copy(c.len_utf8()),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> String {
        for (number, terminal) in self.terminals.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(
                self.filled,
                "\n{}{number}: {terminal}\n",
                self.terminal_prefix
            );
        }
        self.filled
    }

    fn copy(&mut self, bytes: usize) {
        let (copied, rest) = self.rest.split_at(bytes);
        self.filled.push_str(copied);
        self.rest = rest;
    }

    fn hole(&mut self) -> Result<(), CompileError> {
        let place = format!("line {}", self.filled.matches('\n').count() + 1);
        let (call, rest) = Call::parse(self.rest).ok_or_else(|| not_a_hole(&place))?;
        let name = call.name;
        let expression = self
            .expression(&call)
            .map_err(|error| error.behind(&format!("hole `{name}`, {place}")))?;
        // Blanks keep the expression apart from what the author wrote next to it.
        let _ = write!(self.filled, " {expression} ");
        self.rest = rest;
        if call.kind == "quote" {
            self.take_in_literals();
        }
        Ok(())
    }

    /// Moves string literals that follow into the last terminal.
    fn take_in_literals(&mut self) {
        let Some(terminal) = self.terminals.last_mut() else {
            return;
        };
        while let Some((literal, rest)) = literal(self.rest) {
            let _ = write!(terminal, " {literal}");
            self.rest = rest;
        }
    }

    fn expression(&mut self, call: &Call<'_>) -> Result<String, CompileError> {
        let Some(hole) = self.holes.get(call.name) else {
            return Err(unfilled(call.name, self.template, self.holes));
        };
        match (call.kind, hole) {
            ("quote", Hole::Text(text)) => {
                self.terminals.push(quote::terminal(text, call.number)?);
                Ok(format!(
                    "{}{}",
                    self.terminal_prefix,
                    self.terminals.len() - 1
                ))
            }
            ("text", Hole::Text(text)) => Ok(source::text(text)),
            ("regex", Hole::Text(pattern)) => source::regex(pattern),
            ("choice", Hole::Options(options)) => source::choice(options),
            ("json", Hole::Schema(schema)) => {
                let schema = source::schema(schema, JsonOptions::default())?;
                Ok(format!("%json {schema}"))
            }
            (kind, _) => Err(wrong_kind(kind)),
        }
    }
}

/// `@kind(name)` or `@kind(name, number)`.
struct Call<'a> {
    kind: &'a str,
    name: &'a str,
    number: Option<u32>,
}

impl<'a> Call<'a> {
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let (kind, rest) = text.strip_prefix('@')?.split_once('(')?;
        let (arguments, rest) = rest.split_once(')')?;
        let (name, number) = match arguments.split_once(',') {
            Some((name, number)) => (name, Some(number.trim().parse().ok()?)),
            None => (arguments, None),
        };
        let name = name.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let valid = !name.is_empty() && name.chars().all(is_name) && kind.chars().all(is_name);
        let numbered = number.is_none() || kind == "quote";
        (valid && numbered).then_some((Self { kind, name, number }, rest))
    }
}

/// The string literal `text` begins with after blanks, unless an operator makes
/// more of it than a literal.
fn literal(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let end = delimited(text.starts_with('"').then_some(text)?, '"');
    let end = end + usize::from(text[end..].starts_with('i'));
    let (literal, rest) = text.split_at(end);
    let operator = rest
        .trim_start_matches([' ', '\t'])
        .starts_with(['+', '*', '?', '~', '{', '.']);
    (!operator).then_some((literal, rest))
}

/// Bytes of the literal at the start of `text`, with both delimiters.
pub(super) fn delimited(text: &str, delimiter: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == delimiter => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A terminal prefix the author did not use.
fn unused_name(template: &str) -> String {
    let mut name = "HOLE_".to_owned();
    while template.contains(&name) {
        name.push('_');
    }
    name
}

fn unfilled(name: &str, template: &str, given: &BTreeMap<String, Hole>) -> CompileError {
    // What fills nothing may have been meant for it.
    let stray = given.keys().find(|given| !names(template, given));
    let error = CompileError::new(format!("the request does not fill the hole `{name}`"));
    match stray {
        Some(stray) => error.hint(format!(
            "send a value of this name with the request; it has no hole `{stray}`"
        )),
        None => error.hint("send a value of this name with the request"),
    }
}

fn not_a_hole(place: &str) -> CompileError {
    CompileError::new("`@` begins a hole, and this is none")
        .at(place)
        .hint("write @quote(name), @text(name), @regex(name), @choice(name) or @json(name)")
}

fn wrong_kind(kind: &str) -> CompileError {
    let wanted = match kind {
        "quote" | "text" | "regex" => "a text",
        "choice" => "a list of texts",
        "json" => "a JSON Schema, an object",
        _ => return not_a_hole(""),
    };
    CompileError::new(format!("@{kind} is filled with {wanted}"))
}
