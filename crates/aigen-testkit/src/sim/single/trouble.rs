use super::{FILE, World};
use crate::sim::disk::{Fault, Loss};
use crate::sim::node::Node;
use aigen_journal::{StoreError, verify};

/// Where the disk may fail next, in steps of the disk from now.
const FAULT_STEPS_MAX: u64 = 14;

/// What goes wrong, and what must be there afterwards.
impl World<'_> {
    pub(super) fn arm(&mut self) {
        let steps = self.random.between(1, FAULT_STEPS_MAX);
        let fault = *self
            .random
            .pick(&[Fault::Stop, Fault::Stop, Fault::SyncFails, Fault::Full]);
        self.trace.say(format!("in {steps} steps: {fault:?}"));
        self.disk.disk.arm(steps, fault);
    }

    /// The process or the power goes.
    pub(super) fn crash(&mut self) {
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
        if !self.calm && self.random.chance(15) {
            self.arm();
        }
    }

    /// The node ends in good order.
    pub(super) fn stop(&mut self) {
        self.trace.say("stop".into());
        self.report.stops += 1;
        self.node = None;
        self.disk.disk.start(Loss::Nothing);
        self.disk.disk.make_space();
    }

    /// Only a disk that failed excuses a failure, and it excuses no other kind.
    pub(super) fn must_be_excused(&self, act: &str, error: &StoreError) -> Result<(), String> {
        match error {
            StoreError::Io(_) if self.disk.disk.is_troubled() => Ok(()),
            other => Err(format!(
                "{act} failed, and not by the disk's fault: {other}"
            )),
        }
    }

    /// What was acknowledged is there, what is in doubt may be, and nothing else.
    pub(super) fn recover(&mut self) -> Result<(), String> {
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
        Node::open((self.open)(&self.disk)?)
    }

    /// Everything arrives, the node ends, and its journal is verified, or damaged and refused.
    pub(super) fn finish(&mut self) -> Result<(), String> {
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
            let store = (self.open)(&self.disk);
            let verified = store.and_then(|store| verify(store.as_ref(), |_| {}));
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
