//! The branches of a controller on a model elsewhere: a request for each, side by side, and a last word once
//! all of them are answered. What any of them used is charged, as that of a branch is that was not kept.

use super::{Asking, Counting, Listener, Measured};
use crate::work::Told;
use aigen_engine::EngineError;
use aigen_engine::text::{TextControl, TextFault, TextFinish, TextRequest};
use aigen_jarvis::{BranchId, Ending, Event, Fault, Finish, Piece, TextSaid, TextSession, Usage};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

/// Who waits for all of them.
pub(super) struct Joined {
    tell: UnboundedSender<Told>,
    state: Mutex<State>,
    /// Ends the requests that were begun.
    controls: Mutex<Vec<Arc<dyn TextControl>>>,
    /// Where the last word is said: whoever tells of an answer must not be held up.
    runtime: Handle,
}

struct State {
    session: Option<TextSession>,
    requests: Vec<Request>,
    /// One of them failed: there is no answer, whatever the others say.
    failed: bool,
}

struct Request {
    branch: BranchId,
    measured: Option<Measured>,
    came: Option<Came>,
}

/// What came of a request.
pub(super) struct Came {
    pub text: String,
    pub finish: Result<TextFinish, TextFault>,
    pub logprob: Option<f32>,
    /// Output tokens.
    pub output: u64,
}

/// Which of the requests a listener hears.
#[derive(Clone)]
pub(super) struct Part {
    joined: Arc<Joined>,
    at: usize,
}

/// Asks all of them.
pub(super) fn start(
    asking: &Asking,
    session: TextSession,
    requests: Vec<(BranchId, TextRequest)>,
    tell: UnboundedSender<Told>,
) -> Box<dyn TextControl> {
    let begin = |branch: &BranchId| Request {
        branch: *branch,
        measured: None,
        came: None,
    };
    let joined = Arc::new(Joined {
        tell: tell.clone(),
        state: Mutex::new(State {
            session: Some(session),
            requests: requests.iter().map(|(branch, _)| begin(branch)).collect(),
            failed: false,
        }),
        controls: Mutex::default(),
        runtime: Handle::current(),
    });
    for (at, (_, request)) in requests.into_iter().enumerate() {
        let joined = Arc::clone(&joined);
        let part = Part { joined, at };
        part.ask(asking, request, tell.clone());
    }
    Box::new(All(joined))
}

impl Part {
    fn ask(&self, asking: &Asking, request: TextRequest, tell: UnboundedSender<Told>) {
        if self.joined.state().failed {
            return self.came(Came::never());
        }
        let mut listener = Listener {
            part: Some(self.clone()),
            ..asking.listener(&request, tell)
        };
        let on_event = Box::new(move |event| listener.hear(event));
        let asked = asking.engine.start(request, on_event);
        self.joined.lock_controls().push(Arc::from(asked.control));
        self.joined.runtime.spawn(asked.answering);
        // Another one may have failed before this could be told of it.
        if self.joined.state().failed {
            self.joined.cancel();
        }
    }

    /// Tells how long the prompts of all of them are, as far as they were begun.
    pub fn measured(&self, measured: Measured) {
        let mut state = self.joined.state();
        state.requests[self.at].measured = Some(measured);
        let all = state.requests.iter().filter_map(|one| one.measured.clone());
        let sum = all.reduce(|sum, one| Measured {
            prompt: sum.prompt + one.prompt,
            cached: sum.cached + one.cached,
            counting: match sum.counting {
                Counting::Estimated(_) => sum.counting,
                _ => one.counting,
            },
        });
        drop(state);
        if let Some(sum) = sum {
            // A meter outlives the call that it meters.
            let _ = self.joined.tell.send(Told::Measured(sum));
        }
    }

    /// The last that comes of it.
    pub fn came(&self, came: Came) {
        let failed = came.finish.is_err();
        let mut state = self.joined.state();
        state.requests[self.at].came = Some(came);
        state.failed |= failed;
        let over = state.requests.iter().all(|one| one.came.is_some());
        let session = state.session.take_if(|_| over);
        let requests = match over {
            true => std::mem::take(&mut state.requests),
            false => Vec::new(),
        };
        drop(state);
        match session {
            Some(session) => self.joined.conclude(session, requests),
            None if failed => self.joined.cancel(),
            None => {}
        }
    }
}

impl Came {
    /// It was not even asked.
    fn never() -> Self {
        Self {
            text: String::new(),
            finish: Ok(TextFinish::Cancelled),
            logprob: None,
            output: 0,
        }
    }
}

impl Joined {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every write leaves the state whole, so a poisoned lock is still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_controls(&self) -> MutexGuard<'_, Vec<Arc<dyn TextControl>>> {
        self.controls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does this to every request. One that ends at once says so meanwhile, and finds no lock taken.
    fn each(&self, act: impl Fn(&dyn TextControl)) {
        let controls = self.lock_controls().clone();
        controls.iter().for_each(|control| act(&**control));
    }

    fn cancel(&self) {
        self.each(|control| control.cancel());
    }

    /// The controller has its last word, off the async threads: it may ask the outside for it.
    fn conclude(&self, session: TextSession, requests: Vec<Request>) {
        // Each of them may know of whoever listens, and so of this.
        self.lock_controls().clear();
        let tell = self.tell.clone();
        self.runtime.spawn_blocking(move || {
            let (text, ending) = last_word(session, &requests);
            let failed = matches!(ending.finish, Finish::Fault(_));
            let usage = usage(&requests, &ending);
            let text = if failed { String::new() } else { text };
            let piece = Piece {
                text: text.into(),
                // What was not kept is told in the end.
                usage: Usage {
                    discarded_tokens: 0,
                    unkept_tokens: 0,
                    ..usage
                },
                ..Piece::default()
            };
            // A meter outlives the call that it meters.
            let _ = tell.send(Told::Event(0, Event::Output(piece)));
            let ending = Ending { usage, ..ending };
            let _ = tell.send(Told::Event(0, Event::Finished(ending)));
        });
    }
}

fn last_word(session: TextSession, requests: &[Request]) -> (String, Ending) {
    let came = requests.iter().filter_map(|one| one.came.as_ref());
    let mut said = Vec::new();
    for came in came {
        match &came.finish {
            Ok(finish) => said.push(TextSaid {
                text: came.text.clone(),
                finish: *finish,
                logprob: came.logprob,
            }),
            Err(fault) => {
                let fault = Fault::Engine(EngineError::Upstream(fault.clone()));
                return (String::new(), session.fail(fault));
            }
        }
    }
    session.end(&said)
}

/// What the answer has is sampled, and what the other branches have is not kept.
fn usage(requests: &[Request], ending: &Ending) -> Usage {
    let output = |one: &Request| one.came.as_ref().map_or(0, |came| came.output);
    let all: u64 = requests.iter().map(output).sum();
    let kept = requests
        .iter()
        .find(|one| Some(one.branch) == ending.branch);
    let kept = kept.map_or(0, output);
    Usage {
        sampled_tokens: kept,
        discarded_tokens: all - kept,
        unkept_tokens: all - kept,
        branches: ending.usage.branches,
        ..Usage::default()
    }
}

/// Ends all of them.
struct All(Arc<Joined>);

impl TextControl for All {
    fn hang_up(&self) {
        self.0.each(|control| control.hang_up());
    }

    fn cancel(&self) {
        self.0.cancel();
    }
}
