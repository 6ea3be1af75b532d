use futures::future::BoxFuture;

/// What a controller asks of the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Calls a tool.
    Tool {
        /// Its name.
        name: String,
        /// Its arguments, as JSON.
        arguments: String,
    },
    /// Reads a page.
    Http {
        /// Its address.
        url: String,
    },
    /// Reads rows of a dataset.
    Dataset {
        /// Its name.
        dataset: String,
        /// What is looked for.
        query: String,
        /// Rows, at most.
        limit: u32,
    },
    /// Asks a model.
    Complete {
        /// Its name.
        model: String,
        /// OpenAI's messages, as JSON.
        messages: String,
        /// OpenAI's other parameters, as JSON.
        options: String,
    },
}

/// What the outside answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a tool and a model.
    Text(String),
    /// To a page.
    Page {
        /// HTTP's status.
        status: u16,
        /// What it holds.
        body: Vec<u8>,
    },
    /// To a dataset.
    Rows(Vec<String>),
}

/// Why the outside does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutsideError {
    /// The manifest does not ask for it, or the operator does not grant it.
    Denied(String),
    /// A budget is used up.
    Limit(String),
    /// There is nobody to ask.
    Unavailable(String),
}

/// The outside of one controller: it decides what is granted, meters it, and logs it.
pub trait Outside: Send + Sync {
    /// Answers. Dropped when the request ends.
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, OutsideError>>;
}

/// Denies everything.
pub struct NoOutside;

impl Outside for NoOutside {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, OutsideError>> {
        let what = match ask {
            Ask::Tool { .. } => "tools",
            Ask::Http { .. } => "pages",
            Ask::Dataset { .. } => "datasets",
            Ask::Complete { .. } => "other models",
        };
        let denied = OutsideError::Denied(format!("this controller may not ask {what}"));
        Box::pin(std::future::ready(Err(denied)))
    }
}
