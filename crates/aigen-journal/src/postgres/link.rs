//! A connection that is made again when it is lost.

use super::APPEND;
use super::tls::{self, Trust};
use crate::store::StoreError;
use postgres::error::{DbError, SqlState};
use postgres::{Client, Config, Error, NoTls, Statement};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

const FORMAT_VERSION: i32 = 1;

/// How long a server may take to let us in, where the URL says nothing else.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long sent bytes may stay unacknowledged before a connection counts as lost.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);

const FETCH: &str = "
    SELECT seq, prev, hash, record FROM aigen_journal WHERE seq > $1 ORDER BY seq LIMIT $2";

/// Waits for the same lock wherever it is run, since two nodes that make a table at the same time
/// both fail otherwise.
const SCHEMA: &str = "
    SELECT pg_advisory_xact_lock(4703785);
    CREATE TABLE IF NOT EXISTS aigen_journal (
        seq bigint PRIMARY KEY,
        prev bytea NOT NULL,
        hash bytea NOT NULL,
        record bytea NOT NULL
    );
    CREATE TABLE IF NOT EXISTS aigen_snapshot (
        seq bigint,
        part integer,
        bytes bytea NOT NULL,
        PRIMARY KEY (seq, part)
    );
    CREATE TABLE IF NOT EXISTS aigen_leader (
        id integer PRIMARY KEY CHECK (id = 1),
        term bigint NOT NULL,
        node bigint NOT NULL,
        url text NOT NULL,
        secret text NOT NULL,
        expires_at timestamptz NOT NULL
    );
    CREATE TABLE IF NOT EXISTS aigen_node (node bigint PRIMARY KEY, seen_at timestamptz NOT NULL);
    CREATE TABLE IF NOT EXISTS aigen_format (
        id integer PRIMARY KEY CHECK (id = 1),
        version integer NOT NULL,
        barriers bigint NOT NULL
    );
    INSERT INTO aigen_format VALUES (1, 1, 0) ON CONFLICT DO NOTHING;";

pub(super) struct Link {
    config: Config,
    tls: MakeRustlsConnect,
    session: Option<Session>,
    /// The server has acknowledged a commit that it had stopped waiting for a standby with.
    unreplicated: Arc<AtomicBool>,
}

pub(super) struct Session {
    pub client: Client,
    pub append: Statement,
    pub fetch: Statement,
}

impl Link {
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let (url, trust) = Trust::of_url(url);
        let mut config: Config = url.parse().map_err(|error| {
            StoreError::Foreign(format!(
                "the journal's URL makes no sense: {error}\n  hint: it is of the form postgres://user:password@host:5432/database"
            ))
        })?;
        let tls = tls::client(&trust)?;
        config.application_name("aigen");
        config.tcp_user_timeout(TCP_TIMEOUT);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let unreplicated = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&unreplicated);
        config.notice_callback(move |notice| note(&noted, &notice));
        Ok(Self {
            config,
            tls,
            session: None,
            unreplicated,
        })
    }

    /// Connects for the first time. What fails here is told as it is, since nothing has been
    /// promised yet and somebody is looking. `create` says whether to begin a journal where
    /// there is none.
    pub fn begin(&mut self, create: bool) -> Result<(), StoreError> {
        let mut client = self.connect().map_err(|error| {
            let hint = if tls::is_distrust(&error) {
                "name the authority that signed the server's certificate: add sslrootcert=/path/ca.pem to the URL, and name the server there as its certificate does"
            } else {
                "is the server running, and does it let this user in?"
            };
            StoreError::Foreign(format!(
                "cannot connect to the journal's database: {}\n  hint: {hint}",
                told(&error)
            ))
        })?;
        begin_journal(&mut client, create)?;
        self.session = Some(prepared(client)?);
        Ok(())
    }

    /// Asks the server something that may be asked again.
    pub fn ask<T>(
        &mut self,
        ask: impl FnOnce(&mut Client) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        self.with(|session| ask(&mut session.client))
    }

    /// As [`Link::ask`], for something that must be durable when it is answered.
    pub fn write<T>(
        &mut self,
        write: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        self.unreplicated.store(false, Ordering::SeqCst);
        let written = self.with(write)?;
        if self.unreplicated.load(Ordering::SeqCst) {
            return Err(StoreError::Unreachable(
                "a standby that should have a copy does not answer".into(),
            ));
        }
        Ok(written)
    }

    pub fn with<T>(
        &mut self,
        ask: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.reconnect()?,
        };
        match ask(&mut session) {
            Ok(answer) => {
                self.session = Some(session);
                Ok(answer)
            }
            // The connection is given up with the error, whatever it was.
            Err(error) => Err(refused(error)),
        }
    }

    fn reconnect(&mut self) -> Result<Session, StoreError> {
        let client = self
            .connect()
            .map_err(|error| StoreError::Unreachable(error.into()))?;
        prepared(client)
    }

    fn connect(&self) -> Result<Client, Error> {
        let mut client = match self.config.get_ssl_mode() {
            postgres::config::SslMode::Disable => self.config.connect(NoTls)?,
            _ => self.config.connect(self.tls.clone())?,
        };
        // A stronger setting, like remote_apply, stays.
        client.batch_execute(
            "SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')",
        )?;
        Ok(client)
    }
}

fn prepared(mut client: Client) -> Result<Session, StoreError> {
    let append = client.prepare(APPEND).map_err(refused)?;
    let fetch = client.prepare(FETCH).map_err(refused)?;
    Ok(Session {
        client,
        append,
        fetch,
    })
}

fn begin_journal(client: &mut Client, create: bool) -> Result<(), StoreError> {
    let fsync = "SELECT current_setting('fsync', true)";
    let fsync: Option<String> = client.query_one(fsync, &[]).map_err(refused)?.get(0);
    if fsync.as_deref() == Some("off") {
        return Err(StoreError::Foreign(
            "the journal's database runs with fsync off, so a power cut would lose money\n  hint: set fsync = on in postgresql.conf".into(),
        ));
    }
    let there = "SELECT to_regclass('aigen_format') IS NOT NULL";
    let there: bool = client.query_one(there, &[]).map_err(refused)?.get(0);
    if !there && !create {
        return Err(StoreError::Foreign(
            "there is no journal in this database\n  hint: `aigen serve --journal URL` begins one; is it another database?".into(),
        ));
    }
    if !there {
        client.batch_execute(SCHEMA).map_err(refused)?;
    }
    let version = "SELECT version FROM aigen_format";
    let version: i32 = client.query_one(version, &[]).map_err(refused)?.get(0);
    if version == FORMAT_VERSION {
        return Ok(());
    }
    Err(StoreError::Newer(format!(
        "the journal's database has version {version}, this program reads version {FORMAT_VERSION}"
    )))
}

/// What an error means for a journal. A server that is ending, starting, out of space or
/// connections, or not the one to write to any more, may be another one in a while.
fn refused(error: Error) -> StoreError {
    let Some(database) = error.as_db_error() else {
        return StoreError::Unreachable(error.into());
    };
    let class = &database.code().code()[..2];
    let passing = matches!(class, "08" | "40" | "53" | "57")
        || *database.code() == SqlState::READ_ONLY_SQL_TRANSACTION;
    let cause = told(&error).into();
    if passing {
        StoreError::Unreachable(cause)
    } else {
        StoreError::Io(cause)
    }
}

fn told(error: &Error) -> String {
    match error.as_db_error() {
        Some(database) => database.message().to_owned(),
        None => {
            let source = std::error::Error::source(error);
            source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
        }
    }
}

/// A commit whose wait for a standby was cancelled is answered like any other, with a warning.
fn note(unreplicated: &AtomicBool, notice: &DbError) {
    if *notice.code() == SqlState::WARNING && notice.message().contains("synchronous replication") {
        unreplicated.store(true, Ordering::SeqCst);
    }
}

impl fmt::Debug for Link {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("hosts", &self.config.get_hosts())
            .field("connected", &self.session.is_some())
            .finish_non_exhaustive()
    }
}
