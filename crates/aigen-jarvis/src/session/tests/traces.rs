//! What a trace tells: `wants | acts | steps`, where a step is its branch, its place, and `s` sampled,
//! `f` forced, `↶` taken back, `⑂` forked, `?` decided, `"` logged, `.` over, `!` over and the answer.

use crate::stage::{Acted, Stage, show};
use crate::{Program, Token, TraceStep, Traced};

fn check(rows: &[&str]) {
    for row in rows {
        let [wants, acts, expected] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let stage = Stage::wanting(&["yes", "no"], &wants.split(", ").collect::<Vec<_>>());
        let acted = Acted::new(&stage.vocabulary, &stage.compiler, acts);
        let mut request = stage.request(Program::new(acted));
        request.trace = true;
        let traced = stage.run(request.clone());
        let steps = traced.pieces().flat_map(|piece| &piece.trace);
        let told: Vec<_> = steps.map(|step| tell(&stage, step)).collect();
        assert_eq!(told.join(" "), *expected, "{row}");
        request.trace = false;
        let silent = stage.run(request);
        assert_eq!(silent.ending.decisions, traced.ending.decisions);
        assert!(silent.pieces().all(|piece| piece.trace.is_empty()));
    }
}

fn tell(stage: &Stage, step: &TraceStep) -> String {
    let token = |token: &Token| {
        let hidden = if token.hidden { "~" } else { "" };
        assert_eq!(token.hidden, token.bytes.is_empty());
        format!("{hidden}{}", show(&stage.vocabulary, token.id))
    };
    let what = match &step.what {
        Traced::Decided { why, decision, .. } => format!("?{why}={decision}"),
        Traced::Logged { level, message } => format!("\"{}:{message}", level.name()),
        Traced::Sampled(sampled) if sampled.masked > 0 => {
            format!("s{}-{}", token(sampled), sampled.masked)
        }
        Traced::Sampled(sampled) => format!("s{}", token(sampled)),
        Traced::Forced(forced) => format!("f{}", token(forced)),
        Traced::Removed { tokens } => format!("↶{tokens}"),
        Traced::Forked { first, branches } => format!("⑂{first}+{branches}"),
        Traced::Over { kept } => if *kept { "!" } else { "." }.to_owned(),
        Traced::Cut => "cut".to_owned(),
    };
    format!("{}@{}{what}", step.branch, step.position)
}

#[test]
fn traces_tell_what_happened() {
    check(&[
        "yes | any:1 stop | 0@0?started=generate 0@0syes 0@1?token_limit=stop 0@1!",
        "yes | +no 1↶yes stop | 0@0?started=edit 0@0fno 0@1?edited=edit 0@1↶1 0@0fyes 0@1?edited=stop 0@1!",
        "yes, no | fork [ any:1 drop ; only:no stop ] | 0@0?started=fork 0@0⑂1+1 0@0?forked=generate 1@0?forked=generate 0@0syes 1@0sno-263 0@1?token_limit=stop 0@1. 1@1?token_limit=stop 1@1!",
        // A line comes before the decision on the way to which it was written, or before the fault.
        "yes | log:a log:b any:1 log:c stop | 0@0\"info:a 0@0\"info:b 0@0?started=generate 0@0syes 0@1\"info:c 0@1?token_limit=stop 0@1!",
        "yes | log:a result:{ stop | 0@0\"info:a 0@0!",
        "yes | hide any:1 stop | 0@0?started=generate 0@0s~yes 0@1?token_limit=stop 0@1!",
    ]);
}
