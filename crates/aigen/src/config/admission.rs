use super::bounds::{SECONDS_MAX, within};
use crate::failure::hinted;
use aigen_node::AdmissionLimits;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bounds on what each model has in hand: `[admission]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdmissionConfig {
    /// Requests that wait or are computed.
    pub requests: u32,
    /// Those of one key.
    pub requests_per_key: u32,
    /// Prompt tokens of requests that wait.
    pub queued_tokens: u64,
    /// Those of one key.
    pub queued_tokens_per_key: u64,
    /// How long a request may wait before it is computed.
    pub queue_seconds: u64,
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        let usual = AdmissionLimits::default();
        Self {
            requests: usual.calls_max,
            requests_per_key: usual.calls_per_key_max,
            queued_tokens: usual.queued_tokens_max,
            queued_tokens_per_key: usual.queued_tokens_per_key_max,
            queue_seconds: usual.queue_time_max.as_secs(),
        }
    }
}

impl AdmissionConfig {
    /// Whether anybody is let in.
    ///
    /// # Errors
    /// The first bound that is 0, or a time that nobody would wait.
    pub fn check(&self) -> Result<()> {
        let bounds = [
            ("requests", self.requests.into()),
            ("requests_per_key", self.requests_per_key.into()),
            ("queued_tokens", self.queued_tokens),
            ("queued_tokens_per_key", self.queued_tokens_per_key),
            ("queue_seconds", self.queue_seconds),
        ];
        match bounds.iter().find(|(_, bound)| *bound == 0) {
            None => within(
                "`queue_seconds` of [admission]",
                self.queue_seconds,
                1..=SECONDS_MAX,
            ),
            Some((key, _)) => Err(hinted(
                format!("`{key}` of [admission] is 0, so that nobody would be let in"),
                "leave it out for the default, which `aigen config --default` shows",
            )),
        }
    }
}

impl From<AdmissionConfig> for AdmissionLimits {
    fn from(config: AdmissionConfig) -> Self {
        Self {
            calls_max: config.requests,
            calls_per_key_max: config.requests_per_key,
            queued_tokens_max: config.queued_tokens,
            queued_tokens_per_key_max: config.queued_tokens_per_key,
            queue_time_max: Duration::from_secs(config.queue_seconds),
        }
    }
}
