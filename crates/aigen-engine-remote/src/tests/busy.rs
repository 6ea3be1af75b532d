//! Upstreams that are up and have no time.

use super::{heard, reply};
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
