//! A ledger that keeps its past on shelves is the same ledger: here three to five transfers are in memory.

use super::commands::commands;
use super::properties::{apply, run};
use crate::{AccountFilter, AccountFilterFlags, Ledger, Shelf};
use aigen_types::{AccountId, TransferId};
use proptest::prelude::*;
use std::boxed::Box;
use std::vec::Vec;

fn shelf() -> Box<dyn Shelf> {
    Box::new(Vec::new())
}

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
        for command in &more {
            prop_assert_eq!(apply(&mut shelved, command), apply(&mut plain, command));
        }
        assert_tells_the_same(&shelved, &plain);
        assert_tells_the_same(&shelved.clone(), &plain);
        prop_assert_eq!(shelved.with_index_key(7).check(), Ok(()));
    }
}
