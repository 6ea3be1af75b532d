//! A session once more, without the model.

use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aigen_engine::sampler::Sampling;
use aigen_engine::{Start, Tokenizer};

use super::outlet::Outlet;
use super::{Surroundings, open};
use crate::{Choice, Context, Cover, Ending, Event, Fault, Log, Program};

/// What came of a session that was run again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// What the caller was shown.
    pub text: String,
    /// How it ended: with the same decisions, usage and fuel as the first time, if program and
    /// vocabulary are the same.
    pub ending: Ending,
}

/// Runs a session again from its log: the controller decides anew, and is given what the model
/// chose then. Blocks; a controller is waited for on the calling thread.
///
/// What a controller asked of the outside it is answered from the log: nobody is asked again.
///
/// # Errors
/// If the controller does not open.
pub fn replay(
    tokenizer: Arc<dyn Tokenizer>,
    program: &Program,
    log: &Log,
) -> Result<Replayed, Fault> {
    let (send, events) = channel();
    let send = Mutex::new(send);
    let on_event = Box::new(move |event| {
        if let Ok(send) = send.lock() {
            drop(send.send(event));
        }
    });
    let cover = Cover::new(log.covered);
    cover.close();
    let context = Context::new(log.seed);
    context.answer_by(log.exchanges.iter().cloned().collect());
    let surroundings = Surroundings {
        context,
        tokenizer,
        outlet: Outlet::new(on_event, false, false),
        sampling: Sampling {
            seed: log.seed,
            ..Sampling::default()
        },
        top_logprobs: None,
        cover,
        replays: true,
    };
    let mut family = open(program, log, surroundings)?;
    family.common.context.attach_thread();
    let prompt_tokens = u32::try_from(family.common.prompt.len()).unwrap_or(u32::MAX);
    family.started(Start {
        prompt_tokens,
        cached_prompt_tokens: log.cached_prompt_tokens,
    });
    let branches = log.branches.iter();
    let mut choices: Vec<VecDeque<Choice>> = branches
        .map(|choices| choices.iter().cloned().collect())
        .collect();
    while family.replay_round(&mut choices, log) {
        if family.is_blocked() {
            // As a rule somebody unparks this thread first.
            thread::park_timeout(Duration::from_millis(20));
        }
    }
    drop(family);
    Ok(sum_up(events.into_iter()))
}

fn sum_up(events: impl Iterator<Item = Event>) -> Replayed {
    let (mut text, mut ending) = (String::new(), Ending::crashed());
    for event in events {
        match event {
            Event::Output(piece) => text.push_str(&piece.text),
            Event::Finished(end) => ending = end,
            Event::Started { .. } => {}
        }
    }
    Replayed { text, ending }
}
