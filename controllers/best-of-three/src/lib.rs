//! Fork: three branches answer, and the one the model believes most is kept.
//!
//! Where the model is computed elsewhere and its tokens are not seen, a segment is a whole answer, and the server
//! says how likely all of it is: what counts there is the mean over its bytes.

use aigen_controller::prelude::*;

const BRANCHES: u32 = 3;

#[derive(Clone)]
struct BestOfThree {
    /// The number of the first of the branches that answer.
    first: BranchId,
    index: u32,
    /// Whether a segment is a whole answer.
    whole: bool,
    logprob: f32,
    /// Tokens that this is of; bytes, where they are not seen.
    tokens: u32,
}

impl Controller for BestOfThree {
    fn open(request: Request) -> Result<Self, Error> {
        Ok(Self {
            first: 0,
            index: 0,
            whole: request.can.control != Control::Token,
            logprob: 0.0,
            tokens: 0,
        })
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        match step.why {
            Wake::Started => return Ok(fork(BRANCHES - 1)),
            Wake::Forked(forked) => {
                self.first = forked.first;
                self.index = forked.index;
            }
            Wake::Resumed => return Ok(self.judge(step.branch)),
            _ => {}
        }
        if let Some(logprob) = step.logprob {
            self.logprob += logprob;
            self.tokens += if self.whole { step.appended.len() as u32 } else { 1 };
        }
        match step.why {
            Wake::EndOfSequence | Wake::TokenLimit if step.appended.is_empty() => self.done(),
            Wake::EndOfSequence => self.done(),
            Wake::Forked(_) if self.whole => Ok(segment().observed().into()),
            _ if self.whole => self.done(),
            _ => Ok(segment().tokens(1).observed().into()),
        }
    }

    fn finish(&mut self) -> String {
        let mean = self.logprob / self.tokens.max(1) as f32;
        format!("{{\"branch\":{},\"mean_logprob\":{mean}}}", self.index)
    }
}

impl BestOfThree {
    /// Writes the score down and waits for the others'.
    fn done(&mut self) -> Result<Decision, Error> {
        let mean = self.logprob / self.tokens.max(1) as f32;
        variables::set(&format!("score {}", self.index), &mean.to_le_bytes())?;
        Ok(self.judge(0))
    }

    fn judge(&self, _branch: BranchId) -> Decision {
        let scores: Vec<Option<f32>> = (0..BRANCHES).map(score).collect();
        let waiting: Vec<String> = (0..BRANCHES)
            .filter(|&index| scores[index as usize].is_none())
            .map(|index| format!("score {index}"))
            .collect();
        if !waiting.is_empty() {
            return Decision::Suspend(Waiting::Variables(waiting));
        }
        let best = (0..BRANCHES)
            .max_by(|&a, &b| scores[a as usize].unwrap_or(f32::MIN).total_cmp(&scores[b as usize].unwrap_or(f32::MIN)).then(b.cmp(&a)))
            .unwrap_or(0);
        if best == self.index { stop() } else { stop_unkept() }
    }
}

fn score(index: u32) -> Option<f32> {
    let written = variables::get(&format!("score {index}"))?;
    Some(f32::from_le_bytes(written.value.try_into().ok()?))
}

controller!(BestOfThree);
