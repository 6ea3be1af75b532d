use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aigen_engine::Tokenizer;
use aigen_jarvis::{BranchId, Compiler, Context, Fault, Mask, Matcher, Opening, Program};
use wasmtime::component::{Resource, ResourceTable};
use wasmtime::{ResourceLimiter, Result, bail};

use crate::Settings;
use crate::limits::{HANDLES_MAX, HOST_CALL_FUEL, PARTS_MAX, TABLE_ELEMENTS_MAX};
use crate::ticker::{Overtime, Ticking, TooLong};

/// A compiled grammar in a guest's hands.
pub struct Grammar(pub Program);

/// A set of tokens in a guest's hands.
pub struct TokenSet(pub Arc<Mask>);

/// What belongs to one request: what its guest can reach, and nothing of another's.
pub(crate) struct State {
    /// The branch that is being asked.
    pub branch: BranchId,
    pub context: Context,
    pub tokenizer: Arc<dyn Tokenizer>,
    pub compiler: Arc<Compiler>,
    pub settings: Settings,
    pub table: ResourceTable,
    /// How many of the newest tokens may be taken back.
    pub hold: u32,
    pub host_calls: u64,
    /// What the present call is, in the contract's words.
    pub call: &'static str,
    /// Fuel for what the host did in the present call, and how much it may be.
    pub host_fuel: u64,
    pub host_fuel_max: u64,
    /// Fuel left to the request before the present call.
    pub fuel_left: u64,
    /// The first bound that was exceeded.
    pub fault: Option<Fault>,
    /// Whether the present call waits for somebody who is not the guest.
    pub outside: Arc<AtomicBool>,
    /// Whether the present step used more fuel than one that is in time.
    pub late: bool,
    /// Whether the session is over, and its last word is asked for.
    pub finishing: bool,
    /// How the present call stands with the ticker.
    pub overtime: Overtime,
    /// Has it tick as long as the session is there.
    pub ticking: Option<Ticking>,
    memory_bytes: usize,
}

impl State {
    pub fn new(opening: &Opening<'_>, compiler: Arc<Compiler>, settings: Settings) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        Self {
            branch: 0,
            context: opening.context.clone(),
            tokenizer: Arc::clone(&opening.tokenizer),
            compiler,
            fuel_left: settings.request_fuel,
            settings,
            table,
            hold: u32::MAX,
            host_calls: 0,
            call: "",
            host_fuel: 0,
            host_fuel_max: 0,
            fault: None,
            outside: Arc::default(),
            late: false,
            finishing: false,
            overtime: Overtime::default(),
            ticking: None,
            memory_bytes: 0,
        }
    }

    /// Counts a call to the host that works on so many bytes or tokens.
    pub fn spend(&mut self, size: usize) -> Result<()> {
        self.host_calls += 1;
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let fuel = size.saturating_add(HOST_CALL_FUEL);
        self.host_fuel = self.host_fuel.saturating_add(fuel);
        if self.host_fuel > self.host_fuel_max {
            return self.refuse(Fault::FuelExhausted {
                max: self.host_fuel_max,
                what: self.call,
            });
        }
        Ok(())
    }

    /// Counts a tick; whether the present call may go on.
    pub fn tick(&mut self) -> Result<()> {
        match self.context.is_recalled() {
            true => bail!(NOBODY_WAITS),
            false if self.overtime.tick() => Ok(()),
            false => Err(TooLong.into()),
        }
    }

    /// Ends the request with the fault.
    pub fn refuse<T>(&mut self, fault: Fault) -> Result<T> {
        let message = fault.to_string();
        self.fault.get_or_insert(fault);
        bail!("{message}")
    }

    pub fn keep<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>> {
        match self.table.push(value) {
            Ok(handle) => Ok(handle),
            Err(_) => self.refuse(Fault::HandlesTooMany { max: HANDLES_MAX }),
        }
    }

    /// The matcher a decision names.
    pub fn matcher(&self, id: u32) -> Result<Matcher, Fault> {
        let found = self.table.get(&Resource::<Matcher>::new_borrow(id));
        found.cloned().map_err(|_| unknown("matcher", id))
    }

    /// The token set a decision names, as it is now.
    pub fn token_set(&self, id: u32) -> Result<Arc<Mask>, Fault> {
        let found = self.table.get(&Resource::<TokenSet>::new_borrow(id));
        let found = found.map(|set| Arc::clone(&set.0));
        found.map_err(|_| unknown("token set", id))
    }

    /// Marks the present call as one that waits for somebody else, until dropped.
    pub fn waits(&self) -> Waits {
        self.outside.store(true, Ordering::Release);
        Waits(Arc::clone(&self.outside))
    }
}

/// Why a session that was recalled does not go on.
pub(crate) const NOBODY_WAITS: &str = "nobody waits for it any more";

fn unknown(what: &str, id: u32) -> Fault {
    Fault::Controller {
        reason: format!("it decided by a {what} {id} that it does not have"),
    }
}

/// See [`State::waits`].
pub(crate) struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, now: usize, wanted: usize, _: Option<usize>) -> Result<bool> {
        let max = self.settings.memory_bytes;
        let total = (self.memory_bytes - now).saturating_add(wanted);
        if total > max {
            // Not `false`, after which it could go on asking: the request is over.
            return self.refuse(Fault::MemoryFull { max });
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, wanted: usize, _: Option<usize>) -> Result<bool> {
        Ok(wanted <= TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        usize::try_from(PARTS_MAX).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        self.instances()
    }

    fn memories(&self) -> usize {
        self.instances()
    }
}
