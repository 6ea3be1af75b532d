//! Quotation: which pieces of a text may be said, as a Lark terminal.
//!
//! A quotation is a run of whole words of one line, with everything between
//! them exactly as it stands in the text; so it is always a substring of the
//! text. A word is what stands between blanks, without the punctuation at its
//! edges: `Mount Kenya` can be quoted from `Mount Kenya.` and takes no full stop
//! along, while `3.14`, `Kenya's`, `$20` and `C++` stay whole. What has neither
//! letter nor digit (a bullet, a lone `€`) is no word, but stands between two.
//! Scripts that write without blanks count every character as a word.

use super::CompileError;
use crate::limits::{QUOTE_CHUNKS_MAX, QUOTE_WORDS};

/// The terminal's right-hand side for quotations of 1 to `words` words.
///
/// # Errors
/// If the text has no word, `words` is 0, or there is too much to choose from.
pub(super) fn terminal(text: &str, words: Option<u32>) -> Result<String, CompileError> {
    let words = words.unwrap_or(QUOTE_WORDS);
    if words == 0 {
        return Err(CompileError::new("a quotation has at least one word"));
    }
    let chunks = chunks(text, words.try_into().unwrap_or(usize::MAX))?;
    if chunks.is_empty() {
        return Err(CompileError::new("the text to quote from has no words"));
    }
    // A run of chunks is a quotation if it begins at a first word, not at a
    // separator, and does not reach the next newline.
    let runs = serde_json::json!({ "substring_chunks": chunks });
    Ok(format!("(%regex {runs} & /[^\\s{}][^\\n]*/)", edges()))
}

/// For every word of the text, the longest quotation that begins with it: the
/// word, then each further one with the separator before it, then a newline.
///
/// This writes the text `words` times, but needs no condition on where a run ends
/// and none on its length. Such conditions are intersections of automata, for
/// which llguidance must search a way out of every state; on random texts that
/// search cost more than a whole mask may.
fn chunks(text: &str, words: usize) -> Result<Vec<&str>, CompileError> {
    let mut chunks = Vec::new();
    for line in text.split(['\n', '\r']) {
        let spans = self::words(line);
        for (first, &(from, to)) in spans.iter().enumerate() {
            chunks.push(&line[from..to]);
            let rest = spans[first..].windows(2).take(words - 1);
            chunks.extend(rest.map(|pair| &line[pair[0].1..pair[1].1]));
            chunks.push("\n");
            if chunks.len() > QUOTE_CHUNKS_MAX {
                let what =
                    format!("the text to quote from is too long for {words} words at a time");
                return Err(CompileError::new(what).hint("send less text, or allow fewer words"));
            }
        }
    }
    Ok(chunks)
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

pub(super) fn is_edge(c: char) -> bool {
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

/// The edges, for a character class.
fn edges() -> String {
    EDGES
        .chars()
        .map(|c| format!("\\x{{{:x}}}", u32::from(c)))
        .collect()
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
    fn chunks_are_quotations_from_every_word() {
        let chunks = chunks("  One, two\u{a0}three.\r\n\n(Four)", 2).unwrap();
        assert_eq!(
            chunks,
            [
                "One",
                ", two",
                "\n",
                "two",
                "\u{a0}three",
                "\n",
                "three",
                "\n",
                "Four",
                "\n"
            ]
        );
    }
}
