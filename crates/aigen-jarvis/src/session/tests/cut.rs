//! Sessions that are ended from outside while their controller computes.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use aigen_engine::Limits;
use aigen_engine::scripted::{Script, ScriptedEngine};

use super::*;
use crate::{Asked, Blueprint, Controller, Cut, Event, Guest, Report, Turn, Wake, replay};

/// What is asked of it that it does not answer before it is recalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hangs {
    Decision,
    /// It has no ear for being recalled: what it would have used is not waited for.
    Deaf,
    LastWord,
}

/// Takes two tokens and stops. A call costs 10, and the one that hangs 7 where it is recalled.
struct Slow {
    hangs: Hangs,
    begun: Mutex<Sender<()>>,
}

struct Hanging {
    context: Context,
    hangs: Hangs,
    begun: Sender<()>,
    recalled: bool,
}

impl Blueprint for Slow {
    fn digest(&self) -> aigen_types::Digest {
        crate::program::digest_of("slow", "")
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        Ok(Box::new(Hanging {
            context: opening.context.clone(),
            hangs: self.hangs,
            begun: self.begun.lock().unwrap().clone(),
            recalled: false,
        }))
    }
}

impl Hanging {
    fn cost(&self, fuel: u64) {
        self.context.charge(Guest {
            fuel,
            micros: 1,
            host_calls: fuel,
        });
    }
}

impl Controller for Hanging {
    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        if report.why == Wake::Started {
            self.cost(10);
            let until = Until {
                tokens: 2,
                ..Until::default()
            };
            return Ok(Decision::Generate(Generate {
                until,
                ..Generate::default()
            })
            .into());
        }
        if self.hangs == Hangs::LastWord {
            self.cost(10);
            return Ok(Decision::stop().into());
        }
        self.begun.send(()).unwrap();
        Ok(Turn::Outside)
    }

    fn poll(&mut self) -> Result<Turn, Fault> {
        if !std::mem::take(&mut self.recalled) {
            return Ok(Turn::Outside);
        }
        self.cost(7);
        Ok(Decision::stop().into())
    }

    fn finish(&mut self) -> Option<Result<String, Fault>> {
        if self.recalled {
            self.cost(7);
            return Some(Ok("\"too late\"".to_owned()));
        }
        self.begun.send(()).unwrap();
        None
    }

    fn recall(&mut self) -> bool {
        // Whoever waits looks again after a while, and need not be told.
        self.recalled = self.hangs != Hangs::Deaf;
        self.recalled
    }
}

/// What it used is known, what it would have decided is not, and a replay ends in the same place without asking.
#[test]
fn what_a_cut_call_used_is_told_and_its_decision_is_not() {
    for (hangs, fuel, used) in [
        (Hangs::Decision, 17, 7),
        (Hangs::Deaf, 10, 0),
        (Hangs::LastWord, 27, 7),
    ] {
        for stage in Stage::both(&WORDS, &["yes yes yes yes"]) {
            let (send, begun) = channel();
            let begins = Mutex::new(send);
            let program = Program::new(Slow {
                hangs,
                begun: begins,
            });
            let running = stage.start(stage.request(program.clone()));
            begun.recv().unwrap();
            running.handle.cancel();
            let outcome = running.outcome();
            let ending = &outcome.ending;
            assert_eq!(ending.finish, Finish::Cancelled, "{hangs:?}");
            assert_eq!(ending.guest.fuel, fuel, "{hangs:?}");
            assert_eq!(ending.outcome, None, "{hangs:?}");
            let log = ending.replay.as_ref().unwrap();
            let cut = Cut {
                guest: Guest {
                    fuel: used,
                    micros: u64::from(used > 0),
                    host_calls: used,
                },
                asked: Asked::default(),
                last_word: hangs == Hangs::LastWord,
            };
            assert_eq!(log.cut, Some(cut), "{hangs:?}");
            while begun.try_recv().is_ok() {}
            let again = replay(stage.vocabulary.clone(), &program, log).unwrap();
            assert_eq!(again.text, outcome.text(), "{hangs:?}");
            assert_eq!(again.ending.decisions, ending.decisions, "{hangs:?}");
            assert_eq!(again.ending.usage, ending.usage, "{hangs:?}");
            assert_eq!(again.ending.finish, ending.finish, "{hangs:?}");
            assert_eq!(again.ending.guest.fuel, fuel, "{hangs:?}");
            assert!(
                begun.try_recv().is_err(),
                "{hangs:?}: it is not asked again"
            );
        }
    }
}

/// Whoever is ended while the prompt is read, two tokens at a time, hears how much of it was not.
#[test]
fn what_was_not_read_of_the_prompt_is_told() {
    let ((begin, begun), (go, gate)) = (channel(), channel());
    let script = Script::new(move |vocabulary, _| {
        let _ = begin.send(());
        let _ = gate.recv();
        let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
        logits[vocabulary.word("a") as usize] = 1.0;
        logits
    });
    let limits = Limits {
        batch_tokens: 3,
        call_max: Duration::MAX,
        ..Limits::default()
    };
    let engine = ScriptedEngine::new(Vocabulary::with_words(WORDS), script);
    let stage = Stage::of(engine, limits);
    let beside = stage.start(stage.request(Program::free()));
    begun.recv().unwrap();
    let reads = stage.start(SessionRequest {
        prompt: vec![97; 20],
        ..stage.request(Program::free())
    });
    go.send(()).unwrap();
    let started = reads.events.recv().unwrap();
    assert!(matches!(started, Event::Started { .. }), "{started:?}");
    // Its first two tokens are in a pass beside the other's second.
    reads.handle.cancel();
    go.send(()).unwrap();
    let ending = reads.outcome().ending;
    assert_eq!(ending.finish, Finish::Cancelled);
    assert_eq!(ending.unread_prompt_tokens, 18);
    drop((go, beside));
}

#[test]
fn nothing_is_read_for_a_controller_that_fails_at_its_start() {
    for stage in Stage::both(&WORDS, &["yes"]) {
        let request = stage.request(program_of(&stage, "play 1↶"));
        let program = request.program.clone();
        let ending = stage.run(request).ending;
        assert_eq!(finish_name(&ending.finish), "backtrack_too_far");
        assert_eq!(ending.unread_prompt_tokens, 2);
        assert!(stage.passes.passes().is_empty());
        let log = ending.replay.as_ref().unwrap();
        let again = replay(stage.vocabulary.clone(), &program, log).unwrap();
        assert_eq!(again.ending.finish, ending.finish);
        assert_eq!(again.ending.decisions, ending.decisions);
    }
}
