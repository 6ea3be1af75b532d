use super::Config;
use crate::failure::OrHint;
use aigen_api::settlement;
use aigen_economy::Shares;
use aigen_economy::settlement::{Parameter, ParameterKind, Params};
use aigen_network::Settings;
use aigen_types::Ppm;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Mean controller time per computed token at which the latency score reaches zero: a tenth
/// of the 20 ms that one token takes at 50 tokens per second.
const LATENCY_BUDGET_MICROS: u64 = 2_000;

/// Parts per million of every captured charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharesConfig {
    /// The model provider.
    pub provider: u32,
    /// The datasets.
    pub data: u32,
    /// The controller's escrow.
    pub controller: u32,
    /// The controller's validators.
    pub validator: u32,
}

impl Default for SharesConfig {
    fn default() -> Self {
        let shares = Shares::default();
        Self {
            provider: shares.provider().parts(),
            data: shares.data().parts(),
            controller: shares.controller().parts(),
            validator: shares.validator().parts(),
        }
    }
}

impl Config {
    /// How charges are shared.
    ///
    /// # Errors
    /// Shares that leave the protocol nothing.
    pub fn shares(&self) -> Result<Shares> {
        let ppm = |name, parts| {
            Ppm::new(parts).with_context(|| format!("shares.{name} is above 1000000 (one whole)"))
        };
        let SharesConfig {
            provider,
            data,
            controller,
            validator,
        } = self.shares;
        Shares::new(
            ppm("provider", provider)?,
            ppm("data", data)?,
            ppm("controller", controller)?,
            ppm("validator", validator)?,
        )
        .or_hint(
            "the section [shares] does not add up",
            "lower one of provider, data, controller, validator",
        )
    }

    /// What a new network is founded with.
    ///
    /// # Errors
    /// A share or a settlement parameter that is out of range.
    pub fn settings(&self) -> Result<Settings> {
        Ok(Settings {
            shares: self.shares()?,
            parameters: parameters(),
            params: params(&self.settlement).context("the section [settlement] is not valid")?,
            latency_budget_micros: LATENCY_BUDGET_MICROS,
        })
    }
}

/// What controllers are scored in. Their weights sum to one whole; an unsafe controller is
/// pulled down whatever else it does well.
fn parameters() -> Vec<Parameter> {
    use ParameterKind::{Measured, Voted};
    let row = |id: &str, weight, kind, gate_full| Parameter {
        id: id.to_owned(),
        weight: Ppm::new(weight).expect("below one whole"),
        kind,
        gate_full: Ppm::new(gate_full).expect("below one whole"),
    };
    vec![
        row("quality", 400_000, Voted, 0),
        row("conformance", 200_000, Voted, 0),
        row("safety", 100_000, Voted, 800_000),
        row("reliability", 200_000, Measured, 0),
        row("latency", 100_000, Measured, 0),
    ]
}

fn params(overrides: &settlement::Params) -> Result<Params> {
    let mut params = Params::default();
    let serde_json::Value::Object(given) = serde_json::to_value(overrides)? else {
        unreachable!("a struct is written as an object");
    };
    for (name, value) in given {
        match value.as_u64() {
            Some(number) => params.set(&name, number)?,
            None => params.remainder = value.as_str().unwrap_or_default().parse()?,
        }
    }
    params.check()?;
    Ok(params)
}
