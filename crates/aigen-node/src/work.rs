//! What computes a call: a session on an engine of this process, or somebody else's server.

use crate::error::NodeError;
use crate::remote::{Asking, Counting, Measured};
use crate::replays::Again;
use aigen_engine::EngineHandle;
use aigen_engine::text::{Answering, Asked, TextControl};
use aigen_jarvis::{
    Ending, Event, Finish, OnEvent, SessionHandle, SessionRequest, Unstarted, start_several,
};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

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
        /// For each prompt one for each of its answers, of which all have as many.
        prompts: Vec<Vec<SessionRequest>>,
    },
    Remote(Box<Asking>),
}

/// Why nobody computes it, and what opening its controllers came to.
pub(crate) struct Unbegun {
    pub error: NodeError,
    pub ending: Box<Ending>,
}

impl Unbegun {
    fn crashed() -> Self {
        Self::of(Box::new(Ending::crashed()))
    }

    /// A controller failed while it opened.
    pub fn of(ending: Box<Ending>) -> Self {
        let error = match &ending.finish {
            Finish::Fault(fault) => NodeError::unopened(fault.clone()),
            _ => NodeError::ShuttingDown,
        };
        Self { error, ending }
    }
}

impl From<Unstarted> for Unbegun {
    fn from(unstarted: Unstarted) -> Self {
        let Unstarted { error, ending } = unstarted;
        let error = error.into();
        Self { error, ending }
    }
}

/// One that somebody does.
pub(crate) enum Ongoing {
    /// One for each prompt.
    Embedded(Vec<SessionHandle>),
    Remote {
        control: Box<dyn TextControl>,
        /// What reads the answer, until all of it is read.
        answering: Option<Answering>,
    },
}

impl Work {
    /// How many answers there will be.
    pub fn choices(&self) -> usize {
        match self {
            Self::Embedded { prompts, .. } => prompts.iter().map(Vec::len).sum(),
            Self::Remote(_) => 1,
        }
    }

    /// How many of them share a prompt.
    pub fn choices_each(&self) -> usize {
        match self {
            Self::Embedded { prompts, .. } => prompts.first().map_or(1, Vec::len),
            Self::Remote(_) => 1,
        }
    }

    /// Whether it may wait in a line of this process first. An upstream's has bounds of its own.
    pub fn is_queued(&self) -> bool {
        matches!(self, Self::Embedded { .. })
    }

    /// Who counts, as long as nothing else is heard of it.
    pub fn counting(&self) -> Counting {
        match self {
            Self::Embedded { .. } => Counting::Exact,
            Self::Remote(_) => Counting::UNHEARD,
        }
    }

    /// What runs it again, where it asked for that and has one answer.
    pub fn again(&self) -> Option<Again> {
        match self {
            Self::Embedded { engine, prompts } => {
                let mut sessions = prompts.iter().flatten();
                match (sessions.next(), sessions.next()) {
                    (Some(session), None) if session.log => Some(Again {
                        program: session.program.clone(),
                        tokenizer: engine.tokenizer(),
                    }),
                    _ => None,
                }
            }
            Self::Remote(_) => None,
        }
    }

    /// Begins. Everything is told to `tell`, an [`Event::Finished`] last for each answer; nothing if it is refused.
    /// Controllers that open are not waited for once `recall` is cancelled.
    pub async fn start(
        self,
        tell: UnboundedSender<Told>,
        recall: CancellationToken,
    ) -> Result<Ongoing, Unbegun> {
        match self {
            Self::Embedded { engine, prompts } => {
                let heard = |choice: u32| -> OnEvent {
                    let tell = tell.clone();
                    Box::new(move |event| {
                        let _ = tell.send(Told::Event(choice, event));
                    })
                };
                let mut choices = 0..;
                let mut numbered = |session| Some((session, heard(choices.next()?)));
                let prompts = prompts.into_iter();
                let prompts =
                    prompts.map(|one| one.into_iter().filter_map(&mut numbered).collect());
                let prompts: Vec<Vec<_>> = prompts.collect();
                // A guest that opens computes for up to half a second, off the async threads.
                let start = move || start_several(&engine, prompts, &recall);
                let started = tokio::task::spawn_blocking(start).await;
                Ok(Ongoing::Embedded(started.map_err(|_| Unbegun::crashed())??))
            }
            Self::Remote(asking) => {
                let Asked { control, answering } = asking.start(tell, recall).await?;
                let answering = Some(answering);
                Ok(Ongoing::Remote { control, answering })
            }
        }
    }
}

impl Ongoing {
    /// What is told next. Whoever waits for it reads the answer of an upstream.
    pub async fn hear(&mut self, told: &mut UnboundedReceiver<Told>) -> Option<Told> {
        poll_fn(|waiting| {
            if let Ok(next) = told.try_recv() {
                return Poll::Ready(Some(next));
            }
            match self.read(waiting) {
                // All that is told meanwhile is told by reading: who does that need not be woken for it.
                Poll::Pending => told
                    .try_recv()
                    .map_or(Poll::Pending, |next| Poll::Ready(Some(next))),
                Poll::Ready(()) => told.poll_recv(waiting),
            }
        })
        .await
    }

    /// Reads on; ready where nothing is read here.
    fn read(&mut self, waiting: &mut Context<'_>) -> Poll<()> {
        let Self::Remote { answering, .. } = self else {
            return Poll::Ready(());
        };
        if let Some(reading) = answering {
            ready!(reading.as_mut().poll(waiting));
            *answering = None;
        }
        Poll::Ready(())
    }

    /// Whether it may wait in a line of this process first. An upstream's has bounds of its own.
    pub fn is_queued(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }

    /// Nobody reads any more.
    pub fn hang_up(&self) {
        match self {
            Self::Embedded(sessions) => sessions.iter().for_each(SessionHandle::cancel),
            Self::Remote { control, .. } => control.hang_up(),
        }
    }

    /// It has to end, if it has not begun by now.
    pub fn withdraw(&self) {
        match self {
            Self::Embedded(sessions) => SessionHandle::withdraw(sessions),
            // Nobody waits there in a line of this process.
            Self::Remote { .. } => {}
        }
    }

    /// It has to end.
    pub fn cancel(&self) {
        match self {
            Self::Embedded(sessions) => sessions.iter().for_each(SessionHandle::cancel),
            Self::Remote { control, .. } => control.cancel(),
        }
    }
}
