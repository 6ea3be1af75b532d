//! Guests whose sessions are ended from outside in the middle of a call: what they used is known, and a replay is the same.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use aigen_engine::sampler::Sampling;
use aigen_jarvis::{
    Answer, Answered, Ask, Cover, Ending, Event, Finish, SessionHandle, SessionRequest, replay,
    start,
};
use aigen_testkit_guests::Guest;
use futures::FutureExt;
use futures::future::{BoxFuture, pending, ready};

use super::outside::ENGINE;
use super::{component, program};
use crate::limits::SLICE_FUEL;
use crate::{Outside, Settings};

/// Ends the session of whoever asks it, and then answers or does not.
struct Ends {
    session: Mutex<Receiver<SessionHandle>>,
    /// So that it lives as long.
    ended: Mutex<Vec<SessionHandle>>,
    answers: bool,
}

impl Ends {
    fn new(answers: bool) -> (Sender<SessionHandle>, Arc<Self>) {
        let (send, session) = channel();
        let ends = Self {
            session: Mutex::new(session),
            ended: Mutex::default(),
            answers,
        };
        (send, Arc::new(ends))
    }
}

impl Outside for Ends {
    fn ask(&self, _: Ask) -> BoxFuture<'static, Answered> {
        let session = self.session.lock().unwrap().recv().unwrap();
        session.cancel();
        self.ended.lock().unwrap().push(session);
        match self.answers {
            false => pending().boxed(),
            true => ready(Ok(Answer::Text("{}".to_owned()))).boxed(),
        }
    }
}

fn request(program: &aigen_jarvis::Program) -> SessionRequest {
    SessionRequest {
        prompt: ENGINE.tokenizer().encode("Q:", false, false),
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
    }
}

fn until_the_end(events: &Receiver<Event>) -> (String, Ending) {
    let mut text = String::new();
    for event in events {
        match event {
            Event::Output(piece) => text.push_str(&piece.text),
            Event::Finished(ending) => return (text, ending),
            Event::Started { .. } => {}
        }
    }
    panic!("every session ends with an ending");
}

const ASK: &str =
    "(call $tool (i32.const 16) (i32.const 4) (i32.const 24) (i32.const 4) (i32.const 2048))";

/// Two tokens, then a step that computes, asks something outside and goes on as this says.
fn step(then: &str) -> String {
    format!(
        "(if (local.get $why) (then (call $compute (i32.const 30000)) {ASK} {then} (call $stop)) (else (call $any (i32.const 2))))"
    )
}

/// Hung up on while it waits for the outside, and while it computes.
#[test]
fn what_a_guest_used_is_known_where_its_session_is_cancelled() {
    for (answers, then) in [(false, ""), (true, "(loop $l (br $l))")] {
        let step = step(then);
        let guest = component(&Guest::stepping(&step));
        let (session, outside) = Ends::new(answers);
        let settings = Settings {
            outside: Arc::clone(&outside) as Arc<dyn Outside>,
            // What computes does so until it is recalled.
            step_fuel: u64::MAX,
            request_fuel: u64::MAX,
            ..Settings::default()
        };
        let program = program(&guest, settings);
        let (send, events) = channel();
        let on_event = Box::new(move |event| drop(send.send(event)));
        let handle = start(&ENGINE, request(&program), on_event).unwrap();
        session.send(handle).unwrap();
        let (text, ending) = until_the_end(&events);
        assert_eq!(ending.finish, Finish::Cancelled, "{then}");
        assert_eq!(ending.asked.tools, 1, "{then}");
        // Some three units for each of 30,000 rounds.
        let fuel = ending.guest.fuel;
        assert!(fuel > 90_000, "{then}: {fuel}");
        // What goes on computing is found doing so elsewhere.
        assert_eq!(fuel < SLICE_FUEL, then.is_empty(), "{then}: {fuel}");
        let log = ending.replay.as_ref().unwrap();
        let cut = log.cut.expect("a call was cut off");
        assert!(cut.guest.fuel > 90_000, "{then}: {cut:?}");
        // Nobody is asked, or this would wait for another session.
        let again = replay(ENGINE.tokenizer(), &program, log).unwrap();
        assert_eq!(again.text, text, "{then}");
        assert_eq!(again.ending.decisions, ending.decisions, "{then}");
        assert_eq!(again.ending.usage, ending.usage, "{then}");
        assert_eq!(again.ending.guest.fuel, ending.guest.fuel, "{then}");
        assert_eq!(again.ending.guest.host_calls, ending.guest.host_calls);
        assert_eq!(again.ending.asked, ending.asked, "{then}");
        assert_eq!(again.ending.finish, ending.finish, "{then}");
    }
}
