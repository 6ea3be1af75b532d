//! A program that writes down what its controller is asked, and what it says to that.

use crate::output::Table;
use aigen_engine::TokenId;
use aigen_jarvis::{
    Allow, Blueprint, BranchId, Context, Controller, Decision, Fault, Generate, Opening, Program,
    Report, Turn, Used, Waiting, Wake,
};
use aigen_types::Digest;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// One call to a controller.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Asked {
    /// The branch.
    pub branch: BranchId,
    /// Output tokens in it.
    pub position: u32,
    /// Why it was asked.
    pub why: String,
    /// Tokens of the session since the call before: chosen by the model, and put in.
    pub sampled: u64,
    /// See `sampled`.
    pub forced: u64,
    /// Tokens of the branch that were taken back since its last call.
    pub backtracked: u32,
    /// Tokens that the decision leaves out of the vocabulary, at first.
    pub masked: u32,
    /// Time, in microseconds.
    pub micros: u64,
    /// Fuel.
    pub fuel: u64,
    /// What it decided.
    pub decision: String,
}

/// All calls of a session, in order.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Vec<Asked>>>);

impl Watch {
    /// The same program, watched. Its decisions and its digest are the same.
    pub fn over(&self, program: Program, vocabulary: u32) -> Program {
        Program::new(Watched {
            program,
            vocabulary,
            watch: self.clone(),
        })
    }

    /// What was seen.
    pub fn seen(&self) -> Vec<Asked> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, asked: Asked) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked);
    }
}

/// Calls as a table.
pub fn table(calls: &[Asked]) -> Table {
    let headings = [
        "branch",
        "at",
        "because",
        "sampled",
        "forced",
        "backtracked",
        "masked",
        "µs",
        "fuel",
        "decision",
    ];
    let mut table = Table::new(&headings);
    for call in calls {
        table.row([
            call.branch.to_string(),
            call.position.to_string(),
            call.why.clone(),
            call.sampled.to_string(),
            call.forced.to_string(),
            call.backtracked.to_string(),
            call.masked.to_string(),
            call.micros.to_string(),
            call.fuel.to_string(),
            call.decision.clone(),
        ]);
    }
    table
}

struct Watched {
    program: Program,
    vocabulary: u32,
    watch: Watch,
}

impl Blueprint for Watched {
    fn digest(&self) -> Digest {
        self.program.digest()
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let began = Instant::now();
        let controller = self.program.open(opening)?;
        let seat = Seat {
            controller,
            context: opening.context.clone(),
            vocabulary: self.vocabulary,
            watch: self.watch.clone(),
            asked: Asked::default(),
            last: Arc::default(),
            noted: Arc::default(),
        };
        self.watch.note(Asked {
            why: "opened".to_owned(),
            micros: micros(began),
            fuel: seat.fuel(),
            ..Asked::default()
        });
        Ok(Box::new(seat))
    }

    fn backtracks(&self) -> bool {
        self.program.backtracks()
    }

    fn branches(&self) -> u32 {
        self.program.branches()
    }

    fn discarded_tokens(&self) -> u64 {
        self.program.discarded_tokens()
    }
}

/// A branch's controller.
struct Seat {
    controller: Box<dyn Controller>,
    context: Context,
    vocabulary: u32,
    watch: Watch,
    /// The call that has no answer yet.
    asked: Asked,
    /// What the session had used at the call before, whichever branch's it was.
    last: Arc<Mutex<Used>>,
    /// Fuel that was noted, of all branches. One of them computes at a time, and is noted before the
    /// next begins; what it used on another thread, between two questions, is its own too.
    noted: Arc<AtomicU64>,
}

impl Controller for Seat {
    fn prompt(&mut self) -> Result<Option<Vec<TokenId>>, Fault> {
        let prompt = self.controller.prompt();
        // No step's: what it cost is in the session's sum alone, as a copy's is.
        self.fuel();
        prompt
    }

    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        self.asked = Asked {
            branch: report.branch,
            position: report.position,
            why: because(report.why),
            backtracked: report.removed,
            ..self.since()
        };
        let began = Instant::now();
        let turn = self.controller.step(report);
        self.answered(began, turn)
    }

    fn poll(&mut self) -> Result<Turn, Fault> {
        let began = Instant::now();
        let turn = self.controller.poll();
        self.answered(began, turn)
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        let controller = self.controller.fork(index)?;
        self.fuel();
        Ok(Box::new(Self {
            controller,
            context: self.context.clone(),
            vocabulary: self.vocabulary,
            watch: self.watch.clone(),
            asked: Asked::default(),
            last: Arc::clone(&self.last),
            noted: Arc::clone(&self.noted),
        }))
    }

    fn finish(&mut self) -> Option<String> {
        self.controller.finish()
    }

    fn reach(&self) -> u32 {
        self.controller.reach()
    }
}

impl Seat {
    /// What the model and the grammars did since the call before.
    fn since(&self) -> Asked {
        let used = self.context.used();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *last, used);
        Asked {
            sampled: used
                .output
                .sampled_tokens
                .saturating_sub(before.output.sampled_tokens),
            forced: used
                .output
                .forced_tokens
                .saturating_sub(before.output.forced_tokens),
            ..Asked::default()
        }
    }

    /// What was used since it was noted last.
    fn fuel(&self) -> u64 {
        let used = self.context.used().guest.fuel;
        used.saturating_sub(self.noted.swap(used, Ordering::Relaxed))
    }

    fn answered(&mut self, began: Instant, turn: Result<Turn, Fault>) -> Result<Turn, Fault> {
        self.asked.micros += micros(began);
        self.asked.decision = match &turn {
            // It is asked again, and noted then.
            Ok(Turn::Late | Turn::Outside) => return turn,
            Ok(Turn::Ready(decision)) => {
                self.asked.masked = masked(decision, self.vocabulary);
                says(decision)
            }
            Err(fault) => format!("fault: {}", fault.name()),
        };
        self.asked.fuel = self.fuel();
        self.watch.note(std::mem::take(&mut self.asked));
        turn
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Tokens that a decision leaves out, at first.
fn masked(decision: &Decision, vocabulary: u32) -> u32 {
    let Decision::Generate(Generate { allow, .. }) = decision else {
        return 0;
    };
    let allowed = match allow {
        Allow::Any => return 0,
        Allow::Matcher(matcher) => match matcher.fork().mask() {
            Ok(mask) => mask.len(),
            Err(_) => 0,
        },
        Allow::Tokens(mask) => mask.len(),
    };
    vocabulary.saturating_sub(u32::try_from(allowed).unwrap_or(u32::MAX))
}

fn because(why: Wake) -> String {
    match why {
        Wake::Started => "started".to_owned(),
        Wake::Forked { index, .. } => format!("forked ({index})"),
        Wake::Edited => "edited".to_owned(),
        Wake::MatcherFinished => "matcher finished".to_owned(),
        Wake::StopMatched => "stop matched".to_owned(),
        Wake::Triggered => "triggered".to_owned(),
        Wake::EndOfSequence => "end of sequence".to_owned(),
        Wake::TokenLimit => "token limit".to_owned(),
        Wake::Resumed => "resumed".to_owned(),
    }
}

fn says(decision: &Decision) -> String {
    match decision {
        Decision::Generate(segment) => match segment.until.tokens {
            0 => "generate".to_owned(),
            tokens => format!("generate {tokens}"),
        },
        Decision::Edit(edit) => format!(
            "edit: back {}, append {}",
            edit.backtrack,
            edit.tokens.len()
        ),
        Decision::Fork(branches) => format!("fork {branches}"),
        Decision::Suspend(Waiting::Variables(names)) => format!("wait for {}", names.join(", ")),
        Decision::Suspend(Waiting::Branches(branches)) => format!("wait for branches {branches:?}"),
        Decision::Suspend(Waiting::Millis(millis)) => format!("wait {millis} ms"),
        Decision::Stop(stop) if stop.keep => "stop".to_owned(),
        Decision::Stop(_) => "stop, not kept".to_owned(),
    }
}
