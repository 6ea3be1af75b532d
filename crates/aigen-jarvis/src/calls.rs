//! Calls of functions, read from text that was generated under a [`crate::ToolGrammar`].

use crate::constraint::{ARGUMENTS, CALL_BEGIN, CALL_END, HEAD};

/// A part of what a model said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// More of its text.
    Text(String),
    /// A call begins.
    Call {
        /// Of this function.
        name: String,
    },
    /// More of the call's arguments, as JSON.
    Arguments(String),
    /// The call is complete.
    CallEnd,
}

/// Takes text in pieces of any size apart into text and calls.
#[derive(Debug, Default)]
pub struct CallReader {
    place: Place,
    /// What cannot be told apart yet.
    held: String,
    calls: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Text,
    Head,
    Arguments(Nesting),
    Tail,
}

/// Where in a JSON value a reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl CallReader {
    /// Everything that `text` makes certain.
    pub fn push(&mut self, text: &str) -> Vec<Spoken> {
        self.held.push_str(text);
        let mut spoken = Vec::new();
        while self.step(&mut spoken) {}
        spoken
    }

    /// The rest, once nothing follows: text that could have become a call. A call that was cut
    /// off stays without its [`Spoken::CallEnd`].
    pub fn finish(&mut self) -> Option<Spoken> {
        let held = std::mem::take(&mut self.held);
        let is_text = self.place == Place::Text && self.calls == 0 && !held.is_empty();
        is_text.then_some(Spoken::Text(held))
    }

    /// Calls that began.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// Whether a call began, whole or not.
    #[must_use]
    pub fn begun(&self) -> bool {
        self.calls > 0 || self.place != Place::Text
    }

    /// One step forward; `false` when more text is needed.
    fn step(&mut self, spoken: &mut Vec<Spoken>) -> bool {
        match self.place {
            Place::Text => self.text(spoken),
            Place::Head => self.head(spoken),
            Place::Arguments(nesting) => self.arguments(nesting, spoken),
            Place::Tail => self.tail(spoken),
        }
    }

    fn text(&mut self, spoken: &mut Vec<Spoken>) -> bool {
        let begin = self.held.find(CALL_BEGIN);
        let certain = match begin {
            Some(at) => self.held[..at].trim_end().len(),
            None => certain_text(&self.held),
        };
        // Between calls there is nothing but line breaks.
        if certain > 0 && self.calls == 0 {
            spoken.push(Spoken::Text(self.held[..certain].to_owned()));
        }
        self.held
            .drain(..begin.map_or(certain, |at| at + CALL_BEGIN.len()));
        if begin.is_some() {
            self.place = Place::Head;
        }
        begin.is_some()
    }

    fn head(&mut self, spoken: &mut Vec<Spoken>) -> bool {
        let Some(at) = self.held.find(ARGUMENTS) else {
            return false;
        };
        let head = &self.held[..at];
        let name = head.strip_prefix(HEAD).unwrap_or(head).to_owned();
        self.held.drain(..at + ARGUMENTS.len());
        self.calls += 1;
        self.place = Place::Arguments(Nesting::default());
        spoken.push(Spoken::Call { name });
        true
    }

    fn arguments(&mut self, mut nesting: Nesting, spoken: &mut Vec<Spoken>) -> bool {
        let end = self.held.bytes().position(|byte| nesting.ends_at(byte));
        let taken = end.map_or(self.held.len(), |at| at + 1);
        if taken > 0 {
            spoken.push(Spoken::Arguments(self.held.drain(..taken).collect()));
        }
        self.place = match end {
            Some(_) => Place::Tail,
            None => Place::Arguments(nesting),
        };
        end.is_some()
    }

    fn tail(&mut self, spoken: &mut Vec<Spoken>) -> bool {
        let Some(at) = self.held.find(CALL_END) else {
            return false;
        };
        self.held.drain(..at + CALL_END.len());
        self.place = Place::Text;
        spoken.push(Spoken::CallEnd);
        true
    }
}

impl Nesting {
    /// Takes the next byte; whether the object that began with the first one ends with it.
    fn ends_at(&mut self, byte: u8) -> bool {
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// Bytes of a text that are neither the beginning of a call nor the blanks before one.
fn certain_text(text: &str) -> usize {
    let begun = (1..CALL_BEGIN.len())
        .rev()
        .find(|&length| text.ends_with(&CALL_BEGIN[..length]));
    text[..text.len() - begun.unwrap_or(0)].trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text as it is, calls as `name(arguments)`, unfinished ones with `…`.
    fn read(pieces: impl IntoIterator<Item = String>) -> String {
        let mut reader = CallReader::default();
        let mut spoken: Vec<Spoken> = pieces
            .into_iter()
            .flat_map(|piece| reader.push(&piece))
            .collect();
        spoken.extend(reader.finish());
        let parts = spoken.into_iter().map(|part| match part {
            Spoken::Text(text) => text,
            Spoken::Call { name } => format!("[{name}("),
            Spoken::Arguments(json) => json,
            Spoken::CallEnd => ")]".to_owned(),
        });
        parts.collect()
    }

    #[test]
    fn the_same_in_pieces_of_any_size() {
        let call = |name: &str, json: &str| {
            format!("{CALL_BEGIN}{HEAD}{name}{ARGUMENTS}{json}}}\n{CALL_END}")
        };
        let tricky = r#"{"a":"}</tool_call>\"]","b":[{"c":{}}]}"#;
        let begun = |text: &str| {
            let mut reader = CallReader::default();
            reader.push(text);
            reader.begun()
        };
        assert!(!begun("a <tool_call") && begun("a <tool_call>") && begun(&call("f", "{}")));
        for (text, expected) in [
            ("Just text.".to_owned(), "Just text.".to_owned()),
            ("a <tool_ca b ".to_owned(), "a <tool_ca b ".to_owned()),
            (call("f", "{}"), "[f({})]".to_owned()),
            (
                format!("Wait.\n{}", call("f", tricky)),
                format!("Wait.[f({tricky})]"),
            ),
            (
                format!("{}\n{}", call("f", "{}"), call("g-2", r#"{"é":1}"#)),
                r#"[f({})][g-2({"é":1})]"#.to_owned(),
            ),
            (
                format!("{CALL_BEGIN}{HEAD}f{ARGUMENTS}{{\"a\": \"b"),
                "[f({\"a\": \"b".to_owned(),
            ),
            (format!("x{CALL_BEGIN}{HEAD}f"), "x".to_owned()),
        ] {
            assert_eq!(read([text.clone()]), expected);
            assert_eq!(read(text.chars().map(String::from)), expected, "by letters");
        }
    }
}
