use crate::answer;
use crate::epoch::Secrets;
use crate::parse::{Act, Line, Scenario};
use crate::world::{self, Disk, Fault, Memory, World};
use aigen_network::{Command, Reply};
use aigen_types::Timestamp;
use std::path::Path;

/// A line that did not go as its scenario says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {text}\n  expected: {expected}\n  happened: {happened}")]
pub struct Failure {
    /// The scenario.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What stands there, without its comment.
    pub text: String,
    /// What should have happened.
    pub expected: String,
    /// What did, and where.
    pub happened: String,
}

/// Runs the scenario `text` in memory and with a journal in `folder`, which must hold none.
///
/// # Errors
/// The first line that is not understood or does not go as expected.
pub fn check(file: &str, text: &str, folder: &Path) -> Result<(), Failure> {
    let scenario = Scenario::parse(file, text)?;
    let memory = run(&scenario, Memory::default())?;
    let disk = Disk::begin(folder).map_err(|fault| scenario.end(&fault))?;
    let disk = run(&scenario, disk)?;
    if *memory.network() == *disk.network() {
        Ok(())
    } else {
        Err(scenario.end(&"the journal made another network than the pure one".into()))
    }
}

/// Runs every line, then restarts.
fn run<W: World>(scenario: &Scenario, world: W) -> Result<W, Failure> {
    let mut run = Run {
        world,
        now: Timestamp::default(),
        last: None,
        secrets: Secrets::default(),
    };
    for line in &scenario.lines {
        let answered = run.step(&line.act);
        let answered = answered.and_then(|answer| {
            world::check(&run.world.network())?;
            Ok(answer)
        });
        let happened = match answered {
            Ok(answer) if expected(line, &answer) => continue,
            Ok(answer) => answer,
            Err(fault) => fault.to_string(),
        };
        let wanted = line.expected.as_deref().unwrap_or("no refusal");
        return Err(scenario.failure(line, wanted, &format!("{happened} ({})", W::PLACE)));
    }
    run.world.restart().map_err(|fault| scenario.end(&fault))?;
    Ok(run.world)
}

/// Whether every part of what was expected is a part of the answer.
fn expected(line: &Line, answer: &str) -> bool {
    match &line.expected {
        None => !answer.starts_with("refused"),
        Some(expected) => expected
            .split(", ")
            .all(|part| answer.split(", ").any(|given| given == part)),
    }
}

struct Run<W> {
    world: W,
    now: Timestamp,
    /// The last command, to be said again.
    last: Option<Command>,
    secrets: Secrets,
}

impl<W: World> Run<W> {
    fn step(&mut self, act: &Act) -> Result<String, Fault> {
        match act {
            Act::Ask(question) => Ok(answer::to_question(&self.world.network(), question)),
            Act::Plant(gold) => {
                self.secrets.plant(gold.clone());
                Ok("ok".into())
            }
            Act::Wait { seconds } => self.wait(*seconds),
            Act::Restart => {
                self.world.restart()?;
                Ok("ok".into())
            }
            Act::Repeat => {
                let last = self.last.clone().ok_or("there is no command to repeat")?;
                self.submit(last)
            }
            Act::Submit(command) => self.submit(command.clone()),
            Act::Epoch(act) => {
                let command = self.secrets.command(&self.world.network(), act)?;
                self.submit(command)
            }
        }
    }

    fn wait(&mut self, seconds: u32) -> Result<String, Fault> {
        let later = self.now.plus_seconds(seconds);
        self.now = later.ok_or("that is beyond the end of ledger time")?;
        Ok("ok".into())
    }

    /// Commands come one second apart.
    fn submit(&mut self, command: Command) -> Result<String, Fault> {
        self.wait(1)?;
        let result = self.world.submit(self.now, &command)?;
        self.last = Some(command);
        if let Ok(Reply::Settled(_)) = result {
            self.secrets = Secrets::default();
        }
        Ok(answer::to_command(&result))
    }
}
