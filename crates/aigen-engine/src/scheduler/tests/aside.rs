//! Drivers that are asked beside the scheduler's thread: here every call but a tenant's first is.

use std::time::Duration;

use super::*;

/// Every call takes longer than this.
pub(super) fn always() -> Limits {
    Limits {
        call_max: Duration::ZERO,
        ..Limits::default()
    }
}

fn bench(sequences: u32) -> Bench {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
    Bench::of(engine.with_sequences(sequences), always())
}

/// A call that takes long sends the next 128 away, and after them all is as before.
#[test]
fn who_took_long_comes_back() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet()).with_context(256);
    let call_max = Duration::from_millis(20);
    let limits = Limits {
        call_max,
        ..Limits::default()
    };
    let bench = Bench::of(engine, limits);
    let (tell, places) = channel();
    let mut asked = 0;
    bench.submit("a", "a", move |said| {
        asked += 1;
        let _ = tell.send(std::thread::current().name().map(str::to_owned));
        if asked == 1 {
            burn(2 * call_max);
        }
        match said {
            Heard::Token(token) if asked < 132 => feed(token),
            _ => Step::Done,
        }
    });
    bench.until_gone(1);
    let places: Vec<_> = places.iter().flatten().collect();
    let runs = places
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0].as_str(), run.len()));
    let expected = [("engine", 1), ("engine-aside", 128), ("engine", 3)];
    assert_eq!(runs.collect::<Vec<_>>(), expected);
}

/// Uses so much of a processor, however long that takes on the clock.
fn burn(time: Duration) {
    let used = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap()
    };
    let until = used() + time;
    while used() < until {}
}

#[test]
fn a_large_vocabulary_may_take_longer() {
    for (vocab_size, micros) in [(4_096, 500), (32_768, 1_500), (131_072, 4_500)] {
        let most = Limits::default().call_max_of(vocab_size);
        assert_eq!(most, Duration::from_micros(micros), "{vocab_size}");
    }
    assert_eq!(always().call_max_of(131_072), Duration::ZERO);
}

/// Where its calls are too long: those of `started` and of the first token are one.
fn blocked(gate: Receiver<()>) -> impl FnMut(Heard) -> Step + Send {
    let mut asked = 0;
    move |said| {
        asked += 1;
        if asked == 2 {
            let _ = gate.recv();
        }
        match said {
            Heard::Token(token) if asked < 4 => feed(token),
            _ => Step::Done,
        }
    }
}

#[test]
fn who_is_asked_aside_holds_nobody_up() {
    let bench = bench(2);
    let (open, gate) = channel();
    bench.submit("blocked", "a", blocked(gate));
    bench.until(&Said("blocked", u32::from(b'c')));
    let neighbour = bench.submit_for(7, "x", 3).into_iter();
    let said = neighbour.filter(|event| matches!(event, Said(..)));
    assert_eq!(said.count(), 3);
    open.send(()).unwrap();
    assert_eq!(bench.said("blocked", 1), "de");
}

#[test]
fn who_is_cancelled_while_asked_is_told_afterwards() {
    let bench = bench(1);
    let (open, gate) = channel();
    let control = bench.submit("blocked", "a", blocked(gate));
    bench.until(&Said("blocked", u32::from(b'c')));
    control.cancel();
    // It has the place of the one that is still being asked.
    bench.submit("next", "x", decode(1));
    while bench.handle.load().waiting > 0 {
        std::thread::yield_now();
    }
    open.send(()).unwrap();
    let events = bench.until_gone(2);
    let of = |name| {
        let of = move |event: &&Event| match event {
            Said(who, _) | Started(who, _) | Failed(who, _) | Gone(who) => *who == name,
            _ => false,
        };
        events.iter().filter(of).collect::<Vec<_>>()
    };
    let cancelled = Failed("blocked", EngineError::Cancelled);
    assert_eq!(of("blocked"), [&cancelled, &Gone("blocked")]);
    assert_eq!(
        of("next")[1..],
        [&Said("next", u32::from(b'y')), &Gone("next")]
    );
}

#[test]
fn stopping_waits_for_who_is_asked() {
    let bench = bench(1);
    let (open, gate) = channel();
    bench.submit("blocked", "a", blocked(gate));
    bench.until(&Said("blocked", u32::from(b'c')));
    let handle = bench.handle.clone();
    let stopping = std::thread::spawn(move || handle.shut_down());
    open.send(()).unwrap();
    stopping.join().unwrap();
    // It may have gone on before the stop was heard of.
    let last = bench.until_gone(1);
    assert!(
        last.contains(&Failed("blocked", EngineError::Stopped)) || last.len() == 3,
        "{last:?}"
    );
}

#[test]
fn a_panic_aside_ends_its_own_session_only() {
    let bench = bench(2);
    bench.submit("panics", "a", |said| match said {
        Heard::Token(token) if token == u32::from(b'b') => feed(token),
        _ => panic!("a driver's fault"),
    });
    bench.submit("well-behaved", "a", decode(6));
    assert_eq!(bench.said("well-behaved", 2), "bcdefg");
    bench.submit("next", "a", decode(1));
    assert_eq!(bench.said("next", 1), "b");
}

/// The logits that a fork was decided with are gone, so that its members have them computed again.
#[test]
fn a_fork_decided_aside_has_its_logits_computed_again() {
    let bench = bench(2);
    let events = bench.events.clone();
    let mut asked = 0;
    bench.submit("parent", "a", move |said| {
        asked += 1;
        match (asked, said) {
            (1, Heard::Token(token)) => feed(token),
            (2, _) => Step::Fork(vec![Probe::new("child", &events, |_| Step::Done)]),
            _ => Step::Done,
        }
    });
    let events = bench.until_gone(2);
    let said = |name| {
        let of = |event: &&Event| **event == Said(name, u32::from(b'c'));
        events.iter().filter(of).count()
    };
    assert_eq!([said("parent"), said("child")], [2, 1], "{events:?}");
    let passes = bench.passes.passes();
    let last = [(Sequence(0), 1), (Sequence(1), 1)];
    assert_eq!(
        passes.last().map(Vec::as_slice),
        Some(&last[..]),
        "{passes:?}"
    );
    assert_eq!(passes.len(), 3);
}

#[test]
fn no_wake_is_lost_while_somebody_is_asked() {
    let bench = bench(1);
    let (open, gate) = channel();
    let mut asked = 0;
    let control = bench.submit("a", "a", move |said| {
        asked += 1;
        match (asked, said) {
            (1, Heard::Token(token)) => feed(token),
            (2, _) => {
                let _ = gate.recv();
                Step::Wait
            }
            _ => Step::Done,
        }
    });
    bench.until(&Said("a", u32::from(b'c')));
    control.wake();
    open.send(()).unwrap();
    assert_eq!(bench.until_gone(1), [Resumed("a"), Gone("a")]);
}
