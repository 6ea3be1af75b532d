use super::model::Model;
use crate::{answer, world};
use aigen_journal::{Record, Tip};
use aigen_network::{Command, Network, Refusal, Reply};
use aigen_types::Timestamp;

/// A record that a node wanted: its answers are due once it is durable, and not before.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Where the journal ends with it.
    pub tip: Tip,
    /// What it holds.
    pub commands: Vec<Command>,
    now: Timestamp,
}

/// Everything that must be there for ever, and the state it leads to: once applied to a network
/// that no disk ever saw, once to the naive model.
#[derive(Debug, Default)]
pub(crate) struct History {
    tip: Tip,
    network: Network,
    model: Model,
}

/// What the network said to a command.
pub(crate) type Answer = Result<Reply, Refusal>;

impl History {
    /// Where the journal ends at least.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// What clients can know.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The record that these commands make at this time.
    pub fn want(&self, now: Timestamp, commands: Vec<Command>) -> Wanted {
        let now = now.max(self.network.ledger().now());
        let tip = Record::of(self.tip, now, &commands).tip();
        Wanted { tip, commands, now }
    }

    /// Takes in a record that is durable. Returns the answers in words.
    ///
    /// # Errors
    /// The first promise that is broken after one of its commands.
    pub fn accept(
        &mut self,
        wanted: &Wanted,
        answers: Option<&[Answer]>,
    ) -> Result<Vec<String>, String> {
        self.tip = wanted.tip;
        let mut words = Vec::new();
        for (place, command) in wanted.commands.iter().enumerate() {
            let answer = self.network.apply(wanted.tip.seq, wanted.now, command);
            let given = answers.map(|answers| answers.get(place));
            if given.is_some_and(|given| given != Some(&answer)) {
                return Err(format!(
                    "{command:?} was answered {given:?}, not {answer:?}"
                ));
            }
            let said = self.compare(wanted.now, command, &answer)?;
            words.push(said);
        }
        Ok(words)
    }

    /// Takes in a record that others wrote. Returns its commands with their answers.
    ///
    /// # Errors
    /// As [`History::accept`].
    pub fn take(&mut self, record: &Record) -> Result<Vec<(Command, Answer)>, String> {
        self.tip = record.tip();
        let commands = record.commands().map_err(|error| error.to_string())?;
        let mut answered = Vec::new();
        for command in commands {
            let now = record.timestamp;
            let answer = self.network.apply(record.seq, now, &command);
            self.compare(now, &command, &answer)?;
            answered.push((command, answer));
        }
        Ok(answered)
    }

    fn compare(
        &mut self,
        now: Timestamp,
        command: &Command,
        answer: &Answer,
    ) -> Result<String, String> {
        let said = answer::to_command(answer);
        let wrong = |what: String| format!("{command:?} was answered {said:?}: {what}");
        let compared = self.model.apply(now, command).accepts(&said);
        compared.map_err(wrong)?;
        world::check(&self.network).map_err(|fault| wrong(fault.to_string()))?;
        if let Ok(Reply::Settled(_)) = answer {
            self.model.settled(&self.network).map_err(wrong)?;
        }
        self.model.check(&self.network).map_err(wrong)?;
        Ok(said)
    }
}
