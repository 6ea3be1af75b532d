//! Words: what a search looks for.
//!
//! A word is a run of letters and digits, in lower case and without accents. Scripts that are
//! written without spaces between words (Chinese, Japanese, Thai and others) are taken letter by
//! letter, so that a part of a sentence finds the sentence; no dictionary or language is assumed.

use crate::limits::WORD_BYTES_MAX;
use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// Its name within an index.
pub(crate) const ANALYSER: &str = "words";

pub(crate) fn analyser() -> TextAnalyzer {
    TextAnalyzer::builder(Words::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// The different words of a text, in the order in which they appear first, at most `max`.
pub(crate) fn distinct(text: &str, max: usize) -> Vec<String> {
    let mut analyser = analyser();
    let mut stream = analyser.token_stream(text);
    let mut words: Vec<String> = Vec::new();
    while words.len() < max && stream.advance() {
        let word = &stream.token().text;
        if !words.contains(word) {
            words.push(word.clone());
        }
    }
    words
}

#[derive(Clone, Default)]
struct Words {
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream<'a> {
        self.token.reset();
        Stream {
            text,
            at: 0,
            token: &mut self.token,
        }
    }
}

struct Stream<'a> {
    text: &'a str,
    at: usize,
    token: &'a mut Token,
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(skip) = rest.find(char::is_alphanumeric) else {
            return false;
        };
        let length = word_length(&rest[skip..]);
        let from = self.at + skip;
        self.at = from + length;
        self.token.text.clear();
        self.token.text.push_str(&self.text[from..self.at]);
        self.token.offset_from = from;
        self.token.offset_to = self.at;
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Bytes of the word that the text begins with.
fn word_length(text: &str) -> usize {
    let mut letters = text.char_indices();
    match letters.next() {
        Some((_, first)) if stands_alone(first) => first.len_utf8(),
        _ => letters
            .find(|(_, c)| !c.is_alphanumeric() || stands_alone(*c))
            .map_or(text.len(), |(at, _)| at),
    }
}

/// Letters of scripts without spaces: Thai to Myanmar, Khmer, kana, Han.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
