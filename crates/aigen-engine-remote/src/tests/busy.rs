//! Upstreams that are up and have no time.

use std::time::{Duration, SystemTime};

use super::{Scripted, ask, heard, options, reply, request};
use crate::RemoteEngine;
use aigen_engine::text::TextFault;

/// Status, `Retry-After` and body; what is said, and in how many milliseconds another try is worth it.
#[tokio::test]
async fn an_upstream_that_is_busy_says_until_when() {
    type Row = (u16, &'static str, &'static str, &'static str, Option<u64>);
    const ROWS: &[Row] = &[
        (
            429,
            "7",
            "",
            "it is busy (429 Too Many Requests)",
            Some(7_000),
        ),
        (
            429,
            "",
            "slow down",
            "it is busy (429 Too Many Requests): slow down",
            Some(1_000),
        ),
        // Nobody waits for that long, nor is told to.
        (
            503,
            "99999999999999999999",
            "",
            "it is unavailable (503 Service Unavailable)",
            Some(86_400_000),
        ),
        // A day of the past, and what is none.
        (
            503,
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "",
            "it is unavailable (503 Service Unavailable)",
            Some(0),
        ),
        (
            503,
            "soon",
            "",
            "it is unavailable (503 Service Unavailable)",
            None,
        ),
        (
            503,
            "9",
            "<html>no</html>",
            "it is unavailable (503 Service Unavailable)",
            Some(9_000),
        ),
        (
            503,
            "",
            "",
            "it is unavailable (503 Service Unavailable)",
            None,
        ),
        (
            500,
            "",
            " <p>no",
            "it failed (500 Internal Server Error)",
            None,
        ),
    ];
    for (status, after, body, said, millis) in ROWS {
        let busy = move |_, _| {
            let mut reply = reply(*status, "text/plain", *body);
            if !after.is_empty() {
                reply
                    .headers_mut()
                    .insert("retry-after", after.parse().unwrap());
            }
            reply
        };
        let Err(TextFault::Unavailable {
            reason,
            retry_after_millis,
        }) = heard(busy).await.1
        else {
            panic!("{status} is an answer");
        };
        assert_eq!((reason.as_str(), retry_after_millis), (*said, *millis));
    }
}

/// A date is as good as seconds: it is neither asked again at once, nor is the caller told another.
#[tokio::test]
async fn a_date_says_until_when_too() {
    let then = SystemTime::now() + Duration::from_secs(60);
    let date = httpdate::fmt_http_date(then);
    let upstream = Scripted::new(move |_, _| {
        let mut reply = reply(429, "text/plain", "");
        let date = date.parse().unwrap();
        reply.headers_mut().insert("retry-after", date);
        reply
    });
    let upstream = upstream.await;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let Err(TextFault::Unavailable {
        retry_after_millis: Some(millis),
        ..
    }) = ask(&engine, request()).await.1
    else {
        panic!("it says when");
    };
    assert!((30_000..=60_000).contains(&millis), "{millis}");
    assert_eq!(upstream.asked(), 1);
}
