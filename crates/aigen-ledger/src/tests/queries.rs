//! Queries: as rows of a table (see [`super::table`]), and against a naive filter.

use super::commands::commands;
use super::properties::run;
use super::table::number;
use crate::{
    Account, AccountFilter, AccountFilterFlags as A, Ledger, QueryFilter, QueryFilterFlags as Q,
    Transfer,
};
use aigen_types::{AccountId, Timestamp};
use proptest::{prelude::*, sample::select};
use std::vec::Vec;

/// `of A1 FILTER -> T1 T2`, `accounts FILTER -> A1`, `transfers FILTER -> T1`; in a filter, words
/// are flags, `min` and `max` are nanoseconds and the limit is 99 unless given.
pub fn check_row(ledger: &Ledger, words: &[&str], place: &str) {
    let arrow = words.iter().position(|word| *word == "->").expect(place);
    let expected: Vec<_> = words[arrow + 1..].iter().map(|id| number(id)).collect();
    let found: Vec<u128> = match &words[..arrow] {
        ["of", id, words @ ..] => {
            let filter = account_filter(AccountId(number(id)), words);
            let found = ledger.account_transfers(&filter);
            found.map(|transfer| transfer.id.0).collect()
        }
        ["accounts", words @ ..] => {
            let found = ledger.query_accounts(&query_filter(words));
            found.map(|account| account.id.0).collect()
        }
        [_, words @ ..] => {
            let found = ledger.query_transfers(&query_filter(words));
            found.map(|transfer| transfer.id.0).collect()
        }
        [] => unreachable!("a row has a first word"),
    };
    assert_eq!(found, expected, "{place}");
}

fn account_filter(account_id: AccountId, words: &[&str]) -> AccountFilter {
    let names = words.iter().copied().filter(|word| !word.contains('='));
    let rest: Vec<_> = words
        .iter()
        .copied()
        .filter(|word| word.contains('='))
        .collect();
    let query = query_filter(&rest);
    AccountFilter {
        account_id,
        user_data_128: query.user_data_128,
        user_data_64: query.user_data_64,
        user_data_32: query.user_data_32,
        code: query.code,
        timestamp_min: query.timestamp_min,
        timestamp_max: query.timestamp_max,
        limit: query.limit,
        flags: A::from_names(names).unwrap(),
    }
}

fn query_filter(words: &[&str]) -> QueryFilter {
    let names = words.iter().copied().filter(|word| !word.contains('='));
    let mut filter = QueryFilter {
        limit: 99,
        flags: Q::from_names(names).unwrap(),
        ..QueryFilter::default()
    };
    for (field, value) in words.iter().filter_map(|word| word.split_once('=')) {
        let value = number(value);
        match field {
            "u128" => filter.user_data_128 = value,
            "u64" => filter.user_data_64 = value as u64,
            "u32" => filter.user_data_32 = value as u32,
            "ledger" => filter.ledger = value as u32,
            "code" => filter.code = value as u16,
            "min" => filter.timestamp_min = Timestamp(value as u64),
            "max" => filter.timestamp_max = Timestamp(value as u64),
            "limit" => filter.limit = value as u32,
            _ => panic!("not a field of a filter: {field}"),
        }
    }
    filter
}

fn filters() -> impl Strategy<Value = QueryFilter> {
    let times = select(std::vec![0, 0, 1, 1_000_000_000, 2_000_000_000, u64::MAX]);
    (
        (0..2_u64, 0..3_u32, 0..3_u16, any::<bool>()),
        (times.clone(), times),
        select(std::vec![0_u32, 1, 3, u32::MAX]),
    )
        .prop_map(
            |((user_data_64, ledger, code, is_reversed), (min, max), limit)| QueryFilter {
                user_data_64,
                ledger,
                code,
                timestamp_min: Timestamp(min),
                timestamp_max: Timestamp(max),
                limit,
                flags: if is_reversed { Q::REVERSED } else { Q::NONE },
                ..QueryFilter::default()
            },
        )
}

/// All rows that `wanted` accepts, in order or reversed, and as many as the limit allows.
fn naive<T: Copy>(
    rows: impl Iterator<Item = T>,
    filter: &QueryFilter,
    wanted: impl Fn(&T) -> bool,
) -> Vec<T> {
    let mut rows: Vec<T> = rows.collect();
    rows.retain(wanted);
    if filter.flags == Q::REVERSED {
        rows.reverse();
    }
    rows.truncate(filter.limit as usize);
    rows
}

fn is_in_time(filter: &QueryFilter, at: Timestamp) -> bool {
    at >= filter.timestamp_min && (filter.timestamp_max.0 == 0 || at <= filter.timestamp_max)
}

fn is_wanted(filter: &QueryFilter, transfer: &Transfer) -> bool {
    [0, transfer.user_data_64].contains(&filter.user_data_64)
        && [0, transfer.code].contains(&filter.code)
        && is_in_time(filter, transfer.timestamp)
}

proptest! {
    #[test]
    fn queries_find_what_a_naive_filter_finds(commands in commands(), filter in filters()) {
        let ledger = run(&commands);
        let found: Vec<Transfer> = ledger.query_transfers(&filter).collect();
        let expected = naive(ledger.transfers(), &filter, |transfer| {
            is_wanted(&filter, transfer) && [0, transfer.ledger].contains(&filter.ledger)
        });
        prop_assert_eq!(found, expected);
        let found: Vec<Account> = ledger.query_accounts(&filter).copied().collect();
        let expected = naive(ledger.accounts().copied(), &filter, |account| {
            [0, account.ledger].contains(&filter.ledger)
                && [0, account.code].contains(&filter.code)
                && filter.user_data_64 == 0
                && is_in_time(&filter, account.timestamp)
        });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn an_account_finds_its_own(
        commands in commands(),
        query in filters(),
        id in 0..8_u128,
        (debits, credits) in any::<(bool, bool)>(),
    ) {
        let ledger = run(&commands);
        let account_id = AccountId(id);
        let mut flags = if query.flags == Q::REVERSED { A::REVERSED } else { A::NONE };
        if debits { flags = flags | A::DEBITS; }
        if credits { flags = flags | A::CREDITS; }
        let filter = AccountFilter {
            account_id,
            user_data_64: query.user_data_64,
            code: query.code,
            timestamp_min: query.timestamp_min,
            timestamp_max: query.timestamp_max,
            limit: query.limit,
            flags,
            ..AccountFilter::default()
        };
        let found: Vec<Transfer> = ledger.account_transfers(&filter).collect();
        let expected = naive(ledger.transfers(), &query, |transfer| {
            is_wanted(&query, transfer)
                && ((debits && transfer.debit_account_id == account_id)
                    || (credits && transfer.credit_account_id == account_id))
        });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn an_index_key_changes_no_answer(commands in commands(), key: u128) {
        let mut keyed = Ledger::new().with_index_key(key);
        let mut plain = Ledger::new();
        for command in &commands {
            let answers = super::properties::apply(&mut plain, command);
            prop_assert_eq!(super::properties::apply(&mut keyed, command), answers);
        }
        prop_assert_eq!(keyed.check(), Ok(()));
        prop_assert_eq!(&keyed, &plain);
        prop_assert_eq!(plain.clone().with_index_key(key).check(), Ok(()));
        prop_assert_eq!(plain.with_index_key(key), keyed);
    }
}
