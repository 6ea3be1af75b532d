//! Regular expressions that are wrong, and where.

use serde_json::Value;

use super::CompileError;

/// Characters of an expression that are shown from where it is wrong.
const SHOWN_CHARS_MAX: usize = 20;

/// How a wrong expression's error begins, whoever found it.
const NOT_VALID: &str = "the regular expression is not valid";

/// How regex-syntax's message begins, which llguidance passes on within its own.
const HEADER: &str = "regex parse error:";

/// Whether the expression parses, in the syntax of the `regex` crate.
pub(super) fn check(pattern: &str) -> Result<(), CompileError> {
    let Err(error) = regex_syntax::Parser::new().parse(pattern) else {
        return Ok(());
    };
    let (reason, span) = match &error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
        _ => ("it does not parse".to_owned(), None),
    };
    let error = CompileError::new(format!("{NOT_VALID}: {reason}"));
    let Some(start) = span.map(|span| span.start) else {
        return Err(error);
    };
    let rest = pattern.get(start.offset..).unwrap_or_default();
    let line = pattern.contains('\n').then_some(start.line);
    Err(error.at(place(line, start.column, rest)))
}

/// `column 3: "(b"`, behind the line where there are several.
fn place(line: Option<usize>, column: usize, rest: &str) -> String {
    let shown: String = rest.chars().take(SHOWN_CHARS_MAX).collect();
    let column = match line {
        Some(line) => format!("line {line}, column {column}"),
        None => format!("column {column}"),
    };
    match shown.is_empty() {
        true => format!("{column}, its end"),
        false => format!("{column}: {shown:?}"),
    }
}

/// What regex-syntax says within llguidance's message: the reason and the place in the expression. Its first
/// line says neither, since it draws the place below the expression.
pub(super) fn read(message: &str) -> Option<(String, Option<String>)> {
    let (_, notated) = message.split_once(HEADER)?;
    let lines: Vec<_> = notated.lines().collect();
    let (at, reason) = lines
        .iter()
        .enumerate()
        .find_map(|(at, line)| Some((at, line.strip_prefix("error: ")?)))?;
    Some((format!("{NOT_VALID}: {reason}"), drawn(&lines[..at])))
}

/// The place that the last line of carets points to, in the line above it.
fn drawn(lines: &[&str]) -> Option<String> {
    let is_drawn = |line: &&str| line.contains('^') && line.chars().all(|c| matches!(c, ' ' | '^'));
    let at = lines.iter().rposition(is_drawn)?;
    let above = lines.get(at.checked_sub(1)?)?;
    let caret = lines[at].find('^')?;
    // Four blanks before the expression, in which line breaks were rewritten as escapes.
    let column = caret.checked_sub(4)?;
    let rest: String = above.chars().skip(caret).collect();
    Some(place(None, column + 1, &rest))
}

/// Keywords whose value is data and no schema.
const DATA: [&str; 4] = ["const", "enum", "default", "examples"];

/// Keywords whose value has schemas under names of the author's own.
const NAMED: [&str; 6] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
];

/// The first expression of a JSON Schema that is wrong, named by its place in the schema; of schemas by names
/// that are no keywords the same. llguidance quotes it instead, after rewriting it.
fn find(value: &Value, path: &str, keywords: bool) -> Option<CompileError> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
            match (name.as_str(), value) {
                ("pattern", Value::String(pattern)) if keywords => wrong_at(pattern, &path),
                (name, _) if keywords && DATA.contains(&name) => None,
                ("patternProperties", Value::Object(patterns)) if keywords => patterns
                    .keys()
                    .find_map(|pattern| wrong_at(pattern, &path))
                    .or_else(|| find(value, &path, false)),
                (name, _) => find(value, &path, !(keywords && NAMED.contains(&name))),
            }
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| find(item, &format!("{path}/{at}"), true)),
        _ => None,
    }
}

fn wrong_at(pattern: &str, path: &str) -> Option<CompileError> {
    check(pattern).err().map(|error| error.behind(path))
}

impl CompileError {
    /// Whether an expression is wrong.
    pub(super) fn is_of_pattern(&self) -> bool {
        self.what.starts_with(NOT_VALID)
    }

    /// The same, with the place in the schema where it is of an expression in that.
    pub(super) fn within(self, schema: &Value) -> Self {
        match self.is_of_pattern() {
            true => find(schema, "#", true).unwrap_or(self),
            false => self,
        }
    }

    /// The same, for schemas that have names.
    pub(super) fn within_one_of<'a>(
        self,
        schemas: impl IntoIterator<Item = (String, &'a Value)>,
    ) -> Self {
        if !self.is_of_pattern() {
            return self;
        }
        let mut schemas = schemas.into_iter();
        let found = schemas.find_map(|(name, schema)| Some((name, find(schema, "#", true)?)));
        found.map_or(self, |(name, error)| error.behind(&name))
    }

    /// The same, its place behind that of what it is in.
    pub(super) fn behind(self, place: &str) -> Self {
        let within = self.at.as_ref().filter(|within| !within.is_empty());
        let place = within.map_or(place.to_owned(), |within| format!("{place}, {within}"));
        self.at(place)
    }
}

#[cfg(test)]
mod tests;
