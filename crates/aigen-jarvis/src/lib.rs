//! The controller runtime: third-party programs that steer generation token by token.
//!
//! A [`Controller`] answers one question: what next? Its [`Decision`] is a
//! *segment* (sample under this constraint until something happens), an edit
//! (take tokens back, splice tokens in) or the end. Inside a segment the host
//! runs alone: masks are computed while the forward pass runs, tokens the
//! grammar forces are fed without sampling, and the controller sleeps.
//!
//! ```text
//! Compiler ─▶ Program ─▶ start(engine, request) ─▶ Event::Output …, Event::Finished
//!                │                 │
//!                └ Controller ◀──▶ session loop ◀──▶ aigen_engine scheduler
//! ```
//!
//! Money never enters this crate: a [`Cover`] says how many output tokens the
//! caller's holds pay for, and the loop never computes one more.
//!
//! Absent by construction: no decision that depends on a clock, no I/O, no
//! unconstrained token after a constraint failed.

mod calls;
mod constraint;
mod context;
mod controller;
mod cover;
mod event;
mod fault;
pub mod limits;
mod log;
mod program;
#[cfg(test)]
mod properties;
mod session;
#[cfg(test)]
mod stage;
mod trace;

pub use calls::{CallReader, Spoken};
pub use constraint::{
    CompileError, CompileErrorKind, CompileLimits, Compiler, Function, Hole, JsonOptions, Mask,
    Matcher, ToolGrammar, call_text, schema_of,
};
pub use context::{
    Answer, Answered, Ask, Asked, Budget, Context, Exchange, Guest, Level, LogEntry, OutsideError,
    Used, Versioned,
};
pub use controller::{
    Allow, BranchId, Capabilities, Controller, Decision, Edit, Generate, Observe, Opening, Params,
    Reason, Report, Splice, Stop, Turn, Until, Waiting, Wake,
};
pub use cover::Cover;
pub use event::{Ending, Event, Finish, Piece, TokenLogprobs, Usage};
pub use fault::Fault;
pub use log::{Choice, Cut, Log};
pub use program::{Blueprint, Program, Reasoning};
pub use session::{
    Bytes, OnEvent, Replayed, SessionHandle, SessionRequest, StartError, TextOpening, TextSaid,
    TextSegment, TextSession, Unstarted, replay, start, start_several,
};
pub use trace::{Token, TraceStep, Traced};
