//! The example controllers on the bundled model: each does there what it is an example of, and
//! again without the model.

mod counting;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, LazyLock};

use aigen_engine::sampler::Sampling;
use aigen_engine::{ChatMessage, EngineHandle, Limits, Role};
use aigen_engine_llama::Options;
use aigen_jarvis::{
    Compiler, Cover, Ending, Event, Finish, Program, SessionHandle, SessionRequest, replay, start,
};
use aigen_jarvis_host::{Host, Settings};
use aigen_testkit_guests::built;
use counting::{Computed, Counting};
use serde_json::{Value, json};

static HOST: LazyLock<Host> = LazyLock::new(|| Host::start(None, None).unwrap());

struct World {
    engine: EngineHandle,
    compiler: Arc<Compiler>,
    computed: Computed,
}

/// A session under way.
type Running = (Receiver<Event>, SessionHandle);

/// One session, run to its end.
struct Run {
    text: String,
    ending: Ending,
    /// Tokens that the model computed for it.
    computed: u64,
}

impl World {
    fn open() -> Self {
        Self::with_sequences(4)
    }

    fn with_sequences(sequences_max: u32) -> Self {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../model/aigen-tiny.gguf");
        let options = Options {
            context_tokens: Some(512),
            // Nothing is kept, so that what is not computed twice is not because of a fork.
            kept_sequences: 0,
            sequences_max,
            ..Options::default()
        };
        let engine = aigen_engine_llama::open(file, &options).unwrap();
        let (engine, computed) = Counting::new(engine);
        let engine = aigen_engine::start(Box::new(engine), Limits::default());
        let compiler = Arc::new(Compiler::new(engine.tokenizer()).unwrap());
        Self {
            engine,
            compiler,
            computed,
        }
    }

    fn example(&self, name: &str) -> Option<Program> {
        let component = HOST.compile(&built(name)?).unwrap();
        let settings = Settings {
            backtracks: true,
            branches: if name == "best-of-three" { 3 } else { 2 },
            ..Settings::default()
        };
        Some(component.program(Arc::clone(&self.compiler), settings))
    }

    fn ask(&self, program: Program, argument: &Value, question: &str) -> SessionRequest {
        let message = ChatMessage::new(Role::User, question);
        SessionRequest {
            prompt: self.engine.tokenizer().chat(&[message]).unwrap(),
            program,
            sampling: Sampling::greedy(),
            max_tokens: 96,
            stops: Vec::new(),
            top_logprobs: None,
            cover: Cover::unlimited(),
            argument: argument.to_string(),
            messages: String::new(),
            prompt_tokens_max: 512,
            log: true,
            tenant: 0,
            retract: false,
            trace: false,
        }
    }

    fn start(&self, request: SessionRequest) -> Running {
        let (send, events) = channel();
        let on_event = Box::new(move |event| drop(send.send(event)));
        let handle = start(&self.engine, request, on_event).unwrap();
        (events, handle)
    }

    fn run(&self, request: SessionRequest) -> Run {
        let before = self.computed.tokens();
        let (program, running) = (request.program.clone(), self.start(request));
        let (text, ending) = self.until_the_end(&program, running);
        let computed = self.computed.tokens() - before;
        Run {
            text,
            ending,
            computed,
        }
    }

    /// Its text and ending, which are the same when it is replayed.
    fn until_the_end(&self, program: &Program, running: Running) -> (String, Ending) {
        let (events, _handle) = running;
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
        let log = ending.replay.as_ref().unwrap();
        let again = replay(self.engine.tokenizer(), program, log).unwrap();
        assert_eq!(again.text, text);
        assert_eq!(again.ending.decisions, ending.decisions);
        assert_eq!(again.ending.guest.fuel, ending.guest.fuel);
        (text, ending)
    }
}

const QUESTION: &str = "What is the capital of Norway?";

#[test]
fn examples_prove_their_ideas() {
    let world = World::open();
    let free = world
        .run(world.ask(Program::free(), &json!({}), QUESTION))
        .text;
    let word = free
        .split(|c: char| !c.is_alphabetic())
        .max_by_key(|word| word.len());
    let word = word.expect("the model says a word");
    let run = |name: &str, argument: &Value, request: &dyn Fn(SessionRequest) -> SessionRequest| {
        let program = world.example(name)?;
        let run = world.run(request(world.ask(program, argument, QUESTION)));
        assert_eq!(run.ending.finish, Finish::Stop, "{name}: {:?}", run.ending);
        Some(run)
    };
    let as_it_is = |request| request;
    let Some(yes_no) = run("yes-no", &json!({}), &as_it_is) else {
        return;
    };
    assert!(
        ["yes", "no"].contains(&yes_no.text.as_str()),
        "{}",
        yes_no.text
    );

    let argument = json!({"hesitant": word, "instead": "Quito"});
    let repaired = run("self-repair", &argument, &as_it_is).unwrap();
    assert!(
        !repaired.text.contains(word) && repaired.text.contains("Quito"),
        "{}",
        repaired.text
    );
    assert!(repaired.ending.usage.discarded_tokens > 0);

    let redacted = run("redact", &json!({"words": [word]}), &as_it_is).unwrap();
    let black = "*".repeat(word.len());
    assert!(
        !redacted.text.contains(word) && redacted.text.contains(&black),
        "{}",
        redacted.text
    );

    let source = "Oslo lies at the end of a fjord. The town of Bergen is wet.";
    let cited = run("cite", &json!({"text": source}), &as_it_is).unwrap();
    let quoted = cited.text.trim_matches('"');
    assert!(
        !quoted.is_empty() && source.contains(quoted),
        "{}",
        cited.text
    );

    // Each side opens twice; what the other side said is in a branch that is not the answer.
    let debate = run("debate", &json!({}), &as_it_is).unwrap();
    assert_eq!(debate.text.matches("For: ").count(), 2, "{}", debate.text);
    assert!(debate.ending.usage.unkept_tokens > 0);

    let cover = Cover::new(40);
    cover.close();
    let poor = |request| SessionRequest {
        cover: cover.clone(),
        ..request
    };
    // A model that ends its turn soon never comes near its budget.
    let aware = world.example("budget-aware").unwrap();
    let aware = world.run(poor(world.ask(aware, &json!({}), "Tell me about lakes.")));
    assert_eq!(aware.ending.finish, Finish::Stop, "{:?}", aware.ending);
    assert!(aware.ending.usage.computed() <= 40);
}

/// Three branches cost the prompt once; three requests cost it three times.
#[test]
fn best_of_three_computes_its_prompt_once() {
    let world = World::open();
    let Some(program) = world.example("best-of-three") else {
        return;
    };
    let warm = |seed| Sampling {
        temperature: 1.0,
        seed,
        ..Sampling::default()
    };
    let request = SessionRequest {
        sampling: warm(3),
        ..world.ask(program, &json!({}), QUESTION)
    };
    let prompt = request.prompt.len() as u64;
    let forked = world.run(request);
    assert_eq!(forked.ending.finish, Finish::Stop, "{:?}", forked.ending);
    assert_eq!(forked.ending.usage.branches, 2);
    let outcome: Value = serde_json::from_str(&forked.ending.outcome.unwrap()).unwrap();
    assert_eq!(
        outcome["branch"].as_u64(),
        forked.ending.branch.map(u64::from)
    );
    // Every output token but the last of each branch is fed once, and the prompt once.
    let output = forked.ending.usage.computed();
    assert_eq!(forked.computed, prompt + output - 3);
    let apart: u64 = (0..3)
        .map(|seed| {
            let request = SessionRequest {
                sampling: warm(seed),
                ..world.ask(Program::free(), &json!({}), QUESTION)
            };
            let run = world.run(request);
            run.computed - run.ending.usage.computed() + 1
        })
        .sum();
    assert_eq!(apart, 3 * prompt);
}

/// The same request a hundred times, in other batches each time: at another place among other
/// neighbours, who read prompts and speak while it does. Real logits, and the same hash.
#[test]
fn batches_change_no_decision() {
    let world = World::with_sequences(8);
    let Some(program) = world.example("best-of-three") else {
        return;
    };
    let ask = |program: &Program, question: &str, seed, max_tokens| SessionRequest {
        sampling: Sampling {
            temperature: 1.0,
            seed,
            ..Sampling::default()
        },
        max_tokens,
        ..world.ask(program.clone(), &json!({}), question)
    };
    let request = ask(&program, QUESTION, 3, 16);
    let first = world.run(request.clone());
    assert_eq!(first.ending.finish, Finish::Stop, "{:?}", first.ending);
    let questions = ["Hello!", "Tell me about lakes.", QUESTION];
    for round in 0..100_u64 {
        let neighbour = |number: u64| {
            let question = questions[((round + number) % 3) as usize].repeat(1 + number as usize);
            let few = 4 + (round + number) as u32 % 12;
            world.start(ask(&Program::free(), &question, round * 10 + number, few))
        };
        let count = round % 6;
        let place = round / 6 % (count + 1);
        let before: Vec<_> = (0..place).map(neighbour).collect();
        let running = world.start(request.clone());
        let after: Vec<_> = (place..count).map(neighbour).collect();
        let (text, ending) = world.until_the_end(&program, running);
        assert_eq!(text, first.text, "round {round}");
        assert_eq!(ending.decisions, first.ending.decisions, "round {round}");
        assert_eq!(ending.usage, first.ending.usage, "round {round}");
        drop((before, after));
    }
}
