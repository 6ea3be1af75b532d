use std::path::Path;

use aigen_engine::limits::kept_tokens_max;

use crate::gguf::{self, Header};
use crate::options::DEFAULT_CONTEXT_MAX;
use crate::{OpenError, Options};

/// Bytes of one number in the cache.
const CACHED_BYTES: u64 = 2;

/// Memory that a model will take when it is opened with these options, in bytes: its weights and its
/// cache, with the prefixes kept beside it and without the intermediate results of a pass. Reads the file's header alone.
///
/// # Errors
/// As [`crate::open`], for a file that is none.
pub fn memory(path: impl AsRef<Path>, options: &Options) -> Result<u64, OpenError> {
    let path = path.as_ref();
    let header = gguf::read(path)?;
    let weights = std::fs::metadata(path).map_or(0, |file| file.len());
    Ok(weights.saturating_add(tokens(&header, options).saturating_mul(cell_bytes(&header))))
}

/// Tokens in the cache and beside it, by the same rules as when it is opened.
fn tokens(header: &Header, options: &Options) -> u64 {
    let trained = number(header, "context_length").unwrap_or(DEFAULT_CONTEXT_MAX.into());
    let usual = trained.min(DEFAULT_CONTEXT_MAX.into());
    let context = options.context_tokens.map_or(usual, u64::from);
    let all = context.saturating_mul(options.sequences_max.into());
    let cells = options.cells.map_or(all, u64::from).min(all);
    let narrow = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
    let kept = match options.kept_sequences {
        0 => 0,
        _ => kept_tokens_max(narrow(cells), narrow(context)),
    };
    cells.saturating_add(kept.into())
}

/// What a token takes there: a key and a value in every layer, for every head that has its own.
fn cell_bytes(header: &Header) -> u64 {
    let heads = number(header, "attention.head_count").unwrap_or(1).max(1);
    let own = number(header, "attention.head_count_kv").unwrap_or(heads);
    let width = number(header, "embedding_length").unwrap_or(0) / heads;
    let key = number(header, "attention.key_length").unwrap_or(width);
    let value = number(header, "attention.value_length").unwrap_or(width);
    let layers = number(header, "block_count").unwrap_or(0);
    let numbers = layers
        .saturating_mul(own)
        .saturating_mul(key.saturating_add(value));
    numbers.saturating_mul(CACHED_BYTES)
}

fn number(header: &Header, key: &str) -> Option<u64> {
    let key = format!("{}.{key}", header.architecture());
    header
        .whole(&key)
        .and_then(|number| u64::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_cache_are_counted() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/aigen-tiny.gguf");
        let weights = std::fs::metadata(path).unwrap().len();
        let cell = cell_bytes(&gguf::read(Path::new(path)).unwrap());
        assert!(cell > 0 && cell.is_multiple_of(2 * CACHED_BYTES), "{cell}");
        let with = |options: &Options| memory(path, options).unwrap() - weights;
        let usual = Options {
            context_tokens: Some(512),
            ..Options::default()
        };
        let one = Options {
            sequences_max: 1,
            context_tokens: Some(100),
            ..usual.clone()
        };
        assert_eq!(with(&one), 2 * 100 * cell);
        assert_eq!(with(&usual), 6 * 512 * cell);
        let few = Options {
            cells: Some(512),
            kept_sequences: 0,
            ..usual
        };
        assert_eq!(with(&few), 512 * cell);
    }
}
