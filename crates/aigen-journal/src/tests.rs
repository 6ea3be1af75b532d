mod conformance;
mod damage;
pub(crate) mod golden;
mod lost;
mod snapshots;
#[cfg(feature = "postgres")]
mod tls;
mod writer;

use aigen_economy::{Price, Shares, Usage, settlement};
use aigen_network::{
    AssignEpoch, Cell, CloseCall, CloseEpoch, Command, CommitScores, ControllerKind, ExtendCall,
    Found, GoldOpening, GrantAllowance, Issue, NewController, NewKey, NewModel, NewValidator,
    OpenCall, Outcome, Pay, Period, ProgressCall, RefundCall, RefundReason, Report, RevealScores,
    ReverseCall, RevokeAllowance, Role, SetBudget, Settings, Steered,
};
use aigen_types::{Amount, CallId, Digest, Epoch, NodeId, Ppm, Timestamp, TransferId};

pub(crate) fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("test data is well formed")
}

fn amount(nano: u128) -> Amount {
    Amount::from_nano(nano)
}

pub(crate) fn founding() -> Command {
    let quality = settlement::Parameter {
        id: "quality".into(),
        weight: Ppm::ONE,
        kind: settlement::ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    };
    Command::Found(Found {
        name: parsed("test"),
        settings: Settings {
            shares: Shares::default(),
            parameters: vec![quality],
            params: settlement::Params::default(),
            latency_budget_micros: 1_000,
        },
    })
}

pub(crate) fn issue(id: u128, nano: u128) -> Command {
    Command::Issue(Issue {
        id: TransferId(id),
        to: parsed("user:ada"),
        amount: amount(nano),
    })
}

/// One of each, with every field set to something of its own.
fn every_command() -> Vec<Command> {
    let used = Usage {
        prompt_tokens: 1,
        cached_prompt_tokens: 2,
        sampled_tokens: 3,
        forced_tokens: 4,
        discarded_tokens: 5,
    };
    let call = CallId(7);
    vec![
        founding(),
        issue(1, 10_000_000_000),
        Command::Pay(Pay {
            id: TransferId(2),
            from: parsed("user:ada"),
            to: parsed("validator:vera"),
            amount: amount(1_000_000_000),
        }),
        Command::CreateKey(NewKey {
            name: parsed("ada-key"),
            secret_hash: Digest([1; 32]),
            account: parsed("user:ada"),
            role: Role::Customer,
            spender: None,
        }),
        Command::RevokeKey(parsed("ada-key")),
        Command::PublishModel(NewModel {
            name: parsed("tiny"),
            provider: parsed("acme"),
            digest: Digest([2; 32]),
            context_tokens: 1024,
            price: Price {
                input: amount(20),
                cached_input: amount(2),
                output: amount(60),
                request: amount(1),
            },
        }),
        Command::PublishController(NewController {
            reference: parsed("ada/quiz@1.0.0"),
            kind: ControllerKind::Grammar,
            source: "start: /a/".into(),
            listed: true,
            description: "says a".into(),
        }),
        Command::RegisterValidator(NewValidator {
            name: parsed("vera"),
            owner: parsed("vera-inc"),
            stake: amount(5),
        }),
        Command::OpenCall(OpenCall {
            call,
            key: parsed("ada-key"),
            model: parsed("tiny"),
            controller: Some(Digest([3; 32])),
            prompt_tokens: 10,
            chunk_tokens: 256,
            budget: Some(amount(1_000)),
            request: Digest([4; 32]),
            node: NodeId(0),
            least_tokens: 1,
            end_user: None,
            bill_to: None,
            reads: Vec::new(),
        }),
        Command::ExtendCall(ExtendCall {
            call,
            chunk_tokens: 512,
            used,
        }),
        Command::ProgressCall(ProgressCall { call, used }),
        Command::CloseCall(CloseCall {
            call,
            used,
            outcome: Outcome::Budget,
            controller_micros: 9,
            decisions: Digest([5; 32]),
            steered: Steered::default(),
            counter: None,
        }),
        Command::AssignEpoch(AssignEpoch {
            epoch: Epoch(1),
            cells: vec![Cell {
                validator: parsed("vera"),
                controller: Digest([6; 32]),
                parameter: parsed("quality"),
                suite: parsed("lesson-quiz"),
            }],
            gold: vec![Digest([7; 32])],
            ..AssignEpoch::default()
        }),
        Command::CommitScores(CommitScores {
            epoch: Epoch(1),
            validator: parsed("vera"),
            commitment: Digest([8; 32]),
        }),
        Command::FreezeCommits,
        Command::RevealScores(RevealScores {
            epoch: Epoch(1),
            validator: parsed("vera"),
            salt: Digest([9; 32]),
            reports: vec![Report {
                controller: Digest([6; 32]),
                parameter: parsed("quality"),
                score: 800_000,
            }],
        }),
        Command::CloseEpoch(CloseEpoch {
            epoch: Epoch(1),
            gold: vec![GoldOpening {
                controller: Digest([6; 32]),
                parameter: parsed("quality"),
                truth: 400_000,
                salt: Digest([10; 32]),
            }],
            ..CloseEpoch::default()
        }),
    ]
}

/// One of each that came after the first release, and what grew since then in its later form.
pub(crate) fn later_commands() -> Vec<Command> {
    let call = CallId(7);
    vec![
        Command::CreateKey(NewKey {
            name: parsed("tutor-key"),
            secret_hash: Digest([1; 32]),
            account: parsed("org:acme"),
            role: Role::Customer,
            spender: Some(parsed("org:acme:app:tutor")),
        }),
        Command::OpenCall(OpenCall {
            call,
            key: parsed("tutor-key"),
            model: parsed("tiny"),
            controller: None,
            prompt_tokens: 10,
            chunk_tokens: 256,
            budget: None,
            request: Digest([4; 32]),
            node: NodeId(0x0123_4567_89ab_cdef),
            least_tokens: 256,
            end_user: Some(parsed("42")),
            bill_to: Some(parsed("user:ada")),
            reads: Vec::new(),
        }),
        Command::SetBudget(SetBudget {
            path: parsed("org:acme:app:tutor:user:*"),
            cap: Some(amount(1_000)),
            period: Period::Week,
        }),
        Command::SetBudget(SetBudget {
            path: parsed("org:acme"),
            cap: None,
            period: Period::Total,
        }),
        Command::GrantAllowance(GrantAllowance {
            user: parsed("user:ada"),
            app: parsed("org:acme"),
            cap: amount(2_000),
            period: Period::Month,
            margin: Ppm::new(100_000).expect("below one whole"),
            expires_at: Some(Timestamp(1_800_000_000_000_000_000)),
        }),
        Command::RevokeAllowance(RevokeAllowance {
            user: parsed("user:ada"),
            app: parsed("org:acme"),
        }),
        Command::ReverseCall(ReverseCall {
            id: TransferId(3),
            call,
            reason: RefundReason::Duplicate,
        }),
        Command::RefundCall(RefundCall {
            id: TransferId(4),
            call,
            amount: amount(5),
            reason: RefundReason::Goodwill,
        }),
    ]
}
