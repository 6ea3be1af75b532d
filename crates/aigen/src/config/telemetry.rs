use super::bounds::without_passwords;
use super::upstream::is_base_url;
use crate::failure::hinted;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// Where traces go: `[telemetry]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The base URL of an OpenTelemetry collector that takes OTLP over HTTP.
    pub otlp: String,
    /// The environment variable that holds an `Authorization` header for it; it gets none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_env: Option<String>,
}

impl TelemetryConfig {
    /// Whether spans can go there.
    ///
    /// # Errors
    /// What is wrong, with a way out.
    pub fn check(&self) -> Result<()> {
        if is_base_url(&self.otlp) {
            return Ok(());
        }
        Err(hinted(
            format!(
                "`{}` is not the base URL of a collector",
                without_passwords(&self.otlp)
            ),
            "write it like http://127.0.0.1:4318, and keep secrets out of it: `authorization_env` names the variable that holds one",
        ))
    }
}
