//! The bundled model, and sessions on it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use aigen_engine::sampler::Sampling;
use aigen_engine::{ChatMessage, EngineHandle, Limits, Role, TokenId};
use aigen_engine_llama::Options;
use aigen_jarvis::{
    Compiler, Cover, Ending, Event, Program, SessionHandle, SessionRequest, StartError, start,
};

use crate::counting::{Computed, Counting};

pub fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../model/aigen-tiny.gguf")
}

/// The model behind a scheduler.
pub struct Bundled {
    pub engine: EngineHandle,
    pub compiler: Arc<Compiler>,
    pub computed: Computed,
}

/// A session under way.
pub struct Running {
    began: Instant,
    events: Receiver<Event>,
    _handle: SessionHandle,
}

/// What came of a session.
pub struct Ran {
    pub text: String,
    pub ending: Ending,
    pub took: Duration,
}

impl Bundled {
    pub fn open(options: &Options) -> Self {
        let engine = aigen_engine_llama::open(file(), options).expect("the bundled model opens");
        let (engine, computed) = Counting::new(engine);
        let engine = aigen_engine::start(Box::new(engine), Limits::default());
        let compiler = Compiler::new(engine.tokenizer()).expect("it has an end token");
        Self {
            engine,
            compiler: Arc::new(compiler),
            computed,
        }
    }

    pub fn prompt(&self, question: &str) -> Vec<TokenId> {
        let message = ChatMessage::new(Role::User, question);
        let prompt = self.engine.tokenizer().chat(&[message]);
        prompt.expect("the model has a template")
    }

    /// A request without chance, of a tenant of its own where `tenant` differs.
    pub fn request(&self, prompt: Vec<TokenId>, program: Program, tenant: u64) -> SessionRequest {
        SessionRequest {
            prompt,
            program,
            sampling: Sampling::greedy(),
            max_tokens: 256,
            stops: Vec::new(),
            top_logprobs: None,
            cover: Cover::unlimited(),
            argument: String::new(),
            messages: String::new(),
            prompt_tokens_max: 256,
            log: true,
            tenant,
            retract: false,
            trace: false,
        }
    }

    pub fn start(&self, request: SessionRequest) -> Result<Running, StartError> {
        let (send, events) = channel();
        let on_event = Box::new(move |event| drop(send.send(event)));
        let began = Instant::now();
        let _handle = start(&self.engine, request, on_event)?;
        Ok(Running {
            began,
            events,
            _handle,
        })
    }

    pub fn run(&self, request: SessionRequest) -> Ran {
        self.start(request).expect("it starts").end()
    }
}

impl Running {
    pub fn end(self) -> Ran {
        let mut text = String::new();
        for event in &self.events {
            match event {
                Event::Output(piece) => text.push_str(&piece.text),
                Event::Started { .. } => {}
                Event::Finished(ending) => {
                    let took = self.began.elapsed();
                    return Ran { text, ending, took };
                }
            }
        }
        panic!("every session ends with an ending");
    }
}
