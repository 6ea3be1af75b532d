//! Between the contract's terms and Jarvis's.

use aigen_engine::ControlLevel;
use aigen_jarvis::{
    Allow, Decision, Edit, Fault, Generate, Observe, Opening, Params, Reason, Report, Splice, Stop,
    Until, Waiting, Wake,
};

use crate::bindings::aigen::controller::types as shared;
use crate::bindings::exports::aigen::controller::controller as wit;
use crate::limits::REASON_BYTES_MAX;
use crate::state::State;

pub(super) fn request(opening: &Opening<'_>) -> wit::Request {
    wit::Request {
        argument: opening.argument.to_owned(),
        messages: opening.messages.to_owned(),
        prompt: opening.prompt.to_vec(),
        model: opening.model.to_owned(),
        seed: opening.seed,
        can: shared::Capabilities {
            control: match opening.can.control {
                ControlLevel::Text => shared::Control::Text,
                ControlLevel::Schema => shared::Control::Schema,
                ControlLevel::Token => shared::Control::Token,
            },
            backtrack: opening.can.backtrack,
            branches_max: opening.can.branches_max,
        },
    }
}

pub(super) fn step(report: &Report<'_>) -> wit::Step {
    let top = report.top.iter().map(|top| (top.token, top.logprob));
    wit::Step {
        branch: report.branch,
        position: report.position,
        removed: report.removed,
        appended: report.appended.to_vec(),
        sampled: report.sampled,
        logprob: report.logprob,
        top: top.collect(),
        why: match report.why {
            Wake::Started => wit::Wake::Started,
            Wake::Forked { index, first } => wit::Wake::Forked(wit::Forked { index, first }),
            Wake::Edited => wit::Wake::Edited,
            Wake::MatcherFinished => wit::Wake::MatcherFinished,
            Wake::StopMatched => wit::Wake::StopMatched,
            Wake::Triggered => wit::Wake::Triggered,
            Wake::EndOfSequence => wit::Wake::EndOfSequence,
            Wake::TokenLimit => wit::Wake::TokenLimit,
            Wake::Resumed => wit::Wake::Resumed,
        },
    }
}

/// What the guest itself gave as its reason to stop.
pub(super) fn said(error: wit::Error) -> Fault {
    let reason = match error {
        wit::Error::Denied(what)
        | wit::Error::Limit(what)
        | wit::Error::Invalid(what)
        | wit::Error::Unavailable(what) => what,
        wit::Error::Cancelled => "it was cancelled".to_owned(),
    };
    let mut reason = line(&reason);
    if reason.is_empty() {
        "it gave no reason".clone_into(&mut reason);
    }
    Fault::Controller { reason }
}

/// The beginning of what a guest says, on one line and without what acts on a terminal: it goes to whoever
/// called.
fn line(text: &str) -> String {
    let begin = &text[..text.floor_char_boundary(REASON_BYTES_MAX)];
    let reorders = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let acts = |c: char| c.is_control() || reorders(c);
    let mut line = begin.replace(acts, " ").trim().to_owned();
    if begin.len() < text.len() {
        line.push('…');
    }
    line
}

pub(super) fn decision(state: &State, decision: wit::Decision) -> Result<Decision, Fault> {
    Ok(match decision {
        wit::Decision::Generate(generate) => Decision::Generate(segment(state, generate)?),
        wit::Decision::Edit(edit) => Decision::Edit(Edit {
            backtrack: edit.backtrack,
            tokens: edit.tokens,
            heal: edit.heal,
        }),
        wit::Decision::Fork(count) => Decision::Fork(count),
        wit::Decision::Suspend(waiting) => Decision::Suspend(match waiting {
            wit::Waiting::Variables(names) => Waiting::Variables(names),
            wit::Waiting::Branches(branches) => Waiting::Branches(branches),
            wit::Waiting::Millis(millis) => Waiting::Millis(millis),
        }),
        wit::Decision::Stop(ending) => Decision::Stop(Stop {
            reason: match ending.reason {
                wit::Reason::Done => Reason::Done,
                wit::Reason::Refused => Reason::Refused,
                wit::Reason::GaveUp => Reason::GaveUp,
            },
            keep: ending.keep,
        }),
    })
}

fn segment(state: &State, generate: wit::Generate) -> Result<Generate, Fault> {
    let splice = |splice: wit::Splice| Splice {
        sampled: splice.sampled,
        backtrack: splice.backtrack,
        tokens: splice.tokens,
    };
    Ok(Generate {
        allow: match generate.allow {
            wit::Mask::Any => Allow::Any,
            wit::Mask::Matcher(id) => Allow::Matcher(state.matcher(id)?),
            wit::Mask::Tokens(id) => Allow::Tokens(state.token_set(id)?),
        },
        bias: generate.bias,
        params: Params {
            temperature: generate.params.temperature,
            top_p: generate.params.top_p,
            top_k: generate.params.top_k,
            min_p: generate.params.min_p,
        },
        splices: generate.splices.into_iter().map(splice).collect(),
        observe: match generate.observe {
            wit::Observe::Nothing => Observe::Nothing,
            wit::Observe::Sampled => Observe::Sampled,
            wit::Observe::Top(count) => Observe::Top(count),
        },
        until: Until {
            tokens: generate.until.tokens,
            stops: generate.until.stops,
            triggers: generate.until.triggers,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_reason_is_a_line() {
        let long = "é".repeat(REASON_BYTES_MAX);
        let cut = format!("{}…", "é".repeat(REASON_BYTES_MAX / 2));
        for (said_by_it, told) in [
            ("no", "no"),
            ("a\u{1b}[31mred\r\nINFO forged\0", "a [31mred  INFO forged"),
            ("\u{202e}desrever", "desrever"),
            ("", "it gave no reason"),
            ("\n", "it gave no reason"),
            (long.as_str(), cut.as_str()),
        ] {
            let fault = said(wit::Error::Invalid(said_by_it.to_owned()));
            let reason = told.to_owned();
            assert_eq!(fault, Fault::Controller { reason });
        }
    }
}
