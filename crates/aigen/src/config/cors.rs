use crate::failure::hinted;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// Which web pages may ask: `[cors]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsConfig {
    /// Their origins.
    pub origins: Vec<String>,
}

impl CorsConfig {
    /// # Errors
    /// What a browser would never send as an origin, with a way out.
    pub fn check(&self) -> Result<()> {
        match self.origins.iter().find(|origin| !is_origin(origin)) {
            None => Ok(()),
            Some(wrong) => Err(hinted(
                format!("[cors] `{wrong}` is not an origin"),
                "write scheme, host and port as a browser does, in lower case and without a path, like https://app.example or http://localhost:5173",
            )),
        }
    }
}

/// Whether it is its own serialised form.
fn is_origin(text: &str) -> bool {
    let url = reqwest::Url::parse(text).ok();
    let web = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    web.is_some_and(|url| url.origin().ascii_serialization() == text)
}
