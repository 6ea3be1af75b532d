//! A table is commands, one a row, applied in order to an empty ledger at time zero:
//!
//! ```text
//! account  A1 [flag ...] [ledger=1] [code=1] [limit=0] [u128=0] [u64=0] [u32=0] …    -> answer
//! transfer T1 A1 A2 10 [flag ...] [of=T0] [timeout=0] [ledger=1] [code=1] [u128=0] … -> answer
//! setup    A1 1 2 3 4               # debits pending and posted, credits pending and posted
//! tick     5                        -> T1 T2   (seconds; the holds that expire)
//! balance  A1 0 10 0 0 [closed]     # debits pending and posted, credits pending and posted
//! moved    T1 10                    # the effective amount; `none` if there is no such transfer
//! pending  T1 posted                # what became of a hold
//! of A1    [flag ...] [limit=9] … -> T1 T2   (its transfers; see `queries`)
//! accounts [flag ...] [limit=9] … -> A1 A2
//! transfers [flag ...] [limit=9] … -> T1 T2
//! ```
//!
//! Rows of one kind in a row are one batch; a blank line ends it. An answer is `created` or a
//! refusal's code. Numbers: `A7` and `T7` are 7, `max` is 2^128 - 1, `max-9` is 9 less. In a capture
//! or void `_` stands for zero and ledger and code default to zero. After every batch the ledger is
//! checked.

use super::queries;
use crate::{AccountFlags, AccountRequest, Ledger, PendingStatus, TransferFlags, TransferRequest};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use std::{
    string::{String, ToString},
    vec::Vec,
};

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// The other side of `setup`: an account without bounds.
const WORLD: AccountId = AccountId(999);

pub fn check(name: &str, rows: &str) {
    let mut run = Run::default();
    for (number, row) in rows.lines().enumerate() {
        run.place = std::format!("{name}, row {}: {row}", number + 1);
        let row = row.split('#').next().unwrap().trim();
        let words: Vec<&str> = row.split_whitespace().collect();
        run.row(&words);
    }
    run.end_batch();
}

#[derive(Default)]
struct Run {
    ledger: Ledger,
    accounts: Vec<(AccountRequest, String, String)>,
    transfers: Vec<(TransferRequest, String, String)>,
    setups: u128,
    place: String,
}

impl Run {
    fn row(&mut self, words: &[&str]) {
        let command = words.first().copied().unwrap_or_default();
        let goes_on = match command {
            "account" => self.transfers.is_empty(),
            "transfer" => self.accounts.is_empty(),
            _ => false,
        };
        if !goes_on {
            self.end_batch();
        }
        match words {
            [] => {}
            // A heading of the table: `== text`.
            ["==", ..] => {
                *self = Self {
                    place: self.place.clone(),
                    ..Self::default()
                }
            }
            ["account", id, rest @ .., "->", answer] => {
                let request = account(id, rest);
                self.accounts
                    .push((request, answer.to_string(), self.place.clone()));
            }
            [
                "transfer",
                id,
                debit,
                credit,
                amount,
                rest @ ..,
                "->",
                answer,
            ] => {
                let request = transfer([id, debit, credit, amount], rest);
                self.transfers
                    .push((request, answer.to_string(), self.place.clone()));
            }
            ["setup", id, counters @ ..] => self.setup(AccountId(number(id)), counters),
            ["tick", seconds] => self.tick(seconds, &[]),
            ["tick", seconds, "->", expired @ ..] => self.tick(seconds, expired),
            ["balance", id, counters @ ..] => self.balance(AccountId(number(id)), counters),
            ["moved", id, amount] => {
                let moved = self.ledger.transfer(TransferId(number(id)));
                let moved = moved.map(|transfer| transfer.amount.nano());
                assert_eq!(
                    moved,
                    (*amount != "none").then(|| number(amount)),
                    "{}",
                    self.place
                );
            }
            ["pending", id, status] => {
                let pending = self.ledger.pending(TransferId(number(id)));
                assert_eq!(status_name(pending), *status, "{}", self.place);
            }
            ["of" | "accounts" | "transfers", ..] => {
                queries::check_row(&self.ledger, words, &self.place);
            }
            _ => panic!("not a row: {}", self.place),
        }
    }

    fn end_batch(&mut self) {
        let accounts = core::mem::take(&mut self.accounts);
        let requests: Vec<_> = accounts.iter().map(|(request, ..)| *request).collect();
        let answers = self.ledger.create_accounts(self.ledger.now(), &requests);
        for ((_, expected, place), answer) in accounts.iter().zip(answers) {
            assert_eq!(
                answer.map_or_else(|refusal| refusal.code(), |()| "created"),
                expected,
                "{place}"
            );
        }
        let transfers = core::mem::take(&mut self.transfers);
        let requests: Vec<_> = transfers.iter().map(|(request, ..)| *request).collect();
        let answers = self.ledger.create_transfers(self.ledger.now(), &requests);
        for ((_, expected, place), answer) in transfers.iter().zip(answers) {
            assert_eq!(
                answer.map_or_else(|refusal| refusal.code(), |()| "created"),
                expected,
                "{place}"
            );
        }
        assert_eq!(self.ledger.check(), Ok(()), "{}", self.place);
    }

    /// Brings an account's counters about by transfers with the world, its income first unless its
    /// flags want it last.
    fn setup(&mut self, id: AccountId, counters: &[&str]) {
        let account = *self.ledger.account(id).expect(&self.place);
        let world = AccountRequest {
            id: WORLD,
            ledger: account.ledger,
            code: 1,
            ..AccountRequest::default()
        };
        self.ledger.create_accounts(self.ledger.now(), &[world]);
        let [
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
        ] = <[&str; 4]>::try_from(counters)
            .expect(&self.place)
            .map(number);
        let hold = TransferFlags::PENDING;
        let mut moves = [
            (WORLD, id, credits_posted, TransferFlags::NONE),
            (id, WORLD, debits_posted, TransferFlags::NONE),
            (id, WORLD, debits_pending, hold),
            (WORLD, id, credits_pending, hold),
        ];
        if account
            .flags
            .contains(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS)
        {
            moves.swap(0, 1);
        }
        for (debit_account_id, credit_account_id, amount, flags) in moves {
            self.setups += 1;
            let request = TransferRequest {
                id: TransferId(1_000_000 + self.setups),
                debit_account_id,
                credit_account_id,
                amount: Amount::from_nano(amount),
                flags,
                ledger: account.ledger,
                code: 1,
                ..TransferRequest::default()
            };
            assert_eq!(
                self.ledger.create_transfers(self.ledger.now(), &[request]),
                [Ok(())],
                "{}",
                self.place
            );
        }
    }

    fn tick(&mut self, seconds: &str, expected: &[&str]) {
        let nanos = u64::try_from(number(seconds)).unwrap() * NANOS_PER_SECOND;
        let expired = self.ledger.advance(Timestamp(self.ledger.now().0 + nanos));
        let expected: Vec<_> = expected.iter().map(|id| TransferId(number(id))).collect();
        assert_eq!(expired, expected, "{}", self.place);
        assert_eq!(self.ledger.check(), Ok(()), "{}", self.place);
    }

    fn balance(&self, id: AccountId, expected: &[&str]) {
        let Some(account) = self.ledger.account(id) else {
            assert_eq!(expected, ["none"], "{}", self.place);
            return;
        };
        let counters = [
            account.debits_pending,
            account.debits_posted,
            account.credits_pending,
            account.credits_posted,
        ];
        let mut shown: Vec<String> = counters
            .iter()
            .map(|counter| counter.nano().to_string())
            .collect();
        shown.extend(account.is_closed().then(|| "closed".to_string()));
        assert_eq!(shown, expected, "{}", self.place);
    }
}

fn account(id: &str, words: &[&str]) -> AccountRequest {
    let names = words.iter().copied().filter(|word| !word.contains('='));
    let mut request = AccountRequest {
        id: AccountId(number(id)),
        ledger: 1,
        code: 1,
        flags: AccountFlags::from_names(names).unwrap(),
        ..AccountRequest::default()
    };
    for (field, value) in words.iter().filter_map(|word| word.split_once('=')) {
        match field {
            "ledger" => request.ledger = number(value) as u32,
            "code" => request.code = number(value) as u16,
            "limit" => request.limit = Amount::from_nano(number(value)),
            "debits_pending" => request.debits_pending = Amount::from_nano(number(value)),
            "debits_posted" => request.debits_posted = Amount::from_nano(number(value)),
            "credits_pending" => request.credits_pending = Amount::from_nano(number(value)),
            "credits_posted" => request.credits_posted = Amount::from_nano(number(value)),
            "at" => request.timestamp = Timestamp(number(value) as u64),
            "u128" => request.user_data_128 = number(value),
            "u64" => request.user_data_64 = number(value) as u64,
            "u32" => request.user_data_32 = number(value) as u32,
            _ => panic!("not a field of an account: {field}"),
        }
    }
    request
}

fn transfer([id, debit, credit, amount]: [&&str; 4], words: &[&str]) -> TransferRequest {
    let names = words.iter().copied().filter(|word| !word.contains('='));
    let flags = TransferFlags::from_names(names).unwrap();
    let default = u16::from(!flags.intersects(TransferFlags::RESOLVING));
    let mut request = TransferRequest {
        id: TransferId(number(id)),
        debit_account_id: AccountId(number(debit)),
        credit_account_id: AccountId(number(credit)),
        amount: Amount::from_nano(number(amount)),
        flags,
        ledger: default.into(),
        code: default,
        ..TransferRequest::default()
    };
    for (field, value) in words.iter().filter_map(|word| word.split_once('=')) {
        match field {
            "of" => request.pending_id = TransferId(number(value)),
            "timeout" => request.timeout = number(value) as u32,
            "at" => request.timestamp = Timestamp(number(value) as u64),
            "ledger" => request.ledger = number(value) as u32,
            "code" => request.code = number(value) as u16,
            "u128" => request.user_data_128 = number(value),
            "u64" => request.user_data_64 = number(value) as u64,
            "u32" => request.user_data_32 = number(value) as u32,
            _ => panic!("not a field of a transfer: {field}"),
        }
    }
    request
}

pub fn number(word: &str) -> u128 {
    match word.strip_prefix("max") {
        Some("") => u128::MAX,
        Some(less) => u128::MAX - number(less.strip_prefix('-').unwrap()),
        None if word == "_" => 0,
        None => word
            .trim_start_matches(['A', 'T'])
            .parse()
            .unwrap_or_else(|_| panic!("not a number: {word}")),
    }
}

fn status_name(status: Option<PendingStatus>) -> &'static str {
    match status {
        None => "none",
        Some(PendingStatus::Pending) => "pending",
        Some(PendingStatus::Posted) => "posted",
        Some(PendingStatus::Voided) => "voided",
        Some(PendingStatus::Expired) => "expired",
    }
}
