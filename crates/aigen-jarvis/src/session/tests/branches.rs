//! Sessions of several branches, as rows of text.
//!
//! ```text
//! what the model wants, likeliest first | acts | settings …
//!   | who was asked, in order | what each branch sampled | passes | ending
//! ```
//!
//! The acts are those of [`crate::stage::Acted`]. Tokens are counted as `s` sampled, `f` forced,
//! `d` discarded, of them `u` in branches that were not kept, and `h` hidden.

use aigen_engine::Limits;
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};

use super::{WORDS, finish_name, set};
use crate::stage::{Acted, Outcome, PROMPT, Stage, show};
use crate::{Choice, Program, replay};

pub(super) fn check(row: &str) {
    let cells: Vec<&str> = row.split(" |").map(str::trim).collect();
    let (wants, acts) = (cells[0], cells[1]);
    let (settings, expected) = cells[2..].split_at(cells.len() - 6);
    let wants: Vec<&str> = wants.split(", ").collect();
    let engine = ScriptedEngine::new(
        Vocabulary::with_words(WORDS),
        Script::replies([(PROMPT, wants)]),
    );
    let stage = Stage::of(engine.with_sequences(80), Limits::default());
    let mut acted = Acted::new(&stage.vocabulary, &stage.compiler, acts);
    let heard = acted.heard.clone();
    let mut request = stage.request(Program::free());
    for setting in settings {
        match setting.split_once(' ') {
            Some(("outcome", outcome)) => acted.outcome = outcome.to_owned(),
            Some(("reach", reach)) => acted.reach = reach.parse().unwrap(),
            Some(("seed", seed)) => {
                request.sampling = aigen_engine::sampler::Sampling::default();
                request.sampling.seed = seed.parse().unwrap();
            }
            _ => set(&mut request, setting),
        }
    }
    request.program = Program::new(acted);
    let program = request.program.clone();
    let outcome = stage.run(request);
    let asked = std::mem::take(&mut *heard.lock().unwrap()).join(" ");
    let passes = stage.passes.passes().len();
    let actual = [
        asked,
        choices(&stage.vocabulary, &outcome),
        passes.to_string(),
        ending(&outcome),
    ];
    let (actual, expected) = (actual.join(" | "), expected.join(" | "));
    assert_eq!(actual, expected, "\nin the row: {row}\n");
    // Whatever happened happens again without the model.
    let log = outcome.ending.replay.as_ref().unwrap();
    let again = replay(stage.vocabulary.clone(), &program, log).unwrap();
    assert_eq!(again.text, outcome.text(), "replayed: {row}");
    assert_eq!(
        again.ending.decisions, outcome.ending.decisions,
        "replayed: {row}"
    );
    assert_eq!(again.ending.usage, outcome.ending.usage, "replayed: {row}");
    assert_eq!(
        again.ending.finish, outcome.ending.finish,
        "replayed: {row}"
    );
    assert_eq!(
        heard.lock().unwrap().join(" "),
        actual.split(" | ").next().unwrap()
    );
}

fn choices(vocabulary: &Vocabulary, outcome: &Outcome) -> String {
    let log = outcome.ending.replay.as_ref().unwrap();
    let chosen = |choice: &Choice| match choice {
        Choice::Sampled { token, .. } => show(vocabulary, *token),
        Choice::Steered => "STEERED".to_owned(),
    };
    let branches = log.branches.iter().enumerate().map(|(at, choices)| {
        let choices: Vec<String> = choices.iter().map(chosen).collect();
        format!("{at}:{}", choices.join("·"))
    });
    branches.collect::<Vec<_>>().join(" ")
}

fn ending(outcome: &Outcome) -> String {
    let ending = &outcome.ending;
    let usage = ending.usage;
    let counts = [
        (usage.sampled_tokens, "s"),
        (usage.forced_tokens, "f"),
        (usage.discarded_tokens, "d"),
        (usage.unkept_tokens, "u"),
        (usage.hidden_tokens, "h"),
    ];
    let mut text = finish_name(&ending.finish).to_owned();
    if let Some(branch) = ending.branch {
        text += &format!(" {branch}");
    }
    text += &format!(" {:?}", outcome.text());
    for (count, kind) in counts.iter().filter(|(count, _)| *count > 0) {
        text += &format!(" {count}{kind}");
    }
    if let Some(outcome) = &ending.outcome {
        text += &format!(" {outcome}");
    }
    text
}

#[test]
fn forks_share_their_logits() {
    for row in [
        // Both branches sample from the logits of the prompt: one pass.
        r#"yes, no | fork [ any:1 drop ; only:no stop ] | 0started 0fork0 1fork1 0limit 1limit | 0:yes 1:no | 1 | stop 1 "no" 1s 1d 1u"#,
        // What was written before is computed once, and is the answer's too.
        r#"aab, aba | any:1 fork [ any:1 drop ; only:b any:1 stop ] | 0started 0limit 0fork0 1fork1 0limit 1limit 1limit | 0:a·a 1:b·a | 3 | stop 1 "aba" 3s 1d 1u"#,
        // Text put in before the fork is fed once too, and with it the logits for both.
        r#"a, b | +Mount␣Kenya fork [ any:1 drop ; any:1 stop ] | 0started 0edited 0fork0 1fork1 0end 1end | 0:END 1:END | 2 | stop 1 "Mount Kenya" 1s 2f 1d 1u"#,
    ] {
        check(row);
    }
}
