//! A file arrives piece by piece, goes to the disk, and is read in from there.

use super::{use_in, version};
use crate::extract::{Asked, Key};
use crate::failure::Failure;
use crate::limits::BODY_TIME_MAX;
use crate::state::Gateway;
use aigen_api::resources::{Dataset, DatasetImport, ImportStage, List, PublishDataset};
use aigen_node::economy::DatasetPrice;
use aigen_node::network;
use aigen_node::{DatasetFormat, DatasetSource, DatasetStage, Import, NodeError, Offer, Upload};
use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use futures::StreamExt;
use std::collections::BTreeSet;
use tokio::io::AsyncWriteExt;

/// The key and what is said of the file are checked before a byte of it is read.
pub(in super::super) async fn publish(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(said): Asked<PublishDataset>,
    request: Request,
) -> Result<(StatusCode, Json<Dataset>), Failure> {
    let (format, delimiter) = (format(&said)?, delimiter(&said)?);
    let offer = offer(said)?;
    let upload = gateway.node.receive_dataset(&caller)?;
    receive(&upload, request).await?;
    let source = DatasetSource::new(upload.incoming.path(), format);
    let source = DatasetSource {
        delimiter,
        ..source
    };
    let node = gateway.node.clone();
    // Whoever hangs up now has sent everything: it is published all the same.
    let publishing = tokio::spawn(async move {
        let published = node.publish_dataset(&caller, offer, source).await;
        drop(upload);
        published
    });
    let published = publishing.await.map_err(|_| NodeError::ShuttingDown)?;
    let dataset = version(&gateway, &published?)?;
    Ok((StatusCode::CREATED, dataset))
}

/// The caller's files that are being read in; everybody's for an operator.
pub(in super::super) async fn imports(
    State(gateway): State<Gateway>,
    Key(caller): Key,
) -> Json<List<DatasetImport>> {
    let all = gateway.node.dataset_imports().into_iter();
    let seen = all.filter(|import| caller.must_own(&import.by).is_ok());
    Json(List::complete(seen.map(told).collect()))
}

fn told(import: Import) -> DatasetImport {
    let stage = import.progress.map(|progress| progress.stage);
    DatasetImport {
        reference: import.reference,
        stage: match stage {
            None => ImportStage::Waiting,
            Some(DatasetStage::Fetching) => ImportStage::Fetching,
            Some(DatasetStage::Checking) => ImportStage::Checking,
            Some(DatasetStage::Reading) => ImportStage::Reading,
            Some(DatasetStage::Indexing) => ImportStage::Indexing,
        },
        rows: import.progress.map_or(0, |progress| progress.rows),
        bytes: import.progress.map_or(0, |progress| progress.done),
        bytes_total: import.progress.map_or(0, |progress| progress.total),
    }
}

fn format(said: &PublishDataset) -> Result<DatasetFormat, Failure> {
    let format = said.format.parse();
    format.map_err(|error: String| Failure::invalid("format", error))
}

fn delimiter(said: &PublishDataset) -> Result<u8, Failure> {
    let byte = u8::try_from(said.delimiter.unwrap_or(','));
    byte.map_err(|_| Failure::invalid("delimiter", "must be one ASCII character"))
}

fn offer(said: PublishDataset) -> Result<Offer, Failure> {
    Ok(Offer {
        uses: uses(&said)?,
        reference: said.name,
        description: said.description,
        licence: said.licence,
        open: said.open,
        price: DatasetPrice {
            row: said.per_row,
            hit: said.per_hit,
            download: said.per_download.unwrap_or_default(),
        },
        provider: said.provider,
        content: said.content,
    })
}

/// Rows that have a price are not given away together because nothing was said of it.
fn uses(said: &PublishDataset) -> Result<BTreeSet<network::DatasetUse>, Failure> {
    let priced = !said.per_row.is_zero() || !said.per_hit.is_zero();
    let unsaid = priced && said.per_download.is_none();
    if said.uses.is_empty() {
        let all = network::DatasetUse::ALL.into_iter();
        let all = all.filter(|one| !(unsaid && *one == network::DatasetUse::Download));
        return Ok(all.collect());
    }
    let uses = said.uses.split(',');
    let uses = uses.map(|word| word.trim().parse().map(use_in));
    let uses: BTreeSet<_> = uses
        .collect::<Result<_, String>>()
        .map_err(|error| Failure::invalid("uses", error))?;
    match unsaid && uses.contains(&network::DatasetUse::Download) {
        true => Err(Failure::invalid(
            "per_download",
            "must say what a download costs, also 0, where a row or a hit has a price",
        )),
        false => Ok(uses),
    }
}

async fn receive(upload: &Upload, request: Request) -> Result<(), Failure> {
    let declared = request.headers().get(CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > upload.bytes_max) {
        return Err(Failure::upload_too_large(upload.bytes_max));
    }
    let file = tokio::fs::File::options();
    let file = file.clone().write(true).open(upload.incoming.path()).await;
    let file = file.map_err(unwritten)?;
    let body: Body = request.into_body();
    write(upload, body.into_data_stream(), file).await
}

async fn write(
    upload: &Upload,
    mut body: BodyDataStream,
    mut file: tokio::fs::File,
) -> Result<(), Failure> {
    let mut bytes = 0;
    loop {
        let piece = tokio::time::timeout(BODY_TIME_MAX, body.next()).await;
        let piece = match piece.map_err(|_| Failure::body_slow())? {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => return Err(Failure::body_broken(&error)),
            None => break,
        };
        bytes += piece.len() as u64;
        if bytes > upload.bytes_max {
            return Err(Failure::upload_too_large(upload.bytes_max));
        }
        file.write_all(&piece).await.map_err(unwritten)?;
    }
    file.flush().await.map_err(unwritten)
}

fn unwritten(error: std::io::Error) -> Failure {
    NodeError::DatasetUnreadable(error.to_string()).into()
}
