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
use crate::stage::{Acted, Outcome, PROMPT, Stage, aside, show};
use crate::{Choice, Program, replay};

/// Runs the rows, and shows every one that came out otherwise.
pub(super) fn check<'a>(rows: impl IntoIterator<Item = &'a str>) {
    let wrong: Vec<String> = rows.into_iter().filter_map(|row| both(row).err()).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The same comes of it where drivers are asked beside the scheduler's thread, if in more passes.
fn both(row: &str) -> Result<(), String> {
    run(row, Limits::default())?;
    run(row, aside()).map_err(|error| format!("aside: {error}"))
}

fn run(row: &str, limits: Limits) -> Result<(), String> {
    let cells: Vec<&str> = row.split(" |").map(str::trim).collect();
    let (wants, acts) = (cells[0], cells[1]);
    let (settings, expected) = cells[2..].split_at(cells.len() - 6);
    let wants: Vec<&str> = wants.split(", ").collect();
    let engine = ScriptedEngine::new(
        Vocabulary::with_words(WORDS),
        Script::replies([(PROMPT, wants)]),
    );
    let counts_passes = expected[2] != "-" && limits == Limits::default();
    let stage = Stage::of(engine.with_sequences(80), limits);
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
        // A session that ends at once may or may not have had its prompt read.
        match counts_passes {
            true => passes.to_string(),
            false => expected[2].to_owned(),
        },
        ending(&outcome),
    ];
    let (cells, expected) = (actual.join(" | "), expected.join(" | "));
    if cells != expected {
        return Err(format!("expected {expected}\n     got {cells}"));
    }
    // Whatever happened happens again without the model.
    let log = outcome.ending.replay.as_ref().unwrap();
    let again = replay(stage.vocabulary.clone(), &program, log).unwrap();
    let asked = heard.lock().unwrap().join(" ");
    let same = again.text == outcome.text()
        && again.ending.decisions == outcome.ending.decisions
        && again.ending.usage == outcome.ending.usage
        && again.ending.finish == outcome.ending.finish
        && asked == actual[0];
    match same {
        true => Ok(()),
        false => Err(format!("replayed {asked} {again:?}\n     was {outcome:?}")),
    }
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
    check([
        // Both branches sample from the logits of the prompt: one pass.
        r#"yes, no | fork [ any:1 drop ; only:no stop ] | 0started 0fork0 1fork1 0limit 1limit | 0:yes 1:no | 1 | stop 1 "no" 1s 1d 1u"#,
        // What was written before is computed once, and is the answer's too.
        r#"aab, aba | any:1 fork [ any:1 drop ; only:b any:1 stop ] | 0started 0limit 0fork0 1fork1 0limit 1limit 1limit | 0:a·a 1:b·a | 3 | stop 1 "aba" 3s 1d 1u"#,
        // Text put in before the fork is fed once too, and with it the logits for both.
        r#"a, b | +Mount␣Kenya fork [ any:1 drop ; any:1 stop ] | 0started 0edited 0fork0 1fork1 0end 1end | 0:END 1:END | 2 | stop 1 "Mount Kenya" 1s 2f 1d 1u"#,
    ]);
}

#[test]
fn families_grow() {
    check([
        // A child forks before its copy was made; numbers follow the order of decisions.
        r#"yes | fork [ any:1 drop ; fork [ any:1 drop ; only:no stop ] ] | 0started 0fork0 1fork1 1fork0 2fork1 0limit 1limit 2limit | 0:yes 1:yes 2:no | 1 | stop 2 "no" 1s 2d 2u"#,
        // A member that is over at once takes no place; the one that forked may be it.
        r#"yes | fork [ drop ; drop ; any:1 stop ] | 0started 0fork0 1fork1 2fork2 2limit | 0: 1: 2:yes | 1 | stop 2 "yes" 1s"#,
        // Nobody is kept: the answer is empty, and all of it in vain.
        r#"yes | fork [ any:1 drop ; any:1 drop ] | 0started 0fork0 1fork1 0limit 1limit | 0:yes 1:yes | 1 | stop "" 2d 2u"#,
        r#"yes | any:1 drop | 0started 0limit | 0:yes | 1 | stop "" 1d 1u"#,
        // A fork into nobody is asked like one.
        r#"yes | fork [ any:1 stop ] | 0started 0fork0 0limit | 0:yes | 1 | stop 0 "yes" 1s"#,
        // Text is put in between two forks, so that the second waits for its pass.
        r#"a, b | fork [ +b fork [ any:1 drop ; any:1 stop ] ; drop ] | 0started 0fork0 0edited 1fork1 0fork0 2fork1 0end 2end | 0:END 1: 2:END | 2 | stop 2 "b" 1s 1f 1d 1u"#,
        // Taking back what was shared is the branch's own business.
        r#"aab, aba | any:2 fork [ any:1 drop ; 1↶b any:1 stop ] | 0started 0limit 0fork0 1fork1 1edited 0limit 1limit | 0:a·a·b 1:a | 4 | stop 1 "aba" 2s 1f 2d 2u"#,
        // The first that is kept ends its siblings.
        r#"aaaa | fork [ any stop ; any:2 stop ] | 0started 0fork0 1fork1 1limit | 0:a·a 1:a·a | 2 | stop 1 "aa" 2s 2d 2u"#,
    ]);
}

#[test]
fn branches_wait_for_each_other() {
    check([
        // For a variable that another sets; one that is set already is no news to who set it.
        r#"yes | fork [ wait:x any:1 stop ; any:1 set:x=1 drop ] | 0started 0fork0 1fork1 1limit 0resumed 0limit | 0:yes 1:yes | 2 | stop 0 "yes" 1s 1d 1u"#,
        r#"yes | set:x=1 fork [ set:x=2 any:1 drop ; wait:x any:1 stop ] | 0started 0fork0 1fork1 1resumed 0limit 1limit | 0:yes 1:yes | 1 | stop 1 "yes" 1s 1d 1u"#,
        // For branches that are over, never for itself.
        r#"yes | fork [ join:0,1,2 any:1 stop ; any:1 drop ; any:2 drop ] | 0started 0fork0 1fork1 2fork2 1limit 2end 0resumed 0limit | 0:yes 1:yes 2:yes·END | 3 | stop 0 "yes" 1s 3d 3u"#,
        // In turns, as in a debate.
        r#"aaaa | fork [ any:1 set:x=1 wait:y any:1 stop ; wait:x any:1 set:y=1 drop ] | 0started 0fork0 1fork1 0limit 1resumed 1limit 0resumed 0limit | 0:a·a 1:a | 3 | stop 0 "aa" 2s 1d 1u"#,
        // Time passes; how much is nobody's decision but the log's.
        r#"yes | sleep:1 any:1 stop | 0started 0resumed 0limit | 0:yes | 2 | stop 0 "yes" 1s"#,
        r#"yes | fork [ sleep:1 any:1 drop ; join:0 any:1 stop ] | 0started 0fork0 1fork1 0resumed 0limit 1resumed 1limit | 0:yes 1:yes | 3 | stop 1 "yes" 1s 1d 1u"#,
        // Nobody can ever go on.
        r#"yes | wait:x | 0started | 0: | - | deadlock 0 """#,
        r#"yes | fork [ wait:x ; wait:y ] | 0started 0fork0 1fork1 | 0: 1: | 1 | deadlock """#,
        r#"yes | fork [ any:1 join:1 ; any:1 join:0 ] | 0started 0fork0 1fork1 0limit 1limit | 0:yes 1:yes | 1 | deadlock "" 2d 2u"#,
        r#"yes | join:7 | 0started | 0: | - | deadlock 0 """#,
    ]);
}

#[test]
fn late_steps_hold_their_own_session() {
    check([
        r#"ab | late any:1 late any:1 stop | 0started 0limit 0limit | 0:a·b | 2 | stop 0 "ab" 2s"#,
        // However often it is polled, one step is late once.
        r#"ab | late late late late any:1 stop | 0started 0limit | 0:a | 1 | stop 0 "a" 1s"#,
        // The third late step ends it.
        r#"aaaa | late any:1 late any:1 late any:1 stop | 0started 0limit 0limit | 0:a·a | 2 | late 0 "aa" 2s"#,
        // What waits for the outside is never late.
        r#"aaaa | outside any:1 outside any:1 outside any:1 outside stop | 0started 0limit 0limit 0limit | 0:a·a·a | 3 | stop 0 "aaa" 3s"#,
        // Siblings wait for a late one, so that the order of decisions stays what it was.
        r#"aaaa | fork [ any:2 drop ; late any:1 any:1 stop ] | 0started 0fork0 1fork1 1limit 0limit 1limit | 0:a·a 1:a·a | 2 | stop 1 "aa" 2s 2d 2u"#,
        r#"aaaa | fork [ any:2 drop ; any:1 any:1 stop ] | 0started 0fork0 1fork1 1limit 0limit 1limit | 0:a·a 1:a·a | 2 | stop 1 "aa" 2s 2d 2u"#,
    ]);
}

#[test]
fn the_budget_is_of_all_branches_together() {
    check([
        // Three tokens are paid for: the third of four passes' tokens is the last.
        r#"aaaa | fork [ any drop ; any stop ] | cover 3 | 0started 0fork0 1fork1 | 0:a 1:a | 1 | budget "" 2d 2u"#,
        r#"aaaa | any:1 fork [ any drop ; any stop ] | cover 2 | 0started 0limit | 0:a | 1 | fork_unaffordable 0 "a" 1s"#,
        r#"aaaa | any:1 fork [ any drop ; any stop ] | cover 3 | 0started 0limit 0fork0 1fork1 | 0:a·a 1:a | 2 | budget "" 3d 3u"#,
        // With a sibling alive a branch that is full is asked; it can wait or stop.
        r#"aaaa | fork [ any wait:x stop ; any set:x=1 wait:y ] | max 2 | 0started 0fork0 1fork1 0limit 1limit 0resumed | 0:a·a 1:a·a | 2 | stop 0 "aa" 2s 2d 2u"#,
        // What it cannot have it is refused once it is alone, as any other.
        r#"aaaa | fork [ any drop ; any any any ] | max 2 | 0started 0fork0 1fork1 0limit | 0:a·a 1:a·a | 2 | length 1 "aa" 2s 2d 2u"#,
        r#"abSTOP | fork [ any drop ; any stop ] | stop b | 0started 0fork0 1fork1 0stop 1stop | 0:a·b 1:a·b | 2 | stop 1 "a" 2s 2d 2u"#,
    ]);
}

/// What strangers try, as far as a controller can decide it.
#[test]
fn bombs_end_their_own_request() {
    let many = format!("fork [ {}drop ]", "any ; ".repeat(10_000));
    let rows = [
        format!("a | {many} | 0started | 0: | - | branches_too_many 0 \"\""),
        // 65 members are 64 branches more; with them the session has all it may have.
        format!(
            "a | fork [ {}fork [ any ; any ] ] | 0started 0fork0 {}64fork64 | {} | - | branches_too_many \"\"",
            "any ; ".repeat(64),
            (1..64).map(|n| format!("{n}fork{n} ")).collect::<String>(),
            (0..=64).map(|n| format!("{n}:")).collect::<Vec<_>>().join(" "),
        ),
        // Past the prompt, past the commit horizon, and what another branch has committed.
        r#"ab | any:1 2↶ | 0started 0limit | 0:a | 1 | backtrack_too_far 0 "a" 1s"#.to_owned(),
        r#"ab | any:1 commit any:1 1↶ 1↶ | 0started 0limit 0limit 0edited | 0:a·b | 2 | backtrack_too_far 0 "a" 1s 1d"#.to_owned(),
        r#"aaaa | any:2 commit fork [ any:1 drop ; 1↶ ] | 0started 0limit 0fork0 1fork1 | 0:a·a 1: | 2 | backtrack_too_far "" 2d 2u"#.to_owned(),
        format!("a | {}| 0started | 0: | - | stalled 0 \"\"", "+ ".repeat(65))
            .replace("0started |", &format!("0started{} |", " 0edited".repeat(63))),
        r#"a | set:x=1 sleep:60001 | 0started | 0: | - | decision_too_large 0 """#.to_owned(),
        // However it is cut: who sleeps keeps its place.
        r#"a | sleep:1 sleep:60000 | 0started 0resumed | 0: | - | decision_too_large 0 """#.to_owned(),
        r#"a | result:{ any | 0started | 0: | - | result_invalid 0 """#.to_owned(),
        r#"a | with:observe=21 any | 0started | 0: | - | decision_too_large 0 """#.to_owned(),
        r#"a | with:temperature=-1 any | 0started | 0: | - | unsupported 0 """#.to_owned(),
    ];
    check(rows.iter().map(String::as_str));
}
