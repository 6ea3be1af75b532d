//! A stage for tests: a scripted engine, a compiler for its vocabulary, and
//! everything a session told.

mod acted;

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::{PassLog, Script, ScriptedEngine, Vocabulary};
use aigen_engine::{EngineHandle, Limits, TokenId, Tokenizer};

use crate::{
    Blueprint, Compiler, Controller, Cover, Decision, Ending, Event, Fault, Opening, Program,
    Report, SessionHandle, SessionRequest, Turn, Usage, Wake, start,
};

pub use acted::Acted;

/// What every session on the stage is asked.
pub const PROMPT: &str = "Q:";

pub struct Stage {
    pub vocabulary: Arc<Vocabulary>,
    pub compiler: Compiler,
    pub passes: PassLog,
    pub engine: EngineHandle,
}

impl Stage {
    /// A model that wants to say these, the first most of all.
    pub fn wanting(words: &[&str], wants: &[&str]) -> Self {
        Self::with_script(words, Script::replies([(PROMPT, wants.to_vec())]))
    }

    pub fn with_script(words: &[&str], script: Script) -> Self {
        let engine = ScriptedEngine::new(Vocabulary::with_words(words), script);
        Self::of(engine, Limits::default())
    }

    /// Twice the same model: drivers are asked on the scheduler's thread, and beside it.
    pub fn both(words: &[&str], wants: &[&str]) -> [Self; 2] {
        [Limits::default(), aside()].map(|limits| {
            let script = Script::replies([(PROMPT, wants.to_vec())]);
            let engine = ScriptedEngine::new(Vocabulary::with_words(words), script);
            Self::of(engine, limits)
        })
    }

    /// Nobody is asked aside but where the limits say so: on a busy machine any call may take long.
    pub fn of(engine: ScriptedEngine, mut limits: Limits) -> Self {
        if limits == Limits::default() {
            limits.call_max = Duration::MAX;
        }
        let (vocabulary, passes) = (engine.vocabulary(), engine.pass_log());
        Self {
            compiler: Compiler::new(vocabulary.clone()).unwrap(),
            vocabulary,
            passes,
            engine: aigen_engine::start(Box::new(engine), limits),
        }
    }

    pub fn request(&self, program: Program) -> SessionRequest {
        SessionRequest {
            prompt: self.vocabulary.encode(PROMPT, false, false),
            program,
            sampling: Sampling::greedy(),
            max_tokens: 256,
            stops: Vec::new(),
            top_logprobs: Some(1),
            cover: Cover::unlimited(),
            argument: String::new(),
            messages: String::new(),
            tenant: 0,
            retract: false,
            trace: false,
            prompt_tokens_max: 256,
            log: true,
        }
    }

    pub fn start(&self, request: SessionRequest) -> Running {
        let (send, events) = channel();
        let on_event = Box::new(move |event| drop(send.send(event)));
        let handle = start(&self.engine, request, on_event).unwrap();
        Running { handle, events }
    }

    pub fn run(&self, request: SessionRequest) -> Outcome {
        self.start(request).outcome()
    }

    /// The tokens of each pass after the prompt's.
    pub fn fed(&self) -> Vec<u32> {
        let passes = self.passes.passes();
        passes
            .iter()
            .skip(1)
            .flatten()
            .map(|(_, tokens)| *tokens)
            .collect()
    }
}

/// Every call of a driver takes too long.
pub fn aside() -> Limits {
    Limits {
        call_max: Duration::ZERO,
        ..Limits::default()
    }
}

pub struct Running {
    pub handle: SessionHandle,
    pub events: Receiver<Event>,
}

impl Running {
    /// Waits for the first `tokens` output tokens.
    pub fn until_computed(&self, tokens: u64) -> Usage {
        loop {
            match self.events.recv().unwrap() {
                Event::Output(piece) if piece.usage.computed() >= tokens => return piece.usage,
                Event::Finished(ending) => panic!("finished early: {ending:?}"),
                _ => {}
            }
        }
    }

    pub fn outcome(self) -> Outcome {
        let mut events = Vec::new();
        loop {
            let event = self
                .events
                .recv()
                .expect("every session ends with an ending");
            events.push(event.clone());
            if let Event::Finished(ending) = event {
                return Outcome { events, ending };
            }
        }
    }
}

#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub events: Vec<Event>,
    pub ending: Ending,
}

impl Outcome {
    /// The same without the one thing no two runs agree on: measured time.
    pub fn without_time(mut self) -> Self {
        let timeless = |ending: &mut Ending| {
            ending.controller_micros = 0;
            ending.guest.micros = 0;
        };
        timeless(&mut self.ending);
        for event in &mut self.events {
            if let Event::Finished(ending) = event {
                timeless(ending);
            }
        }
        self
    }

    pub fn pieces(&self) -> impl Iterator<Item = &crate::Piece> {
        self.events.iter().filter_map(|event| match event {
            Event::Output(piece) => Some(piece),
            _ => None,
        })
    }

    pub fn reasoning(&self) -> String {
        self.pieces()
            .map(|piece| piece.reasoning.as_str())
            .collect()
    }

    pub fn text(&self) -> String {
        self.pieces().map(|piece| &*piece.text).collect()
    }
}

/// A controller that takes given decisions one after the other, then stops, and
/// writes down why it was asked.
#[derive(Clone)]
pub struct Played {
    pub decisions: Vec<Decision>,
    pub reach: u32,
    pub wakes: Arc<Mutex<Vec<Wake>>>,
}

impl Played {
    pub fn new(decisions: impl Into<Vec<Decision>>) -> Self {
        let (decisions, wakes) = (decisions.into(), Arc::default());
        Self {
            decisions,
            reach: u32::MAX,
            wakes,
        }
    }
}

impl Blueprint for Played {
    fn digest(&self) -> aigen_types::Digest {
        crate::program::digest_of("played", "")
    }

    fn open(&self, _opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let mut played = self.clone();
        played.decisions.reverse();
        Ok(Box::new(played))
    }

    fn backtracks(&self) -> bool {
        true
    }
}

impl Controller for Played {
    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        self.wakes.lock().unwrap().push(report.why);
        Ok(self.decisions.pop().unwrap_or(Decision::stop()).into())
    }

    fn reach(&self) -> u32 {
        self.reach
    }
}

/// A vocabulary of 4,096 common pieces of English and JSON, for benchmarks and
/// properties that need tokens of several bytes.
pub fn pieces() -> Vec<String> {
    let letters = "etaoinshrdlucmfwypvbgkqjxz";
    let mut pieces: Vec<String> = [
        "\":", "\",", "{\"", "\"}", "},", "],", "[{", "\":\"", "\",\"",
    ]
    .map(str::to_owned)
    .to_vec();
    for word in [
        "true", "false", "null", "the", "and", "name", "value", "Kenya", "Mount",
    ] {
        pieces.extend([word.to_owned(), format!(" {word}")]);
    }
    for a in letters.chars() {
        pieces.push(format!(" {a}"));
        for b in letters.chars() {
            pieces.extend([format!("{a}{b}"), format!(" {a}{b}")]);
        }
    }
    pieces.sort();
    pieces.dedup();
    pieces
}

/// The bytes of one token as text, for traces.
pub fn show(vocabulary: &Vocabulary, token: TokenId) -> String {
    match vocabulary.end_tokens().contains(&token) {
        true => "END".to_owned(),
        false => String::from_utf8_lossy(vocabulary.token_bytes(token)).replace(' ', "␣"),
    }
}

/// Logits from 0 to 8 that depend on the text so far and nothing else.
pub fn noise(vocabulary: &Vocabulary, history: &[TokenId], seed: u64) -> Vec<f32> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    history.iter().for_each(|token| {
        hasher.update(&token.to_le_bytes());
    });
    let mut bytes = vec![0; vocabulary.vocab_size() as usize];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
        .into_iter()
        .map(|byte| f32::from(byte) / 32.0)
        .collect()
}
