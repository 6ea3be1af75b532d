use crate::answer;
use crate::epoch::Secrets;
use crate::parse::{Act, Scenario, WholeCall};
use crate::world::{self, Fault, Memory, Shelf, Stored, World};
use aigen_economy::Usage;
use aigen_network::{CloseCall, Command, ExtendCall, Outcome, Refusal, Reply, Steered};
use aigen_types::{Digest, Timestamp};

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

/// Runs the scenario `text` in memory and on each of these shelves, which must hold no journal.
///
/// # Errors
/// The first line that is not understood or does not go as expected.
pub fn check(file: &str, text: &str, shelves: &[Shelf<'_>]) -> Result<(), Failure> {
    let scenario = Scenario::parse(file, text)?;
    let memory = run(&scenario, Memory::default())?;
    for shelf in shelves {
        let stored = Stored::begin(shelf).map_err(|fault| scenario.end(&fault))?;
        let stored = run(&scenario, stored)?;
        if *memory.network() != *stored.network() {
            let fault = format!("{} it made another network than in memory", shelf.place);
            return Err(scenario.end(&fault.into()));
        }
    }
    Ok(())
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
            Ok(answer) if line.accepts(&answer) => continue,
            Ok(answer) => answer,
            Err(fault) => fault.to_string(),
        };
        let wanted = line.expected.as_deref().unwrap_or("no refusal");
        return Err(scenario.failure(line, wanted, &format!("{happened} ({})", run.world.place())));
    }
    run.world.restart().map_err(|fault| scenario.end(&fault))?;
    Ok(run.world)
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
            Act::Call(call) => self.call(call),
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

    /// A whole call, as a node makes it of a request.
    fn call(&mut self, call: &WholeCall) -> Result<String, Fault> {
        self.wait(1)?;
        let mut chunk = call.open.chunk_tokens;
        let mut covered = match self.say(Command::OpenCall(call.open.clone()))? {
            Ok(Reply::Covered { tokens, .. }) => tokens,
            other => return Ok(answer::to_command(&other)),
        };
        let used = |sampled| Usage {
            prompt_tokens: call.open.prompt_tokens,
            sampled_tokens: sampled,
            ..Usage::default()
        };
        let is_short = loop {
            if covered >= call.output_tokens {
                break false;
            }
            chunk *= 2;
            let extend = ExtendCall {
                call: call.open.call,
                chunk_tokens: chunk,
                used: used(covered),
            };
            match self.say(Command::ExtendCall(extend))? {
                Ok(Reply::Covered { tokens, .. }) if tokens > covered => covered = tokens,
                _ => break true,
            }
        };
        let outcome = match is_short {
            true => Outcome::Budget,
            false => Outcome::Length,
        };
        let closed = self.say(Command::CloseCall(CloseCall {
            call: call.open.call,
            used: used(covered.min(call.output_tokens)),
            outcome,
            controller_micros: 0,
            decisions: Digest::ZERO,
            steered: Steered::default(),
            counter: None,
        }))?;
        let outcome = answer::outcome(outcome);
        Ok(format!("{outcome}, {}", answer::to_command(&closed)))
    }

    fn say(&mut self, command: Command) -> Result<Result<Reply, Refusal>, Fault> {
        let result = self.world.submit(self.now, &command)?;
        self.last = Some(command);
        Ok(result)
    }

    /// Commands come one second apart.
    fn submit(&mut self, command: Command) -> Result<String, Fault> {
        self.wait(1)?;
        let result = self.say(command)?;
        if let Ok(Reply::Settled(_)) = result {
            self.secrets = Secrets::default();
        }
        Ok(answer::to_command(&result))
    }
}
