//! Suspend: two branches speak in turn, each hearing what the other said.

use aigen_controller::prelude::*;

const TURNS: u64 = 4;

#[derive(Clone)]
struct Debate {
    /// 0 opens, 1 answers.
    speaker: u64,
}

impl Controller for Debate {
    fn open(_: Request) -> Result<Self, Error> {
        Ok(Self { speaker: 0 })
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        match step.why {
            Wake::Started => return Ok(fork(1)),
            Wake::Forked(forked) => self.speaker = u64::from(forked.index),
            Wake::Edited => return Ok(segment().until(".").tokens(24).into()),
            Wake::Resumed => {}
            _ => {
                let said = tokenizer::decode(&step.appended);
                variables::append("said", &said)?;
            }
        }
        self.turn()
    }
}

impl Debate {
    fn turn(&self) -> Result<Decision, Error> {
        let said = variables::get("said");
        let turns = said.as_ref().map_or(0, |said| said.version);
        if turns >= TURNS {
            return Ok(if self.speaker == 0 { stop() } else { stop_unkept() });
        }
        if turns % 2 != self.speaker {
            return Ok(wait_for_variables(&["said"]));
        }
        let mut heard = said.map(|said| said.value).unwrap_or_default();
        heard.extend(if self.speaker == 0 { b"\nFor: " } else { &b"\nAgainst: "[..] });
        Ok(edit(0, tokenizer::encode(&heard, false)))
    }
}

controller!(Debate);
