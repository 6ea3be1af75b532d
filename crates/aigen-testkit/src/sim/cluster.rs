//! Several nodes on one store: one history, in which everything acknowledged stands, once.
//!
//! Every node is the real one, with its own thread; the threads run in lockstep
//! ([`stage`]), so that a seed decides which of them comes next, what the store and the other
//! nodes answer, what gets lost on the way, and how fast each clock runs. Nodes are killed,
//! paused while they lead, and cut off from the store; a commit whose connection was lost may
//! have taken place, may take place later, or never.

mod checks;
mod node;
mod port;
mod shared;
mod stage;
mod wishes;

use super::clients::Clients;
use super::history::History;
use super::random::Random;
use super::trace::Trace;
use super::{Options, Report, Violation};
use checks::{Sent, Written};
use node::Node;
use port::{Answer, Question};
use shared::SharedStore;
use stage::{Actor, Stage};
use std::collections::BTreeMap;

/// Nodes at once, at most.
const NODES_MAX: usize = 3;

const MILLISECOND: u64 = 1_000_000;

/// Steps in which everything must come to rest once nothing goes wrong any more.
const HEALING_STEPS_MAX: u64 = 20_000;

/// Bugs that must be found; none but in tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bugs {
    /// A store that says yes to whoever comes second.
    pub yes_to_both: bool,
    /// A batch that is sent twice arrives as two.
    pub forgets_whose: bool,
}

/// Everything there is.
pub(crate) struct Cluster<'a> {
    random: Random,
    /// Nanoseconds since the world began.
    now: u64,
    stage: Stage<Question, Answer>,
    nodes: BTreeMap<Actor, Node>,
    started: Actor,
    store: SharedStore,
    clients: Clients,
    /// Commands whose answer is due.
    sent: Vec<Sent>,
    /// What nodes wrote, as it was read and compared.
    written: Written,
    history: History,
    /// Nothing goes wrong any more.
    healing: bool,
    bugs: Bugs,
    report: Report,
    trace: Trace<'a>,
}

impl<'a> Cluster<'a> {
    /// A world with an empty store and no node.
    pub fn new(options: Options, trace: Trace<'a>) -> Self {
        let mut random = Random::new(options.seed);
        let clients = Clients::new(random.fork());
        Self {
            random,
            now: 0,
            stage: Stage::default(),
            nodes: BTreeMap::new(),
            started: 0,
            store: SharedStore::default(),
            clients,
            sent: Vec::new(),
            written: Written::default(),
            history: History::default(),
            healing: false,
            bugs: Bugs::default(),
            report: Report::default(),
            trace,
        }
    }

    /// The same with bugs.
    #[cfg(test)]
    pub fn with(mut self, bugs: Bugs) -> Self {
        self.bugs = bugs;
        self
    }

    /// Lets so many things happen, then heals everything and looks at what came of it.
    pub fn run(mut self, steps: u64) -> Result<Report, (u64, Violation)> {
        let mut step = 0;
        let mut happened = Ok(());
        while happened.is_ok() && step < steps {
            happened = self.step();
            step += 1;
        }
        let happened = happened.and_then(|()| self.heal());
        self.report.steps = step;
        self.report.trace = self.trace.hash();
        happened.map(|()| self.report).map_err(|what| {
            let tail = self.trace.tail();
            (step, Violation { what, tail })
        })
    }

    fn step(&mut self) -> Result<(), String> {
        match self.random.below(100) {
            0..25 => self.say(),
            25..40 => self.pass(),
            40..42 => self.toggle("store cut off", |node| &mut node.cut),
            42..44 => self.toggle("paused", |node| &mut node.paused),
            44..45 => self.kill_one(),
            45..46 => self.end_one(),
            46..49 => self.start_one(),
            49..52 => self.land(),
            _ => {
                for _ in 0..self.random.between(1, 8) {
                    self.resume_one();
                }
            }
        }
        self.compare()
    }

    fn say(&mut self) {
        let joined = |(actor, node): (&Actor, &Node)| node.journal.is_some().then_some(*actor);
        let joined: Vec<Actor> = self.nodes.iter().filter_map(joined).collect();
        if joined.is_empty() {
            return self.start_one();
        }
        let actor = *self.random.pick(&joined);
        let command = self.clients.say(self.history.network());
        let node = self.nodes.get_mut(&actor).expect("it is one of them");
        if let Some(answer) = node.send(command.clone()) {
            self.trace.say(format!(
                "node {actor} is asked: {}",
                super::name_of(&command)
            ));
            self.written.note_sent(&command);
            self.sent.push(Sent {
                actor,
                command,
                answer,
            });
        }
    }

    /// Milliseconds, or seconds at times.
    fn pass(&mut self) {
        let most = *self.random.pick(&[5, 50, 50, 400, 400, 6_000]);
        self.now += self.random.between(1, most) * MILLISECOND;
        for node in self.nodes.values_mut() {
            node.set_time(self.now);
        }
        if !self.healing && self.random.chance(5) {
            let skew = self.random.below(7_200) * 1_000 * MILLISECOND;
            if let Some(actor) = self.any_node() {
                self.nodes.entry(actor).and_modify(|node| node.skew = skew);
            }
        }
    }

    fn toggle(&mut self, what: &str, flag: fn(&mut Node) -> &mut bool) {
        if let Some(actor) = self.any_node()
            && let Some(node) = self.nodes.get_mut(&actor)
        {
            let flag = flag(node);
            *flag = !*flag;
            self.report.faults += u64::from(*flag);
            self.trace.say(format!("node {actor} {what}: {flag}"));
        }
    }

    fn kill_one(&mut self) {
        if let Some(actor) = self.any_node() {
            self.trace.say(format!("node {actor} is killed"));
            self.report.crashes += 1;
            self.kill(actor);
        }
    }

    /// Nobody hears of what it was doing; some of it may have been done.
    fn kill(&mut self, actor: Actor) {
        if self.stage.look(actor, |_| ()).is_some() {
            self.stage.answer(actor, None);
        }
        self.forget(actor);
    }

    fn forget(&mut self, actor: Actor) {
        self.nodes.remove(&actor);
        self.sent.retain(|sent| sent.actor != actor);
    }

    fn end_one(&mut self) {
        if let Some(actor) = self.any_node()
            && let Some(node) = self.nodes.get_mut(&actor)
            && node.end()
        {
            self.trace.say(format!("node {actor} is told to end"));
            self.report.stops += 1;
        }
    }

    fn start_one(&mut self) {
        if self.nodes.len() < NODES_MAX {
            self.started += 1;
            let actor = self.started;
            self.trace.say(format!("node {actor} starts"));
            // Clocks run at up to a tenth more or less than the store's.
            let rate = self.random.between(900, 1_100);
            let mut node = Node::new(actor, rate, &self.stage);
            node.set_time(self.now);
            self.stage.enter(actor, || node.start());
            self.nodes.insert(actor, node);
            self.settle(actor);
        }
    }

    fn land(&mut self) {
        if let Some(appended) = self.store.land(&mut self.random) {
            self.trace.say(format!("a lost commit: {appended:?}"));
        }
    }

    fn any_node(&mut self) -> Option<Actor> {
        let actors: Vec<Actor> = self.nodes.keys().copied().collect();
        (!actors.is_empty()).then(|| *self.random.pick(&actors))
    }

    /// Nothing goes wrong any more: every answer that is due must come, and all nodes agree.
    fn heal(&mut self) -> Result<(), String> {
        self.healing = true;
        self.trace.say("all is well from here on".into());
        for node in self.nodes.values_mut() {
            (node.cut, node.paused) = (false, false);
        }
        for _ in 0..HEALING_STEPS_MAX {
            self.land();
            self.resume_one();
            if self.random.chance(20) {
                self.pass();
            }
            self.compare()?;
            if self.is_at_rest() {
                return self.compare_nodes();
            }
        }
        Err(format!(
            "{} commands have no answer long after all was well: {:?}",
            self.sent.len(),
            self.sent.first().map(|sent| (sent.actor, &sent.command))
        ))
    }

    fn is_at_rest(&self) -> bool {
        let tip = self.store.tip();
        let followed = |node: &Node| node.journal.as_ref().is_some_and(|j| j.tip() == tip);
        self.sent.is_empty() && self.nodes.values().all(followed)
    }
}

/// Every thread must end before the world does.
impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        let actors: Vec<Actor> = self.nodes.keys().copied().collect();
        for actor in actors {
            self.kill(actor);
        }
    }
}
