//! How much memory the models of a node may take together.

use super::{explained, file_of, options};
use crate::config::{Config, ModelConfig};
use crate::failure::hinted;
use aigen_types::ModelName;
use anyhow::Result;

/// Whether a model has room beside others.
///
/// # Errors
/// When it has not, or its file is none.
pub fn check(model: &ModelConfig, others: &[&ModelName], config: &Config) -> Result<()> {
    let Some(budget) = config.memory_mib else {
        return Ok(());
    };
    let needed = mib(model, config)?;
    let mut taken = 0_u64;
    for other in others {
        taken += mib(&super::configured(other, config), config)?;
    }
    if taken + needed > budget {
        return Err(hinted(
            format!(
                "`{}` needs {needed} MiB, and of `memory_mib = {budget}` {taken} are taken",
                model.name
            ),
            "unload another model, lower its `sequences`, `cells` or `context_tokens`, or raise `memory_mib`",
        ));
    }
    Ok(())
}

/// Weights and cache, in MiB rounded up; nothing for a model of other servers.
fn mib(model: &ModelConfig, config: &Config) -> Result<u64> {
    if !model.upstreams.is_empty() {
        return Ok(0);
    }
    let file = file_of(model, config)?;
    let bytes = aigen_engine_llama::memory(file, &options(model)).map_err(explained)?;
    Ok(bytes.div_ceil(1 << 20))
}
