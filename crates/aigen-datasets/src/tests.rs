mod bad;
mod formats;
mod hostile;
mod kill;
mod room;
mod rows;
mod search;
mod write;

use crate::{Format, ImportError, Library, Manifest, Source};
use std::fs;
use tempfile::TempDir;

/// A library in a folder of its own.
struct World {
    folder: TempDir,
    library: Library,
}

impl World {
    fn new() -> Self {
        Self::bounded(u64::MAX)
    }

    /// With room for this many bytes.
    fn bounded(bytes_max: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let library = Library::open(&folder.path().join("datasets")).expect("a library");
        let library = library.bounded(bytes_max);
        Self { folder, library }
    }

    fn import(&self, format: Format, bytes: &[u8]) -> Result<Manifest, ImportError> {
        let path = self.folder.path().join("source");
        fs::write(&path, bytes).expect("a file");
        self.library
            .import(&Source::new(&path, format), &mut |_| {})
    }

    /// What is in the library's folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("datasets")).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        };
        entries.map(name).collect()
    }

    fn content(&self, manifest: &Manifest) -> String {
        let dataset = self.library.get(&manifest.digest).expect("imported");
        std::io::read_to_string(dataset.content().expect("a file")).expect("text")
    }
}
