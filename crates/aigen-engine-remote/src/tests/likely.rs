//! How likely an answer is: asked for where a request wants to know, told where an upstream says it.

use super::*;

fn wanting() -> TextRequest {
    TextRequest {
        probabilities: true,
        ..request()
    }
}

/// A part of a stream with what its tokens' probabilities are.
fn weighed(text: &str, logprobs: Value) -> String {
    let choice = json!({"index": 0, "delta": {"content": text}, "logprobs": logprobs});
    format!("data: {}\n\n", json!({ "choices": [choice] }))
}

fn content(logprobs: &[f64]) -> Value {
    let one = |logprob: &f64| json!({"token": "x", "logprob": logprob, "bytes": null, "top_logprobs": []});
    json!({"content": logprobs.iter().map(one).collect::<Vec<_>>()})
}

async fn telling(
    script: impl Fn(usize, Value) -> Response<Body> + Send + Sync + 'static,
) -> (Scripted, RemoteEngine) {
    let upstream = Scripted::new(script).await;
    let engine = RemoteEngine::open(Options {
        probabilities: Some(true),
        ..options(&[&upstream])
    });
    (upstream, engine.unwrap())
}

/// The sum over all tokens of all parts, of either shape and as a stream or whole.
#[tokio::test]
async fn the_probability_of_the_whole_answer_is_told() {
    type Row = (fn() -> Response<Body>, &'static str);
    let rows: [Row; 4] = [
        (
            || {
                events(&[
                    &weighed("Hel", content(&[-0.5, -0.25])),
                    &weighed("lo", content(&[-1.0])),
                    &weighed("!", Value::Null),
                    STOP,
                    &usage("9", "4"),
                ])
            },
            "Hello![-1.75]",
        ),
        (
            || {
                let choice = json!({
                    "message": {"content": "Hello"}, "logprobs": content(&[-0.5, -9999.0]), "finish_reason": "stop",
                });
                reply(
                    200,
                    "application/json",
                    json!({"choices": [choice]}).to_string(),
                )
            },
            "Hello[-9999.5]",
        ),
        (
            || {
                let told = json!({"tokens": ["H", "i"], "token_logprobs": [null, -0.5], "top_logprobs": null});
                let choice = json!({"text": "Hi", "logprobs": told, "finish_reason": "length"});
                reply(
                    200,
                    "application/json",
                    json!({"choices": [choice]}).to_string(),
                )
            },
            "Hi[-0.5]",
        ),
        // An answer that has nothing has nothing to tell of.
        (|| events(&[STOP, &usage("9", "1")]), ""),
    ];
    for (answer, expected) in rows {
        let (_upstream, engine) = telling(move |_, body| {
            assert_eq!(body["logprobs"], true);
            answer()
        })
        .await;
        let (text, finish, _) = ask(&engine, wanting()).await;
        assert_eq!(text, expected);
        assert!(finish.is_ok(), "{finish:?}");
    }
    // What was not asked for is not told, and not asked of the upstream.
    let (_upstream, engine) = telling(|_, body| {
        assert_eq!(body["logprobs"], Value::Null);
        good()
    })
    .await;
    assert_eq!(ask(&engine, request()).await.0, "Hello");
}

#[tokio::test]
async fn the_older_route_is_asked_in_its_own_words() {
    let (_upstream, engine) = telling(|_, body| {
        assert_eq!(
            (&body["prompt"], &body["logprobs"]),
            (&json!("Hi"), &json!(1))
        );
        let choice =
            json!({"text": "a", "logprobs": {"token_logprobs": [-0.5]}, "finish_reason": "stop"});
        reply(
            200,
            "application/json",
            json!({"choices": [choice]}).to_string(),
        )
    })
    .await;
    let asked = TextRequest {
        prompt: TextPrompt::Plain("Hi".into()),
        ..wanting()
    };
    assert_eq!(ask(&engine, asked).await.0, "a[-0.5]");
}

/// Who was said to tell and does not, or tells what cannot be, has given no answer.
#[tokio::test]
async fn an_answer_that_is_not_weighed_is_broken() {
    let rows: [fn() -> Response<Body>; 3] = [
        good,
        || events(&[&weighed("Hello", content(&[0.5])), STOP, &usage("9", "3")]),
        || events(&[&weighed("Hello", json!([1, {"content": 2}])), STOP]),
    ];
    for answer in rows {
        let (_upstream, engine) = telling(move |_, _| answer()).await;
        let (_, finish, _) = ask(&engine, wanting()).await;
        let Err(TextFault::Broken { reason }) = finish else {
            panic!("{finish:?}");
        };
        assert!(reason.contains("does not tell"), "{reason}");
    }
}

/// Found out by a tiny request; where it is not so, a request that wants it is refused before it is sent.
#[tokio::test]
async fn whether_an_upstream_tells_is_found_out() {
    type Row = (fn(bool) -> Response<Body>, bool);
    let rows: [Row; 3] = [
        (
            |asked| match asked {
                true => events(&[&weighed("a", content(&[-0.5])), STOP, &usage("9", "1")]),
                false => good(),
            },
            true,
        ),
        // It ignores what it does not know.
        (|_| good(), false),
        // It declines.
        (
            |asked| match asked {
                true => reply(
                    400,
                    "application/json",
                    r#"{"error": "what are logprobs?"}"#,
                ),
                false => good(),
            },
            false,
        ),
    ];
    for (answer, tells) in rows {
        let upstream = Scripted::new(move |_, body| {
            let asked = body["logprobs"] == true;
            assert!(!asked || body["max_tokens"] == 1, "{body}");
            answer(asked)
        })
        .await;
        let engine = RemoteEngine::open(Options {
            probabilities: None,
            ..options(&[&upstream])
        })
        .unwrap();
        engine.probed(Duration::from_secs(60)).await;
        assert_eq!(upstream.asked(), 1);
        assert_eq!(engine.info().probabilities, tells);
        let refused = engine.check(&wanting());
        assert_eq!(refused.is_ok(), tells, "{refused:?}");
        assert!(engine.check(&request()).is_ok());
    }
}

/// Of several upstreams those are asked that tell.
#[tokio::test]
async fn only_upstreams_that_tell_are_asked() {
    let tells = Scripted::new(|_, body| match body["logprobs"] == true {
        true => events(&[&weighed("a", content(&[-0.5])), STOP, &usage("9", "1")]),
        false => good(),
    })
    .await;
    let mute = Scripted::new(|_, _| good()).await;
    let engine = RemoteEngine::open(Options {
        probabilities: None,
        ..options(&[&mute, &tells])
    })
    .unwrap();
    engine.probed(Duration::from_secs(60)).await;
    for _ in 0..4 {
        assert_eq!(ask(&engine, wanting()).await.0, "a[-0.5]");
    }
    assert_eq!((mute.asked(), tells.asked()), (1, 5));
}
