//! Laws on random streams of commands over few ids, so that most requests meet something.

use super::model::Model;
use crate::{
    AccountFlags, AccountRequest, Ledger, PendingStatus, TransferFlags, TransferRefusal,
    TransferRequest,
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use proptest::{collection::vec, prelude::*, sample::select};
use std::vec::Vec;

const SECOND: u64 = 1_000_000_000;

#[derive(Clone, Debug)]
enum Command {
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
fn transfers() -> impl Strategy<Value = TransferRequest> {
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
                let ends_hold = kind.intersects(F::RESOLVING);
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

fn commands() -> impl Strategy<Value = Vec<Command>> {
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

/// Codes, or `created`.
fn apply(ledger: &mut Ledger, command: &Command) -> Vec<&'static str> {
    let now = ledger.now();
    match command {
        Command::Accounts(batch) => {
            let answers = ledger.create_accounts(now, batch);
            answers
                .into_iter()
                .map(|answer| answer.map_or_else(|refusal| refusal.code(), |()| "created"))
                .collect()
        }
        Command::Transfers(batch) => {
            let answers = ledger.create_transfers(now, batch);
            answers
                .into_iter()
                .map(|answer| answer.map_or_else(|refusal| refusal.code(), |()| "created"))
                .collect()
        }
        Command::Tick(seconds) => {
            ledger.advance(Timestamp(now.0 + seconds * SECOND));
            Vec::new()
        }
    }
}

fn run(commands: &[Command]) -> Ledger {
    let mut ledger = Ledger::new();
    for command in commands {
        apply(&mut ledger, command);
    }
    ledger
}

fn apply_to_model(model: &mut Model, command: &Command) -> Vec<&'static str> {
    match command {
        Command::Accounts(batch) => model.create_accounts(batch),
        Command::Transfers(batch) => model.create_transfers(batch),
        Command::Tick(seconds) => {
            model.now += seconds * SECOND;
            Vec::new()
        }
    }
}

fn assert_agrees(ledger: &Ledger, model: &Model) {
    for account in ledger.accounts() {
        let counters = [
            account.debits_pending,
            account.debits_posted,
            account.credits_pending,
            account.credits_posted,
        ];
        assert_eq!(
            counters.map(Amount::nano),
            model.counters(account.id),
            "account {}",
            account.id
        );
        assert_eq!(
            account.is_closed(),
            model.is_closed(account.id),
            "account {}",
            account.id
        );
    }
    assert_eq!(ledger.transfers().count(), model.transfers.len());
    for (transfer, (expected, since)) in ledger.transfers().zip(&model.transfers) {
        assert_eq!(transfer.timestamp.0, *since);
        assert_eq!(
            *transfer,
            crate::Transfer::created(expected, expected.amount, transfer.timestamp)
        );
        assert_eq!(
            ledger.pending(transfer.id),
            model.status(transfer.id),
            "transfer {}",
            transfer.id
        );
    }
}

proptest! {
    #[test]
    fn the_naive_model_agrees_and_every_law_holds(commands in commands()) {
        let (mut ledger, mut model) = (Ledger::new(), Model::default());
        for command in &commands {
            prop_assert_eq!(apply(&mut ledger, command), apply_to_model(&mut model, command));
            prop_assert_eq!(ledger.check(), Ok(()));
            assert_agrees(&ledger, &model);
        }
    }

    #[test]
    fn the_same_stream_makes_the_same_ledger(commands in commands()) {
        prop_assert_eq!(run(&commands), run(&commands));
    }

    #[test]
    fn a_fallen_chain_leaves_no_trace(commands in commands(), chain in vec(transfers(), 1..10)) {
        let before = run(&commands);
        let mut ledger = before.clone();
        // An id of zero is refused at the latest, and is never transient.
        let mut chain: Vec<_> = chain.into_iter().map(|request| TransferRequest {
            flags: request.flags | TransferFlags::LINKED,
            ..request
        }).collect();
        chain.push(TransferRequest::default());
        let answers = ledger.create_transfers(before.now(), &chain);
        let culprit = answers.iter().position(|answer| *answer != Err(TransferRefusal::LinkedEventFailed)).unwrap();
        let burns = answers[culprit].unwrap_err().transient();
        let expected = Ledger::restore(
            before.now(),
            before.accounts().copied(),
            before.transfers().copied(),
            before.burnt().chain(burns.then_some(chain[culprit].id)),
        );
        prop_assert_eq!(Ok(ledger), expected);
    }

    #[test]
    fn a_batch_is_its_chains_one_by_one(commands in commands(), batch in vec(transfers(), 0..20)) {
        let (mut whole, mut parts) = (run(&commands), run(&commands));
        let now = whole.now();
        let answers = whole.create_transfers(now, &batch);
        let chains = batch.chunk_by(|request, _| request.flags.contains(TransferFlags::LINKED));
        let one_by_one: Vec<_> = chains.flat_map(|chain| parts.create_transfers(now, chain)).collect();
        prop_assert_eq!(answers, one_by_one);
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn a_retry_changes_nothing(commands in commands(), batch in vec(transfers(), 0..20)) {
        let mut ledger = run(&commands);
        let now = ledger.now();
        let first = ledger.create_transfers(now, &batch);
        let after = ledger.clone();
        for (request, answer) in batch.iter().zip(first) {
            // Out of its chain; what was created is found, what was refused for good or burnt stays so.
            let created = answer.is_ok();
            let burnt = answer.is_err_and(TransferRefusal::transient);
            if created && !request.flags.contains(TransferFlags::LINKED) {
                prop_assert_eq!(ledger.create_transfers(now, &[*request]), [Err(TransferRefusal::Exists)]);
            }
            if burnt && !request.flags.contains(TransferFlags::LINKED) {
                prop_assert_eq!(ledger.create_transfers(now, &[*request]), [Err(TransferRefusal::IdAlreadyFailed)]);
            }
        }
        prop_assert_eq!(ledger, after);
    }

    #[test]
    fn time_may_pass_in_steps(commands in commands(), steps in vec(0..3_u64, 0..5)) {
        let (mut once, mut stepwise) = (run(&commands), run(&commands));
        let start = once.now().0;
        let end = Timestamp(start + steps.iter().sum::<u64>() * SECOND);
        let live: Vec<_> = once.transfers().map(|transfer| transfer.id)
            .filter(|id| once.pending(*id) == Some(PendingStatus::Pending)).collect();
        let expired = once.advance(end);
        let mut elapsed = 0;
        let stepwise_expired: Vec<_> = steps.iter().flat_map(|step| {
            elapsed += step * SECOND;
            stepwise.advance(Timestamp(start + elapsed))
        }).collect();
        prop_assert_eq!(&expired, &stepwise_expired);
        prop_assert!(expired.iter().all(|id| live.contains(id)));
        prop_assert_eq!(&once, &stepwise);
        // Never back, and never twice.
        prop_assert_eq!(once.advance(Timestamp(0)), []);
        prop_assert_eq!(once, stepwise);
    }

    #[test]
    fn a_ledger_is_its_parts(commands in commands()) {
        let ledger = run(&commands);
        let again = Ledger::restore(
            ledger.now(),
            ledger.accounts().copied(),
            ledger.transfers().copied(),
            ledger.burnt(),
        );
        prop_assert_eq!(again, Ok(ledger));
    }
}
