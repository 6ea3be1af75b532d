//! Tenants whose drivers took long are asked beside the scheduler's thread for a while, so that only
//! they wait.
//!
//! What a driver says does not depend on when it is asked, so that who is asked here decides nothing:
//! a branch whose driver is out misses passes, as one that waits does.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::branch::{Guarded, Panicked};
use super::handle::Command;
use super::memory::Tenant;
use super::steps::Cause;
use super::{Input, Start, Step};
use crate::Failure;
#[cfg(target_os = "linux")]
use crate::limits::ASIDE_NICENESS;
use crate::limits::{ASIDE_CALLS, ASIDE_TENANTS_MAX, ASIDE_THREADS};

/// The threads, and who is asked there.
pub(super) struct Aside {
    errands: Option<Sender<Errand>>,
    threads: Vec<JoinHandle<()>>,
    debts: BTreeMap<Tenant, Debt>,
    /// Branches that ended while their drivers were out, by their age, and why.
    ended: BTreeMap<u64, Failure>,
    /// Processor time of a call after which its tenant leaves the scheduler's thread.
    call_max: Duration,
}

/// What a tenant has before it.
#[derive(Default)]
struct Debt {
    /// Calls that are made here.
    calls: u32,
    /// Calls that are being made. Until they are over the others of the tenant are made here too:
    /// drivers of one session may wait for each other.
    out: u32,
}

/// A driver on its way, and for what.
pub(super) struct Errand {
    pub slot: usize,
    /// The branch's, so that nobody who has its slot later is taken for it.
    pub age: u64,
    pub tenant: Tenant,
    pub driver: Guarded,
    pub call: Call,
}

/// What a driver is told.
pub(super) enum Call {
    Started(Start),
    Logits(Vec<f32>),
    Resumed,
    Refused {
        free: u32,
    },
    /// The last call, from which nothing comes back; `None` where it has said itself that it is done.
    Over(Option<Failure>),
}

/// A driver that is back.
pub(super) struct Return {
    pub slot: usize,
    pub age: u64,
    pub tenant: Tenant,
    pub driver: Guarded,
    /// To [`Call::Started`] there is none where it goes on.
    pub answer: Result<Option<Step>, Panicked>,
    /// As what its answer is obeyed: the logits are gone by now.
    pub cause: Cause,
}

impl Aside {
    pub fn start(call_max: Duration, back: &Sender<Command>) -> Self {
        let (errands, inbox) = channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let thread = |_| {
            let (inbox, back) = (Arc::clone(&inbox), back.clone());
            thread::Builder::new()
                .name("engine-aside".to_owned())
                .spawn(move || serve(&inbox, &back))
                .expect("the operating system starts a few threads per engine")
        };
        Self {
            errands: Some(errands),
            threads: (0..ASIDE_THREADS).map(thread).collect(),
            debts: BTreeMap::new(),
            ended: BTreeMap::new(),
            call_max,
        }
    }

    /// Whether the tenant's drivers are asked here.
    pub fn takes(&self, tenant: Tenant) -> bool {
        self.debts.contains_key(&tenant)
    }

    /// Notes how long a call of the tenant's took.
    pub fn note(&mut self, tenant: Tenant, took: Duration) {
        if took > self.call_max {
            if self.debts.len() >= ASIDE_TENANTS_MAX {
                self.debts.retain(|_, debt| debt.out > 0);
            }
            self.debts.entry(tenant).or_default().calls = ASIDE_CALLS;
        }
    }

    pub fn send(&mut self, errand: Errand) {
        if !matches!(errand.call, Call::Over(_)) {
            let debt = self.debts.entry(errand.tenant).or_default();
            debt.calls = debt.calls.saturating_sub(1);
            debt.out += 1;
        }
        if let Some(errands) = &self.errands {
            // The threads live as long as this does.
            let _ = errands.send(errand);
        }
    }

    /// The branch of this age ended while its driver is out.
    pub fn end(&mut self, age: u64, failure: Failure) {
        self.ended.insert(age, failure);
    }

    /// Takes note of a driver that is back; `None` if its branch ended meanwhile, which it is told.
    pub fn welcome(&mut self, mut back: Return) -> Option<Return> {
        if let Some(debt) = self.debts.get_mut(&back.tenant) {
            debt.out -= 1;
        }
        self.note(back.tenant, back.driver.take_spent());
        let paid = |debt: &Debt| debt.calls == 0 && debt.out == 0;
        if self.debts.get(&back.tenant).is_some_and(paid) {
            self.debts.remove(&back.tenant);
        }
        let Some(failure) = self.ended.remove(&back.age) else {
            return Some(back);
        };
        self.send(Errand {
            slot: back.slot,
            age: back.age,
            tenant: back.tenant,
            driver: back.driver,
            call: Call::Over(Some(failure)),
        });
        None
    }

    /// Whether any driver is to come back.
    pub fn is_awaited(&self) -> bool {
        self.debts.values().any(|debt| debt.out > 0)
    }
}

/// Everybody who is out is told what there is to tell.
impl Drop for Aside {
    fn drop(&mut self) {
        self.errands = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A thread's life.
fn serve(inbox: &Mutex<Receiver<Errand>>, back: &Sender<Command>) {
    give_way();
    let next = || {
        let inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.recv().ok()
    };
    while let Some(errand) = next() {
        if let Some(returned) = run(errand) {
            let _ = back.send(Command::Back(Box::new(returned)));
        }
    }
}

fn run(errand: Errand) -> Option<Return> {
    let Errand {
        slot,
        age,
        tenant,
        mut driver,
        call,
    } = errand;
    let mut cause = Cause::Resumed;
    let answer = match call {
        Call::Started(start) => {
            let started = driver.start(start);
            started.map(|goes_on| (!goes_on).then_some(Step::Done))
        }
        Call::Logits(mut logits) => driver.next(Input::Logits(&mut logits)).map(Some),
        Call::Resumed => driver.next(Input::Resumed).map(Some),
        Call::Refused { free } => {
            cause = Cause::Refused { free };
            driver.next(Input::ForkRefused { free }).map(Some)
        }
        Call::Over(failure) => {
            if let Some(failure) = &failure {
                let _ = driver.next(Input::Failed(failure));
            }
            return None;
        }
    };
    Some(Return {
        slot,
        age,
        tenant,
        driver,
        answer,
        cause,
    })
}

/// Has this thread come after the scheduler's. Where the system cannot, nothing else is lost.
fn give_way() {
    // Elsewhere it would be the whole process that gives way.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, ASIDE_NICENESS) {
        tracing::warn!(%error, "sessions that take long compete with the engine for processors");
    }
}
