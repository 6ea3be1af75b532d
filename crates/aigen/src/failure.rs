//! Errors for people: what failed, why, and a way out.
//!
//! Any text in an error's chain may end in a line that begins with `hint:`; those lines are
//! gathered and printed last, whoever wrote them: this binary, the journal or a node far away.

use anyhow::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::process::ExitCode;

/// An error with a way out.
pub fn hinted(message: impl Display, hint: impl Display) -> Error {
    Error::msg(Hinted::new(message, hint))
}

/// A transport's long chain of causes comes down to its last one.
pub fn root_cause(error: Error) -> String {
    error.root_cause().to_string()
}

/// Adds what failed and a way out to an error.
pub trait OrHint<T> {
    /// `message` becomes the error, the one before it its cause.
    fn or_hint(self, message: impl Display, hint: impl Display) -> anyhow::Result<T>;
}

impl<T, E: Into<Error>> OrHint<T> for Result<T, E> {
    fn or_hint(self, message: impl Display, hint: impl Display) -> anyhow::Result<T> {
        self.map_err(|error| error.into().context(Hinted::new(message, hint)))
    }
}

#[derive(Debug)]
struct Hinted(String);

impl Hinted {
    fn new(message: impl Display, hint: impl Display) -> Self {
        Self(format!("{message}\nhint: {hint}"))
    }
}

impl Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a failure cost all the same: an error's last cause.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Charged {
    /// In AIGEN.
    pub cost: String,
    /// Where it is accounted for.
    pub receipt: String,
}

impl Display for Charged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} AIGEN, receipt {}]", self.cost, self.receipt)
    }
}

impl std::error::Error for Charged {}

/// An error's chain, taken apart.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
struct Report {
    /// What failed, then why, outermost first.
    messages: Vec<String>,
    /// What it cost.
    #[serde(flatten)]
    charged: Option<Charged>,
    /// What to do next.
    hints: Vec<String>,
}

impl Report {
    fn of(error: &Error) -> Self {
        let mut report = Self::default();
        for cause in error.chain() {
            match cause.downcast_ref::<Charged>() {
                Some(charged) => report.charged = Some(charged.clone()),
                None => report.add(&cause.to_string()),
            }
        }
        report
    }

    /// clap ends with the usage and a pointer to help, and may have tips between.
    fn of_usage(said: &str) -> Self {
        let mut report = Self::default();
        let paragraphs = said.split("\n\n").map(str::trim);
        for paragraph in paragraphs.filter(|paragraph| !paragraph.is_empty()) {
            let begins = ["tip: ", "Usage: ", "For more information, "];
            let is_hint = begins.iter().any(|begin| paragraph.starts_with(begin));
            match is_hint {
                true => report.hints.extend(hints_of(paragraph)),
                false => {
                    let message = paragraph.strip_prefix("error: ").unwrap_or(paragraph);
                    report.messages.push(message.to_owned());
                }
            }
        }
        report
    }

    fn add(&mut self, text: &str) {
        let mut message = Vec::new();
        // Where a message may have one line only, the way out stands behind it.
        let text = text.replace("; hint: ", "\nhint: ");
        for line in text.lines() {
            match line.trim_start().strip_prefix("hint: ") {
                Some(hint) if self.hints.iter().any(|known| known == hint) => {}
                Some(hint) => self.hints.push(hint.to_owned()),
                None => message.push(line),
            }
        }
        let message = message.join("\n");
        // Many libraries repeat their cause in their own text; once is enough.
        let told = self
            .messages
            .last()
            .is_some_and(|last| last.contains(&message));
        if !told {
            self.messages.push(message);
        }
    }
}

/// A tip a line; what else clap says is one.
fn hints_of(paragraph: &str) -> Vec<String> {
    match paragraph.starts_with("tip: ") {
        true => {
            let tips = paragraph.lines().map(str::trim);
            tips.map(|tip| tip.strip_prefix("tip: ").unwrap_or(tip).to_owned())
                .collect()
        }
        false => vec![paragraph.to_owned()],
    }
}

/// Whole sentences, one per line.
impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, message) in self.messages.iter().enumerate() {
            let label = if index == 0 { "error" } else { "  because" };
            writeln!(f, "{label}: {message}")?;
        }
        if let Some(charged) = &self.charged {
            writeln!(f, "{charged}")?;
        }
        self.hints
            .iter()
            .try_for_each(|hint| writeln!(f, "hint: {hint}"))
    }
}

/// Prints an error to stderr, as one JSON line if that was asked for. A reader that closed our
/// output early (`aigen … | head`) has what it wanted: that is no error.
pub fn report(error: &Error, json: bool) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitCode::SUCCESS;
    }
    let report = Report::of(error);
    let text = if json {
        format!("{}\n", serde_json::json!({ "error": report }))
    } else {
        report.to_string()
    };
    // Nobody is left to tell if stderr is gone too.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

/// Prints wrong usage to stderr as one JSON line: what clap words for people, taken apart.
pub fn misused(said: &str) {
    let report = Report::of_usage(said);
    let text = format!("{}\n", serde_json::json!({ "error": report }));
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What failed, and what to do next, each in one line: for the log.
pub fn told(error: &Error) -> (String, String) {
    let Report {
        messages, hints, ..
    } = Report::of(error);
    (messages.join(": "), hints.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(error: &Error) -> String {
        Report::of(error).to_string()
    }

    #[test]
    fn what_then_why_then_the_way_out() {
        let cause = io::Error::other("permission denied");
        let error = Err::<(), _>(cause).or_hint("cannot write x", "choose another folder");
        assert_eq!(
            printed(&error.unwrap_err()),
            "error: cannot write x\n  because: permission denied\nhint: choose another folder\n"
        );
    }

    #[test]
    fn what_a_failure_cost_stands_before_the_way_out() {
        let charged = Charged {
            cost: "0.1".into(),
            receipt: "5f".into(),
        };
        let error = Error::new(charged).context("it was ended; hint: look");
        assert_eq!(
            printed(&error),
            "error: it was ended\n[0.1 AIGEN, receipt 5f]\nhint: look\n"
        );
        let json = serde_json::to_value(Report::of(&error)).unwrap();
        assert_eq!(
            (&json["cost"], &json["receipt"]),
            (&"0.1".into(), &"5f".into())
        );
        let free = serde_json::to_value(Report::of(&Error::msg("no"))).unwrap();
        assert_eq!(free, serde_json::json!({"messages": ["no"], "hints": []}));
    }

    #[test]
    fn a_cause_told_twice_is_printed_once() {
        let error = Error::msg("disk full").context("cannot write: disk full");
        assert_eq!(printed(&error), "error: cannot write: disk full\n");
    }

    #[test]
    fn hints_of_every_layer_come_last_and_once() {
        let inner = hinted("record 7 is damaged", "restore a backup");
        let error = inner.context("cannot open the journal\n  hint: restore a backup");
        assert_eq!(
            printed(&error),
            "error: cannot open the journal\n  because: record 7 is damaged\nhint: restore a backup\n"
        );
    }
}
