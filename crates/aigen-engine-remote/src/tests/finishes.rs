//! Why an upstream says that its answer ended.

use super::*;

/// What it says, streamed and whole; what comes of it.
#[tokio::test]
async fn every_reason_is_told_as_what_it_is() {
    let rows = [
        ("stop", Ok(TextFinish::Stop)),
        ("eos", Ok(TextFinish::Stop)),
        ("length", Ok(TextFinish::Length)),
        ("max_tokens", Ok(TextFinish::Length)),
        ("content_filter", Ok(TextFinish::Filtered)),
        ("abort", Err("it was given up (abort)")),
        ("error", Err("it was given up (error)")),
    ];
    for (reason, expected) in rows {
        let end = json!({"choices": [{"delta": {}, "finish_reason": reason}]});
        let end = format!("data: {end}\n\n");
        let streamed = heard(move |_, _| events(&[&part("Hel"), &end, &usage("9", "1")])).await;
        let choice = json!({"message": {"content": "Hel"}, "finish_reason": reason});
        let body = json!({"choices": [choice]}).to_string();
        let whole = heard(move |_, _| reply(200, "application/json", body.clone())).await;
        for (_, finish, _) in [streamed, whole] {
            match (finish, expected) {
                (Ok(finish), Ok(expected)) => assert_eq!(finish, expected, "{reason}"),
                (Err(fault), Err(expected)) => {
                    assert!(fault.to_string().contains(expected), "{reason}: {fault}");
                }
                (finish, _) => panic!("{reason}: {finish:?}"),
            }
        }
    }
}

/// Of a value that a filter cut off nobody asks whether it satisfies its schema: that it does not says
/// nothing of the model.
#[tokio::test]
async fn what_a_filter_cut_off_is_held_to_no_schema() {
    let upstream = Scripted::new(|_, _| {
        let choice = json!({"message": {"content": "{\"a\":"}, "finish_reason": "content_filter"});
        let body = json!({"choices": [choice]}).to_string();
        reply(200, "application/json", body)
    })
    .await;
    let asked = TextRequest {
        schema: Some(Arc::new(json!({"type": "object"}))),
        ..request()
    };
    let (text, finish, _) = ask(&RemoteEngine::open(options(&[&upstream])).unwrap(), asked).await;
    assert_eq!(
        (text.as_str(), finish),
        ("{\"a\":", Ok(TextFinish::Filtered))
    );
}
