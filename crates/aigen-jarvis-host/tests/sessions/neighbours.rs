//! What strangers try in whole sessions, beside fifty that behave.

use aigen_jarvis::StartError;
use aigen_jarvis_host::limits::STEP_FUEL_MAX;
use aigen_testkit_guests::{HOSTILE, Hostile};

use super::*;

const NEIGHBOURS: usize = 50;

/// What a session came to; all of it is the same in every run.
type Came = (String, Finish, Usage, Digest, u64, Option<String>);

/// An engine with room for everybody at once, and the programs of those who behave.
struct Street {
    world: World,
    programs: Vec<Program>,
}

impl Street {
    /// `None`, with a word about it, if the examples cannot be built here.
    fn open(limits: Limits) -> Option<Self> {
        let wants = ["yes yes maybe no.", "The sky is blue.", "no.", "maybe."];
        let world = World::of(Script::replies([("Q:", wants)]), 128, limits);
        let examples = ["yes-no", "best-of-three", "self-repair", "budget-aware"];
        let examples = examples.map(|name| world.example(name));
        let mut programs: Vec<Program> = examples.into_iter().collect::<Option<_>>()?;
        let choice = ["The sky is blue.".to_owned(), "no.".to_owned()];
        programs.push(world.compiler.choice(&choice).unwrap());
        programs.push(Program::free());
        Some(Self { world, programs })
    }

    fn neighbour(&self, number: usize) -> Running {
        let program = self.programs[number % self.programs.len()].clone();
        let sampling = Sampling {
            seed: number as u64,
            temperature: 4.0,
            ..Sampling::default()
        };
        self.world.start(SessionRequest {
            sampling,
            max_tokens: 24,
            ..self.world.request(program, "")
        })
    }

    /// The neighbours alone, or around somebody who comes when half of them are there; what the
    /// request of that one ended with.
    fn live(&self, hostile: Option<&Hostile>) -> (Vec<Came>, Option<String>) {
        let (before, after) = (0..NEIGHBOURS / 2, NEIGHBOURS / 2..NEIGHBOURS);
        let mut running: Vec<_> = before.map(|number| self.neighbour(number)).collect();
        let stranger = hostile.map(|hostile| self.enter(hostile));
        running.extend(after.map(|number| self.neighbour(number)));
        let fate = stranger.map(|stranger| match stranger {
            Ok(stranger) => match stranger.until_the_end().1.finish {
                Finish::Fault(fault) => fault.name().to_owned(),
                other => format!("{other:?}"),
            },
            Err(StartError::Fault(fault)) => fault.name().to_owned(),
            Err(other) => other.to_string(),
        });
        let ended = running.into_iter().map(|neighbour| {
            let (text, ending) = neighbour.until_the_end();
            let (usage, decisions, fuel) = (ending.usage, ending.decisions, ending.guest.fuel);
            (text, ending.finish, usage, decisions, fuel, ending.outcome)
        });
        (ended.collect(), fate)
    }

    fn enter(&self, hostile: &Hostile) -> Result<Running, StartError> {
        let component = HOST.compile(&hostile.guest.module()).unwrap();
        let settings = Settings {
            backtracks: true,
            branches: 2,
            // So little that it is spent before the time of a step is, on a processor a fifth as fast as others, too.
            step_fuel: STEP_FUEL_MAX / 2,
            ..Settings::default()
        };
        let program = component.program(Arc::clone(&self.world.compiler), settings);
        self.world.try_start(self.world.request(program, ""))
    }
}

/// Every request of a stranger ends as it should, with a named fault where it did harm, and nobody
/// beside it notices.
#[test]
fn neighbours_of_strangers_notice_nothing() {
    let Some(street) = Street::open(Limits::default()) else {
        return;
    };
    let (alone, _) = street.live(None);
    let kept = |came: &&Came| came.1 == Finish::Stop;
    assert!(
        alone.iter().filter(kept).count() > NEIGHBOURS / 2,
        "{alone:?}"
    );
    let mut wrong = Vec::new();
    for hostile in HOSTILE {
        let (beside, fate) = street.live(Some(hostile));
        if fate.as_deref() != Some(hostile.ends) {
            wrong.push(format!("{}: {fate:?}, not {}", hostile.tries, hostile.ends));
        }
        for (number, (is, was)) in beside.iter().zip(&alone).enumerate() {
            if is != was {
                wrong.push(format!("{}: {number}: {is:?}, not {was:?}", hostile.tries));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Where everybody is asked beside the engine's thread, in whatever order that makes, the same is said.
#[test]
fn who_is_asked_aside_says_the_same() {
    let call_max = std::time::Duration::ZERO;
    let aside = Limits {
        call_max,
        ..Limits::default()
    };
    let streets = [Limits::default(), aside].map(Street::open);
    let [Some(street), Some(aside)] = streets else {
        return;
    };
    let (alone, _) = street.live(None);
    for hostile in [None].into_iter().chain(HOSTILE.iter().map(Some)) {
        let (beside, fate) = aside.live(hostile);
        let same = beside.iter().zip(&alone).all(|(is, was)| is == was);
        assert!(same, "beside {:?}", hostile.map(|hostile| hostile.tries));
        assert_eq!(fate.as_deref(), hostile.map(|hostile| hostile.ends));
    }
}
