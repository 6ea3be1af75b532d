//! A disk in memory that fails as real ones do, and the same way again for the same seed.
//!
//! What is written is visible at once and safe only once it was synced. When the power goes,
//! every unsynced piece of at most 512 bytes is there or not, by chance and each for itself:
//! that tears writes, reorders them and forgets them. Names of files are safe once their
//! directory was synced, which happens where the Unix file system of SQLite does it: with the
//! first sync of a journal or WAL. A sync that fails leaves what it did not write visible, and
//! no later sync will write it: so Linux behaves, and so a retry proves nothing.

mod files;
pub(crate) mod vfs;

#[cfg(test)]
mod tests;

use super::random::Random;
use files::Files;
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes that a disk writes at once or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// What goes wrong at a chosen step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The machine stops: this step and all later ones fail until [`Disk::start`].
    Stop,
    /// A sync says that it failed, and it did: from the next sync on that is due.
    SyncFails,
    /// No more space: files cannot grow until [`Disk::make_space`].
    Full,
}

/// Why a step did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskError {
    /// The machine is off, or the medium failed.
    Io,
    /// The medium failed to keep what was written.
    Sync,
    /// There is no more space.
    Full,
    /// There is no such file.
    Missing,
}

/// What is left after the machine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The process died and the operating system lives: nothing is lost.
    Nothing,
    /// The power went: of what was not synced, any part is lost.
    Unsynced,
}

/// What happened to a disk so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Steps that change something: writes, syncs, truncations, creations and deletions.
    pub steps: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Pieces of writes that a power cut lost.
    pub lost_pieces: u64,
}

/// A handle on one simulated disk. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    files: Files,
    random: Random,
    counts: Counts,
    running: bool,
    /// A fault has struck since the last start.
    troubled: bool,
    /// Handles opened before the last start are dead.
    starts: u64,
    armed: Option<(u64, Fault)>,
    full: bool,
    /// A bug to be found: syncs say that they succeeded and keep nothing.
    lying: bool,
}

impl Disk {
    /// An empty disk.
    pub fn new(random: Random) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: Files::default(),
            random,
            counts: Counts::default(),
            running: true,
            troubled: false,
            starts: 0,
            armed: None,
            full: false,
            lying: false,
        })))
    }

    /// Lets `fault` strike `steps` steps from now: the next step is 1. It replaces one that waits.
    pub fn arm(&self, steps: u64, fault: Fault) {
        let mut state = self.state();
        state.armed = Some((state.counts.steps + steps, fault));
    }

    /// Makes every sync keep nothing and say that it did.
    #[cfg(test)]
    pub fn lie(&self) {
        self.state().lying = true;
    }

    /// Stops the machine, if it has not stopped by itself, and starts it again.
    pub fn start(&self, loss: Loss) {
        let mut state = self.state();
        let State {
            files,
            random,
            counts,
            ..
        } = &mut *state;
        if loss == Loss::Unsynced {
            counts.lost_pieces += files.lose_unsynced(random);
        }
        state.running = true;
        state.troubled = false;
        state.starts += 1;
        state.armed = None;
    }

    /// Files may grow again.
    pub fn make_space(&self) {
        self.state().full = false;
    }

    /// Writes a file, if there is one, with the bytes it has, and makes it and its name safe.
    pub fn write_again(&self, name: &str) -> Result<(), DiskError> {
        let mut state = self.state();
        let Ok(file) = state.open(name, false) else {
            return state.alive();
        };
        let mut bytes = vec![0; state.size(file)?];
        state.read(file, 0, &mut bytes)?;
        state.write(file, 0, &bytes)?;
        state.sync(file, true)
    }

    /// Turns one bit of a file over, as if the medium had aged. Says which byte, if there is one.
    pub fn flip_bit(&self, name: &str) -> Option<usize> {
        let mut state = self.state();
        let State { files, random, .. } = &mut *state;
        files.flip_bit(name, random)
    }

    /// Whether a fault has struck since the last start, or there is no space.
    pub fn is_troubled(&self) -> bool {
        let state = self.state();
        state.troubled || state.full
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("the simulator's disk does not panic")
    }
}

impl State {
    /// Counts a step that changes something, and lets the armed fault strike if it is due.
    fn step(&mut self, sync: bool) -> Result<(), DiskError> {
        self.alive()?;
        self.counts.steps += 1;
        let due = self.armed.filter(|(step, fault)| {
            self.counts.steps >= *step && (sync || *fault != Fault::SyncFails)
        });
        let Some((_, fault)) = due else {
            return Ok(());
        };
        self.armed = None;
        self.counts.faults += 1;
        self.troubled = true;
        match fault {
            Fault::Stop => {
                self.running = false;
                Err(DiskError::Io)
            }
            Fault::SyncFails => Err(DiskError::Sync),
            Fault::Full => {
                self.full = true;
                Ok(())
            }
        }
    }

    fn alive(&self) -> Result<(), DiskError> {
        if self.running {
            Ok(())
        } else {
            Err(DiskError::Io)
        }
    }
}

/// What a file system asks of the disk. Files are known by number, since a name may be taken
/// from a file that is still open.
impl State {
    fn open(&mut self, name: &str, create: bool) -> Result<u64, DiskError> {
        self.alive()?;
        if let Some(file) = self.files.find(name) {
            return Ok(file);
        }
        if !create {
            return Err(DiskError::Missing);
        }
        self.step(false)?;
        Ok(self.files.create(name))
    }

    fn exists(&self, name: &str) -> Result<bool, DiskError> {
        self.alive()?;
        Ok(self.files.find(name).is_some())
    }

    fn delete(&mut self, name: &str) -> Result<(), DiskError> {
        self.step(false)?;
        if self.files.unlink(name) {
            Ok(())
        } else {
            Err(DiskError::Missing)
        }
    }

    fn read(&self, file: u64, offset: usize, into: &mut [u8]) -> Result<usize, DiskError> {
        self.alive()?;
        Ok(self.files.read(file, offset, into))
    }

    fn size(&self, file: u64) -> Result<usize, DiskError> {
        self.alive()?;
        Ok(self.files.size(file))
    }

    fn write(&mut self, file: u64, offset: usize, data: &[u8]) -> Result<(), DiskError> {
        self.step(false)?;
        if self.full && offset + data.len() > self.files.size(file) {
            return Err(DiskError::Full);
        }
        self.files.write(file, offset, data);
        Ok(())
    }

    fn truncate(&mut self, file: u64, size: usize) -> Result<(), DiskError> {
        self.step(false)?;
        self.files.truncate(file, size);
        Ok(())
    }

    fn sync(&mut self, file: u64, with_directory: bool) -> Result<(), DiskError> {
        let done = self.step(true);
        if done == Err(DiskError::Sync) {
            self.files.fail_sync(file, &mut self.random);
        } else if done.is_ok() && !self.lying {
            self.files.sync(file, with_directory);
        }
        done
    }
}
