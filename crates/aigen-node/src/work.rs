//! What computes a call: a session on an engine of this process, or somebody else's server.

use crate::error::NodeError;
use crate::remote::{Asking, Measured};
use crate::replays::Again;
use aigen_engine::EngineHandle;
use aigen_engine::text::TextControl;
use aigen_jarvis::{Event, Fault, OnEvent, SessionHandle, SessionRequest, start_several};
use tokio::sync::mpsc::UnboundedSender;

/// What a meter hears.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of it are events: a box for each token costs more than the room"
)]
pub(crate) enum Told {
    /// What the session of an answer tells.
    Event(u32, Event),
    /// What is known of a prompt that was not counted here; the last word counts.
    Measured(Measured),
}

/// A call that nobody computes yet.
pub(crate) enum Work {
    Embedded {
        engine: EngineHandle,
        /// One for each answer.
        sessions: Vec<SessionRequest>,
    },
    Remote(Box<Asking>),
}

/// One that somebody does.
pub(crate) enum Ongoing {
    Embedded(SessionHandle),
    Remote(Box<dyn TextControl>),
}

impl Work {
    /// How many answers there will be.
    pub fn choices(&self) -> usize {
        match self {
            Self::Embedded { sessions, .. } => sessions.len(),
            Self::Remote(_) => 1,
        }
    }

    /// What runs it again, where it asked for that and has one answer.
    pub fn again(&self) -> Option<Again> {
        match self {
            Self::Embedded { engine, sessions } => match sessions.as_slice() {
                [session] if session.log => Some(Again {
                    program: session.program.clone(),
                    tokenizer: engine.tokenizer(),
                }),
                _ => None,
            },
            Self::Remote(_) => None,
        }
    }

    /// Begins. Everything is told to `tell`, an [`Event::Finished`] last for each answer; nothing if it is refused.
    pub async fn start(self, tell: UnboundedSender<Told>) -> Result<Ongoing, NodeError> {
        match self {
            Self::Embedded { engine, sessions } => {
                let heard = |choice: u32| -> OnEvent {
                    let tell = tell.clone();
                    Box::new(move |event| {
                        let _ = tell.send(Told::Event(choice, event));
                    })
                };
                let sessions = (0..).zip(sessions);
                let sessions = sessions.map(|(choice, session)| (session, heard(choice)));
                let sessions: Vec<_> = sessions.collect();
                // A guest that opens computes for up to half a second, off the async threads.
                let start = move || start_several(&engine, sessions);
                let started = tokio::task::spawn_blocking(start).await;
                let started = started.unwrap_or_else(|_| Err(Fault::Crashed.into()));
                Ok(Ongoing::Embedded(started?))
            }
            Self::Remote(asking) => Ok(Ongoing::Remote(asking.start(tell).await?)),
        }
    }
}

impl Ongoing {
    /// Whether it may wait in a line of this process first. An upstream's has bounds of its own.
    pub fn is_queued(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }

    /// Nobody reads any more.
    pub fn hang_up(&self) {
        match self {
            Self::Embedded(session) => session.cancel(),
            Self::Remote(control) => control.hang_up(),
        }
    }

    /// It has to end.
    pub fn cancel(&self) {
        match self {
            Self::Embedded(session) => session.cancel(),
            Self::Remote(control) => control.cancel(),
        }
    }
}
