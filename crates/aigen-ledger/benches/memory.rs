//! How much memory accounts and open holds take: `cargo bench -p aigen-ledger --bench memory`.
//! Fails where either takes more than its bound.
#![allow(clippy::print_stdout, missing_docs)]

use aigen_ledger::{AccountFlags, AccountRequest, Ledger, TransferFlags, TransferRequest};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use peak_alloc::PeakAlloc;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const BATCH: usize = 8_189;
/// What an account or an open hold may take, with its part of every index and of room to grow.
const BYTES_MAX: usize = 256;
/// The second is where an index has just doubled, and is at its emptiest.
const COUNTS: [u64; 2] = [1_000_000, 1_572_865];

fn main() -> ExitCode {
    let verdicts: Vec<bool> = COUNTS.into_iter().flat_map(measure).collect();
    if verdicts.into_iter().all(|is_within| is_within) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// As many accounts, then as many open holds among them.
fn measure(count: u64) -> [bool; 2] {
    let start = MEMORY.current_usage();
    let mut ledger = Ledger::new();
    for batch in batches(count) {
        let batch: Vec<_> = batch.map(account).collect();
        let answers = ledger.create_accounts(Timestamp(1), &batch);
        assert!(answers.iter().all(Result::is_ok));
    }
    let with_accounts = MEMORY.current_usage();
    for batch in batches(count) {
        let now = Timestamp(2 + batch.start);
        let batch: Vec<_> = batch.map(|n| hold(n, count)).collect();
        let answers = ledger.create_transfers(now, &batch);
        assert!(answers.iter().all(Result::is_ok));
    }
    let with_holds = MEMORY.current_usage();
    [
        report(count, "accounts", with_accounts - start),
        report(count, "open holds", with_holds - with_accounts),
    ]
}

fn batches(count: u64) -> impl Iterator<Item = std::ops::Range<u64>> {
    let starts = (0..count).step_by(BATCH);
    starts.map(move |start| start..count.min(start + BATCH as u64))
}

fn report(count: u64, what: &str, bytes: usize) -> bool {
    let each = bytes.div_ceil(count as usize);
    let is_within = each <= BYTES_MAX;
    let verdict = if is_within { "within" } else { "ABOVE" };
    println!("{count:>9} {what:10} {each:>4} bytes each, {verdict} the bound of {BYTES_MAX}");
    is_within
}

fn account(n: u64) -> AccountRequest {
    AccountRequest {
        id: AccountId(scattered(n)),
        ledger: 1,
        code: 1,
        flags: AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        limit: Amount::from_nano(1 << 60),
        ..AccountRequest::default()
    }
}

fn hold(n: u64, count: u64) -> TransferRequest {
    TransferRequest {
        id: TransferId(scattered(n)),
        debit_account_id: AccountId(scattered(n)),
        credit_account_id: AccountId(scattered((n + 1) % count)),
        amount: Amount::from_nano(1),
        ledger: 1,
        code: 1,
        flags: TransferFlags::PENDING,
        timeout: 3_600,
        ..TransferRequest::default()
    }
}

/// Ids as hashing derives them. (The multiplier is that of `SplitMix64`.)
fn scattered(n: u64) -> u128 {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u128::from(mixed ^ (mixed >> 31)) << 64 | u128::from(n + 1)
}
