//! Datasets: their rows are beside the journal, and every read is paid before it leaves.

use crate::auth::Caller;
use crate::components::OpenStore;
use crate::error::NodeError;
use crate::imports::{Import, Imports};
use crate::limits::{DATASET_ANSWER_BYTES, UPLOADS_MAX};
use crate::node::{Node, now};
use crate::random::random_call_id;
use crate::sharing::Shared;
use aigen_datasets::{Dataset as Content, Hit, Incoming, Library, Manifest, Row, Source};
use aigen_economy::DatasetPrice;
use aigen_network::{
    Column, Command, DatasetUse, GrantDataset, NewDataset, PriceDataset, ReadDataset, Refusal,
    Reply, RevokeDataset, Rows, Wanted, WithdrawDataset,
};
use aigen_types::{Address, Amount, CallId, DatasetRef, DatasetSelector, Digest, Slug};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// Where a node keeps datasets, and how much of them.
pub struct Datasets {
    pub(crate) library: Arc<Library>,
    /// Where rows come from that are not here; without it, from nowhere.
    pub(crate) shared: Option<Shared>,
    /// Bytes of one upload.
    upload_max: u64,
    /// Held from reading a file in until it is published or forgotten again: of two who publish
    /// the same rows, a refused one must not take away what the other's record names.
    pub(crate) publishing: Mutex<()>,
    pub(crate) imports: Imports,
    uploads: Arc<Semaphore>,
}

impl Datasets {
    /// Datasets in this library: uploads of at most `upload_max` bytes, rows of at most
    /// `total_max` bytes in all.
    #[must_use]
    pub fn new(library: Library, upload_max: u64, total_max: u64) -> Self {
        Self {
            library: Arc::new(library.bounded(total_max)),
            shared: None,
            upload_max,
            publishing: Mutex::new(()),
            imports: Imports::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
        }
    }

    /// As they are, and what is not here is looked for in the journal's store. `leaves` says whether
    /// what is published here is left there, too, for other nodes.
    #[must_use]
    pub fn beside(self, store: OpenStore, leaves: bool) -> Self {
        let shared = Some(Shared::new(store, leaves));
        Self { shared, ..self }
    }
}

/// A file that is being received.
pub struct Upload {
    /// Where it goes.
    pub incoming: Incoming,
    /// The most bytes it may have.
    pub bytes_max: u64,
    _one_of_few: OwnedSemaphorePermit,
}

/// What is said of a dataset beside its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Owner, name and version.
    pub reference: DatasetRef,
    /// One line for people.
    pub description: String,
    /// The licence.
    pub licence: String,
    /// What rows may be read for.
    pub uses: BTreeSet<DatasetUse>,
    /// Whether anyone may.
    pub open: bool,
    /// What it costs.
    pub price: DatasetPrice,
    /// Who is paid; the caller's account when absent.
    pub provider: Option<Address>,
    /// What the rows must be, if that is known.
    pub content: Option<Digest>,
}

/// Who reads, and who pays.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Who asks.
    pub caller: Caller,
    /// The same read asked for twice is charged once.
    pub idempotency_key: Option<String>,
    /// Hash of the request.
    pub request: Digest,
    /// For which end user it is.
    pub end_user: Option<Slug>,
    /// Who pays, by an allowance.
    pub bill_to: Option<Address>,
    /// The most it may cost.
    pub budget: Option<Amount>,
}

/// Which rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsAsked {
    /// Of which dataset.
    pub dataset: DatasetSelector,
    /// What to search for; rows in their order when absent.
    pub query: Option<String>,
    /// How many rows or hits are passed over.
    pub after: u64,
    /// How many rows at most.
    pub limit: usize,
    /// Which columns; all that may be read where empty.
    pub columns: Vec<String>,
}

/// Rows that are paid.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsRead {
    /// The version they are of.
    pub dataset: DatasetRef,
    /// In their order, or the best match first.
    pub rows: Vec<(Row, Option<f32>)>,
    /// Whether there are more.
    pub more: bool,
    /// What was paid, and the receipt; none where there was no row.
    pub paid: Option<Paid>,
}

/// A payment for rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The receipt.
    pub receipt: CallId,
    /// What it came to.
    pub cost: Amount,
}

impl Node {
    /// Keeps and serves datasets from now on. The first to do so stays.
    pub fn keep_datasets(&self, datasets: Datasets) {
        let _ = self.0.datasets.set(datasets);
    }

    /// The rows of a dataset, if they are here.
    #[must_use]
    pub fn dataset_content(&self, content: &Digest) -> Option<Arc<Content>> {
        self.0.datasets.get()?.library.get(content)
    }

    /// Receives a file of the caller's.
    ///
    /// # Errors
    /// This node keeps no datasets, is receiving as many as it may, or cannot write.
    pub fn receive_dataset(&self, caller: &Caller) -> Result<Upload, NodeError> {
        caller.must_be_the_accounts_own()?;
        let datasets = self.datasets()?;
        let permit = Arc::clone(&datasets.uploads).try_acquire_owned();
        let incoming = datasets.library.incoming();
        Ok(Upload {
            _one_of_few: permit.map_err(|_| NodeError::UploadsBusy)?,
            incoming: incoming.map_err(|error| NodeError::DatasetUnreadable(error.to_string()))?,
            bytes_max: datasets.upload_max,
        })
    }

    /// Reads a file in and publishes it. What is refused is not kept.
    ///
    /// # Errors
    /// Rows that are wrong, no room, or a rule that says no.
    pub async fn publish_dataset(
        &self,
        caller: &Caller,
        offer: Offer,
        source: Source,
    ) -> Result<DatasetRef, NodeError> {
        caller.must_be_the_accounts_own()?;
        let datasets = self.datasets()?;
        let (name, by) = (offer.reference.clone(), caller.account.clone());
        let importing = datasets.imports.begin(name, by);
        let _alone = datasets.publishing.lock().await;
        self.must_be_free(caller, &offer.reference)?;
        let library = Arc::clone(&datasets.library);
        let mut report = move |progress| importing.report(progress);
        let read = blocking(move || Ok(library.import(&source, &mut report)?)).await?;
        let done = self.record_dataset(caller, offer, &read).await;
        if done.is_err() && !self.is_named(&read.digest) {
            let library = Arc::clone(&datasets.library);
            // What cannot be removed now is in nobody's way.
            let _ = tokio::task::spawn_blocking(move || library.remove(&read.digest)).await;
        }
        done
    }

    /// What is being read in here, in the order in which it came.
    #[must_use]
    pub fn dataset_imports(&self) -> Vec<Import> {
        let datasets = self.0.datasets.get();
        datasets.map_or_else(Vec::new, |datasets| datasets.imports.list())
    }

    /// Whether reading a file in could lead anywhere.
    fn must_be_free(&self, caller: &Caller, reference: &DatasetRef) -> Result<(), NodeError> {
        let network = self.network();
        match network.dataset_owner(&reference.dataset.owner) {
            Some(owner) if *owner != caller.account => Err(Refusal::DatasetNotOwned.into()),
            _ => Ok(()),
        }
    }

    async fn record_dataset(
        &self,
        caller: &Caller,
        offer: Offer,
        read: &Manifest,
    ) -> Result<DatasetRef, NodeError> {
        if offer.content.is_some_and(|content| content != read.digest) {
            return Err(NodeError::DatasetDiffers(read.digest));
        }
        let reference = offer.reference.clone();
        let new = published(caller, offer, read);
        self.network().check_dataset(&new)?;
        // Before they are named: whoever reads the record may ask for them.
        let (node, content) = (self.clone(), read.digest);
        blocking(move || node.leave_rows(&content)).await?;
        self.submit(Command::PublishDataset(new)).await?;
        Ok(reference)
    }

    fn is_named(&self, content: &Digest) -> bool {
        let network = self.network();
        let mut known = network.datasets();
        known.any(|dataset| dataset.published.content == *content)
    }

    fn datasets(&self) -> Result<&Datasets, NodeError> {
        self.0.datasets.get().ok_or(NodeError::NoDatasets)
    }
}

fn published(caller: &Caller, offer: Offer, read: &Manifest) -> NewDataset {
    let column = |column: &aigen_datasets::Column| Column {
        name: column.name.clone(),
        kind: match column.nullable {
            true => format!("{}?", column.kind.name()),
            false => column.kind.name().to_owned(),
        },
    };
    NewDataset {
        reference: offer.reference,
        by: caller.account.clone(),
        content: read.digest,
        rows: read.rows,
        bytes: read.bytes,
        columns: read.columns.iter().map(column).collect(),
        description: offer.description,
        licence: offer.licence,
        uses: offer.uses,
        open: offer.open,
        price: offer.price,
        provider: offer.provider.unwrap_or_else(|| caller.account.clone()),
    }
}

/// What a provider says later.
impl Node {
    /// Changes what reads cost from now on. The owner's own key.
    ///
    /// # Errors
    /// When the caller may not, or there is no such version.
    pub async fn price_dataset(
        &self,
        caller: &Caller,
        reference: DatasetRef,
        price: DatasetPrice,
    ) -> Result<(), NodeError> {
        caller.must_be_the_accounts_own()?;
        let by = caller.account.clone();
        let set = PriceDataset {
            reference,
            by,
            price,
        };
        self.submit(Command::PriceDataset(set)).await.map(|_| ())
    }

    /// Ends new reads of a version, for good. The owner's own key.
    ///
    /// # Errors
    /// When the caller may not, or there is no such version.
    pub async fn withdraw_dataset(
        &self,
        caller: &Caller,
        reference: DatasetRef,
        reason: String,
    ) -> Result<(), NodeError> {
        caller.must_be_the_accounts_own()?;
        let by = caller.account.clone();
        let withdraw = WithdrawDataset {
            reference,
            by,
            reason,
        };
        self.submit(Command::WithdrawDataset(withdraw))
            .await
            .map(|_| ())
    }

    /// Lets somebody read. The owner's own key.
    ///
    /// # Errors
    /// When the caller may not, or there is no such dataset.
    pub async fn grant_dataset(
        &self,
        caller: &Caller,
        grant: GrantDataset,
    ) -> Result<(), NodeError> {
        caller.must_be_the_accounts_own()?;
        self.submit(Command::GrantDataset(grant)).await.map(|_| ())
    }

    /// Ends that. The owner's own key.
    ///
    /// # Errors
    /// When the caller may not, or there is no such grant.
    pub async fn revoke_dataset(
        &self,
        caller: &Caller,
        revoke: RevokeDataset,
    ) -> Result<(), NodeError> {
        caller.must_be_the_accounts_own()?;
        self.submit(Command::RevokeDataset(revoke))
            .await
            .map(|_| ())
    }
}

/// A version that is to be read, and where its rows are.
struct Found {
    reference: DatasetRef,
    content: Arc<Content>,
    columns: Vec<String>,
}

impl Node {
    /// Reads rows, and pays for them before they leave. RowsAsked again with the same idempotency key,
    /// it gives the same rows and charges nothing.
    ///
    /// # Errors
    /// What is refused costs nothing.
    pub async fn read_dataset(
        &self,
        reader: &Reader,
        asked: RowsAsked,
    ) -> Result<RowsRead, NodeError> {
        let id = read_id(reader);
        let found = self.find_rows(reader, id, &asked)?;
        let columns = found.columns.clone();
        let Found {
            reference, content, ..
        } = found;
        let hits_wanted = asked.query.is_some();
        let (rows, more) = blocking(move || pick(&content, &asked, &columns)).await?;
        if rows.is_empty() {
            return Ok(RowsRead {
                dataset: reference,
                rows,
                more,
                paid: None,
            });
        }
        let wanted = Wanted {
            dataset: reference.clone(),
            columns: found.columns,
            rows: Rows::of(rows.iter().map(|(row, _)| row.id)),
            hits: if hits_wanted { rows.len() as u64 } else { 0 },
        };
        let paid = self.pay_read(reader, id, wanted, DatasetUse::Read).await?;
        Ok(RowsRead {
            dataset: reference,
            rows,
            more,
            paid: Some(paid),
        })
    }

    /// Pays for a whole dataset: its rows are then the caller's to take.
    ///
    /// # Errors
    /// What is refused costs nothing.
    pub async fn download_dataset(
        &self,
        reader: &Reader,
        dataset: &DatasetSelector,
    ) -> Result<(DatasetRef, Arc<Content>, Paid), NodeError> {
        let id = read_id(reader);
        let (reference, digest, rows) = self.version(id, dataset)?;
        let content = self.rows_of(&reference, &digest)?;
        let wanted = Wanted {
            dataset: reference.clone(),
            columns: Vec::new(),
            rows: Rows::range(0, rows),
            hits: 0,
        };
        let paid = self.pay_read(reader, id, wanted, DatasetUse::Download);
        let paid = paid.await?;
        Ok((reference, content, paid))
    }

    async fn pay_read(
        &self,
        reader: &Reader,
        id: CallId,
        wanted: Wanted,
        purpose: DatasetUse,
    ) -> Result<Paid, NodeError> {
        let read = ReadDataset {
            read: id,
            key: reader.caller.key.clone(),
            wanted,
            purpose,
            request: reader.request,
            end_user: reader.end_user.clone(),
            bill_to: reader.bill_to.clone(),
            budget: reader.budget,
        };
        let paid = self.submit(Command::ReadDataset(read.clone())).await;
        match paid.map_err(|error| self.too_dear(&read, error))? {
            Reply::Charged(cost) => Ok(Paid { receipt: id, cost }),
            other => unreachable!("a read answers with what it cost, not {other:?}"),
        }
    }

    fn too_dear(&self, read: &ReadDataset, error: NodeError) -> NodeError {
        let NodeError::Refused(Refusal::BudgetTooSmall { budget, needed }) = error else {
            return error;
        };
        let one_price = read.purpose == DatasetUse::Download;
        let each = self.network().rows_within_budget(now(), read);
        NodeError::ReadTooDear {
            rows: read.wanted.rows.count(),
            hits: read.wanted.hits,
            budget,
            needed,
            each: each.filter(|_| !one_price),
        }
    }

    fn find_rows(
        &self,
        reader: &Reader,
        id: CallId,
        asked: &RowsAsked,
    ) -> Result<Found, NodeError> {
        let (reference, digest, _) = self.version(id, &asked.dataset)?;
        let network = self.network();
        // What was paid is shown again, whatever has been withdrawn since.
        if let Some(receipt) = network.read_receipt(id) {
            let columns = receipt.read.wanted.columns.clone();
            drop(network);
            let content = self.rows_of(&reference, &digest)?;
            return Ok(Found {
                reference,
                content,
                columns,
            });
        }
        let account = &reader.caller.account;
        let granted = || network.grant_of(&reference.dataset, account);
        let columns = match network.dataset(&reference) {
            Some(dataset) if asked.columns.is_empty() && !dataset.published.open => {
                granted().map_or_else(Vec::new, |grant| grant.columns.clone())
            }
            _ => asked.columns.clone(),
        };
        let wanted = Wanted {
            dataset: reference.clone(),
            columns: columns.clone(),
            rows: Rows::default(),
            hits: 0,
        };
        network.check_readable(now(), &reader.caller.key, &wanted, DatasetUse::Read)?;
        drop(network);
        let content = self.rows_of(&reference, &digest)?;
        Ok(Found {
            reference,
            content,
            columns,
        })
    }

    /// The version that is meant: of a read that was paid before, the one of then.
    fn version(
        &self,
        id: CallId,
        selector: &DatasetSelector,
    ) -> Result<(DatasetRef, Digest, u64), NodeError> {
        let network = self.network();
        let before = network
            .read_receipt(id)
            .map(|read| &read.read.wanted.dataset);
        let before = before.filter(|before| before.dataset == selector.dataset);
        let dataset = match before {
            Some(reference) => network.dataset(reference),
            None => network.resolve_dataset(selector),
        };
        let new = dataset.map(|dataset| &dataset.published);
        let new = new.ok_or_else(|| NodeError::DatasetUnknown(selector.to_string()))?;
        Ok((new.reference.clone(), new.content, new.rows))
    }
}

fn read_id(reader: &Reader) -> CallId {
    match &reader.idempotency_key {
        Some(key) => reader.caller.call_id(key),
        None => random_call_id(),
    }
}

type Scored = Vec<(Row, Option<f32>)>;

/// The rows that are asked for, up to [`DATASET_ANSWER_BYTES`], and whether there are more.
fn pick(
    content: &Content,
    asked: &RowsAsked,
    columns: &[String],
) -> Result<(Scored, bool), NodeError> {
    let columns = Some(columns).filter(|columns| !columns.is_empty());
    let places = match &asked.query {
        None => in_order(content, asked),
        Some(query) => {
            let skip = usize::try_from(asked.after).unwrap_or(usize::MAX);
            let limit = skip.saturating_add(asked.limit);
            let hits = content.search_in(query, columns, limit)?;
            let hits = hits.into_iter().skip(skip);
            hits.map(|Hit { row, score }| (row, Some(score))).collect()
        }
    };
    let (mut rows, mut bytes) = (Vec::new(), 0);
    for (id, score) in &places {
        let row = content.pick([*id], columns)?;
        bytes += content.row_bytes(*id)?;
        if bytes > DATASET_ANSWER_BYTES && !rows.is_empty() {
            return Ok((rows, true));
        }
        rows.extend(row.into_iter().map(|row| (row, *score)));
    }
    let more = match asked.query {
        None => asked.after.saturating_add(rows.len() as u64) < content.manifest().rows,
        Some(_) => rows.len() == asked.limit,
    };
    let more = more && !rows.is_empty();
    Ok((rows, more))
}

fn in_order(content: &Content, asked: &RowsAsked) -> Vec<(u64, Option<f32>)> {
    let end = asked.after.saturating_add(asked.limit as u64);
    let end = end.min(content.manifest().rows);
    (asked.after..end).map(|row| (row, None)).collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NodeError> + Send + 'static,
) -> Result<T, NodeError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| NodeError::ShuttingDown)?
}
