//! Calls into the guest: each owns the store while it runs, so that it can go on on
//! another thread.

use aigen_jarvis::limits::BRANCHES_MAX;
use aigen_jarvis::{Decision, Fault, Guest as Cost};
use wasmtime::component::ResourceAny;
use wasmtime::{Store, Trap, UpdateDeadline};

use super::convert;
use crate::bindings::exports::aigen::controller::controller::{Request, Step};
use crate::bindings::{TokenController, TokenControllerPre};
use crate::limits::{LATE_FUEL, OPEN_TICKS_MAX, STEP_TICKS_MAX, TICK};
use crate::state::{NOBODY_WAITS, State};
use crate::ticker::{Overtime, TooLong};

/// A store and the instance in it.
pub(super) struct Running {
    pub store: Store<State>,
    instance: Option<TokenController>,
}

/// What a step says, and the copies of its state that a fork needs.
pub(super) enum Answer {
    Decision {
        decision: Decision,
        children: Vec<ResourceAny>,
    },
    /// Its last word.
    Outcome(String),
}

/// A kind of call, and its bounds.
#[derive(Clone, Copy)]
struct Bounds {
    /// Which, in the contract's words: faults say so.
    call: &'static str,
    fuel: u64,
    ticks: u64,
}

/// Has the ticker end calls that compute for too long: what fuel does not see, like copying
/// memory for ever. At its first tick a call leaves the scheduler's thread.
pub(super) fn watch(store: &mut Store<State>) {
    store.epoch_deadline_callback(|mut context| {
        context.data_mut().tick()?;
        Ok(UpdateDeadline::Yield(1))
    });
}

pub(super) async fn open(
    store: Store<State>,
    pre: TokenControllerPre<State>,
    request: Request,
) -> (Running, Result<ResourceAny, Fault>) {
    let mut running = Running {
        store,
        instance: None,
    };
    if running.store.data().context.is_recalled() {
        let reason = NOBODY_WAITS.to_owned();
        return (running, Err(Fault::Controller { reason }));
    }
    let bounds = running.open_bounds("one call of `open`");
    let began = match running.begin(0, bounds) {
        Ok(began) => began,
        Err(fault) => return (running, Err(fault)),
    };
    let outcome = async {
        // Before anything of the guest's runs, its bounds stand: a start function can loop.
        let instance = pre.instantiate_async(&mut running.store).await?;
        let guest = instance.aigen_controller_controller();
        let session = guest.session();
        let opened = session.call_open(&mut running.store, &request).await;
        running.instance = Some(instance);
        opened
    }
    .await;
    let outcome = running.end(began, bounds, outcome);
    (
        running,
        outcome.and_then(|said| said.map_err(convert::said)),
    )
}

pub(super) async fn step(
    mut running: Running,
    session: ResourceAny,
    step: Step,
) -> (Running, Result<Answer, Fault>) {
    running.store.data_mut().late = false;
    let answer = ask(&mut running, session, &step).await;
    (running, answer)
}

async fn ask(running: &mut Running, session: ResourceAny, step: &Step) -> Result<Answer, Fault> {
    let bounds = running.step_bounds("one call of `step`");
    let began = running.begin(step.branch, bounds)?;
    let (store, instance) = running.parts();
    let guest = instance.aigen_controller_controller();
    let said = guest.session().call_step(store, session, step).await;
    let said = running.end(began, bounds, said)?.map_err(convert::said)?;
    let decision = convert::decision(running.store.data(), said)?;
    let mut children = Vec::new();
    if let Decision::Fork(count) = decision {
        if count > BRANCHES_MAX {
            let (asked, left) = (count, BRANCHES_MAX);
            return Err(Fault::BranchesTooMany { asked, left });
        }
        for index in 1..=count {
            children.push(fork(running, session, step.branch, index).await?);
        }
    }
    Ok(Answer::Decision { decision, children })
}

/// Copies the state now, while nobody else is being asked.
async fn fork(
    running: &mut Running,
    session: ResourceAny,
    branch: u32,
    index: u32,
) -> Result<ResourceAny, Fault> {
    let bounds = running.step_bounds("one call of `fork`");
    let began = running.begin(branch, bounds)?;
    let (store, instance) = running.parts();
    let guest = instance.aigen_controller_controller();
    let said = guest.session().call_fork(store, session, index).await;
    running.end(began, bounds, said)?.map_err(convert::said)
}

pub(super) async fn prompt(
    mut running: Running,
    session: ResourceAny,
) -> (Running, Result<Option<Vec<u32>>, Fault>) {
    let bounds = running.open_bounds("one call of `prompt`");
    let prompt = async {
        let began = running.begin(0, bounds)?;
        let (store, instance) = running.parts();
        let guest = instance.aigen_controller_controller();
        let said = guest.session().call_prompt(store, session).await;
        running.end(began, bounds, said)?.map_err(convert::said)
    }
    .await;
    (running, prompt)
}

pub(super) async fn finish(
    mut running: Running,
    session: ResourceAny,
) -> (Running, Result<Answer, Fault>) {
    let bounds = running.step_bounds("one call of `finish`");
    running.store.data_mut().finishing = true;
    let outcome = async {
        let began = running.begin(running.store.data().branch, bounds)?;
        let (store, instance) = running.parts();
        let guest = instance.aigen_controller_controller();
        let said = guest.session().call_finish(store, session).await;
        running.end(began, bounds, said)
    }
    .await;
    // Nobody has to wait for a last word.
    running.store.data_mut().late = false;
    (running, outcome.map(Answer::Outcome))
}

/// When a call began, and with how much fuel.
struct Began {
    fuel: u64,
    at: std::time::Instant,
    host_calls: u64,
}

impl Running {
    fn parts(&mut self) -> (&mut Store<State>, &TokenController) {
        match &self.instance {
            Some(instance) => (&mut self.store, instance),
            None => unreachable!("a session that did not open is not asked"),
        }
    }

    fn open_bounds(&self, call: &'static str) -> Bounds {
        Bounds {
            call,
            fuel: self.store.data().settings.open_fuel,
            ticks: OPEN_TICKS_MAX,
        }
    }

    fn step_bounds(&self, call: &'static str) -> Bounds {
        Bounds {
            call,
            fuel: self.store.data().settings.step_fuel,
            ticks: STEP_TICKS_MAX,
        }
    }

    fn begin(&mut self, branch: u32, bounds: Bounds) -> Result<Began, Fault> {
        let state = self.store.data_mut();
        let fuel = bounds.fuel.min(state.fuel_left);
        state.branch = branch;
        state.call = bounds.call;
        state.host_fuel = 0;
        state.host_fuel_max = fuel;
        state.overtime = Overtime::new(bounds.ticks);
        let host_calls = state.host_calls;
        self.store
            .set_fuel(fuel)
            .map_err(|error| trap(bounds.call, &error))?;
        self.store.set_epoch_deadline(1);
        let at = std::time::Instant::now();
        Ok(Began {
            fuel,
            at,
            host_calls,
        })
    }

    /// Charges the call, and names what it did wrong.
    fn end<T>(
        &mut self,
        began: Began,
        bounds: Bounds,
        outcome: wasmtime::Result<T>,
    ) -> Result<T, Fault> {
        let left = self.store.get_fuel().unwrap_or(0);
        let state = self.store.data_mut();
        state.late |= began.fuel - left.min(began.fuel) > LATE_FUEL;
        let fuel = (began.fuel - left.min(began.fuel)).saturating_add(state.host_fuel);
        state.fuel_left = state.fuel_left.saturating_sub(fuel);
        state.context.charge(Cost {
            fuel,
            micros: u64::try_from(began.at.elapsed().as_micros()).unwrap_or(u64::MAX),
            host_calls: state.host_calls - began.host_calls,
        });
        // What was refused names the reason better than the trap it led to.
        if let Some(fault) = state.fault.take() {
            return Err(fault);
        }
        let error = match outcome {
            Ok(said) => return Ok(said),
            Err(error) => error,
        };
        if error.is::<TooLong>() {
            let millis = u64::try_from(TICK.as_millis()).unwrap_or(u64::MAX) * bounds.ticks;
            let call = bounds.call;
            return Err(Fault::TooSlow { call, millis });
        }
        if error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel) {
            let (max, what) = match began.fuel < bounds.fuel {
                true => (state.settings.request_fuel, "one request"),
                false => (bounds.fuel, bounds.call),
            };
            return Err(Fault::FuelExhausted { max, what });
        }
        Err(trap(bounds.call, &error))
    }
}

fn trap(call: &'static str, error: &wasmtime::Error) -> Fault {
    let reason = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    Fault::Trap { call, reason }
}
