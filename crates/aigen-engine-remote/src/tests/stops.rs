//! Stop strings end an answer, whether the upstream knows of them or not.

use super::*;

/// An answer in parts; what is told of it where `STOP` and `END.` end one, and whether the upstream's count
/// can be believed, which is whether it ended there too.
#[tokio::test]
async fn stop_strings_are_kept_where_the_upstream_ignores_them() {
    type Row = (&'static [&'static str], &'static [&'static str], bool);
    const ROWS: &[Row] = &[
        (&["Hel", "lo"], &["Hel", "lo"], true),
        (&["ab", "STOP", "cd"], &["ab"], false),
        (&["abSTOPcd"], &["ab"], false),
        (&["abSTOPcdEND."], &["ab"], false),
        (&["abEND.cdSTOP"], &["ab"], false),
        (&["ab S", "T", "OPcd"], &["ab "], false),
        (&["ab S", "Taxi"], &["ab ", "STaxi"], true),
        (&["ab S"], &["ab ", "S"], true),
        (&["é ST", "é"], &["é ", "STé"], true),
        (&["STOP"], &[], true),
        // Some servers keep it at the end.
        (&["ab", "STOP"], &["ab"], true),
        (&["ab", "S", "TOP"], &["ab"], true),
    ];
    for (said, expected, believed) in ROWS {
        let parts: String = said.iter().map(|text| part(text)).collect();
        let upstream = Scripted::new(move |_, body| {
            assert_eq!(body["stop"], json!(["STOP", "END."]));
            events(&[&parts, STOP, &usage("9", "3")])
        });
        let engine = RemoteEngine::open(options(&[&upstream.await])).unwrap();
        let (told, ending) = told(&engine, stopping()).await;
        assert_eq!(told, *expected, "{said:?}");
        assert_eq!(ending.finish, Ok(TextFinish::Stop), "{said:?}");
        assert_eq!(ending.claimed.is_some(), *believed, "{said:?}");
    }
}

#[tokio::test]
async fn a_whole_answer_is_cut_too() {
    for (said, expected, believed) in [
        ("ab", "ab", true),
        ("abSTOPcd", "ab", false),
        ("abSTOP", "ab", true),
    ] {
        let (text, finish, claimed) = {
            let choice = json!({"message": {"content": said}, "finish_reason": "length"});
            let usage = json!({"prompt_tokens": 9, "completion_tokens": 3});
            let body = json!({"choices": [choice], "usage": usage}).to_string();
            let upstream =
                Scripted::new(move |_, _| reply(200, "application/json", body.clone())).await;
            ask(
                &RemoteEngine::open(options(&[&upstream])).unwrap(),
                stopping(),
            )
            .await
        };
        assert_eq!((text.as_str(), claimed.is_some()), (expected, believed));
        let stopped = match said == expected {
            true => TextFinish::Length,
            false => TextFinish::Stop,
        };
        assert_eq!(finish, Ok(stopped), "{said}");
    }
}

/// One that would go on for ever is left where the string has come.
#[tokio::test]
async fn an_upstream_that_goes_on_is_not_read_any_further() {
    let endless = |_, _| {
        let parts = stream::repeat_with(|| Ok::<_, Infallible>(part("a")));
        let parts = stream::iter([Ok(part("abSTOP"))]).chain(parts);
        reply(200, "text/event-stream", Body::from_stream(parts))
    };
    let upstream = Scripted::new(endless).await;
    let asked = TextRequest {
        max_tokens: u32::MAX,
        ..stopping()
    };
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let (text, finish, _) = ask(&engine, asked).await;
    assert_eq!((text.as_str(), finish), ("ab", Ok(TextFinish::Stop)));
}

/// What is held back is told before the call that follows it.
#[tokio::test]
async fn calls_come_after_the_text_before_them() {
    for (text, expected) in [("Wait S", "Wait S[stop({})]"), ("Wait STOP", "Wait ")] {
        let upstream = Scripted::new(move |_, _| {
            let call = call_part(0, Some("stop"), "{}");
            events(&[&part(text), &call, CALLED, &usage("9", "3")])
        });
        let engine = RemoteEngine::open(options(&[&upstream.await])).unwrap();
        let asked = TextRequest {
            stops: stopping().stops,
            ..offering(tools())
        };
        let (told, finish, _) = ask(&engine, asked).await;
        assert_eq!((told.as_str(), finish), (expected, Ok(TextFinish::Stop)));
    }
}

fn stopping() -> TextRequest {
    TextRequest {
        stops: vec!["STOP".to_owned(), "END.".to_owned()],
        ..request()
    }
}

/// The pieces of an answer, as they are told.
async fn told(engine: &RemoteEngine, request: TextRequest) -> (Vec<String>, TextEnding) {
    let (_control, mut events) = started(engine, request);
    let mut told = Vec::new();
    loop {
        match events.recv().await.expect("it ends with a last word") {
            TextEvent::Text(text) => told.extend(text.parts().map(str::to_owned)),
            TextEvent::Finished(ending) => return (told, ending),
            _ => {}
        }
    }
}
