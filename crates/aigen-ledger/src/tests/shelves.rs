//! A ledger that keeps its past on shelves is the same ledger: here three to five transfers are in memory.

use super::commands::commands;
use super::properties::{apply, run};
use super::shelf;
use crate::{AccountFilter, AccountFilterFlags, Forwards, Ledger};
use aigen_types::{AccountId, TransferId};
use proptest::prelude::*;
use std::vec::Vec;

/// Every list and every look-up that there is.
fn assert_tells_the_same(shelved: &Ledger, plain: &Ledger) {
    assert_eq!(shelved, plain);
    assert!(shelved.transfers().eq(plain.transfers()));
    assert!(
        shelved
            .transfers_before(None)
            .eq(plain.transfers_before(None))
    );
    for transfer in plain.transfers() {
        let id = transfer.id;
        assert_eq!(shelved.transfer(id), Some(transfer));
        assert_eq!(shelved.pending(id), plain.pending(id));
        assert!(
            shelved
                .transfers_before(Some(id))
                .eq(plain.transfers_before(Some(id)))
        );
    }
    assert_eq!(shelved.transfer(TransferId(u128::MAX)), None);
    for account_id in (1..=7).map(AccountId) {
        let of = |ledger: &Ledger| -> Vec<_> {
            ledger.account_transfers_before(account_id, None).collect()
        };
        assert_eq!(of(shelved), of(plain));
        let filter = AccountFilter {
            account_id,
            limit: 5,
            flags: AccountFilterFlags::DEBITS,
            ..AccountFilter::default()
        };
        assert!(
            shelved
                .account_transfers(&filter)
                .eq(plain.account_transfers(&filter))
        );
    }
}

proptest! {
    #[test]
    fn shelves_change_no_answer(commands in commands()) {
        let mut shelved = Ledger::new().on_shelves(shelf);
        let mut plain = Ledger::new();
        for command in &commands {
            prop_assert_eq!(apply(&mut shelved, command), apply(&mut plain, command));
            prop_assert_eq!(shelved.check(), Ok(()));
        }
        assert_tells_the_same(&shelved, &plain);
    }

    #[test]
    fn a_past_is_shelved_later_and_taken_back(commands in commands(), more in commands()) {
        let mut plain = run(&commands);
        let mut shelved = plain.clone().on_shelves(shelf);
        let were: Vec<_> = plain.transfers().collect();
        let so_far = [&shelved, &plain].map(Ledger::transfers_so_far);
        for command in &more {
            prop_assert_eq!(apply(&mut shelved, command), apply(&mut plain, command));
        }
        for so_far in so_far {
            prop_assert_eq!(so_far.count(), were.len());
            prop_assert!(so_far.iter().eq(were.iter().copied()));
        }
        assert_tells_the_same(&shelved, &plain);
        assert_tells_the_same(&shelved.clone(), &plain);
        prop_assert_eq!(shelved.with_index_key(7).check(), Ok(()));
    }
}

/// Rows of every length, across the parts that are read at once.
#[test]
fn a_shelf_is_read_forwards_row_by_row() {
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let shelf = shelf();
    shelf.write(0, &bytes);
    shelf.write(200_000, &[7; 100]);
    for row in [1, 144, 1_000, 65_536, 65_537, 150_000, 200_000] {
        let mut forwards = Forwards::until(shelf.clone(), 200_000);
        for expected in bytes.chunks_exact(row) {
            assert_eq!(forwards.take(row), Some(expected), "{row}");
        }
        assert_eq!(forwards.take(bytes.len() % row + 1), None, "{row}");
        assert_eq!(forwards.take(0), Some([].as_slice()));
    }
}
