use aigen_jarvis::{Answered, Ask, OutsideError};
use futures::future::BoxFuture;

/// The outside of one request: it decides what is granted, and asks whom it has to. What it
/// answers is metered and logged by the session.
pub trait Outside: Send + Sync {
    /// Answers. Dropped when the request ends.
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Answered>;
}

/// Denies everything.
pub struct NoOutside;

impl Outside for NoOutside {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Answered> {
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
