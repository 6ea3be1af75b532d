use crate::allowances::Allowance;
use crate::budgets::Budget;
use crate::calls::{Call, Receipt};
use crate::command::Found;
use crate::epochs::{EpochState, Evaluated, SettledEpoch};
use crate::names::Names;
use crate::network::Network;
use crate::receipts::Receipts;
use crate::registry::{Controller, Key, Model, Validator};
use crate::releases::{Release, Stated, TagKey};
use crate::usage::UsageIndex;
use aigen_ledger::Ledger;
use aigen_types::{
    AccountId, Address, BudgetPath, CallId, ControllerRef, Digest, Epoch, ModelName, PublisherKey,
    Slug,
};
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

impl Network {
    /// What of it is on shelves, if it is: its receipts and its ledger.
    #[must_use]
    pub fn into_past(self) -> (Receipts, Ledger) {
        (self.receipts, self.ledger)
    }

    /// The same network with these receipts beside its own, which come in the order of the journal.
    #[must_use]
    pub fn with_receipts(mut self, receipts: impl Iterator<Item = (CallId, Receipt)>) -> Self {
        for (id, receipt) in receipts {
            self.usage.add(&receipt);
            let kept = self.kept_of(&receipt.call.reads);
            self.read_index.add_call(&receipt, kept);
            self.receipts.insert(id, Arc::new(receipt));
        }
        self
    }

    /// The same network, in which these calls were made within those.
    #[must_use]
    pub fn with_sub_calls(mut self, parents: BTreeMap<CallId, CallId>) -> Self {
        self.within = parents.into();
        self
    }

    /// The journal record that held the last command applied; zero before the first.
    #[must_use]
    pub fn record(&self) -> u64 {
        self.record
    }
}

/// Names every part of a network but its ledger once, so that none can be forgotten.
macro_rules! parts {
    ($($name:ident: $part:ty),* $(,)?) => {
        /// All that a network is made of beside its ledger: what a snapshot keeps, borrowed to be
        /// written and owned when read.
        #[derive(Clone, Debug)]
        #[allow(missing_docs, reason = "each is what the network's reader of that name gives")]
        pub struct Parts<'a> {
            pub addresses: Cow<'a, BTreeMap<AccountId, Address>>,
            $(pub $name: Cow<'a, $part>,)*
        }

        impl Network {
            /// Its parts, to be written.
            #[must_use]
            pub fn parts(&self) -> Parts<'_> {
                Parts {
                    addresses: Cow::Owned(self.names.by_account(&self.ledger)),
                    $($name: Cow::Borrowed(&self.$name),)*
                }
            }

            /// The network of these parts and this ledger.
            #[must_use]
            pub fn from_parts(parts: Parts<'_>, ledger: Ledger) -> Self {
                Self {
                    usage: UsageIndex::of(&parts.receipts),
                    last_scores: crate::epochs::last_scores(&parts.settled),
                    names: Names::of(&ledger, parts.addresses.into_owned()),
                    ledger,
                    governance: crate::Governance::default(),
                    keyring: crate::Keyring::default(),
                    within: crate::Within::default(),
                    datasets: crate::Datasets::default(),
                    read_index: crate::earnings::ReadIndex::default(),
                    $($name: parts.$name.into_owned(),)*
                }
            }
        }
    };
}

parts! {
    founded: Option<Found>,
    commands: u64,
    record: u64,
    keys: BTreeMap<Slug, Key>,
    models: BTreeMap<ModelName, Model>,
    controllers: BTreeMap<Digest, Controller>,
    controller_names: BTreeMap<ControllerRef, Digest>,
    validators: BTreeMap<Slug, Validator>,
    calls: BTreeMap<CallId, Call>,
    receipts: Receipts,
    epoch: EpochState,
    settled: BTreeMap<Epoch, SettledEpoch>,
    scores: BTreeMap<Digest, Evaluated>,
    budgets: BTreeMap<BudgetPath, Budget>,
    allowances: BTreeMap<(Address, Address), Allowance>,
    releases: BTreeMap<Digest, Release>,
    publishers: BTreeMap<Slug, PublisherKey>,
    standings: BTreeMap<Digest, Stated>,
    tags: BTreeMap<TagKey, Digest>,
}
