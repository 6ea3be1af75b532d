//! What was compiled, kept in a folder, so that a node that starts again compiles nothing anew.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aigen_types::Digest;
use wasmtime::Engine;

use crate::limits::IMAGES_KEPT_BYTES_MAX;

const HASH_BYTES: usize = 32;

/// A folder of compiled components.
///
/// An image is machine code that is run as it is: the folder must be writable by nobody but
/// this program. Each file begins with a hash of the rest, so that a torn or damaged one is
/// compiled again instead of run.
#[derive(Clone, Debug)]
pub struct Images {
    folder: PathBuf,
}

impl Images {
    /// Keeps images in this folder, which exists.
    #[must_use]
    pub fn within(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { folder }
    }

    /// The image of a component, as this engine made it.
    pub(crate) fn read(&self, content: Digest, engine: &Engine) -> Option<Vec<u8>> {
        let path = self.path(content, engine);
        let mut bytes = fs::read(&path).ok()?;
        let hash = bytes.get(..HASH_BYTES)?;
        if blake3::hash(&bytes[HASH_BYTES..]).as_bytes() != hash {
            tracing::warn!(path = %path.display(), "a compiled controller is damaged; it is compiled again");
            return None;
        }
        // Who is used stays. A clock that fails costs a compilation later on.
        let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        bytes.drain(..HASH_BYTES);
        Some(bytes)
    }

    /// Keeps an image. A folder that cannot be written to costs time at the next start, no more.
    pub(crate) fn keep(&self, content: Digest, engine: &Engine, image: &[u8]) {
        let path = self.path(content, engine);
        if let Err(error) = write(&path, image).and_then(|()| self.forget_oldest()) {
            tracing::warn!(path = %path.display(), %error, "a compiled controller could not be kept; the next start compiles it again");
        }
    }

    /// Other versions of the engine, and other settings, make other files.
    fn path(&self, content: Digest, engine: &Engine) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let name = format!("{content}-{:016x}.image", hasher.finish());
        self.folder.join(name)
    }

    fn forget_oldest(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let (entry, metadata) =
                entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            kept.push((metadata.modified()?, metadata.len(), entry));
        }
        kept.sort_by_key(|(used, ..)| std::cmp::Reverse(*used));
        let mut bytes = 0_u64;
        for (_, size, path) in kept {
            bytes = bytes.saturating_add(size);
            if bytes > IMAGES_KEPT_BYTES_MAX {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Whole or not at all.
fn write(path: &Path, image: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = fs::File::create(&partial)?;
    file.write_all(blake3::hash(image).as_bytes())?;
    file.write_all(image)?;
    fs::rename(partial, path)
}
