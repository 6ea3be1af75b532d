//! How long functions are. Told, not enforced: a number to look at, not a wall.

use std::fmt;

/// The lengths of functions, in lines from the signature to the closing brace.
#[derive(Debug, Default)]
pub struct Lengths(Vec<usize>);

impl Lengths {
    /// Adds the functions of one file. Reads the layout that rustfmt gives: a
    /// function ends at the first brace alone at the indentation of its signature.
    pub fn count(&mut self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if is_signature(line) {
                self.0.extend(length(&lines[at..]));
            }
        }
    }

    /// The length that this share of functions does not exceed.
    fn at_ppm(&self, ppm: usize) -> usize {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * ppm / 1_000_000).copied().unwrap_or(0)
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} functions: half have at most {} lines, nine in ten at most {} (aim: 45), the longest {}",
            self.0.len(),
            self.at_ppm(500_000),
            self.at_ppm(900_000),
            self.at_ppm(1_000_000)
        )
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
        lengths.count(text);
        assert_eq!(lengths.0, [1, 3, 5]);
        assert_eq!(lengths.at_ppm(500_000), 3);
        assert_eq!(lengths.at_ppm(1_000_000), 5);
    }

    #[test]
    fn no_function_is_no_length() {
        assert_eq!(Lengths::default().at_ppm(900_000), 0);
    }
}
