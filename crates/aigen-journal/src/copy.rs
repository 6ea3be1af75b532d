//! Journals as a whole: backed up, restored, moved from one back end to another, and shortened by
//! snapshots.

use crate::content::Stored;
use crate::record::Tip;
use crate::replay::recover;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};

/// Appends to one journal every record of another that comes after its end, and all content that
/// records name; a copy that was
/// interrupted goes on where it ended. Hashes and chain are checked on the way. `progress` is told
/// each record's number.
///
/// The source may be written to meanwhile; what is appended late is left out.
///
/// # Errors
/// When either store fails, or the target holds another journal than the source.
pub fn copy(
    from: &dyn Store,
    to: &mut dyn Store,
    mut progress: impl FnMut(u64),
) -> Result<Tip, StoreError> {
    let mut tip = to.tip()?;
    if tip != Tip::default() && from.tip_at(tip.seq)? != Some(tip) {
        return Err(StoreError::Conflict(tip.seq));
    }
    // Before the records that name it; and what was stored meanwhile, after them.
    copy_contents(from, to)?;
    from.read_after(tip, &mut |record| {
        to.append(&record)?;
        tip = record.tip();
        progress(record.seq);
        Ok(())
    })?;
    copy_contents(from, to)?;
    Ok(tip)
}

fn copy_contents(from: &dyn Store, to: &mut dyn Store) -> Result<(), StoreError> {
    let there = to.contents()?;
    for digest in from.contents()? {
        if !there.contains(&digest) && from.has_content(digest)? {
            to.save_content(digest, &mut Stored::new(from, digest))?;
        }
    }
    Ok(())
}

/// Saves a snapshot of the state after the last record, so that recovery need not begin with the
/// first. It is made by recovering, not from a running state: what it says has been read back
/// from the store.
///
/// # Errors
/// When the store fails, or a record cannot be trusted.
pub fn take_snapshot(store: &mut dyn Store) -> Result<Tip, StoreError> {
    let (replayed, _) = recover(store, |_, _| {})?;
    let checkpoint = Snapshot::from(replayed).checkpoint();
    checkpoint.save(store, || {})?;
    Ok(checkpoint.tip())
}
