//! What is silence, and what is lost by it.

use super::*;

/// These parts, and then nothing more, on a connection that stays open.
fn then_silence(parts: &[&str]) -> Response<Body> {
    let said = stream::iter([Ok::<_, Infallible>(parts.concat())]);
    let body = Body::from_stream(said.chain(stream::pending()));
    reply(200, "text/event-stream", body)
}

/// These parts, and then a connection that breaks.
fn then_broken(parts: &[&str]) -> Response<Body> {
    let said = stream::iter([Ok(parts.concat())]);
    let broken = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::other("gone"))
    });
    reply(
        200,
        "text/event-stream",
        Body::from_stream(said.chain(broken)),
    )
}

/// These parts, and then comments for ever.
fn then_comments(parts: &[&str]) -> Response<Body> {
    let said = stream::iter([Ok::<_, Infallible>(parts.concat())]);
    let rhythm = tokio::time::interval(Duration::from_millis(20));
    let comments = stream::unfold(rhythm, |mut rhythm| async move {
        rhythm.tick().await;
        Some((Ok(": wait\n\n".to_owned()), rhythm))
    });
    let body = Body::from_stream(said.chain(comments));
    reply(200, "text/event-stream", body)
}

async fn impatiently(script: fn() -> Response<Body>) -> Heard {
    let upstream = Scripted::new(move |_, _| script()).await;
    let mut options = options(&[&upstream]);
    options.timeouts.idle = Duration::from_millis(50);
    options.timeouts.total = Duration::from_secs(10);
    ask(&RemoteEngine::open(options).unwrap(), request()).await
}

#[tokio::test]
async fn an_answer_that_is_whole_is_kept_when_only_its_usage_is_missing() {
    type Row = (fn() -> Response<Body>, bool);
    let rows: &[Row] = &[
        (|| then_silence(&[&part("Hello"), STOP]), true),
        (|| then_broken(&[&part("Hello"), STOP]), true),
        (|| then_silence(&[&part("Hello"), STOP, ": wait\n\n"]), true),
        (|| then_comments(&[&part("Hello"), STOP]), true),
        (|| then_silence(&[&part("Hello")]), false),
        (|| then_broken(&[&part("Hello")]), false),
    ];
    for (at, (script, whole)) in rows.iter().enumerate() {
        let (text, finish, claimed) = impatiently(*script).await;
        assert_eq!((text.as_str(), claimed), ("Hello", None), "{at}");
        assert_eq!(finish.is_ok(), *whole, "{at}: {finish:?}");
    }
}

/// Comments every 20 ms for 600 ms, where 300 ms of silence are too much; where they come in the answer.
#[tokio::test]
async fn comments_are_no_silence_and_total_bounds_them() {
    let commented = |first: &'static str, comments: usize| {
        move |_, _: Value| {
            let rhythm = tokio::time::interval(Duration::from_millis(20));
            let comments = stream::unfold((0, rhythm), move |(number, mut rhythm)| async move {
                rhythm.tick().await;
                (number < comments).then_some((Ok(": wait\n\n".to_owned()), (number + 1, rhythm)))
            });
            let first = (!first.is_empty()).then(|| Ok::<_, Infallible>(part(first)));
            let rest = [part("lo"), STOP.to_owned(), usage("9", "3")].concat();
            let parts = stream::iter(first).chain(comments);
            let parts = parts.chain(stream::iter([Ok(rest)]));
            reply(200, "text/event-stream", Body::from_stream(parts))
        }
    };
    for (first, comments, total, whole) in [
        ("", 30, 900_000, true),
        ("Hel", 30, 900_000, true),
        ("Hel", usize::MAX, 500, false),
    ] {
        let upstream = Scripted::new(commented(first, comments)).await;
        let mut options = options(&[&upstream]);
        options.timeouts.first_byte = Duration::from_millis(300);
        options.timeouts.idle = Duration::from_millis(300);
        options.timeouts.total = Duration::from_millis(total);
        let (text, finish, _) = ask(&RemoteEngine::open(options).unwrap(), request()).await;
        let expected = match whole {
            true => (format!("{first}lo"), Ok(TextFinish::Stop)),
            false => {
                let (phase, seconds) = ("the answer", 0);
                (first.to_owned(), Err(TextFault::Timeout { phase, seconds }))
            }
        };
        assert_eq!((text, finish), expected);
        assert_eq!(upstream.asked(), 1);
    }
}

/// What a model says instead of an answer is an answer.
#[tokio::test]
async fn a_refusal_is_told() {
    let delta = json!({"choices": [{"delta": {"content": "", "refusal": "I will not."}}]});
    let said = format!("data: {delta}\n\n");
    let (text, finish, _) = heard(move |_, _| events(&[&said, STOP, &usage("9", "3")])).await;
    assert_eq!(
        (text.as_str(), finish),
        ("I will not.", Ok(TextFinish::Stop))
    );
}
