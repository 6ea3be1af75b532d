//! What controllers do wrong beside deciding: each ends their own session, by the name of what it was.

use aigen_engine::TokenId;
use aigen_types::Digest;

use super::finish_name;
use crate::stage::{Played, Stage};
use crate::{
    Allow, Blueprint, Controller, Decision, Event, Fault, Generate, Opening, Program, Report,
    StartError, Turn, Until, start,
};

/// A matcher that failed looks as if it were finished: nothing is generated under it, and nothing is
/// taken for complete.
#[test]
fn a_matcher_that_failed_before_is_no_constraint() {
    let stage = Stage::wanting(&["aa"], &["aaaa"]);
    let matcher = stage.compiler.regex("a+").unwrap().matcher().unwrap();
    matcher.rollback(9).unwrap_err();
    let under = Generate {
        allow: Allow::Matcher(matcher),
        ..Generate::default()
    };
    let played = Played::new([Decision::Generate(under)]);
    let ending = stage.run(stage.request(Program::new(played))).ending;
    assert_eq!(finish_name(&ending.finish), "constraint");
    assert_eq!(ending.usage.computed(), 0);
}

#[test]
fn stop_texts_are_found_however_many_they_are_and_not_too_many() {
    let ends = |stops: Vec<Vec<u8>>| {
        let stage = Stage::wanting(&["STOP", "ST", "OP"], &["aSTOPb"]);
        let until = Until {
            stops,
            ..Until::default()
        };
        let generate = Generate {
            until,
            ..Generate::default()
        };
        let played = Played::new([Decision::Generate(generate)]);
        let outcome = stage.run(stage.request(Program::new(played)));
        format!("{} {}", finish_name(&outcome.ending.finish), outcome.text())
    };
    let long = |length| vec![b'x'; length];
    for (stops, expected) in [
        (vec![b"TO".to_vec()], "stop aSTOP"),
        (vec![long(1000), b"aS".to_vec(), Vec::new()], "stop aSTOP"),
        (vec![b"OPb".to_vec(), long(3)], "stop aSTOPb"),
        (vec![b"aSTOPbc".to_vec(), long(16_000)], "stop aSTOPb"),
        (vec![long(16); 1024], "stop aSTOPb"),
        (vec![long(17); 1024], "decision_too_large "),
        (vec![long(16 * 1024 + 1)], "decision_too_large "),
    ] {
        let shown: Vec<usize> = stops.iter().map(Vec::len).take(3).collect();
        assert_eq!(ends(stops), expected, "{shown:?}");
    }
}

/// A controller that has nothing but a prompt of its own.
struct Prompting(Vec<TokenId>);

impl Blueprint for Prompting {
    fn digest(&self) -> Digest {
        crate::program::digest_of("prompting", "")
    }

    fn open(&self, _opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        Ok(Box::new(Self(self.0.clone())))
    }
}

impl Controller for Prompting {
    fn prompt(&mut self) -> Result<Option<Vec<TokenId>>, Fault> {
        Ok(Some(self.0.clone()))
    }

    fn step(&mut self, _report: &Report<'_>) -> Result<Turn, Fault> {
        Ok(Decision::stop().into())
    }
}

/// It is not the engine that failed.
#[test]
fn a_prompt_that_is_none_is_its_controllers_fault() {
    for (prompt, expected) in [
        (Vec::new(), "controller"),
        (vec![1, TokenId::MAX], "token_unknown"),
        (vec![1; 257], "prompt_too_long"),
    ] {
        let stage = Stage::wanting(&["yes"], &["yes"]);
        let request = stage.request(Program::new(Prompting(prompt)));
        match start(&stage.engine, request, Box::new(|_event: Event| ())) {
            Err(StartError::Fault(fault)) => assert_eq!(fault.name(), expected),
            other => panic!("{expected}: {:?}", other.err()),
        }
    }
}
