use std::fmt;

/// Why bytes are no controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentError {
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
    /// What would help.
    pub hint: Option<&'static str>,
}

impl ComponentError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        let what = what.into();
        Self { what, hint: None }
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        let hint = Some(hint);
        Self { hint, ..self }
    }
}

impl fmt::Display for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.hint.map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

impl std::error::Error for ComponentError {}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// WebAssembly cannot be run on this machine.
    #[error("WebAssembly cannot be run here: {reason}")]
    Engine {
        /// Why.
        reason: String,
    },
    /// A thread could not be started.
    #[error("a thread of the controllers' host could not be started")]
    Thread(#[source] std::io::Error),
}
