//! A model that other servers answer for: what they claim, what is believed of it, and what that costs.

use super::{PRICE, World, parsed, read, request, user};
use crate::{
    CompletionRequest, Correction, Counting, Node, NodeError, Served, Steering, Tool, ToolUse,
    random_call_id,
};
use aigen_engine::ControlLevel;
use aigen_engine::text::{
    Asked, Claimed, OnText, TextCall, TextControl, TextEnding, TextEngine, TextEvent, TextFault,
    TextFinish, TextInfo, TextPrompt, TextRequest, Unshown,
};
use aigen_jarvis::{CallReader, Finish, Spoken};
use aigen_journal::MemoryStore;
use aigen_network::{ControllerKind, Counter, NewController};
use aigen_types::Digest;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use tokio::sync::oneshot;

type Say = Box<dyn FnOnce(TextRequest, OnText) + Send>;

/// Answers its next request as it is told to.
pub(super) struct Told {
    say: Mutex<Vec<Say>>,
    control: ControlLevel,
    tools: bool,
    /// Whether it tells how likely its answers are.
    pub probabilities: AtomicBool,
    /// Hears that a request was hung up.
    hung_up: Mutex<Option<mpsc::Sender<()>>>,
}

impl Told {
    pub fn new(control: ControlLevel, tools: bool) -> Arc<Self> {
        Arc::new(Self {
            say: Mutex::default(),
            control,
            tools,
            probabilities: AtomicBool::new(false),
            hung_up: Mutex::default(),
        })
    }

    pub fn will(&self, say: impl FnOnce(TextRequest, OnText) + Send + 'static) {
        self.say.lock().unwrap().push(Box::new(say));
    }

    /// The next answer: this text, ended so, with this claim.
    pub fn answers(&self, text: &'static str, finish: Result<TextFinish, TextFault>, claim: Claim) {
        self.will(move |_, mut on_event| {
            if !text.is_empty() {
                on_event(TextEvent::Started);
                on_event(TextEvent::Text(text.into()));
            }
            let claimed = claim.map(|(prompt, cached, completion)| Claimed {
                prompt: Some(prompt),
                cached,
                completion: Some(completion),
            });
            on_event(TextEvent::Finished(TextEnding { finish, claimed }));
        });
    }
}

/// Prompt, cached and output tokens.
pub(super) type Claim = Option<(i64, Option<i64>, i64)>;

struct Control(Option<mpsc::Sender<()>>);

impl TextControl for Control {
    fn hang_up(&self) {
        self.cancel();
    }

    fn cancel(&self) {
        if let Some(heard) = &self.0 {
            let _ = heard.send(());
        }
    }
}

impl TextEngine for Told {
    fn info(&self) -> TextInfo {
        TextInfo {
            digest: Digest([7; 32]),
            context_tokens: 4096,
            answer_tokens: 500,
            control: self.control,
            tools: self.tools,
            probabilities: self.probabilities.load(Ordering::Relaxed),
            upstreams: Vec::new(),
        }
    }

    fn check(&self, request: &TextRequest) -> Result<(), String> {
        match request.schema.is_some() && self.control < ControlLevel::Schema {
            true => Err("it follows no schema".into()),
            false => Ok(()),
        }
    }

    fn start(&self, request: TextRequest, on_event: OnText) -> Asked {
        let say = self.say.lock().unwrap().pop().expect("an answer to give");
        say(request, on_event);
        Asked::elsewhere(Box::new(Control(self.hung_up.lock().unwrap().take())))
    }
}

async fn world(control: ControlLevel) -> (World, Arc<Told>) {
    world_of(Told::new(control, false)).await
}

async fn world_of(told: Arc<Told>) -> (World, Arc<Told>) {
    let model = Served::Remote(told.clone());
    let world = World::with(Box::<MemoryStore>::default(), model, 1_000_000).await;
    (world, told)
}

/// "Say x" is 5 bytes, so 9 tokens at most, and 3 by our own estimate; 40 tokens of output may
/// come. A claim outside of that is not believed, and the answer's bytes are counted instead.
#[tokio::test]
async fn a_claim_is_believed_within_its_bounds_only() {
    let counted = (3, 0, 2); // "12345678" by its bytes.
    let rows: &[(Claim, (u64, u64, u64), &str)] = &[
        (Some((4, None, 3)), (4, 0, 3), ""),
        (Some((9, Some(9), 40)), (0, 9, 40), ""),
        (Some((9, Some(4), 1)), (5, 4, 1), ""),
        (None, counted, "does not say how many prompt tokens"),
        (
            Some((10, None, 3)),
            counted,
            "claims 10 prompt tokens, between 1 and 9",
        ),
        (Some((0, None, 3)), counted, "claims 0 prompt tokens"),
        (Some((-1, None, 3)), counted, "claims -1 prompt tokens"),
        (
            Some((4, Some(5), 3)),
            counted,
            "claims 5 cached tokens, between 0 and 4",
        ),
        (
            Some((4, None, 41)),
            counted,
            "claims 41 output tokens, between 1 and 40",
        ),
        (Some((4, None, 0)), counted, "claims 0 output tokens"),
        (Some((4, None, i64::MAX)), counted, "output tokens"),
    ];
    for (claim, (prompt, cached, output), doubt) in rows {
        let (world, told) = world(ControlLevel::Text).await;
        told.answers("12345678", Ok(TextFinish::Stop), *claim);
        let (text, ended) = read(world.complete(40).await.unwrap()).await;
        assert_eq!((text.as_str(), &ended.finish), ("12345678", &Finish::Stop));
        match &ended.counting {
            Counting::Claimed => assert!(doubt.is_empty(), "{claim:?}"),
            Counting::Estimated(why) => {
                let why = why.to_string();
                assert!(!doubt.is_empty() && why.contains(doubt), "{claim:?}: {why}");
            }
            Counting::Exact => panic!("{claim:?}"),
        }
        let receipt = ended.receipt.unwrap();
        let counter = match doubt.is_empty() {
            true => Counter::Upstream,
            false => Counter::Estimated,
        };
        assert_eq!(receipt.counter, Some(counter), "{claim:?}");
        let used = receipt.call.used;
        let measured = (
            used.prompt_tokens,
            used.cached_prompt_tokens,
            used.sampled_tokens,
        );
        assert_eq!(measured, (*prompt, *cached, *output), "{claim:?}");
        let due = u128::from(prompt + cached + 2 * output);
        assert_eq!(receipt.charge.total.nano(), due, "{claim:?}");
        assert_eq!(world.money(), (1_000_000 - due, 0), "{claim:?}");
        world.check();
    }
}

/// The prompt at its longest and the answer at its longest are held before anything is asked.
#[tokio::test]
async fn the_worst_case_is_held() {
    assert_eq!(PRICE.output.nano(), 2 * PRICE.input.nano());
    let (world, told) = world(ControlLevel::Text).await;
    let (go, gate) = mpsc::channel::<()>();
    told.will(move |_, mut on_event| {
        on_event(TextEvent::Started);
        std::thread::spawn(move || {
            gate.recv().unwrap();
            let claimed = Some(Claimed {
                prompt: Some(4),
                cached: None,
                completion: Some(1),
            });
            let finish = Ok(TextFinish::Stop);
            on_event(TextEvent::Finished(TextEnding { finish, claimed }));
        });
    });
    let running = world.complete(40).await.unwrap();
    assert_eq!(world.money(), (1_000_000 - 89, 89));
    go.send(()).unwrap();
    read(running).await;
    assert_eq!(world.money(), (1_000_000 - 6, 0));
}

/// A request that does not say how long its answer may be is held for a usual one, not for all of the
/// context, and its upstream is told so.
#[tokio::test]
async fn an_answer_of_unsaid_length_is_held_for_at_a_usual_one() {
    let (world, told) = world(ControlLevel::Text).await;
    let (go, gate) = mpsc::channel();
    told.will(move |request, mut on_event| {
        assert_eq!(request.max_tokens, 500);
        std::thread::spawn(move || {
            on_event(TextEvent::Started);
            gate.recv().unwrap();
            let finish = Ok(TextFinish::Stop);
            on_event(TextEvent::Finished(TextEnding {
                finish,
                claimed: None,
            }));
        });
    });
    let unsaid = CompletionRequest {
        max_tokens: None,
        ..request(0)
    };
    let running = world.node.complete(&world.caller, unsaid).await.unwrap();
    assert_eq!(world.money(), (1_000_000 - 1_009, 1_009));
    go.send(()).unwrap();
    read(running).await;
}

/// An answer is asked for, and held for, beside its prompt; a prompt that fits no context is asked of nobody.
#[tokio::test]
async fn an_answer_has_room_beside_its_prompt() {
    let (world, told) = world(ControlLevel::Text).await;
    // 400 tokens by our own estimate, and 20 around them.
    let long = |bytes: usize, wanted| CompletionRequest {
        call: random_call_id(),
        prompt: user(&"x".repeat(bytes)),
        max_tokens: wanted,
        ..request(0)
    };
    told.will(|request, mut on_event| {
        assert_eq!(request.max_tokens, 4_096 - 420);
        on_event(TextEvent::Started);
        let (finish, claimed) = (Ok(TextFinish::Stop), None);
        on_event(TextEvent::Finished(TextEnding { finish, claimed }));
    });
    let asked = long(1_600, Some(4_096));
    read(world.node.complete(&world.caller, asked).await.unwrap()).await;
    let money = world.money();
    let asked = long(100_000, None);
    let refused = world.node.complete(&world.caller, asked).await.unwrap_err();
    let said = "the prompt has at least 6255 tokens, the model's context holds 4096";
    assert_eq!(refused.to_string(), said);
    assert_eq!(world.money(), money);
}

/// Who cannot pay for the longest answer is refused before anything is asked: nothing could end it
/// where the money does.
#[tokio::test]
async fn half_an_answer_cannot_be_paid_for() {
    let told = Told::new(ControlLevel::Text, false);
    let model = Served::Remote(told);
    let world = World::with(Box::<MemoryStore>::default(), model, 88).await;
    let refused = world.complete(40).await.unwrap_err().to_string();
    assert!(refused.contains("0.000000089"), "{refused}");
    assert_eq!(world.money(), (88, 0));
}

/// What fails before anything was said is an error, and free; what fails later is an ending, and
/// what had come is charged.
#[tokio::test]
async fn failures_before_and_after_the_first_word() {
    let (world, told) = world(ControlLevel::Text).await;
    let fault = || TextFault::Broken {
        reason: "gone".into(),
    };
    told.answers("", Err(fault()), Some((5, None, 5)));
    let error = world.complete(40).await.unwrap_err();
    assert!(matches!(error, NodeError::Upstream(found) if found == fault()));
    assert_eq!(world.money(), (1_000_000, 0));
    told.answers("1234", Err(fault()), None);
    let (text, ended) = read(world.complete(40).await.unwrap()).await;
    assert_eq!(text, "1234");
    assert!(matches!(ended.finish, Finish::Fault(_)));
    assert_eq!(ended.receipt.unwrap().charge.total.nano(), 3 + 2);
    world.check();
}

/// A caller that is gone, before the first word or after it, is told on; no hold stays.
#[tokio::test]
async fn hanging_up_is_told_on() {
    for said in ["", "1234"] {
        let (world, told) = world(ControlLevel::Text).await;
        let (heard, hung_up) = mpsc::channel();
        *told.hung_up.lock().unwrap() = Some(heard);
        let (asked, was_asked) = oneshot::channel();
        told.will(move |_, mut on_event| {
            if !said.is_empty() {
                on_event(TextEvent::Started);
                on_event(TextEvent::Text(said.into()));
            }
            let _ = asked.send(());
            std::thread::spawn(move || {
                hung_up.recv().unwrap();
                on_event(TextEvent::Finished(TextEnding {
                    finish: Ok(TextFinish::Cancelled),
                    claimed: None,
                }));
            });
        });
        if said.is_empty() {
            let complete = world.complete(40);
            tokio::select! {
                _ = complete => panic!("nothing was said"),
                _ = was_asked => {}
            }
        } else {
            drop(world.complete(40).await.unwrap());
        }
        settled(&world.node).await;
        // Who hears nothing pays nothing; "Say x" and "1234" come to 3 and 1 tokens of 1 and 2.
        let paid = if said.is_empty() { 0 } else { 3 + 2 };
        assert_eq!(world.money(), (1_000_000 - paid, 0), "{said:?}");
        world.check();
    }
}

async fn settled(node: &Node) {
    while node.running_calls() > 0 {
        tokio::task::yield_now().await;
    }
}

fn steered(steering: Steering) -> CompletionRequest {
    CompletionRequest {
        call: random_call_id(),
        prompt: user("Hi"),
        steering,
        ..request(60)
    }
}

fn by(name: &str, params: Value) -> CompletionRequest {
    let params: Map<_, _> = params.as_object().unwrap().clone();
    let name = name.to_owned();
    steered(Steering::Controller { name, params })
}

/// What decides about tokens is refused; what is nothing but a schema becomes one.
#[tokio::test]
async fn controllers_that_are_schemas_run_and_others_are_refused() {
    let (world, told) = world(ControlLevel::Schema).await;
    let schema = json!({"type": "object", "required": ["n"]});
    let publish = async |reference: &str, source: &str| {
        let new = NewController {
            reference: parsed(reference),
            kind: ControllerKind::Grammar,
            source: source.into(),
            listed: true,
            description: String::new(),
        };
        let owner = crate::Caller {
            account: parsed("developer:ada"),
            spender: parsed("developer:ada"),
            ..world.caller.clone()
        };
        world.node.publish_controller(&owner, new).await.unwrap();
    };
    publish(
        "ada/any@1.0.0",
        "# Whatever is asked for.\nstart: @json(shape)",
    )
    .await;
    publish("ada/form@1.0.0", &format!("start: %json {schema}")).await;
    publish("ada/word@1.0.0", "start: /[a-z]+/").await;
    let runs = [
        steered(Steering::JsonSchema(schema.clone())),
        by("json-schema", json!({ "schema": schema })),
        by("ada/any@1.0.0", json!({ "shape": schema })),
        by("ada/form@1.0.0", json!({})),
    ];
    for (at, request) in runs.into_iter().enumerate() {
        let expected = schema.clone();
        told.will(move |request, mut on_event| {
            assert_eq!(request.schema.as_deref(), Some(&expected));
            on_event(TextEvent::Started);
            on_event(TextEvent::Text("{\"n\":1}".into()));
            let finish = Ok(TextFinish::Stop);
            let claimed = None;
            on_event(TextEvent::Finished(TextEnding { finish, claimed }));
        });
        let running = world.node.complete(&world.caller, request).await.unwrap();
        let published = running.controller.is_some();
        let (text, ended) = read(running).await;
        assert_eq!(
            (text.as_str(), ended.grammar_complete),
            ("{\"n\":1}", Some(true))
        );
        assert_eq!(published, at >= 2);
    }
    for (name, params) in [
        ("regex", json!({"pattern": "a+"})),
        ("lark", json!({"grammar": "start: \"a\""})),
        ("choice", json!({"options": ["a"]})),
        ("quote", json!({"text": "a b"})),
        ("ada/word@1.0.0", json!({})),
    ] {
        let refused = world.node.complete(&world.caller, by(name, params)).await;
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("decides about tokens"),
            "{name}: {refused}"
        );
    }
    let refused = CompletionRequest {
        top_logprobs: Some(1),
        ..steered(Steering::Free)
    };
    let refused = world.node.complete(&world.caller, refused).await;
    let param = "logprobs";
    assert!(matches!(refused, Err(NodeError::Unsupported { param: p, .. }) if p == param));
}

/// A text that fails its schema is charged, and nobody is shown it.
#[tokio::test]
async fn a_broken_promise_is_not_shown() {
    let (world, told) = world(ControlLevel::Schema).await;
    let fault = TextFault::Schema {
        reason: "no object".into(),
        said: Unshown::default(),
    };
    told.answers("[1, 2, 3]", Err(fault), Some((4, None, 5)));
    let running = world
        .node
        .complete(&world.caller, steered(Steering::JsonObject))
        .await;
    let (text, ended) = read(running.unwrap()).await;
    assert_eq!((text.as_str(), ended.grammar_complete), ("", Some(false)));
    assert_eq!(ended.receipt.unwrap().charge.total.nano(), 4 + 2 * 5);
}

/// An upstream that follows no schema is told of it, and of what was wrong before; what it says is read,
/// and counted whole.
#[tokio::test]
async fn a_schema_that_no_upstream_follows_is_stated_and_verified() {
    let (world, told) = world(ControlLevel::Text).await;
    let schema = json!({"type": "object", "required": ["n"]});
    let correction = Correction {
        said: "[]".into(),
        why: "it is no object".into(),
    };
    for (said, expected) in [
        ("Here: {\"n\":1}.", Ok("{\"n\":1}")),
        ("Here: {\"m\":1}.", Err("the field `n` is missing")),
    ] {
        let stated = schema.to_string();
        told.will(move |request, mut on_event| {
            assert_eq!(request.schema, None);
            let TextPrompt::Chat(messages) = request.prompt else {
                panic!("it is a conversation")
            };
            let contents: Vec<_> = messages.iter().map(|one| one.content.as_str()).collect();
            assert!(contents[0].ends_with(&stated), "{contents:?}");
            assert_eq!(contents[1..3], ["Hi", "[]"]);
            assert!(contents[3].contains("it is no object"), "{contents:?}");
            on_event(TextEvent::Started);
            on_event(TextEvent::Text(said.into()));
            let claimed = None;
            let finish = Ok(TextFinish::Stop);
            on_event(TextEvent::Finished(TextEnding { finish, claimed }));
        });
        let asked = CompletionRequest {
            corrections: vec![correction.clone()],
            ..steered(Steering::JsonSchema(schema.clone()))
        };
        let running = world.node.complete(&world.caller, asked).await.unwrap();
        let (text, ended) = read(running).await;
        assert_eq!(text, expected.unwrap_or_default());
        assert_eq!(ended.grammar_complete, Some(expected.is_ok()));
        let counted = ended.receipt.unwrap().call.used.computed_tokens();
        assert_eq!(counted, said.len().div_ceil(4) as u64);
        match (ended.finish, expected) {
            (Finish::Stop, Ok(_)) => {}
            (Finish::Fault(fault), Err(reason)) => {
                assert!(fault.to_string().contains(reason), "{fault}");
                assert!(!format!("{fault:?}{fault}").contains("Here"), "{fault:?}");
            }
            (finish, _) => panic!("{finish:?}"),
        }
    }
}

/// Two functions, of which one may be called.
fn offering(answer: Option<Value>) -> CompletionRequest {
    let tool = |name: &str| Tool {
        name: name.to_owned(),
        description: Some("Looks.".to_owned()),
        parameters: json!({"type": "object"}),
        strict: true,
        callable: name == "look",
    };
    CompletionRequest {
        prompt: user("Look."),
        ..steered(Steering::Tools(ToolUse {
            tools: vec![tool("look"), tool("stop")],
            required: true,
            parallel: false,
            answer,
        }))
    }
}

/// Calls come in the words of this node, which every route reads; tokens of the functions are held
/// for and may be claimed.
#[tokio::test]
async fn tools_are_offered_elsewhere() {
    let (world, told) = world_of(Told::new(ControlLevel::Text, true)).await;
    told.will(|request, mut on_event| {
        let tools = request.tools.as_ref().unwrap();
        let names: Vec<_> = tools
            .functions
            .iter()
            .map(|function| function.name.as_str())
            .collect();
        assert_eq!(
            (names, tools.required, tools.parallel),
            (vec!["look"], true, false)
        );
        let TextPrompt::Chat(messages) = &request.prompt else {
            panic!("{request:?}");
        };
        assert_eq!(
            messages.len(),
            1,
            "the upstream has words of its own: {messages:?}"
        );
        on_event(TextEvent::Started);
        on_event(TextEvent::Text("Wait.".into()));
        for arguments in ["{\"a\":1}", "{}"] {
            let (name, arguments) = ("look".to_owned(), arguments.to_owned());
            on_event(TextEvent::Call(TextCall { name, arguments }));
        }
        let claimed = Some(Claimed {
            prompt: Some(600),
            cached: None,
            completion: Some(20),
        });
        let finish = Ok(TextFinish::Stop);
        on_event(TextEvent::Finished(TextEnding { finish, claimed }));
    });
    let running = world.node.complete(&world.caller, offering(None)).await;
    let (text, ended) = read(running.unwrap()).await;
    let mut reader = CallReader::default();
    let call = |arguments: &str| {
        [
            Spoken::Call {
                name: "look".into(),
            },
            Spoken::Arguments(arguments.into()),
            Spoken::CallEnd,
        ]
    };
    let mut expected = vec![Spoken::Text("Wait.".into())];
    expected.extend(call("{\"a\":1}"));
    expected.extend(call("{}"));
    assert_eq!(reader.push(&text), expected, "{text}");
    assert_eq!(ended.counting, Counting::Claimed);
    assert_eq!(ended.receipt.unwrap().charge.total.nano(), 600 + 2 * 20);
}

/// Text that says a call is none: it was held to nothing.
#[tokio::test]
async fn a_call_in_text_is_no_call() {
    let (world, told) = world_of(Told::new(ControlLevel::Text, true)).await;
    told.will(|_, mut on_event| {
        on_event(TextEvent::Started);
        for part in ["Wait.", "<tool_", "call>\n{\"name\": \"stop\"", "}"] {
            on_event(TextEvent::Text(part.into()));
        }
        let (finish, claimed) = (Ok(TextFinish::Stop), None);
        on_event(TextEvent::Finished(TextEnding { finish, claimed }));
    });
    let running = world.node.complete(&world.caller, offering(None)).await;
    let (text, ended) = read(running.unwrap()).await;
    assert_eq!(text, "Wait.<tool_");
    let Finish::Fault(fault) = ended.finish else {
        panic!("{:?}", ended.finish);
    };
    assert!(
        fault.to_string().contains("calls a function in its text"),
        "{fault}"
    );
}

#[tokio::test]
async fn tools_are_refused_by_name_where_none_are_taken() {
    let (taken, _) = world_of(Told::new(ControlLevel::Schema, true)).await;
    let (not_taken, _) = world(ControlLevel::Schema).await;
    let answer = Some(json!({"type": "object"}));
    for (world, answer, why) in [
        (not_taken, None, "the operator"),
        (taken, answer, "`tools` or"),
    ] {
        let refused = world.node.complete(&world.caller, offering(answer)).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(&refused, NodeError::Unsupported { param: "tools", reason, .. } if reason.contains(why)),
            "{refused}"
        );
    }
}
