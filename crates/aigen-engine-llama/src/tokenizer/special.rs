//! Control tokens in text: found where they are meant, defused where they are not.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use aigen_engine::TokenId;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token_type::LlamaTokenAttr;

/// A stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fragment<'a> {
    /// Plain text.
    Text(Cow<'a, str>),
    /// A control token.
    Special(TokenId),
}

impl Fragment<'_> {
    /// The same without any `marker`.
    pub fn without(self, marker: char) -> Self {
        match self {
            Fragment::Text(text) if text.contains(marker) => {
                Fragment::Text(Cow::Owned(text.replace(marker, "")))
            }
            other => other,
        }
    }
}

/// The control tokens of a vocabulary.
pub(super) struct Specials {
    finder: Option<AhoCorasick>,
    entries: Vec<Entry>,
}

/// One control token.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub token: TokenId,
    pub text: String,
    /// White space before it belongs to it.
    pub strips_left: bool,
    /// White space after it belongs to it.
    pub strips_right: bool,
}

impl Specials {
    pub fn of(model: &LlamaModel) -> Self {
        let vocab = model.vocab();
        let entry = |token| {
            let attributes = vocab.attr(token);
            let control = attributes.intersects(LlamaTokenAttr::Control | LlamaTokenAttr::Unknown);
            let text = vocab.text(token)?.to_str().ok()?;
            (control && !text.is_empty()).then(|| Entry {
                token: token.0 as TokenId,
                text: text.to_owned(),
                strips_left: attributes.contains(LlamaTokenAttr::LStrip),
                strips_right: attributes.contains(LlamaTokenAttr::RStrip),
            })
        };
        Self::new(vocab.tokens().filter_map(entry).collect())
    }

    /// Without a finder (which some 10 MB of control tokens would be too many for)
    /// no text contains a control token.
    pub fn new(entries: Vec<Entry>) -> Self {
        let texts = entries.iter().map(|entry| &entry.text);
        let mut builder = AhoCorasick::builder();
        let finder = builder
            .match_kind(MatchKind::LeftmostLongest)
            .build(texts)
            .ok();
        Self { finder, entries }
    }

    /// The text cut at its control tokens, the longest that fits at each place.
    pub fn split<'a>(&self, text: &'a str) -> Vec<Fragment<'a>> {
        let mut fragments = Vec::new();
        let mut rest = 0;
        let mut strip = false;
        for found in self.finder.iter().flat_map(|finder| finder.find_iter(text)) {
            let entry = &self.entries[found.pattern().as_usize()];
            push(
                &mut fragments,
                &text[rest..found.start()],
                strip,
                entry.strips_left,
            );
            fragments.push(Fragment::Special(entry.token));
            rest = found.end();
            strip = entry.strips_right;
        }
        push(&mut fragments, &text[rest..], strip, false);
        fragments
    }

    /// The text with `marker` put wherever it could, alone or with what a template
    /// puts around it, be taken for a control token: inside every one it contains,
    /// and at an end that could be a part of one.
    pub fn defuse(&self, text: &str, marker: char) -> String {
        let mut cuts = self.inner_cuts(text);
        cuts.extend(self.edge_cuts(text));
        // Templates may trim what they are given.
        let trimmed = text.trim();
        let offset = text.len() - text.trim_start().len();
        cuts.extend(self.edge_cuts(trimmed).map(|at| at + offset));
        cuts.sort_unstable();
        cuts.dedup();
        let mut defused = text.to_owned();
        cuts.into_iter()
            .rev()
            .for_each(|at| defused.insert(at, marker));
        defused
    }

    /// After the first letter of every control token in the text, overlapping ones
    /// included.
    fn inner_cuts(&self, text: &str) -> Vec<usize> {
        let mut cuts = Vec::new();
        let mut at = 0;
        let find = |at| {
            self.finder
                .as_ref()?
                .find(Input::new(text).span(at..text.len()))
        };
        while let Some(found) = find(at) {
            let letter = text[found.start()..]
                .chars()
                .next()
                .map_or(1, char::len_utf8);
            at = found.start() + letter;
            cuts.push(at);
        }
        cuts
    }

    /// The ends of the text, as far as a control token could reach across them.
    fn edge_cuts(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let tokens = || self.entries.iter().map(|entry| entry.text.as_str());
        let before = !text.is_empty()
            && tokens().any(|token| {
                proper_suffixes(token).any(|end| text.starts_with(end)) || token.contains(text)
            });
        let after = !text.is_empty()
            && tokens().any(|token| proper_prefixes(token).any(|start| text.ends_with(start)));
        let end = text.len();
        before.then_some(0).into_iter().chain(after.then_some(end))
    }
}

fn proper_suffixes(token: &str) -> impl Iterator<Item = &str> {
    token.char_indices().skip(1).map(|(at, _)| &token[at..])
}

fn proper_prefixes(token: &str) -> impl Iterator<Item = &str> {
    token.char_indices().skip(1).map(|(at, _)| &token[..at])
}

fn push<'a>(fragments: &mut Vec<Fragment<'a>>, text: &'a str, strip_start: bool, strip_end: bool) {
    let text = if strip_start { text.trim_start() } else { text };
    let text = if strip_end { text.trim_end() } else { text };
    if !text.is_empty() {
        fragments.push(Fragment::Text(text.into()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARKER: char = '\u{FDD0}';

    fn specials(texts: &[&str]) -> Specials {
        let entry = |(token, text): (TokenId, &&str)| Entry {
            token,
            text: (*text).to_owned(),
            strips_left: text.starts_with("<l"),
            strips_right: text.starts_with("<r"),
        };
        Specials::new((0..).zip(texts).map(entry).collect())
    }

    /// The fragments with `·` between them and control tokens in brackets.
    fn shown(fragments: &[Fragment<'_>]) -> String {
        let show = |fragment: &Fragment<'_>| match fragment {
            Fragment::Text(text) => text.to_string(),
            Fragment::Special(token) => format!("[{token}]"),
        };
        fragments.iter().map(show).collect::<Vec<_>>().join("·")
    }

    #[test]
    fn text_is_split_at_control_tokens() {
        let specials = specials(&["<a>", "<a><b>", "<l>", "<r>"]);
        let rows = [
            ("", ""),
            ("plain", "plain"),
            ("<a>", "[0]"),
            ("x<a>y", "x·[0]·y"),
            ("<a><b><a>", "[1]·[0]"),
            ("x <l> y", "x·[2]· y"),
            ("x <r> y", "x ·[3]·y"),
            ("x <r> <l> y", "x ·[3]·[2]· y"),
            ("<a", "<a"),
        ];
        for (text, expected) in rows {
            assert_eq!(shown(&specials.split(text)), expected, "{text}");
        }
    }

    #[test]
    fn markers_go_only_where_there_is_danger() {
        let specials = specials(&["<a>", "<<"]);
        let rows = [
            ("plain text", "plain text"),
            ("x<a>y", "x<|a>y"),
            ("<<<", "|<|<|<|"),
            ("> quoted", "|> quoted"),
            ("  > quoted ", "  |> quoted "),
            ("x <", "x <|"),
            ("x < \n", "x <| \n"),
            ("a", "|a"),
        ];
        for (text, expected) in rows {
            assert_eq!(
                specials.defuse(text, MARKER).replace(MARKER, "|"),
                expected,
                "{text}"
            );
        }
    }

    proptest! {
        /// Whatever stands around it, trimmed or not, a defused text adds no
        /// control token and loses nothing.
        #[test]
        fn defused_text_is_never_special(
            before in "[<|a>b ]{0,6}",
            text in "[<|a>b ]{0,8}",
            after in "[<|a>b ]{0,6}",
        ) {
            let specials = specials(&["<a>", "<|b|>", "<<", "<|a", ">b<"]);
            let count = |text: &str| specials.split(text).iter()
                .filter(|fragment| matches!(fragment, Fragment::Special(_))).count();
            let defused = specials.defuse(&text, MARKER);
            prop_assert_eq!(defused.replace(MARKER, ""), text.as_str());
            for inner in [defused.as_str(), defused.trim()] {
                let whole = format!("{before}{inner}{after}");
                // The marker alone at its place: what the surroundings hold by themselves.
                let alone = format!("{before}{MARKER}{after}");
                if !inner.is_empty() {
                    prop_assert!(count(&whole) <= count(&alone), "{whole:?}");
                }
            }
        }
    }
}
