//! Words that a text may have to contain before it can end: what stands in a grammar's source behind a part that may
//! go on for ever, like the `xxy` of `.*xxy.*`. From outside, nobody could tell which of all the letters that may come
//! there leads to an end.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::Value;

use super::template::delimited;

/// Words that are tried for one grammar: each costs some masks where little room is left.
const WORDS_MAX: usize = 8;
/// Bytes of one of them.
const WORD_BYTES_MAX: usize = 64;
/// Regular expressions that are looked at in one source, and bytes of each.
const PATTERNS_MAX: usize = 64;
const PATTERN_BYTES_MAX: usize = 4096;

/// Those of a Lark source: of its regular expressions, and its literals where they stand behind a regular expression
/// that may go on for ever.
pub(super) fn of_lark(source: &str) -> Vec<String> {
    let (mut words, mut literals) = (Words::default(), Vec::new());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '/' if !rest.starts_with("//") => delimited(rest, c),
            '/' | '#' => rest.find('\n').unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (part, behind) = rest.split_at(length);
        match c {
            '"' => literals.extend(serde_json::from_str::<String>(part)),
            '/' if !part.starts_with("//") => words.of_pattern(&part[1..(length - 1).max(1)]),
            _ => {}
        }
        rest = behind;
    }
    if words.open {
        let all = literals.concat();
        literals
            .into_iter()
            .rev()
            .for_each(|literal| words.add(&literal));
        words.add(&all);
    }
    words.needed()
}

/// Those of a schema's patterns, as they stand in JSON.
pub(super) fn of_schema(schema: &Value) -> Vec<String> {
    let mut words = Words::default();
    words.of_value(schema);
    let within = |word: String| {
        let json = Value::from(word).to_string();
        json[1..json.len() - 1].to_owned()
    };
    words.needed().into_iter().map(within).collect()
}

#[derive(Default)]
struct Words {
    found: Vec<String>,
    patterns: usize,
    /// Something may go on for ever: where nothing may, no word is needed.
    endless: bool,
    /// A regular expression may go on for ever at its end.
    open: bool,
}

impl Words {
    fn needed(self) -> Vec<String> {
        if self.endless { self.found } else { Vec::new() }
    }

    fn add(&mut self, word: &str) {
        let fits = (1..=WORD_BYTES_MAX).contains(&word.len()) && self.found.len() < WORDS_MAX;
        if fits && !self.found.iter().any(|known| known == word) {
            self.found.push(word.to_owned());
        }
    }

    fn of_value(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(pattern)) = fields.get("pattern") {
                    // It may stand anywhere in the text, unless it says where.
                    self.endless |= !(pattern.starts_with('^') && pattern.ends_with('$'));
                    self.of_pattern(pattern);
                }
                fields.values().for_each(|value| self.of_value(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.of_value(item)),
            _ => {}
        }
    }

    fn of_pattern(&mut self, pattern: &str) {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX || pattern.len() > PATTERN_BYTES_MAX {
            return;
        }
        if let Ok(parsed) = regex_syntax::Parser::new().parse(pattern) {
            self.behind(&parsed, "");
            self.add(&shortest(&parsed));
        }
    }

    /// Adds what is the least that has to come behind each part that may go on for ever, what is next to the end
    /// first; `rest` is what has to come behind all of this.
    fn behind(&mut self, part: &Hir, rest: &str) {
        match part.kind() {
            HirKind::Repetition(repeated) => {
                if repeated.max.is_none() {
                    self.endless = true;
                    self.open |= rest.is_empty();
                }
                if repeated.max != Some(repeated.min) {
                    self.add(rest);
                }
                self.behind(&repeated.sub, rest);
            }
            HirKind::Capture(group) => self.behind(&group.sub, rest),
            HirKind::Alternation(parts) => parts.iter().for_each(|part| self.behind(part, rest)),
            HirKind::Concat(parts) => {
                let mut rest = rest.to_owned();
                for part in parts.iter().rev() {
                    self.behind(part, &rest);
                    rest = cut(shortest(part) + &rest);
                }
            }
            _ => {}
        }
    }
}

/// The least that matches; of what is too long its beginning, which is too long, too.
fn shortest(part: &Hir) -> String {
    cut(match part.kind() {
        HirKind::Empty | HirKind::Look(_) => String::new(),
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(class) => one_of(class).map(String::from).unwrap_or_default(),
        HirKind::Repetition(repeated) => {
            let times = usize::try_from(repeated.min).unwrap_or(usize::MAX);
            shortest(&repeated.sub).repeat(times.min(WORD_BYTES_MAX + 1))
        }
        HirKind::Capture(group) => shortest(&group.sub),
        HirKind::Concat(parts) => parts.iter().map(shortest).collect(),
        HirKind::Alternation(parts) => {
            let shortest = parts.iter().map(shortest).min_by_key(String::len);
            shortest.unwrap_or_default()
        }
    })
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(WORD_BYTES_MAX + 4));
    text
}

/// A character of the class: a common one, if it has one.
fn one_of(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (range.start().into(), range.end().into()))
            .collect(),
    };
    let within = |c: &char| {
        ranges
            .iter()
            .any(|(first, last)| (first..=last).contains(&c))
    };
    let common = ['a', '0', 'A', ' ', '-'].into_iter().find(within);
    common.or_else(|| ranges.first().map(|(first, _)| *first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_behind_what_may_go_on() {
        for (source, words) in [
            ("start: /.*xxy.*/", &["xxy"][..]),
            ("start: /.*aa[^b]*bb/", &["bb", "aabb"]),
            ("start: /(a|b)+c?[0-9]{2}/", &["00", "a00"]),
            ("start: /.*/ \"END\"", &["END"]),
            ("start: /.*/ \"A\" /[^\\n]*/ \"B\"", &["B", "A", "AB"]),
            ("start: \"{\" /[ab]*/ \"}\" // /x/", &["}", "{", "{}"]),
            ("start: /[a-z]{2,9}!.*/", &["!", "aa!"]),
            // What ends by itself needs no word.
            ("start: \"Question: \" /[A-Z][^\\n?]{5,120}\\?/", &[]),
            ("start: \"yes\" | \"no\"", &[]),
            ("start: /(a{1000}){1000}/", &[]),
            ("start: /(/", &[]),
            ("start: \"", &[]),
            ("start: /", &[]),
        ] {
            assert_eq!(of_lark(source), words, "{source}");
        }
    }

    #[test]
    fn words_of_a_schema_are_as_they_stand_in_json() {
        let schema = serde_json::json!({
            "type": "object",
            "properties": {"a": {"pattern": "^.*\"q\"$"}, "pattern": {"items": [{"pattern": "xxy"}]}},
        });
        assert_eq!(of_schema(&schema), ["\\\"q\\\"", "xxy"]);
        for ends in [
            serde_json::json!({"type": "string"}),
            serde_json::json!({"pattern": "^[0-9]{4}$"}),
        ] {
            assert_eq!(of_schema(&ends), Vec::<String>::new());
        }
    }
}
