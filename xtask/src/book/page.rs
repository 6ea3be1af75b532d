//! What of a page others can point at, and what it points at.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::BTreeSet;

/// A page in Markdown.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Targets of links and images, as they are written.
    pub links: Vec<String>,
    /// Headings, as links name them.
    pub anchors: BTreeSet<String>,
}

impl Page {
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.anchor(&heading.take().unwrap_or_default()),
                Event::Text(text) | Event::Code(text) => {
                    heading
                        .iter_mut()
                        .for_each(|heading| heading.push_str(&text));
                }
                _ => {}
            }
        }
        page
    }

    /// Of several headings that read alike, all but the first have a number.
    fn anchor(&mut self, heading: &str) {
        let name = slug(heading);
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        let free = names.find(|name| !self.anchors.contains(name));
        self.anchors.extend(free);
    }
}

/// As mdBook and GitHub make it: letters in small, hyphens for spaces, nothing else.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect::<String>().to_lowercase()
}

/// The file whose text stands in the place of this line: mdBook's `{{#include FILE}}`.
pub fn included(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix("{{#include ")?;
    name.strip_suffix("}}").map(str::trim)
}
