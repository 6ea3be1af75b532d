use aigen_journal::{Journal, SqliteStore, replay, verify};
use aigen_network::{Command, Network, Refusal, Reply, addresses};
use aigen_types::Timestamp;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What no command should lead to: a broken promise of the project, or a failing disk.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Where a scenario happens.
pub(crate) trait World {
    /// How messages call it.
    const PLACE: &str;

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
    const PLACE: &str = "in memory";

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

/// A journal in a SQLite file.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    journal: Journal,
    /// Nanoseconds of ledger time, for the journal's writer.
    clock: Arc<AtomicU64>,
}

impl Disk {
    /// Begins a journal in a folder that holds none.
    pub fn begin(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join("journal.sqlite");
        let clock = Arc::new(AtomicU64::new(0));
        let journal = start(&path, &clock)?;
        Ok(Self {
            path,
            journal,
            clock,
        })
    }
}

impl World for Disk {
    const PLACE: &str = "on disk";

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
        let stored = SqliteStore::open_read_only(&self.path)?;
        let replayed = replay(&stored, |_| {})?;
        if replayed.tip != self.journal.tip() || replayed.network != *self.journal.network() {
            return Err("the journal replays to another network than it stopped with".into());
        }
        verify(&stored, |_| {})??;
        self.journal = start(&self.path, &self.clock)?;
        Ok(())
    }
}

fn start(path: &Path, clock: &Arc<AtomicU64>) -> Result<Journal, Fault> {
    let clock = Arc::clone(clock);
    let now = move || Timestamp(clock.load(Ordering::SeqCst));
    // Whoever waits for an answer of a journal that failed is told that it has stopped.
    let (journal, _) = Journal::start(Box::new(SqliteStore::open(path)?), now, |_| {})?;
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
