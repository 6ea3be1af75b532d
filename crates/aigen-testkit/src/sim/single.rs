//! One node on one disk: what it has acknowledged is there after every crash, and everything
//! it says agrees with a naive model.

mod trouble;

use super::clients::Clients;
use super::clock::Clock;
use super::disk::vfs::Mounted;
use super::disk::{Disk, Fault};
use super::history::{History, Wanted};
use super::node::Node;
use super::random::Random;
use super::trace::Trace;
use super::{Options, Report, Violation};
use aigen_journal::{Store, StoreError};
use aigen_network::Command;

/// The journal's name on every disk.
pub(crate) const FILE: &str = "journal.sqlite";

/// Commands of one batch, at most.
const BATCH_MAX: u64 = 6;

/// Commands under way, at most: beyond that clients wait.
const UNDER_WAY_MAX: usize = 24;

/// How the node opens its journal: as it should, or with a bug that must be found.
pub(crate) type Open = fn(&Mounted) -> Result<Box<dyn Store>, StoreError>;

/// As it should.
pub(crate) fn honest(disk: &Mounted) -> Result<Box<dyn Store>, StoreError> {
    Ok(Box::new(disk.journal(FILE)?))
}

/// Everything there is.
pub(crate) struct World<'a> {
    random: Random,
    clock: Clock,
    disk: Mounted,
    open: Open,
    /// Nothing goes wrong but what was asked for.
    calm: bool,
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
    pub fn new(options: Options, open: Open, trace: Trace<'a>) -> Self {
        let mut random = Random::new(options.seed);
        let disk = Mounted::new(Disk::new(random.fork()));
        let clients = Clients::new(random.fork());
        if let Some(steps) = options.stop_at {
            disk.disk.arm(steps, Fault::Stop);
        }
        Self {
            random,
            clock: Clock::default(),
            disk,
            open,
            calm: options.stop_at.is_some(),
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
        let acts = if self.calm { 84 } else { 100 };
        match self.random.below(acts) {
            0..36 => self.say(),
            36..74 => return self.deliver(),
            74..76 => return self.snapshot(),
            76..84 => self.clock.moment(&mut self.random),
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

    fn snapshot(&mut self) -> Result<(), String> {
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        let saved = node.save_snapshot();
        self.trace.say(format!("snapshot: saved {}", saved.is_ok()));
        if let Err(error) = saved {
            self.must_be_excused("snapshot", &error)?;
            self.crash();
        }
        Ok(())
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
}
