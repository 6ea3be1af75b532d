use std::fmt;

use super::pattern;

/// Why a program could not be compiled: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
    /// The place in the source, the name of the hole, or the bound.
    pub at: Option<String>,
    /// What would help.
    pub hint: Option<String>,
    /// Whose matter it is.
    pub kind: CompileErrorKind,
}

/// Whose matter it is that something does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileErrorKind {
    /// Its author's: it is no grammar, or asks for what cannot be enforced. Found out at once.
    Invalid,
    /// Its author's: it costs more time or memory than a grammar may. A controller that had it
    /// compiled ends with [`crate::Fault::GrammarTooCostly`].
    TooCostly,
    /// Nobody's: others compile, and it would have had to wait for too long.
    Busy,
}

impl CompileError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            at: None,
            hint: None,
            kind: CompileErrorKind::Invalid,
        }
    }

    pub(crate) fn of(mut self, kind: CompileErrorKind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.at = Some(place.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Refuses what is longer than its bound.
    pub(crate) fn too_long(what: &str, bytes: usize, max: usize) -> Result<(), Self> {
        if bytes <= max {
            return Ok(());
        }
        Err(Self::new(format!(
            "{what} has {bytes} bytes, and {max} is the most"
        )))
    }

    /// The hole whose data does not compile, if that is known.
    #[must_use]
    pub fn hole(&self) -> Option<&str> {
        let place = self.at.as_deref()?.strip_prefix("hole `")?;
        place.split_once('`').map(|(hole, _)| hole)
    }

    /// Reads llguidance's message, whose first line may begin with `at 3(14): `. The lines behind it show the
    /// source, but for a regular expression: those say what is wrong with it.
    pub(crate) fn from_llguidance(message: &str) -> Self {
        let line = message.lines().next().unwrap_or("it cannot be compiled");
        let (at, what) = match line
            .strip_prefix("at ")
            .and_then(|rest| rest.split_once(": "))
        {
            Some((place, what)) => (Some(position(place)), what),
            None => (None, line),
        };
        let (at, what) = match pattern::read(message) {
            None => (at, what.to_owned()),
            Some((what, within)) => {
                let places: Vec<_> = at.into_iter().chain(within).collect();
                let at = (!places.is_empty()).then(|| places.join("; in the expression "));
                (at, what)
            }
        };
        // The one message of llguidance's that names a state instead of a reason.
        let what = what.replace("NoExtensionBias", "the grammar allows no text at all");
        let what: String = what.chars().take(MESSAGE_CHARS_MAX).collect();
        if let Some((_, ours, way_out)) = OPTIONS.iter().find(|(said, ..)| what.contains(said)) {
            return Self {
                at,
                ..Self::new(*ours).hint(*way_out)
            };
        }
        // What its author is advised there is not what helps most often.
        let what = what.split("; consider making").next().unwrap_or(&what);
        let error = Self {
            at,
            ..Self::new(what)
        };
        match is_costly(line) {
            true => error
                .of(CompileErrorKind::TooCostly)
                .hint("make the grammar smaller: fewer alternatives, smaller repetitions"),
            false => error,
        }
    }
}

/// What llguidance advises to switch on, and nobody here can: its words, ours, and a way out.
const OPTIONS: [(&str, &str, &str); 2] = [
    (
        "'coerce_one_of'",
        "`oneOf` of alternatives that may overlap cannot be enforced",
        "write `anyOf`, or alternatives that no value satisfies two of",
    ),
    (
        "without 'referencing' feature",
        "a `$ref` leads out of the schema, and nothing is fetched",
        "put what it names below `$defs`, and write `#/$defs/NAME`",
    ),
];

/// Whether llguidance's message says that one of its bounds was reached, which it has no other
/// word for.
pub(super) fn is_costly(message: &str) -> bool {
    BOUNDS.iter().any(|bound| message.contains(bound))
}

/// What it says then.
const BOUNDS: [&str; 10] = [
    "too big (limit for this grammar",
    "schema too large",
    "Unable to determine if regex is empty",
    "intersection stack level exceeded",
    "fuel exhausted",
    "lexer precomputation failed",
    "too many expressions constructed",
    "too many states",
    "items; max is",
    "many items (limit",
];

/// Longer messages repeat the source.
const MESSAGE_CHARS_MAX: usize = 300;

/// `3(14)` in words.
fn position(place: &str) -> String {
    match place
        .strip_suffix(')')
        .and_then(|place| place.split_once('('))
    {
        Some((line, column)) => format!("line {line}, column {column}"),
        None => place.to_owned(),
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(at) = &self.at {
            write!(f, " (at {at})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CompileError {}

#[cfg(test)]
mod tests;
