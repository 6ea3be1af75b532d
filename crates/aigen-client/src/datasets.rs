//! Datasets: a file goes up piece by piece, rows come down paid.

use crate::client::{Client, read, send};
use crate::error::ClientError;
use aigen_api::resources::{Dataset, DatasetImport, DatasetRows, List, PublishDataset};
use aigen_types::{Amount, CallId, DatasetSelector};
use futures::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, Method, RequestBuilder, Response};

/// Which rows, and how they are paid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsQuery {
    /// What to search for; rows in their order when absent.
    pub q: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// How many, at most 1,000; 20 when absent.
    pub limit: Option<usize>,
    /// Which columns; all that may be read where empty.
    pub columns: Vec<String>,
    /// The most that it may cost.
    pub max_cost: Option<Amount>,
    /// Asked again with the same key, the same rows come and nothing is charged.
    pub idempotency_key: Option<String>,
}

/// A dataset that is being downloaded.
pub struct Download {
    /// Its receipt.
    pub receipt: Option<CallId>,
    /// What it cost.
    pub cost: Option<Amount>,
    /// Its length.
    pub bytes: Option<u64>,
    /// Its rows, as JSONL.
    pub rows: BoxStream<'static, Result<Vec<u8>, ClientError>>,
}

impl Client {
    /// Publishes a file of `length` bytes, and waits until it is read in, indexed and recorded.
    ///
    /// # Errors
    /// See [`ClientError`]; of rows that are wrong, status 422 with `bad_rows` in its metadata.
    pub async fn publish_dataset(
        &self,
        said: &PublishDataset,
        length: u64,
        file: impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static,
    ) -> Result<Dataset, ClientError> {
        let call = self.with_query(Method::POST, "/v1/aigen/datasets", &said.pairs());
        let call = call.header(CONTENT_LENGTH, length);
        read(send(call.body(Body::wrap_stream(file))).await?).await
    }

    /// Which of the account's files the node is reading in, and how far it is.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn dataset_imports(&self) -> Result<List<DatasetImport>, ClientError> {
        self.get("/v1/aigen/imports").await
    }

    /// Reads rows, which are charged before they come.
    ///
    /// # Errors
    /// See [`ClientError`]. What is refused costs nothing.
    pub async fn dataset_rows(
        &self,
        dataset: &DatasetSelector,
        query: &RowsQuery,
    ) -> Result<DatasetRows, ClientError> {
        let path = format!("/v1/aigen/datasets/{dataset}/rows");
        let call = self.with_query(Method::GET, &path, &query.pairs());
        let call = once(call, query.idempotency_key.as_deref());
        read(send(call).await?).await
    }

    /// Downloads a whole dataset, charged once under this idempotency key however often it breaks
    /// off.
    ///
    /// # Errors
    /// See [`ClientError`]; later as the last item of its rows.
    pub async fn download_dataset(
        &self,
        dataset: &DatasetSelector,
        max_cost: Option<Amount>,
        idempotency_key: Option<&str>,
    ) -> Result<Download, ClientError> {
        let path = format!("/v1/aigen/datasets/{dataset}/download");
        let bound = max_cost.map(|most| ("max_cost", most.to_string()));
        let call = self.with_query(Method::GET, &path, bound.as_slice());
        let response = send(once(call, idempotency_key)).await?;
        Ok(Download {
            receipt: header(&response, "x-aigen-receipt"),
            cost: header(&response, "x-aigen-cost"),
            bytes: response.content_length(),
            rows: pieces(response),
        })
    }

    fn with_query(
        &self,
        method: Method,
        path: &str,
        pairs: &[(&'static str, String)],
    ) -> RequestBuilder {
        let mut url = reqwest::Url::parse("http://host").expect("a URL");
        url.query_pairs_mut().extend_pairs(pairs);
        let query = url.query().filter(|query| !query.is_empty());
        match query {
            Some(query) => self.request(method, &format!("{path}?{query}")),
            None => self.request(method, path),
        }
    }
}

impl RowsQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let columns = Some(self.columns.join(",")).filter(|columns| !columns.is_empty());
        let pairs = [
            ("q", self.q.clone()),
            ("after", self.after.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("columns", columns),
            ("max_cost", self.max_cost.map(|most| most.to_string())),
        ];
        let said = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        said.collect()
    }
}

fn once(call: RequestBuilder, key: Option<&str>) -> RequestBuilder {
    match key {
        Some(key) => call.header("Idempotency-Key", key),
        None => call,
    }
}

fn header<T: std::str::FromStr>(response: &Response, name: &str) -> Option<T> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

fn pieces(response: Response) -> BoxStream<'static, Result<Vec<u8>, ClientError>> {
    let pieces = response.bytes_stream().map_err(ClientError::from);
    pieces.map_ok(|piece| piece.to_vec()).boxed()
}
