//! Laws on random streams of commands over few ids, so that most requests meet something.

use super::commands::{Command, SECOND, commands, transfers};
use super::model::Model;
use crate::{Ledger, PendingStatus, TransferFlags, TransferRefusal, TransferRequest};
use aigen_types::{AccountId, Amount, Timestamp};
use proptest::{collection::vec, prelude::*};
use std::vec::Vec;

/// Codes, or `created`.
pub fn apply(ledger: &mut Ledger, command: &Command) -> Vec<&'static str> {
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

pub fn run(commands: &[Command]) -> Ledger {
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
    for id in (1..=7).map(AccountId) {
        assert_eq!(
            ledger.account(id).is_some(),
            model.exists(id),
            "account {id}"
        );
    }
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
            transfer,
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
            before.transfers(),
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
            ledger.transfers(),
            ledger.burnt(),
        );
        prop_assert_eq!(again, Ok(ledger));
    }
}
