use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use aigen_engine::SessionControl;

/// How many output tokens the caller's holds pay for, shared between whoever
/// holds the money and the session that spends it.
///
/// A token counts when it is computed: sampled, forced or discarded. At the
/// covered token the session waits, without a forward pass, until the cover is
/// extended or closed. One cover belongs to one session.
#[derive(Clone)]
pub struct Cover(Arc<Mutex<State>>);

struct State {
    tokens: u64,
    closed: bool,
    /// Tokens that the session waits for, or once did.
    wanted: u64,
    /// Whoever is to hear of that.
    payer: Option<Waker>,
    session: Option<SessionControl>,
}

/// Whether a number of output tokens is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covered {
    Yes,
    /// Not yet: more cover may come.
    NotYet,
    /// Never: the extension was refused.
    Never,
}

impl Cover {
    /// Covers the first `tokens` output tokens.
    #[must_use]
    pub fn new(tokens: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            tokens,
            closed: false,
            wanted: 0,
            payer: None,
            session: None,
        })))
    }

    /// Covers everything.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Covers the first `tokens` output tokens; a smaller number than before
    /// changes nothing. Wakes the session if it waits.
    pub fn extend_to(&self, tokens: u64) {
        let mut state = self.lock();
        state.tokens = state.tokens.max(tokens);
        state.wake();
    }

    /// No more cover will come: the session stops exactly at the covered token,
    /// with [`crate::Finish::Budget`].
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.wake();
    }

    /// The output tokens covered so far.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.lock().tokens
    }

    /// Waits until the session waits for more tokens than are covered, and says for how many. One waits at a
    /// time. How many branches need how many at once only the session knows.
    pub async fn wanted(&self) -> u64 {
        let poll = |context: &mut std::task::Context<'_>| {
            let mut state = self.lock();
            if state.wanted > state.tokens && !state.closed {
                return Poll::Ready(state.wanted);
            }
            state.payer = Some(context.waker().clone());
            Poll::Pending
        };
        poll_fn(poll).await
    }

    /// The covered tokens, once it is known that there will be no more.
    pub(crate) fn closed_at(&self) -> Option<u64> {
        let state = self.lock();
        state.closed.then_some(state.tokens)
    }

    pub(crate) fn covers(&self, tokens: u64) -> Covered {
        let mut state = self.lock();
        match (tokens <= state.tokens, state.closed) {
            (true, _) => Covered::Yes,
            (false, false) => {
                state.wanted = state.wanted.max(tokens);
                if let Some(payer) = state.payer.take() {
                    payer.wake();
                }
                Covered::NotYet
            }
            (false, true) => Covered::Never,
        }
    }

    /// Ties the cover to the session it wakes. The session may have begun to
    /// wait before, so it is woken once.
    pub(crate) fn attach(&self, session: SessionControl) {
        let mut state = self.lock();
        state.session = Some(session);
        state.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every write leaves the state whole, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&self) {
        if let Some(session) = &self.session {
            session.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn wanted(cover: &Cover) -> Option<u64> {
        let mut context = std::task::Context::from_waker(Waker::noop());
        match pin!(cover.wanted()).poll(&mut context) {
            Poll::Ready(tokens) => Some(tokens),
            Poll::Pending => None,
        }
    }

    #[test]
    fn it_says_what_the_session_waits_for() {
        let cover = Cover::new(2);
        assert_eq!(cover.covers(2), Covered::Yes);
        assert_eq!(wanted(&cover), None, "nobody waits");
        assert_eq!(cover.covers(5), Covered::NotYet);
        assert_eq!(wanted(&cover), Some(5));
        cover.extend_to(4);
        assert_eq!(wanted(&cover), Some(5), "it is still too little");
        cover.extend_to(5);
        assert_eq!(wanted(&cover), None);
        assert_eq!(cover.covers(6), Covered::NotYet);
        cover.close();
        assert_eq!(wanted(&cover), None, "no more will come");
    }
}
