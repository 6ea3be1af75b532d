//! What of a prompt was never read, where its session ends before.

use super::super::branch::{Branch, Guarded};
use super::super::handle::Submission;
use super::*;

/// What a session came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    cached: u32,
    said: u32,
    unread: u32,
}

/// Says `count` tokens, and tells in the end what it came to.
struct Teller {
    count: u32,
    told: Told,
    tell: Sender<Told>,
}

impl Driver for Teller {
    fn started(&mut self, start: Start) -> bool {
        self.told.cached = start.cached_prompt_tokens;
        true
    }

    fn next(&mut self, input: Input<'_>) -> Step {
        match input {
            Input::Logits(logits) => {
                self.told.said += 1;
                match self.told.said < self.count {
                    true => feed(greedy(logits)),
                    false => Step::Done,
                }
            }
            Input::Failed(failure) => {
                self.told.unread = failure.unread;
                Step::Done
            }
            Input::Resumed | Input::ForkRefused { .. } => Step::Done,
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        let _ = self.tell.send(self.told);
    }
}

/// Who is told to end at which tick.
type Leaving = (u32, SessionControl);

impl Bench {
    fn submit_teller(
        &self,
        tenant: u64,
        prompt: &str,
        count: u32,
    ) -> (SessionControl, Receiver<Told>) {
        let (tell, told) = channel();
        let driver = Teller {
            count,
            told: Told::default(),
            tell,
        };
        let terms = Terms {
            tenant,
            ..Terms::default()
        };
        let submitted = self.handle.submit_on(terms, text(prompt), Box::new(driver));
        (submitted.expect("there is room"), told)
    }

    /// A session that has one token in every pass once it knows who leaves, and ends them, each at its tick.
    fn start_clock(&self, ticks: u32) -> Sender<Vec<Leaving>> {
        let (tell, leaving) = channel::<Vec<Leaving>>();
        let (mut tick, mut all) = (0, Vec::new());
        self.submit("clock", "x", move |heard| {
            if tick == 0 {
                all = leaving.recv().expect("the test says who leaves");
            }
            tick += 1;
            let due = all.iter().filter(|(at, _)| *at == tick);
            due.for_each(|(_, control)| control.cancel());
            match heard {
                Heard::Token(token) if tick < ticks => feed(token),
                _ => Step::Done,
            }
        });
        self.until(&Said("clock", u32::from(b'y')));
        tell
    }

    /// Tokens of all passes.
    fn computed(&self) -> u32 {
        let passes = self.passes.passes();
        passes.iter().flatten().map(|part| part.1).sum()
    }
}

/// Seven tokens of a pass are a reader's, who leaves after some of them.
#[test]
fn who_leaves_is_told_what_was_not_read() {
    for (tick, unread, said) in [(1, 20, 0), (2, 13, 0), (3, 6, 0), (4, 0, 1), (5, 0, 2)] {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
        let limits = Limits {
            batch_tokens: 8,
            ..Limits::default()
        };
        let bench = Bench::of(engine, limits);
        let clock = bench.start_clock(8);
        let (control, told) = bench.submit_teller(1, &"a".repeat(20), 9);
        clock.send(vec![(tick, control)]).unwrap();
        let expected = Told {
            cached: 0,
            said,
            unread,
        };
        assert_eq!(told.recv(), Ok(expected), "at tick {tick}");
    }
}

/// Over as soon as it begins.
struct Over(Sender<Failure>);

impl Driver for Over {
    fn started(&mut self, _: Start) -> bool {
        false
    }

    fn next(&mut self, input: Input<'_>) -> Step {
        if let Input::Failed(failure) = input {
            let _ = self.0.send(failure.clone());
        }
        Step::Done
    }
}

#[test]
fn nothing_is_read_for_who_is_over_as_it_begins() {
    for limits in [Limits::default(), super::aside::always()] {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
        let bench = Bench::of(engine.with_sequences(1), limits);
        for _ in 0..2 {
            let (tell, told) = channel();
            let submitted = bench.handle.submit(text("abc"), Box::new(Over(tell)));
            submitted.expect("there is room");
            let expected = Failure {
                error: EngineError::Cancelled,
                unread: 3,
            };
            assert_eq!(told.iter().collect::<Vec<_>>(), [expected]);
        }
        assert!(bench.passes.passes().is_empty());
    }
}

#[test]
fn what_was_read_before_it_gave_way_was_read() {
    let (events, _) = channel();
    let submission = Submission {
        session: 0,
        prompt: text("twenty letters, all.."),
        driver: Guarded::new(Probe::new("a", &events, |_| Step::Done)),
        terms: Terms::default(),
        woken: false,
    };
    let mut branch = Branch::new(submission, 1);
    let unread = |branch: &Branch| branch.failure(&EngineError::Cancelled).unread;
    assert_eq!(unread(&branch), 21);
    branch.settle(Sequence(0), 3);
    branch.computed(10);
    assert_eq!(unread(&branch), 8);
    branch.give_way();
    assert_eq!(unread(&branch), 8);
    branch.settle(Sequence(0), 3);
    branch.computed(4);
    assert_eq!(unread(&branch), 8, "it is read once more");
    branch.computed(14);
    assert_eq!(unread(&branch), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Whoever leaves whenever: what sessions are told of their prompts and what they said is what was computed,
    /// and no more than that where somebody had to give way.
    #[test]
    fn what_is_told_is_what_was_computed(
        sessions in proptest::collection::vec((1_u64..4, "[ab]{1,40}", 1_u32..9, 0_u32..16), 1..16),
        batch_tokens in 2_u32..16,
        sequences in 1_u32..6,
        kept in 0_u32..4,
        cells in 64_u32..400,
        limits in (0..2).prop_map(|aside| if aside == 0 { Limits::default() } else { super::aside::always() }),
    ) {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
        let engine = engine.with_context(64).with_sequences(sequences).keeping(kept);
        let bench = Bench::of(engine.with_cells(cells), Limits { batch_tokens, ..limits });
        let clock = bench.start_clock(16);
        let (leaving, told): (Vec<_>, Vec<_>) = sessions.iter().map(|(tenant, prompt, count, tick)| {
            let (control, told) = bench.submit_teller(*tenant, prompt, *count);
            ((*tick, control), told)
        }).unzip();
        clock.send(leaving).unwrap();
        // The clock's own: a token in each of its passes.
        let mut all = 16;
        for (told, (_, prompt, ..)) in told.into_iter().zip(&sessions) {
            let told = told.recv().expect("every session ends");
            let prompt = prompt.len() as u32;
            prop_assert!(told.cached + told.unread <= prompt);
            prop_assert!(told.said == 0 || told.unread == 0);
            // The last token that is said is not fed.
            all += prompt - told.cached - told.unread + told.said.saturating_sub(1);
        }
        bench.until_gone(1);
        match bench.handle.load().gave_way {
            0 => prop_assert_eq!(all, bench.computed()),
            _ => prop_assert!(all <= bench.computed()),
        }
    }
}
