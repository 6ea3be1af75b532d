//! The rules as tables (see [`table`] for their language), and the laws on random streams.

mod commands;
mod model;
mod page;
mod properties;
mod queries;
mod shelves;
mod snapshot;
mod table;

use crate::{
    Account, AccountFlags, AccountRefusal, AccountRequest, Shelf, TransferFlags, TransferRefusal,
};
use aigen_types::{Amount, Timestamp};
use alloc::sync::Arc;
use std::sync::Mutex;
use std::{string::String, vec::Vec};

const TABLES: &[(&str, &str)] = &[
    ("accounts", include_str!("tests/accounts.rows")),
    ("transfers", include_str!("tests/transfers.rows")),
    ("holds", include_str!("tests/holds.rows")),
    ("expiry", include_str!("tests/expiry.rows")),
    ("chains", include_str!("tests/chains.rows")),
    ("bounds", include_str!("tests/bounds.rows")),
    ("balancing", include_str!("tests/balancing.rows")),
    ("closing", include_str!("tests/closing.rows")),
    ("queries", include_str!("tests/queries.rows")),
];

#[test]
fn tables() {
    for (name, rows) in TABLES {
        table::check(name, rows);
    }
}

#[test]
fn every_refusal_has_a_row() {
    let rows: Vec<&str> = TABLES.iter().flat_map(|(_, rows)| rows.lines()).collect();
    let has_row = |command: &str, code: &str| {
        let answer = std::format!("-> {code}");
        rows.iter().any(|row| {
            row.starts_with(command)
                && row
                    .split(" #")
                    .next()
                    .unwrap()
                    .trim_end()
                    .ends_with(&answer)
        })
    };
    let accounts = AccountRefusal::ALL
        .iter()
        .map(|refusal| ("account", refusal.code()));
    let transfers = TransferRefusal::ALL
        .iter()
        .map(|refusal| ("transfer", refusal.code()));
    let bare: Vec<_> = accounts
        .chain(transfers)
        .filter(|(command, code)| !has_row(command, code))
        .collect();
    assert_eq!(bare, []);
}

#[test]
fn refusals_have_stable_codes_and_sentences() {
    for refusal in TransferRefusal::ALL {
        assert_eq!(refusal.code(), snake_case(&std::format!("{refusal:?}")));
        assert_eq!(TransferRefusal::from_code(refusal.code()), Some(*refusal));
        assert!(
            std::format!("{refusal}").contains([';', ',']),
            "{refusal:?} says what to do"
        );
    }
    for refusal in AccountRefusal::ALL {
        assert_eq!(refusal.code(), snake_case(&std::format!("{refusal:?}")));
        assert_eq!(AccountRefusal::from_code(refusal.code()), Some(*refusal));
        assert!(!refusal.transient());
    }
    let transient: Vec<_> = TransferRefusal::ALL
        .iter()
        .filter(|refusal| refusal.transient())
        .collect();
    assert_eq!(transient.len(), 7);
    assert_eq!(TransferRefusal::from_code("created"), None);
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    let mut previous = '_';
    for letter in camel.chars() {
        let starts_word =
            letter.is_ascii_uppercase() || (letter.is_ascii_digit() && !previous.is_ascii_digit());
        if starts_word && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        previous = letter;
    }
    snake
}

#[test]
fn flags_have_names_and_bits() {
    let flags = TransferFlags::LINKED | TransferFlags::CLOSING_CREDIT;
    assert_eq!(flags.bits(), 0b1000_0001);
    assert_eq!(TransferFlags::from_bits(0b1000_0001), Some(flags));
    assert_eq!(TransferFlags::from_bits(0b1_0000_0000), None);
    assert_eq!(
        flags.names().collect::<Vec<_>>(),
        ["linked", "closing_credit"]
    );
    assert_eq!(TransferFlags::from_names(flags.names()), Ok(flags));
    assert_eq!(std::format!("{flags:?}"), r#"{"linked", "closing_credit"}"#);
    // TigerBeetle's bits 3 and 4, history and imported, are not known here.
    assert_eq!(
        AccountFlags::from_bits(0b10_0111).map(|flags| flags.names().count()),
        Some(4)
    );
    assert_eq!(AccountFlags::from_bits(0b00_1000), None);
    let unknown = AccountFlags::from_names(["closed", "history"]).unwrap_err();
    assert_eq!(unknown.0, "history");
}

#[test]
fn available_and_balance() {
    let nano = Amount::from_nano;
    // Debits pending and posted, credits pending and posted, limit; available and balance.
    let rows = [
        ([0, 0, 0, 0, 0], 0, 0),
        ([1, 2, 50, 10, 0], 7, 8),
        ([1, 2, 0, 0, 10], 7, -2),
        ([5, 9, 0, 3, 0], 0, -6),
        ([0, 0, 0, 1, u128::MAX], u128::MAX, 1),
        ([0, u128::MAX, 0, 0, 0], 0, i128::MIN),
        ([0, 0, 0, u128::MAX, 0], u128::MAX, i128::MAX),
        ([0, 1 << 127, 0, 0, 0], 0, i128::MIN),
    ];
    for (counters, available, balance) in rows {
        let [
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
            limit,
        ] = counters.map(nano);
        let account = Account {
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
            limit,
            ..Account::open(&AccountRequest::default(), Timestamp(0))
        };
        assert_eq!(
            (account.available(), account.balance()),
            (nano(available), balance),
            "{counters:?}"
        );
    }
}

/// A shelf in memory.
#[derive(Debug, Default)]
struct Bytes(Mutex<Vec<u8>>);

impl Shelf for Bytes {
    fn read(&self, at: u64, into: &mut [u8]) {
        let at = at as usize;
        into.copy_from_slice(&self.0.lock().unwrap()[at..at + into.len()]);
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        let mut row = self.0.lock().unwrap();
        let end = at as usize + bytes.len();
        let longer = row.len().max(end);
        row.resize(longer, 0);
        row[at as usize..end].copy_from_slice(bytes);
    }
}

pub fn shelf() -> Arc<dyn Shelf> {
    Arc::new(Bytes::default())
}
