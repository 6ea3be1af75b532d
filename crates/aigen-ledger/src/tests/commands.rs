//! Random streams of commands over few ids, so that most requests meet something. The command line's
//! tests use them too, which is why only the crate's public names appear here.

use crate::{AccountFlags, AccountRequest, TransferFlags, TransferRequest};
use aigen_types::{AccountId, Amount, TransferId};
use proptest::{collection::vec, prelude::*, sample::select};
use std::vec::Vec;

/// In the nanoseconds of ledger time.
pub const SECOND: u64 = 1_000_000_000;

/// A step of a stream.
#[derive(Clone, Debug)]
pub enum Command {
    Accounts(Vec<AccountRequest>),
    Transfers(Vec<TransferRequest>),
    /// Ledger time moves on by so many seconds.
    Tick(u64),
}

fn accounts() -> impl Strategy<Value = AccountRequest> {
    let flags = select(std::vec![
        AccountFlags::NONE,
        AccountFlags::NONE,
        AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
        AccountFlags::CLOSED,
        AccountFlags::LINKED,
        AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
    ]);
    let ids = prop_oneof![20 => 1..=7_u128, 1 => Just(0), 1 => Just(u128::MAX)];
    let ledgers = prop_oneof![20 => Just(1_u32), 1 => Just(0), 2 => Just(2)];
    (
        ids,
        ledgers,
        flags,
        prop_oneof![3 => Just(0_u128), 1 => 0..20_u128],
    )
        .prop_map(|(id, ledger, flags, limit)| AccountRequest {
            id: AccountId(id),
            ledger,
            code: 1,
            flags,
            limit: Amount::from_nano(limit),
            ..AccountRequest::default()
        })
}

/// Mostly sound requests: a kind, small variations, and now and then a field from anywhere.
pub fn transfers() -> impl Strategy<Value = TransferRequest> {
    use TransferFlags as F;
    let kinds = select(std::vec![
        F::NONE,
        F::NONE,
        F::PENDING,
        F::PENDING,
        F::POST_PENDING_TRANSFER,
        F::POST_PENDING_TRANSFER,
        F::VOID_PENDING_TRANSFER,
        F::BALANCING_DEBIT,
        F::BALANCING_CREDIT | F::PENDING,
        F::BALANCING_DEBIT | F::BALANCING_CREDIT,
        F::PENDING | F::CLOSING_DEBIT,
        F::PENDING | F::CLOSING_CREDIT,
        F::CLOSING_DEBIT,
        F::POST_PENDING_TRANSFER | F::VOID_PENDING_TRANSFER,
    ]);
    let amounts = prop_oneof![
        20 => 0..15_u128,
        2 => Just(u128::MAX),
        1 => (0..40_u128).prop_map(|less| u128::MAX - less),
        1 => Just(1 << 63),
    ];
    let odd = prop_oneof![30 => Just(None), 1 => (0..6_usize, 0..3_u32).prop_map(Some)];
    (
        1..=40_u128,
        1..=7_u128,
        1..=7_u128,
        amounts,
        1..=40_u128,
        kinds,
        any::<(bool, bool)>(),
        0..4_u32,
        odd,
    )
        .prop_map(
            |(id, debit, credit, amount, of, kind, (is_linked, is_open), timeout, odd)| {
                let ends_hold =
                    kind.intersects(F::POST_PENDING_TRANSFER | F::VOID_PENDING_TRANSFER);
                let given = u32::from(!(ends_hold && is_open));
                let mut request = TransferRequest {
                    id: TransferId(id),
                    debit_account_id: AccountId(debit * u128::from(!ends_hold)),
                    credit_account_id: AccountId(credit * u128::from(!ends_hold)),
                    amount: Amount::from_nano(amount),
                    pending_id: TransferId(of * u128::from(ends_hold)),
                    timeout: if kind.contains(F::PENDING) {
                        timeout
                    } else {
                        0
                    },
                    ledger: given,
                    code: given as u16,
                    flags: if is_linked && is_open {
                        kind | F::LINKED
                    } else {
                        kind
                    },
                    user_data_64: u64::from(timeout == 3),
                    ..TransferRequest::default()
                };
                match odd {
                    Some((0, value)) => request.id = TransferId(u128::from(value).wrapping_sub(1)),
                    Some((1, value)) => request.ledger = value,
                    Some((2, value)) => request.code = value as u16,
                    Some((3, value)) => request.timeout = value,
                    Some((4, value)) => request.pending_id = TransferId(value.into()),
                    Some((5, value)) => request.debit_account_id = AccountId(value.into()),
                    _ => {}
                }
                request
            },
        )
}

pub fn commands() -> impl Strategy<Value = Vec<Command>> {
    // Something to work with, then anything.
    let bank = [
        (1, AccountFlags::NONE),
        (2, AccountFlags::NONE),
        (3, AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS),
    ];
    let bank = bank.map(|(id, flags)| AccountRequest {
        id: AccountId(id),
        ledger: 1,
        code: 1,
        flags,
        ..AccountRequest::default()
    });
    let command = prop_oneof![
        2 => vec(accounts(), 0..6).prop_map(Command::Accounts),
        8 => vec(transfers(), 0..12).prop_map(Command::Transfers),
        3 => (0..3_u64).prop_map(Command::Tick),
    ];
    vec(command, 0..24).prop_map(move |mut commands| {
        commands.insert(0, Command::Accounts(bank.to_vec()));
        commands
    })
}
