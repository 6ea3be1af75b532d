//! A damaged snapshot is never taken for a ledger: each row harms one thing, and the law is named.

use crate::{
    AMOUNT_ALL, Account, AccountFlags, AccountRequest, Ledger, Transfer, TransferFlags,
    TransferRequest, Violation,
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use std::vec::Vec;

/// What a snapshot keeps.
struct Parts {
    now: Timestamp,
    accounts: Vec<Account>,
    transfers: Vec<Transfer>,
    burnt: Vec<TransferId>,
}

const NOW: Timestamp = Timestamp(5_000_000_000);

/// A1 pays A2: T1 plain, T2 a hold captured by T3, T4 a hold voided by T5, T6 live until second 8,
/// T7 expired, T8 live and closing A3; T9 burnt.
fn parts() -> Parts {
    let mut ledger = Ledger::new();
    let account = |id, flags| AccountRequest {
        id: AccountId(id),
        ledger: 1,
        code: 1,
        flags,
        ..AccountRequest::default()
    };
    let accounts = [
        account(1, AccountFlags::NONE),
        account(2, AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS),
        account(3, AccountFlags::NONE),
    ];
    assert_eq!(ledger.create_accounts(Timestamp(1), &accounts), [Ok(()); 3]);
    let transfer = |id, amount, flags| TransferRequest {
        id: TransferId(id),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount: Amount::from_nano(amount),
        ledger: 1,
        code: 1,
        flags,
        ..TransferRequest::default()
    };
    let hold = TransferFlags::PENDING;
    let end = |id, of, flags| TransferRequest {
        pending_id: TransferId(of),
        ..transfer(id, 0, flags)
    };
    let batch = [
        transfer(1, 10, TransferFlags::NONE),
        transfer(2, 20, hold),
        TransferRequest {
            amount: AMOUNT_ALL,
            ..end(3, 2, TransferFlags::POST_PENDING_TRANSFER)
        },
        transfer(4, 30, hold),
        end(5, 4, TransferFlags::VOID_PENDING_TRANSFER),
        TransferRequest {
            timeout: 7,
            ..transfer(6, 40, hold)
        },
        TransferRequest {
            timeout: 2,
            ..transfer(7, 50, hold)
        },
        TransferRequest {
            credit_account_id: AccountId(3),
            ..transfer(8, 60, hold | TransferFlags::CLOSING_CREDIT)
        },
    ];
    assert_eq!(
        ledger.create_transfers(Timestamp(1_000_000_000), &batch),
        [Ok(()); 8]
    );
    let lost = TransferRequest {
        debit_account_id: AccountId(9),
        ..transfer(9, 1, TransferFlags::NONE)
    };
    assert!(
        ledger
            .create_transfers(NOW, &[lost])
            .iter()
            .all(Result::is_err)
    );
    Parts {
        now: ledger.now(),
        accounts: ledger.accounts().copied().collect(),
        transfers: ledger.transfers().collect(),
        burnt: ledger.burnt().collect(),
    }
}

fn restore(parts: Parts) -> Result<Ledger, Violation> {
    Ledger::restore(parts.now, parts.accounts, parts.transfers, parts.burnt)
}

#[test]
fn harm_is_named() {
    use Violation as V;
    let nano = Amount::from_nano;
    let check = |violation: Violation, harm: fn(&mut Parts)| {
        let mut parts = parts();
        harm(&mut parts);
        assert_eq!(restore(parts), Err(violation), "{violation}");
    };
    assert!(restore(parts()).is_ok());
    assert_eq!(nano(10), parts().transfers[0].amount);
    check(V::AccountIdTaken(AccountId(2)), |parts| {
        parts.accounts.push(parts.accounts[1])
    });
    check(V::TransferIdTaken(TransferId(2)), |parts| {
        parts.transfers.push(parts.transfers[1])
    });
    check(V::TransferIdTaken(TransferId(1)), |parts| {
        parts.burnt.push(TransferId(1))
    });
    check(V::TransferIdTaken(TransferId(9)), |parts| {
        parts.burnt.push(TransferId(9))
    });
    check(V::OutOfOrder(TransferId(2)), |parts| {
        parts.transfers[1].timestamp = Timestamp(0)
    });
    check(V::OutOfOrder(TransferId(1)), |parts| {
        parts.now = Timestamp(0)
    });
    check(V::AccountsMissing(TransferId(8)), |parts| {
        parts.accounts.truncate(2)
    });
    check(V::AccountsMissing(TransferId(1)), |parts| {
        parts.transfers[0].ledger = 2
    });
    check(V::AmountAboveMax(TransferId(1)), |parts| {
        parts.transfers[0].amount = Amount::from_nano(1 << 63)
    });
    check(V::ResolvesWrongly(TransferId(3)), |parts| {
        parts.transfers[2].amount = Amount::from_nano(21)
    });
    check(V::ResolvesWrongly(TransferId(3)), |parts| {
        parts.transfers[2].pending_id = TransferId(1)
    });
    check(V::ResolvesWrongly(TransferId(3)), |parts| {
        parts.transfers[2].code = 2
    });
    check(V::ResolvesWrongly(TransferId(5)), |parts| {
        parts.transfers[4].amount = Amount::from_nano(29)
    });
    check(V::ResolvesWrongly(TransferId(5)), |parts| {
        parts.transfers[4].pending_id = TransferId(2)
    });
    check(V::ResolvesWrongly(TransferId(3)), |parts| {
        parts.transfers.swap(1, 2)
    });
    check(V::StatusDisagrees(TransferId(1)), |parts| {
        parts.transfers[0].timeout = 1
    });
    check(V::ExpiryDisagrees(TransferId(1)), |parts| {
        parts.transfers[0].timeout = 9
    });
    check(V::CountersDisagree(AccountId(1)), |parts| {
        parts.accounts[0].debits_posted = Amount::from_nano(31)
    });
    check(V::CountersDisagree(AccountId(1)), |parts| {
        parts.now = Timestamp(8_000_000_000)
    });
    check(V::CountersDisagree(AccountId(1)), |parts| {
        parts.transfers[6].timeout = 7
    });
    check(V::CountersDisagree(AccountId(1)), |parts| {
        parts.transfers.remove(0);
    });
    check(V::OpenDisagrees(AccountId(3)), |parts| {
        parts.accounts[2].flags = AccountFlags::NONE
    });
    check(V::BeyondLimit(AccountId(1)), |parts| {
        parts.accounts[0].flags = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
    });
}
