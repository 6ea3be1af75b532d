//! How long functions are. Told, not enforced: a number to look at, not a wall.

use std::fmt;
use std::path::Path;

/// The lengths of functions, in lines from the signature to the closing brace, and where they are.
#[derive(Debug, Default)]
pub struct Lengths(Vec<(usize, String)>);

impl Lengths {
    /// Adds the functions of one file. Reads the layout that rustfmt gives: a
    /// function ends at the first brace alone at the indentation of its signature.
    pub fn count(&mut self, file: &Path, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if is_signature(line) {
                let place = format!("{}:{}", file.display(), at + 1);
                self.0
                    .extend(length(&lines[at..]).map(|length| (length, place)));
            }
        }
    }

    /// The function that this share of functions is not longer than.
    fn at_ppm(&self, ppm: usize) -> Option<&(usize, String)> {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get(last * ppm / 1_000_000).copied()
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |ppm| self.at_ppm(ppm).map_or(0, |(length, _)| *length);
        write!(
            f,
            "{} functions: half have at most {} lines, nine in ten at most {} (aim: 45)",
            self.0.len(),
            at(500_000),
            at(900_000),
        )?;
        match self.at_ppm(1_000_000) {
            Some((length, place)) => write!(f, ", the longest {length}: {place}"),
            None => Ok(()),
        }
    }
}

fn is_signature(line: &str) -> bool {
    let mut words = line.split_whitespace().peekable();
    let qualifier = |word: &&str| {
        word.starts_with("pub")
            || matches!(*word, "async" | "const" | "unsafe" | "extern" | "\"C\"")
    };
    while words.next_if(qualifier).is_some() {}
    words.next() == Some("fn") && words.next().is_some()
}

/// `None` for a declaration without a body.
fn length(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?;
    let indentation = &first[..first.len() - first.trim_start().len()];
    let body = lines.iter().position(|line| {
        let line = line.trim_end();
        line.ends_with('{') || line.ends_with('}') || line.ends_with(';')
    })?;
    if lines[body].trim_end().ends_with(';') {
        return None;
    }
    if lines[body].trim_end().ends_with('}') {
        return Some(body + 1);
    }
    let end = format!("{indentation}}}");
    let rest = lines.iter().skip(body + 1).position(|line| *line == end)?;
    Some(body + 1 + rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_counted() {
        let text = "\
fn one() {}
pub(crate) async fn three() {
    if true {}
}
impl A {
    fn five(
        &self,
    ) -> u32 {
        5
    }
    fn none(&self);
}
// fn in a comment
let fn_like = 1;
";
        let mut lengths = Lengths::default();
        lengths.count(Path::new("a.rs"), text);
        let counted: Vec<usize> = lengths.0.iter().map(|(length, _)| *length).collect();
        assert_eq!(counted, [1, 3, 5]);
        assert_eq!(
            lengths.to_string(),
            "3 functions: half have at most 3 lines, nine in ten at most 3 (aim: 45), the longest 5: a.rs:6"
        );
    }

    #[test]
    fn no_function_is_no_length() {
        assert!(Lengths::default().to_string().starts_with("0 functions"));
    }
}
