use crate::limits::AT_ONCE;
use crate::{AiError, Backend, Call};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use std::future::IntoFuture;

/// Calls of one function, some at a time. Awaiting makes them.
#[must_use = "calls are made when they are awaited"]
pub struct Calls<'a, T> {
    calls: Vec<Call<'a, T>>,
    at_once: usize,
}

impl<'a, T: Send + 'a> Calls<'a, T> {
    /// How many are under way at once; 8 otherwise.
    pub fn concurrency(self, at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { at_once, ..self }
    }

    /// See [`Call::on`].
    pub fn on(self, backend: &'a dyn Backend) -> Self {
        let calls = self.calls.into_iter().map(|call| call.on(backend));
        Self {
            calls: calls.collect(),
            ..self
        }
    }
}

impl<'a, T> FromIterator<Call<'a, T>> for Calls<'a, T> {
    fn from_iter<I: IntoIterator<Item = Call<'a, T>>>(calls: I) -> Self {
        Self {
            calls: calls.into_iter().collect(),
            at_once: AT_ONCE,
        }
    }
}

/// Each call's own answer, in their order: one that fails does not stop the others.
impl<'a, T: Send + 'a> IntoFuture for Calls<'a, T> {
    type Output = Vec<Result<T, AiError>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let calls = stream::iter(self.calls.into_iter().map(IntoFuture::into_future));
        Box::pin(calls.buffered(self.at_once).collect())
    }
}
