//! How many transfers a second one ledger takes, in memory, in batches of 8,189 among 10,000
//! accounts: `cargo bench -p aigen-ledger`.
#![allow(clippy::print_stdout, missing_docs)]

use aigen_ledger::{
    AMOUNT_ALL, AccountFlags, AccountRequest, Ledger, TransferFlags, TransferRequest,
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use std::time::Instant;

const ACCOUNTS: u64 = 10_000;
const TRANSFERS: u64 = 1_000_000;
const BATCH: usize = 8_189;

fn main() {
    // Ids in rising order are the best case of an ordered index, scattered ones (as ids derived by
    // hashing are) the worst.
    measure("plain, rising ids", rising, &[plain]);
    measure("plain, scattered ids", scattered, &[plain]);
    measure(
        "hold and capture, scattered ids",
        scattered,
        &[hold, capture],
    );
    measure("linked pairs, scattered ids", scattered, &[linked, plain]);
}

type Id = fn(u64) -> u128;
type Make = fn(u64, Id) -> TransferRequest;

fn measure(name: &str, id: Id, kinds: &[Make]) {
    let mut ledger = Ledger::new();
    let accounts: Vec<_> = (1..=ACCOUNTS).map(account).collect();
    assert!(
        ledger
            .create_accounts(Timestamp(1), &accounts)
            .iter()
            .all(Result::is_ok)
    );
    let kind_count = kinds.len() as u64;
    let requests: Vec<_> = (0..TRANSFERS)
        .map(|n| kinds[(n % kind_count) as usize](n, id))
        .collect();
    let start = Instant::now();
    // Whole chains only: 8,188 of 8,189.
    for (now, batch) in requests
        .chunks(BATCH / kinds.len() * kinds.len())
        .enumerate()
    {
        let answers = ledger.create_transfers(Timestamp(2 + now as u64), batch);
        assert!(answers.iter().all(Result::is_ok));
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{name:34} {:>12.0} transfers/s", TRANSFERS as f64 / seconds);
}

fn account(n: u64) -> AccountRequest {
    AccountRequest {
        id: account_id(n),
        ledger: 1,
        code: 1,
        flags: AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        limit: Amount::from_nano(1 << 60),
        ..AccountRequest::default()
    }
}

fn account_id(n: u64) -> AccountId {
    AccountId(scattered(1 + n % ACCOUNTS))
}

fn plain(n: u64, id: Id) -> TransferRequest {
    TransferRequest {
        id: TransferId(id(n)),
        debit_account_id: account_id(mix(n)),
        credit_account_id: account_id(mix(n) + 1),
        amount: Amount::from_nano(1),
        ledger: 1,
        code: 1,
        ..TransferRequest::default()
    }
}

fn linked(n: u64, id: Id) -> TransferRequest {
    TransferRequest {
        flags: TransferFlags::LINKED,
        ..plain(n, id)
    }
}

fn hold(n: u64, id: Id) -> TransferRequest {
    TransferRequest {
        flags: TransferFlags::PENDING,
        timeout: 60,
        ..plain(n, id)
    }
}

fn capture(n: u64, id: Id) -> TransferRequest {
    TransferRequest {
        id: TransferId(id(n)),
        pending_id: TransferId(id(n - 1)),
        amount: AMOUNT_ALL,
        flags: TransferFlags::POST_PENDING_TRANSFER,
        ..TransferRequest::default()
    }
}

fn rising(n: u64) -> u128 {
    u128::from(n) + 1
}

fn scattered(n: u64) -> u128 {
    u128::from(mix(n)) << 64 | u128::from(n + 1)
}

/// The finaliser of `SplitMix64`.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
