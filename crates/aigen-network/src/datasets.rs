//! Datasets: what is offered, by whom, at what price, and who may read which of it.
//!
//! The rows themselves are beside the network, under the SHA-256 of their content. A name's owner
//! is the account that first published below it; only that account may say anything more of it.

use crate::accounts::AccountKind;
use crate::limits::{DATASET_COLUMNS_MAX, DATASET_SCHEMA_BYTES_MAX, LABEL_BYTES_MAX};
use crate::network::{Network, Reply};
use crate::reads::{Read, ReadReceipt, Wanted};
use crate::refusal::Refusal;
use aigen_economy::DatasetPrice;
use aigen_types::{
    Address, CallId, DatasetName, DatasetRef, DatasetSelector, Digest, Slug, Timestamp,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

/// What rows are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatasetUse {
    /// By whoever asks, some rows at a time.
    Read,
    /// In the prompt of a completion.
    Completion,
    /// By a controller, while it steers.
    Controller,
    /// As a whole.
    Download,
}

impl DatasetUse {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::Read,
        Self::Completion,
        Self::Controller,
        Self::Download,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Completion => "completion",
            Self::Controller => "controller",
            Self::Download => "download",
        }
    }
}

/// One column of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, unique in its dataset.
    pub name: String,
    /// Its type, in the words of whoever read the dataset in.
    pub kind: String,
}

/// A dataset version enters the registry. Immutable, but for its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDataset {
    /// Owner, name and version.
    pub reference: DatasetRef,
    /// The account that publishes. The first one of an owner's name owns that name.
    pub by: Address,
    /// SHA-256 of the content, under which the rows are kept. Two versions may have the same.
    pub content: Digest,
    /// How many rows; they are numbered from 0.
    pub rows: u64,
    /// Bytes of the content.
    pub bytes: u64,
    /// In order; names and types are at most 64 KiB together, and 1,024 columns.
    pub columns: Vec<Column>,
    /// One line for people.
    pub description: String,
    /// The licence, as an SPDX expression or a name.
    pub licence: String,
    /// What the licence lets rows be read for; at least one.
    pub uses: BTreeSet<DatasetUse>,
    /// Whether anyone may, or only who was granted it.
    pub open: bool,
    /// What it costs.
    pub price: DatasetPrice,
    /// Who is paid: an address that people may pay from.
    pub provider: Address,
}

/// The price of a version changes, for reads to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceDataset {
    /// The version.
    pub reference: DatasetRef,
    /// The owner's account.
    pub by: Address,
    /// What it costs from now on.
    pub price: DatasetPrice,
}

/// A version serves no new read, for good. Calls that have read it go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawDataset {
    /// The version.
    pub reference: DatasetRef,
    /// The owner's account.
    pub by: Address,
    /// One line for people.
    pub reason: String,
}

/// Somebody may read a dataset that is not open, in all of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantDataset {
    /// The dataset.
    pub dataset: DatasetName,
    /// The owner's account.
    pub by: Address,
    /// Whose keys: those of this account and of every account below it.
    pub to: Address,
    /// What may be read, what for and until when. Granting again replaces it.
    pub grant: Grant,
}

/// What is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Columns that may be read; all where empty.
    pub columns: Vec<String>,
    /// What for; everything that the dataset allows where empty.
    pub uses: BTreeSet<DatasetUse>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// A grant ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeDataset {
    /// The dataset.
    pub dataset: DatasetName,
    /// The owner's account.
    pub by: Address,
    /// To whom it was granted.
    pub to: Address,
}

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What was published; its price is the one of today.
    pub published: NewDataset,
    /// When.
    pub published_at: Timestamp,
    /// Why it serves no new read, if it does not.
    pub withdrawn: Option<String>,
}

/// State that only networks with datasets have: a snapshot of one without is written as earlier
/// versions wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Datasets {
    /// By name and version.
    pub versions: BTreeMap<DatasetRef, Dataset>,
    /// Whose a name is.
    pub owners: BTreeMap<Slug, Address>,
    /// By dataset and whom it is granted to.
    pub grants: BTreeMap<(DatasetName, Address), Grant>,
    /// Reads outside of calls.
    pub reads: BTreeMap<CallId, ReadReceipt>,
}

impl Network {
    pub(crate) fn publish_dataset(
        &mut self,
        now: Timestamp,
        new: &NewDataset,
    ) -> Result<Reply, Refusal> {
        if self.check_dataset(new)? {
            return Ok(Reply::Done);
        }
        let owner = new.reference.dataset.owner.clone();
        let dataset = Dataset {
            published: new.clone(),
            published_at: now,
            withdrawn: None,
        };
        let datasets = &mut self.datasets;
        datasets.owners.insert(owner, new.by.clone());
        datasets.versions.insert(new.reference.clone(), dataset);
        Ok(Reply::Done)
    }

    /// Whether the version would be published, and `true` if it was before. What costs more than
    /// reading it, like storing its rows, can wait until this is known.
    ///
    /// # Errors
    /// Why it would not.
    pub fn check_dataset(&self, new: &NewDataset) -> Result<bool, Refusal> {
        check_form(new)?;
        self.may_own(&new.reference.dataset.owner, &new.by)?;
        match self.datasets.versions.get(&new.reference) {
            None => Ok(false),
            Some(known) if is_same(&known.published, new) => Ok(true),
            Some(_) => Err(Refusal::DatasetVersionExists),
        }
    }

    /// A name that nobody has yet is anyone's.
    fn may_own(&self, owner: &Slug, by: &Address) -> Result<(), Refusal> {
        match self.datasets.owners.get(owner) {
            Some(known) if known != by => Err(Refusal::DatasetNotOwned),
            _ => Ok(()),
        }
    }

    fn owned(&mut self, reference: &DatasetRef, by: &Address) -> Result<&mut Dataset, Refusal> {
        self.may_own(&reference.dataset.owner, by)?;
        let known = self.datasets.versions.get_mut(reference);
        known.ok_or(Refusal::DatasetUnknown)
    }

    pub(crate) fn price_dataset(&mut self, set: &PriceDataset) -> Result<Reply, Refusal> {
        self.owned(&set.reference, &set.by)?.published.price = set.price;
        Ok(Reply::Done)
    }

    pub(crate) fn withdraw_dataset(
        &mut self,
        withdraw: &WithdrawDataset,
    ) -> Result<Reply, Refusal> {
        if withdraw.reason.len() > LABEL_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let dataset = self.owned(&withdraw.reference, &withdraw.by)?;
        dataset.withdrawn.get_or_insert(withdraw.reason.clone());
        Ok(Reply::Done)
    }

    pub(crate) fn grant_dataset(&mut self, grant: &GrantDataset) -> Result<Reply, Refusal> {
        self.may_own(&grant.dataset.owner, &grant.by)?;
        if self.dataset_versions(&grant.dataset).next().is_none() {
            return Err(Refusal::DatasetUnknown);
        }
        check_columns(&grant.grant.columns)?;
        let parties = (grant.dataset.clone(), grant.to.clone());
        self.datasets.grants.insert(parties, grant.grant.clone());
        Ok(Reply::Done)
    }

    pub(crate) fn revoke_dataset(&mut self, revoke: &RevokeDataset) -> Result<Reply, Refusal> {
        self.may_own(&revoke.dataset.owner, &revoke.by)?;
        let parties = (revoke.dataset.clone(), revoke.to.clone());
        let known = self.datasets.grants.remove(&parties);
        known.map(|_| Reply::Done).ok_or(Refusal::GrantUnknown)
    }

    /// Whether a key may read this of a dataset now.
    ///
    /// # Errors
    /// Why it may not. Nothing was charged for asking.
    pub fn check_readable(
        &self,
        now: Timestamp,
        key: &Slug,
        wanted: &Wanted,
        purpose: DatasetUse,
    ) -> Result<&Dataset, Refusal> {
        let account = &self.usable_key(key)?.account;
        self.check_dataset_limit(key, &wanted.dataset.dataset)?;
        let dataset = self.dataset(&wanted.dataset);
        let dataset = dataset.ok_or(Refusal::DatasetUnknown)?;
        if dataset.withdrawn.is_some() {
            return Err(Refusal::DatasetWithdrawn);
        }
        let new = &dataset.published;
        if !new.uses.contains(&purpose) {
            return Err(Refusal::DatasetUseNotAllowed);
        }
        if !new.open && new.by != *account {
            self.must_be_granted(now, account, wanted, purpose)?;
        }
        let known = |name: &String| new.columns.iter().any(|column| column.name == *name);
        if !wanted.columns.iter().all(known) {
            return Err(Refusal::ColumnUnknown);
        }
        match wanted.rows.last() {
            Some(last) if last >= new.rows => Err(Refusal::RowsUnknown),
            _ => Ok(dataset),
        }
    }

    /// The nearest grant decides: an account's own before one of what it is below.
    fn must_be_granted(
        &self,
        now: Timestamp,
        account: &Address,
        wanted: &Wanted,
        purpose: DatasetUse,
    ) -> Result<(), Refusal> {
        let live = |grant: &&Grant| grant.until.is_none_or(|end| now < end);
        let grant = self.grant_of(&wanted.dataset.dataset, account).filter(live);
        let grant = grant.ok_or(Refusal::DatasetNotGranted)?;
        if !grant.uses.is_empty() && !grant.uses.contains(&purpose) {
            return Err(Refusal::DatasetUseNotAllowed);
        }
        let all = grant.columns.is_empty();
        let granted = |name| grant.columns.contains(name);
        if all || !wanted.columns.is_empty() && wanted.columns.iter().all(granted) {
            Ok(())
        } else {
            Err(Refusal::ColumnNotGranted)
        }
    }
}

/// Everything but the price, which may have changed since.
fn is_same(known: &NewDataset, new: &NewDataset) -> bool {
    let price = known.price;
    *known
        == NewDataset {
            price,
            ..new.clone()
        }
}

fn check_form(new: &NewDataset) -> Result<(), Refusal> {
    let texts = [&new.description, &new.licence];
    let schema = new
        .columns
        .iter()
        .map(|one| one.name.len().saturating_add(one.kind.len()));
    let schema = schema.fold(0_usize, usize::saturating_add);
    if texts.iter().any(|text| text.len() > LABEL_BYTES_MAX) || schema > DATASET_SCHEMA_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    let free = |address| AccountKind::of(address).is_free();
    if !free(&new.provider) || !free(&new.by) {
        return Err(Refusal::AddressReserved);
    }
    let names: BTreeSet<&String> = new.columns.iter().map(|column| &column.name).collect();
    let columns = 1..=DATASET_COLUMNS_MAX;
    let whole = columns.contains(&new.columns.len())
        && names.len() == new.columns.len()
        && !new.uses.is_empty()
        && !new.licence.is_empty();
    if whole {
        Ok(())
    } else {
        Err(Refusal::DatasetInvalid)
    }
}

/// The columns that a grant or a read names.
pub(crate) fn check_columns(columns: &[String]) -> Result<(), Refusal> {
    let bytes = columns
        .iter()
        .fold(0_usize, |sum, name| sum.saturating_add(name.len()));
    if columns.len() > DATASET_COLUMNS_MAX || bytes > DATASET_SCHEMA_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

/// What may be read.
impl Network {
    /// A version.
    #[must_use]
    pub fn dataset(&self, reference: &DatasetRef) -> Option<&Dataset> {
        self.datasets.versions.get(reference)
    }

    /// Every version, withdrawn ones too, in the order of names.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.versions.values()
    }

    /// The versions of a dataset, the lowest first.
    pub fn dataset_versions(
        &self,
        dataset: &DatasetName,
    ) -> impl DoubleEndedIterator<Item = &Dataset> {
        let version = |version| DatasetRef {
            dataset: dataset.clone(),
            version,
        };
        let all = version((0, 0, 0))..=version((u32::MAX, u32::MAX, u32::MAX));
        self.datasets.versions.range(all).map(|(_, known)| known)
    }

    /// Which version a selector means now: an exact one even if it was withdrawn, or else the
    /// highest that was not. Where all were, the highest, so that the refusal can say so.
    #[must_use]
    pub fn resolve_dataset(&self, selector: &DatasetSelector) -> Option<&Dataset> {
        let meant = || {
            let versions = self.dataset_versions(&selector.dataset).rev();
            versions.filter(|known| selector.admits(known.published.reference.version))
        };
        let serving = meant().find(|known| known.withdrawn.is_none());
        serving.or_else(|| meant().next())
    }

    /// The account that a name belongs to.
    #[must_use]
    pub fn dataset_owner(&self, owner: &Slug) -> Option<&Address> {
        self.datasets.owners.get(owner)
    }

    /// What is granted to an account, or to the nearest one above it; ended grants too.
    #[must_use]
    pub fn grant_of(&self, dataset: &DatasetName, account: &Address) -> Option<&Grant> {
        let way = account.way();
        let mut nearest = way.into_iter().rev();
        nearest.find_map(|to| self.datasets.grants.get(&(dataset.clone(), to)))
    }

    /// The grants of a dataset, by whom they are to.
    pub fn grants(&self, dataset: &DatasetName) -> impl Iterator<Item = (&Address, &Grant)> {
        let grants = self.datasets.grants.iter();
        grants
            .filter(move |((of, _), _)| of == dataset)
            .map(|((_, to), grant)| (to, grant))
    }

    /// Everything that only networks with datasets have.
    #[must_use]
    pub fn dataset_state(&self) -> &Datasets {
        &self.datasets
    }

    /// The same network with these datasets, and with what its running calls have read of them, as a
    /// snapshot kept them.
    #[must_use]
    pub fn with_datasets(
        mut self,
        datasets: Datasets,
        reads: &BTreeMap<CallId, Vec<Read>>,
    ) -> Self {
        self.datasets = datasets;
        for (id, reads) in reads {
            if let Some(call) = self.calls.get_mut(id) {
                call.reads.clone_from(reads);
            }
        }
        self.read_index = self.indexed_reads();
        self
    }
}
