use crate::parse::{OUTCOMES, Question};
use aigen_network::{Capped, Earning, Network, Outcome, ReadReceipt, Receipt, Refusal, Reply};
use aigen_types::{Address, Amount, DatasetRef, Day, Digest, Slug};

/// What the network said to a command.
pub(crate) fn to_command(result: &Result<Reply, Refusal>) -> String {
    match result {
        Ok(Reply::Done | Reply::Published(_)) => "ok".into(),
        Ok(Reply::Covered { tokens, held }) => format!("covers {tokens}, holds {held}"),
        Ok(Reply::Charged(amount)) => format!("charged {amount}"),
        Ok(Reply::GivenBack(amount)) => format!("gave back {amount}"),
        Ok(Reply::Settled(epoch)) => format!("settled {epoch}"),
        Err(refusal) => format!("refused {}", refusal.code()),
    }
}

/// What the network knows; `none` of what it does not.
pub(crate) fn to_question(network: &Network, question: &Question) -> String {
    let known = match question {
        Question::Account(address) => Some(account(network, address)),
        Question::Receipt(call) => {
            let read = || network.read_receipt(*call).map(read);
            let ended = network.receipt(*call);
            ended.map(|ended| receipt(&ended)).or_else(read)
        }
        Question::Earned(address, dataset) => Some(earned(network, address, dataset)),
        Question::Cap(capped) => cap(network, capped),
        Question::Score(controller) => score(network, *controller),
        Question::Skill(validator) => skill(network, validator),
    };
    known.unwrap_or_else(|| "none".into())
}

fn account(network: &Network, address: &Address) -> String {
    let (available, held) = network
        .account(address)
        .map_or((Amount::ZERO, Amount::ZERO), |account| {
            (account.available(), account.debits_pending)
        });
    format!("available {available}, held {held}")
}

fn receipt(receipt: &Receipt) -> String {
    let split = &receipt.split;
    format!(
        "{}, charged {}, margin {}, refunded {}, {}, provider {}, controller {}, validators {}, protocol {}, data {}",
        outcome(receipt.outcome),
        receipt.charge.total,
        receipt.margin,
        receipt.refunded(),
        if receipt.reversal.is_some() {
            "reversed"
        } else {
            "kept"
        },
        split.provider,
        split.controller,
        split.validator,
        split.protocol,
        split.data
    )
}

fn read(receipt: &ReadReceipt) -> String {
    let kept = match receipt.reversal {
        Some(_) => "reversed",
        None => "kept",
    };
    format!(
        "{}, charged {}, margin {}, refunded {}, {kept}, data {}, protocol {}",
        receipt.read.purpose.as_str(),
        receipt.read.fee,
        receipt.margin,
        receipt.refunded(),
        receipt.read.earned,
        receipt.protocol
    )
}

/// On all days.
fn earned(network: &Network, address: &Address, dataset: &DatasetRef) -> String {
    let days = Day::default()..=Day(u64::MAX);
    let all = network.earnings(address, days);
    let own = all.filter(|(key, _)| key.dataset == *dataset);
    let sum = own.fold(Earning::default(), |sum, (_, one)| sum.plus(*one));
    format!(
        "reads {}, rows {}, fees {}, earned {}, returned {}",
        sum.reads, sum.rows, sum.fees, sum.earned, sum.given_back
    )
}

/// In the period of the last command.
fn cap(network: &Network, capped: &Capped) -> Option<String> {
    let cap = network.cap_at(network.ledger().now(), capped.clone())?;
    let state = network.cap_state(&cap);
    Some(format!(
        "cap {}, spent {}, held {}, left {}",
        state.cap,
        state.spent,
        state.held,
        state.available()
    ))
}

pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    let named = OUTCOMES.iter().find(|(_, known)| *known == outcome);
    // The one outcome that nobody asks for.
    named.map_or("expired", |(name, _)| name)
}

/// In the last settled epoch, in parts per million.
fn score(network: &Network, controller: Digest) -> Option<String> {
    let (_, settled) = network.settled_epochs().last()?;
    let result = settled.output.controllers.get(&controller.to_string())?;
    Some(result.score.parts().to_string())
}

/// In parts per million, signed.
fn skill(network: &Network, validator: &Slug) -> Option<String> {
    let (_, validator) = network.validators().find(|(name, _)| *name == validator)?;
    Some(validator.skill.to_string())
}
