use super::Cluster;
use super::stage::Actor;
use crate::sim::history::Answer;
use aigen_journal::{Committed, Tip};
use aigen_network::Command;
use std::collections::BTreeMap;

/// A command whose answer is due.
pub(crate) struct Sent {
    /// The node that was asked.
    pub actor: Actor,
    /// What it was asked to record.
    pub command: Command,
    /// Its answer, once it is there.
    pub answer: Box<dyn FnMut() -> Option<Committed>>,
}

/// What stands in the journal, and how often it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Of every record: where the journal ends with it, and its commands with their answers.
    records: Vec<(Tip, Vec<(Command, Answer)>)>,
    /// By the words of a command: how often it was sent, less how often it stands here.
    due: BTreeMap<String, u64>,
}

impl Written {
    /// A client sends a command once more.
    pub fn note_sent(&mut self, command: &Command) {
        *self.due.entry(format!("{command:?}")).or_default() += 1;
    }

    /// # Errors
    /// When a command stands here more often than it was sent.
    fn take(&mut self, tip: Tip, commands: Vec<(Command, Answer)>) -> Result<(), String> {
        for (command, _) in &commands {
            match self.due.get_mut(&format!("{command:?}")) {
                Some(due) if *due > 0 => *due -= 1,
                _ => {
                    let seq = tip.seq;
                    return Err(format!("record {seq} holds {command:?} once too often"));
                }
            }
        }
        self.records.push((tip, commands));
        Ok(())
    }

    fn record(&self, seq: u64) -> Option<&(Tip, Vec<(Command, Answer)>)> {
        self.records.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }
}

/// What must be true after every step.
impl Cluster<'_> {
    /// Reads what was written, and holds every answer against it.
    pub(super) fn compare(&mut self) -> Result<(), String> {
        for record in self.store.after(self.history.tip().seq) {
            let answered = self.history.take(&record)?;
            self.report.records += 1;
            self.report.commands += u64::try_from(answered.len()).expect("few");
            let refused = answered.iter().filter(|(_, answer)| answer.is_err());
            self.report.refused += u64::try_from(refused.count()).expect("few");
            let tip = record.tip();
            self.trace
                .say(format!("record {} is {}", tip.seq, tip.hash.short(8)));
            self.written.take(tip, answered)?;
        }
        self.report.checks += 1;
        self.compare_answers()?;
        self.compare_tips()
    }

    /// What is acknowledged stands in the journal, with this very answer.
    fn compare_answers(&mut self) -> Result<(), String> {
        let mut waiting = Vec::new();
        for mut sent in std::mem::take(&mut self.sent) {
            let Some(Committed { result, seq }) = (sent.answer)() else {
                waiting.push(sent);
                continue;
            };
            let (actor, command) = (sent.actor, sent.command);
            let record = self.written.record(seq);
            let stands = record.is_some_and(|(_, commands)| {
                let mut commands = commands.iter();
                commands.any(|(held, answer)| *held == command && *answer == result)
            });
            if !stands {
                return Err(format!(
                    "node {actor} has acknowledged {command:?} in record {seq} with {result:?}; that record is {record:?}"
                ));
            }
            self.trace
                .say(format!("node {actor} answers: record {seq}"));
        }
        self.sent = waiting;
        Ok(())
    }

    /// What a node says is durable is.
    fn compare_tips(&self) -> Result<(), String> {
        for (actor, node) in &self.nodes {
            let Some(journal) = &node.journal else {
                continue;
            };
            let shown = journal.tip();
            let stored = self.written.record(shown.seq).map(|(tip, _)| *tip);
            if stored.unwrap_or_default() != shown {
                return Err(format!(
                    "node {actor} says that {shown:?} is durable, and {stored:?} is"
                ));
            }
        }
        Ok(())
    }

    /// At rest all nodes are in the state that the journal leads to.
    pub(super) fn compare_nodes(&self) -> Result<(), String> {
        for (actor, node) in &self.nodes {
            let network = node.journal.as_ref().map(|journal| journal.network());
            if network.is_some_and(|network| *network != *self.history.network()) {
                return Err(format!("node {actor} is in another state than its journal"));
            }
        }
        Ok(())
    }
}
