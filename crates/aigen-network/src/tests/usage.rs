//! What the usage index says, in rows.

use super::datasets::{FAQ, wanted};
use super::shelves::FORM;
use super::{World, parsed, used};
use crate::{CloseEpoch, Command, Outcome, RefundCall, RefundReason, ReverseCall};
use aigen_types::{Amount, CallId, Day, Epoch, TransferId};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

const SECONDS_PER_DAY: u64 = 86_400;

impl World {
    fn call(&mut self, call: u128, controller: Option<aigen_types::Digest>) {
        self.open(call, 100, 256, controller).unwrap();
        self.close(call, used(100, 40), Outcome::Stop).unwrap();
    }

    fn refund(&mut self, call: u128, nano: u128) {
        self.ok(Command::RefundCall(RefundCall {
            id: TransferId(call << 32),
            call: CallId(call),
            amount: Amount::from_nano(nano),
            reason: RefundReason::Goodwill,
        }));
    }

    /// One line per sum: day, steered or not, calls, sampled tokens, charged and given back.
    fn lines(&self, days: core::ops::RangeInclusive<u64>) -> Vec<String> {
        let days = Day(*days.start())..=Day(*days.end());
        let ada = parsed("user:ada");
        let sums = self.network.usage(&ada, days);
        sums.map(|(key, sum)| {
            format!(
                "{} {} {} {} {} {}",
                key.day,
                if key.controller.is_some() {
                    "steered"
                } else {
                    "free"
                },
                sum.calls,
                sum.tokens.sampled_tokens,
                sum.charged.nano(),
                sum.given_back.nano()
            )
        })
        .collect()
    }
}

/// A call costs 1,000 and 100 × 20 and 40 × 60: 5,400.
#[test]
fn calls_are_summed_by_day_and_what_steered_them() {
    let mut world = World::new(1_000_000);
    let quiz = world.controller("ada/quiz@1.0.0");
    world.call(1, None);
    world.call(2, None);
    world.call(3, Some(quiz));
    world.seconds = SECONDS_PER_DAY;
    world.call(4, None);
    let days = [
        "1970-01-01 free 2 80 10800 0",
        "1970-01-01 steered 1 40 5400 0",
    ];
    assert_eq!(world.lines(0..=0), days);
    assert_eq!(world.lines(1..=9), ["1970-01-02 free 1 40 5400 0"]);
    assert_eq!(world.lines(0..=9).len(), 3);
    let payers: Vec<_> = world
        .network
        .payers()
        .map(|payer| format!("{payer}"))
        .collect();
    assert_eq!(payers, ["user:ada"]);
}

#[test]
fn what_is_given_back_counts_where_the_call_counted() {
    let mut world = World::new(1_000_000);
    world.issue("treasury", 10_000);
    (1..=3).for_each(|call| world.call(call, None));
    world.seconds = SECONDS_PER_DAY;
    world.refund(1, 400);
    world.refund(2, 5_400);
    assert_eq!(world.lines(0..=9), ["1970-01-01 free 3 120 16200 5800"]);
    world.ok(Command::ReverseCall(ReverseCall {
        id: TransferId(9),
        call: CallId(3),
        reason: RefundReason::Duplicate,
    }));
    assert_eq!(world.lines(0..=9), ["1970-01-01 free 3 120 16200 11200"]);
}

/// Each at each moment: what ended since is not among them, and what was given back since neither.
#[test]
fn receipts_of_a_moment_stay_as_they_were() {
    let mut world = World::new(1_000_000);
    world.issue("treasury", 100_000);
    let mut moments = Vec::new();
    let corrected = [0, 0, 1, 2, 0, 5, 0, 3, 8, 0];
    for (call, corrected) in (1..).zip(corrected) {
        world.call(call, None);
        if corrected > 0 {
            world.refund(corrected, 400 + call);
        }
        for network in [&world.network, &world.plain] {
            let then: Vec<_> = network.receipts_in_order().collect();
            moments.push((network.receipts_so_far(), then));
        }
    }
    for (so_far, then) in moments {
        assert_eq!(so_far.count(), then.len());
        let read = so_far.written(FORM.write);
        let read = read.map(|(id, bytes)| (id, Arc::new((FORM.read)(&bytes).unwrap())));
        assert_eq!(read.collect::<Vec<_>>(), then);
    }
}

/// Reads outside of calls: the day, the dataset, how many, rows, charged and given back.
fn readings(world: &World) -> Vec<String> {
    let (ada, days) = (parsed("user:ada"), Day(0)..=Day(9));
    let sums = world.network.readings(&ada, days);
    let line = |(key, sum): (&crate::ReadingKey, &crate::Reading)| {
        let (charged, back) = (sum.charged.nano(), sum.given_back.nano());
        format!(
            "{} {} {} {} {charged} {back}",
            key.day, key.dataset, sum.reads, sum.rows
        )
    };
    sums.map(line).collect()
}

/// Of an epoch: reads, rows, fees, the protocol's part and what was given back.
fn read_in(world: &World, epoch: u64) -> [u128; 5] {
    let sums = world.network.reads_in(Epoch(epoch));
    let amounts = [sums.fees, sums.protocol, sums.given_back].map(Amount::nano);
    let [fees, protocol, back] = amounts;
    [sums.reads.into(), sums.rows.into(), fees, protocol, back]
}

/// A row costs 2,000 and a hit 500, of which the protocol keeps 6 %; a call with one row more than 2,000.
#[test]
fn what_was_read_is_summed_by_day_and_by_epoch() {
    let mut world = World::with_dataset(1_000_000);
    world.issue("treasury", 10_000);
    assert_eq!(readings(&world), [""; 0]);
    world.read(1, &[1, 2], 2).unwrap();
    assert_eq!(
        world.network.payers().count(),
        1,
        "who only reads pays, too"
    );
    world.open_reading(2, vec![wanted(FAQ, &[5], 0)]).unwrap();
    world.close(2, used(100, 5), Outcome::Stop).unwrap();
    assert_eq!(read_in(&world, 0), [2, 3, 7_000, 420, 0]);
    world.ok(Command::CloseEpoch(CloseEpoch::default()));
    world.seconds = SECONDS_PER_DAY;
    world.read(3, &[9], 0).unwrap();
    assert_eq!(read_in(&world, 0), [2, 3, 7_000, 420, 0]);
    assert_eq!(read_in(&world, 1), [1, 1, 2_000, 120, 0]);
    world.refund(3, 700);
    world.ok(Command::ReverseCall(ReverseCall {
        id: TransferId(9),
        call: CallId(1),
        reason: RefundReason::Fraud,
    }));
    let lines = [
        "1970-01-01 books/faq@1.0.0 1 2 5000 5000",
        "1970-01-02 books/faq@1.0.0 1 1 2000 700",
    ];
    assert_eq!(readings(&world), lines);
    // A refund is the treasury's: of the fee nobody gave anything back.
    assert_eq!(read_in(&world, 0), [2, 3, 7_000, 420, 5_000]);
    assert_eq!(read_in(&world, 1), [1, 1, 2_000, 120, 0]);
    assert_eq!(world.network.check(), Ok(()));
}

#[test]
fn receipts_come_newest_first_from_anywhere() {
    let mut world = World::new(1_000_000);
    (1..=5).for_each(|call| world.call(call, None));
    let ids = |before: Option<u128>| -> Vec<u128> {
        let ada = parsed("user:ada");
        let receipts = world.network.receipts_of(&ada, before.map(CallId));
        receipts.map(|(id, _)| id.0).collect()
    };
    assert_eq!(ids(None), [5, 4, 3, 2, 1]);
    assert_eq!(ids(Some(3)), [2, 1]);
    assert_eq!(ids(Some(1)), [0; 0]);
    assert_eq!(ids(Some(77)), [0; 0], "no such receipt");
}

#[test]
fn receipts_are_found_by_the_controller_that_earns_from_them() {
    let mut world = World::new(1_000_000);
    let quiz = world.controller("ada/quiz@1.0.0");
    world.call(1, Some(quiz));
    world.call(2, None);
    world.call(3, Some(quiz));
    world.call(4, Some(quiz));
    let through = |world: &World, epoch: u64, before: Option<u128>| -> Vec<u128> {
        let network = &world.network;
        let receipts = network.receipts_through(Epoch(epoch), quiz, before.map(CallId));
        receipts.map(|(id, _)| id.0).collect()
    };
    assert_eq!(through(&world, 0, None), [4, 3, 1]);
    assert_eq!(through(&world, 0, Some(4)), [3, 1]);
    assert_eq!(through(&world, 1, None), [0; 0], "another epoch");
    world.ok(Command::ReverseCall(ReverseCall {
        id: TransferId(9),
        call: CallId(3),
        reason: RefundReason::Duplicate,
    }));
    assert_eq!(
        through(&world, 0, None),
        [4, 1],
        "what was undone earns nothing"
    );
    let everybody = world.network.newest_receipts(Some(CallId(4)));
    let everybody: Vec<_> = everybody.map(|(id, _)| id.0).collect();
    assert_eq!(everybody, [3, 2, 1]);
}

#[test]
fn an_index_that_says_something_else_is_found() {
    let mut world = World::new(1_000_000);
    world.call(1, None);
    let receipt = world.network.receipts.get(CallId(1)).unwrap();
    world
        .network
        .usage
        .give_back(&receipt, Amount::from_nano(1));
    assert_eq!(world.network.check(), Err(crate::Unsound::UsageIndex));
}
