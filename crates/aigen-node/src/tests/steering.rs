use super::{World, parsed, read, request, user};
use crate::{CompletionRequest, NodeError, Steering};
use aigen_network::{ControllerKind, NewController, SetStanding, Standing, Stated, script_key};
use serde_json::{Map, Value, json};

fn steered(name: &str, params: Value, prompt: &str) -> CompletionRequest {
    let params: Map<_, _> = params.as_object().unwrap().clone();
    CompletionRequest {
        prompt: user(prompt),
        steering: Steering::Controller {
            name: name.into(),
            params,
        },
        ..request(60)
    }
}

async fn publish(
    world: &World,
    reference: &str,
    kind: ControllerKind,
    source: &str,
) -> Result<String, NodeError> {
    let new = NewController {
        reference: parsed(reference),
        kind,
        source: source.into(),
        listed: true,
        description: String::new(),
    };
    let owner = crate::Caller {
        account: parsed("developer:ada"),
        spender: parsed("developer:ada"),
        ..world.caller.clone()
    };
    let digest = world.node.publish_controller(&owner, new).await?;
    Ok(digest.to_string())
}

/// A model that only ever says "x" is made to say what each controller allows.
#[tokio::test]
async fn controllers_decide_what_may_be_said() {
    let world = World::new(1_000_000).await;
    let template = "start: \"Answer: \" answer\nanswer: @quote(lesson, 3)";
    let grammar = publish(&world, "ada/quote@1.0.0", ControllerKind::Grammar, template)
        .await
        .unwrap();
    let script = json!({ script_key("Hi"): "scripted" }).to_string();
    publish(&world, "ada/script@1.0.0", ControllerKind::Script, &script)
        .await
        .unwrap();
    let lesson = "a fox ran";
    let words = ["a", "fox", "ran", "a fox", "fox ran", "a fox ran"];
    let answers = words.map(|words| format!("Answer: {words}"));
    let answers: Vec<_> = answers.iter().map(String::as_str).collect();
    let rows: [(&str, Value, &[&str]); 7] = [
        ("choice", json!({"options": ["yes", "no"]}), &["yes", "no"]),
        ("regex", json!({"pattern": "7{3}x"}), &["777x"]),
        (
            "json-schema",
            json!({"schema": {"const": {"a": 1}}}),
            &["{\"a\":1}"],
        ),
        ("quote", json!({"text": lesson}), &words),
        ("ada/quote@1.0.0", json!({"lesson": lesson}), &answers),
        (grammar.as_str(), json!({"lesson": lesson}), &answers),
        ("ada/script@1.0.0", json!({}), &["scripted"]),
    ];
    for (name, params, allowed) in rows {
        let running = world
            .node
            .complete(&world.caller, steered(name, params, "Hi"))
            .await;
        let (text, ended) = read(running.unwrap_or_else(|error| panic!("{name}: {error}"))).await;
        assert!(allowed.contains(&text.as_str()), "{name}: {text:?}");
        assert!(ended.grammar_complete.unwrap_or(true), "{name}: {text:?}");
    }
    world.check();
}

#[tokio::test]
async fn what_cannot_steer_is_refused_before_anything_is_held() {
    let world = World::new(1_000_000).await;
    let rows = [
        ("ada/none@1.0.0", json!({}), "not published"),
        ("regex", json!({}), "aigen.params.pattern"),
        (
            "regex",
            json!({"pattern": "ab("}),
            r#"unclosed group (at column 3: "(")"#,
        ),
        ("choice", json!({"options": "yes"}), "a list of texts"),
        ("json-schema", json!({"schema": {"type": "nonsense"}}), ""),
        (
            "json-schema",
            json!({"schema": {"type": "object", "not": {}}}),
            "hint: leave the keyword out, and check the value afterwards",
        ),
        (
            "quote",
            json!({"text": "a b", "words": 0}),
            "`aigen.params.words`",
        ),
        (
            "quote",
            json!({"text": "a b", "words": "x"}),
            "`aigen.params.words`",
        ),
        (
            "json-schema",
            json!({"schema": {}, "lenient": true}),
            "aigen.params.lenient: the controller `json-schema` takes no such parameter, only `schema`",
        ),
        (
            "regex",
            json!({"patern": "a"}),
            "aigen.params.patern: the controller `regex` takes no such parameter, only `pattern`",
        ),
        (
            "lark",
            json!({"grammar": "start: /a/", "start": "a"}),
            "only `grammar`",
        ),
        (
            "choice",
            json!({"options": ["a"], "of": 1}),
            "only `options`",
        ),
        (
            "quote",
            json!({"text": "a b", "length": 1}),
            "only `text`, `words`",
        ),
    ];
    for (name, params, expected) in rows {
        let refused = world
            .node
            .complete(&world.caller, steered(name, params, "Hi"))
            .await;
        let message = refused.map(|_| ()).unwrap_err().to_string();
        assert!(message.contains(expected), "{name}: {message}");
    }
    assert_eq!(world.money(), (1_000_000, 0));
    assert_eq!(world.node.network().receipts().count(), 0);
}

/// The field at fault, for programs.
#[tokio::test]
async fn what_is_given_wrongly_is_named() {
    let world = World::new(1_000_000).await;
    let template = "start: @regex(pattern) @json(form)";
    publish(&world, "ada/form@1.0.0", ControllerKind::Grammar, template)
        .await
        .unwrap();
    let rows = [
        ("regex", json!({}), "pattern"),
        ("regex", json!({"pattern": "("}), "pattern"),
        ("choice", json!({"options": []}), "options"),
        ("quote", json!({"text": 5}), "text"),
        ("lark", json!({"grammar": "start: ("}), "grammar"),
        (
            "json-schema",
            json!({"schema": {"type": "boolea"}}),
            "schema",
        ),
        ("choice", json!({"options": ["a"], "x": 1}), "x"),
        ("ada/form", json!({"pattern": "(", "form": {}}), "pattern"),
        (
            "ada/form",
            json!({"pattern": "a", "form": {"type": "boolea"}}),
            "form",
        ),
        ("ada/form", json!({"pattern": "a", "form": 3}), "form"),
        ("ada/form", json!({"pattern": "a"}), "form"),
    ];
    for (name, params, field) in rows {
        let shown = params.to_string();
        let refused = world
            .node
            .complete(&world.caller, steered(name, params, "Hi"))
            .await;
        match refused.map(|_| ()) {
            Err(NodeError::Given { path, .. } | NodeError::ParameterUnknown { path, .. }) => {
                assert_eq!(path, format!("aigen.params.{field}"), "{name} {shown}");
            }
            other => panic!("{name} {shown}: {other:?}"),
        }
    }
    let quoted = steered("quote", json!({"text": "a fox ran", "words": 1}), "Hi");
    let running = world.node.complete(&world.caller, quoted).await.unwrap();
    let (text, _) = read(running).await;
    assert!(["a", "fox", "ran"].contains(&text.as_str()), "{text}");
}

/// Of several answers nothing is kept, and whoever asks for that is told before it costs anything.
#[tokio::test]
async fn several_answers_are_not_kept_to_be_run_again() {
    let world = World::new(1_000_000).await;
    let several = CompletionRequest {
        choices: 2,
        replay: true,
        ..steered("choice", json!({"options": ["yes", "no"]}), "Hi")
    };
    let refused = world.node.complete(&world.caller, several).await;
    match refused.map(|_| ()) {
        Err(NodeError::Unsupported { param, .. }) => assert_eq!(param, "aigen.replay"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.money(), (1_000_000, 0));
}

/// A deprecation says less than a yank, and takes none back.
#[tokio::test]
async fn a_yanked_version_stays_yanked_until_it_is_restored() {
    let world = World::new(1_000_000).await;
    publish(
        &world,
        "ada/yes@1.0.0",
        ControllerKind::Grammar,
        "start: \"yes\"",
    )
    .await
    .unwrap();
    let owner = crate::Caller {
        account: parsed("developer:ada"),
        spender: parsed("developer:ada"),
        ..world.caller.clone()
    };
    let rows = [
        (Standing::Deprecated, "old", ""),
        (Standing::Yanked, "bad\nvery", "has the character \\u{a}"),
        (
            Standing::Yanked,
            "bad\u{1b}[31m",
            "has the character \\u{1b}",
        ),
        (Standing::Yanked, "bad", ""),
        (Standing::Deprecated, "old", "is yanked"),
        (Standing::Yanked, "worse", ""),
        (Standing::Current, "", ""),
        (Standing::Deprecated, "old", ""),
    ];
    for (standing, reason, refused) in rows {
        let set = SetStanding {
            reference: parsed("ada/yes@1.0.0"),
            stated: Stated {
                standing,
                reason: reason.into(),
            },
        };
        let said = world.node.set_standing(&owner, set).await;
        match (said, refused) {
            (Ok(()), "") => {}
            (Err(error), part) if !part.is_empty() => {
                assert!(error.to_string().contains(part), "{error}");
            }
            (other, _) => panic!("{standing:?} {reason:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn only_sources_that_work_are_published_and_only_by_their_owner() {
    let world = World::new(1_000_000).await;
    let broken = publish(
        &world,
        "ada/broken@1.0.0",
        ControllerKind::Grammar,
        "start: (",
    )
    .await;
    assert!(matches!(broken, Err(NodeError::Steering(_))));
    let foreign = publish(
        &world,
        "eve/quote@1.0.0",
        ControllerKind::Grammar,
        "start: /a/",
    )
    .await;
    assert!(matches!(foreign, Err(NodeError::Forbidden(_))));
}

const ECHO: &str = r#"
description = "Say it."
max_tokens = 20
input = { type = "object", required = ["word"], properties = { word = { type = "string" } } }
output = { const = { said = true } }
"#;

/// A function is asked in its own words, and its schema is what steers.
#[tokio::test]
async fn a_function_takes_its_input_from_parameters_or_the_last_message() {
    let world = World::new(1_000_000).await;
    let digest = publish(&world, "ada/echo@1.0.0", ControllerKind::Function, ECHO)
        .await
        .unwrap();
    for (name, params, said) in [
        ("ada/echo@1.0.0", json!({"word": "a"}), "unread"),
        ("ada/echo", json!({}), "a"),
        (digest.as_str(), json!({}), r#"{"word": "a"}"#),
    ] {
        let running = world
            .node
            .complete(&world.caller, steered(name, params, said));
        let running = running
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (text, ended) = read(running).await;
        assert_eq!(text, r#"{"said":true}"#, "{name}");
        assert!(ended.receipt.unwrap().call.controller.is_some());
    }
    for (params, said, expected) in [
        (json!({"word": 5}), "", "input.word: 5 is not of type"),
        (json!({}), "", "input: \"word\" is a required property"),
    ] {
        let refused = world
            .node
            .complete(&world.caller, steered("ada/echo", params, said))
            .await;
        let refused = refused.map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    world.check();
}

#[tokio::test]
async fn a_function_that_cannot_work_is_not_published() {
    let world = World::new(1_000_000).await;
    for (old, new, expected) in [
        ("description", "colour", "unknown field `colour`"),
        (
            "{ const = { said = true } }",
            "{ type = \"string\", pattern = \"(?=a)b\" }",
            "the function: output.pattern: ",
        ),
        (
            "max_tokens = 20",
            "prompt = \"{{ wrod }}\"",
            "the function: prompt: line 1: there is no `wrod`",
        ),
    ] {
        let source = ECHO.replace(old, new);
        let refused = publish(&world, "ada/bad@1.0.0", ControllerKind::Function, &source).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}
