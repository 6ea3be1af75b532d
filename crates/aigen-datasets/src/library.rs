use crate::dataset::Dataset;
use crate::error::ImportError;
use crate::gather::{Progress, Room, Stage, gather};
use crate::index::Build;
use crate::limits::PROGRESS_BYTES;
use crate::manifest::Manifest;
use crate::rows::{ENDS, ROWS};
use crate::source::Source;
use aigen_types::Digest;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const INDEX: &str = "index";
const MANIFEST: &str = "manifest.json";
/// Folders that are not whole yet begin with it.
const PART: &str = "part-";

/// A folder of datasets, each in a folder named by its digest. One process uses it at a time.
pub struct Library {
    root: PathBuf,
    bytes_max: u64,
    held: Mutex<BTreeMap<Digest, Arc<Dataset>>>,
    parts: AtomicU64,
}

impl Library {
    /// Opens a folder, which is made if it is not there. What an import that was killed left
    /// behind is removed.
    ///
    /// # Errors
    /// The folder cannot be read or written, or what is in it is not what was put there.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let mut held = BTreeMap::new();
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(PART) {
                remove(&entry.path())?;
            } else if let Ok(digest) = name.parse::<Digest>() {
                held.insert(digest, Arc::new(open(entry.path(), digest)?));
            }
        }
        Ok(Self {
            root: root.to_owned(),
            bytes_max: u64::MAX,
            held: Mutex::new(held),
            parts: AtomicU64::new(0),
        })
    }

    /// As it is, with room for this many bytes of rows and of what says where each ends. Indexes take
    /// about as much again. Imports at the same time each take the room that is free when they begin.
    #[must_use]
    pub fn bounded(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// The dataset of this digest, if it is here.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<Arc<Dataset>> {
        self.held().get(digest).cloned()
    }

    /// What is here, in the order of digests.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Dataset>> {
        self.held().values().cloned().collect()
    }

    /// Reads a source in, as a whole or not at all. What is here already is not kept twice.
    ///
    /// # Errors
    /// Rows that are wrong, by line and column; a source that cannot be read; more rows than there is
    /// room for, of which no more is ever written; a disk that is full.
    pub fn import(
        &self,
        source: &Source,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Manifest, ImportError> {
        let part = Part::new(self).map_err(ImportError::Keep)?;
        let room = self.room();
        let manifest = write_rows(source, &part.folder, room, progress)?;
        if self.get(&manifest.digest).is_some() {
            return Ok(manifest);
        }
        if manifest.kept_bytes() > room.free {
            return Err(ImportError::Full(self.bytes_max));
        }
        build_index(&manifest, &part.folder, progress)?;
        self.keep(part, &manifest).map_err(ImportError::Keep)?;
        Ok(manifest)
    }

    /// Whether there is room for rows of this many bytes, before they are received.
    ///
    /// # Errors
    /// There is not.
    pub fn must_fit(&self, bytes: u64) -> Result<(), ImportError> {
        match bytes > self.room().free {
            true => Err(ImportError::Full(self.bytes_max)),
            false => Ok(()),
        }
    }

    fn room(&self) -> Room {
        let held = self.held();
        let sizes = held.values().map(|dataset| dataset.manifest().kept_bytes());
        Room {
            free: self.bytes_max.saturating_sub(sizes.clone().sum()),
            known: sizes.max().unwrap_or(0),
            all: self.bytes_max,
        }
    }

    /// A file for what is to be read in, removed when it is dropped or, after a kill, at the next
    /// opening.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn incoming(&self) -> io::Result<Incoming> {
        let path = self.part_name();
        File::create_new(&path)?;
        Ok(Incoming { path })
    }

    /// Forgets a dataset and removes its files. Whoever reads it now may finish.
    ///
    /// # Errors
    /// The files cannot be removed.
    pub fn remove(&self, digest: &Digest) -> io::Result<bool> {
        let Some(dataset) = self.held().remove(digest) else {
            return Ok(false);
        };
        // Renamed first, so that nothing half-removed is taken for whole.
        let part = self.part_name();
        fs::rename(dataset.folder(), &part)?;
        fs::remove_dir_all(part)?;
        Ok(true)
    }

    /// Gives a folder that is whole its name. The manifest is written last, and all of it is on the
    /// disk before the name is.
    fn keep(&self, part: Part, manifest: &Manifest) -> io::Result<()> {
        manifest.write(&part.folder.join(MANIFEST))?;
        sync_tree(&part.folder)?;
        let folder = self.root.join(manifest.digest.to_string());
        let mut held = self.held();
        // Of two imports of the same rows one is kept.
        if held.contains_key(&manifest.digest) {
            return Ok(());
        }
        fs::rename(&part.folder, &folder)?;
        File::open(&self.root)?.sync_all()?;
        held.insert(
            manifest.digest,
            Arc::new(Dataset::new(folder, manifest.clone())),
        );
        Ok(())
    }

    fn part_name(&self) -> PathBuf {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("{PART}{number}"))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Arc<Dataset>>> {
        self.held.lock().expect("no holder panics")
    }
}

fn open(folder: PathBuf, digest: Digest) -> io::Result<Dataset> {
    let manifest = Manifest::read(&folder.join(MANIFEST));
    let manifest = manifest.and_then(|manifest| match manifest.digest == digest {
        true => Ok(manifest),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it names another digest",
        )),
    });
    let manifest = manifest.map_err(|error| {
        let hint = "move the folder away and publish its file again";
        io::Error::new(
            error.kind(),
            format!("{}: {error}\nhint: {hint}", folder.display()),
        )
    })?;
    Ok(Dataset::new(folder, manifest))
}

/// A folder that is being written, and removed unless it is renamed.
struct Part {
    folder: PathBuf,
}

impl Part {
    fn new(library: &Library) -> io::Result<Self> {
        let folder = library.part_name();
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone if it was renamed. What cannot be removed now is removed at the next opening.
        let _ = remove(&self.folder);
    }
}

/// A file that is being received.
pub struct Incoming {
    path: PathBuf,
}

impl Incoming {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let _ = remove(&self.path);
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

fn write_rows(
    source: &Source,
    folder: &Path,
    room: Room,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, ImportError> {
    let create =
        |name| File::create_new(folder.join(name)).map(|f| BufWriter::with_capacity(1 << 18, f));
    let mut rows = create(ROWS).map_err(ImportError::Keep)?;
    let mut ends = create(ENDS).map_err(ImportError::Keep)?;
    gather(source, &mut rows, &mut ends, room, progress)
}

/// Reads back what was written, so that what is searched is what is read.
fn build_index(
    manifest: &Manifest,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ImportError> {
    let index = folder.join(INDEX);
    fs::create_dir(&index).map_err(ImportError::Keep)?;
    let mut build = Build::new(&index, &manifest.columns).map_err(ImportError::Index)?;
    let rows = File::open(folder.join(ROWS)).map_err(ImportError::Keep)?;
    let mut rows = BufReader::with_capacity(1 << 18, rows);
    let (mut line, mut done, mut next_report) = (Vec::new(), 0, 0);
    for row in 0..manifest.rows {
        line.clear();
        done += rows
            .read_until(b'\n', &mut line)
            .map_err(ImportError::Keep)? as u64;
        let values = serde_json::from_slice(&line).map_err(|e| ImportError::Keep(e.into()))?;
        build.row(row, &values).map_err(ImportError::Index)?;
        if done >= next_report {
            next_report = done + PROGRESS_BYTES;
            progress(Progress {
                stage: Stage::Indexing,
                done,
                total: manifest.bytes,
                rows: row + 1,
            });
        }
    }
    build.finish().map_err(ImportError::Index)
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(folder)?.sync_all()
}
