//! What lies beside a journal before it is opened, and whether the journal is what it says.

use super::tip_file::{self, Kept, TipFile};
use super::unfinished::{self, Unfinished};
use super::{SqliteStore, log_of};
use crate::memory::MemoryStore;
use crate::record::Tip;
use crate::store::{Store, StoreError};
use std::io;
use std::path::{Path, PathBuf};

/// What was found beside a journal in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    journal: PathBuf,
    kept: Kept,
    /// What was begun to be written and is dropped. While a node runs it may be in the midst of it.
    pub unfinished: Unfinished,
}

/// Records that were acknowledged and are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The last record that was acknowledged, as far as is known.
    pub acknowledged: Tip,
    /// Where the journal ends now.
    pub ends: Tip,
    /// What stands in the log behind it.
    pub unfinished: Unfinished,
}

/// Looks beside a journal, without opening or changing anything. What the tip file says was durable
/// before this returns.
///
/// # Errors
/// When the file system does not give it.
pub fn look(journal: &Path) -> Result<Found, StoreError> {
    let looked = || {
        io::Result::Ok(Found {
            journal: journal.into(),
            kept: tip_file::read(&tip_file::path_of(journal))?,
            unfinished: unfinished::read(&log_of(journal))?,
        })
    };
    looked().map_err(|error| StoreError::Io(error.into()))
}

/// Takes what is left of a journal for the whole: from now on nobody misses the rest. `write_down`
/// is told what is lost before anything changes. None if nothing is.
///
/// # Errors
/// When the journal cannot be read to its end or written, or what `write_down` returned.
pub fn accept_loss(
    journal: &Path,
    write_down: impl FnOnce(&Loss) -> io::Result<()>,
) -> Result<Option<Loss>, StoreError> {
    let found = look(journal)?;
    let (Err(StoreError::Lost { .. }), Kept::Tip(acknowledged)) =
        (found.check_unopened(), found.kept)
    else {
        found.check_unopened()?;
        return Ok(None);
    };
    let loss = Loss {
        acknowledged,
        ends: found.unopened()?.tip()?,
        unfinished: found.unfinished,
    };
    write_down(&loss).map_err(|error| StoreError::Io(error.into()))?;
    drop(SqliteStore::open(journal)?);
    TipFile::begin(tip_file::path_of(journal), loss.ends)?;
    Ok(Some(loss))
}

impl Found {
    /// The last record that is known to have been acknowledged; none if nobody took it down.
    #[must_use]
    pub fn acknowledged(&self) -> Option<Tip> {
        match self.kept {
            Kept::Tip(tip) => Some(tip),
            Kept::Nothing | Kept::Unreadable => None,
        }
    }

    /// Whether there is a tip file that nobody can read: the power went as it was made, or the
    /// medium aged.
    #[must_use]
    pub fn is_tip_unreadable(&self) -> bool {
        self.kept == Kept::Unreadable
    }

    /// Checks that a journal holds what was acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when it does not, [`StoreError::Damaged`] when it cannot be read that far.
    pub fn check(&self, store: &dyn Store) -> Result<(), StoreError> {
        let Some(kept) = self.acknowledged().filter(|kept| kept.seq > 0) else {
            return Ok(());
        };
        let stored = store.tip_at(kept.seq);
        match stored.and_then(|stored| Ok((stored, store.tip()?))) {
            Ok((Some(stored), _)) if stored == kept => Ok(()),
            Ok((stored, ends)) => Err(lost(kept, stored, ends)),
            // A page that cannot be read: reading from the beginning names the record.
            Err(StoreError::Io(error)) => {
                store.read_after(Tip::default(), &mut |_| Ok(()))?;
                Err(StoreError::Io(error))
            }
            Err(error) => Err(error),
        }
    }

    /// As [`Found::check`], of the journal itself, if anything is known of it.
    pub(super) fn check_unopened(&self) -> Result<(), StoreError> {
        match self.acknowledged() {
            Some(_) => self.check(self.unopened()?.as_ref()),
            None => Ok(()),
        }
    }

    /// The journal as it lies there, to be read; one that is gone is an empty one.
    fn unopened(&self) -> Result<Box<dyn Store>, StoreError> {
        if !self.journal.exists() {
            return Ok(Box::<MemoryStore>::default());
        }
        match SqliteStore::peek(&self.journal) {
            Ok(Some(store)) => Ok(Box::new(store)),
            Ok(None) => Ok(Box::<MemoryStore>::default()),
            Err(StoreError::Foreign(what)) => Err(self.no_journal(what)),
            Err(error) => Err(error),
        }
    }

    /// What to say of a file that is no journal of ours, where one was.
    fn no_journal(&self, what: String) -> StoreError {
        StoreError::Foreign(match self.acknowledged() {
            Some(Tip { seq, .. }) => format!(
                "{what}\n  hint: {} held {seq} records when it was last used; if nobody has replaced it, it is damaged: restore a backup",
                self.journal.display()
            ),
            None => what,
        })
    }
}

fn lost(kept: Tip, stored: Option<Tip>, ends: Tip) -> StoreError {
    let (seq, what) = match stored {
        Some(_) => (kept.seq, "is another one".to_owned()),
        None if ends.seq >= kept.seq => (kept.seq, format!("has no record {}", kept.seq)),
        None => (ends.seq + 1, format!("ends at record {}", ends.seq)),
    };
    StoreError::Lost {
        seq,
        acknowledged: kept.seq,
        what,
    }
}
