//! One request: a store, an instance in it, and all branches by their handles.

mod call;
mod convert;
mod runner;

use std::sync::Arc;

use aigen_engine::TokenId;
use aigen_jarvis::{Controller, Fault, Opening, Report, Turn};
use futures::FutureExt;
use futures::executor::block_on;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use self::call::Answer;
use self::runner::{Progress, Runner};
use crate::Host;
use crate::bindings::TokenControllerPre;
use crate::bindings::exports::aigen::controller::controller::Step;
use crate::limits::SLICE_FUEL;
use crate::state::State;

/// Opens a session in a store of its own, on a thread of guests; blocks until it is done.
pub(crate) fn open(
    host: &Host,
    pre: &TokenControllerPre<State>,
    mut state: State,
    opening: &Opening<'_>,
) -> Result<Box<dyn Controller>, Fault> {
    state.ticking = host.0.ticker.want();
    if state.ticking.is_none() {
        let reason = "the host's ticker stands still, so nothing is started".to_owned();
        return Err(Fault::Controller { reason });
    }
    let mut store = Store::new(&host.0.engine, state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(crate::limits::HOST_CALL_BYTES_MAX);
    call::watch(&mut store);
    let broken = |error: wasmtime::Error| Fault::Controller {
        reason: format!("{error:#}"),
    };
    store
        .fuel_async_yield_interval(Some(SLICE_FUEL))
        .map_err(broken)?;
    let request = convert::request(opening);
    let opened = runner::elsewhere(&host.0.pool, call::open(store, pre.clone(), request));
    let (running, answer) = block_on(opened);
    let session = answer?;
    let hold = running.store.data().hold;
    let runner = Runner::new(running, opening.context.waker(), host.0.pool.clone());
    Ok(Box::new(Guest {
        runner: Arc::new(runner),
        session,
        hold,
        asked: None,
        children: Vec::new(),
        finishing: false,
    }))
}

/// One branch.
struct Guest {
    runner: Arc<Runner>,
    session: ResourceAny,
    hold: u32,
    /// What it was asked while another branch was being asked.
    asked: Option<Step>,
    /// Copies of its state for the fork it decided on.
    children: Vec<ResourceAny>,
    /// It was asked for its last word.
    finishing: bool,
}

impl Controller for Guest {
    fn prompt(&mut self) -> Result<Option<Vec<TokenId>>, Fault> {
        let session = self.session;
        let ask = |running| call::prompt(running, session).boxed();
        self.runner.elsewhere(ask).unwrap_or(Ok(None))
    }

    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        self.ask(convert::step(report))
    }

    fn poll(&mut self) -> Result<Turn, Fault> {
        match self.asked.take() {
            Some(step) => self.ask(step),
            None => {
                let progress = self.runner.poll(self.session);
                self.turn(progress)
            }
        }
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        let child = usize::try_from(index).ok().and_then(|index| {
            let session = self.children.get(index.checked_sub(1)?)?;
            Some(self.sibling(*session))
        });
        match child {
            Some(child) => Ok(Box::new(child)),
            None => Err(Fault::Controller {
                reason: "it did not fork so often".to_owned(),
            }),
        }
    }

    fn finish(&mut self) -> Option<Result<String, Fault>> {
        let session = self.session;
        let progress = match self.finishing {
            true => self.runner.poll(session),
            false => {
                let ask = |running| call::finish(running, session).boxed();
                self.runner.begin_last(session, ask)?
            }
        };
        self.finishing = true;
        match progress {
            Progress::Done(Ok(Answer::Outcome(outcome))) => Some(Ok(outcome)),
            Progress::Done(Ok(Answer::Decision { .. })) => Some(Err(Fault::Crashed)),
            Progress::Done(Err(fault)) => Some(Err(fault)),
            Progress::Late | Progress::Elsewhere => None,
        }
    }

    fn recall(&mut self) -> bool {
        self.runner.is_under_way(self.session)
    }

    fn reach(&self) -> u32 {
        self.hold
    }
}

impl Guest {
    fn sibling(&self, session: ResourceAny) -> Self {
        Self {
            runner: Arc::clone(&self.runner),
            session,
            hold: self.hold,
            asked: None,
            children: Vec::new(),
            finishing: false,
        }
    }

    fn ask(&mut self, step: Step) -> Result<Turn, Fault> {
        let session = self.session;
        let (branch, mut kept) = (session, Some(step));
        let progress = self.runner.begin(branch, |running| {
            let step = kept
                .take()
                .unwrap_or_else(|| unreachable!("it is called once"));
            call::step(running, session, step).boxed()
        });
        match progress {
            Some(progress) => self.turn(progress),
            None => {
                // Somebody else is being asked, which is nobody's fault.
                self.asked = kept;
                Ok(Turn::Outside)
            }
        }
    }

    fn turn(&mut self, progress: Progress) -> Result<Turn, Fault> {
        match progress {
            Progress::Late => Ok(Turn::Late),
            Progress::Elsewhere => Ok(Turn::Outside),
            Progress::Done(answer) => {
                let Answer::Decision { decision, children } = answer? else {
                    return Err(Fault::Crashed);
                };
                self.children = children;
                Ok(Turn::Ready(decision))
            }
        }
    }
}
