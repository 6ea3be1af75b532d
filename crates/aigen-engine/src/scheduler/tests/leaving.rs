//! Who is told to end.

use super::*;

#[test]
fn cancelling_frees_the_sequence_within_a_pass() {
    let bench = Bench::with_sequences(1);
    let endless = bench.submit("endless", "a", |_| feed(u32::from(b'a')));
    let waiting = bench.submit("waiting", "a", decode(1));
    waiting.cancel();
    assert!(
        bench
            .until_gone(1)
            .contains(&Failed("waiting", EngineError::Cancelled))
    );
    bench.submit("next", "p", decode(2));
    endless.cancel();
    endless.cancel();
    assert_eq!(bench.said("next", 2), "qr");
}

#[test]
fn only_who_waits_is_withdrawn() {
    let bench = Bench::with_sequences(1);
    let running = bench.submit("running", "a", |_| Step::Wait);
    let waiting = bench.submit("waiting", "a", decode(1));
    let last = bench.submit("last", "p", decode(2));
    bench.until(&Said("running", u32::from(b'b')));
    // One of the two has begun: both stay.
    SessionControl::withdraw([&running, &last]);
    SessionControl::withdraw([&waiting]);
    let cancelled = Failed("waiting", EngineError::Cancelled);
    assert!(bench.until_gone(1).contains(&cancelled));
    SessionControl::withdraw([]);
    running.wake();
    bench.until(&Resumed("running"));
    running.cancel();
    assert_eq!(bench.said("last", 2), "qr");
}
