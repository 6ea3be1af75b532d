//! Controllers on an engine that answers whole segments: `acts | said | what came of it`.

use std::sync::Arc;

use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::Vocabulary;
use aigen_engine::text::TextFinish;
use tokio_util::sync::CancellationToken;

use crate::stage::{Acted, Stage};
use crate::{
    Allow, Decision, Fault, Finish, Generate, JsonOptions, Program, TextOpening, TextSegment,
    TextSession,
};

fn open(program: &Program) -> TextSession {
    let terms = TextOpening {
        branches: 3,
        ..TextOpening::default()
    };
    TextSession::open(program, &terms, &CancellationToken::new()).unwrap()
}

fn begin(session: &mut TextSession) -> Result<Vec<TextSegment>, Fault> {
    session.begin(&Sampling::greedy())
}

fn acted(stage: &Stage, acts: &str) -> Program {
    Program::new(Acted::new(
        &Arc::new(Vocabulary::bytes()),
        &stage.compiler,
        acts,
    ))
}

/// What an engine said to each of the requests.
fn said(texts: &str) -> Vec<(String, TextFinish)> {
    let texts = texts.split(" / ").map(str::to_owned);
    texts.map(|text| (text, TextFinish::Stop)).collect()
}

/// A server that is asked the same three times says the same three times, unless it draws by other numbers.
#[test]
fn branches_are_asked_with_seeds_of_their_own() {
    let stage = Stage::wanting(&[], &[""]);
    let mut session = open(&acted(&stage, "fork [ any ; any ; any ]"));
    let sampling = Sampling {
        seed: 7,
        ..Sampling::default()
    };
    let segments = session.begin(&sampling).unwrap();
    let branches: Vec<_> = segments.iter().map(|segment| segment.branch).collect();
    assert_eq!(branches, [0, 1, 2]);
    let seeds: Vec<_> = segments.iter().map(|one| one.sampling.seed).collect();
    assert_eq!(seeds[0], 7, "the first is the request itself");
    assert!(
        seeds[1] != seeds[2] && !seeds[1..].contains(&7),
        "{seeds:?}"
    );
    assert!(seeds.iter().all(|seed| *seed < 1 << 31), "{seeds:?}");
    let (_, ending) = session.end(&said("one / two / three"));
    assert_eq!((ending.usage.branches, ending.branch), (2, Some(0)));
}

#[test]
fn a_segment_is_a_request() {
    let stage = Stage::wanting(&[], &[""]);
    for row in [
        "any stop | hello | hello",
        "any:3 stop | hel | hel",
        // What nobody has seen yet may be written anew.
        "any 2↶y stop | hello | hely",
        "any +! stop | hello | hello!",
        "any drop | hello | ",
        "stop | nothing | ",
        "any result:[1] stop | hello | hello",
        "any any stop | hello | unsupported: a second segment",
        "any fork [ stop ; stop ] | hello | unsupported: a fork of a text that has begun",
        "+a fork [ stop ; stop ] | | unsupported: a fork of a text that has begun",
        "+a any stop | hello | unsupported: going on with a text that has begun",
        "sleep:1 stop | | unsupported: to wait for a time",
        // A fork is several requests; the first branch that is kept is the answer.
        "fork [ any stop ; any stop ] | one / two | one",
        "fork [ any drop ; any stop ] | one / two | two",
        "fork [ any drop ; any drop ] | one / two |",
        "fork [ stop ; stop ] | |",
        "fork [ drop ; any stop ] | one | one",
        "fork [ any drop ; any drop ; any +! stop ] | one / two / three | three!",
        "fork [ any join:1,2 stop ; any drop ; any drop ] | one / two / three | one",
        "fork [ any wait:x drop ; any set:x=y stop ] | one / two | two",
        "fork [ wait:x any stop ; set:x=y any drop ] | one / two | one",
        "fork [ fork [ any drop ; any drop ] ; any stop ] | one / two / three | two",
        "fork [ any wait:x stop ; any drop ] | one / two | deadlock: ",
        "fork [ wait:x any stop ; wait:x any stop ] | | deadlock: ",
        "fork [ any any stop ; any stop ] | one / two | unsupported: a second segment",
        "fork [ any ; any ; any ; any ] | | branches_too_many: ",
        "only:a stop | | unsupported: to mask tokens",
        "any!a stop | | unsupported: trigger tokens",
        "with:bias=a:5 any stop | | unsupported: to bias tokens",
        "with:splice=a:1:b any stop | | unsupported: to splice tokens",
        "with:observe=2 any stop | | unsupported: to observe probabilities",
        "lark:start:␣\"a\" stop | | unsupported: a grammar that is no whole JSON Schema",
        "any heal stop | hello | unsupported: to heal tokens",
        "any 9↶y stop | hello | backtrack_too_far: ",
        "result:{ any stop | hello | result_invalid: ",
    ] {
        let cells: Vec<_> = row.split(" |").map(str::trim).collect();
        let mut session = open(&acted(&stage, cells[0]));
        let came = match begin(&mut session) {
            Err(fault) => Err(fault),
            Ok(segments) => {
                let (text, ending) = match segments.is_empty() {
                    false => session.end(&said(cells[1])),
                    true => session.silent(),
                };
                match ending.finish {
                    Finish::Fault(fault) => Err(fault),
                    finish => {
                        assert_eq!(finish, Finish::Stop, "{row}");
                        Ok(text)
                    }
                }
            }
        };
        let came = came.unwrap_or_else(|fault| {
            let what = match &fault {
                Fault::Unsupported { what } => what,
                _ => "",
            };
            format!("{}: {what}", fault.name())
        });
        match cells[2].contains(": ") || cells[2].ends_with(':') {
            true => assert!(came.starts_with(cells[2]), "{row}: {came}"),
            false => assert_eq!(came, cells[2], "{row}"),
        }
    }
}

#[test]
fn a_schema_goes_along_and_the_same_decides_the_same() {
    let bytes = Arc::new(crate::Bytes::default());
    let compiler = crate::Compiler::new(bytes).unwrap();
    let schema = serde_json::json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
    let program = compiler
        .json_schema(&schema, JsonOptions::default())
        .unwrap();
    let run = |said: &str, finish| {
        let mut session = open(&program);
        let segments = begin(&mut session).unwrap();
        assert_eq!(segments[0].schema.as_deref(), Some(&schema));
        session.end(&[(said.to_owned(), finish)])
    };
    let (text, ending) = run("{ \"a\": 1 }", TextFinish::Stop);
    assert_eq!(
        (text.as_str(), ending.grammar_complete),
        ("{ \"a\": 1 }", Some(true))
    );
    let (_, again) = run("{ \"a\": 1 }", TextFinish::Stop);
    let (_, other) = run("{ \"a\": 2 }", TextFinish::Stop);
    assert_eq!(ending.decisions, again.decisions);
    assert_ne!(ending.decisions, other.decisions);
    let (_, cut) = run("{", TextFinish::Length);
    assert_eq!(
        (cut.finish, cut.grammar_complete),
        (Finish::Length, Some(false))
    );
    // A grammar of another kind has no schema to send.
    let choice = compiler.choice(&["a".to_owned()]).unwrap();
    let allow = Allow::Matcher(choice.matcher().unwrap());
    let generate = Decision::Generate(Generate {
        allow,
        ..Generate::default()
    });
    let played = Program::new(crate::stage::Played::new([generate]));
    let refused = begin(&mut open(&played)).unwrap_err();
    assert_eq!(refused.name(), "unsupported");
}
