//! Quotation: which pieces of a text may be said, as a Lark terminal.
//!
//! A quotation is a run of whole words of one line, with everything between
//! them exactly as it stands in the text; so it is always a substring of the
//! text. A word is what stands between blanks, without the punctuation at its
//! edges: `Mount Kenya` can be quoted from `Mount Kenya.` and takes no full stop
//! along, while `3.14`, `Kenya's`, `$20` and `C++` stay whole. Scripts that
//! write without blanks count every character as a word.

use super::CompileError;
use crate::limits::{QUOTE_BYTES_MAX, QUOTE_WORDS};

/// The most words a quotation may be allowed; each adds a state per word of the text.
const WORDS_MAX: u32 = 256;

/// The terminal's right-hand side for quotations of 1 to `words` words.
///
/// # Errors
/// If the text is too long, has no word, or `words` is out of range.
pub(super) fn terminal(text: &str, words: Option<u32>) -> Result<String, CompileError> {
    CompileError::too_long("the text to quote from", text.len(), QUOTE_BYTES_MAX)?;
    let words = words.unwrap_or(QUOTE_WORDS);
    if !(1..=WORDS_MAX).contains(&words) {
        return Err(CompileError::new(format!(
            "a quotation has 1 to {WORDS_MAX} words"
        )));
    }
    let chunks = chunks(text);
    if chunks.is_empty() {
        return Err(CompileError::new("the text to quote from has no words"));
    }
    let runs = serde_json::json!({ "substring_chunks": chunks });
    Ok(format!(
        "%regex {runs} & {} & {}",
        whole_words(),
        at_most(words)
    ))
}

/// The text as alternating words and separators; lines are kept apart by a
/// newline, which no quotation contains.
fn chunks(text: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    for line in text.split(['\n', '\r']) {
        let mut end = None;
        for (from, to) in words(line) {
            match end {
                None if chunks.is_empty() => {}
                None => chunks.push("\n"),
                Some(end) if end < from => chunks.push(&line[end..from]),
                Some(_) => {}
            }
            chunks.push(&line[from..to]);
            end = Some(to);
        }
    }
    chunks
}

/// The byte ranges of the words of one line.
fn words(line: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut from = 0;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        if !is_break(c) && !is_word_alone(c) {
            continue;
        }
        words.extend(trimmed(line, from, at));
        from = at + c.len_utf8();
        if is_word_alone(c) {
            words.push((at, from));
        }
    }
    words
}

/// The range without punctuation at its edges, if a word is left.
fn trimmed(line: &str, from: usize, to: usize) -> Option<(usize, usize)> {
    let run = &line[from..to];
    let word = run.trim_matches(is_edge);
    let start = from + run.len() - run.trim_start_matches(is_edge).len();
    word.contains(char::is_alphanumeric)
        .then_some((start, start + word.len()))
}

/// Punctuation that belongs to the sentence when it stands at a word's edge.
const EDGES: &str = ".,;:!?…\"'`*“”„‘’‚«»‹›()[]{}<>¿¡—。、，；：！？「」『』（）【】《》・";

fn is_edge(c: char) -> bool {
    c.is_whitespace() || EDGES.contains(c)
}

fn is_break(c: char) -> bool {
    c.is_whitespace() || matches!(c, '—' | '…' | '。' | '、' | '，' | '！' | '？')
}

/// Han, kana, Thai, Lao, Burmese, Khmer: written without blanks.
fn is_word_alone(c: char) -> bool {
    UNSPACED.iter().any(|&(from, to)| (from..=to).contains(&c))
}

const UNSPACED: [(char, char); 6] = [
    ('\u{0e01}', '\u{0eff}'),
    ('\u{1000}', '\u{109f}'),
    ('\u{1780}', '\u{17ff}'),
    ('\u{3041}', '\u{30ff}'),
    ('\u{3400}', '\u{9fff}'),
    ('\u{20000}', '\u{3ffff}'),
];

/// A run of chunks that begins or ends with a separator begins or ends with an
/// edge, because separators do and words do not.
fn whole_words() -> String {
    let edges: String = EDGES
        .chars()
        .map(|c| format!("\\x{{{:x}}}", u32::from(c)))
        .collect();
    format!(r"/[^\s{edges}]([^\n]*[^\s{edges}])?/")
}

fn at_most(words: u32) -> String {
    let alone: String = UNSPACED
        .iter()
        .map(|&(from, to)| format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(from), u32::from(to)))
        .collect();
    let word = format!(r"([{alone}]|[^\s{alone}]+)");
    format!(r"/{word}(\s*{word}){{0,{}}}/", words - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_what_is_theirs() {
        for (line, expected) in [
            ("Mount Kenya.", "Mount|Kenya"),
            ("pi is 3.14, e is 2.72!", "pi|is|3.14|e|is|2.72"),
            ("it costs $20 (or 50%) more", "it|costs|$20|or|50%|more"),
            (
                "\"Kenya's\" C++ — e.g. well-known",
                "Kenya's|C++|e.g|well-known",
            ),
            ("- a list, - of items", "a|list|of|items"),
            ("5,199 m… high", "5,199|m|high"),
            ("富士山は高い。", "富|士|山|は|高|い"),
            (" ... — !", ""),
        ] {
            let words: Vec<_> = words(line)
                .iter()
                .map(|&(from, to)| &line[from..to])
                .collect();
            assert_eq!(words.join("|"), expected, "{line}");
        }
    }

    #[test]
    fn chunks_alternate_and_keep_lines_apart() {
        assert_eq!(
            chunks("  One, two.\r\n\n(Three)"),
            ["One", ", ", "two", "\n", "Three"]
        );
    }
}
