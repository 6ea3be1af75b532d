//! What ends while a call runs: what was begun with it is paid, and nothing more begins.

use super::calls::price;
use super::datasets::{FAQ, ROW, amount, dataset, opening, reading, wanted};
use super::{World, parsed, used};
use crate::{
    Command, DatasetUse, Grant, GrantAllowance, GrantDataset, NewDataset, OpenCall, Outcome,
    Period, PriceDataset, Refusal, Reply, RevokeAllowance, RevokeDataset, WithdrawDataset,
};
use aigen_economy::DatasetPrice;
use aigen_types::{CallId, Ppm};
use alloc::{string::ToString, vec, vec::Vec};

fn withdraw(world: &mut World) {
    world.ok(Command::WithdrawDataset(WithdrawDataset {
        reference: parsed(FAQ),
        by: parsed("org:books"),
        reason: "wrong".to_string(),
    }));
}

/// A prompt that has rows of a version that is withdrawn then is computed and paid; its controller gets
/// no further rows.
#[test]
fn a_withdrawn_version_is_paid_where_it_was_read() {
    let mut world = World::with_dataset(100_000_000);
    let reads = vec![wanted(FAQ, &[1, 2], 0)];
    world.open_reading(1, reads).unwrap();
    world.read_within(1, wanted(FAQ, &[5], 0)).unwrap();
    withdraw(&mut world);
    let more = world.read_within(1, wanted(FAQ, &[6], 0));
    assert_eq!(more, Err(Refusal::DatasetWithdrawn));
    let after = world.open_reading(2, vec![wanted(FAQ, &[1], 0)]);
    assert_eq!(after, Err(Refusal::DatasetWithdrawn));
    world.extend(1, 10, used(100, 10)).unwrap();
    world.close(1, used(100, 12), Outcome::Stop).unwrap();
    let receipt = world.network.receipt(CallId(1)).unwrap();
    let fees = receipt.call.reads.iter().map(|read| read.fee.nano());
    assert_eq!(fees.sum::<u128>(), 3 * ROW);
    assert!(world.balance("provider:books") > 0);
}

/// Page after page: the one that was paid is shown again, and the next one is refused.
#[test]
fn a_version_that_is_withdrawn_between_two_pages_ends_there() {
    let mut world = World::with_dataset(100_000_000);
    let page = |id, rows: &[u64]| Command::ReadDataset(reading(id, wanted(FAQ, rows, 0)));
    let paid = world.ok(page(1, &[0, 1]));
    withdraw(&mut world);
    assert_eq!(world.ok(page(1, &[0, 1])), paid, "asked for again");
    let next = world.apply(page(2, &[2, 3]));
    assert_eq!(next, Err(Refusal::DatasetWithdrawn));
    assert_eq!(paid, Reply::Charged(amount(2 * ROW)));
}

/// A price that rises while a call runs is that of what is read from then on.
#[test]
fn a_call_pays_the_prices_of_when_it_read() {
    let mut world = World::with_dataset(100_000_000);
    world.open_reading(1, vec![wanted(FAQ, &[1], 0)]).unwrap();
    world.ok(Command::PriceDataset(PriceDataset {
        reference: parsed(FAQ),
        by: parsed("org:books"),
        price: DatasetPrice {
            row: amount(3 * ROW),
            hit: amount(0),
            download: amount(0),
        },
    }));
    world.read_within(1, wanted(FAQ, &[5], 0)).unwrap();
    world.close(1, used(100, 1), Outcome::Stop).unwrap();
    let receipt = world.network.receipt(CallId(1)).unwrap();
    let fees = receipt.call.reads.iter().map(|read| read.fee.nano());
    assert_eq!(fees.collect::<Vec<_>>(), [ROW, 3 * ROW]);
}

/// A grant that is revoked while a call runs: what the call was given is paid, the rest refused.
#[test]
fn a_revoked_grant_gives_no_further_rows() {
    let mut world = World::new(100_000_000);
    world.ok(Command::PublishDataset(NewDataset {
        open: false,
        ..dataset(FAQ)
    }));
    world.ok(Command::GrantDataset(GrantDataset {
        dataset: parsed("books/faq"),
        by: parsed("org:books"),
        to: parsed("user:ada"),
        grant: Grant {
            columns: Vec::new(),
            uses: DatasetUse::ALL.into(),
            until: None,
        },
    }));
    world.open_reading(1, vec![wanted(FAQ, &[1], 0)]).unwrap();
    world.ok(Command::RevokeDataset(RevokeDataset {
        dataset: parsed("books/faq"),
        by: parsed("org:books"),
        to: parsed("user:ada"),
    }));
    let more = world.read_within(1, wanted(FAQ, &[2], 0));
    assert_eq!(more, Err(Refusal::DatasetNotGranted));
    world.close(1, used(100, 1), Outcome::Stop).unwrap();
    let receipt = world.network.receipt(CallId(1)).unwrap();
    assert_eq!(receipt.call.reads.len(), 1);
    assert_eq!(receipt.call.reads[0].fee, amount(ROW));
}

/// An allowance that is revoked while a call runs: what has been produced is charged to the user, and
/// neither tokens nor rows are held any more.
#[test]
fn a_revoked_allowance_pays_what_was_produced() {
    let mut world = World::with_dataset(100_000_000);
    world.issue("user:eve", 10_000_000);
    world.ok(Command::GrantAllowance(GrantAllowance {
        user: parsed("user:eve"),
        app: parsed("user:ada"),
        cap: amount(10_000_000),
        period: Period::Total,
        margin: Ppm::new(0).unwrap(),
        expires_at: None,
    }));
    let billed = OpenCall {
        bill_to: Some(parsed("user:eve")),
        ..opening(1, vec![wanted(FAQ, &[1], 0)], None)
    };
    world.ok(Command::OpenCall(billed));
    let before = world.balance("user:ada");
    world.ok(Command::RevokeAllowance(RevokeAllowance {
        user: parsed("user:eve"),
        app: parsed("user:ada"),
    }));
    let further = [
        world.extend(1, 10, used(100, 8)),
        world.read_within(1, wanted(FAQ, &[2], 0)),
    ];
    for refused in further {
        assert_eq!(refused, Err(Refusal::AllowanceEnded));
    }
    let due = price(100, 10) + ROW;
    let closed = world.close(1, used(100, 10), Outcome::Budget);
    assert_eq!(closed, Ok(Reply::Charged(amount(due))));
    assert_eq!(world.balance("user:eve"), 10_000_000 - due);
    assert_eq!(world.balance("user:ada"), before);
}
