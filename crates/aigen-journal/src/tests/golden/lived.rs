//! A history after which everything that a snapshot holds is there, one of each at least.

use super::super::{amount, parsed};
use aigen_economy::{Price, Shares, Usage, settlement};
use aigen_network::{
    Asked, AssignEpoch, Cell, CloseCall, CloseEpoch, Command, CommitScores, ControllerKind,
    Counter, ExtendCall, Found, GoldOpening, GrantAllowance, Issue, KeyLimits, LimitKey,
    NewController, NewKey, NewModel, NewValidator, OpenCall, OpenSubCall, Outcome, Period,
    ProgressCall, RefundCall, RefundReason, Report, RevealScores, ReverseCall, Role, SetBudget,
    Settings, Steered, assignment_root, controller_digest, gold_commitment, report_root,
    score_commitment,
};
use aigen_types::{CallId, Digest, Epoch, NodeId, Ppm, Slug, TransferId};

const SALT: Digest = Digest([9; 32]);
const VALIDATORS: [&str; 2] = ["vera", "viktor"];

/// Batches, each for a record of its own. None of the commands is refused.
pub fn batches() -> Vec<Vec<Command>> {
    let [real, gold, later] = ["ada/quiz@1.0.0", "x/one@1.0.0", "ada/poem@1.0.0"].map(controller);
    let of = |command: &NewController| controller_digest(command);
    let (real_id, gold_id, later_id) = (of(&real), of(&gold), of(&later));
    let published = [real, gold, later].map(Command::PublishController);
    let calls = vec![
        open(1, "ada-key", Some(real_id)),
        close(1),
        open(2, "tutor-key", None),
        close(2),
        refund(2),
        open(3, "tutor-key", None),
        close(3),
        reverse(3),
    ];
    let unfinished = vec![
        // Of the epoch after, which has a tally by now.
        open(4, "ada-key", Some(later_id)),
        close(4),
        open(5, "tutor-key", Some(later_id)),
        extend(5),
        progress(5),
    ];
    vec![
        [founding()].into_iter().chain(people()).collect(),
        published.into_iter().chain(caps()).collect(),
        calls,
        epoch(0, real_id, gold_id, true),
        unfinished,
        // Halfway: assigned, committed by all, revealed by one.
        epoch(1, later_id, gold_id, false),
    ]
}

fn founding() -> Command {
    let parameter = |id: &str, weight, kind| settlement::Parameter {
        id: id.into(),
        weight: Ppm::new(weight).expect("at most one whole"),
        kind,
        gate_full: Ppm::ZERO,
    };
    let parameters = vec![
        parameter("quality", 800_000, settlement::ParameterKind::Voted),
        parameter("reliability", 200_000, settlement::ParameterKind::Measured),
    ];
    Command::Found(Found {
        name: parsed("test"),
        settings: Settings {
            shares: Shares::default(),
            parameters,
            params: settlement::Params::default(),
            latency_budget_micros: 1_000,
        },
    })
}

fn people() -> Vec<Command> {
    let key = |name: &str, account: &str, spender: Option<&str>| {
        Command::CreateKey(NewKey {
            name: parsed(name),
            secret_hash: Digest([1; 32]),
            account: parsed(account),
            role: Role::Customer,
            spender: spender.map(parsed),
        })
    };
    let issue = |id, to: &str| {
        Command::Issue(Issue {
            id: TransferId(id),
            to: parsed(to),
            amount: amount(10_000_000),
        })
    };
    let mut commands = vec![
        key("ada-key", "user:ada", None),
        key("tutor-key", "org:acme", Some("org:acme:app:tutor")),
        key("old-key", "user:ada", None),
        Command::RevokeKey(parsed("old-key")),
        model(),
        issue(1, "user:ada"),
        issue(2, "org:acme"),
        // Goodwill is paid from there.
        issue(9, "treasury"),
    ];
    for (validator, id) in VALIDATORS.into_iter().zip(3..) {
        commands.push(issue(id, &format!("validator:{validator}")));
        commands.push(Command::RegisterValidator(NewValidator {
            name: parsed(validator),
            owner: parsed(&format!("{validator}-inc")),
            stake: amount(1_000_000),
        }));
    }
    commands
}

fn model() -> Command {
    Command::PublishModel(NewModel {
        name: parsed("tiny"),
        provider: parsed("acme"),
        digest: Digest([2; 32]),
        context_tokens: 1_024,
        price: Price {
            input: amount(20_000_000),
            cached_input: amount(2_000_000),
            output: amount(60_000_000),
            request: amount(1_000),
        },
    })
}

fn controller(reference: &str) -> NewController {
    NewController {
        reference: parsed(reference),
        kind: ControllerKind::Grammar,
        source: "start: /a/".into(),
        listed: true,
        description: "says a".into(),
    }
}

fn caps() -> Vec<Command> {
    let budget = |path: &str, period| {
        Command::SetBudget(SetBudget {
            path: parsed(path),
            cap: Some(amount(5_000_000)),
            period,
        })
    };
    vec![
        budget("org:acme", Period::Total),
        budget("org:acme:app:tutor:user:*", Period::Week),
        Command::GrantAllowance(GrantAllowance {
            user: parsed("user:ada"),
            app: parsed("org:acme"),
            cap: amount(1_000_000),
            period: Period::Month,
            margin: Ppm::new(100_000).expect("below one whole"),
            expires_at: None,
        }),
    ]
}

/// With the app's key it is for its end user 42, and billed to ada.
pub fn open(call: u128, key: &str, controller: Option<Digest>) -> Command {
    let app = key == "tutor-key";
    Command::OpenCall(OpenCall {
        call: CallId(call),
        key: parsed(key),
        model: parsed("tiny"),
        controller,
        prompt_tokens: 10,
        chunk_tokens: 256,
        budget: None,
        request: Digest([4; 32]),
        node: NodeId(7),
        least_tokens: 1,
        end_user: app.then(|| parsed("42")),
        bill_to: app.then(|| parsed("user:ada")),
        reads: Vec::new(),
    })
}

fn used(sampled_tokens: u64) -> Usage {
    Usage {
        prompt_tokens: 10,
        sampled_tokens,
        forced_tokens: 4,
        ..Usage::default()
    }
}

fn extend(call: u128) -> Command {
    Command::ExtendCall(ExtendCall {
        call: CallId(call),
        chunk_tokens: 512,
        used: used(200),
    })
}

fn progress(call: u128) -> Command {
    Command::ProgressCall(ProgressCall {
        call: CallId(call),
        used: used(216),
    })
}

pub fn close(call: u128) -> Command {
    Command::CloseCall(CloseCall {
        call: CallId(call),
        used: used(100),
        outcome: Outcome::Stop,
        controller_micros: 9,
        decisions: Digest([5; 32]),
        steered: Steered::default(),
        counter: None,
    })
}

/// A call that its controller ends, after all of those.
pub fn steered() -> Vec<Command> {
    let later = controller_digest(&controller("ada/poem@1.0.0"));
    let close = CloseCall {
        call: CallId(6),
        used: Usage {
            discarded_tokens: 9,
            ..used(100)
        },
        outcome: Outcome::ControllerFault,
        controller_micros: 9,
        decisions: Digest([5; 32]),
        steered: Steered {
            fuel: 4_000_000_000,
            hidden_tokens: 12,
            unkept_tokens: 7,
            branches: 2,
            asked: Asked::default(),
            fault: "fuel_exhausted".into(),
            conforms: Some(true),
        },
        counter: None,
    };
    vec![open(6, "ada-key", Some(later)), Command::CloseCall(close)]
}

/// A call that makes another, and reads a page, after all of those.
pub fn within() -> Vec<Command> {
    let Command::OpenCall(asked) = open(8, "ada-key", None) else {
        unreachable!("it opens a call");
    };
    let sub = OpenSubCall {
        parent: CallId(7),
        open: asked,
    };
    let Command::CloseCall(mut ended) = close(7) else {
        unreachable!("it closes a call");
    };
    ended.steered.asked = Asked {
        tools: 1,
        pages: 2,
        completions: 1,
        bytes: 400,
    };
    vec![
        open(7, "ada-key", None),
        Command::OpenSubCall(sub),
        close(8),
        Command::CloseCall(ended),
    ]
}

/// Calls whose tokens were counted by each, a key that may read one dataset, after all of those.
pub fn counted() -> Vec<Command> {
    let limits = KeyLimits {
        datasets: vec![parsed("books/faq"), parsed("books/poems")],
        ..KeyLimits::default()
    };
    let limit = LimitKey {
        key: parsed("ada-key"),
        limits,
    };
    let mut commands = vec![Command::LimitKey(limit)];
    let counters = [Counter::Engine, Counter::Upstream, Counter::Estimated];
    for (call, counter) in (20..).zip(counters) {
        let Command::CloseCall(ended) = close(call) else {
            unreachable!("it closes a call");
        };
        commands.push(open(call, "ada-key", None));
        commands.push(Command::CloseCall(CloseCall {
            counter: Some(counter),
            ..ended
        }));
    }
    commands
}

pub fn refund(call: u128) -> Command {
    Command::RefundCall(RefundCall {
        id: TransferId(1_000 + call),
        call: CallId(call),
        amount: amount(5),
        reason: RefundReason::Goodwill,
    })
}

pub fn reverse(call: u128) -> Command {
    Command::ReverseCall(ReverseCall {
        id: TransferId(1_000 + call),
        call: CallId(call),
        reason: RefundReason::Duplicate,
    })
}

/// Both validators score a real controller and a planted one.
fn epoch(number: u64, real: Digest, gold: Digest, whole: bool) -> Vec<Command> {
    let epoch = Epoch(number);
    let opening = GoldOpening {
        controller: gold,
        parameter: parsed("quality"),
        truth: 400_000,
        salt: SALT,
    };
    let committed = gold_commitment(gold, &opening.parameter, opening.truth, opening.salt);
    let cells = VALIDATORS.map(|validator| cells(validator, &[real, gold]));
    let mut commands = vec![Command::AssignEpoch(AssignEpoch {
        epoch,
        cells: cells.concat(),
        gold: vec![committed],
        ..AssignEpoch::default()
    })];
    let report = |controller, score| Report {
        controller,
        parameter: parsed("quality"),
        score,
    };
    let reports = [report(real, 800_000), report(gold, 400_000)];
    for (validator, cells) in VALIDATORS.into_iter().zip(&cells) {
        commands.push(commit(epoch, validator, cells, &reports));
    }
    let revealing = VALIDATORS.iter().take(if whole { 2 } else { 1 });
    commands.extend(revealing.map(|validator| {
        Command::RevealScores(RevealScores {
            epoch,
            validator: parsed(validator),
            salt: SALT,
            reports: reports.to_vec(),
        })
    }));
    if whole {
        let gold = vec![opening];
        commands.push(Command::CloseEpoch(CloseEpoch {
            epoch,
            gold,
            ..CloseEpoch::default()
        }));
    }
    commands
}

fn cells(validator: &str, controllers: &[Digest]) -> Vec<Cell> {
    let cell = |controller: &Digest| Cell {
        validator: parsed(validator),
        controller: *controller,
        parameter: parsed("quality"),
        suite: parsed("lesson-quiz"),
    };
    let mut cells: Vec<_> = controllers.iter().map(cell).collect();
    cells.sort();
    cells
}

fn commit(epoch: Epoch, validator: &str, cells: &[Cell], reports: &[Report]) -> Command {
    let name: Slug = parsed(validator);
    let commitment = score_commitment(
        &parsed("test"),
        epoch,
        &name,
        assignment_root(cells),
        report_root(reports),
        SALT,
    );
    Command::CommitScores(CommitScores {
        epoch,
        validator: name,
        commitment,
    })
}
