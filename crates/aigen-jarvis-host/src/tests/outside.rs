//! Guests that ask the outside: what they are answered decides what they do, is in the log, and
//! is all that a replay needs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_engine::{EngineHandle, Limits};
use aigen_jarvis::limits::OUTSIDE_ASKS_MAX;
use aigen_jarvis::{
    Answer, Answered, Ask, Asked, Cover, Ending, Event, Finish, OutsideError, SessionRequest,
    replay, start,
};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;

use super::{component, open_with, program};
use crate::limits::NICENESS;
use aigen_testkit_guests::Guest;

use crate::{Outside, Settings};

/// Answers later, from another thread, and counts.
struct Later {
    asked: AtomicU32,
    answer: Answered,
    /// On which threads it was asked, if that is of interest.
    opening: Option<Mutex<Vec<(String, i32)>>>,
}

/// This thread's name and niceness.
fn here() -> (String, i32) {
    let name = thread::current().name().unwrap_or_default().to_owned();
    let niceness = rustix::process::getpriority_process(None).unwrap();
    (name, niceness)
}

impl Outside for Later {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Answered> {
        let url = "name".to_owned();
        assert_eq!(ask, Ask::Http { url });
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(opening) = &self.opening {
            opening.lock().unwrap().push(here());
        }
        let (send, answered) = oneshot::channel();
        let answer = self.answer.clone();
        // Whoever asks is not on this thread, and has long returned.
        thread::spawn(move || send.send(answer));
        async move { answered.await.unwrap() }.boxed()
    }
}

fn page(status: u16, body: &[u8]) -> Answered {
    let body = body.to_vec();
    Ok(Answer::Page { status, body })
}

pub(super) static ENGINE: LazyLock<EngineHandle> = LazyLock::new(|| {
    let words = Vocabulary::with_words(["yes", "no"]);
    let script = Script::replies([("Q:", ["yesyesyesyesyes"])]);
    aigen_engine::start(
        Box::new(ScriptedEngine::new(words, script)),
        Limits::default(),
    )
});

/// Asks for a page, and then says as many tokens as its status has; none if it is refused one.
const ASKS: &str = "(if (local.get $why) (then (call $stop)) (else
    (call $http (i32.const 16) (i32.const 4) (i32.const 2048))
    (if (i32.load8_u (i32.const 2048)) (then (call $stop))
        (else (call $any (i32.load16_u (i32.const 2052)))))))";

/// One session, and the same again without model and outside.
fn run(guest: &Guest<'_>, answer: Answered) -> (String, Ending, u32) {
    let later = Arc::new(Later {
        asked: AtomicU32::new(0),
        answer,
        opening: None,
    });
    let settings = Settings {
        outside: Arc::clone(&later) as Arc<dyn Outside>,
        ..Settings::default()
    };
    let program = program(&component(guest), settings);
    let tokenizer = ENGINE.tokenizer();
    let request = SessionRequest {
        prompt: tokenizer.encode("Q:", false, false),
        program: program.clone(),
        sampling: Sampling::greedy(),
        max_tokens: 64,
        stops: Vec::new(),
        top_logprobs: None,
        cover: Cover::unlimited(),
        argument: String::new(),
        messages: String::new(),
        prompt_tokens_max: 64,
        log: true,
        trace: false,
        tenant: 0,
        retract: false,
    };
    let (send, events) = channel();
    let _handle = start(
        &ENGINE,
        request,
        Box::new(move |event| drop(send.send(event))),
    )
    .unwrap();
    let (mut text, mut ending) = (String::new(), Ending::crashed());
    for event in events {
        match event {
            Event::Output(piece) => text.push_str(&piece.text),
            Event::Finished(end) => {
                ending = end;
                break;
            }
            Event::Started { .. } => {}
        }
    }
    let asked = later.asked.load(Ordering::SeqCst);
    let log = ending.replay.as_ref().unwrap();
    let again = replay(tokenizer, &program, log).unwrap();
    assert_eq!(again.text, text);
    assert_eq!(again.ending.decisions, ending.decisions);
    assert_eq!(again.ending.guest.fuel, ending.guest.fuel);
    assert_eq!(again.ending.asked, ending.asked);
    assert_eq!(
        later.asked.load(Ordering::SeqCst),
        asked,
        "a replay asks nobody"
    );
    (text, ending, asked)
}

#[test]
fn answers_decide_and_are_logged() {
    let guest = Guest {
        step: ASKS,
        ..Guest::default()
    };
    let (two, ending, asked) = run(&guest, page(2, b"body"));
    assert_eq!((two.as_str(), asked), ("yesyes", 1));
    let once = Asked {
        pages: 1,
        bytes: 4,
        ..Asked::default()
    };
    assert_eq!(ending.asked, once);
    assert_eq!(ending.late_steps, 0, "waiting is nobody's fault");
    // What was answered is part of what was decided, also where the same is said.
    let (same, other, _) = run(&guest, page(2, b"other"));
    assert_eq!(same, two);
    assert_ne!(other.decisions, ending.decisions);
    let denied = OutsideError::Denied("no".to_owned());
    let (none, ending, _) = run(&guest, Err(denied));
    assert_eq!((none.as_str(), ending.finish), ("", Finish::Stop));
    assert_eq!(ending.asked.pages, 1);
    // More than a guest may be handed at once.
    let (none, _, _) = run(&guest, page(2, &[0; 2 << 20]));
    assert_eq!(none, "");
}

/// It may ask while it opens, so that it can write a prompt of its own, and not in the end, when
/// the engine's thread waits for it.
#[test]
fn it_may_ask_while_it_opens_and_not_in_the_end() {
    let asks = "(call $http (i32.const 16) (i32.const 4) (i32.const 2048))";
    let guest = Guest {
        open: asks,
        step: "(if (local.get $why) (then (call $stop)) (else (call $any (i32.load16_u (i32.const 2052)))))",
        ..Guest::default()
    };
    let (text, ending, asked) = run(&guest, page(1, b""));
    assert_eq!((text.as_str(), asked, ending.asked.pages), ("yes", 1, 1));
    let guest = Guest {
        step: "(call $stop)",
        finish: asks,
        ..Guest::default()
    };
    let (_, ending, asked) = run(&guest, page(1, b""));
    assert_eq!((asked, ending.asked.pages, ending.asked.bytes), (0, 1, 0));
    assert_eq!(ending.outcome.as_deref(), Some("\"name\""));
}

/// There is an end of asking, whatever an operator grants.
#[test]
fn questions_are_bounded() {
    let guest = Guest {
        step: "(local.set $position (i32.const 100))
            (loop $l (call $http (i32.const 16) (i32.const 4) (i32.const 2048))
                (local.set $position (i32.sub (local.get $position) (i32.const 1)))
                (br_if $l (local.get $position)))
            (call $stop)",
        ..Guest::default()
    };
    let (_, ending, asked) = run(&guest, page(1, b""));
    assert_eq!(ending.finish, Finish::Stop);
    assert_eq!(asked as usize, OUTSIDE_ASKS_MAX);
    assert_eq!(ending.asked.pages, 100);
}

/// A stranger's guest may start for long: that is done where it takes nobody's processor.
#[test]
fn sessions_are_opened_on_threads_that_give_way() {
    let asks = Guest {
        open: "(call $http (i32.const 16) (i32.const 4) (i32.const 2048))",
        ..Guest::stepping("(call $stop)")
    };
    let later = Arc::new(Later {
        asked: AtomicU32::new(0),
        answer: page(1, b""),
        opening: Some(Mutex::default()),
    });
    let settings = Settings {
        outside: Arc::clone(&later) as Arc<dyn Outside>,
        ..Settings::default()
    };
    open_with(&component(&asks), settings).unwrap();
    let opening = later.opening.as_ref().unwrap().lock().unwrap();
    let [(name, niceness)] = &opening[..] else {
        panic!("{opening:?}");
    };
    assert!(name.starts_with("aigen-guest-"), "{name}");
    let least = match cfg!(target_os = "linux") {
        true => here().1.saturating_add(NICENESS).min(19),
        false => i32::MIN,
    };
    assert!(*niceness >= least, "{niceness}");
}
