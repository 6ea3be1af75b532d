//! One node on one disk: what it has acknowledged is there after every crash, and everything
//! it says agrees with a naive model.

use super::clients::Clients;
use super::clock::Clock;
use super::disk::vfs::Mounted;
use super::disk::{Disk, Fault, Loss};
use super::history::{History, Wanted};
use super::node::Node;
use super::random::Random;
use super::trace::Trace;
use super::{Report, Violation};
use aigen_journal::{SqliteStore, Store, StoreError, verify};
use aigen_network::Command;

const FILE: &str = "journal.sqlite";

/// Commands of one batch, at most.
const BATCH_MAX: u64 = 6;

/// Commands under way, at most: beyond that clients wait.
const UNDER_WAY_MAX: usize = 24;

/// Where the disk may fail next, in steps of the disk from now.
const FAULT_STEPS_MAX: u64 = 14;

/// Puts something between node and store: bugs, for the tests that must find them.
pub(crate) type Wrap = fn(SqliteStore) -> Box<dyn Store>;

pub(crate) struct World<'a> {
    random: Random,
    clock: Clock,
    disk: Mounted,
    wrap: Wrap,
    node: Option<Node>,
    clients: Clients,
    /// Said and not delivered yet.
    under_way: Vec<Command>,
    history: History,
    /// Whether this record is durable is not known.
    doubt: Option<Wanted>,
    pub report: Report,
    trace: Trace<'a>,
}

impl<'a> World<'a> {
    /// A world in which nothing has happened, with a node on an empty disk.
    pub fn new(seed: u64, wrap: Wrap, trace: Trace<'a>) -> Self {
        let mut random = Random::new(seed);
        let disk = Mounted::new(Disk::new(random.fork()));
        let clients = Clients::new(random.fork());
        Self {
            random,
            clock: Clock::default(),
            disk,
            wrap,
            node: None,
            clients,
            under_way: Vec::new(),
            history: History::default(),
            doubt: None,
            report: Report::default(),
            trace,
        }
    }

    /// Lets the disk say that syncs succeeded when they did not.
    #[cfg(test)]
    pub fn with_lying_disk(self) -> Self {
        self.disk.disk.lie();
        self
    }

    /// Lets so many things happen, and then looks at everything once more.
    pub fn run(mut self, steps: u64) -> Result<Report, (u64, Violation)> {
        let mut step = 0;
        let happened = loop {
            if let Err(what) = self.step() {
                break Err(what);
            }
            step += 1;
            if step >= steps {
                break self.finish();
            }
        };
        self.report.steps = step;
        let counts = self.disk.disk.counts();
        self.report.faults = counts.faults;
        self.report.lost_pieces = counts.lost_pieces;
        self.report.trace = self.trace.hash();
        match happened {
            Ok(()) => Ok(self.report),
            Err(what) => {
                let tail = self.trace.tail();
                Err((step, Violation { what, tail }))
            }
        }
    }

    fn step(&mut self) -> Result<(), String> {
        if self.node.is_none() {
            return self.recover();
        }
        match self.random.below(100) {
            0..36 => self.say(),
            36..74 => return self.deliver(),
            74..84 => self.clock.moment(&mut self.random),
            84..86 => self.clock.hours(&mut self.random),
            86..88 => self.clock.set(&mut self.random),
            88..93 => self.arm(),
            93..98 => self.crash(),
            _ => self.stop(),
        }
        Ok(())
    }

    fn say(&mut self) {
        for _ in 0..self.random.between(1, 3) {
            if self.under_way.len() < UNDER_WAY_MAX {
                let command = self.clients.say(self.history.network());
                self.under_way.push(command);
            }
        }
    }

    /// Some of what is under way arrives, in any order; some of it will arrive again.
    fn deliver(&mut self) -> Result<(), String> {
        let mut batch = Vec::new();
        for _ in 0..self.random.between(1, BATCH_MAX) {
            if !self.under_way.is_empty() {
                let place = self.random.index(self.under_way.len());
                batch.push(self.under_way.swap_remove(place));
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let again = |_: &&Command| self.random.chance(10);
        let again: Vec<_> = batch.iter().filter(again).cloned().collect();
        self.under_way.extend(again);
        self.commit(batch)
    }

    fn commit(&mut self, batch: Vec<Command>) -> Result<(), String> {
        let now = self.clock.now();
        let wanted = self.history.want(now, batch);
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        match node.commit(now, &wanted.commands) {
            Ok(answers) => self.accept(&wanted, Some(&answers)),
            Err(error) => {
                self.must_be_excused("commit", &error)?;
                self.trace
                    .say(format!("record {}: storage failed", wanted.tip.seq));
                // Whoever got no answer asks again.
                self.under_way.extend(wanted.commands.iter().cloned());
                self.doubt = Some(wanted);
                self.crash();
                Ok(())
            }
        }
    }

    fn accept(
        &mut self,
        wanted: &Wanted,
        answers: Option<&[super::history::Answer]>,
    ) -> Result<(), String> {
        let words = self.history.accept(wanted, answers)?;
        self.report.records += 1;
        self.report.checks += 1;
        for (command, words) in wanted.commands.iter().zip(&words) {
            self.report.commands += 1;
            self.report.refused += u64::from(words.starts_with("refused"));
            let name = super::name_of(command);
            let seq = wanted.tip.seq;
            self.trace.say(format!("record {seq}: {name} -> {words}"));
        }
        let hash = wanted.tip.hash.short(8);
        self.trace.say(format!("record {}: {hash}", wanted.tip.seq));
        Ok(())
    }

    /// Only a disk that failed excuses a failure, and it excuses no other kind.
    fn must_be_excused(&self, act: &str, error: &StoreError) -> Result<(), String> {
        match error {
            StoreError::Io(_) if self.disk.disk.is_troubled() => Ok(()),
            other => Err(format!(
                "{act} failed, and not by the disk's fault: {other}"
            )),
        }
    }

    fn arm(&mut self) {
        let steps = self.random.between(1, FAULT_STEPS_MAX);
        let fault = *self
            .random
            .pick(&[Fault::Stop, Fault::Stop, Fault::SyncFails, Fault::Full]);
        self.trace.say(format!("in {steps} steps: {fault:?}"));
        self.disk.disk.arm(steps, fault);
    }

    /// The process or the power goes.
    fn crash(&mut self) {
        let loss = *self.random.pick(&[Loss::Nothing, Loss::Unsynced]);
        self.trace.say(format!("crash: loses {loss:?}"));
        self.report.crashes += 1;
        if self.random.chance(50) {
            // A process that can still tidy up must not make it worse.
            self.node = None;
        }
        self.disk.disk.start(loss);
        self.node = None;
        if self.random.chance(70) {
            self.disk.disk.make_space();
        }
        if self.random.chance(15) {
            self.arm();
        }
    }

    /// The node ends in good order.
    fn stop(&mut self) {
        self.trace.say("stop".into());
        self.report.stops += 1;
        self.node = None;
        self.disk.disk.start(Loss::Nothing);
        self.disk.disk.make_space();
    }

    /// What was acknowledged is there, what is in doubt may be, and nothing else.
    fn recover(&mut self) -> Result<(), String> {
        let node = match self.open() {
            Ok(node) => node,
            Err(error) => {
                self.must_be_excused("recovery", &error)?;
                self.crash();
                self.disk.disk.make_space();
                return Ok(());
            }
        };
        let found = node.tip();
        let in_doubt = self.doubt.take();
        let came_true = in_doubt.filter(|wanted| wanted.tip == found);
        if let Some(wanted) = &came_true {
            self.accept(wanted, None)?;
        }
        self.trace.say(format!("recovered record {}", found.seq));
        let expected = self.history.tip();
        if found != expected {
            return Err(format!(
                "the journal ends at {found:?}, and {expected:?} was acknowledged"
            ));
        }
        if !node.agrees(self.history.network()) {
            return Err("replay leads to another state than the one acknowledged".into());
        }
        self.report.checks += 1;
        self.node = Some(node);
        Ok(())
    }

    fn open(&self) -> Result<Node, StoreError> {
        let store = self.disk.journal(FILE)?;
        Node::open((self.wrap)(store))
    }

    /// Everything arrives, the node ends, and its journal is verified, or damaged and refused.
    fn finish(&mut self) -> Result<(), String> {
        self.stop();
        while self.node.is_none() {
            self.recover()?;
        }
        let rest = std::mem::take(&mut self.under_way);
        if !rest.is_empty() {
            self.commit(rest)?;
        }
        self.stop();
        self.recover()?;
        self.node = None;
        if self.random.chance(50) {
            self.age()
        } else {
            let store = self.disk.journal(FILE);
            let verified = store.and_then(|store| verify(&store, |_| {}));
            let verified = verified.map_err(|error| error.to_string())?;
            verified.map(drop).map_err(|fault| fault.to_string())
        }
    }

    /// One bit of the file turns over: the journal says so, or it does not matter.
    fn age(&mut self) -> Result<(), String> {
        let Some(place) = self.disk.disk.flip_bit(FILE) else {
            return Ok(());
        };
        self.report.flips += 1;
        let node = self.open();
        let words = match &node {
            Err(StoreError::Damaged { seq, .. }) => format!("record {seq} is damaged"),
            Err(_) => "no journal".into(),
            Ok(_) => "unchanged".into(),
        };
        self.trace.say(format!("a bit of byte {place}: {words}"));
        self.report.flips_found += u64::from(node.is_err());
        let agrees =
            |node: Node| node.tip() == self.history.tip() && node.agrees(self.history.network());
        match node.map_or(true, agrees) {
            true => Ok(()),
            false => Err(format!(
                "byte {place} is damaged, and the journal answers wrongly"
            )),
        }
    }
}
