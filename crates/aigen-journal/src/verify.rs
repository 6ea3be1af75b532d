use crate::replay::replay;
use crate::store::{Store, StoreError};
use aigen_economy::settlement::settle;
use aigen_economy::{rate, split_charge};
use aigen_network::{Network, Outcome, Receipt, SettledEpoch};
use aigen_types::{Amount, CallId, Digest, Epoch};

/// What a journal that verifies amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Records read, each hash and each link of the chain checked.
    pub records: u64,
    /// Hash of the last one.
    pub tip: Digest,
    /// Commands applied.
    pub commands: u64,
    /// Accounts and transfers in the ledger.
    pub accounts: usize,
    /// Transfers in the ledger.
    pub transfers: usize,
    /// Everything ever issued.
    pub issued: Amount,
    /// What all other accounts hold together; equal to `issued`.
    pub balances: Amount,
    /// Receipts, each rated again from its usage.
    pub receipts: usize,
    /// Calls that are still running.
    pub open_calls: usize,
    /// Settled epochs, each settled again from its input.
    pub epochs: usize,
}

/// Why a journal whose records are whole is still not right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An invariant of the ledger does not hold.
    #[error("the ledger breaks its own rule: {0}")]
    Ledger(String),
    /// Balances and issued money differ.
    #[error("{issued} AIGEN were issued, but all balances together are {balances} AIGEN")]
    Balances {
        /// What was issued.
        issued: Amount,
        /// What there is.
        balances: Amount,
    },
    /// A receipt's charge does not follow from its usage and prices.
    #[error("receipt {0} does not follow from its usage and prices")]
    Receipt(CallId),
    /// An epoch's payouts do not follow from its input.
    #[error("the payouts of epoch {0} do not follow from its input")]
    Epoch(Epoch),
}

/// Replays everything and checks everything that was ever promised. `progress` is told each
/// record's number.
///
/// # Errors
/// A record that cannot be trusted, by number, or the first fault of the state it leads to.
pub fn verify(
    store: &dyn Store,
    progress: impl FnMut(u64),
) -> Result<Result<Verification, Fault>, StoreError> {
    let replayed = replay(store, progress)?;
    let network = &replayed.network;
    Ok(check(network).map(|(issued, balances)| Verification {
        records: replayed.tip.seq,
        tip: replayed.tip.hash,
        commands: network.commands(),
        accounts: network.ledger().accounts().count(),
        transfers: network.ledger().transfers().count(),
        issued,
        balances,
        receipts: network.receipts().count(),
        open_calls: network.calls().count(),
        epochs: network.settled_epochs().count(),
    }))
}

fn check(network: &Network) -> Result<(Amount, Amount), Fault> {
    network
        .check()
        .map_err(|violation| Fault::Ledger(violation.to_string()))?;
    let (issued, balances) = (network.issued(), network.total_balances());
    if issued != balances {
        return Err(Fault::Balances { issued, balances });
    }
    let wrong = network
        .receipts()
        .find(|(_, receipt)| !follows(network, receipt));
    if let Some((call, _)) = wrong {
        return Err(Fault::Receipt(call));
    }
    let wrong = network
        .settled_epochs()
        .find(|(_, settled)| !settles(settled));
    match wrong {
        Some((epoch, _)) => Err(Fault::Epoch(epoch)),
        None => Ok((issued, balances)),
    }
}

fn follows(network: &Network, receipt: &Receipt) -> bool {
    let Some(found) = network.founded() else {
        return false;
    };
    let uncharged = receipt.outcome == Outcome::Expired || receipt.call.used == Default::default();
    let rated = rate(&receipt.call.price, &receipt.call.used);
    let with_controller = receipt.call.controller.is_some();
    let split = split_charge(
        &receipt.charge,
        &found.settings.shares,
        with_controller,
        false,
    );
    split == receipt.split
        && if uncharged {
            receipt.charge.total.is_zero()
        } else {
            rated.is_ok_and(|charge| charge == receipt.charge)
        }
}

fn settles(settled: &SettledEpoch) -> bool {
    settle(&settled.input) == settled.output
}
