//! Guests by hand, in text: no toolchain is needed, and each is ready in milliseconds.

mod child;
mod cut;
mod examples;
mod outside;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aigen_engine::scripted::Vocabulary;
use aigen_jarvis::{
    BranchId, CompileLimits, Compiler, Context, Controller, Decision, Fault, Opening, Program,
    Report, Turn, Wake,
};
use aigen_testkit_guests::{Guest, described};

use crate::limits::{LATE_FUEL, SLICE_FUEL, STEP_FUEL_MAX};
use crate::{Component, Host, Settings};

/// One for the process, as in a node.
static HOST: LazyLock<Host> = LazyLock::new(|| Host::start(None, None).unwrap());

/// The component that the host makes of a guest.
fn component(guest: &Guest<'_>) -> Component {
    HOST.compile(&guest.module()).unwrap()
}

/// One request: its context, and its first branch.
struct Request {
    context: Context,
    controller: Box<dyn Controller>,
}

fn program(component: &Component, settings: Settings) -> Program {
    static COMPILER: LazyLock<Arc<Compiler>> =
        LazyLock::new(|| Arc::new(Compiler::new(vocabulary()).unwrap()));
    component.program(Arc::clone(&COMPILER), settings)
}

/// Others' grammars compile: a guest is told so, and may do without one.
#[test]
fn a_guest_can_go_on_where_others_keep_its_grammar_from_compiling() {
    let limits = CompileLimits {
        at_once: 0,
        time: Duration::ZERO,
        ..CompileLimits::default()
    };
    let busy = Arc::new(Compiler::with_limits(vocabulary(), limits).unwrap());
    // The result's first byte says that it is an error, and byte 4 that it is `unavailable`.
    let guest = Guest {
        text: "yes",
        ..Guest::stepping(
            "(call $regex (i32.const 256) (i32.const 3) (i32.const 2048))
             (if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 1))
               (then (call $any (i32.add (i32.const 1) (i32.load8_u (i32.const 2052))))))",
        )
    };
    let opening = Opening::new(&[1], vocabulary());
    let program = component(&guest).program(busy, Settings::default());
    let mut request = Request {
        context: opening.context.clone(),
        controller: program.open(&opening).unwrap(),
    };
    let (_, decision) = request.step(0, Wake::Started);
    let Ok(Decision::Generate(generate)) = decision else {
        panic!("{decision:?}");
    };
    let unavailable = 3;
    assert_eq!(generate.until.tokens, 1 + unavailable);
}

fn vocabulary() -> Arc<Vocabulary> {
    Arc::new(Vocabulary::with_words(["yes", "no"]))
}

fn open(component: &Component) -> Result<Request, Fault> {
    open_with(component, Settings::default())
}

fn open_with(component: &Component, settings: Settings) -> Result<Request, Fault> {
    let prompt = [1, 2, 3];
    let opening = Opening::new(&prompt, vocabulary());
    let context = opening.context.clone();
    let controller = program(component, settings).open(&opening)?;
    Ok(Request {
        context,
        controller,
    })
}

impl Request {
    /// A step to its end: a late one is polled when it is done. `true` if it was late.
    fn step(&mut self, branch: BranchId, why: Wake) -> (bool, Result<Decision, Fault>) {
        let turn = self.controller.step(&Report::new(branch, 0, why));
        self.poll(turn)
    }

    fn poll(&mut self, mut turn: Result<Turn, Fault>) -> (bool, Result<Decision, Fault>) {
        let mut late = false;
        loop {
            match turn {
                Ok(Turn::Ready(decision)) => return (late, Ok(decision)),
                Err(fault) => return (late, Err(fault)),
                Ok(Turn::Late) => late = true,
                Ok(Turn::Outside) => {}
            }
            // The scheduler is woken; a test asks again.
            std::thread::yield_now();
            turn = self.controller.poll();
        }
    }
}

/// Asks until there is a decision: on a busy machine a step goes on on another thread.
fn decided(controller: &mut dyn Controller, report: &Report<'_>) -> Decision {
    let mut turn = controller.step(report).unwrap();
    loop {
        match turn {
            Turn::Ready(decision) => return decision,
            Turn::Late | Turn::Outside => std::thread::yield_now(),
        }
        turn = controller.poll().unwrap();
    }
}

/// Asks until there is one.
fn last_word(controller: &mut dyn Controller) -> Result<String, Fault> {
    loop {
        match controller.finish() {
            Some(said) => return said,
            None => std::thread::yield_now(),
        }
    }
}

/// A last word that takes more than a slice of the engine's thread is said elsewhere.
#[test]
fn a_long_last_word_leaves_the_thread() {
    let guest = Guest {
        step: "(call $stop)",
        finish: "(call $compute (i32.const 100000))",
        ..Guest::default()
    };
    let mut request = open(&component(&guest)).unwrap();
    request.step(0, Wake::Started).1.unwrap();
    assert_eq!(request.controller.finish(), None);
    assert_eq!(last_word(&mut *request.controller).unwrap(), "\"name\"");
}

/// What broke is said with the call in which it did: its author was not there.
#[test]
fn faults_say_in_which_call() {
    let (trap, forever) = ("unreachable", "(loop $l (br $l))");
    for (guest, expected) in [
        (
            Guest {
                open: trap,
                ..Guest::stepping("")
            },
            "the controller trapped in one call of `open`: ",
        ),
        (
            Guest::stepping(trap),
            "the controller trapped in one call of `step`: ",
        ),
        (
            Guest {
                finish: trap,
                ..Guest::stepping("(call $stop)")
            },
            "the controller trapped in one call of `finish`: ",
        ),
        (
            Guest {
                finish: forever,
                ..Guest::stepping("(call $stop)")
            },
            "the controller used its fuel up, which is 20000000 for one call of `finish`",
        ),
    ] {
        let told = broken(&guest).to_string();
        assert!(told.starts_with(expected), "{told}");
    }
}

/// What one session ends by.
fn broken(guest: &Guest<'_>) -> Fault {
    let mut request = match open(&component(guest)) {
        Ok(request) => request,
        Err(fault) => return fault,
    };
    match request.step(0, Wake::Started).1 {
        Ok(_) => last_word(&mut *request.controller).unwrap_err(),
        Err(fault) => fault,
    }
}

/// Opens and steps until something is named, and says what.
fn fate(guest: &Guest<'_>) -> String {
    // So little that it is spent before the time of a step is, on a processor a fifth as fast as others, too.
    let step_fuel = STEP_FUEL_MAX / 2;
    let settings = Settings {
        step_fuel,
        ..Settings::default()
    };
    let mut request = match open_with(&component(guest), settings) {
        Ok(request) => request,
        Err(fault) => return format!("open {}", fault.name()),
    };
    let decision = request.step(0, Wake::Started).1;
    match decision {
        Ok(decision) => format!("{decision:?}").replace('\n', " "),
        Err(fault) => fault.name().to_owned(),
    }
}

#[test]
fn what_strangers_try() {
    let forever = "(loop $l (br $l))";
    let step = Guest::stepping;
    let rows = [
        (
            step("(call $stop)"),
            "Stop(Stop { reason: Done, keep: true })",
        ),
        (step(forever), "fuel_exhausted"),
        (
            Guest {
                start: forever,
                ..step("")
            },
            "open fuel_exhausted",
        ),
        (
            Guest {
                open: forever,
                ..step("")
            },
            "open fuel_exhausted",
        ),
        // Copying memory costs fuel by the byte.
        (
            step(
                "(loop $l (memory.fill (i32.const 8192) (i32.const 0) (i32.const 120000)) (br $l))",
            ),
            "fuel_exhausted",
        ),
        (step("unreachable"), "trap"),
        // A memory bomb: growing is refused, and the request ends even if the guest goes on.
        (
            step("(drop (memory.grow (i32.const 60000))) (call $stop)"),
            "memory_full",
        ),
        (
            step("(loop $l (drop (memory.grow (i32.const 16))) (br $l))"),
            "memory_full",
        ),
        (step("(call $fork (i32.const 10000))"), "branches_too_many"),
        // A log flood and a variable bomb.
        (
            step("(loop $l (call $log (i32.const 1) (i32.const 0) (i32.const 60000)) (br $l))"),
            "log_full",
        ),
        (
            step(
                "(loop $l (call $append (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 60000) (i32.const 2048)) (br $l))",
            ),
            "variables_full",
        ),
        // A mask of wrong length, a token outside the vocabulary, a handle it does not have.
        (
            step("(call $bits (i32.const 0) (i32.const 1) (i32.const 2048)) (call $stop)"),
            "mask_length",
        ),
        (
            step(
                "(i32.store (i32.const 4096) (i32.const 99999999)) (call $tokens (i32.const 4096) (i32.const 1) (i32.const 2048)) (call $stop)",
            ),
            "token_unknown",
        ),
        (step("(call $of (i32.const 99))"), "controller"),
        (
            step("(loop $l (drop (call $all)) (br $l))"),
            "handles_too_many",
        ),
        // Calls to the host cost fuel too.
        (
            step("(loop $l (drop (call $random)) (br $l))"),
            "fuel_exhausted",
        ),
        // A pointer outside the memory.
        (
            step("(call $log (i32.const 1) (i32.const -8) (i32.const 64))"),
            "trap",
        ),
        // What it may not ask, it is told, and can go on.
        (
            step(
                "(call $http (i32.const 16) (i32.const 4) (i32.const 2048)) (if (i32.load8_u (i32.const 2048)) (then (call $stop)) (else unreachable))",
            ),
            "Stop(Stop { reason: Done, keep: true })",
        ),
    ];
    for (guest, expected) in rows {
        assert_eq!(
            fate(&guest),
            expected,
            "{}{}{}",
            guest.start,
            guest.open,
            guest.step
        );
    }
}

#[test]
fn what_is_no_controller_is_refused() {
    let refused = |bytes: &[u8]| HOST.compile(bytes).unwrap_err().to_string();
    assert!(refused(b"no WebAssembly at all").contains("magic"));
    let plain = wat::parse_str("(module (memory 1))").unwrap();
    assert!(refused(&plain).contains("hint: "), "{}", refused(&plain));
    let wasi = wat::parse_str(
        r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance (export "now" (func (result u64))))))"#,
    );
    assert!(refused(&wasi.unwrap()).contains("wasi:clocks"));
    let empty = wat::parse_str("(component)").unwrap();
    assert!(refused(&empty).contains("aigen:controller/controller"));
    // A module that says it is one, and exports nothing.
    let hollow = refused(&described("(module)"));
    assert!(hollow.contains("cannot be made a component"), "{hollow}");
}

#[test]
fn the_same_component_is_compiled_once() {
    let guest = Guest {
        step: "(call $any (i32.const 3))",
        ..Guest::default()
    };
    let (one, two) = (component(&guest), component(&guest));
    assert_eq!(one.digest(), two.digest());
    assert!(one.imports().is_empty() || one.imports()[0].starts_with("aigen:controller/"));
}

/// More fuel than a step may have on the scheduler's thread, and not late.
#[test]
fn a_step_leaves_the_schedulers_thread_before_it_is_late() {
    let guest = Guest::stepping("(call $compute (i32.const 200000)) (call $any (i32.const 3))");
    let mut request = open(&component(&guest)).unwrap();
    let turn = request.controller.step(&Report::new(0, 0, Wake::Started));
    assert!(matches!(turn, Ok(Turn::Outside)), "{turn:?}");
    let (late, decision) = request.poll(turn);
    assert!(
        !late && matches!(decision, Ok(Decision::Generate(_))),
        "{decision:?}"
    );
    let fuel = request.context.used().guest.fuel;
    assert!((SLICE_FUEL..LATE_FUEL).contains(&fuel), "{fuel}");
}

/// A guest that was refused something does not go on trying on the scheduler's thread.
#[test]
fn what_is_refused_ends_the_step_at_once() {
    for (step, calls, fuel) in [
        (
            "(loop $l (drop (memory.grow (i32.const 16))) (br $l))",
            0,
            2_000,
        ),
        // 17 of 60,000 bytes, each byte one unit, and the one that is too many.
        (
            "(loop $l (call $append (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 60000) (i32.const 2048)) (br $l))",
            18,
            1_100_000,
        ),
    ] {
        let mut request = open(&component(&Guest::stepping(step))).unwrap();
        request.step(0, Wake::Started).1.unwrap_err();
        let used = request.context.used().guest;
        assert_eq!(used.host_calls, calls, "{step}");
        assert!(used.fuel < fuel, "{step}: {used:?}");
    }
}

/// More fuel than a step may have in time, less than it may use.
#[test]
fn a_step_that_takes_long_goes_on_elsewhere() {
    let guest = Guest {
        step: "(call $compute (i32.const 1000000)) (call $any (i32.const 3))",
        ..Guest::default()
    };
    let mut request = open(&component(&guest)).unwrap();
    let (late, decision) = request.step(0, Wake::Started);
    assert!(
        late && matches!(decision, Ok(Decision::Generate(_))),
        "{decision:?}"
    );
    let used = request.context.used().guest;
    assert!(used.fuel > 3_000_000, "{used:?}");
}

/// What fuel does not see, the ticker ends.
#[test]
fn a_step_without_end_is_ended_by_the_ticker() {
    let guest = Guest {
        step: "(loop $l (br $l))",
        ..Guest::default()
    };
    let endless = Settings {
        step_fuel: u64::MAX,
        request_fuel: u64::MAX,
        ..Settings::default()
    };
    let mut request = open_with(&component(&guest), endless).unwrap();
    let (late, decision) = request.step(0, Wake::Started);
    assert!(late);
    assert_eq!(decision.unwrap_err().name(), "too_slow");
}

/// The same steps cost the same fuel in every run, whoever runs beside them.
#[test]
fn fuel_is_the_same_in_every_run() {
    let guest = Guest {
        step: "(call $compute (i32.add (i32.const 10) (i32.wrap_i64 (i64.and (call $random) (i64.const 255))))) (call $any (i32.const 1))",
        ..Guest::default()
    };
    let component = component(&guest);
    let run = || {
        let mut request = open(&component).unwrap();
        for _ in 0..20 {
            request.step(0, Wake::TokenLimit).1.unwrap();
        }
        let used = request.context.used().guest;
        (used.fuel, used.host_calls)
    };
    let first = run();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::scope(|scope| {
                scope
                    .spawn(|| (0..25).map(|_| run()).collect::<Vec<_>>())
                    .join()
                    .unwrap()
            })
        })
        .collect();
    assert!(threads.into_iter().flatten().all(|other| other == first));
    assert_eq!(first.1, 20);
}

/// Branches are in one instance: a global is shared, a handle is each branch's own.
#[test]
fn forks_are_asked_in_the_same_instance() {
    let guest = Guest {
        step: "(if (local.get $why) (then (call $any (local.get $session))) (else (call $fork (i32.const 2))))",
        ..Guest::default()
    };
    let mut request = open(&component(&guest)).unwrap();
    assert!(matches!(
        request.step(0, Wake::Started).1,
        Ok(Decision::Fork(2))
    ));
    for index in 1..=2 {
        let mut branch = request.controller.fork(index).unwrap();
        let why = Wake::Forked { index, first: 1 };
        let decision = decided(branch.as_mut(), &Report::new(index, 0, why));
        let Decision::Generate(generate) = decision else {
            panic!("{decision:?}");
        };
        assert_eq!(generate.until.tokens, index);
    }
    assert!(request.controller.fork(3).is_err());
    assert_eq!(last_word(&mut *request.controller).unwrap(), "\"name\"");
}

/// Two requests of one component share nothing.
#[test]
fn tenants_do_not_meet() {
    let guest = Guest {
        step: "(call $set (i32.const 16) (i32.const 4) (i32.const 24) (i32.const 4) (i32.const 2048)) (call $any (global.get $steps))",
        ..Guest::default()
    };
    let component = component(&guest);
    let (mut one, mut two) = (open(&component).unwrap(), open(&component).unwrap());
    for request in [&mut one, &mut two] {
        let decision = request.step(0, Wake::Started).1.unwrap();
        let Decision::Generate(generate) = decision else {
            panic!("{decision:?}");
        };
        assert_eq!(generate.until.tokens, 1, "a global of another's");
        assert_eq!(request.context.variable(0, "name").unwrap().version, 1);
    }
}
