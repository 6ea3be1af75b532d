use super::text;
use super::upstream::{RemoteConfig, UpstreamConfig};
use crate::failure::hinted;
use aigen_economy::Price;
use aigen_types::{Amount, ModelName, Slug};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A model that the node serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its name in requests; also in the local catalogue, unless `file` says where it is.
    #[serde(with = "text")]
    pub name: ModelName,
    /// The GGUF file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Who is paid for its tokens, at `provider:<name>`.
    #[serde(with = "text", default = "default_provider")]
    pub provider: Slug,
    /// CPU threads; when absent one for small models, else one per physical core, at most 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Tokens that one request may hold, prompt and answer; what the model was trained for,
    /// at most 8,192, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u32>,
    /// Requests that are computed at once, others wait; 4 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequences: Option<u32>,
    /// Tokens that all requests together may hold in memory; when absent, as many as `sequences`
    /// times `context_tokens`. With fewer, a request may pause until another has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<u32>,
    /// Answered requests whose tokens are kept for prompts that begin alike, beside the cells; 16 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<u32>,
    /// Layers that a GPU computes; all of them when absent and this build has a GPU back end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_layers: Option<u32>,
    /// How it reasons before it answers, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningConfig>,
    /// What it costs.
    #[serde(default)]
    pub price: PriceConfig,
    /// The servers that answer for it; none where it is computed here.
    #[serde(default, rename = "upstream", skip_serializing_if = "Vec::is_empty")]
    pub upstreams: Vec<UpstreamConfig>,
    /// How they are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteConfig>,
}

impl ModelConfig {
    /// The model of this name, with the default provider and price.
    pub fn named(name: ModelName) -> Self {
        Self {
            name,
            file: None,
            provider: default_provider(),
            threads: None,
            context_tokens: None,
            sequences: None,
            cells: None,
            kept: None,
            gpu_layers: None,
            reasoning: None,
            price: PriceConfig::default(),
            upstreams: Vec::new(),
            remote: None,
        }
    }

    /// Whether it is computed in the same way, whatever it costs and whoever is paid.
    pub fn computes_like(&self, other: &Self) -> bool {
        let same = Self {
            provider: other.provider.clone(),
            price: other.price.clone(),
            ..self.clone()
        };
        same == *other
    }

    /// Whether it makes sense as a whole.
    ///
    /// # Errors
    /// The first thing that does not, with a way out.
    pub fn check(&self) -> Result<()> {
        let name = &self.name;
        self.price.check(name)?;
        self.reasoning
            .iter()
            .try_for_each(|marks| marks.check(name))?;
        if self.upstreams.is_empty() {
            return match self.remote {
                None => Ok(()),
                Some(_) => Err(hinted(
                    format!("the model `{name}` has [model.remote] and no upstream"),
                    "add a [[model.upstream]] section with its `base_url`",
                )),
            };
        }
        let here = [
            ("file", self.file.is_some()),
            ("threads", self.threads.is_some()),
            ("sequences", self.sequences.is_some()),
            ("cells", self.cells.is_some()),
            ("kept", self.kept.is_some()),
            ("gpu_layers", self.gpu_layers.is_some()),
            ("reasoning", self.reasoning.is_some()),
        ];
        if let Some((key, _)) = here.iter().find(|(_, set)| *set) {
            return Err(hinted(
                format!(
                    "the model `{name}` has an upstream, and `{key}` is for models computed here"
                ),
                format!("remove `{key}`, or the [[model.upstream]] sections"),
            ));
        }
        if self.context_tokens.is_none_or(|tokens| tokens == 0) {
            return Err(hinted(
                format!("nobody says how many tokens the model `{name}` holds"),
                "set `context_tokens` to what its upstreams can: money is held for at most so many",
            ));
        }
        if let Some(remote) = &self.remote {
            remote.check(name)?;
        }
        self.upstreams.iter().try_for_each(UpstreamConfig::check)
    }
}

/// The texts between which a model reasons: `reasoning = { start = "<think>", end = "</think>" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasoningConfig {
    /// What it begins with. A model whose template does not end within it is made to say it; left
    /// out, every answer begins with reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// What it ends with: the answer begins after it.
    pub end: String,
}

impl ReasoningConfig {
    fn check(&self, model: &ModelName) -> Result<()> {
        let fits = |mark: &String| (1..=64).contains(&mark.len());
        match fits(&self.end) && self.start.iter().all(fits) {
            true => Ok(()),
            false => Err(hinted(
                format!(
                    "the marks of the model `{model}`'s reasoning are empty, or longer than 64 bytes"
                ),
                "write them like reasoning = { start = \"<think>\", end = \"</think>\" }",
            )),
        }
    }
}

impl From<&ReasoningConfig> for aigen_node::Reasoning {
    fn from(config: &ReasoningConfig) -> Self {
        Self {
            start: config.start.clone(),
            end: config.end.clone(),
        }
    }
}

fn default_provider() -> Slug {
    "aigen".parse().expect("a plain word")
}

/// Prices in AIGEN: per 1,000,000 tokens, and per request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceConfig {
    /// Per 1,000,000 prompt tokens, and tokens that a controller forces.
    #[serde(with = "text")]
    pub input: Amount,
    /// Per 1,000,000 prompt tokens found in the prefix cache.
    #[serde(with = "text")]
    pub cached_input: Amount,
    /// Per 1,000,000 tokens the model computes.
    #[serde(with = "text")]
    pub output: Amount,
    /// Per request.
    #[serde(with = "text")]
    pub request: Amount,
}

/// The highest price: a call of the longest context comes to an amount that there can be.
const PRICE_MAX_AIGEN: u32 = 1_000_000_000;

impl PriceConfig {
    fn check(&self, model: &ModelName) -> Result<()> {
        let most: Amount = PRICE_MAX_AIGEN.to_string().parse()?;
        let prices = [
            ("input", self.input),
            ("cached_input", self.cached_input),
            ("output", self.output),
            ("request", self.request),
        ];
        match prices.iter().find(|(_, price)| *price > most) {
            None => Ok(()),
            Some((key, price)) => Err(hinted(
                format!("`{key}` of the model `{model}` is {price} AIGEN, and at most {most}"),
                "prices are per 1,000,000 tokens, and per request",
            )),
        }
    }
}

/// Whole numbers of nano-AIGEN per token (20,000, 2,000 and 60,000), so that nothing rounds.
impl Default for PriceConfig {
    fn default() -> Self {
        let amount = |text: &str| text.parse().expect("an amount of AIGEN");
        Self {
            input: amount("20"),
            cached_input: amount("2"),
            output: amount("60"),
            request: amount("0.0001"),
        }
    }
}

impl From<&PriceConfig> for Price {
    fn from(price: &PriceConfig) -> Self {
        Self {
            input: price.input,
            cached_input: price.cached_input,
            output: price.output,
            request: price.request,
        }
    }
}
