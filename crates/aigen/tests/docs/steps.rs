//! What a page tells its reader to type, and what it shows for it.
//!
//! A `console` block is a terminal: `$ ` begins a command, which goes on over lines that end with `\`, over text in
//! double quotes and over a here-document up to `END`; what follows is what it says. In that, `…` stands for whatever comes, alone on its line
//! for any lines, and a line that ends with `# for example` for any line; runs of spaces are one space. Where nothing is
//! shown nothing is compared. `^C` ends the node.

use regex::Regex;

/// One command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The line of the page, from 1.
    pub line: usize,
    pub command: String,
    pub shown: Vec<String>,
}

impl Step {
    fn new(line: usize, command: &str) -> Self {
        Self {
            line,
            command: command.to_owned(),
            shown: Vec::new(),
        }
    }

    fn goes_on(&self) -> bool {
        if self.command.contains("<<'END'") {
            return !self.command.ends_with("\nEND");
        }
        let in_quotes = self.command.matches('"').count() % 2 == 1;
        in_quotes || self.command.ends_with('\\')
    }

    fn take(&mut self, line: &str) {
        if self.goes_on() {
            self.command.push('\n');
            self.command.push_str(line);
        } else {
            self.shown.push(line.to_owned());
        }
    }

    /// Whether the page shows that it fails.
    pub fn fails(&self) -> bool {
        self.shown.iter().any(|line| line.starts_with("error:"))
    }

    /// Whether this is what the page shows.
    pub fn matches(&self, said: &str) -> bool {
        let lines: String = self.shown.iter().map(|line| pattern(line)).collect();
        let whole = Regex::new(&format!(r"\A{lines}\z")).unwrap();
        self.shown.is_empty() || whole.is_match(&squeezed(said))
    }
}

/// Every step of a page, in its order.
pub fn of(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (at, line) in page.lines().enumerate() {
        match (inside, line) {
            (false, _) => inside = line == "```console",
            (true, "```") => inside = false,
            (true, "^C") => steps.push(Step::new(at + 1, line)),
            (true, _) => match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step::new(at + 1, command)),
                None => steps.last_mut().expect("a command first").take(line),
            },
        }
    }
    steps
}

fn pattern(line: &str) -> String {
    match line.trim() {
        "…" => r"(?:.*\n)*?".to_owned(),
        example if example.ends_with("  # for example") => r".+\n".to_owned(),
        _ => regex::escape(squeezed(line).trim_end()).replace('…', ".*") + "\n",
    }
}

/// Columns are as wide as their widest cell, which the page need not show; and not every program ends its last line.
fn squeezed(text: &str) -> String {
    let lines = text.trim_end().lines().map(|line| {
        let words: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
        words.join(" ")
    });
    lines.map(|line| line + "\n").collect()
}

#[test]
fn a_page_is_read() {
    let page = "Words\n```console\n$ one \\\n  two\nsaid\n\n$ cat <<'END'\n$x\nEND\n^C\n```\n$ no\n```sh\n$ no\n```\n";
    let steps: Vec<_> = of(page)
        .into_iter()
        .map(|step| (step.line, step.command, step.shown.join("|")))
        .collect();
    let row = |line, command: &str, shown: &str| (line, command.to_owned(), shown.to_owned());
    assert_eq!(
        steps,
        [
            row(3, "one \\\n  two", "said|"),
            row(7, "cat <<'END'\n$x\nEND", ""),
            row(10, "^C", ""),
        ]
    );
}

#[test]
fn what_is_shown_is_compared() {
    for (shown, said, same) in [
        ("", "anything\n", true),
        ("a b", "a    b\n", true),
        ("a b", "a b\nc\n", false),
        ("a\n\nb", "a\n\nb", true),
        ("paid … AIGEN", "paid 0.5 AIGEN\n", true),
        ("paid … AIGEN", "paid 0.5 EUR\n", false),
        ("first\n…\nlast", "first\nx\ny\nlast\n", true),
        ("first\n…\nlast", "first\nlast\n", true),
        ("first\n…\nlast", "first\nx\n", false),
        ("1.0", "1x0\n", false),
        ("Hi!  # for example", "Good day!\n", true),
        ("Hi!  # for example", "\n", false),
    ] {
        let mut step = Step::new(1, "x");
        step.shown = shown.lines().map(str::to_owned).collect();
        assert_eq!(step.matches(said), same, "{shown} | {said}");
    }
}
