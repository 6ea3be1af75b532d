//! What happened, as it goes over the wire.

use aigen_api::openai::{TraceStep, Traced, TracedToken};
use aigen_node::{TraceStep as Step, Traced as What, TracedToken as Token};

pub(super) fn steps(steps: Vec<Step>) -> impl Iterator<Item = TraceStep> {
    steps.into_iter().map(|step| TraceStep {
        branch: step.branch,
        position: step.position,
        what: what(step.what),
    })
}

fn what(what: What) -> Traced {
    match what {
        What::Decided {
            why,
            decision,
            micros,
            fuel,
        } => Traced::Decided {
            why: why.to_owned(),
            decision: decision.to_owned(),
            micros,
            fuel,
        },
        What::Logged { level, message } => Traced::Logged {
            level: level.name().to_owned(),
            message,
        },
        What::Sampled(token) => Traced::Sampled(traced(&token)),
        What::Forced(token) => Traced::Forced(traced(&token)),
        What::Removed { tokens } => Traced::Removed { tokens },
        What::Forked { first, branches } => Traced::Forked { first, branches },
        What::Over { kept } => Traced::Over { kept },
        What::Cut => Traced::Cut,
    }
}

fn traced(token: &Token) -> TracedToken {
    TracedToken {
        token: token.id,
        text: String::from_utf8_lossy(&token.bytes).into_owned(),
        hidden: token.hidden,
        masked: token.masked,
    }
}
