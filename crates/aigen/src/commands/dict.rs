use crate::context::Context;
use crate::failure::hinted;
use crate::output::Table;
use anyhow::Result;
use serde::Serialize;

/// The project's own words, as people read them in the repository.
const GLOSSARY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../GLOSSARY.md"));

/// See [`super::Command::Dict`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen dict          every word
  aigen dict hold     what a hold is")]
pub struct Args {
    /// The word; every word when absent
    term: Option<String>,
}

/// A line of the glossary's tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Entry {
    term: String,
    meaning: String,
    /// What not to say for it.
    #[serde(skip_serializing_if = "String::is_empty")]
    not: String,
}

pub fn run(args: Args, context: &Context) -> Result<()> {
    let entries: Vec<_> = GLOSSARY.lines().filter_map(entry).collect();
    let Some(term) = args.term else {
        return context.output.list(&entries, || table(&entries));
    };
    let found: Vec<_> = matching(&entries, &term);
    if found.is_empty() {
        return Err(hinted(
            format!("`{term}` is not a word of AiGen"),
            "`aigen dict` lists every word",
        ));
    }
    context.output.list(&found, || {
        found.iter().map(|entry| sentence(entry)).collect()
    })
}

/// A row `| **term** | meaning | not this |`; other lines are prose for readers of the file.
fn entry(line: &str) -> Option<Entry> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(plain);
    let bold = line.trim_start_matches(['|', ' ']).starts_with("**");
    let (term, meaning) = (cells.next()?, cells.next()?);
    bold.then(|| Entry {
        term,
        meaning,
        not: cells.next().unwrap_or_default(),
    })
}

/// Without Markdown.
fn plain(cell: &str) -> String {
    cell.trim().replace("**", "").replace('`', "")
}

/// Entries whose term holds the word; whole words before parts of words.
fn matching<'a>(entries: &'a [Entry], term: &str) -> Vec<&'a Entry> {
    let term = term.to_lowercase();
    let word = |entry: &&Entry| {
        let words = entry.term.to_lowercase();
        let mut words = words.split(|letter: char| !letter.is_alphanumeric());
        words.any(|word| word == term)
    };
    let part = |entry: &&Entry| entry.term.to_lowercase().contains(&term);
    let exact: Vec<_> = entries.iter().filter(word).collect();
    if exact.is_empty() {
        entries.iter().filter(part).collect()
    } else {
        exact
    }
}

fn sentence(entry: &Entry) -> String {
    let mut text = format!("{}: {}\n", entry.term, entry.meaning);
    if !entry.not.is_empty() {
        text.push_str(&format!("  (not: {})\n", entry.not));
    }
    text
}

fn table(entries: &[Entry]) -> String {
    let mut table = Table::new(&["word", "meaning"]);
    for entry in entries {
        table.row([entry.term.clone(), entry.meaning.clone()]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_words_and_prose_is_not() {
        for (line, expected) in [
            (
                "| **key** | API credential | token |",
                Some("key: API credential\n  (not: token)\n"),
            ),
            ("| **epoch** | a period | |", Some("epoch: a period\n")),
            ("| say | mean | don't say |", None),
            ("|---|---|---|", None),
            ("Some prose.", None),
        ] {
            let found = entry(line).map(|entry| sentence(&entry));
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn the_glossary_has_its_central_words() {
        let entries: Vec<_> = GLOSSARY.lines().filter_map(entry).collect();
        for term in ["hold", "escrow", "controller", "token", "capture"] {
            assert!(!matching(&entries, term).is_empty(), "{term}");
        }
    }
}
