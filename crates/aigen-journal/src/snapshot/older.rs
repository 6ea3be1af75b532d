//! Snapshots up to version 7, of which each said more than the one before: receipts in the midst of the parts, and
//! apart from them what few of them say.

use crate::codec::DecodeError;
use crate::said::{Said, with_readable};
use crate::spool::{Inlet, Spool};
use crate::state::{take_ledger, take_older_parts};
use aigen_ledger::Ledger;
use aigen_network::{Datasets, Network, Receipts};

/// The newest of them.
pub(super) const NEWEST: u16 = 7;

/// A network whose receipts do not say who counted, and whose keys may read every dataset.
const WITHOUT_COUNTERS: u16 = 6;

/// A network without datasets.
const WITHOUT_DATASETS: u16 = 5;

/// A network whose calls asked nothing of the outside, and made no calls within themselves.
const WITHOUT_SUB_CALLS: u16 = 4;

/// A network whose keys have no limits, and whose calls were steered by nothing that leaves more
/// than tokens behind.
const WITHOUT_KEYRING: u16 = 3;

/// A network without rules, bonds, windows and held payouts of its own.
const WITHOUT_GOVERNANCE: u16 = 2;

/// The first form, which knew of no releases.
const BEFORE_RELEASES: u16 = 1;

pub(super) fn take_network(
    version: u16,
    empty: Receipts,
    ledger: Ledger,
    spool: &Spool,
    input: &mut Inlet<'_>,
) -> Result<Network, DecodeError> {
    let ledger = take_ledger(ledger, |input| Ok(input.take::<u32>()?.into()), input)?;
    let (parts, ended) = take_older_parts(
        empty,
        version > WITHOUT_COUNTERS,
        version > BEFORE_RELEASES,
        input,
    )?;
    let mut network = Network::from_parts(parts, ledger);
    let mut said = Said::default();
    if version > WITHOUT_GOVERNANCE {
        network = network.with_governance(input.take()?);
    }
    if version > WITHOUT_KEYRING {
        network = network.with_keyring(input.take()?);
        said.steered = input.take()?;
    }
    if version > WITHOUT_SUB_CALLS {
        said.asked = input.take()?;
        network = network.with_sub_calls(input.take()?);
    }
    if version > WITHOUT_DATASETS {
        let datasets: Datasets = input.take()?;
        said.reads = input.take()?;
        network = network.with_datasets(datasets, &said.reads);
    }
    if version > WITHOUT_COUNTERS {
        network = with_readable(network, input.take()?);
    }
    Ok(network.with_receipts(ended.in_order(spool, &said)))
}
