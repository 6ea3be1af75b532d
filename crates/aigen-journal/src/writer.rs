//! The two threads of a journal that nobody else writes to. One applies commands as they come, to
//! a record that stays open; the other makes records durable and answers. A record is closed
//! when the disk is free, so that nothing waits without need: neither the disk for commands to be
//! applied, nor a command for others to join it.

use crate::machine::{Filling, Machine};
use crate::queue::{BATCH_COMMANDS_MAX, Inbox, Own, Queued, Shown};
use crate::record::{RECORD_BODY_BYTES_MAX, Record};
use crate::replay::Answer;
use crate::replica::Replica;
use crate::store::{Store, StoreError};
use aigen_types::Timestamp;
use crossbeam_channel::{Receiver, Sender, bounded, never, select};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use tokio::sync::{oneshot, watch};

/// Takes what is queued, applies it, appends it, answers; until told to stop.
pub(crate) fn run(
    replica: Replica,
    inbox: Inbox,
    now: impl FnMut() -> Timestamp,
) -> Result<(), StoreError> {
    let (machine, store) = replica.split();
    let disk = Disk::spin(store, Arc::clone(&inbox.shown))?;
    let applying = Applying {
        machine,
        now,
        open: None,
        disk,
    };
    let ended = applying.run(&inbox);
    drop(inbox);
    // The store is closed by now, and only now does anyone hear of it.
    ended.map(drop)
}

/// The thread that applies.
struct Applying<N> {
    machine: Machine,
    now: N,
    open: Option<Open>,
    disk: Disk,
}

/// A record that is being filled, and who waits for it.
struct Open {
    filling: Filling,
    asked: Vec<Asked>,
}

/// One batch with its answers.
struct Asked {
    own: Own,
    answers: Vec<Answer>,
}

impl Open {
    fn is_full(&self) -> bool {
        self.filling.commands() >= BATCH_COMMANDS_MAX
            || self.filling.bytes() >= RECORD_BODY_BYTES_MAX
    }
}

impl<N: FnMut() -> Timestamp> Applying<N> {
    /// Who waits to hear that the store is closed.
    fn run(mut self, queued: &Receiver<Queued>) -> Result<Option<Done>, StoreError> {
        let closed = never();
        let done = loop {
            select! {
                recv(if self.is_full() { &closed } else { queued }) -> item => match item {
                    Ok(first) => if let Some(done) = self.apply_all(first, queued) {
                        break Some(done);
                    },
                    // Every door is closed, so nobody is left to tell us to stop.
                    Err(_) => break None,
                },
                recv(self.disk.written) -> written => self.disk.rest(written.ok())?,
            }
            self.write_if_free()?;
        };
        while self.open.is_some() || self.disk.is_busy {
            if self.disk.is_busy {
                let written = self.disk.written.recv();
                self.disk.rest(written.ok())?;
            }
            self.write_if_free()?;
        }
        self.disk.stop();
        Ok(done)
    }

    fn is_full(&self) -> bool {
        self.open.as_ref().is_some_and(Open::is_full)
    }

    /// Applies `first` and what waits behind it, until told to stop.
    fn apply_all(&mut self, first: Queued, queued: &Receiver<Queued>) -> Option<Done> {
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Queued::Own(own) => self.apply(own),
                // Nobody leads here. Dropping it says so.
                Queued::Forwarded(_) => {}
                Queued::Stop(done) => return Some(done),
            }
            next = match self.is_full() {
                true => None,
                false => queued.try_recv().ok(),
            };
        }
        None
    }

    fn apply(&mut self, own: Own) {
        let open = self.open.get_or_insert_with(|| Open {
            filling: self.machine.begin((self.now)()),
            asked: Vec::new(),
        });
        let answers = self.machine.fill(&mut open.filling, &own.batch);
        open.asked.push(Asked { own, answers });
    }

    fn write_if_free(&mut self) -> Result<(), StoreError> {
        if !self.disk.is_busy
            && let Some(Open { filling, asked }) = self.open.take()
        {
            let record = self.machine.seal(filling);
            self.disk.write(Sealed { record, asked })?;
        }
        Ok(())
    }
}

type Done = oneshot::Sender<()>;

/// A record on its way to the disk.
struct Sealed {
    record: Record,
    asked: Vec<Asked>,
}

/// Records of fewer commands are written by the thread that applies: waking the other costs some
/// 50 µs of a sync's 300, and while it writes there is little that could be applied.
const HANDED_OVER_FROM: u32 = 65;

/// Where records go: the store, and a thread to write while the other applies.
struct Disk {
    medium: Arc<Medium>,
    sealed: Sender<Sealed>,
    written: Receiver<Result<(), StoreError>>,
    is_busy: bool,
    thread: JoinHandle<()>,
}

struct Medium {
    /// Never waited for: one thread writes at a time.
    store: Mutex<Box<dyn Store>>,
    shown: Arc<watch::Sender<Shown>>,
}

impl Medium {
    fn append(&self, record: &Record) -> Result<(), StoreError> {
        let mut store = self.store.lock().expect("a panic ends the writer");
        store.append(record)?;
        self.shown.send_modify(|shown| shown.tip = record.tip());
        Ok(())
    }
}

impl Disk {
    fn spin(store: Box<dyn Store>, shown: Arc<watch::Sender<Shown>>) -> Result<Self, StoreError> {
        let (sealed, records) = bounded::<Sealed>(1);
        let (say, written) = bounded(1);
        let store = Mutex::new(store);
        let medium = Arc::new(Medium { store, shown });
        let writing = Arc::clone(&medium);
        let body = move || {
            for Sealed { record, asked } in records {
                let appended = writing.append(&record);
                let is_durable = appended.is_ok();
                // The other thread goes on while this one answers.
                let _ = say.send(appended);
                if is_durable {
                    answer(record.seq, asked);
                }
            }
        };
        let thread = thread::Builder::new()
            .name("journal-disk".into())
            .spawn(body)
            .map_err(|error| StoreError::Io(error.into()))?;
        Ok(Self {
            medium,
            sealed,
            written,
            is_busy: false,
            thread,
        })
    }

    fn write(&mut self, sealed: Sealed) -> Result<(), StoreError> {
        if sealed.record.count < HANDED_OVER_FROM {
            self.medium.append(&sealed.record)?;
            answer(sealed.record.seq, sealed.asked);
            return Ok(());
        }
        self.is_busy = true;
        // Should the thread have ended, that is heard where it is waited for.
        let _ = self.sealed.send(sealed);
        Ok(())
    }

    /// Hears that a record is written; `None` if the thread has ended instead.
    fn rest(&mut self, written: Option<Result<(), StoreError>>) -> Result<(), StoreError> {
        self.is_busy = false;
        written.unwrap_or_else(|| Err(StoreError::Io("its thread has panicked".into())))
    }

    /// Closes the store.
    fn stop(self) {
        drop(self.sealed);
        let _ = self.thread.join();
    }
}

fn answer(seq: u64, asked: Vec<Asked>) {
    for Asked { own, answers } in asked {
        own.reply.send(seq, answers);
    }
}
