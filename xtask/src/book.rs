//! The book in `docs`: every link leads somewhere, and every page stands in its contents.

mod page;
#[cfg(test)]
mod tests;

use crate::workspace;
use anyhow::{Context, Result, ensure};
use page::Page;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where the book's pages lie.
const BOOK: &str = "docs";
/// Its contents.
const CONTENTS: &str = "docs/SUMMARY.md";
/// The same for readers that are programs: <https://llmstxt.org>.
const CONTENTS_FOR_PROGRAMS: &str = "docs/llms.txt";

pub fn run() -> Result<()> {
    let faults = Shelf::load()?.faults();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Everything that links are followed in.
struct Shelf {
    pages: BTreeMap<PathBuf, Page>,
    /// All other files.
    others: Vec<PathBuf>,
}

impl Shelf {
    fn load() -> Result<Self> {
        let (texts, others) = workspace::files()?.into_iter().partition(is_page);
        let texts: Vec<PathBuf> = texts;
        let read = |path: PathBuf| Ok((path.clone(), Page::read(&whole(&path)?)));
        let pages = texts.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Self { pages, others })
    }

    fn faults(&self) -> Vec<String> {
        let links = self.pages.iter().flat_map(|(path, page)| {
            let targets = page.links.iter();
            targets.filter_map(|link| {
                let why = self.wrong(path, link)?;
                Some(format!("{}: {link}: {why}", path.display()))
            })
        });
        links.chain(self.missing_in_contents()).collect()
    }

    /// What is wrong with a link of this page; nothing is known of other places.
    fn wrong(&self, from: &Path, link: &str) -> Option<&'static str> {
        if link.contains("://") || link.starts_with("mailto:") {
            return None;
        }
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = target(from, path);
        let in_book = |path: &Path| path.starts_with(BOOK);
        if in_book(from) && !in_book(&target) {
            return Some("leads out of the book");
        }
        match self.pages.get(&target) {
            Some(page) if anchor.is_empty() || page.anchors.contains(anchor) => None,
            Some(_) => Some("there is no such heading"),
            None if self.others.iter().any(|other| other.starts_with(&target)) => None,
            None if self.pages.keys().any(|page| page.starts_with(&target)) => None,
            None => Some("there is no such file"),
        }
    }

    /// A page that nobody can find is no page.
    fn missing_in_contents(&self) -> impl Iterator<Item = String> {
        const BOTH: [&str; 2] = [CONTENTS, CONTENTS_FOR_PROGRAMS];
        let pages = self.pages.keys().filter(|path| path.starts_with(BOOK));
        let pages = pages.filter(|path| !BOTH.iter().any(|contents| path == &Path::new(contents)));
        pages.flat_map(|path| {
            let missing = BOTH
                .into_iter()
                .filter(|contents| !self.lists(contents, path));
            missing.map(|contents| format!("{}: not in {contents}", path.display()))
        })
    }

    fn lists(&self, contents: &str, page: &Path) -> bool {
        let contents = Path::new(contents);
        let listed = self.pages.get(contents).map(|page| &page.links);
        let mut listed = listed.into_iter().flatten();
        listed.any(|link| target(contents, link) == page)
    }
}

fn is_page(path: &PathBuf) -> bool {
    path.extension().is_some_and(|kind| kind == "md") || path == Path::new(CONTENTS_FOR_PROGRAMS)
}

/// A page's text, with what it includes.
fn whole(path: &Path) -> Result<String> {
    let text = read(path)?;
    let lines = text.lines().map(|line| match page::included(line) {
        Some(other) => read(&target(path, other)).with_context(|| path.display().to_string()),
        None => Ok(line.to_owned()),
    });
    Ok(lines.collect::<Result<Vec<_>>>()?.join("\n"))
}

fn read(path: &Path) -> Result<String> {
    let text = fs::read_to_string(workspace::root().join(path));
    text.with_context(|| path.display().to_string())
}

/// Where a link of this page leads. A page is made into HTML of its name, a folder's README into its index.
fn target(from: &Path, link: &str) -> PathBuf {
    if link.is_empty() {
        return from.to_owned();
    }
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    if path.ends_with("index.html") {
        path.set_file_name("README.md");
    } else if path.extension().is_some_and(|kind| kind == "html") {
        path.set_extension("md");
    }
    path
}
