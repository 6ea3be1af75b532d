use crate::allowances::Allowance;
use crate::budgets::Budget;
use crate::calls::{Asked, Call, Steered};
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

impl Network {
    /// The same network, of whose receipts these say more of how the call was steered than their
    /// own form can.
    #[must_use]
    pub fn with_steered(mut self, steered: BTreeMap<CallId, Steered>) -> Self {
        for (call, steered) in steered {
            self.receipts
                .restate(call, |receipt| receipt.steered = steered);
        }
        self
    }

    /// The same network, of whose receipts these say what was asked of the outside.
    #[must_use]
    pub fn with_asked(mut self, asked: BTreeMap<CallId, Asked>) -> Self {
        for (call, asked) in asked {
            self.receipts
                .restate(call, |receipt| receipt.steered.asked = asked);
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
