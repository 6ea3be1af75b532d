//! A program that writes down what its controller is asked, and what it says to that.

use crate::output::Table;
use aigen_engine::TokenId;
use aigen_jarvis::{
    Allow, Blueprint, BranchId, Context, Controller, Decision, Fault, Generate, LogEntry, Opening,
    Program, Report, Turn, Used, Waiting, Wake,
};
use aigen_types::Digest;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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
    /// What it logged since the call before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<Line>,
}

/// A line of the log.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// What it says.
    pub message: String,
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

/// Calls as a table, each with what was logged in it below.
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
        for line in &call.log {
            table.row(logged(call, line));
        }
    }
    table
}

/// A row for a line of the log, of which nothing was counted.
fn logged(call: &Asked, line: &Line) -> Vec<String> {
    let place = [call.branch.to_string(), call.position.to_string()];
    let uncounted = std::iter::repeat_n(String::new(), 6);
    let said = format!("{}: {}", line.level, line.message);
    let mut row = Vec::from(place);
    row.push("logged".to_owned());
    row.extend(uncounted.chain([said]));
    row
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
        let noted = Noted::of(&opening.context);
        let opened = self.program.open(opening);
        self.watch.note(noted.since(Asked {
            why: "opened".to_owned(),
            micros: micros(began),
            decision: opened.as_ref().err().map(faulty).unwrap_or_default(),
            ..Asked::default()
        }));
        Ok(Box::new(Seat {
            controller: opened?,
            vocabulary: self.vocabulary,
            watch: self.watch.clone(),
            asked: Asked::default(),
            last: Arc::default(),
            noted,
        }))
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
    vocabulary: u32,
    watch: Watch,
    /// The call that has no answer yet.
    asked: Asked,
    /// What the session had used at the call before, whichever branch's it was.
    last: Arc<Mutex<Used>>,
    noted: Noted,
}

/// What was noted of a session, of all branches. One of them computes at a time, and is noted before the
/// next begins; what it used on another thread, between two questions, is its own too.
#[derive(Clone)]
struct Noted {
    context: Context,
    fuel: Arc<AtomicU64>,
    /// Lines of the log.
    lines: Arc<AtomicUsize>,
}

impl Noted {
    fn of(context: &Context) -> Self {
        Self {
            context: context.clone(),
            fuel: Arc::default(),
            lines: Arc::default(),
        }
    }

    /// The call, with what was used and logged since this was asked last.
    fn since(&self, asked: Asked) -> Asked {
        Asked {
            fuel: self.fuel(),
            log: self.log(),
            ..asked
        }
    }

    /// What was used since this was asked last.
    fn fuel(&self) -> u64 {
        let used = self.context.used().guest.fuel;
        used.saturating_sub(self.fuel.swap(used, Ordering::Relaxed))
    }

    fn log(&self) -> Vec<Line> {
        let logged = self.context.logged(self.lines.load(Ordering::Relaxed));
        self.lines.fetch_add(logged.len(), Ordering::Relaxed);
        logged.into_iter().map(line).collect()
    }
}

fn line(entry: LogEntry) -> Line {
    Line {
        level: entry.level.name(),
        message: entry.message,
    }
}

impl Controller for Seat {
    fn prompt(&mut self) -> Result<Option<Vec<TokenId>>, Fault> {
        let prompt = self.controller.prompt();
        // No step's: what it cost is in the session's sum alone, as a copy's is.
        self.noted.fuel();
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
        self.noted.fuel();
        Ok(Box::new(Self {
            controller,
            vocabulary: self.vocabulary,
            watch: self.watch.clone(),
            asked: Asked::default(),
            last: Arc::clone(&self.last),
            noted: self.noted.clone(),
        }))
    }

    /// It is no question, so it is noted only where there is more to say of it than the outcome.
    fn finish(&mut self) -> Option<Result<String, Fault>> {
        let began = Instant::now();
        let said = self.controller.finish();
        self.asked.micros += micros(began);
        let decision = match said.as_ref()? {
            Ok(_) => String::new(),
            Err(fault) => faulty(fault),
        };
        let asked = self.noted.since(Asked {
            why: "finished".to_owned(),
            decision,
            ..std::mem::take(&mut self.asked)
        });
        if !(asked.log.is_empty() && asked.decision.is_empty()) {
            self.watch.note(asked);
        }
        said
    }

    fn reach(&self) -> u32 {
        self.controller.reach()
    }
}

impl Seat {
    /// What the model and the grammars did since the call before.
    fn since(&self) -> Asked {
        let used = self.noted.context.used();
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

    fn answered(&mut self, began: Instant, turn: Result<Turn, Fault>) -> Result<Turn, Fault> {
        self.asked.micros += micros(began);
        self.asked.decision = match &turn {
            // It is asked again, and noted then.
            Ok(Turn::Late | Turn::Outside) => return turn,
            Ok(Turn::Ready(decision)) => {
                self.asked.masked = masked(decision, self.vocabulary);
                says(decision)
            }
            Err(fault) => faulty(fault),
        };
        let asked = std::mem::take(&mut self.asked);
        // Its last word is said where it decided last.
        self.asked.branch = asked.branch;
        self.asked.position = asked.position;
        self.watch.note(self.noted.since(asked));
        turn
    }
}

fn faulty(fault: &Fault) -> String {
    format!("fault: {}", fault.name())
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
