//! Which upstream is asked after one that failed, and when.

use super::*;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::limits::RETRY_PAUSE;

/// Upstreams that are left alone are nobody to turn to: the only one that is not is given its pauses.
#[tokio::test]
async fn one_is_not_asked_again_at_once_because_others_are_left_alone() {
    let (busy, times) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(Mutex::new(Vec::new())),
    );
    let (is_busy, told) = (Arc::clone(&busy), Arc::clone(&times));
    let last = Scripted::new(move |_, _| match is_busy.load(Ordering::SeqCst) {
        false => good(),
        true => {
            told.lock().unwrap().push(Instant::now());
            reply(429, "text/plain", "")
        }
    });
    let broken = [
        Scripted::new(|_, _| reply(500, "text/plain", "no")).await,
        Scripted::new(|_, _| reply(500, "text/plain", "no")).await,
    ];
    let last = last.await;
    let engine = RemoteEngine::open(options(&[&broken[0], &broken[1], &last])).unwrap();
    let left_alone = || {
        engine
            .info()
            .upstreams
            .iter()
            .filter(|upstream| upstream.open)
            .count()
    };
    while left_alone() < 2 {
        ask(&engine, request()).await.1.unwrap();
    }
    busy.store(true, Ordering::SeqCst);
    ask(&engine, request()).await.1.unwrap_err();
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 3);
    for (least, between) in [(0.5, times[1] - times[0]), (1.0, times[2] - times[1])] {
        assert!(between >= RETRY_PAUSE.mul_f64(least), "{between:?}");
    }
}

/// One that asks for more than a caller should wait is not asked again, and another is.
#[tokio::test]
async fn who_wants_to_be_left_alone_is_and_another_is_asked_again() {
    let long = Scripted::new(|_, _| {
        let mut reply = reply(429, "text/plain", "");
        reply
            .headers_mut()
            .insert("retry-after", "3600".parse().unwrap());
        reply
    });
    let once = Scripted::new(|number, _| match number {
        0 => reply(500, "text/plain", "no"),
        _ => good(),
    });
    let (long, once) = (long.await, once.await);
    let engine = RemoteEngine::open(options(&[&long, &once])).unwrap();
    for _ in 0..4 {
        assert_eq!(ask(&engine, request()).await.1, Ok(TextFinish::Stop));
    }
    assert_eq!(once.asked(), 5);
}

/// One that was silent for as long as anybody waits is not given that time again, and another is asked.
#[tokio::test]
async fn who_was_silent_is_not_waited_for_again() {
    let silent = Scripted::new(|_, _| {
        let nothing = stream::pending::<Result<String, Infallible>>();
        reply(200, "text/event-stream", Body::from_stream(nothing))
    });
    let (silent, other) = (silent.await, Scripted::new(|_, _| good()).await);
    // The other has to answer within it, however busy the machine is.
    let patience = Duration::from_millis(500);
    let mut alone = options(&[&silent]);
    alone.timeouts.first_byte = patience;
    let (_, finish, _) = ask(&RemoteEngine::open(alone).unwrap(), request()).await;
    assert!(
        matches!(finish, Err(TextFault::Timeout { .. })),
        "{finish:?}"
    );
    assert_eq!(silent.asked(), 1);
    let mut both = options(&[&silent, &other]);
    both.timeouts.first_byte = patience;
    let engine = RemoteEngine::open(both).unwrap();
    for _ in 0..2 {
        assert_eq!(ask(&engine, request()).await.1, Ok(TextFinish::Stop));
    }
}
