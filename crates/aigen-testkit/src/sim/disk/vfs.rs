//! The simulated disk as one of SQLite's file systems.

use super::{Disk, DiskError, State};
use aigen_journal::{SqliteStore, StoreError};
use sqlite_plugin::flags::{AccessFlags, LockLevel, OpenKind, OpenMode, OpenOpts};
use sqlite_plugin::vars;
use sqlite_plugin::vfs::{RegisterOpts, Vfs, VfsHandle, VfsResult, register_static};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};

/// The name of the file system within SQLite.
const VFS: &str = "aigen-sim";

/// Disks by number. SQLite keeps a file system for ever, so there is one, and the first word
/// of a path says which disk is meant.
static DISKS: LazyLock<Mutex<Disks>> = LazyLock::new(|| {
    let name = CString::new(VFS).expect("the name holds no zero");
    let opts = RegisterOpts {
        make_default: false,
    };
    register_static(name, SimulatedDisks, opts).expect("SQLite takes another file system");
    Mutex::default()
});

#[derive(Debug, Default)]
struct Disks {
    mounted: BTreeMap<u64, Weak<Mutex<State>>>,
    count: u64,
}

/// A disk that SQLite can reach, until this is dropped.
#[derive(Debug)]
pub(crate) struct Mounted {
    pub disk: Disk,
    number: u64,
}

impl Mounted {
    /// Gives SQLite access to a disk.
    pub fn new(disk: Disk) -> Self {
        let mut disks = disks();
        disks.count += 1;
        let number = disks.count;
        disks.mounted.insert(number, Arc::downgrade(&disk.0));
        Self { disk, number }
    }

    /// Opens the journal `name` as one should not: it believes the log that it finds.
    #[cfg(test)]
    pub fn journal_believed(&self, name: &str) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_on(&self.path(name), VFS, |_| Ok(()))
    }

    /// Opens the journal `name`, as `SqliteStore::open` does on other disks.
    pub fn journal(&self, name: &str) -> Result<SqliteStore, StoreError> {
        let write_again = |_: &Path| {
            let done = self.disk.write_again(&format!("{name}-wal"));
            done.map_err(|error| io::Error::other(format!("{error:?}")))
        };
        SqliteStore::open_on(&self.path(name), VFS, write_again)
    }

    /// Where SQLite finds the file `name` of this disk.
    fn path(&self, name: &str) -> PathBuf {
        format!("/{}/{name}", self.number).into()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        disks().mounted.remove(&self.number);
    }
}

fn disks() -> MutexGuard<'static, Disks> {
    DISKS.lock().expect("nothing panics with the disks in hand")
}

/// The disk that a path means, and the name of the file there.
fn find(path: &str) -> VfsResult<(Disk, &str)> {
    let parts = path.trim_start_matches('/').split_once('/');
    let (number, name) = parts.ok_or(vars::SQLITE_CANTOPEN)?;
    let number: u64 = number.parse().map_err(|_| vars::SQLITE_CANTOPEN)?;
    let state = disks().mounted.get(&number).and_then(Weak::upgrade);
    Ok((Disk(state.ok_or(vars::SQLITE_CANTOPEN)?), name))
}

/// Every simulated disk.
struct SimulatedDisks;

/// An open file.
struct Handle {
    disk: Disk,
    file: u64,
    /// It was opened in this life of the machine, and is dead in the next.
    starts: u64,
    /// Whether the next sync also makes the directory's names safe.
    sync_directory: bool,
}

impl Handle {
    fn with<T>(
        &self,
        act: impl FnOnce(&mut State) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut state = self.disk.state();
        if state.starts == self.starts {
            act(&mut state)
        } else {
            Err(DiskError::Io)
        }
    }
}

impl VfsHandle for Handle {
    fn readonly(&self) -> bool {
        false
    }

    fn in_memory(&self) -> bool {
        false
    }
}

impl Vfs for SimulatedDisks {
    type Handle = Handle;

    fn open(&self, path: Option<&str>, opts: OpenOpts) -> VfsResult<Handle> {
        // Only temporary files have no name, and a journal needs none.
        let (disk, name) = find(path.ok_or(vars::SQLITE_CANTOPEN)?)?;
        let create = !matches!(
            opts.mode(),
            OpenMode::ReadOnly
                | OpenMode::ReadWrite {
                    create: sqlite_plugin::flags::CreateMode::None
                }
        );
        let mut state = disk.state();
        let file = state
            .open(name, create)
            .map_err(|_| vars::SQLITE_CANTOPEN)?;
        let starts = state.starts;
        drop(state);
        // As SQLite's Unix file system decides it.
        let sync_directory = create
            && matches!(
                opts.kind(),
                OpenKind::MainJournal | OpenKind::SuperJournal | OpenKind::Wal
            );
        Ok(Handle {
            disk,
            file,
            starts,
            sync_directory,
        })
    }

    fn delete(&self, path: &str) -> VfsResult<()> {
        let (disk, name) = find(path)?;
        let mut state = disk.state();
        state.delete(name).map_err(|error| match error {
            DiskError::Missing => vars::SQLITE_IOERR_DELETE_NOENT,
            _ => vars::SQLITE_IOERR_DELETE,
        })
    }

    fn access(&self, path: &str, _: AccessFlags) -> VfsResult<bool> {
        let (disk, name) = find(path)?;
        let state = disk.state();
        let found = state.exists(name);
        found.map_err(|_| vars::SQLITE_IOERR_ACCESS)
    }

    fn file_size(&self, handle: &mut Handle) -> VfsResult<usize> {
        let size = handle.with(|state| state.size(handle.file));
        size.map_err(|_| vars::SQLITE_IOERR_FSTAT)
    }

    fn truncate(&self, handle: &mut Handle, size: usize) -> VfsResult<()> {
        let done = handle.with(|state| state.truncate(handle.file, size));
        done.map_err(|_| vars::SQLITE_IOERR_TRUNCATE)
    }

    fn write(&self, handle: &mut Handle, offset: usize, data: &[u8]) -> VfsResult<usize> {
        let done = handle.with(|state| state.write(handle.file, offset, data));
        done.map_err(|error| match error {
            DiskError::Full => vars::SQLITE_FULL,
            _ => vars::SQLITE_IOERR_WRITE,
        })?;
        Ok(data.len())
    }

    fn read(&self, handle: &mut Handle, offset: usize, data: &mut [u8]) -> VfsResult<usize> {
        let read = handle.with(|state| state.read(handle.file, offset, data));
        read.map_err(|_| vars::SQLITE_IOERR_READ)
    }

    // Whoever opens a simulated file has it alone.
    fn lock(&self, _: &mut Handle, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn unlock(&self, _: &mut Handle, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn check_reserved_lock(&self, _: &mut Handle) -> VfsResult<bool> {
        Ok(false)
    }

    fn sync(&self, handle: &mut Handle) -> VfsResult<()> {
        let done = handle.with(|state| state.sync(handle.file, handle.sync_directory));
        done.map_err(|_| vars::SQLITE_IOERR_FSYNC)?;
        handle.sync_directory = false;
        Ok(())
    }

    fn close(&self, _: Handle) -> VfsResult<()> {
        Ok(())
    }

    /// What SQLite assumes of a Unix file: a write leaves the bytes beside it alone.
    fn device_characteristics(&self, _: &mut Handle) -> VfsResult<i32> {
        Ok(vars::SQLITE_IOCAP_POWERSAFE_OVERWRITE)
    }
}
