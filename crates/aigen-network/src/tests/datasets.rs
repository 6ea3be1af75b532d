//! Datasets: who may offer and read them, what a read costs, and who is paid.

use super::calls::price;
use super::{World, covered, parsed, used};
use crate::{
    Cap, Capped, CloseEpoch, Column, Command, DatasetUse, Grant, GrantAllowance, GrantDataset,
    Issue, NewDataset, OpenCall, Outcome, Period, PriceDataset, ReadDataset, ReadWithin,
    RefundCall, RefundReason, Refusal, Reply, ReverseCall, RevokeDataset, Rows, SetBudget, Wanted,
    WithdrawDataset,
};
use aigen_economy::{DatasetPrice, LineKind, Usage};
use aigen_types::{Amount, CallId, Day, Digest, Epoch, NodeId, Ppm, Timestamp, TransferId};
use alloc::{format, string::ToString, vec, vec::Vec};
use proptest::prelude::*;

pub(super) const ROW: u128 = 2_000;
const HIT: u128 = 500;
const DOWNLOAD: u128 = 90_000;

pub(super) fn amount(nano: u128) -> Amount {
    Amount::from_nano(nano)
}

pub(super) fn dataset(reference: &str) -> NewDataset {
    let column = |name: &str| Column {
        name: name.to_string(),
        kind: "text".to_string(),
    };
    NewDataset {
        reference: parsed(reference),
        by: parsed("org:books"),
        content: Digest([7; 32]),
        rows: 100,
        bytes: 9_000,
        columns: vec![column("title"), column("text")],
        description: "books".to_string(),
        licence: "CC-BY-4.0".to_string(),
        uses: DatasetUse::ALL.into(),
        open: true,
        price: DatasetPrice {
            row: amount(ROW),
            hit: amount(HIT),
            download: amount(DOWNLOAD),
        },
        provider: parsed("provider:books"),
    }
}

pub(super) fn wanted(reference: &str, rows: &[u64], hits: u64) -> Wanted {
    Wanted {
        dataset: parsed(reference),
        columns: Vec::new(),
        rows: Rows::of(rows.iter().copied()),
        hits,
    }
}

pub(super) const FAQ: &str = "books/faq@1.0.0";

/// What a call of 100 prompt tokens reads of `books/faq`, and how much output it has covered.
pub(super) fn opening(call: u128, reads: Vec<Wanted>, budget: Option<u128>) -> OpenCall {
    OpenCall {
        call: CallId(call),
        key: parsed("ada-key"),
        model: parsed("tiny"),
        controller: None,
        prompt_tokens: 100,
        chunk_tokens: 10,
        budget: budget.map(amount),
        request: Digest([3; 32]),
        node: NodeId(7),
        least_tokens: 1,
        end_user: None,
        bill_to: None,
        reads,
    }
}

pub(super) fn reading(id: u128, wanted: Wanted) -> ReadDataset {
    ReadDataset {
        read: CallId(id),
        key: parsed("ada-key"),
        wanted,
        purpose: DatasetUse::Read,
        request: Digest([5; 32]),
        end_user: None,
        bill_to: None,
        budget: None,
    }
}

impl World {
    pub(super) fn with_dataset(funds: u128) -> Self {
        let mut world = Self::new(funds);
        world.ok(Command::PublishDataset(dataset(FAQ)));
        world
    }

    pub(super) fn read(&mut self, id: u128, rows: &[u64], hits: u64) -> Result<Reply, Refusal> {
        self.apply(Command::ReadDataset(reading(id, wanted(FAQ, rows, hits))))
    }

    pub(super) fn open_reading(
        &mut self,
        call: u128,
        reads: Vec<Wanted>,
    ) -> Result<Reply, Refusal> {
        self.apply(Command::OpenCall(opening(call, reads, None)))
    }

    pub(super) fn read_within(&mut self, call: u128, wanted: Wanted) -> Result<Reply, Refusal> {
        let call = CallId(call);
        self.apply(Command::ReadWithin(ReadWithin { call, wanted }))
    }
}

#[test]
fn rows_have_one_form() {
    let rows = Rows::of([5, 3, 4, 9, 3]);
    assert_eq!((rows.count(), rows.last()), (4, Some(9)));
    assert_eq!(rows.ids().collect::<Vec<_>>(), [3, 4, 5, 9]);
    assert_eq!(
        Rows::from_ranges(rows.ranges().to_vec()),
        Some(rows.clone())
    );
    assert_eq!(Rows::range(3, 3), Rows::of([3, 4, 5]));
    let range = |first, count| crate::RowRange { first, count };
    for (why, ranges) in [
        ("touching", vec![range(3, 1), range(4, 1)]),
        ("overlapping", vec![range(3, 5), range(6, 1)]),
        ("backwards", vec![range(9, 1), range(3, 1)]),
        ("empty", vec![range(3, 0)]),
        ("beyond", vec![range(u64::MAX, 2)]),
    ] {
        assert_eq!(Rows::from_ranges(ranges), None, "{why}");
    }
}

#[test]
fn a_read_is_paid_once_and_shared_out_at_once() {
    let mut world = World::with_dataset(1_000_000);
    let fee = 3 * ROW + 2 * HIT;
    assert_eq!(
        world.read(1, &[1, 2, 9], 2),
        Ok(Reply::Charged(amount(fee)))
    );
    assert_eq!(world.balance("user:ada"), 1_000_000 - fee);
    // 6 % is the protocol's: of a fee nobody else but the provider gets anything.
    assert_eq!(world.balance("provider:books"), fee * 94 / 100);
    assert_eq!(world.balance("protocol"), fee - fee * 94 / 100);
    // Asked for again, it is charged no more; with another request or other rows it is refused.
    assert_eq!(
        world.read(1, &[1, 2, 9], 2),
        Ok(Reply::Charged(amount(fee)))
    );
    let other = Err(Refusal::CallExistsWithDifferentRequest);
    assert_eq!(world.read(1, &[1, 2], 2), other);
    assert_eq!(world.open(1, 10, 10, None), other);
    assert_eq!(world.balance("user:ada"), 1_000_000 - fee);
    let receipt = world.network.read_receipt(CallId(1)).unwrap();
    assert_eq!((receipt.total(), receipt.transfers.len()), (amount(fee), 3));
    let kinds: Vec<_> = receipt.read.charge().unwrap().lines;
    let kinds: Vec<_> = kinds
        .iter()
        .map(|line| (line.kind, line.quantity))
        .collect();
    assert_eq!(
        kinds,
        [(LineKind::DatasetRows, 3), (LineKind::DatasetHits, 2)]
    );
}

#[test]
fn a_download_is_of_everything_at_its_own_price() {
    let mut world = World::with_dataset(1_000_000);
    let of = |rows| ReadDataset {
        purpose: DatasetUse::Download,
        wanted: Wanted {
            rows,
            ..wanted(FAQ, &[], 0)
        },
        ..reading(1, wanted(FAQ, &[], 0))
    };
    let part = world.apply(Command::ReadDataset(of(Rows::range(0, 99))));
    assert_eq!(part, Err(Refusal::ReadInvalid));
    let whole = world.apply(Command::ReadDataset(of(Rows::range(0, 100))));
    assert_eq!(whole, Ok(Reply::Charged(amount(DOWNLOAD))));
}

#[test]
fn what_may_not_be_read_is_refused_before_any_charge() {
    let mut world = World::with_dataset(1_000_000);
    let closed = NewDataset {
        open: false,
        uses: [DatasetUse::Read].into(),
        ..dataset("books/private@1.0.0")
    };
    world.ok(Command::PublishDataset(closed));
    let private = "books/private@1.0.0";
    let column = |name: &str| Wanted {
        columns: vec![name.to_string()],
        ..wanted(private, &[1], 0)
    };
    let grant = |columns: &[&str], until| {
        Command::GrantDataset(GrantDataset {
            dataset: parsed("books/private"),
            by: parsed("org:books"),
            to: parsed("user:ada"),
            grant: Grant {
                columns: columns.iter().map(ToString::to_string).collect(),
                uses: [DatasetUse::Read].into(),
                until,
            },
        })
    };
    let read =
        |world: &mut World, id, wanted| world.apply(Command::ReadDataset(reading(id, wanted)));
    for (refusal, asked) in [
        (Refusal::DatasetUnknown, wanted("books/faq@2.0.0", &[1], 0)),
        (Refusal::RowsUnknown, wanted(FAQ, &[100], 0)),
        (Refusal::ReadInvalid, wanted(FAQ, &[1], 2)),
        (Refusal::DatasetNotGranted, wanted(private, &[1], 0)),
    ] {
        assert_eq!(read(&mut world, 1, asked), Err(refusal));
    }
    world.ok(grant(&["title"], None));
    assert_eq!(
        read(&mut world, 1, wanted(private, &[1], 0)),
        Err(Refusal::ColumnNotGranted)
    );
    assert_eq!(
        read(&mut world, 1, column("text")),
        Err(Refusal::ColumnNotGranted)
    );
    assert!(read(&mut world, 1, column("title")).is_ok());
    world.ok(grant(&[], None));
    assert_eq!(
        read(&mut world, 2, column("author")),
        Err(Refusal::ColumnUnknown)
    );
    assert!(read(&mut world, 2, wanted(private, &[1], 0)).is_ok());
    // The licence allows no prompt, whatever was granted.
    let prompt = world.open_reading(3, vec![wanted(private, &[1], 0)]);
    assert_eq!(prompt, Err(Refusal::DatasetUseNotAllowed));
    world.ok(grant(&[], Some(Timestamp(1))));
    assert_eq!(
        read(&mut world, 3, wanted(private, &[1], 0)),
        Err(Refusal::DatasetNotGranted)
    );
    let revoke = || {
        Command::RevokeDataset(RevokeDataset {
            dataset: parsed("books/private"),
            by: parsed("org:books"),
            to: parsed("user:ada"),
        })
    };
    world.ok(revoke());
    assert_eq!(world.apply(revoke()), Err(Refusal::GrantUnknown));
    world.ok(Command::WithdrawDataset(WithdrawDataset {
        reference: parsed(FAQ),
        by: parsed("org:books"),
        reason: "wrong".to_string(),
    }));
    assert_eq!(world.read(3, &[1], 0), Err(Refusal::DatasetWithdrawn));
    assert_eq!(world.network.read_receipts().count(), 2);
}

#[test]
fn a_name_belongs_to_whoever_published_below_it_first() {
    let mut world = World::with_dataset(1_000);
    let stranger = || parsed("user:mallory");
    let theirs = NewDataset {
        by: stranger(),
        ..dataset("books/other@1.0.0")
    };
    let not_owned = Err(Refusal::DatasetNotOwned);
    assert_eq!(world.apply(Command::PublishDataset(theirs)), not_owned);
    let price = PriceDataset {
        reference: parsed(FAQ),
        by: stranger(),
        price: DatasetPrice::default(),
    };
    assert_eq!(world.apply(Command::PriceDataset(price)), not_owned);
    let withdraw = WithdrawDataset {
        reference: parsed(FAQ),
        by: stranger(),
        reason: "".to_string(),
    };
    assert_eq!(world.apply(Command::WithdrawDataset(withdraw)), not_owned);
    // The same again is no other version, and other contents are refused.
    world.ok(Command::PublishDataset(dataset(FAQ)));
    let other = NewDataset {
        content: Digest([8; 32]),
        ..dataset(FAQ)
    };
    let exists = Err(Refusal::DatasetVersionExists);
    assert_eq!(world.apply(Command::PublishDataset(other)), exists);
    for (refusal, new) in [
        (
            Refusal::DatasetInvalid,
            NewDataset {
                licence: "".to_string(),
                ..dataset("books/a@1.0.0")
            },
        ),
        (
            Refusal::DatasetInvalid,
            NewDataset {
                columns: Vec::new(),
                ..dataset("books/a@1.0.0")
            },
        ),
        (
            Refusal::DatasetInvalid,
            NewDataset {
                uses: [].into(),
                ..dataset("books/a@1.0.0")
            },
        ),
        (
            Refusal::AddressReserved,
            NewDataset {
                provider: parsed("protocol"),
                ..dataset("books/a@1.0.0")
            },
        ),
        (
            Refusal::TooLong,
            NewDataset {
                licence: "x".repeat(501),
                ..dataset("books/a@1.0.0")
            },
        ),
    ] {
        assert_eq!(world.apply(Command::PublishDataset(new)), Err(refusal));
    }
}

#[test]
fn a_selector_means_the_highest_version_that_serves() {
    let mut world = World::with_dataset(1_000);
    world.ok(Command::PublishDataset(dataset("books/faq@1.2.0")));
    world.ok(Command::PublishDataset(dataset("books/faq@2.0.0")));
    let meant = |world: &World, selector| {
        let known = world.network.resolve_dataset(&parsed(selector));
        known.map(|known| known.published.reference.to_string())
    };
    for (selector, version) in [
        ("books/faq", "2.0.0"),
        ("books/faq@1", "1.2.0"),
        ("books/faq@1.0", "1.0.0"),
        ("books/faq@1.0.0", "1.0.0"),
    ] {
        assert_eq!(
            meant(&world, selector),
            Some(format!("books/faq@{version}"))
        );
    }
    world.ok(Command::WithdrawDataset(WithdrawDataset {
        reference: parsed("books/faq@2.0.0"),
        by: parsed("org:books"),
        reason: "".to_string(),
    }));
    assert_eq!(
        meant(&world, "books/faq").as_deref(),
        Some("books/faq@1.2.0")
    );
    assert_eq!(
        meant(&world, "books/faq@2").as_deref(),
        Some("books/faq@2.0.0")
    );
    assert_eq!(meant(&world, "books/faq@3"), None);
}

#[test]
fn rows_of_a_prompt_are_held_with_it_and_paid_with_it() {
    let mut world = World::with_dataset(100_000_000);
    world.ok(Command::PublishDataset(NewDataset {
        provider: parsed("user:eve"),
        ..dataset("books/more@1.0.0")
    }));
    let reads = vec![
        wanted(FAQ, &[1, 2, 3], 3),
        wanted("books/more@1.0.0", &[7], 0),
    ];
    let (first, second) = (3 * ROW + 3 * HIT, ROW);
    let held = covered(world.open_reading(1, reads).unwrap()).1;
    assert_eq!(held, price(100, 10) + first + second);
    let total = price(100, 5) + first + second;
    let closed = world.close(1, used(100, 5), Outcome::Stop);
    assert_eq!(closed, Ok(Reply::Charged(amount(total))));
    let receipt = world.network.receipt(CallId(1)).unwrap();
    let earned: Vec<_> = receipt
        .call
        .reads
        .iter()
        .map(|read| read.earned.nano())
        .collect();
    // 5 % of the model's charge in proportion to the fees, the larger remainder to the second, and
    // 94 % of the fees.
    let data = price(100, 5) * 5 / 100;
    assert_eq!(
        earned.iter().sum::<u128>(),
        data + (first + second) * 94 / 100
    );
    assert_eq!(
        earned[1],
        (data * second).div_ceil(first + second) + second * 94 / 100
    );
    assert_eq!(receipt.split.data.nano(), earned.iter().sum::<u128>());
    assert_eq!(world.balance("provider:books"), earned[0]);
    assert_eq!(world.balance("user:eve"), earned[1]);
    let days = Day::of(receipt.closed_at)..=Day::of(receipt.closed_at);
    let books = parsed("provider:books");
    let mut earnings = world.network.earnings(&books, days);
    let (key, sum) = earnings.next().unwrap();
    assert_eq!(key.dataset, parsed(FAQ));
    assert_eq!(
        (sum.reads, sum.rows, sum.fees, sum.earned),
        (1, 3, amount(first), amount(earned[0]))
    );
}

#[test]
fn rows_are_paid_when_their_prompt_is_computed_and_a_controllers_at_once() {
    let fee = 2 * ROW;
    for (computed, outcome, prompt, controller) in [
        (true, Outcome::Stop, true, true),
        (true, Outcome::Cancelled, true, true),
        (false, Outcome::EngineFault, false, true),
    ] {
        let mut world = World::with_dataset(100_000_000);
        world
            .open_reading(1, vec![wanted(FAQ, &[1, 2], 0)])
            .unwrap();
        world.read_within(1, wanted(FAQ, &[5, 6], 0)).unwrap();
        let usage = if computed {
            used(100, 1)
        } else {
            Usage::default()
        };
        let model = if computed { price(100, 1) } else { 0 };
        let due = u128::from(prompt) * fee + u128::from(controller) * fee;
        let closed = world.close(1, usage, outcome);
        assert_eq!(
            closed,
            Ok(Reply::Charged(amount(model + due))),
            "{outcome:?}"
        );
    }
    // Holds that timed out pay for nothing.
    let mut world = World::with_dataset(100_000_000);
    world
        .open_reading(1, vec![wanted(FAQ, &[1, 2], 0)])
        .unwrap();
    world.seconds += 7 * 3_600;
    let closed = world.close(1, used(100, 1), Outcome::Stop);
    assert_eq!(closed, Ok(Reply::Charged(Amount::ZERO)));
    assert_eq!(world.balance("provider:books"), 0);
}

#[test]
fn a_controllers_read_is_held_or_refused_as_a_whole() {
    let funds = price(100, 10) + 3 * ROW;
    let mut world = World::with_dataset(funds);
    world.open_reading(1, Vec::new()).unwrap();
    let rows = |rows: &[u64]| wanted(FAQ, rows, 0);
    let (tokens, held) = covered(world.read_within(1, rows(&[1, 2])).unwrap());
    assert_eq!((tokens, held), (10, price(100, 10) + 2 * ROW));
    let refused = world.read_within(1, rows(&[3, 4])).unwrap_err();
    // Its own hold is what it is short of.
    assert_eq!(refused.code(), "in_flight_budget_exhausted");
    assert_eq!(world.network.call(CallId(1)).unwrap().reads.len(), 1);
    world.read_within(1, rows(&[3])).unwrap();
    assert_eq!(world.balance("user:ada"), 0);
    // A version that was withdrawn meanwhile serves no more; what was read stays paid.
    world.ok(Command::WithdrawDataset(WithdrawDataset {
        reference: parsed(FAQ),
        by: parsed("org:books"),
        reason: "".to_string(),
    }));
    assert_eq!(
        world.read_within(1, rows(&[5])),
        Err(Refusal::DatasetWithdrawn)
    );
    let closed = world.close(1, used(100, 10), Outcome::Stop);
    assert_eq!(closed, Ok(Reply::Charged(amount(funds))));
    assert_eq!(world.read_within(1, rows(&[5])), Err(Refusal::CallClosed));
}

#[test]
fn a_bound_counts_what_was_read() {
    let mut world = World::with_dataset(100_000_000);
    let bound = price(100, 10) + 2 * ROW;
    let reads = |rows: &[u64]| vec![wanted(FAQ, rows, 0)];
    // One token and four rows would not fit.
    let small = opening(1, reads(&[1, 2, 3, 4]), Some(price(100, 1) + 3 * ROW));
    let refused = world.apply(Command::OpenCall(small)).unwrap_err();
    assert_eq!(refused.code(), "budget_too_small");
    world.ok(Command::OpenCall(opening(1, reads(&[1]), Some(bound))));
    world.read_within(1, wanted(FAQ, &[5], 0)).unwrap();
    let refused = world.read_within(1, wanted(FAQ, &[6], 0)).unwrap_err();
    assert_eq!(refused.code(), "budget_too_small");
    assert_eq!(
        world.extend(1, 100, used(100, 5)),
        Err(Refusal::CoverExhausted)
    );
    let read = ReadDataset {
        budget: Some(amount(ROW - 1)),
        ..reading(2, wanted(FAQ, &[1], 0))
    };
    let refused = world.apply(Command::ReadDataset(read)).unwrap_err();
    assert_eq!(refused.code(), "budget_too_small");
}

#[test]
fn budgets_and_margins_hold_for_reads_too() {
    let mut world = World::with_dataset(1_000_000);
    world.ok(Command::SetBudget(SetBudget {
        path: parsed("user:ada"),
        cap: Some(amount(5 * ROW)),
        period: Period::Total,
    }));
    world.read(1, &[1, 2, 3], 0).unwrap();
    let refused = world.read(2, &[1, 2, 3], 0).unwrap_err();
    assert_eq!(refused.code(), "budget_exhausted");
    let cap = Cap {
        of: Capped::Path(parsed("user:ada")),
        window: Period::Total.window(Timestamp(0)),
    };
    assert_eq!(world.network.cap_state(&cap).spent, amount(3 * ROW));
    // Undone, it can be spent again; and everybody has given back what it was.
    world.ok(Command::ReverseCall(ReverseCall {
        id: TransferId(9),
        call: CallId(1),
        reason: RefundReason::Duplicate,
    }));
    assert_eq!(
        world.balance("provider:books") + world.balance("protocol"),
        0
    );
    world.read(2, &[1, 2, 3], 0).unwrap();

    world.ok(Command::GrantAllowance(GrantAllowance {
        user: parsed("user:eve"),
        app: parsed("user:ada"),
        cap: amount(1_000_000),
        period: Period::Total,
        margin: Ppm::new(100_000).unwrap(),
        expires_at: None,
    }));
    world.issue("user:eve", 1_000_000);
    let before = world.balance("user:ada");
    let billed = ReadDataset {
        bill_to: Some(parsed("user:eve")),
        ..reading(3, wanted(FAQ, &[1], 0))
    };
    // The cap is of user:ada's money, which is not spent.
    let charged = world.ok(Command::ReadDataset(billed));
    assert_eq!(charged, Reply::Charged(amount(ROW + ROW / 10)));
    assert_eq!(world.balance("user:ada"), before + ROW / 10);
}

#[test]
fn a_reversed_call_takes_back_from_whose_rows_it_read() {
    let mut world = World::with_dataset(100_000_000);
    world
        .open_reading(1, vec![wanted(FAQ, &[1, 2], 0)])
        .unwrap();
    world.close(1, used(100, 5), Outcome::Stop).unwrap();
    let earned = world.balance("provider:books");
    let reverse = || {
        Command::ReverseCall(ReverseCall {
            id: TransferId(9),
            call: CallId(1),
            reason: RefundReason::Fraud,
        })
    };
    world.ok(Command::Pay(crate::Pay {
        id: TransferId(10),
        from: parsed("provider:books"),
        to: parsed("user:eve"),
        amount: amount(1),
    }));
    assert_eq!(world.apply(reverse()).unwrap_err().code(), "payee_short");
    world.issue("provider:books", 1);
    world.ok(reverse());
    assert_eq!(world.balance("provider:books"), 0);
    assert_eq!(world.balance("user:ada"), 100_000_000);
    let day = Day::of(world.network.receipt(CallId(1)).unwrap().closed_at);
    let books = parsed("provider:books");
    let mut earnings = world.network.earnings(&books, day..=day);
    assert_eq!(earnings.next().unwrap().1.given_back, amount(earned));
}

#[test]
fn a_refund_of_a_read_is_the_treasurys() {
    let mut world = World::with_dataset(1_000_000);
    world.read(1, &[1], 0).unwrap();
    world.ok(Command::Issue(Issue {
        id: TransferId(77),
        to: parsed("treasury"),
        amount: amount(ROW),
    }));
    let refund = |id, nano| {
        Command::RefundCall(RefundCall {
            id: TransferId(id),
            call: CallId(1),
            amount: amount(nano),
            reason: RefundReason::Goodwill,
        })
    };
    world.ok(refund(1, 500));
    let refused = world.apply(refund(2, ROW)).unwrap_err();
    assert_eq!(refused.code(), "refund_too_large");
    assert_eq!(world.balance("user:ada"), 1_000_000 - ROW + 500);
}

#[derive(Clone, Debug)]
enum Act {
    Read { id: u128, rows: u64, hits: u64 },
    Open { call: u128, rows: Vec<u64> },
    Within { call: u128, rows: u64 },
    Close { call: u128, tokens: u64 },
    Reverse { call: u128 },
    Price { row: u128, hit: u128 },
    Wait { seconds: u64 },
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    let call = 1..6_u128;
    prop_oneof![
        (call.clone(), 0..9_u64, 0..4_u64).prop_map(|(id, rows, hits)| Act::Read {
            id,
            rows,
            hits
        }),
        (call.clone(), prop::collection::vec(0..9_u64, 0..4))
            .prop_map(|(call, rows)| Act::Open { call, rows }),
        (call.clone(), 0..9_u64).prop_map(|(call, rows)| Act::Within { call, rows }),
        (call.clone(), 0..12_u64).prop_map(|(call, tokens)| Act::Close { call, tokens }),
        call.prop_map(|call| Act::Reverse { call }),
        (0..5_000_u128, 0..3_000_u128).prop_map(|(row, hit)| Act::Price { row, hit }),
        (1..30_000_u64).prop_map(|seconds| Act::Wait { seconds }),
        Just(Act::Settle),
    ]
}

proptest! {
    /// Whatever is read, and whatever becomes of the calls that read: after every command all
    /// money is accounted for, nobody is paid what nobody was charged, and in the end nothing is
    /// held (`World::check`).
    #[test]
    fn what_readers_pay_is_what_is_paid_out(funds in 10_000..200_000_u128, acts in prop::collection::vec(act(), 1..40)) {
        let mut world = World::with_dataset(funds);
        let rows = |count| Wanted { rows: Rows::range(0, count), ..wanted(FAQ, &[], 0) };
        for act in acts {
            let _ = match act {
                Act::Read { id, rows: count, hits } => {
                    let wanted = Wanted { hits, ..rows(count) };
                    world.apply(Command::ReadDataset(reading(id, wanted)))
                }
                Act::Open { call, rows: counts } => world.open_reading(call, counts.into_iter().map(rows).collect()),
                Act::Within { call, rows: count } => world.read_within(call, rows(count)),
                Act::Close { call, tokens } => world.close(call, if tokens > 10 { Usage::default() } else { used(100, tokens) }, Outcome::Stop),
                Act::Reverse { call } => world.apply(Command::ReverseCall(ReverseCall { id: TransferId(call), call: CallId(call), reason: RefundReason::Other })),
                Act::Price { row, hit } => world.apply(Command::PriceDataset(PriceDataset {
                    reference: parsed(FAQ), by: parsed("org:books"),
                    price: DatasetPrice { row: amount(row), hit: amount(hit), download: Amount::ZERO },
                })),
                Act::Settle => world.apply(Command::CloseEpoch(CloseEpoch { epoch: world.network.epoch().number, ..CloseEpoch::default() })),
                Act::Wait { seconds } => { world.seconds += seconds; Ok(Reply::Done) }
            };
        }
        let open: Vec<_> = world.network.calls().map(|(id, call)| (id.0, call.used)).collect();
        for (call, used) in open {
            prop_assert!(world.close(call, used, Outcome::Recovered).is_ok());
        }
        for account in world.network.ledger().accounts() {
            prop_assert!(account.debits_pending.is_zero() && account.credits_pending.is_zero());
        }
        let earned: u128 = world.network.receipts().filter(|(_, receipt)| receipt.reversal.is_none())
            .flat_map(|(_, receipt)| receipt.call.reads.clone()).map(|read| read.earned.nano()).sum();
        let direct: u128 = world.network.read_receipts().filter(|(_, read)| read.reversal.is_none())
            .map(|(_, receipt)| receipt.read.earned.nano()).sum();
        prop_assert_eq!(world.balance("provider:books"), earned + direct);
        let sums = (0..=world.network.epoch().number.0).map(|epoch| world.network.reads_in(Epoch(epoch)));
        let fees: u128 = sums.map(|sums| sums.fees.nano()).sum();
        let of_calls = world.network.receipts().flat_map(|(_, receipt)| receipt.call.reads.clone());
        let paid = of_calls.chain(world.network.read_receipts().map(|(_, read)| read.read.clone()));
        prop_assert_eq!(fees, paid.map(|read| read.fee.nano()).sum::<u128>());
    }
}
