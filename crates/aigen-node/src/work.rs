//! What computes a call: a session on an engine of this process, or somebody else's server.

use crate::error::NodeError;
use crate::remote::{Asking, Measured};
use aigen_engine::EngineHandle;
use aigen_engine::text::TextControl;
use aigen_jarvis::{Event, SessionHandle, SessionRequest};
use tokio::sync::mpsc::UnboundedSender;

/// What a meter hears.
#[derive(Debug)]
pub(crate) enum Told {
    /// What a session tells.
    Event(Event),
    /// What is known of a prompt that was not counted here; the last word counts.
    Measured(Measured),
}

/// A call that nobody computes yet.
pub(crate) enum Work {
    Embedded {
        engine: EngineHandle,
        session: Box<SessionRequest>,
    },
    Remote(Asking),
}

/// One that somebody does.
pub(crate) enum Ongoing {
    Embedded(SessionHandle),
    Remote(Box<dyn TextControl>),
}

impl Work {
    /// Begins. Everything is told to `tell`, an [`Event::Finished`] last; nothing if it is refused.
    pub fn start(self, tell: UnboundedSender<Told>) -> Result<Ongoing, NodeError> {
        match self {
            Self::Embedded { engine, session } => {
                let on_event = Box::new(move |event| {
                    let _ = tell.send(Told::Event(event));
                });
                let session = aigen_jarvis::start(&engine, *session, on_event)?;
                Ok(Ongoing::Embedded(session))
            }
            Self::Remote(asking) => Ok(Ongoing::Remote(asking.start(tell))),
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
