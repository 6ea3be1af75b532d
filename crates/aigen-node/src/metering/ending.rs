//! What the endings of all a call's answers come to.

use aigen_jarvis::{Ending, Fault, Finish};
use aigen_network::{Asked, Outcome, Steered};
use aigen_types::Digest;

/// The reason that says most about a call of several answers.
pub(super) fn worst(endings: &[Ending]) -> Finish {
    let weight = |finish: &Finish| match finish {
        Finish::Fault(_) => 4,
        Finish::Cancelled => 3,
        Finish::Budget => 2,
        Finish::Length | Finish::Filtered => 1,
        Finish::Stop | Finish::StopString => 0,
    };
    let finishes = endings.iter().map(|ending| &ending.finish);
    // The first of those that weigh the same.
    let worst = finishes.reduce(|worst, next| match weight(next) > weight(worst) {
        true => next,
        false => worst,
    });
    worst.cloned().unwrap_or(Finish::Fault(Fault::Crashed))
}

/// The digest of one answer's decisions; of several, one of all of theirs, in order.
pub(super) fn decisions(endings: &[Ending]) -> Digest {
    if let [ending] = endings {
        return ending.decisions;
    }
    let mut hasher = blake3::Hasher::new_derive_key("aigen decisions of several answers 1");
    for ending in endings {
        hasher.update(&ending.decisions.0);
    }
    Digest(*hasher.finalize().as_bytes())
}

/// What steering all answers came to.
pub(super) fn steered(finish: &Finish, endings: &[Ending]) -> Steered {
    let fault = match finish {
        Finish::Fault(fault) => fault.name(),
        _ => "",
    };
    Steered {
        fuel: endings.iter().map(|ending| ending.guest.fuel).sum(),
        hidden_tokens: endings
            .iter()
            .map(|ending| ending.usage.hidden_tokens)
            .sum(),
        unkept_tokens: endings
            .iter()
            .map(|ending| ending.usage.unkept_tokens)
            .sum(),
        branches: endings.iter().map(|ending| ending.usage.branches).sum(),
        asked: asked(endings),
        fault: fault.to_owned(),
        conforms: None,
    }
}

/// What all answers' controllers asked of the outside.
fn asked(endings: &[Ending]) -> Asked {
    let all = endings.iter().map(|ending| ending.asked);
    all.fold(Asked::default(), |sum, asked| Asked {
        tools: sum.tools.saturating_add(asked.tools),
        pages: sum.pages.saturating_add(asked.pages),
        completions: sum.completions.saturating_add(asked.completions),
        bytes: sum.bytes.saturating_add(asked.bytes),
    })
}

pub(super) fn outcome_of(finish: &Finish) -> Outcome {
    match finish {
        Finish::Stop | Finish::StopString => Outcome::Stop,
        Finish::Length => Outcome::Length,
        Finish::Budget => Outcome::Budget,
        Finish::Filtered => Outcome::Filtered,
        Finish::Cancelled => Outcome::Cancelled,
        Finish::Fault(Fault::Engine(_) | Fault::Crashed) => Outcome::EngineFault,
        Finish::Fault(_) => Outcome::ControllerFault,
    }
}
