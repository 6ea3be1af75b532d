//! What a payment costs as a command, beside the same transfer asked of the bare ledger:
//! `cargo bench -p aigen-network`. A thousand accounts; ids in no order.
#![allow(clippy::print_stdout, missing_docs)]

use aigen_economy::{Shares, settlement::Params};
use aigen_ledger::{AccountRequest, Ledger, TransferRequest};
use aigen_network::{Command, Found, Issue, Network, Pay, Settings};
use aigen_types::{AccountId, Address, Amount, Timestamp, TransferId};
use std::time::Instant;

const ACCOUNTS: u64 = 1_000;
const PAYMENTS: u64 = 1_000_000;
const ROUNDS: usize = 3;

fn main() {
    let commands: Vec<_> = (0..PAYMENTS).map(pay).collect();
    let requests: Vec<_> = (0..PAYMENTS).map(transfer).collect();
    let (mut network, mut ledger) = (0_f64, 0_f64);
    for _ in 0..ROUNDS {
        network = network.max(through_the_network(&commands));
        ledger = ledger.max(through_the_ledger(&requests));
    }
    println!("payments as commands      {network:>10.0} each second");
    println!("transfers of the ledger   {ledger:>10.0} each second");
    println!(
        "a command costs           {:>10.2} times as much",
        ledger / network
    );
}

fn through_the_network(commands: &[Command]) -> f64 {
    let mut network = founded();
    each_second(|| {
        for command in commands {
            network
                .apply(1, Timestamp(1), command)
                .expect("within the balance");
        }
    })
}

/// One request at a time, since a command is refused or stands on its own.
fn through_the_ledger(requests: &[TransferRequest]) -> f64 {
    let mut ledger = Ledger::new();
    let accounts: Vec<_> = (0..ACCOUNTS).map(account).collect();
    ledger.create_accounts(Timestamp(1), &accounts);
    each_second(|| {
        for request in requests {
            let answers = ledger.create_transfers(Timestamp(1), &[*request]);
            assert!(answers.iter().all(Result::is_ok));
        }
    })
}

fn each_second(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    PAYMENTS as f64 / start.elapsed().as_secs_f64()
}

fn founded() -> Network {
    let mut network = Network::new();
    let found = Command::Found(Found {
        name: "bench".parse().expect("a slug"),
        settings: Settings {
            shares: Shares::default(),
            parameters: Vec::new(),
            params: Params::default(),
            latency_budget_micros: 1_000,
        },
    });
    let issues = (0..ACCOUNTS).map(|n| {
        Command::Issue(Issue {
            id: TransferId((1 << 127) + u128::from(n)),
            to: address(n),
            amount: Amount::from_nano(1 << 40),
        })
    });
    for command in std::iter::once(found).chain(issues) {
        network
            .apply(1, Timestamp(1), &command)
            .expect("a new network");
    }
    network
}

fn pay(n: u64) -> Command {
    let (from, to) = parties(n);
    Command::Pay(Pay {
        id: TransferId(id(n)),
        from: address(from),
        to: address(to),
        amount: Amount::from_nano(1),
    })
}

fn transfer(n: u64) -> TransferRequest {
    let (from, to) = parties(n);
    TransferRequest {
        id: TransferId(id(n)),
        debit_account_id: account(from).id,
        credit_account_id: account(to).id,
        amount: Amount::from_nano(1),
        ledger: 1,
        code: 1,
        ..TransferRequest::default()
    }
}

fn account(n: u64) -> AccountRequest {
    AccountRequest {
        id: AccountId(id(n)),
        ledger: 1,
        code: 1,
        ..AccountRequest::default()
    }
}

fn address(n: u64) -> Address {
    format!("user:{n}").parse().expect("an address")
}

fn parties(n: u64) -> (u64, u64) {
    let from = mix(n) % ACCOUNTS;
    (from, (from + 1 + mix(!n) % (ACCOUNTS - 1)) % ACCOUNTS)
}

fn id(n: u64) -> u128 {
    u128::from(mix(n)) << 64 | u128::from(n + 1)
}

/// The finaliser of `SplitMix64`.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
