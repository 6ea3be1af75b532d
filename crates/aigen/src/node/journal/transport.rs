use aigen_api::resources::BatchWritten;
use aigen_journal::cluster::{Candidate, ForwardError, Transport};
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long the leader may take to write a batch. It may be written all the same; the journal
/// tells, so that a batch that is sent again is not written again.
const WRITE_TIME_MAX: Duration = Duration::from_secs(2);

/// Forwards batches over HTTP.
pub struct Http {
    client: reqwest::Client,
    /// The journal's thread is none of the runtime's own, and waits on it.
    runtime: Handle,
}

impl Http {
    /// Of the runtime that this is called in.
    ///
    /// # Errors
    /// When no client can be built.
    pub fn new() -> Result<Self> {
        aigen_client::install_tls();
        let client = reqwest::Client::builder()
            .timeout(WRITE_TIME_MAX)
            .no_proxy()
            .build()
            .context("cannot build an HTTP client")?;
        let runtime = Handle::current();
        Ok(Self { client, runtime })
    }

    async fn send(&self, leader: &Candidate, batch: Vec<u8>) -> Result<u64, reqwest::Error> {
        let url = format!("{}/v1/aigen/journal/batches", leader.url);
        let request = self
            .client
            .post(url)
            .bearer_auth(&leader.secret)
            .body(batch);
        let response = request.send().await?.error_for_status()?;
        Ok(response.json::<BatchWritten>().await?.record)
    }
}

impl Transport for Http {
    fn forward(&mut self, leader: &Candidate, batch: &[u8]) -> Result<u64, ForwardError> {
        let sent = self.runtime.block_on(self.send(leader, batch.to_vec()));
        sent.map_err(|error| {
            tracing::warn!(leader = %leader.url, %error, "the leader did not take a batch");
            ForwardError {
                url: leader.url.clone(),
                reason: error.to_string(),
            }
        })
    }
}
