//! Controllers on an engine that answers whole segments: `acts | said | what came of it`.

use std::sync::Arc;

use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::Vocabulary;
use aigen_engine::text::TextFinish;
use tokio_util::sync::CancellationToken;

use crate::stage::{Acted, Stage};
use crate::{
    Allow, Blueprint, BranchId, Context, Controller, Decision, Fault, Finish, Generate,
    JsonOptions, Observe, Opening, Program, Report, Stop, TextOpening, TextSaid, TextSegment,
    TextSession, Turn, Waiting, Wake,
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
fn said(texts: &str) -> Vec<TextSaid> {
    let texts = texts.split(" / ");
    texts.map(|text| told(text, TextFinish::Stop)).collect()
}

fn told(text: &str, finish: TextFinish) -> TextSaid {
    TextSaid {
        text: text.to_owned(),
        finish,
        logprob: None,
    }
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
        "with:observe=2 any stop | | unsupported: to observe the likeliest tokens",
        "with:observe=sampled any stop | | unsupported: to observe probabilities, on a model that is computed elsewhere and does not tell them",
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
        session.end(&[told(said, finish)])
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

/// Three answer, and the likeliest by its length is kept, as the example of that name does.
struct Likeliest;

struct Likely {
    context: Context,
    index: u32,
}

impl Blueprint for Likeliest {
    fn digest(&self) -> aigen_types::Digest {
        crate::program::digest_of("likeliest", "")
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let context = opening.context.clone();
        Ok(Box::new(Likely { context, index: 0 }))
    }

    fn branches(&self) -> u32 {
        3
    }
}

impl Likely {
    fn judge(&self, branch: BranchId) -> Decision {
        let score = |index: u32| {
            let written = self.context.variable(branch, &index.to_string())?;
            Some(f32::from_le_bytes(written.value.try_into().unwrap()))
        };
        let scores: Vec<_> = (0..3).map(score).collect();
        if scores.contains(&None) {
            let missing = (0..3_u32).filter(|index| scores[*index as usize].is_none());
            let names = missing.map(|index| index.to_string()).collect();
            return Decision::Suspend(Waiting::Variables(names));
        }
        let better = |a: &u32, b: &u32| scores[*a as usize].partial_cmp(&scores[*b as usize]);
        let best = (0..3).rev().max_by(|a, b| better(a, b).unwrap());
        Decision::Stop(Stop {
            keep: best == Some(self.index),
            ..Stop::default()
        })
    }
}

impl Controller for Likely {
    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        let decision = match report.why {
            Wake::Started => Decision::Fork(2),
            Wake::Forked { .. } => Decision::Generate(Generate {
                observe: Observe::Sampled,
                ..Generate::default()
            }),
            Wake::Resumed => self.judge(report.branch),
            _ => {
                let length = f32::from(u16::try_from(report.appended.len()).unwrap());
                let mean = report.logprob.unwrap_or(f32::MIN) / length;
                let name = self.index.to_string();
                let value = mean.to_le_bytes();
                self.context.set_variable(report.branch, &name, &value)?;
                self.judge(report.branch)
            }
        };
        Ok(decision.into())
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        let context = self.context.clone();
        Ok(Box::new(Self { context, index }))
    }
}

/// What a server says of how likely its answers are is told to the branches, and decides; the same again decides the same.
#[test]
fn branches_are_told_how_likely_they_are() {
    let run = |logprobs: [Option<f32>; 3]| {
        let terms = TextOpening {
            branches: 3,
            probabilities: true,
            ..TextOpening::default()
        };
        let program = Program::new(Likeliest);
        let mut session = TextSession::open(&program, &terms, &CancellationToken::new()).unwrap();
        let segments = begin(&mut session).unwrap();
        assert!(segments.iter().all(|segment| segment.probabilities));
        let mut said = said("one / three / seventeen");
        for (said, logprob) in said.iter_mut().zip(logprobs) {
            said.logprob = logprob;
        }
        session.end(&said)
    };
    // By bytes: 3, 5 and 9 of them.
    for (logprobs, kept) in [
        ([Some(-3.0), Some(-4.0), Some(-18.0)], "three"),
        ([Some(-3.0), Some(-5.0), Some(-4.5)], "seventeen"),
        ([Some(-3.0), Some(-5.0), Some(-9.0)], "one"),
        ([None, Some(-50.0), None], "three"),
    ] {
        let (text, ending) = run(logprobs);
        assert_eq!((text.as_str(), &ending.finish), (kept, &Finish::Stop));
        assert_eq!(run(logprobs).1.decisions, ending.decisions);
    }
    let [first, other] = [-3.0, -30.0].map(|first| run([Some(first), Some(-5.0), Some(-9.0)]).1);
    assert_ne!(first.decisions, other.decisions);
}
