//! Upstreams that are scripted, over real connections: what each of them does, and what a caller
//! of the engine hears of it.

mod busy;
mod connections;
mod finishes;
mod likely;
mod retries;
mod secrets;
mod silence;
mod stops;
mod vectors;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aigen_engine::sampler::Sampling;
use aigen_engine::text::{
    Claimed, TextControl, TextEnding, TextEngine, TextEvent, TextFault, TextFinish, TextFunction,
    TextPrompt, TextRequest, TextTools, TraceParent,
};
use aigen_engine::{ChatMessage, ControlLevel, Role};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::{HangUp, Options, RemoteEngine, Secret, Timeouts, UpstreamOptions};

type Script = Arc<dyn Fn(usize, Value) -> Response<Body> + Send + Sync>;

/// An upstream that answers its n-th request as `script` says.
struct Scripted {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Scripted {
    async fn new(script: impl Fn(usize, Value) -> Response<Body> + Send + Sync + 'static) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let state = (Arc::new(script) as Script, Arc::clone(&asked));
        let router = Router::new().fallback(answer).with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(
    State((script, asked)): State<(Script, Arc<AtomicUsize>)>,
    body: axum::body::Bytes,
) -> Response<Body> {
    let number = asked.fetch_add(1, Ordering::SeqCst);
    script(number, serde_json::from_slice(&body).unwrap_or_default())
}

fn reply(status: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    let builder = Response::builder()
        .status(status)
        .header("content-type", kind);
    builder.body(body.into()).unwrap()
}

fn part(text: &str) -> String {
    let delta = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {delta}\n\n")
}

const STOP: &str = "data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}]}\n\n";

fn usage(prompt: &str, completion: &str) -> String {
    format!(
        "data: {{\"choices\": [], \"usage\": {{\"prompt_tokens\": {prompt}, \"completion_tokens\": {completion}}}}}\n\ndata: [DONE]\n\n"
    )
}

fn events(parts: &[&str]) -> Response<Body> {
    reply(200, "text/event-stream", parts.concat())
}

fn good() -> Response<Body> {
    events(&[&part("Hel"), &part("lo"), STOP, &usage("9", "3")])
}

fn options(upstreams: &[&Scripted]) -> Options {
    let upstreams = upstreams.iter().map(|upstream| UpstreamOptions {
        url: upstream.url.clone(),
        model: "m".into(),
        key: Some(Secret("hidden".into())),
        weight: 1,
    });
    Options {
        upstreams: upstreams.collect(),
        context_tokens: 4096,
        answer_tokens: None,
        control: Some(ControlLevel::Schema),
        tools: true,
        probabilities: Some(false),
        timeouts: Timeouts::default(),
        hang_up: HangUp::Cancel,
        stream: true,
    }
}

fn request() -> TextRequest {
    TextRequest {
        prompt: TextPrompt::Chat(vec![ChatMessage::new(Role::User, "Hi")]),
        max_tokens: 8,
        sampling: Sampling::greedy(),
        stops: Vec::new(),
        schema: None,
        tools: None,
        probabilities: false,
        traceparent: None,
    }
}

/// All that is heard of one request: its text, how it ended, what was claimed.
type Heard = (String, Result<TextFinish, TextFault>, Option<Claimed>);

/// A request that is driven, and what is told of it.
fn started(
    engine: &RemoteEngine,
    request: TextRequest,
) -> (Box<dyn TextControl>, mpsc::UnboundedReceiver<TextEvent>) {
    let (sender, events) = mpsc::unbounded_channel();
    let asked = engine.start(request, Box::new(move |event| drop(sender.send(event))));
    tokio::spawn(asked.answering);
    (asked.control, events)
}

async fn ask(engine: &RemoteEngine, request: TextRequest) -> Heard {
    let (_control, mut events) = started(engine, request);
    let mut text = String::new();
    loop {
        match events.recv().await.expect("it ends with a last word") {
            TextEvent::Started => {}
            TextEvent::Text(more) => text.push_str(&more),
            TextEvent::Call(call) => {
                text.push_str(&format!("[{}({})]", call.name, call.arguments));
            }
            TextEvent::Logprob(logprob) => text.push_str(&format!("[{logprob}]")),
            TextEvent::Finished(ending) => return (text, ending.finish, ending.claimed),
        }
    }
}

/// One upstream, one request.
async fn heard(script: impl Fn(usize, Value) -> Response<Body> + Send + Sync + 'static) -> Heard {
    let upstream = Scripted::new(script).await;
    ask(
        &RemoteEngine::open(options(&[&upstream])).unwrap(),
        request(),
    )
    .await
}

/// What comes together is told together, in its parts, and so is what came before a failure.
#[tokio::test]
async fn parts_that_come_at_once_are_told_at_once() {
    let broken = "data: {\"choices\": [{\"delta\"\n\n";
    for (last, finish) in [(STOP, Some(TextFinish::Stop)), (broken, None)] {
        let upstream = Scripted::new(move |_, _| {
            let parts = [" two", "", "\n", " four", " five"].map(part);
            events(&[&part("one"), &parts.concat(), last])
        });
        let engine = RemoteEngine::open(options(&[&upstream.await])).unwrap();
        let (_control, mut events) = started(&engine, request());
        assert_eq!(events.recv().await, Some(TextEvent::Started));
        let Some(TextEvent::Text(text)) = events.recv().await else {
            panic!("no text");
        };
        let parts: Vec<_> = text.parts().collect();
        assert_eq!(parts, ["one", " two", "\n", " four", " five"]);
        let Some(TextEvent::Finished(ending)) = events.recv().await else {
            panic!("no last word");
        };
        assert_eq!(ending.finish.ok(), finish);
    }
}

#[tokio::test]
async fn a_stream_and_a_whole_answer_read_the_same() {
    let streamed = heard(|_, body| {
        assert_eq!(body["stream_options"]["include_usage"], true);
        good()
    });
    let (text, finish, claimed) = streamed.await;
    assert_eq!((text.as_str(), finish), ("Hello", Ok(TextFinish::Stop)));
    assert_eq!(claimed.unwrap().completion, Some(3));
    let whole = heard(|_, _| {
        let choice = json!({"message": {"content": "Hello"}, "finish_reason": "length"});
        let usage = json!({"prompt_tokens": 9, "completion_tokens": 3});
        let body = json!({"choices": [choice], "usage": usage});
        reply(200, "application/json", body.to_string())
    });
    let (text, finish, claimed) = whole.await;
    assert_eq!((text.as_str(), finish), ("Hello", Ok(TextFinish::Length)));
    assert_eq!(claimed.unwrap().prompt, Some(9));
}

#[tokio::test]
async fn claims_are_passed_on_as_they_are() {
    for (claim, expected) in [
        ("-3", Some(-3)),
        ("\"x\"", None),
        ("null", None),
        ("1e99", None),
    ] {
        let (_, _, claimed) =
            heard(move |_, _| events(&[&part("a"), STOP, &usage("1", claim)])).await;
        assert_eq!(claimed.unwrap().completion, expected, "{claim}");
    }
}

/// What fails before the first byte is tried again; what fails after it is not.
#[tokio::test]
async fn failures_before_the_first_byte_are_tried_again() {
    for status in [429, 500, 502, 503] {
        let once = move |number, _| match number {
            0 => reply(status, "text/plain", "no"),
            _ => good(),
        };
        assert_eq!(heard(once).await.1, Ok(TextFinish::Stop), "{status}");
    }
    let upstream = Scripted::new(|_, _| events(&[&part("Hel")])).await;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let (text, finish, _) = ask(&engine, request()).await;
    assert_eq!(text, "Hel");
    assert!(
        matches!(finish, Err(TextFault::Broken { .. })),
        "{finish:?}"
    );
    assert_eq!(upstream.asked(), 1);
}

#[tokio::test]
async fn what_an_upstream_does_wrong_is_named() {
    type Row = (fn() -> Response<Body>, &'static str);
    let rows: &[Row] = &[
        (|| reply(200, "text/html", "<html>"), "instead of JSON"),
        (|| reply(302, "text/plain", ""), "redirects"),
        (
            || reply(401, "text/plain", "key hidden"),
            "refuses this node",
        ),
        (
            || {
                reply(
                    400,
                    "application/json",
                    "{\"error\": {\"message\": \"too long\"}}",
                )
            },
            "request: too long",
        ),
        (
            || reply(500, "text/plain", "oh"),
            "failed (500 Internal Server Error): oh",
        ),
        (|| events(&["data: {broken\n\n"]), "answer is broken"),
        (
            || events(&["data: {\"error\": {\"message\": \"lost\"}}\n\n"]),
            "lost",
        ),
        (|| events(&[": nothing\n\n"]), "ended before"),
    ];
    for (script, expected) in rows {
        let (text, finish, _) = heard(|_, _| script()).await;
        let fault = finish.unwrap_err().to_string();
        assert!(fault.contains(expected), "{fault}: not {expected}");
        assert!(!fault.contains("hidden") && text.is_empty(), "{fault}");
    }
}

#[tokio::test]
async fn one_that_closes_in_the_midst_or_stalls_ends_the_request() {
    let cut = |_, _| {
        let first = stream::iter([Ok(part("Hel"))]);
        // A server writes what it has when there is no more for now.
        let parts = first.chain(stream::once(async {
            tokio::task::yield_now().await;
            Err(io::Error::other("gone"))
        }));
        reply(200, "text/event-stream", Body::from_stream(parts))
    };
    let (text, finish, _) = heard(cut).await;
    assert_eq!(text, "Hel");
    assert!(
        matches!(finish, Err(TextFault::Broken { .. })),
        "{finish:?}"
    );
    let stalled = Scripted::new(|_, _| {
        let parts = stream::iter([Ok::<_, Infallible>(part("Hel"))]).chain(stream::pending());
        reply(200, "text/event-stream", Body::from_stream(parts))
    });
    let mut options = options(&[&stalled.await]);
    options.timeouts.idle = Duration::from_millis(50);
    let (text, finish, _) = ask(&RemoteEngine::open(options).unwrap(), request()).await;
    assert_eq!(text, "Hel");
    assert!(
        matches!(
            finish,
            Err(TextFault::Timeout {
                phase: "the next part",
                ..
            })
        ),
        "{finish:?}"
    );
}

#[tokio::test]
async fn one_that_ignores_the_token_limit_is_cut_off() {
    let endless = |_, _| {
        let parts = stream::repeat_with(|| Ok::<_, Infallible>(part("word after word ")));
        reply(200, "text/event-stream", Body::from_stream(parts))
    };
    let (text, finish, _) = heard(endless).await;
    assert_eq!(finish, Ok(TextFinish::Length));
    assert!(text.len() < 1024, "{}", text.len());
}

#[tokio::test]
async fn another_upstream_takes_over_and_a_broken_one_is_left_alone() {
    let broken = Scripted::new(|_, _| reply(500, "text/plain", "no")).await;
    let sound = Scripted::new(|_, _| good()).await;
    let engine = RemoteEngine::open(options(&[&broken, &sound])).unwrap();
    for _ in 0..40 {
        assert_eq!(ask(&engine, request()).await.1, Ok(TextFinish::Stop));
    }
    assert!(broken.asked() <= crate::limits::FAILURES_MAX as usize);
    let info = engine.info();
    assert!(
        info.is_available()
            && info
                .upstreams
                .iter()
                .all(|upstream| upstream.in_flight == 0)
    );
}

#[tokio::test]
async fn a_breaker_guards_an_only_upstream_too() {
    let upstream = Scripted::new(|_, _| reply(500, "text/plain", "no")).await;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    while engine.info().is_available() {
        ask(&engine, request()).await.1.unwrap_err();
    }
    let asked = upstream.asked();
    let fault = ask(&engine, request()).await.1.unwrap_err();
    assert!(
        matches!(
            fault,
            TextFault::Unavailable {
                retry_after_millis: Some(_),
                ..
            }
        ),
        "{fault:?}"
    );
    assert_eq!(upstream.asked(), asked);
}

#[tokio::test]
async fn an_answer_is_held_to_its_schema() {
    let schema =
        json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
    let asked = TextRequest {
        schema: Some(Arc::new(schema)),
        ..request()
    };
    for (answer, good) in [
        ("{\"n\": 3}", true),
        ("{\"n\": \"3\"}", false),
        ("3 of them", false),
    ] {
        let upstream = Scripted::new(move |_, body| {
            assert_eq!(body["response_format"]["type"], "json_schema");
            events(&[&part(answer), STOP, &usage("1", "1")])
        });
        let engine = RemoteEngine::open(options(&[&upstream.await])).unwrap();
        let (_, finish, _) = ask(&engine, asked.clone()).await;
        assert_eq!(finish.is_ok(), good, "{answer}: {finish:?}");
        assert!(good || matches!(finish, Err(TextFault::Schema { .. })));
    }
}

#[tokio::test]
async fn the_control_level_is_found_out() {
    let follows = |_, body: Value| {
        let word =
            &body["response_format"]["json_schema"]["schema"]["properties"]["word"]["enum"][0];
        events(&[&part(&json!({ "word": word }).to_string()), STOP])
    };
    let ignores = |_, _| events(&[&part("{\"word\": \"hello\"}"), STOP]);
    let declines = |_, _| reply(400, "application/json", "{\"error\": \"no such field\"}");
    let mut found = Vec::new();
    for upstream in [
        Scripted::new(follows).await,
        Scripted::new(ignores).await,
        Scripted::new(declines).await,
    ] {
        let engine = RemoteEngine::open(Options {
            control: None,
            ..options(&[&upstream])
        })
        .unwrap();
        engine.probed(Duration::from_secs(60)).await;
        found.push(engine.info().control);
    }
    use ControlLevel::{Schema, Text};
    assert_eq!(found, [Schema, Text, Text]);
}

/// A caller that hangs up closes the connection to the upstream, or has it read to its end.
#[tokio::test]
async fn hanging_up_cancels_upstream_or_drains() {
    for hang_up in [HangUp::Cancel, HangUp::Drain] {
        let (gone, closed) = oneshot::channel::<()>();
        let (go, gate) = oneshot::channel::<()>();
        let once = std::sync::Mutex::new(Some((gone, gate)));
        let upstream = Scripted::new(move |_, _| {
            let (gone, gate) = once.lock().unwrap().take().unwrap();
            let first = stream::iter([Ok::<_, Infallible>(part("a"))]);
            let rest = stream::once(async move {
                let _gone = gone; // Dropped with the connection.
                let _ = gate.await;
                Ok([part("b").as_str(), STOP, &usage("5", "2")].concat())
            });
            reply(
                200,
                "text/event-stream",
                Body::from_stream(first.chain(rest)),
            )
        });
        let engine = RemoteEngine::open(Options {
            hang_up,
            ..options(&[&upstream.await])
        })
        .unwrap();
        let (control, mut events) = started(&engine, request());
        assert_eq!(events.recv().await, Some(TextEvent::Started));
        assert_eq!(events.recv().await, Some(TextEvent::Text("a".into())));
        control.hang_up();
        if hang_up == HangUp::Cancel {
            closed.await.unwrap_err();
        } else {
            go.send(()).unwrap();
            assert_eq!(events.recv().await, Some(TextEvent::Text("b".into())));
        }
        let Some(TextEvent::Finished(ending)) = events.recv().await else {
            panic!("no last word");
        };
        let drained = hang_up == HangUp::Drain;
        let finish = if drained {
            TextFinish::Stop
        } else {
            TextFinish::Cancelled
        };
        assert_eq!(
            (ending.finish, ending.claimed.is_some()),
            (Ok(finish), drained)
        );
    }
}

/// `look` takes a text and is strict, `stop` takes whatever it is given.
fn tools() -> TextTools {
    let schema = json!({
        "type": "object",
        "properties": {"q": {"type": "string"}},
        "required": ["q"],
        "additionalProperties": false,
    });
    let function = |name: &str, parameters, strict: bool| TextFunction {
        name: name.to_owned(),
        description: strict.then(|| "Looks something up.".to_owned()),
        parameters,
        strict,
    };
    TextTools {
        functions: vec![
            function("look", schema, true),
            function("stop", json!({"type": "object"}), false),
        ],
        required: false,
        parallel: true,
    }
}

fn offering(tools: TextTools) -> TextRequest {
    TextRequest {
        tools: Some(Arc::new(tools)),
        ..request()
    }
}

/// What is said of a call: its index, its name, and more of its arguments.
fn call_part(index: u64, name: Option<&str>, arguments: &str) -> String {
    let mut function = json!({"arguments": arguments});
    if let Some(name) = name {
        function["name"] = name.into();
    }
    let call = json!({"index": index, "id": "x", "type": "function", "function": function});
    let delta = json!({"choices": [{"delta": {"tool_calls": [call]}}]});
    format!("data: {delta}\n\n")
}

const CALLED: &str =
    "data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"tool_calls\"}]}\n\n";

#[tokio::test]
async fn tools_are_passed_on() {
    let named = TextTools {
        functions: tools().functions[..1].to_vec(),
        required: true,
        parallel: false,
    };
    let required = TextTools {
        required: true,
        ..tools()
    };
    for (tools, choice, parallel) in [
        (tools(), Value::Null, Value::Null),
        (required, "required".into(), Value::Null),
        (named, "required".into(), false.into()),
    ] {
        let functions = tools.functions.len();
        let upstream = Scripted::new(move |_, body| {
            let offered = body["tools"].as_array().unwrap();
            assert_eq!(offered.len(), functions);
            assert_eq!(offered[0]["type"], "function");
            let look = &offered[0]["function"];
            assert_eq!(
                (&look["name"], &look["strict"]),
                (&"look".into(), &true.into())
            );
            assert_eq!(look["description"], "Looks something up.");
            assert_eq!(look["parameters"]["required"], json!(["q"]));
            assert_eq!(body["tool_choice"], choice);
            assert_eq!(body["parallel_tool_calls"], parallel);
            good()
        });
        let engine = RemoteEngine::open(options(&[&upstream.await])).unwrap();
        let (text, finish, _) = ask(&engine, offering(tools)).await;
        assert_eq!((text.as_str(), finish), ("Hello", Ok(TextFinish::Stop)));
    }
}

#[tokio::test]
async fn calls_are_told_whole_or_not_at_all() {
    let rows: &[(&[String], Result<&str, &str>)] = &[
        (
            &[
                part("Wait."),
                call_part(0, Some("look"), ""),
                call_part(0, None, "{\"q\":"),
                call_part(0, None, " \"x\"}"),
                call_part(1, Some("stop"), ""),
            ],
            Ok("Wait.[look({\"q\": \"x\"})][stop({})]"),
        ),
        // What is not strict may say more than its schema knows, and has to be an object.
        (
            &[call_part(0, Some("stop"), "{\"a\":1}")],
            Ok("[stop({\"a\":1})]"),
        ),
        (&[call_part(0, Some("stop"), "[]")], Err("arguments")),
        (&[call_part(0, Some("stop"), "{\"a\":")], Err("arguments")),
        (&[call_part(0, Some("look"), "{\"q\":1}")], Err("schema")),
        (&[call_part(0, Some("leap"), "{}")], Err("not offered")),
        (
            &[
                call_part(0, Some("stop"), "{"),
                call_part(1, Some("stop"), "{}"),
                call_part(0, None, "}"),
            ],
            Err("arguments"),
        ),
    ];
    for (parts, expected) in rows {
        let said = parts.concat();
        let upstream = Scripted::new(move |_, _| events(&[&said, CALLED, &usage("9", "3")]));
        let engine = RemoteEngine::open(options(&[&upstream.await])).unwrap();
        let (text, finish, _) = ask(&engine, offering(tools())).await;
        match (expected, finish) {
            (Ok(expected), Ok(TextFinish::Stop)) => assert_eq!(text, *expected),
            (Err(expected), Err(TextFault::Broken { reason })) => {
                assert!(reason.contains(expected), "{reason}");
                assert_eq!(text, "");
            }
            (expected, finish) => panic!("{expected:?} {finish:?}"),
        }
    }
}

/// In a whole answer, at the token limit, where none was offered, and where none can be.
#[tokio::test]
async fn calls_elsewhere() {
    let whole = |finish: &'static str| {
        move |_, _: Value| {
            let call = |arguments: &str| {
                let function = json!({"name": "stop", "arguments": arguments});
                json!({"id": "x", "type": "function", "function": function})
            };
            let message = json!({"content": null, "tool_calls": [call("{}"), call("{\"b\":2}")]});
            let body = json!({"choices": [{"message": message, "finish_reason": finish}]});
            reply(200, "application/json", body.to_string())
        }
    };
    let upstream = Scripted::new(whole("tool_calls")).await;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let (text, finish, _) = ask(&engine, offering(tools())).await;
    assert_eq!(text, "[stop({})][stop({\"b\":2})]");
    assert_eq!(finish, Ok(TextFinish::Stop));
    // The last of them may be cut off, and is not told.
    let upstream = Scripted::new(whole("length")).await;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let (text, finish, _) = ask(&engine, offering(tools())).await;
    assert_eq!(
        (text.as_str(), finish),
        ("[stop({})]", Ok(TextFinish::Length))
    );
    let (_, finish, _) = heard(whole("tool_calls")).await;
    assert!(
        matches!(finish, Err(TextFault::Broken { .. })),
        "{finish:?}"
    );
    let without = Options {
        tools: false,
        ..options(&[&upstream])
    };
    let engine = RemoteEngine::open(without).unwrap();
    let refused = engine.check(&offering(tools())).unwrap_err();
    assert!(refused.contains("takes no tools"), "{refused}");
    assert!(!engine.info().tools);
}

#[tokio::test]
async fn an_upstream_is_told_which_span_asks() {
    let told = |headers: HeaderMap| async move {
        let traceparent = headers
            .get("traceparent")
            .map(|told| told.to_str().unwrap());
        events(&[&part(traceparent.unwrap_or("none")), STOP])
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Scripted {
        url: format!("http://{}/v1", listener.local_addr().unwrap()),
        asked: Arc::default(),
    };
    let router = Router::new().fallback(told);
    tokio::spawn(async { axum::serve(listener, router).await });
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let (trace, span) = (
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
        0xf0_67aa_0ba9_02b7,
    );
    for (sampled, expected) in [
        (
            Some(true),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        (
            Some(false),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        ),
        (None, "none"),
    ] {
        let traceparent = sampled.map(|sampled| TraceParent {
            trace,
            span,
            sampled,
        });
        let asked = TextRequest {
            traceparent,
            ..request()
        };
        assert_eq!(ask(&engine, asked).await.0, expected);
    }
}
