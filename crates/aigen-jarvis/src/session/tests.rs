//! Sessions as rows of text.
//!
//! ```text
//! what the model wants, likeliest first | program | settings … | trace | ending
//! ```
//!
//! In a trace `yes` was sampled, `✖maybe yes` was sampled although the model
//! wanted another, `+3` were forced, `2↶` were taken back, `END` ended the turn,
//! `·` is the end of a forward pass.

mod branches;
mod cut;
mod faults;
mod semantics;
mod texts;
mod traces;

use super::*;
use crate::stage::{Outcome, Played, Stage, show};
use crate::{Decision, Edit, Finish, Generate, Program, Until};
use aigen_engine::Tokenizer;
use aigen_engine::scripted::Vocabulary;

const WORDS: [&str; 14] = [
    "yes", "no", "maybe", "Mount", " Kenya", " is", " high", ".", "STOP", "ST", "OP", "a", "b",
    "{\"",
];

/// Runs one row and compares its last two cells.
fn check(row: &str) {
    let cells: Vec<&str> = row.split(" |").map(str::trim).collect();
    let (wants, rest) = cells.split_first().unwrap();
    let (&program, rest) = rest.split_first().unwrap();
    let (settings, expected) = rest.split_at(rest.len() - 2);
    let wants: Vec<&str> = wants.split(", ").collect();
    for stage in Stage::both(&WORDS, &wants) {
        let mut request = stage.request(program_of(&stage, program));
        for setting in settings {
            set(&mut request, setting);
        }
        let outcome = stage.run(request);
        let actual = [trace(&stage.vocabulary, &outcome), ending(&outcome)];
        assert_eq!(
            actual.join(" | "),
            expected.join(" | "),
            "\nin the row: {row}\n"
        );
    }
}

fn program_of(stage: &Stage, text: &str) -> Program {
    let (kind, argument) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "free" => Program::free(),
        "forced" => Program::forced(argument),
        "allow" => {
            let options: Vec<String> = argument.split(',').map(str::to_owned).collect();
            stage.compiler.choice(&options).unwrap()
        }
        "regex" => stage.compiler.regex(argument).unwrap(),
        "lark" => stage.compiler.lark(argument).unwrap(),
        "quote" => stage.compiler.quote(argument, None).unwrap(),
        "json" => {
            let schema = serde_json::from_str(argument).unwrap();
            stage
                .compiler
                .json_schema(&schema, Default::default())
                .unwrap()
        }
        "play" => Program::new(Played::new(decisions(&stage.vocabulary, argument))),
        "live" => {
            let played = Played::new(decisions(&stage.vocabulary, argument));
            Program::new(Played { reach: 0, ..played })
        }
        _ => panic!("no program is called {kind}"),
    }
}

/// `any`, `any:3` (tokens), `any~x` (stop), `any!x` (trigger), `+text`, `2↶text`, `stop`.
fn decisions(vocabulary: &Vocabulary, text: &str) -> Vec<Decision> {
    let encode = |text: &str| vocabulary.encode(&text.replace('␣', " "), false, false);
    let one = |text: &str| {
        if text == "stop" {
            return Decision::stop();
        }
        if let Some((backtrack, rest)) = text.split_once('↶') {
            let (backtrack, tokens) = (backtrack.parse().unwrap(), encode(rest));
            return Decision::Edit(Edit {
                backtrack,
                tokens,
                ..Edit::default()
            });
        }
        if let Some(rest) = text.strip_prefix('+') {
            let (backtrack, tokens) = (0, encode(rest));
            return Decision::Edit(Edit {
                backtrack,
                tokens,
                ..Edit::default()
            });
        }
        let mut until = Until::default();
        if let Some(tokens) = text.strip_prefix("any:") {
            until.tokens = tokens.parse().unwrap();
        } else if let Some(stop) = text.strip_prefix("any~") {
            until.stops = vec![stop.as_bytes().to_vec()];
        } else if let Some(trigger) = text.strip_prefix("any!") {
            until.triggers = encode(trigger);
        } else {
            assert_eq!(text, "any");
        }
        Decision::Generate(Generate {
            until,
            ..Generate::default()
        })
    };
    text.split(' ').map(one).collect()
}

fn set(request: &mut SessionRequest, setting: &str) {
    let (name, value) = setting.split_once(' ').unwrap();
    match name {
        "max" => request.max_tokens = value.parse().unwrap(),
        "stop" => request.stops.push(value.to_owned()),
        "cover" => {
            request.cover = Cover::new(value.parse().unwrap());
            request.cover.close();
        }
        _ => panic!("no setting is called {name}"),
    }
}

/// What happened at each pass, from what the session told.
fn trace(vocabulary: &Vocabulary, outcome: &Outcome) -> String {
    let mut before = crate::Usage::default();
    let mut passes = Vec::new();
    for piece in outcome.pieces() {
        let mut steps = Vec::new();
        for sampled in &piece.logprobs {
            let wanted = sampled.top[0].token;
            if wanted != sampled.token {
                steps.push(format!("✖{}", show(vocabulary, wanted)));
            }
            steps.push(show(vocabulary, sampled.token));
        }
        let discarded = piece.usage.discarded_tokens - before.discarded_tokens;
        let sampled = u64::try_from(piece.logprobs.len()).unwrap();
        let forced = piece.usage.computed() - before.computed() - sampled;
        if discarded > 0 {
            steps.push(format!("{discarded}↶"));
        }
        if forced > 0 {
            steps.push(format!("+{forced}"));
        }
        before = piece.usage;
        if !steps.is_empty() {
            passes.push(steps.join(" "));
        }
    }
    passes.join(" · ")
}

fn finish_name(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::StopString => "stop string",
        Finish::Length => "length",
        Finish::Budget => "budget",
        Finish::Filtered => "filtered",
        Finish::Cancelled => "cancelled",
        Finish::Fault(fault) => fault.name(),
    }
}

fn ending(outcome: &Outcome) -> String {
    let finish = finish_name(&outcome.ending.finish);
    let complete = match outcome.ending.grammar_complete {
        None => "",
        Some(true) => " complete",
        Some(false) => " incomplete",
    };
    format!("{finish}{complete} {:?}", outcome.text())
}

#[test]
fn built_in_controllers() {
    for row in [
        // The model alone.
        r#"yes no | free | yes · ␣ · no · END | stop "yes no""#,
        // A choice stops without a pass once nothing may follow.
        r#"maybe, yes | allow yes,no | ✖maybe yes | stop complete "yes""#,
        // Where something may follow, the end is the model's choice.
        r#"yes | allow yes,yes no | +1 · END | stop complete "yes""#,
        // What the grammar dictates is fed in one go and not sampled.
        r#"Mount Kenyaa | lark start: "Mount" " Kenya" /a|b/ | +2 · a | stop complete "Mount Kenyaa""#,
        // The end is not allowed before the matcher accepts.
        r#"aa | regex aab? | +2 · END | stop complete "aa""#,
        r#"no | regex (ab)+ | +2 · END | stop complete "ab""#,
        // Forced text in canonical tokens, with no pass at all.
        r#"no | forced Mount Kenya. | +3 | stop "Mount Kenya.""#,
        r#"no | forced | | stop """#,
        // A quotation needs no full stop and swallows none.
        r#"no, Mount Kenya | quote Go up Mount Kenya. | ✖no Mount · ␣Kenya · END | stop complete "Mount Kenya""#,
        r#"{} | json {"type":"object","properties":{"b":{"type":"boolean"}},"required":["b"],"additionalProperties":false} | +4 · ✖END f +5 | stop complete "{\"b\":false}""#,
    ] {
        check(row);
    }
}

#[test]
fn limits_cut_exactly() {
    for row in [
        r#"aaaa | free | max 2 | a · a | length "aa""#,
        r#"aaaa | free | max 0 | | length """#,
        r#"aaaa | free | cover 3 | a · a · a | budget "aaa""#,
        r#"aaaa | free | cover 0 | | budget """#,
        // The end token is a computed token, but nothing more is computed for it.
        r#"aa | free | max 2 | a · a | length "aa""#,
        // Forced tokens count, and are cut in the middle.
        r#"a | lark start: "Mount" " Kenya" " is" /a|b/ | max 2 | +2 | length incomplete "Mount Kenya""#,
        r#"a | lark start: "Mount" " Kenya" " is" /a|b/ | cover 2 | +2 | budget incomplete "Mount Kenya""#,
        r#"Mount Kenyaa | lark start: "Mount" " Kenya" /a|b/ | max 3 | +2 · a | stop complete "Mount Kenyaa""#,
        // Tokens taken back are covered, but leave room again.
        r#"aaaa | play any:2 2↶ any:2 stop | max 2 | a · a 2↶ · a · a | stop "aa""#,
        r#"aaaa | play any:2 2↶ any:2 stop | cover 3 | a · a 2↶ · a | budget "a""#,
    ] {
        check(row);
    }
}

#[test]
fn stop_strings_match_across_tokens() {
    for row in [
        r#"yesSTOPno | free | stop STOP | yes · STOP | stop string "yes""#,
        r#"abSTOP | free | stop bST | a · b · STOP | stop string "a""#,
        // Held back while it could still become one, sent when it cannot.
        r#"aSTa | free | stop STOP | a · ST · a · END | stop "aSTa""#,
        r#"aST | free | stop STOP | a · ST · END | stop "aST""#,
        // The earliest match counts, not the first in the list.
        r#"aSTOP | free | stop OP | stop STO | a · STOP | stop string "a""#,
        // A complete grammar that contains one is cut all the same.
        r#"a | lark start: "Mount" " Kenya" | stop Ken | +2 | stop string incomplete "Mount ""#,
    ] {
        check(row);
    }
}

#[test]
fn controllers_edit() {
    for row in [
        // Self-repair: the unwanted word is taken back, another put in its place.
        r#"maybe no, yes no | play any:1 1↶yes any | maybe 1↶ +1 · ␣ · no · END | stop "yes no""#,
        // An edit alone needs no pass.
        r#"no | play +Mount␣Kenya stop | +2 | stop "Mount Kenya""#,
        // The segment ends at a stop, at a trigger, at the end of the turn.
        r#"abSTOP | play any~bS +. stop | a · b · STOP +1 | stop "abSTOP.""#,
        r#"abab | play any!b +. stop | a · b +1 | stop "ab.""#,
        r#"a | play any +. any | a · END +1 · END | stop "a.""#,
        // Committed text stays: a controller without reach cannot take it back.
        r#"ab | live any:1 1↶ | a | backtrack_too_far "a""#,
        r#"ab | play any:1 2↶ | a | backtrack_too_far "a""#,
        // Deciding for ever without a token ends it.
        r#"ab | play + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + + | | stalled """#,
    ] {
        check(row);
    }
}

/// One row a test of its own would bury: everything the rows cannot say.
mod beyond_rows {
    use super::*;
    use crate::stage::{PROMPT, noise};
    use crate::{Event, Fault, Usage, Wake};
    use aigen_engine::EngineError;
    use aigen_engine::sampler::Sampling;
    use aigen_engine::scripted::{Script, ScriptedEngine};

    /// A model that says `a` for ever.
    fn endless() -> Stage {
        let a = |vocabulary: &Vocabulary, _: &[TokenId]| {
            let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
            logits[vocabulary.word("a") as usize] = 1.0;
            logits
        };
        Stage::with_script(&WORDS, Script::new(a))
    }

    /// A model whose logits are noise of the text so far.
    fn noisy(seed: u64) -> Stage {
        Stage::with_script(
            &WORDS,
            Script::new(move |vocabulary, history| noise(vocabulary, history, seed)),
        )
    }

    fn program(decisions: Vec<Decision>) -> Program {
        Program::new(Played::new(decisions))
    }

    fn any(tokens: u32) -> Decision {
        let until = Until {
            tokens,
            ..Until::default()
        };
        Decision::Generate(Generate {
            until,
            ..Generate::default()
        })
    }

    fn edit(backtrack: u32, tokens: &[TokenId]) -> Decision {
        Decision::Edit(Edit {
            backtrack,
            tokens: tokens.to_vec(),
            ..Edit::default()
        })
    }

    #[test]
    fn waits_at_the_covered_token_until_extended_or_closed() {
        let stage = endless();
        let cover = Cover::new(2);
        let request = SessionRequest {
            cover: cover.clone(),
            ..stage.request(Program::free())
        };
        let running = stage.start(request);
        assert_eq!(running.until_computed(2).computed(), 2);
        cover.extend_to(5);
        assert_eq!(running.until_computed(5).computed(), 5);
        cover.extend_to(4);
        assert_eq!(cover.tokens(), 5);
        cover.close();
        let outcome = running.outcome();
        assert_eq!(outcome.ending.finish, Finish::Budget);
        assert_eq!(outcome.ending.usage.computed(), 5);
        // The prompt's pass gives the first token, each later one costs a pass: no
        // pass was made for a token beyond the cover.
        assert_eq!(stage.fed().len(), 4);
    }

    #[test]
    fn nothing_covered_yet_is_no_end() {
        let stage = endless();
        let cover = Cover::new(0);
        let request = SessionRequest {
            cover: cover.clone(),
            max_tokens: 1,
            ..stage.request(Program::free())
        };
        let running = stage.start(request);
        cover.extend_to(1);
        assert_eq!(running.outcome().text(), "a");
    }

    #[test]
    fn cancelling_ends_a_waiting_and_a_running_session() {
        let stage = endless();
        let cover = Cover::new(1);
        let waiting = stage.start(SessionRequest {
            cover,
            ..stage.request(Program::free())
        });
        waiting.until_computed(1);
        waiting.handle.cancel();
        let ending = waiting.outcome().ending;
        assert_eq!(
            (ending.finish, ending.usage.computed()),
            (Finish::Cancelled, 1)
        );

        let running = stage.start(SessionRequest {
            max_tokens: 4000,
            ..stage.request(Program::free())
        });
        running.until_computed(1);
        drop(running.handle);
        let last = running.events.iter().last();
        assert!(
            matches!(last, Some(Event::Finished(ending)) if ending.finish == Finish::Cancelled)
        );
    }

    #[test]
    fn a_failing_engine_ends_it_with_what_was_made() {
        let script = Script::replies([(PROMPT, ["yes no"])]);
        let engine = ScriptedEngine::new(Vocabulary::with_words(WORDS), script).failing_at(2);
        let mut stage = endless();
        stage.engine = aigen_engine::start(Box::new(engine), Default::default());
        let outcome = stage.run(stage.request(Program::free()));
        let forward = matches!(
            outcome.ending.finish,
            Finish::Fault(Fault::Engine(EngineError::Forward { .. }))
        );
        assert!(forward, "{outcome:?}");
        assert_eq!(
            (outcome.text().as_str(), outcome.ending.usage.computed()),
            ("yes", 1)
        );
    }

    #[test]
    fn a_crash_is_an_ending_too() {
        struct Crash;
        impl crate::Controller for Crash {
            fn step(&mut self, report: &crate::Report<'_>) -> Result<crate::Turn, Fault> {
                assert_eq!(report.why, Wake::Started, "boom");
                Ok(any(1).into())
            }
        }
        struct Crashing;
        impl crate::Blueprint for Crashing {
            fn digest(&self) -> aigen_types::Digest {
                aigen_types::Digest::ZERO
            }
            fn open(&self, _: &Opening<'_>) -> Result<Box<dyn crate::Controller>, Fault> {
                Ok(Box::new(Crash))
            }
        }
        let stage = endless();
        let outcome = stage.run(stage.request(Program::new(Crashing)));
        assert_eq!(outcome.ending.finish, Finish::Fault(Fault::Crashed));
        // The neighbours live.
        let request = SessionRequest {
            max_tokens: 1,
            ..stage.request(Program::free())
        };
        assert_eq!(stage.run(request).text(), "a");
    }

    #[test]
    fn forced_tokens_are_one_small_prefill() {
        let stage = Stage::wanting(&WORDS, &["yesMount Kenya is high."]);
        let program = stage
            .compiler
            .lark(r#"start: /yes|no/ "Mount Kenya is high" /[.a]/"#)
            .unwrap();
        let outcome = stage.run(stage.request(program));
        assert_eq!(outcome.text(), "yesMount Kenya is high.");
        // `yes` and the four tokens it forces in one pass, then the last is sampled.
        assert_eq!(stage.fed(), [5]);
        let usage = Usage {
            sampled_tokens: 2,
            forced_tokens: 4,
            ..Usage::default()
        };
        assert_eq!(outcome.ending.usage, usage);
        let logprobs = outcome
            .pieces()
            .map(|piece| piece.logprobs.len())
            .sum::<usize>();
        assert_eq!(logprobs, 2, "no logprob is invented for a forced token");
    }

    /// So that what a grammar forces without end holds nobody else up for long.
    #[test]
    fn a_long_forced_text_goes_in_parts() {
        let stage = Stage::wanting(&WORDS, &["yes"]);
        let program = stage.compiler.lark(r#"start: /yes|no/ "a"{600}"#).unwrap();
        let outcome = stage.run(SessionRequest {
            max_tokens: 1000,
            ..stage.request(program)
        });
        assert_eq!(outcome.text(), format!("yes{}", "a".repeat(600)));
        assert_eq!(outcome.ending.usage.forced_tokens, 600);
        // `yes` and the first, then twice; what ends the text is never computed.
        assert_eq!(stage.fed(), [257, 256]);
    }

    #[test]
    fn incomplete_characters_are_held_back() {
        // Bytes of `é€😀` one by one, then bytes that are no UTF-8.
        let bytes = "é€😀".bytes().chain([0xff, b'a', 0xe2, 0x82]);
        let tokens: Vec<TokenId> = bytes.map(TokenId::from).collect();
        let mut decisions = vec![];
        for token in &tokens {
            decisions.push(edit(0, &[*token]));
            decisions.push(any(1));
            decisions.push(edit(1, &[]));
        }
        let stage = endless();
        let played = Played {
            reach: 1,
            ..Played::new(decisions)
        };
        let outcome = stage.run(stage.request(Program::new(played)));
        let texts: Vec<&str> = outcome.pieces().map(|piece| &*piece.text).collect();
        assert_eq!(texts.concat(), "é€😀\u{fffd}a\u{fffd}");
        let characters = texts.iter().all(|text| text.chars().count() <= 1);
        assert!(characters, "{texts:?}");
    }

    #[test]
    fn text_within_reach_is_not_sent() {
        let stage = Stage::wanting(&WORDS, &["abababab"]);
        for (reach, expected) in [(0, "abab"), (1, "aba"), (3, "a"), (9, "")] {
            let until = vec![any(4), any(1)];
            let played = Played {
                reach,
                ..Played::new(until)
            };
            let running = stage.start(SessionRequest {
                cover: Cover::new(4),
                ..stage.request(Program::new(played))
            });
            let mut sent = String::new();
            for event in &running.events {
                let Event::Output(piece) = event else {
                    continue;
                };
                sent.push_str(&piece.text);
                if piece.usage.computed() == 4 {
                    break;
                }
            }
            assert_eq!(sent, expected, "reach {reach}");
        }
    }

    #[test]
    fn the_same_request_gives_the_same_tokens_and_decisions() {
        let run = |seed| {
            let stage = noisy(7);
            let sampling = Sampling {
                seed,
                ..Sampling::default()
            };
            let program = program(vec![any(4), edit(2, &[]), any(8)]);
            let outcome = stage.run(SessionRequest {
                sampling,
                max_tokens: 32,
                ..stage.request(program)
            });
            outcome.without_time()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1).ending.decisions, run(2).ending.decisions);
    }

    #[test]
    fn a_rewind_does_not_repeat_the_random_stream() {
        let stage = noisy(3);
        let again = [any(1), edit(1, &[])];
        let decisions: Vec<Decision> = (0..32).flat_map(|_| again.clone()).collect();
        let request = stage.request(program(decisions));
        let outcome = stage.run(SessionRequest {
            sampling: Sampling::default(),
            ..request
        });
        let tokens: std::collections::BTreeSet<TokenId> = outcome
            .pieces()
            .flat_map(|piece| &piece.logprobs)
            .map(|sampled| sampled.token)
            .collect();
        assert!(tokens.len() > 8, "{tokens:?}");
    }

    #[test]
    fn identical_rewinds_end_it() {
        let stage = endless();
        let again = [any(1), edit(1, &[])];
        let decisions: Vec<Decision> = (0..32).flat_map(|_| again.clone()).collect();
        let outcome = stage.run(stage.request(program(decisions)));
        assert_eq!(
            outcome.ending.finish,
            Finish::Fault(Fault::RewindRepeated { times: 8 })
        );
        assert_eq!(outcome.ending.usage.discarded_tokens, 8);
    }

    /// A controller that goes on after every end gets no more tokens than were asked for.
    #[test]
    fn ends_that_are_passed_over_count() {
        let stage = Stage::wanting(&WORDS, &["ab"]);
        let mut request = stage.request(program(vec![any(0); 100]));
        request.max_tokens = 10;
        let ending = stage.run(request).ending;
        assert_eq!(ending.finish, Finish::Length);
        assert_eq!(
            ending.usage.sampled_tokens, 10,
            "two of the text, eight ends"
        );
    }

    #[test]
    fn the_controller_hears_what_happened() {
        let stage = Stage::wanting(&WORDS, &["abSTOP"]);
        let mut until = Until {
            stops: vec![b"ST".to_vec()],
            ..Until::default()
        };
        until.triggers = stage.vocabulary.encode("a", false, false);
        let segment = Decision::Generate(Generate {
            until,
            ..Generate::default()
        });
        let played = Played::new(vec![segment.clone(), any(1), segment, edit(1, &[]), any(0)]);
        let wakes = played.wakes.clone();
        stage.run(stage.request(Program::new(played)));
        let expected = [
            Wake::Started,
            Wake::Triggered,
            Wake::TokenLimit,
            Wake::StopMatched,
            Wake::Edited,
            Wake::EndOfSequence,
        ];
        assert_eq!(*wakes.lock().unwrap(), expected);
    }

    #[test]
    fn bad_edits_are_faults() {
        let unknown = endless().vocabulary.vocab_size();
        for (decision, fault) in [
            (edit(0, &[unknown]), "token_unknown"),
            (edit(0, &vec![97; 5000]), "edit_too_long"),
            (edit(1, &[]), "backtrack_too_far"),
        ] {
            let stage = endless();
            let outcome = stage.run(stage.request(program(vec![decision])));
            assert!(matches!(outcome.ending.finish, Finish::Fault(found) if found.name() == fault));
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let stage = endless();
        let refuse = |request: SessionRequest, engine: &EngineHandle| {
            start(engine, request, Box::new(|event| panic!("{event:?}")))
                .err()
                .unwrap()
        };
        let request = stage.request(Program::free());
        for stops in [
            vec![String::new()],
            vec!["x".repeat(257)],
            vec!["x".to_owned(); 17],
        ] {
            let request = SessionRequest {
                stops,
                ..request.clone()
            };
            assert_eq!(refuse(request, &stage.engine), StartError::Stops);
        }
        let empty = SessionRequest {
            prompt: Vec::new(),
            ..request
        };
        assert_eq!(
            refuse(empty, &stage.engine),
            StartError::Engine(EngineError::PromptEmpty)
        );
        let script = Script::replies([(PROMPT, ["a"])]);
        let engine = ScriptedEngine::new(Vocabulary::with_words(WORDS), script).without_backtrack();
        let engine = aigen_engine::start(Box::new(engine), Default::default());
        let backtracks = stage.request(program(vec![]));
        assert!(matches!(
            refuse(backtracks, &engine),
            StartError::Unsupported { .. }
        ));
    }

    #[test]
    fn the_context_is_a_limit() {
        let stage = endless();
        let request = SessionRequest {
            max_tokens: u32::MAX,
            ..stage.request(Program::free())
        };
        let ending = stage.run(request).ending;
        assert_eq!(ending.finish, Finish::Length);
        // 4,096 tokens of context, 2 of prompt; the last token is never fed.
        assert_eq!(ending.usage.sampled_tokens, 4095);
    }
}
