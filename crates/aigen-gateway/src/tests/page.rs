//! The page that users look refusals up on says what the gateway answers.

use crate::failure::Failure;
use aigen_node::NodeError;
use aigen_node::network::Refusal::{self, *};
use aigen_node::network::{Cap, Capped, Period, Rate, Window};
use aigen_types::{Address, Amount, Timestamp};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../../docs/refusals.md");

/// The codes stand here, one on a line: `Self::NotFounded => "not_founded",`.
const SOURCE: &str = include_str!("../../../aigen-network/src/refusal.rs");

#[test]
fn the_page_of_refusals_lists_each_of_the_network() {
    let rows: String = every().into_iter().map(row).collect();
    let head = "| refusal | status | meaning; what to do |\n|---|---|---|\n";
    let table = format!("{head}{rows}");
    assert!(
        PAGE.contains(&table),
        "docs/refusals.md should read:\n{table}"
    );
}

#[test]
fn no_refusal_of_the_network_is_missing_above() {
    let named: BTreeSet<_> = SOURCE.lines().filter_map(code_of_line).collect();
    let listed: BTreeSet<_> = every().iter().map(Refusal::code).collect();
    assert!(named.len() > 50, "{named:?}");
    assert_eq!(named, listed);
}

fn code_of_line(line: &str) -> Option<&str> {
    let (_, code) = line.trim().split_once(" => \"")?;
    let code = code.strip_suffix("\",")?;
    let plain = |c: char| c == '_' || c.is_ascii_lowercase();
    (line.contains("Self::") && code.chars().all(plain)).then_some(code)
}

fn row(refusal: Refusal) -> String {
    let code = refusal.code();
    let failure = Failure::from(NodeError::Refused(refusal));
    let (status, message) = (failure.status.as_u16(), &failure.error.message);
    format!("| `{code}` | {status} | {message} |\n")
}

/// One of each, with amounts as examples.
#[rustfmt::skip]
fn every() -> Vec<Refusal> {
    let [available, needed, held] = [1, 3, 2].map(|aigen| Amount::from_nano(aigen * 1_000_000_000));
    let lessons: Address = "app:lessons".parse().expect("an address");
    let cap = Box::new(Cap {
        of: Capped::Path(lessons.clone()),
        window: Window { period: Period::Day, first_day: 20_000 },
    });
    vec![
        NotFounded, AlreadyFounded, NameTaken, TooLong, AddressTaken, AddressReserved, AmountZero,
        KeyUnknown, KeyRevoked, KeyExpired, ModelNotAllowed, ControllerNotAllowed, DatasetNotAllowed,
        RateLimited { rate: Rate::Requests, resets_at: Timestamp(0) },
        ModelUnknown,
        ControllerUnknown, ControllerVersionExists, ControllerYanked, ContentMismatch,
        SignatureInvalid, PublisherMismatch, SignatureMissing, TagInvalid, TagUnknown, ValidatorUnknown,
        InsufficientFunds { available, needed },
        BudgetTooSmall { budget: available, needed },
        BudgetExhausted { cap: cap.clone(), available, needed },
        InFlight { cap: Some(cap), available, held, needed },
        BudgetUnknown, AllowanceUnknown, AllowanceEnded, SpenderInvalid,
        NothingCharged, CallReversed, CallRefunded, EpochSettled,
        RefundTooLarge { charged: needed, refunded: available },
        PayeeShort { payee: Box::new(lessons), available, needed },
        CoverExhausted, TooManyHolds, CallUnknown, CallExists, CallExistsWithDifferentRequest,
        SubCallInvalid, CallClosed, UsageExceedsCover, UsageRunsBackwards,
        EpochNotCurrent, EpochPhase, AssignmentInvalid, NotAssigned, CommitmentCopied, RevealMismatch,
        ReportInvalid, GoldMismatch, SettlementInvalid, WindowOpen, SeedMismatch, PanelMismatch,
        AuditMismatch, PayoutHeld, RulesInvalid, RulesVersion, StakeInUse, AppealClosed, AppealUnknown,
        DatasetUnknown, DatasetVersionExists, DatasetNotOwned, DatasetInvalid, DatasetWithdrawn,
        DatasetNotGranted, DatasetUseNotAllowed, ColumnNotGranted, ColumnUnknown, RowsUnknown,
        ReadInvalid, GrantUnknown, TooManyReads,
        AmountTooLarge,
    ]
}
