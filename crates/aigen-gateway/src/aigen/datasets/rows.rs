//! Rows: paid, and then sent.

use super::OfPath;
use crate::extract::{Asked, Key, idempotency_key};
use crate::failure::Failure;
use crate::limits::{DATASET_ROWS, DOWNLOAD_PIECE_BYTES};
use crate::parties::Parties;
use crate::replies::{COST, RECEIPT, header};
use crate::state::Gateway;
use aigen_api::resources::{DatasetRow, DatasetRows};
use aigen_node::{Caller, NodeError, Paid, Reader, RowsRead};
use aigen_types::{Amount, DatasetSelector};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;
use tokio::io::AsyncReadExt;

/// `?q=&after=&limit=&columns=&max_cost=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Page {
    /// What to search for; rows in their order when absent.
    q: Option<String>,
    /// How many rows or hits are passed over: `next` of the page before.
    after: Option<u64>,
    /// How many, at most.
    limit: Option<usize>,
    /// Which columns, by commas; all that may be read when absent.
    columns: Option<String>,
    /// The most that it may cost, in AIGEN.
    max_cost: Option<String>,
}

/// `?max_cost=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Bound {
    /// The most that it may cost, in AIGEN.
    max_cost: Option<String>,
}

pub(in super::super) async fn list_rows(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    OfPath(dataset): OfPath<DatasetSelector>,
    Asked(page): Asked<Page>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let reader = reader(caller, &uri, &headers, page.max_cost.as_deref())?;
    let limit = page.limit.unwrap_or(DATASET_ROWS);
    if !(1..=aigen_node::DATASET_ROWS_MAX).contains(&limit) {
        let reason = format!("must be 1 to {}", aigen_node::DATASET_ROWS_MAX);
        return Err(Failure::invalid("limit", reason));
    }
    let columns = page.columns.unwrap_or_default();
    let columns = columns.split(',').map(str::trim);
    let asked = aigen_node::RowsAsked {
        dataset,
        query: page.q,
        after: page.after.unwrap_or(0),
        limit,
        columns: columns
            .filter(|c| !c.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    let after = asked.after;
    let answer = gateway.node.read_dataset(&reader, asked).await;
    let answer = answer.map_err(|error| Failure::to_payer(error, &reader.caller.account))?;
    let paid = answer.paid;
    let body = Json(body(answer, after)).into_response();
    Ok(with_price(body, paid))
}

fn body(answer: RowsRead, after: u64) -> DatasetRows {
    let next = after.saturating_add(answer.rows.len() as u64);
    let row = |(row, score): (aigen_node::DatasetRow, Option<f32>)| DatasetRow {
        row: row.id,
        score,
        values: row.values,
    };
    DatasetRows {
        dataset: answer.dataset,
        next: answer.more.then(|| next.to_string()),
        data: answer.rows.into_iter().map(row).collect(),
        cost: answer.paid.map_or(Amount::ZERO, |paid| paid.cost),
        receipt: answer.paid.map(|paid| paid.receipt),
    }
}

/// All rows in canonical form: JSONL whose SHA-256 is the dataset's content.
pub(in super::super) async fn download(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    OfPath(dataset): OfPath<DatasetSelector>,
    Asked(bound): Asked<Bound>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let reader = reader(caller, &uri, &headers, bound.max_cost.as_deref())?;
    let taken = gateway.node.download_dataset(&reader, &dataset).await;
    let taken = taken.map_err(|error| Failure::to_payer(error, &reader.caller.account))?;
    let (reference, content, paid) = taken;
    let length = content.manifest().bytes;
    let opened = tokio::task::spawn_blocking(move || content.content()).await;
    let file = opened.map_err(|_| NodeError::ShuttingDown)?;
    let file = file.map_err(|error| NodeError::DatasetUnreadable(error.to_string()))?;
    let name = format!(
        "attachment; filename=\"{}.jsonl\"",
        reference.to_string().replace('/', "-")
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/jsonl")),
        (CONTENT_LENGTH, header(&length)),
        (CONTENT_DISPOSITION, header(&name)),
    ];
    let response = (headers, pieces(file.into())).into_response();
    Ok(with_price(response, Some(paid)))
}

fn pieces(file: tokio::fs::File) -> Body {
    Body::from_stream(stream::try_unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(DOWNLOAD_PIECE_BYTES);
        match file.read_buf(&mut piece).await? {
            0 => Ok::<_, std::io::Error>(None),
            _ => Ok(Some((Bytes::from(piece), file))),
        }
    }))
}

fn with_price(mut response: Response, paid: Option<Paid>) -> Response {
    let headers = response.headers_mut();
    let cost = paid.map_or(Amount::ZERO, |paid| paid.cost);
    headers.insert(COST, header(&cost));
    if let Some(paid) = paid {
        headers.insert(RECEIPT, header(&paid.receipt));
    }
    response
}

/// Who reads. What makes it the same request is its path with its query.
fn reader(
    caller: Caller,
    uri: &Uri,
    headers: &HeaderMap,
    max_cost: Option<&str>,
) -> Result<Reader, Failure> {
    let parties = Parties::of_headers(headers)?;
    let what = uri.path_and_query().map_or("", |what| what.as_str());
    let budget = max_cost.map(str::parse::<Amount>).transpose();
    Ok(Reader {
        request: parties.digest(what.as_bytes()),
        idempotency_key: idempotency_key(headers)?,
        end_user: parties.end_user,
        bill_to: parties.bill_to,
        budget: budget.map_err(|error| Failure::invalid("max_cost", error))?,
        caller,
    })
}
