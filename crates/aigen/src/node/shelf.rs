//! What runs calls again, as files of the data folder: one for each call, the oldest given up
//! where they become too old or too many.

use crate::config::ReplaysConfig;
use aigen_node::Shelf;
use aigen_types::CallId;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// A folder of logs.
pub struct Files {
    folder: PathBuf,
    bytes_max: u64,
    age_max: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    calls: BTreeMap<CallId, File>,
    /// The oldest first; of the same age by their numbers.
    order: BTreeMap<(SystemTime, CallId), u64>,
    bytes: u64,
}

#[derive(Clone, Copy)]
struct File {
    kept: SystemTime,
}

impl Files {
    /// What is there already counts.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn within(folder: PathBuf, config: ReplaysConfig) -> std::io::Result<Self> {
        let mut known = Known::default();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            match call_of(Path::new(&name)) {
                Some(call) => {
                    let about = entry.metadata()?;
                    known.put(call, about.modified()?, about.len());
                }
                // Half a file of a process that was killed.
                None => fs::remove_file(entry.path())?,
            }
        }
        let files = Self {
            folder,
            bytes_max: config.mib << 20,
            age_max: Duration::from_secs(config.days * 24 * 60 * 60),
            known: Mutex::new(known),
        };
        files.prune(&mut files.lock());
        Ok(files)
    }

    fn path(&self, call: CallId) -> PathBuf {
        self.folder.join(format!("{call}.json"))
    }

    /// Gives up what is too old or too much.
    fn prune(&self, known: &mut Known) {
        let now = SystemTime::now();
        while let Some((&(kept, call), _)) = known.order.first_key_value() {
            let age = now.duration_since(kept).unwrap_or_default();
            if age <= self.age_max && known.bytes <= self.bytes_max {
                return;
            }
            known.remove(call);
            // What cannot be removed now is found again when the node starts.
            let _ = fs::remove_file(self.path(call));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Every change is complete before anything can panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for Files {
    fn keep(&self, call: CallId, bytes: &[u8]) -> Result<(), String> {
        let size = bytes.len() as u64;
        if size > self.bytes_max {
            return Err(format!(
                "it has {size} bytes, and {} is the most",
                self.bytes_max
            ));
        }
        let write = || {
            let partial = self.folder.join(format!("{call}.partial"));
            let mut options = fs::File::options();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&partial)?;
            file.write_all(bytes)?;
            file.sync_data()?;
            fs::rename(partial, self.path(call))
        };
        write().map_err(|error: std::io::Error| error.to_string())?;
        let mut known = self.lock();
        known.put(call, SystemTime::now(), size);
        self.prune(&mut known);
        Ok(())
    }

    fn find(&self, call: CallId) -> Result<Option<Vec<u8>>, String> {
        if !self.has(call) {
            return Ok(None);
        }
        fs::read(self.path(call))
            .map(Some)
            .map_err(|error| error.to_string())
    }

    fn has(&self, call: CallId) -> bool {
        let mut known = self.lock();
        self.prune(&mut known);
        known.calls.contains_key(&call)
    }
}

impl Known {
    fn put(&mut self, call: CallId, kept: SystemTime, size: u64) {
        self.remove(call);
        self.calls.insert(call, File { kept });
        self.order.insert((kept, call), size);
        self.bytes += size;
    }

    fn remove(&mut self, call: CallId) {
        let file = self.calls.remove(&call);
        let size = file.and_then(|file| self.order.remove(&(file.kept, call)));
        self.bytes -= size.unwrap_or(0);
    }
}

fn call_of(name: &Path) -> Option<CallId> {
    let is_whole = name
        .extension()
        .is_some_and(|extension| extension == "json");
    let call = name.file_stem()?.to_str()?;
    call.parse().ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path, mib: u64, days: u64) -> Files {
        Files::within(folder.to_owned(), ReplaysConfig { mib, days }).unwrap()
    }

    #[test]
    fn the_oldest_make_room_and_what_is_kept_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = files(folder.path(), 1, 1);
        let third = vec![b'x'; 400 << 10];
        for call in 1..=3 {
            shelf.keep(CallId(call), &third).unwrap();
        }
        let has = |shelf: &Files| [1, 2, 3].map(|call| shelf.has(CallId(call)));
        assert_eq!(has(&shelf), [false, true, true]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let refused = shelf.keep(CallId(4), &vec![0; 2 << 20]).unwrap_err();
        assert!(refused.contains("is the most"), "{refused}");
        drop(shelf);
        // Another process, before which one was killed in the middle of a file.
        fs::write(folder.path().join("5.partial"), b"half").unwrap();
        let shelf = files(folder.path(), 1, 1);
        assert_eq!(has(&shelf), [false, true, true]);
        assert_eq!(shelf.find(CallId(2)).unwrap().unwrap(), third);
        assert_eq!(shelf.find(CallId(1)), Ok(None));
        // The same call again takes no more room.
        shelf.keep(CallId(3), &third).unwrap();
        assert_eq!(has(&shelf), [false, true, true]);
    }

    #[test]
    fn what_is_too_old_goes() {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path(), 1, 1).keep(CallId(1), b"old").unwrap();
        let file = fs::File::options()
            .write(true)
            .open(folder.path().join(format!("{}.json", CallId(1))))
            .unwrap();
        let yesterday = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
        file.set_modified(yesterday).unwrap();
        assert!(files(folder.path(), 1, 2).has(CallId(1)));
        assert!(!files(folder.path(), 1, 1).has(CallId(1)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
