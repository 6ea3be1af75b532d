use super::bounds::{SECONDS_MAX, within, without_passwords};
use crate::failure::hinted;
use aigen_types::ModelName;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// A server that answers for a model: `[[model.upstream]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Its base URL, up to `/v1`.
    pub base_url: String,
    /// What it calls the model; the model's own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The environment variable that holds its API key; it gets none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// Its part of the requests, relative to the others'.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// How a model of other servers is used: `[model.remote]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteConfig {
    /// How closely it can be steered; found out by a tiny request when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<RemoteControl>,
    /// Whether it takes tools, as OpenAI's API has them. Callers are refused them otherwise.
    pub tools: bool,
    /// Whether it tells how likely its answers are, as controllers may ask; found out by a tiny request when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<bool>,
    /// Whether it makes vectors: embeddings are asked of it, and nothing else.
    pub vectors: bool,
    /// What happens upstream when a caller is gone.
    pub hang_up: HangUpConfig,
    /// Whether answers are asked for whole instead of as streams.
    pub plain: bool,
    /// Output tokens, at most, of a request that does not say how many; 4,096 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_tokens: Option<u32>,
    /// Seconds until there is a connection; 5 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_seconds: Option<u64>,
    /// Seconds from a request to the first part of its answer; 120 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_seconds: Option<u64>,
    /// Seconds between two parts, comments among them; 30 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// Seconds for all of one try; 900 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_seconds: Option<u64>,
}

/// See [`RemoteConfig::control`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteControl {
    /// It follows a schema.
    Schema,
    /// It follows none.
    Text,
}

/// See [`RemoteConfig::hang_up`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HangUpConfig {
    /// The request is cancelled, and what had come is charged by this node's own count.
    #[default]
    Cancel,
    /// The answer is read to its end and charged as the upstream counts it.
    Drain,
}

impl RemoteConfig {
    /// # Errors
    /// What is of answers, where there are none; a bound that nothing fits; a time that nobody waits.
    pub fn check(&self, model: &ModelName) -> Result<()> {
        let of_answers = [
            ("control", self.control.is_some()),
            ("tools", self.tools),
            ("plain", self.plain),
            ("probabilities", self.probabilities.is_some()),
            ("answer_tokens", self.answer_tokens.is_some()),
        ];
        if let Some((key, _)) = of_answers.iter().find(|(_, set)| *set && self.vectors) {
            return Err(hinted(
                format!("the model `{model}` makes vectors, and `{key}` is for models that answer"),
                format!("remove `{key}`, or `vectors = true`"),
            ));
        }
        if self.answer_tokens == Some(0) {
            return Err(hinted(
                "`answer_tokens` of [model.remote] is 0, so that nothing would be answered",
                "leave it out for 4,096",
            ));
        }
        self.check_times()
    }

    fn check_times(&self) -> Result<()> {
        let times = [
            ("connect_seconds", self.connect_seconds),
            ("first_byte_seconds", self.first_byte_seconds),
            ("idle_seconds", self.idle_seconds),
            ("total_seconds", self.total_seconds),
        ];
        let set = times
            .into_iter()
            .filter_map(|(key, time)| Some((key, time?)));
        for (key, seconds) in set {
            within(
                &format!("`{key}` of [model.remote]"),
                seconds,
                1..=SECONDS_MAX,
            )?;
        }
        Ok(())
    }
}

impl UpstreamConfig {
    /// Whether requests, and a key in them, can go there.
    ///
    /// # Errors
    /// What is wrong, with a way out.
    pub fn check(&self) -> Result<()> {
        if !is_base_url(&self.base_url) {
            return Err(hinted(
                format!(
                    "`{}` is not the base URL of a server",
                    without_passwords(&self.base_url)
                ),
                "write it like https://llm.example.org/v1, and keep keys out of it: `api_key_env` names the variable that holds one",
            ));
        }
        if self.model.as_ref().is_some_and(String::is_empty) {
            return Err(hinted(
                format!(
                    "the upstream {} is asked for a model without a name",
                    self.base_url
                ),
                "leave `model` out where it has this model's own name",
            ));
        }
        if self.weight == 0 {
            return Err(hinted(
                format!("the upstream {} has the weight 0", self.base_url),
                "leave an upstream out that is not to be asked",
            ));
        }
        Ok(())
    }
}

/// Whether it is a URL of HTTP that paths can follow, without a user in it.
pub(super) fn is_base_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        let scheme = matches!(url.scheme(), "http" | "https");
        let ends_in_path = url.query().is_none() && url.fragment().is_none();
        let is_nobodys = url.username().is_empty() && url.password().is_none();
        scheme && url.has_host() && ends_in_path && is_nobodys
    })
}
