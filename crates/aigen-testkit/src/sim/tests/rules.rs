//! Rules of money, each broken in a network of its own: no hundred commands of clients may go by
//! the naive model unnoticed.

use crate::answer;
use crate::sim::clients::Clients;
use crate::sim::history::Answer;
use crate::sim::model::Model;
use crate::sim::random::Random;
use aigen_network::{Command, Network, Pay, Refusal, Reply, addresses};
use aigen_types::{Amount, Ppm, Timestamp, TransferId};

/// A network that breaks a rule.
type Broken = fn(&mut Network, u64, Timestamp, Command) -> Answer;

/// What is said of the first command whose answer or effect the model disagrees with.
fn found(seed: u64, broken: Broken) -> Result<(), String> {
    let mut clients = Clients::new(Random::new(seed));
    let (mut network, mut model) = (Network::new(), Model::default());
    for record in 1..=100 {
        let now = Timestamp(record * 600_000_000_000);
        let command = clients.say(&network);
        let answer = broken(&mut network, record, now, command.clone());
        let said = answer::to_command(&answer);
        model.apply(now, &command).accepts(&said)?;
        if let Ok(Reply::Settled(_)) = answer {
            model.settled(&network)?;
        }
        model.check(&network)?;
    }
    Ok(())
}

fn honest(network: &mut Network, record: u64, now: Timestamp, command: Command) -> Answer {
    network.apply(record, now, &command)
}

#[test]
fn an_honest_network_is_believed() {
    for seed in 0..200 {
        assert_eq!(found(seed, honest), Ok(()), "seed {seed}");
    }
}

fn must_be_found(broken: Broken) {
    let found = (0..200).any(|seed| found(seed, broken).is_err());
    assert!(found, "200 worlds miss it");
}

#[test]
fn a_budget_that_leaves_a_nano_too_much() {
    must_be_found(|network, record, now, mut command| {
        if let Command::SetBudget(set) = &mut command {
            let more = |cap: Amount| cap.saturating_add(Amount::from_nano(1));
            set.cap = set.cap.map(more);
        }
        network.apply(record, now, &command)
    });
}

#[test]
fn a_budget_that_never_begins_anew() {
    must_be_found(|network, record, now, mut command| {
        if let Command::SetBudget(set) = &mut command {
            set.period = aigen_network::Period::Total;
        }
        network.apply(record, now, &command)
    });
}

#[test]
fn a_budget_that_forgets_end_users() {
    must_be_found(|network, record, now, mut command| {
        if let Command::OpenCall(open) = &mut command {
            open.end_user = None;
        }
        network.apply(record, now, &command)
    });
}

#[test]
fn a_margin_a_millionth_too_small() {
    must_be_found(|network, record, now, mut command| {
        if let Command::GrantAllowance(grant) = &mut command {
            let parts = grant.margin.parts().saturating_sub(1);
            grant.margin = Ppm::new(parts).expect("less than before");
        }
        network.apply(record, now, &command)
    });
}

#[test]
fn an_allowance_that_outlives_its_end() {
    must_be_found(|network, record, now, mut command| {
        if let Command::GrantAllowance(grant) = &mut command {
            grant.expires_at = None;
        }
        network.apply(record, now, &command)
    });
}

#[test]
fn an_allowance_that_cannot_be_revoked() {
    must_be_found(|network, record, now, command| match &command {
        Command::RevokeAllowance(it) if network.allowance(&it.user, &it.app).is_some() => {
            Ok(Reply::Done)
        }
        _ => network.apply(record, now, &command),
    });
}

#[test]
fn a_refund_that_is_more_than_was_charged() {
    must_be_found(|network, record, now, command| {
        let answer = network.apply(record, now, &command);
        let (Command::RefundCall(refund), Err(Refusal::RefundTooLarge { .. })) =
            (&command, &answer)
        else {
            return answer;
        };
        let payer = network.receipt(refund.call).map(|it| it.call.payer.clone());
        let pay = Command::Pay(Pay {
            id: TransferId(refund.id.0),
            from: addresses::treasury(),
            to: payer.expect("it was charged"),
            amount: refund.amount,
        });
        let paid = network.apply(record, now, &pay);
        paid.map(|_| Reply::GivenBack(refund.amount))
    });
}

#[test]
fn a_reversal_that_nobody_pays_for() {
    must_be_found(|network, record, now, command| {
        if !matches!(command, Command::ReverseCall(_)) {
            return network.apply(record, now, &command);
        }
        // Answered as if it were done, by a network that is thrown away.
        network.clone().apply(record, now, &command)
    });
}
