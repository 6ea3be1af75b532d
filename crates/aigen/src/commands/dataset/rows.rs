use crate::context::Context;
use crate::failure::{OrHint, hinted};
use crate::reach::{Asked, Reach};
use aigen_api::resources::{Dataset, DatasetRows};
use aigen_client::RowsQuery;
use aigen_types::{Amount, DatasetSelector};
use anyhow::{Context as _, Result, ensure};
use futures::StreamExt;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// Which rows, and how they are paid.
#[derive(Debug, clap::Args)]
pub struct PageArgs {
    /// How many rows at most, up to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,
    /// How many to pass over: what the page before named as next
    #[arg(long, value_name = "COUNT")]
    after: Option<u64>,
    /// Which columns; all that you may read when absent
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// The most that it may cost, in AIGEN
    #[arg(long, value_name = "AMOUNT")]
    max_cost: Option<Amount>,
    /// A word of your choice that makes a repetition the same read: it is charged once
    #[arg(long, value_name = "WORD")]
    once: Option<String>,
}

impl PageArgs {
    pub fn query(self, q: Option<String>) -> RowsQuery {
        RowsQuery {
            q,
            after: self.after.map(|after| after.to_string()),
            limit: Some(self.limit),
            columns: self.columns,
            max_cost: self.max_cost,
            idempotency_key: self.once,
        }
    }
}

pub async fn read(
    dataset: &DatasetSelector,
    query: RowsQuery,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let encoded = query.q.as_deref().map_or(0, encoded_bytes);
    ensure!(
        encoded <= ENCODED_BYTES_MAX,
        hinted(
            format!(
                "the question takes {encoded} bytes of an address, which holds {ENCODED_BYTES_MAX} of one"
            ),
            "ask in fewer words: the first 128 different ones are looked for",
        )
    );
    let node = reach.as_customer(context)?;
    let rows = node.client().dataset_rows(dataset, &query).await;
    let rows = rows.map_err(|error| node.explain(error))?;
    context.output.data(&rows, || describe(&rows))?;
    if let Some(receipt) = rows.receipt {
        let (dataset, cost) = (&rows.dataset, rows.cost);
        let said = format!("{dataset}: {cost} AIGEN, receipt {receipt}");
        context.output.say(said);
    }
    if let Some(next) = &rows.next {
        context
            .output
            .say(format!("There are more: --after {next}"));
    }
    Ok(())
}

/// Bytes of a question as it stands in an address: HTTP's have 65,534 at most, and there is more in it.
const ENCODED_BYTES_MAX: usize = 60_000;

/// Letters and digits as they are, everything else in three bytes; a blank in one.
fn encoded_bytes(text: &str) -> usize {
    let bytes = text.bytes();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" *-._".contains(&byte);
    bytes.map(|byte| if plain(byte) { 1 } else { 3 }).sum()
}

/// A row per line: its number, then its values.
fn describe(rows: &DatasetRows) -> String {
    let line = |row: &aigen_api::resources::DatasetRow| {
        let values = serde_json::Value::Object(row.values.clone());
        format!("{}  {values}\n", row.row)
    };
    match rows.data.as_slice() {
        [] => "No rows.\n".into(),
        some => some.iter().map(line).collect(),
    }
}

/// Where a download goes.
pub struct Download {
    pub to: PathBuf,
    pub max_cost: Option<Amount>,
    pub once: Option<String>,
}

pub async fn download(
    dataset: &DatasetSelector,
    asked: Download,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let node = reach.as_customer(context)?;
    let known: Dataset = node.get(&format!("{}/{dataset}", super::PATH)).await?;
    let exact: DatasetSelector = known.reference.to_string().parse()?;
    // Made first: what is paid has to have a place.
    let file = File::create_new(&asked.to).or_hint(
        format!("cannot write {}", asked.to.display()),
        "name a file that is not there yet",
    )?;
    let done = take(&node, &exact, &asked, file, context).await;
    let (cost, receipt, digest) = match done {
        Ok(done) => done,
        Err(error) => {
            // Half a file is not left to be taken for a whole one.
            let _ = std::fs::remove_file(&asked.to);
            return Err(error);
        }
    };
    if digest != known.content.to_string() {
        return Err(hinted(
            format!(
                "what came has the SHA-256 {digest}, and not {}",
                known.content
            ),
            "the file is kept; ask the operator of the node",
        ));
    }
    let data = json!({
        "dataset": known.reference.to_string(), "content": digest, "file": asked.to,
        "cost": cost, "receipt": receipt,
    });
    context.output.data(&data, || {
        let to = asked.to.display();
        format!(
            "{} is in {to}, and its SHA-256 is right: {cost} AIGEN, receipt {receipt}\n",
            known.reference
        )
    })
}

async fn take(
    node: &Asked,
    dataset: &DatasetSelector,
    asked: &Download,
    mut file: File,
    context: &Context,
) -> Result<(String, String, String)> {
    let client = node.client();
    let download = client.download_dataset(dataset, asked.max_cost, asked.once.as_deref());
    let mut download = download.await.map_err(|error| node.explain(error))?;
    let bar = context.output.byte_progress(download.bytes);
    let mut hash = Sha256::new();
    while let Some(piece) = download.rows.next().await {
        let piece = piece.map_err(|error| node.explain(error))?;
        hash.update(&piece);
        bar.inc(piece.len() as u64);
        file.write_all(&piece).context("cannot write the rows")?;
    }
    file.sync_all().context("cannot write the rows")?;
    bar.finish_and_clear();
    let cost = download
        .cost
        .map_or_else(|| "0".into(), |cost| cost.to_string());
    let receipt = download.receipt.map(|id| id.to_string());
    let digest = aigen_types::Digest(hash.finalize().into()).to_string();
    Ok((cost, receipt.unwrap_or_default(), digest))
}
