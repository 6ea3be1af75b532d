//! Which journal the configuration means, for those who look at it from outside a node.

use crate::context::Context;
use crate::data_dir::DataDir;
use aigen_journal::{Found, PostgresStore, SqliteStore, Store, look};
use anyhow::{Context as _, Result};
use tokio::task::block_in_place;

/// Reads the journal.
///
/// # Errors
/// When it cannot be opened, or what `read` returned.
pub fn reading<T>(context: &Context, read: impl FnOnce(&dyn Store) -> Result<T>) -> Result<T> {
    // A database's client waits in its own way, which an async thread does not allow.
    block_in_place(|| match &context.config.journal {
        Some(url) => read(&database(url)?),
        None => read(&file(context)?),
    })
}

/// What lies beside a journal that is a file.
///
/// # Errors
/// When there is no such folder, or it cannot be read.
pub fn beside(context: &Context) -> Result<Option<Found>> {
    if context.config.journal.is_some() {
        return Ok(None);
    }
    let path = DataDir::open(&context.config.data_dir)?.journal();
    Ok(Some(look(&path)?))
}

/// Writes to the journal, without appending to it while a node does.
///
/// # Errors
/// When it cannot be opened, or what `write` returned.
pub fn writing<T>(context: &Context, write: impl FnOnce(&mut dyn Store) -> Result<T>) -> Result<T> {
    block_in_place(|| match &context.config.journal {
        Some(url) => write(&mut database(url)?),
        None => {
            let path = DataDir::open(&context.config.data_dir)?.journal();
            write(&mut SqliteStore::open_beside(&path)?)
        }
    })
}

/// Fills a journal that may not be there yet. No node may run on it.
///
/// # Errors
/// When it cannot be opened, or what `write` returned.
pub fn filling<T>(context: &Context, write: impl FnOnce(&mut dyn Store) -> Result<T>) -> Result<T> {
    block_in_place(|| match &context.config.journal {
        Some(url) => write(&mut PostgresStore::open(url)?),
        None => {
            let data_dir = DataDir::open_or_create(&context.config.data_dir)?;
            let _lock = data_dir.lock()?;
            write(&mut SqliteStore::open_with_tip(&data_dir.journal())?.0)
        }
    })
}

fn database(url: &str) -> Result<PostgresStore> {
    PostgresStore::open_existing(url).context("cannot read the journal's database")
}

fn file(context: &Context) -> Result<SqliteStore> {
    let path = DataDir::open(&context.config.data_dir)?.journal();
    // What to do about it depends on why, and the journal says so.
    SqliteStore::open_read_only(&path)
        .with_context(|| format!("cannot read the journal {}", path.display()))
}
