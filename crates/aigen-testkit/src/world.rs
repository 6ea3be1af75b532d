use aigen_journal::{Journal, Store, StoreError, replay, verify};
use aigen_network::{Command, Network, Refusal, Reply, addresses};
use aigen_types::Timestamp;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What no command should lead to: a broken promise of the project, or a failing disk.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Where a scenario happens.
pub(crate) trait World {
    /// How messages call it.
    fn place(&self) -> &str;

    /// Applies one command at ledger time `now`. A refusal is an answer, not a fault.
    fn submit(
        &mut self,
        now: Timestamp,
        command: &Command,
    ) -> Result<Result<Reply, Refusal>, Fault>;

    /// The state after the last command.
    fn network(&self) -> impl Deref<Target = Network>;

    /// Forgets everything but what is stored, and goes on from there: the same network, or a fault.
    fn restart(&mut self) -> Result<(), Fault>;
}

/// The pure network, which has nothing to restart.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    network: Network,
}

impl World for Memory {
    fn place(&self) -> &'static str {
        "in memory"
    }

    fn submit(
        &mut self,
        now: Timestamp,
        command: &Command,
    ) -> Result<Result<Reply, Refusal>, Fault> {
        // A journal that is never hurried puts every command into a record of its own.
        let record = self.network.commands() + 1;
        Ok(self.network.apply(record, now, command))
    }

    fn network(&self) -> impl Deref<Target = Network> {
        &self.network
    }

    fn restart(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Where a journal is kept: its name, and how it is opened.
pub struct Shelf<'a> {
    /// How messages call it.
    pub place: &'a str,
    /// Opens the journal, or begins one if there is none.
    pub open: &'a dyn Fn() -> Result<Box<dyn Store>, StoreError>,
}

/// A journal on a shelf.
pub(crate) struct Stored<'a> {
    shelf: &'a Shelf<'a>,
    journal: Journal,
    /// Nanoseconds of ledger time, for the journal's writer.
    clock: Arc<AtomicU64>,
}

impl<'a> Stored<'a> {
    /// Begins a journal on a shelf that holds none.
    pub fn begin(shelf: &'a Shelf<'a>) -> Result<Self, Fault> {
        let clock = Arc::new(AtomicU64::new(0));
        Ok(Self {
            shelf,
            journal: start((shelf.open)()?, &clock)?,
            clock,
        })
    }
}

impl World for Stored<'_> {
    fn place(&self) -> &str {
        self.shelf.place
    }

    fn submit(
        &mut self,
        now: Timestamp,
        command: &Command,
    ) -> Result<Result<Reply, Refusal>, Fault> {
        self.clock.store(now.0, Ordering::SeqCst);
        Ok(self.journal.send(command.clone())?.blocking_recv()?.result)
    }

    fn network(&self) -> impl Deref<Target = Network> {
        self.journal.network()
    }

    fn restart(&mut self) -> Result<(), Fault> {
        let stored = (self.shelf.open)()?;
        let replayed = replay(stored.as_ref(), |_| {})?;
        if replayed.tip != self.journal.tip() || replayed.network != *self.journal.network() {
            return Err("the journal replays to another network than it stopped with".into());
        }
        verify(stored.as_ref(), |_| {})??;
        self.journal = start(stored, &self.clock)?;
        Ok(())
    }
}

fn start(store: Box<dyn Store>, clock: &Arc<AtomicU64>) -> Result<Journal, Fault> {
    let clock = Arc::clone(clock);
    let now = move || Timestamp(clock.load(Ordering::SeqCst));
    // Whoever waits for an answer of a journal that failed is told that it has stopped.
    let (journal, _) = Journal::start(store, now, |_| {})?;
    Ok(journal)
}

/// What holds after every command, refused ones included; the first promise that does not.
pub(crate) fn check(network: &Network) -> Result<(), Fault> {
    network.check().map_err(|violation| violation.to_string())?;
    let (issued, owned) = (network.issued(), network.total_balances());
    if issued != owned {
        return Err(format!("{issued} was issued, but all accounts together own {owned}").into());
    }
    let clearing = network.account(&addresses::clearing());
    match clearing.map(|account| account.available()) {
        Some(left) if !left.is_zero() => Err(format!("{left} is left in clearing").into()),
        _ => Ok(()),
    }
}
