//! What stands apart in a snapshot: of keys and running calls, and of receipts in older ones.

use crate::codec::{DecodeError, Wire};
use crate::commands::LimitsOfAllDatasets;
use aigen_network::{Asked, KeyLimits, Keyring, Network, Read, Receipt, Steered};
use aigen_types::{CallId, DatasetName, Slug};
use std::collections::BTreeMap;

/// What receipts do not say themselves up to version 7.
#[derive(Default)]
pub(crate) struct Said {
    /// How calls were steered that have ended.
    pub steered: BTreeMap<CallId, Steered>,
    /// What those asked of the outside.
    pub asked: BTreeMap<CallId, Asked>,
    /// What calls have read of datasets, running ones too.
    pub reads: BTreeMap<CallId, Vec<Read>>,
}

impl Said {
    /// Says it of a receipt that does not.
    pub fn say(&self, id: CallId, receipt: &mut Receipt) {
        if let Some(steered) = self.steered.get(&id) {
            receipt.steered.clone_from(steered);
        }
        if let Some(asked) = self.asked.get(&id) {
            receipt.steered.asked = *asked;
        }
        if let Some(reads) = self.reads.get(&id) {
            receipt.call.reads.clone_from(reads);
        }
    }
}

/// Which datasets a key may read stands apart: see [`Said`].
impl Wire for Keyring {
    fn put(&self, out: &mut Vec<u8>) {
        let limits = self.limits.iter();
        let limits = limits.map(|(key, limits)| (key.clone(), OfAllDatasets(limits.clone())));
        limits.collect::<BTreeMap<_, _>>().put(out);
        self.minutes.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let limits = BTreeMap::<Slug, OfAllDatasets>::take(input)?;
        let limits = limits.into_iter().map(|(key, limits)| (key, limits.0));
        Ok(Self {
            limits: limits.collect(),
            minutes: Wire::take(input)?,
        })
    }
}

struct OfAllDatasets(KeyLimits);

impl Wire for OfAllDatasets {
    fn put(&self, out: &mut Vec<u8>) {
        LimitsOfAllDatasets::put(&self.0, out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        LimitsOfAllDatasets::take(input).map(Self)
    }
}

/// What running calls have read of datasets, those that have.
pub(crate) fn reads_of_calls(network: &Network) -> BTreeMap<CallId, Vec<Read>> {
    let calls = network.calls().filter(|(_, call)| !call.reads.is_empty());
    calls.map(|(id, call)| (id, call.reads.clone())).collect()
}

/// Which datasets keys may read that may not read every one.
pub(crate) fn readable(keyring: &Keyring) -> BTreeMap<Slug, Vec<DatasetName>> {
    let limits = keyring.limits.iter();
    let limits = limits.filter(|(_, limits)| !limits.datasets.is_empty());
    limits
        .map(|(key, limits)| (key.clone(), limits.datasets.clone()))
        .collect()
}

/// The same network, whose keys may read these datasets.
pub(crate) fn with_readable(
    network: Network,
    readable: BTreeMap<Slug, Vec<DatasetName>>,
) -> Network {
    let mut keyring = network.keyring().clone();
    for (key, datasets) in readable {
        keyring.limits.entry(key).or_default().datasets = datasets;
    }
    network.with_keyring(keyring)
}
