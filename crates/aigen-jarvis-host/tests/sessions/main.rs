//! The example controllers in whole sessions over a scripted model: they fork, wait, take back
//! and stop, and do the same again when they are replayed.

mod neighbours;

use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock};

use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::{PassLog, Script, ScriptedEngine, Vocabulary};
use aigen_engine::{EngineHandle, Limits, Tokenizer};
use aigen_jarvis::{
    Compiler, Cover, Ending, Event, Finish, Program, SessionHandle, SessionRequest, StartError,
    Usage, replay, start,
};
use aigen_jarvis_host::{Host, Settings};
use aigen_testkit_guests::built;
use aigen_types::Digest;

static HOST: LazyLock<Host> = LazyLock::new(|| Host::start(None, None).unwrap());

const WORDS: [&str; 12] = [
    "yes",
    "no",
    "maybe",
    "The",
    " sky",
    " is",
    " blue",
    " green",
    ".",
    "\nFor: ",
    "\nAgainst: ",
    " So:",
];

/// A scripted engine, and what it computed.
struct World {
    vocabulary: Arc<Vocabulary>,
    compiler: Arc<Compiler>,
    engine: EngineHandle,
    passes: PassLog,
}

impl World {
    fn wanting(wants: &[&str]) -> Self {
        let script = Script::replies([("Q:", wants.to_vec())]);
        Self::of(script, 16, Limits::default())
    }

    fn of(script: Script, sequences: u32, limits: Limits) -> Self {
        let engine = ScriptedEngine::new(Vocabulary::with_words(WORDS), script);
        let engine = engine.with_sequences(sequences);
        let (vocabulary, passes) = (engine.vocabulary(), engine.pass_log());
        Self {
            compiler: Arc::new(Compiler::new(vocabulary.clone()).unwrap()),
            vocabulary,
            engine: aigen_engine::start(Box::new(engine), limits),
            passes,
        }
    }

    /// The example's program; `None`, with a word about it, if it cannot be built here.
    fn example(&self, name: &str) -> Option<Program> {
        let component = HOST.compile(&built(name)?).unwrap();
        let settings = Settings {
            backtracks: true,
            branches: 3,
            ..Settings::default()
        };
        Some(component.program(Arc::clone(&self.compiler), settings))
    }

    fn request(&self, program: Program, argument: &str) -> SessionRequest {
        SessionRequest {
            prompt: self.vocabulary.encode("Q:", false, false),
            program,
            sampling: Sampling::greedy(),
            max_tokens: 64,
            stops: Vec::new(),
            top_logprobs: None,
            cover: Cover::unlimited(),
            argument: argument.to_owned(),
            messages: String::new(),
            prompt_tokens_max: 64,
            log: true,
            tenant: 0,
            retract: false,
            trace: false,
        }
    }

    fn start(&self, request: SessionRequest) -> Running {
        self.try_start(request).unwrap()
    }

    fn try_start(&self, request: SessionRequest) -> Result<Running, StartError> {
        let (send, events) = channel();
        let on_event = Box::new(move |event| drop(send.send(event)));
        let handle = start(&self.engine, request, on_event)?;
        Ok(Running { events, handle })
    }

    fn run(&self, request: SessionRequest) -> (String, Ending) {
        self.start(request).until_the_end()
    }

    /// Runs the session again from its log, and compares.
    fn replay(&self, program: &Program, text: &str, ending: &Ending) {
        let log = ending.replay.as_ref().unwrap();
        let again = replay(self.vocabulary.clone(), program, log).unwrap();
        assert_eq!(again.text, text);
        assert_eq!(again.ending.decisions, ending.decisions);
        assert_eq!(again.ending.guest.fuel, ending.guest.fuel);
        assert_eq!(again.ending.usage, ending.usage);
        assert_eq!(again.ending.outcome, ending.outcome);
    }
}

struct Running {
    events: std::sync::mpsc::Receiver<Event>,
    handle: SessionHandle,
}

impl Running {
    fn until_the_end(self) -> (String, Ending) {
        let mut text = String::new();
        for event in &self.events {
            match event {
                Event::Output(piece) => text.push_str(&piece.text),
                Event::Finished(ending) => return (text, ending),
                Event::Started { .. } => {}
            }
        }
        drop(self.handle);
        panic!("every session ends with an ending");
    }
}

/// name | parameters | what the model wants | text | finish | sampled+forced-discarded | outcome
const ROWS: &[&str] = &[
    r#"yes-no | | maybe, yes | yes | Stop | 1+0-0 | "#,
    r#"self-repair | | The sky is maybe., The sky is yes. | The sky is yes. | Stop | 6+1-1 | "#,
    r#"redact | {"words": ["blue"]} | The sky is blue., The sky is ****. | The sky is ****. | Stop | 5+5-1 | {"held_tokens":4}"#,
    r#"cite | {"text": "The sky is green."} | "The sky is blue, "The sky is green" | "The sky is green" | Stop | 5+2-0 | "#,
    r#"best-of-three | | yes. | yes. | Stop | 3+0-6 | {"branch":0,"mean_logprob":?}"#,
    r#"budget-aware | | yes | yes | Stop | 2+0-0 | "#,
];

#[test]
fn examples_steer_and_replay() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let cells: Vec<&str> = row.split(" |").map(str::trim).collect();
        let wants: Vec<&str> = cells[2].split(", ").collect();
        let world = World::wanting(&wants);
        let Some(program) = world.example(cells[0]) else {
            return;
        };
        let (text, ending) = world.run(world.request(program.clone(), cells[1]));
        world.replay(&program, &text, &ending);
        let usage = ending.usage;
        let finish = match &ending.finish {
            Finish::Fault(fault) => format!("{}: {fault}", fault.name()),
            other => format!("{other:?}"),
        };
        let mut outcome = ending.outcome.clone().unwrap_or_default();
        if let Some((before, _)) = outcome.split_once("logprob\":") {
            outcome = format!("{before}logprob\":?}}");
        }
        let counts = (
            usage.sampled_tokens,
            usage.forced_tokens,
            usage.discarded_tokens,
        );
        let counts = format!("{}+{}-{}", counts.0, counts.1, counts.2);
        let actual = [text, finish, counts, outcome].join(" | ");
        let expected = cells[3..].join(" | ");
        if actual != expected {
            wrong.push(format!(
                "{}\n  expected {expected}\n       got {actual}",
                cells[0]
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Three branches, and what they have in common is computed once.
#[test]
fn best_of_three_shares_its_prompt() {
    let world = World::wanting(&["yes."]);
    let Some(program) = world.example("best-of-three") else {
        return;
    };
    let (_, ending) = world.run(world.request(program, ""));
    assert_eq!(ending.usage.branches, 2);
    let passes = world.passes.passes();
    assert_eq!(
        passes[0].iter().map(|part| part.1).sum::<u32>(),
        2,
        "the prompt's tokens, once"
    );
    // `yes` and `.`, for each branch, side by side.
    let later: Vec<usize> = passes[1..].iter().map(Vec::len).collect();
    assert_eq!(later, [3, 3]);
}

/// Two branches speak in turns, each hearing the other.
#[test]
fn a_debate_is_had_in_turns() {
    let script = Script::replies([
        ("For: ", ["The sky is blue."]),
        ("Against: ", ["The sky is green."]),
    ]);
    let world = World::of(script, 4, Limits::default());
    let Some(program) = world.example("debate") else {
        return;
    };
    let (text, ending) = world.run(world.request(program.clone(), ""));
    let last = "The sky is blue.The sky is green.The sky is blue.\nFor: ";
    assert!(
        text.contains("\nFor: The sky is blue."),
        "{text} {last} {ending:?}"
    );
    assert_eq!(ending.finish, Finish::Stop);
    assert!(ending.usage.unkept_tokens > 0, "{:?}", ending.usage);
    world.replay(&program, &text, &ending);
}

/// The same run a hundred times, among other neighbours each time and at another place among
/// them: the same decisions and fuel, and the same again when it is replayed.
#[test]
fn neighbours_change_nothing() {
    let world = World::wanting(&["yes yes maybe no.", "no.", "maybe."]);
    let (Some(program), Some(neighbour)) =
        (world.example("best-of-three"), world.example("debate"))
    else {
        return;
    };
    let sampling = |seed| Sampling {
        seed,
        temperature: 4.0,
        ..Sampling::default()
    };
    let request = SessionRequest {
        sampling: sampling(11),
        max_tokens: 24,
        ..world.request(program.clone(), "")
    };
    let (text, ending) = world.run(request.clone());
    assert_eq!(ending.finish, Finish::Stop, "{ending:?}");
    for round in 0..100_u64 {
        let neighbour = |number| {
            let program = [&neighbour, &program][number as usize % 2].clone();
            world.start(SessionRequest {
                sampling: sampling(round * 10 + number),
                max_tokens: 16,
                ..world.request(program, "")
            })
        };
        let count = round % 7;
        let place = round / 7 % (count + 1);
        let before: Vec<_> = (0..place).map(neighbour).collect();
        let running = world.start(request.clone());
        let after: Vec<_> = (place..count).map(neighbour).collect();
        let (again, other) = running.until_the_end();
        assert_eq!(again, text, "round {round}");
        assert_eq!(other.decisions, ending.decisions, "round {round}");
        assert_eq!(other.guest.fuel, ending.guest.fuel, "round {round}");
        assert_eq!(other.usage, ending.usage, "round {round}");
        world.replay(&program, &text, &other);
        drop((before, after));
    }
}
