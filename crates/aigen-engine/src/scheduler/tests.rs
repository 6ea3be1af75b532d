mod aside;
mod leaving;
mod memory;
mod unread;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::scripted::{PassLog, Script, ScriptedEngine, Vocabulary};
use crate::{EngineError, Limits, Sequence, Tokenizer};

/// What a test sees of a driver.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Started(&'static str, Start),
    Said(&'static str, TokenId),
    Resumed(&'static str),
    Refused(&'static str, u32),
    Failed(&'static str, EngineError),
    Gone(&'static str),
}
use Event::*;

type Next = Box<dyn FnMut(Heard) -> Step + Send>;

/// What a scripted driver decides upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Token(TokenId),
    Resumed,
    Refused,
}

/// A driver that reports everything and leaves decisions to a closure.
struct Probe {
    name: &'static str,
    events: Sender<Event>,
    decide: Next,
}

impl Probe {
    fn new(
        name: &'static str,
        events: &Sender<Event>,
        decide: impl FnMut(Heard) -> Step + Send + 'static,
    ) -> Box<Self> {
        Box::new(Self {
            name,
            events: events.clone(),
            decide: Box::new(decide),
        })
    }

    fn report(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

impl Driver for Probe {
    fn started(&mut self, start: Start) -> bool {
        self.report(Started(self.name, start));
        true
    }

    fn next(&mut self, input: Input<'_>) -> Step {
        let (event, said) = match input {
            Input::Logits(logits) => {
                let token = greedy(logits);
                (Said(self.name, token), Heard::Token(token))
            }
            Input::Resumed => (Resumed(self.name), Heard::Resumed),
            Input::ForkRefused { free } => (Refused(self.name, free), Heard::Refused),
            Input::Failed(failure) => {
                self.report(Failed(self.name, failure.error.clone()));
                return Step::Done;
            }
        };
        self.report(event);
        (self.decide)(said)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.report(Gone(self.name));
    }
}

fn greedy(logits: &[f32]) -> TokenId {
    let best = (0..logits.len())
        .rev()
        .max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.expect("a vocabulary is not empty") as TokenId
}

/// Says the next letter after the last one: a, b, c…
fn alphabet() -> Script {
    Script::new(|vocabulary, history| {
        let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
        let last = history.last().copied().unwrap_or(0);
        logits[((last + 1) % 256) as usize] = 1.0;
        logits
    })
}

/// Feeds back what was said, `count` times, then is done.
fn decode(mut count: u32) -> impl FnMut(Heard) -> Step + Send {
    move |said| {
        count -= 1;
        match said {
            Heard::Token(token) if count > 0 => Step::Feed(vec![token]),
            _ => Step::Done,
        }
    }
}

fn feed(token: TokenId) -> Step {
    Step::Feed(vec![token])
}

fn text(text: &str) -> Vec<TokenId> {
    Vocabulary::bytes().encode(text, false, false)
}

struct Bench {
    handle: EngineHandle,
    passes: PassLog,
    events: Sender<Event>,
    seen: Receiver<Event>,
}

impl Bench {
    /// Nobody is asked aside but where the limits say so: on a busy machine any call may take long.
    fn of(engine: ScriptedEngine, mut limits: Limits) -> Self {
        if limits.call_max == Limits::default().call_max {
            limits.call_max = Duration::MAX;
        }
        let passes = engine.pass_log();
        let (events, seen) = channel();
        Self {
            handle: start(Box::new(engine), limits),
            passes,
            events,
            seen,
        }
    }

    /// Submits for a tenant, and gives the events of this session alone.
    fn submit_for(&self, tenant: u64, prompt: &str, count: u32) -> Receiver<Event> {
        let (events, seen) = channel();
        let terms = Terms {
            tenant,
            ..Terms::default()
        };
        let driver = Probe::new("s", &events, decode(count));
        self.handle
            .submit_on(terms, text(prompt), driver)
            .expect("there is room");
        seen
    }

    fn with_sequences(sequences: u32) -> Self {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
        Self::of(engine.with_sequences(sequences), Limits::default())
    }

    fn submit(
        &self,
        name: &'static str,
        prompt: &str,
        decide: impl FnMut(Heard) -> Step + Send + 'static,
    ) -> SessionControl {
        let driver = Probe::new(name, &self.events, decide);
        self.handle
            .submit(text(prompt), driver)
            .expect("there is room")
    }

    /// Everything seen up to the end of as many drivers as named.
    fn until_gone(&self, mut drivers: usize) -> Vec<Event> {
        let mut all = Vec::new();
        while drivers > 0 {
            let event = self.seen.recv().expect("this end holds a sender too");
            drivers -= usize::from(matches!(event, Gone(_)));
            all.push(event);
        }
        all
    }

    fn until(&self, event: &Event) {
        while self.seen.recv().as_ref() != Ok(event) {}
    }

    fn said(&self, name: &str, drivers: usize) -> String {
        let said = self
            .until_gone(drivers)
            .into_iter()
            .filter_map(|event| match event {
                Said(who, token) if who == name => char::from_u32(token),
                _ => None,
            });
        said.collect()
    }
}

#[test]
fn a_session_decodes_and_leaves() {
    let bench = Bench::with_sequences(1);
    bench.submit("a", "xyzab", decode(3));
    let start = Start {
        prompt_tokens: 5,
        cached_prompt_tokens: 0,
    };
    let said = |letter| Said("a", u32::from(letter));
    let expected = [
        Started("a", start),
        said(b'c'),
        said(b'd'),
        said(b'e'),
        Gone("a"),
    ];
    assert_eq!(bench.until_gone(1), expected);
    assert_eq!(bench.handle.sessions(), 0);
    let fed: Vec<u32> = bench.passes.passes().iter().map(|pass| pass[0].1).collect();
    assert_eq!(fed, [5, 1, 1]);
}

/// A pass, a driver and the scheduling around them each take time, and all is told once the thread is gone.
#[test]
fn the_time_of_the_thread_is_told() {
    let bench = Bench::with_sequences(1);
    assert_eq!(bench.handle.load().spent, Spent::default());
    assert_eq!(bench.submit_for(1, "a", 3).iter().count(), 5);
    bench.handle.shut_down();
    let spent = bench.handle.load().spent;
    let times = [spent.passes, spent.sessions, spent.scheduling];
    assert!(times.iter().all(|time| !time.is_zero()), "{spent:?}");
}

#[test]
fn drivers_may_feed_much_nothing_and_backtrack() {
    let bench = Bench::with_sequences(1);
    let mut steps = vec![
        Step::Done,
        Step::Backtrack {
            remove: 2,
            feed: vec![],
        },
        Step::Backtrack {
            remove: 3,
            feed: text("p"),
        },
        Step::Feed(vec![]),
        Step::Feed(text("klm")),
    ];
    bench.submit("a", "a", move |_| steps.pop().expect("five steps"));
    // a|b → aklm|n → again n → (1 + 4 - 3) ap|q → backtrack too far would leave none
    let events = bench.until_gone(1);
    let failed = events.iter().find(|event| matches!(event, Failed(..)));
    assert_eq!(
        failed,
        Some(&Failed(
            "a",
            EngineError::BacktrackTooFar {
                remove: 2,
                length: 2
            }
        ))
    );
    let said: Vec<_> = events
        .iter()
        .filter(|event| matches!(event, Said(..)))
        .collect();
    let letters = ["b", "n", "n", "q"].map(|letter| Said("a", text(letter)[0]));
    assert_eq!(said, letters.iter().collect::<Vec<_>>());
}

#[test]
fn a_backtrack_without_new_tokens_asks_again() {
    let bench = Bench::with_sequences(1);
    let mut steps = vec![
        Step::Done,
        Step::Backtrack {
            remove: 2,
            feed: vec![],
        },
        Step::Feed(text("xyz")),
    ];
    bench.submit("a", "a", move |_| steps.pop().expect("three steps"));
    assert_eq!(bench.said("a", 1), "b{y");
}

#[test]
fn refusals_come_before_the_driver_is_called() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet()).with_context(4);
    let bench = Bench::of(engine, Limits::default());
    let submit = |sequences, prompt: &[TokenId]| {
        let driver = Probe::new("a", &bench.events, |_| Step::Done);
        bench
            .handle
            .submit_on(
                Terms {
                    sequences,
                    ..Terms::default()
                },
                prompt.to_vec(),
                driver,
            )
            .err()
    };
    let vocab_size = bench.handle.info().vocab_size;
    let rows = [
        (1, vec![], EngineError::PromptEmpty),
        (
            1,
            vec![1; 5],
            EngineError::ContextTooLong {
                prompt: 5,
                context: 4,
            },
        ),
        (
            1,
            vec![999],
            EngineError::TokenUnknown {
                token: 999,
                vocab_size,
            },
        ),
        (
            5,
            vec![1],
            EngineError::SequencesExhausted { wanted: 5, free: 4 },
        ),
    ];
    for (sequences, prompt, expected) in rows {
        assert_eq!(submit(sequences, &prompt), Some(expected));
    }
    assert_eq!(
        bench.until_gone(4),
        [Gone("a"), Gone("a"), Gone("a"), Gone("a")]
    );
    assert_eq!(bench.handle.sessions(), 0);
}

#[test]
fn bad_steps_fail_their_own_session_only() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet()).with_context(4);
    let vocab_size = Vocabulary::bytes().vocab_size();
    let bench = Bench::of(engine, Limits::default());
    bench.submit("good", "a", decode(4));
    bench.submit("full", "a", |_| Step::Feed(text("bcde")));
    bench.submit("strange", "a", |_| feed(999));
    let events = bench.until_gone(3);
    let full = EngineError::ContextFull { context: 4 };
    let strange = EngineError::TokenUnknown {
        token: 999,
        vocab_size,
    };
    assert!(events.contains(&Failed("full", full)));
    assert!(events.contains(&Failed("strange", strange)));
    assert!(events.contains(&Said("good", u32::from(b'e'))));
}

#[test]
fn a_full_engine_makes_sessions_wait_in_line_and_then_refuses() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet()).with_sequences(1);
    let bench = Bench::of(
        engine,
        Limits {
            waiting_max: 2,
            ..Limits::default()
        },
    );
    let first = bench.submit("first", "a", |_| Step::Wait);
    bench.until(&Said("first", u32::from(b'b')));
    let second = bench.submit("second", "k", decode(1));
    bench.submit("third", "p", decode(1));
    let driver = Probe::new("fourth", &bench.events, decode(1));
    let refused = bench.handle.submit(text("a"), driver).err();
    assert_eq!(refused, Some(EngineError::Busy { sessions: 3 }));
    first.cancel();
    let order: Vec<Event> = bench.until_gone(4);
    let started = order.iter().filter_map(|event| match event {
        Started(name, _) => Some(*name),
        _ => None,
    });
    assert_eq!(started.collect::<Vec<_>>(), ["second", "third"]);
    second.cancel();
    assert_eq!(bench.handle.sessions(), 0);
}

#[test]
fn waiting_sessions_are_resumed_and_no_wake_is_lost() {
    let bench = Bench::with_sequences(2);
    let mut waits = 0;
    let control = bench.submit("a", "a", move |said| match said {
        Heard::Token(_) if waits == 2 => Step::Done,
        Heard::Token(_) => Step::Wait,
        _ => {
            waits += 1;
            Step::Feed(vec![])
        }
    });
    // The first wake may come before the session even started.
    control.wake();
    bench.until(&Resumed("a"));
    control.wake();
    let letter = Said("a", u32::from(b'b'));
    let rest = bench.until_gone(1);
    assert_eq!(
        rest,
        [Said("a", u32::from(b'b')), Resumed("a"), letter, Gone("a")]
    );
}

#[test]
fn a_session_that_waits_holds_nobody_up() {
    let bench = Bench::with_sequences(2);
    let waiting = bench.submit("waiting", "a", |_| Step::Wait);
    bench.submit("busy", "a", decode(5));
    assert_eq!(bench.said("busy", 1), "bcdef");
    waiting.cancel();
    let events = bench.until_gone(1);
    assert!(events.contains(&Failed("waiting", EngineError::Cancelled)));
}

#[test]
fn a_panic_ends_its_own_session_only() {
    let bench = Bench::with_sequences(3);
    bench.submit("well-behaved", "a", decode(6));
    bench.submit("panics", "a", |_| panic!("a driver's fault"));
    assert_eq!(bench.said("well-behaved", 2), "bcdefg");
    assert_eq!(bench.handle.sessions(), 0);
    bench.submit("next", "a", decode(1));
    assert_eq!(bench.said("next", 1), "b");
}

/// Panics in a hook, or when dropped.
struct Explosive(&'static str, Sender<Event>);

impl Driver for Explosive {
    fn started(&mut self, _: Start) -> bool {
        assert_ne!(self.0, "started");
        true
    }

    fn prepare(&mut self) {
        assert_ne!(self.0, "prepare");
    }

    fn next(&mut self, _: Input<'_>) -> Step {
        Step::Done
    }
}

impl Drop for Explosive {
    fn drop(&mut self) {
        let _ = self.1.send(Gone(self.0));
        assert_ne!(self.0, "drop");
    }
}

#[test]
fn panics_in_hooks_are_caught_too() {
    for hook in ["started", "prepare", "drop"] {
        let bench = Bench::with_sequences(1);
        let explosive = Box::new(Explosive(hook, bench.events.clone()));
        bench
            .handle
            .submit(text("a"), explosive)
            .expect("there is room");
        bench.until_gone(1);
        bench.submit("next", "a", decode(2));
        assert_eq!(bench.said("next", 1), "bc", "{hook}");
    }
}

#[test]
fn a_failed_pass_is_told_to_everybody_in_it() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet()).failing_at(2);
    let bench = Bench::of(engine, Limits::default());
    bench.submit("a", "a", decode(9));
    let reason = "the script says so".to_owned();
    assert!(
        bench
            .until_gone(1)
            .contains(&Failed("a", EngineError::Forward { reason }))
    );
    bench.submit("b", "a", decode(2));
    assert_eq!(bench.said("b", 1), "bc");
}

#[test]
fn a_fork_shares_its_logits_and_then_goes_its_own_way() {
    let bench = Bench::with_sequences(3);
    let events = bench.events.clone();
    let mut forked = false;
    bench.submit("parent", "a", move |_| {
        if std::mem::replace(&mut forked, true) {
            return Step::Done;
        }
        let mut told = false;
        let child = Probe::new("child", &events, move |_| {
            if std::mem::replace(&mut told, true) {
                Step::Done
            } else {
                Step::Feed(text("x"))
            }
        });
        let other = Probe::new("other", &events, |_| Step::Done);
        Step::Fork(vec![child, other])
    });
    let events = bench.until_gone(3);
    let said: Vec<&Event> = events
        .iter()
        .filter(|event| matches!(event, Said(..)))
        .collect();
    let b = u32::from(b'b');
    let expected = [
        Said("parent", b),
        Said("parent", b),
        Said("child", b),
        Said("other", b),
        Said("child", u32::from(b'y')),
    ];
    assert_eq!(said, expected.iter().collect::<Vec<_>>());
    // One pass for the prompt, one for the child's token: the fork cost none.
    let passes = bench.passes.passes();
    assert_eq!(passes, [vec![(Sequence(0), 1)], vec![(Sequence(1), 1)]]);
    assert_eq!(bench.handle.sessions(), 0);
}

#[test]
fn a_fork_without_sequences_is_refused_and_insisting_ends_it() {
    let bench = Bench::with_sequences(2);
    let events = bench.events.clone();
    let fork = move || {
        let child = |name| Probe::new(name, &events, |_| Step::Done) as Box<dyn Driver>;
        Step::Fork(vec![child("child"), child("child")])
    };
    let insist = fork.clone();
    bench.submit("insists", "a", move |_| insist());
    let events = bench.until_gone(5);
    let exhausted = EngineError::SequencesExhausted { wanted: 2, free: 1 };
    assert!(events.contains(&Refused("insists", 1)));
    assert!(events.contains(&Failed("insists", exhausted)));
    bench.submit("yields", "a", move |said| match said {
        Heard::Token(_) => fork(),
        _ => Step::Done,
    });
    assert!(bench.until_gone(3).contains(&Refused("yields", 1)));
}

#[test]
fn reserved_sequences_are_kept_for_the_fork() {
    let bench = Bench::with_sequences(3);
    let events = bench.events.clone();
    let mut forked = false;
    let driver = Probe::new("forks", &bench.events, move |said| match said {
        Heard::Token(_) if std::mem::replace(&mut forked, true) => Step::Done,
        Heard::Token(_) => Step::Wait,
        _ => {
            let child = |name| Probe::new(name, &events, |_| Step::Done) as Box<dyn Driver>;
            Step::Fork(vec![child("one"), child("two")])
        }
    });
    let control = bench
        .handle
        .submit_on(
            Terms {
                sequences: 3,
                ..Terms::default()
            },
            text("a"),
            driver,
        )
        .expect("there is room");
    bench.submit("later", "a", decode(1));
    control.wake();
    let events = bench.until_gone(4);
    assert!(
        !events.iter().any(|event| matches!(event, Refused(..))),
        "{events:?}"
    );
    let later = events
        .iter()
        .position(|event| matches!(event, Started("later", _)));
    let forked = events
        .iter()
        .position(|event| matches!(event, Said("two", _)));
    assert!(later > forked, "{events:?}");
}

#[test]
fn stopping_tells_everybody() {
    let bench = Bench::with_sequences(1);
    bench.submit("runs", "a", |_| Step::Wait);
    bench.submit("waits", "a", |_| Step::Wait);
    bench.handle.shut_down();
    let events = bench.until_gone(2);
    assert!(events.contains(&Failed("runs", EngineError::Stopped)));
    assert!(events.contains(&Failed("waits", EngineError::Stopped)));
    let refused = bench
        .handle
        .submit(text("a"), Probe::new("late", &bench.events, decode(1)));
    assert_eq!(refused.err(), Some(EngineError::Stopped));
}

#[test]
fn dropping_the_last_handle_stops() {
    let Bench {
        handle,
        events,
        seen,
        ..
    } = Bench::with_sequences(1);
    let clone = handle.clone();
    let driver = Probe::new("a", &events, |_| Step::Wait);
    handle.submit(text("a"), driver).expect("there is room");
    drop(handle);
    drop(clone);
    drop(events);
    let last: Vec<Event> = seen.iter().collect();
    assert_eq!(
        last[last.len() - 2..],
        [Failed("a", EngineError::Stopped), Gone("a")]
    );
}

#[test]
fn long_prompts_do_not_hold_decoding_up() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
    let bench = Bench::of(
        engine,
        Limits {
            batch_tokens: 8,
            ..Limits::default()
        },
    );
    let (go, gate) = channel::<()>();
    let mut count = 0;
    bench.submit("decodes", "a", move |said| {
        count += 1;
        if count == 1 {
            gate.recv().expect("the test opens the gate");
        }
        match said {
            Heard::Token(token) if count < 6 => feed(token),
            _ => Step::Done,
        }
    });
    bench.until(&Said("decodes", u32::from(b'b')));
    bench.submit("reads", &"x".repeat(35), decode(1));
    go.send(()).expect("the driver waits");
    bench.until_gone(2);
    let shares: Vec<Vec<u32>> = bench
        .passes
        .passes()
        .iter()
        .map(|pass| pass.iter().map(|part| part.1).collect())
        .collect();
    let both = vec![1, 7];
    assert_eq!(
        shares,
        [
            vec![1],
            both.clone(),
            both.clone(),
            both.clone(),
            both.clone(),
            both
        ]
    );
}
