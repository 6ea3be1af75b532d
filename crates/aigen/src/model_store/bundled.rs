use super::{BUNDLED, Entry};
use crate::failure::OrHint;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// The model that is part of the program, so that everything runs without a download.
static WEIGHTS: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../model/aigen-tiny.gguf"
));

pub(super) fn entry() -> Entry {
    Entry {
        name: BUNDLED.parse().expect("a plain word"),
        file: PathBuf::new(),
        bytes: WEIGHTS.len() as u64,
        source: "part of this program".into(),
        sha256: None,
    }
}

/// Writes the weights into the folder, unless they lie there unharmed. The file's name
/// carries the digest, so that two versions of the program do not quarrel over it.
pub(super) fn unpack(folder: &Path) -> Result<PathBuf> {
    let digest = blake3::hash(WEIGHTS);
    let path = folder.join(format!("{BUNDLED}-{}.gguf", &digest.to_hex()[..16]));
    let unharmed = fs::read(&path).is_ok_and(|bytes| blake3::hash(&bytes) == digest);
    if !unharmed {
        // Written beside and renamed, so that nobody reads half a file.
        let partial = folder.join(format!("{BUNDLED}-{}.partial", std::process::id()));
        fs::write(&partial, WEIGHTS)
            .and_then(|()| fs::rename(&partial, &path))
            .or_hint(
                format!("cannot unpack the bundled model to {}", path.display()),
                "name a folder that you can write to: AIGEN_MODELS_DIR=FOLDER",
            )?;
    }
    Ok(path)
}
