use super::{World, read, request, served};
use crate::metering::Meter;
use crate::{CompletionRequest, NodeError, Prompt};
use aigen_engine::scripted::{PassLog, Script, ScriptedEngine, Vocabulary};
use aigen_engine::{Limits, Sequence, Tokenizer};
use aigen_jarvis::Finish;
use aigen_journal::MemoryStore;
use aigen_network::{Outcome, Refusal};
use aigen_types::Amount;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

#[tokio::test]
async fn what_was_used_is_charged_and_the_rest_released() {
    let world = World::new(10_000).await;
    let running = world.complete(40).await.unwrap();
    let prompt = u128::from(running.prompt_tokens);
    let (text, ended) = read(running).await;
    assert_eq!((text.len(), ended.finish), (40, Finish::Length));
    let receipt = ended.receipt.unwrap();
    assert_eq!(receipt.charge.total.nano(), prompt + 2 * 40);
    assert_eq!(world.money(), (10_000 - prompt - 2 * 40, 0));
    world.check();
}

/// Any balance: generation stops at the last token that it covers, through as many holds as
/// that takes, and what is left is less than one more token costs.
#[tokio::test]
async fn generation_stops_exactly_at_the_balance() {
    for balance in [8, 9, 10, 11, 519, 520, 521, 600, 1_555, 1_556, 5_000] {
        let world = World::new(balance).await;
        let running = match world.complete(3_000).await {
            Ok(running) => running,
            Err(NodeError::Refused(Refusal::InsufficientFunds { needed, .. })) => {
                assert!(needed > Amount::from_nano(balance), "{balance} was enough");
                continue;
            }
            Err(other) => panic!("{balance}: {other}"),
        };
        let prompt = u128::from(running.prompt_tokens);
        let (text, ended) = read(running).await;
        let covered = (balance - prompt) / 2;
        assert_eq!(text.len() as u128, covered, "{balance}");
        assert_eq!(ended.finish, Finish::Budget, "{balance}");
        assert_eq!(ended.receipt.unwrap().outcome, Outcome::Budget);
        assert_eq!(world.money(), ((balance - prompt) % 2, 0), "{balance}");
        world.check();
    }
}

#[tokio::test]
async fn a_callers_own_bound_is_a_balance_too() {
    let world = World::new(10_000).await;
    let bounded = crate::CompletionRequest {
        max_cost: Some(Amount::from_nano(106)),
        ..request(3_000)
    };
    let running = world.node.complete(&world.caller, bounded).await.unwrap();
    let prompt = u128::from(running.prompt_tokens);
    let (text, ended) = read(running).await;
    assert_eq!(text.len() as u128, (106 - prompt) / 2);
    assert_eq!(ended.finish, Finish::Budget);
}

/// Many calls on one balance: together they never come to more than it.
#[tokio::test]
async fn concurrent_calls_never_overshoot() {
    let world = World::new(2_000).await;
    let started = futures_join(&world, 12).await;
    let mut charged = 0;
    for running in started {
        let (_, ended) = read(running).await;
        charged += ended.receipt.unwrap().charge.total.nano();
    }
    let (available, held) = world.money();
    assert_eq!((available + charged, held), (2_000, 0));
    world.check();
}

async fn futures_join(world: &World, calls: usize) -> Vec<crate::Running> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let (node, caller) = (world.node.clone(), world.caller.clone());
        tasks.spawn(async move { node.complete(&caller, request(3_000)).await });
    }
    let results = tasks.join_all().await;
    results.into_iter().filter_map(Result::ok).collect()
}

/// A reader that goes away, at whatever moment: what was produced is charged, nothing stays held.
#[tokio::test]
async fn a_reader_that_leaves_pays_for_what_was_produced() {
    for pieces in [0, 1, 5, 300] {
        let world = World::new(100_000).await;
        let mut running = world.complete(3_000).await.unwrap();
        let call = running.call;
        for _ in 0..pieces {
            running.events.recv().await.unwrap();
        }
        drop(running);
        world.node.shut_down(Duration::from_secs(60)).await;
        let (available, held) = world.money();
        let network = world.node.network();
        let receipt = network.receipt(call).expect("settled without its reader");
        assert_eq!(held, 0, "after {pieces} pieces");
        assert_eq!(available + receipt.charge.total.nano(), 100_000);
        let produced = receipt.call.used.computed_tokens();
        assert!(
            produced >= pieces && produced < 3_000,
            "{produced} after {pieces} pieces"
        );
    }
}

/// Says "x" for ever. The first pass waits at the gate, and so does every one that two sessions are in, until
/// nobody is there to open it any more.
fn gated(gate: Receiver<()>, passes: Arc<OnceLock<PassLog>>) -> Script {
    Script::new(move |vocabulary, _| {
        let passes = passes.get().map(PassLog::passes).unwrap_or_default();
        if passes.len() == 1 || passes.last().is_some_and(|pass| pass.len() == 2) {
            let _ = gate.recv();
        }
        let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
        logits[vocabulary.word("x") as usize] = 10.0;
        logits
    })
}

/// A reader that goes away while its prompt is read, 127 tokens at a time: what was read of it is charged, once.
#[tokio::test]
async fn a_reader_that_leaves_during_the_prompt_pays_for_what_was_read() {
    for choices in [1, 3] {
        leave_during_the_prompt(choices).await;
    }
}

async fn leave_during_the_prompt(choices: u32) {
    let ((go, gate), log) = (channel(), Arc::<OnceLock<PassLog>>::default());
    let script = gated(gate, Arc::clone(&log));
    let engine = ScriptedEngine::new(Vocabulary::bytes(), script).with_context(4096);
    let passes = log.get_or_init(|| engine.pass_log());
    let engine = aigen_engine::start(Box::new(engine), Limits::default());
    let model = served(engine.clone());
    let world = World::with(Box::<MemoryStore>::default(), model, 100_000).await;
    let beside = world.complete(3_000).await.unwrap();
    let long = CompletionRequest {
        prompt: Prompt::Text("x".repeat(900)),
        choices,
        ..request(10)
    };
    let (node, caller) = (world.node.clone(), world.caller.clone());
    let reading = tokio::spawn(async move { node.complete(&caller, long).await });
    while engine.sessions() < 2 {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    let reading = reading.await.unwrap().unwrap();
    let (call, prompt) = (reading.call, reading.prompt_tokens);
    // The first part of its prompt waits at the gate. Its meter hears of this before that opens.
    drop(reading);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop((go, beside));
    world.node.shut_down(Duration::from_secs(60)).await;
    let passes = passes.passes();
    let parts = passes.iter().flatten();
    let own = parts.filter(|(sequence, _)| *sequence == Sequence(1));
    let read: u64 = own.map(|(_, tokens)| u64::from(*tokens)).sum();
    assert!(read > 0 && read < prompt, "{read} of {prompt}");
    let network = world.node.network();
    let receipt = network.receipt(call).expect("settled without its reader");
    assert_eq!(receipt.outcome, Outcome::Cancelled);
    assert_eq!(receipt.call.used.prompt_tokens, read);
    assert_eq!(receipt.charge.total.nano(), u128::from(read));
    assert_eq!(world.money().1, 0);
    world.check();
}

/// The handler's future is dropped between the hold and the response.
#[tokio::test]
async fn a_caller_that_never_saw_the_response_leaves_no_hold() {
    let world = World::new(100_000).await;
    for polls in 0..6 {
        let mut call = Box::pin(world.complete(3_000));
        for _ in 0..polls {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(call.as_mut().poll(context).is_ready())
            });
            if once.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    world.node.shut_down(Duration::from_secs(60)).await;
    assert_eq!(world.money().1, 0);
    world.check();
}

#[tokio::test]
async fn a_node_that_shuts_down_settles_what_runs_and_takes_nothing_new() {
    let world = World::new(100_000).await;
    let running = world.complete(4_000).await.unwrap();
    world.node.shut_down(Duration::ZERO).await;
    drop(running);
    assert_eq!(world.money().1, 0);
    let refused = world.complete(10).await.unwrap_err();
    assert!(matches!(refused, NodeError::ShuttingDown));
}

/// Several answers to one prompt: it is computed and charged once, every answer by itself.
#[tokio::test]
async fn several_answers_share_their_prompt() {
    let world = World::new(10_000).await;
    let several = crate::CompletionRequest {
        choices: 3,
        ..request(20)
    };
    let mut running = world.node.complete(&world.caller, several).await.unwrap();
    let prompt = u128::from(running.prompt_tokens);
    // All of them are held for, to their ends.
    let mut texts = vec![String::new(); 3];
    let ended = loop {
        match running.events.recv().await.unwrap() {
            crate::CallEvent::Piece { choice, piece } => texts[choice as usize] += &piece.text,
            crate::CallEvent::Ended(ended) => break ended,
        }
    };
    assert_eq!(texts, ["x".repeat(20), "x".repeat(20), "x".repeat(20)]);
    let finishes: Vec<_> = ended.choices.iter().map(|choice| &choice.finish).collect();
    assert_eq!(finishes, [&Finish::Length; 3]);
    let receipt = ended.receipt.unwrap();
    assert_eq!(receipt.charge.total.nano(), prompt + 2 * 60);
    assert_eq!(world.money(), (10_000 - prompt - 2 * 60, 0));
    world.check();
}

/// Nobody could say which of them ends where the money does.
#[tokio::test]
async fn several_answers_are_held_for_as_a_whole() {
    let world = World::new(100).await;
    let several = crate::CompletionRequest {
        choices: 3,
        ..request(20)
    };
    let refused = world.node.complete(&world.caller, several).await;
    assert!(matches!(
        refused,
        Err(NodeError::Refused(Refusal::InsufficientFunds { .. }))
    ));
    assert_eq!(world.money(), (100, 0));
}

/// All of it is written for each call, and read again from afar where many are under way.
#[tokio::test]
async fn a_call_takes_little_room() {
    let World { node, caller } = World::new(10_000).await;
    let request = Box::new(request(40));
    let admitted = node
        .0
        .models
        .gate(&request.model)
        .enter(&caller.key)
        .unwrap();
    let queued = size_of_val(&node.queue(&caller, request.clone()));
    assert!(queued <= 384, "{queued}");
    let prepared = node.prepare(&caller, request).await.unwrap();
    let meter = Box::new(Meter::new(node.clone(), *prepared, admitted));
    let ((started, _began), (settle, _settled)) = (oneshot::channel(), oneshot::channel());
    let (pieces, _events) = mpsc::channel(1);
    let run = size_of_val(&meter.run(started, pieces, settle));
    assert!(run <= 2_304, "{run}");
}
