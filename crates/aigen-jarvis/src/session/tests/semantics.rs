//! What people get wrong, one test for each number of the list in `docs/concepts/jarvis.md`.
//! The rows are those of [`super::branches`].

use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_engine::{Limits, Tokenizer};

use super::branches::check;
use crate::stage::{Acted, Outcome, PROMPT, Stage, noise, pieces};
use crate::{JsonOptions, Program, Reasoning};

#[test]
fn s2_cut_words_go_on() {
    check([
        // `M` was put in: the model writes it anew, as the beginning of `Mount`. The token that
        // was taken off was never computed, so nobody pays for it.
        r#"Mount Kenya | heal+M any stop | 0started 0edited 0end | 0:Mount·␣Kenya·END | 3 | stop 0 "Mount Kenya" 3s"#,
        // Without healing the model goes on behind what is no beginning of its words.
        r#"Mount Kenya | +M any stop | 0started 0edited 0end | 0:o·u·n·t·␣Kenya·END | 7 | stop 0 "Mount Kenya" 6s 1f"#,
        // The constraint begins behind the text, and what the healed token says beyond it counts.
        r#"Mount Kenya | heal+M lark:start:/ount/"␣Kenya" stop | 0started 0edited 0finished | 0:Mount | 1 | stop 0 "Mount Kenya" 1s 1f"#,
        r#"Mount Kenya | heal+M lark:start:/u/"p" stop | 0started 0edited 0finished | 0:M | 1 | stop 0 "Mup" 1s 2f"#,
        // As many tokens are taken off as one begins with: `M`, `o` and `u`.
        r#"Mount Kenya | heal+Mou any stop | 0started 0edited 0end | 0:Mount·␣Kenya·END | 3 | stop 0 "Mount Kenya" 3s"#,
        // Where the model means another word they come back one by one, and count as none of the
        // segment's; a token between them may be longer, and never shorter.
        r#"Mok | heal+Mo any:2 stop | 0started 0edited 0limit | 0:M·o·k | 3 | stop 0 "Mok" 3s"#,
        // What the constraint refuses behind them heals nothing.
        r#"Mount Kenya | heal+Mo lark:start:"ll" stop | 0started 0edited 0finished | 0:M·o | 2 | stop 0 "Moll" 2s 2f"#,
        // What the model sampled stays as it is.
        r#"ab | any:1 heal any stop | 0started 0limit 0edited 0end | 0:a·b·END | 3 | stop 0 "ab" 3s"#,
        // What is decided otherwise leaves the text alone.
        r#"Mount Kenya | heal+Mo stop | 0started 0edited | 0: | - | stop 0 "Mo" 2f"#,
    ]);
}

/// At the prompt's end: what the caller wrote is not said again.
#[test]
fn s2_cut_prompts_go_on() {
    let script = Script::replies([("Q", [":yes"]), (PROMPT, ["no"])]);
    let stage = Stage::with_script(&[":yes", "yes", "no"], script);
    for (acts, expected) in [("heal any:1 stop", "yes"), ("any:1 stop", "no")] {
        let acted = Acted::new(&stage.vocabulary, &stage.compiler, acts);
        let outcome = stage.run(stage.request(Program::new(acted)));
        assert_eq!(outcome.text(), expected, "{acts}");
        assert_eq!(outcome.ending.usage.sampled_tokens, 1);
    }
}

/// Several tokens of it, and none of its first.
#[test]
fn s2_prompts_are_healed_as_far_as_a_word_reaches() {
    for (prompt, at, wants, acts, expected, sampled) in [
        ("Qunhap", "Q", "unhappy", "heal any:1 stop", "py", 1),
        ("Qunhap", "Q", "unhapless", "heal any:2 stop", "l", 3),
        ("Qunhap", "Q", "unhapless", "any:2 stop", "le", 2),
        // The first token stays, whatever goes beyond it.
        ("unhap", "un", "happy", "heal any:1 stop", "py", 1),
    ] {
        let script = Script::replies([(at, [wants])]);
        let stage = Stage::with_script(&["un", "hap", "happy", "unhappy"], script);
        let acted = Acted::new(&stage.vocabulary, &stage.compiler, acts);
        let outcome = stage.run(crate::SessionRequest {
            prompt: stage.vocabulary.encode(prompt, false, false),
            ..stage.request(Program::new(acted))
        });
        assert_eq!(outcome.text(), expected, "{prompt} {acts}");
        assert_eq!(
            outcome.ending.usage.sampled_tokens, sampled,
            "{prompt} {acts}"
        );
    }
}

#[test]
fn s3_forced_tokens_are_not_sampled() {
    check([
        r#"yes | +Mount␣Kenya any:1 stop | 0started 0edited 0end | 0:END | 2 | stop 0 "Mount Kenya" 1s 2f"#,
    ]);
}

#[test]
fn s5_grammars_are_steered_to_their_end() {
    check([
        // At the limit the string is closed while there is room for it.
        r#"{"abababab | lark:start:"{"/"[ab]*"/"}" stop | max 6 | 0started 0finished | 0:a·b·a·STEERED | 5 | stop 0 "{\"aba\"}" 3s 3f"#,
        // Paid for, and not only asked for.
        r#"{"abababab | lark:start:"{"/"[ab]*"/"}" stop | cover 5 | 0started 0finished | 0:a·b·STEERED | 4 | stop 0 "{\"ab\"}" 2s 3f"#,
        // A word that has to come stands in the grammar's source, whatever else may come before it.
        r#"aaaaaaaa | lark:start:/.*xxy.*/ stop | max 6 | 0started 0finished | 0:a·a·a·STEERED | 4 | stop 0 "aaaxxy" 3s 3f"#,
        r#"aaaaaaaa | lark:start:/[^\n]*(sooner|end)/ stop | max 6 | 0started 0finished | 0:a·a·a·STEERED | 4 | stop 0 "aaaend" 3s 3f"#,
        r#"aaaaaaaa | lark:start:/(.*xa)?.*yb/ stop | max 4 | 0started 0finished | 0:a·a·STEERED | 3 | stop 0 "aayb" 2s 2f"#,
        // Where there is no way out the answer is cut, and says so.
        r#"abababab | lark:start:/[ab]{20}/ stop | max 3 | 0started | 0:a·b·a | 3 | length 0 "aba" 3s"#,
    ]);
}

/// A model that never closes anything by itself writes valid JSON into any room that is large
/// enough for the shortest.
#[test]
fn s5_json_is_closed_in_time() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "at": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 10}}, "required": ["n"]},
        },
        "required": ["name", "tags", "at"],
        "additionalProperties": false,
    });
    let mut closed = 0;
    for (seed, max_tokens) in (0..).zip(40..60) {
        let outcome = noisy(&schema, seed, max_tokens);
        let parsed = serde_json::from_str::<serde_json::Value>(&outcome.text());
        assert!(parsed.is_ok(), "{max_tokens}: {}", outcome.text());
        assert_eq!(outcome.ending.grammar_complete, Some(true));
        closed += usize::from(outcome.ending.closed_early);
    }
    assert!(closed > 0, "and it says so");
}

/// A document of this schema by a model of noise, within so many tokens.
fn noisy(schema: &serde_json::Value, seed: u64, max_tokens: u32) -> Outcome {
    let words = pieces();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let script = Script::new(move |vocabulary, history| noise(vocabulary, history, seed));
    let stage = Stage::with_script(&words, script);
    let options = JsonOptions::default();
    let program = stage.compiler.json_schema(schema, options).unwrap();
    let mut request = stage.request(program);
    request.max_tokens = max_tokens;
    stage.run(request)
}

fn record(first: serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "type": "object",
        "properties": {"first": first, "name": {"type": "string"}},
        "required": ["first", "name"],
        "additionalProperties": false,
    })
}

/// A number without an end of its own, or a pattern, is closed where the room ends and not before: the
/// model is asked for it.
#[test]
fn s5_what_could_go_on_for_ever_is_closed_and_not_left_out() {
    let number = || serde_json::json!({"type": "integer"});
    let pattern = |pattern: &str| serde_json::json!({"type": "string", "pattern": pattern});
    let rows = [
        record(number()),
        record(serde_json::json!({"type": "number"})),
        record(serde_json::json!({"anyOf": [number(), {"type": "string"}]})),
        record(pattern("^[0-9]+$")),
        record(pattern("[0-9]{2}")),
        record(pattern("^[a-z]+-[a-z]+$")),
        record(pattern("xxy")),
        record(pattern("^.*b$")),
        serde_json::json!({"type": "array", "items": number(), "minItems": 3}),
    ];
    for schema in &rows {
        for (seed, max_tokens) in [(1, 40), (2, 48), (3, 64), (4, 100)] {
            let outcome = noisy(schema, seed, max_tokens);
            let (text, usage) = (outcome.text(), outcome.ending.usage);
            assert_eq!(
                outcome.ending.grammar_complete,
                Some(true),
                "{schema}: {text}"
            );
            assert!(usage.sampled_tokens > 2, "{schema}: {text}, {usage:?}");
        }
    }
}

#[test]
fn s6_committed_text_stays() {
    check([
        r#"abab | any:2 commit any:2 2↶a stop | 0started 0limit 0limit 0edited | 0:a·b·a·b | 4 | stop 0 "aba" 2s 1f 2d"#,
        r#"abab | any:2 commit any:1 2↶ | 0started 0limit 0limit | 0:a·b·a | 3 | backtrack_too_far 0 "aba" 3s"#,
        r#"abab | any:2 1↶ | reach 0 | 0started 0limit | 0:a·b | 2 | backtrack_too_far 0 "ab" 2s"#,
        // Hidden tokens are computed, charged and seen by the model, and not shown.
        r#"abab | hide any:2 show any:2 stop | 0started 0limit 0limit | 0:a·b·a·b | 4 | stop 0 "ab" 4s 2h"#,
        r#"abab | hide any~b show any:1 stop | stop b | 0started 0stop 0limit | 0:a·b·a | 3 | stop 0 "a" 3s 2h"#,
    ]);
}

/// Whoever takes text that may be taken back is shown it at once, and told what goes.
#[test]
fn s6_text_may_be_retracted() {
    let stage = Stage::wanting(&["ab", "a", "b"], &["abé", "abb"]);
    let acted = Acted::new(
        &stage.vocabulary,
        &stage.compiler,
        "any:1 any:2 any:1 2↶c any:1 stop",
    );
    let mut request = stage.request(Program::new(acted));
    request.retract = true;
    let outcome = stage.run(request);
    let mut shown = String::new();
    let mut steps = Vec::new();
    for piece in outcome.pieces() {
        shown.truncate(shown.len() - usize::try_from(piece.retracted_bytes).unwrap());
        shown += &piece.text;
        steps.push(shown.clone());
    }
    steps.dedup();
    // Half a character is never shown.
    assert_eq!(steps, ["ab", "abé", "abc"]);
}

#[test]
fn splices_wake_nobody() {
    check([
        // Another word in place of the sampled one, which is computed and discarded.
        r#"maybe no, yes no | with:splice=maybe:1:yes any stop | 0started 0end | 0:maybe·␣·no·END | 4 | stop 0 "yes no" 3s 1f 1d"#,
        // More than the sampled one goes.
        r#"aab, aMount | with:splice=b:2:Mount any stop | 0started 0end | 0:a·a·b·END | 4 | stop 0 "aMount" 2s 1f 2d"#,
        // The end too may be replaced, and text put behind what stays.
        r#"a, ab | with:splice=END:1:b any:2 stop | 0started 0limit | 0:a·END | 2 | stop 0 "ab" 1s 1f 1d"#,
        r#"a, ab | with:splice=a:0:b any:2 stop | 0started 0limit | 0:a | 1 | stop 0 "ab" 1s 1f"#,
        // Text that is sent at once is not in the way.
        r#"maybe, yes | with:splice=maybe:1:yes any stop | reach 0 | 0started 0end | 0:maybe·END | 2 | stop 0 "yes" 1s 1f 1d"#,
        // A matcher goes back with it.
        r#"ab, ba | with:splice=a:1:b lark:start:/[ab][ab]/ stop | 0started 0finished | 0:a·a | 2 | stop 0 "bb" 2f 2d"#,
        // The same again and again ends it.
        r#"maybe | with:splice=maybe:1: any | 0started | 0:maybe·maybe·maybe·maybe·maybe·maybe·maybe·maybe | 8 | rewind_repeated 0 "" 8d"#,
    ]);
}

#[test]
fn segments_choose_their_own_way() {
    check([
        r#"yes, no | with:bias=no:5 any:1 any stop | 0started 0limit 0end | 0:no·END | 2 | stop 0 "no" 2s"#,
        r#"yes, no | with:observe=3 any:1 any:1 stop | 0started 0limit?3 0end | 0:yes·END | 2 | stop 0 "yes" 2s"#,
    ]);
}

/// The same place in two branches, and in two attempts, draws differently; the same run draws
/// the same.
#[test]
fn s9_chance_belongs_to_a_branch() {
    let members = "with:temperature=50 any:8 2↶ with:temperature=50 any:8 drop ; ".repeat(7);
    let acts = format!("fork [ {members} stop ]");
    let run = |seed| {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), Script::replies([(PROMPT, ["a"])]));
        let stage = Stage::of(engine.with_sequences(8), Limits::default());
        let acted = Acted::new(
            &stage.vocabulary,
            &stage.compiler,
            &acts.replace(" stop ]", "join:0,1,2,3,4,5,6 stop ]"),
        );
        let mut request = stage.request(Program::new(acted));
        request.sampling = Sampling::default();
        request.sampling.seed = seed;
        stage.run(request).ending.replay.unwrap().branches
    };
    let (once, again, other) = (run(1), run(1), run(2));
    assert_eq!(once, again);
    let mut drawn: Vec<_> = once
        .iter()
        .chain(&other)
        .filter(|choices| !choices.is_empty())
        .collect();
    let all = drawn.len();
    drawn.dedup();
    assert_eq!((all, drawn.len()), (14, 14));
}

#[test]
fn s11_outcomes_are_json_or_a_fault() {
    let of = |outcome: &str, ends: &str| {
        format!(
            r#"a | any:1 stop | outcome {outcome} | 0started 0limit | 0:a | 1 | {ends} 0 "a" 1s"#
        )
    };
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    let rows = [
        // Nobody could read it.
        of(&deep, "result_invalid"),
        of("1e999", "result_invalid"),
        // A last word that fails is no answer without one.
        of("fault it broke", "controller"),
    ];
    check(rows.iter().map(String::as_str));
    check([
        r#"a | any:1 result:[1] stop | outcome {"done":true} | 0started 0limit | 0:a | 1 | stop 0 "a" 1s {"done":true}"#,
        r#"a | any:1 stop | outcome {done | 0started 0limit | 0:a | 1 | result_invalid 0 "a" 1s"#,
    ]);
}

/// Constraints of reasoning models begin after the reasoning; `</think>` may be a control token
/// or text.
#[test]
fn s10_constraints_begin_after_the_reasoning() {
    let said = "hm{no}</think>yes";
    let script = Script::replies([(PROMPT, [said, "hm{no}</think>no"])]);
    let stage = Stage::with_script(&["hm", "{no}", "</think>", "yes", "no"], script);
    let options = ["yes".to_owned(), "no".to_owned()];
    let program = stage.compiler.choice(&options).unwrap();
    let marks = |start: Option<&str>| Reasoning {
        start: start.map(str::to_owned),
        end: "</think>".to_owned(),
    };
    let outcome = stage.run(stage.request(program.clone().after_reasoning(marks(None))));
    assert_eq!(
        (outcome.text().as_str(), outcome.reasoning().as_str()),
        ("yes", "hm{no}")
    );
    let usage = outcome.ending.usage;
    assert_eq!((usage.sampled_tokens, usage.reasoning_tokens), (4, 3));
    assert_eq!(usage.hidden_tokens, 0);
    assert_eq!(outcome.ending.grammar_complete, Some(true));
    // Without it the first token is constrained already.
    let outcome = stage.run(stage.request(program));
    assert_eq!(outcome.ending.usage.sampled_tokens, 1);
}

/// A model that nobody had begin to reason is made to; one whose prompt ends so is not.
#[test]
fn s10_reasoning_begins_where_it_is_marked() {
    let stage = |prompt: &str, said: &str| {
        let script = Script::replies([(prompt, [said])]);
        Stage::with_script(&["hm", "</think>", "yes"], script)
    };
    let marks = Reasoning {
        start: Some("<think>".to_owned()),
        end: "</think>".to_owned(),
    };
    for (prompt, said, forced) in [
        (PROMPT, "<think>hm</think>yes", 7),
        ("Is it?<think>\n", "hm</think>yes", 0),
        ("<think>no</think>Is it?", "<think>hm</think>yes", 7),
    ] {
        let stage = stage(prompt, said);
        let program = Program::free().after_reasoning(marks.clone());
        let mut request = stage.request(program);
        request.prompt = stage.vocabulary.encode(prompt, false, false);
        let outcome = stage.run(request);
        let usage = outcome.ending.usage;
        assert_eq!((usage.forced_tokens, usage.hidden_tokens), (forced, forced));
        let said = (outcome.reasoning(), outcome.text());
        assert_eq!(said, ("hm".to_owned(), "yes".to_owned()), "{prompt}");
    }
}

/// Control tokens in a user's text never parse, wherever it goes.
#[test]
fn s10_special_tokens_in_text_are_text() {
    check([
        r#"a | +<|end|> any:1 stop | 0started 0edited 0end | 0:END | 2 | stop 0 "<|end|>" 1s 7f"#,
    ]);
}
