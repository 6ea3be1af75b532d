//! A PostgreSQL server of a test's own: made by `initdb` in a temporary folder, reached through a
//! socket in it, gone with the value. No port, no password, nothing shared with a server that the
//! machine may run.
//!
//! A server can be killed and started again, be given a standby that replicates it synchronously,
//! and a standby can be promoted.

mod programs;
mod tls;

pub use tls::Authority;

use programs::{program, run, server_user};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};
use std::thread;
use tempfile::TempDir;

/// What a test may be fast with: its data need not survive the machine, only the server.
/// `fsync` stays on, since the journal refuses a server without it.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 60
shared_buffers = 16MB
max_wal_size = 256MB
wal_keep_size = 64MB
autovacuum = off
log_checkpoints = off
";

/// A running server. It ends with the value.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    child: Option<Child>,
    port: Option<u16>,
}

impl Server {
    /// Makes a cluster and starts its server.
    ///
    /// # Panics
    /// When PostgreSQL is not installed (`scripts/setup --tests` installs it) or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::initialised(SETTINGS).launched()
    }

    /// A cluster without a server.
    fn initialised(settings: &str) -> Self {
        let server = Self::empty();
        let data = server.data();
        run(program("initdb").arg("--pgdata").arg(&data).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]));
        server.configure(settings);
        server
    }

    /// A standby of this server. From now on a commit is acknowledged only when the standby has
    /// it on disk.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn standby(&self) -> Self {
        let standby = Self::empty();
        run(program("pg_basebackup")
            .arg("--pgdata")
            .arg(standby.data())
            .arg("--host")
            .arg(self.socket_folder())
            .args([
                "--username=postgres",
                "--checkpoint=fast",
                "--write-recovery-conf",
                "--no-sync",
            ]));
        let standby = standby.launched();
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("SELECT pg_reload_conf()");
        standby
    }

    /// Makes this standby a server that is written to, and one that waits for nobody.
    ///
    /// # Panics
    /// When it is no standby.
    pub fn promote(&self) {
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''");
        assert_eq!(self.sql("SELECT pg_promote(true, 60)"), "t");
    }

    /// Where it is reached, as a connection string.
    #[must_use]
    pub fn url(&self) -> String {
        Self::url_of(&[self])
    }

    /// Where whichever of these servers can be written to is reached.
    #[must_use]
    pub fn url_of(servers: &[&Self]) -> String {
        let hosts = servers.iter().map(|server| {
            let folder = server.socket_folder().display().to_string();
            folder.replace('/', "%2F")
        });
        let hosts: Vec<_> = hosts.collect();
        format!(
            "postgres://postgres@{}/postgres?target_session_attrs=read-write",
            hosts.join(",")
        )
    }

    /// Runs SQL and gives back what it prints, unaligned and without headers.
    ///
    /// # Panics
    /// When it fails.
    pub fn sql(&self, statement: &str) -> String {
        let printed = run(program("psql")
            .arg("--host")
            .arg(self.socket_folder())
            .args(["--username=postgres", "--no-psqlrc", "--quiet"])
            .args(self.port.map(|port| format!("--port={port}")))
            .args(["--tuples-only", "--no-align", "--command", statement]));
        printed.trim().to_owned()
    }

    /// Kills the server and everything of it, as a power cut would; its data stay.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        // SIGQUIT ends all its processes at once, without a word to any client; a killed
        // postmaster alone would leave them running.
        signal(&child, Signal::QUIT);
        child.wait().expect("a child of ours");
    }

    /// Starts a killed server again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "it runs");
        self.child = Some(self.launch());
    }

    fn empty() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("aigen-pg")
            .tempdir()
            .expect("a temporary folder");
        if let Some((user, group)) = server_user() {
            chown(folder.path(), Some(user), Some(group)).expect("root may");
        }
        Self {
            folder,
            child: None,
            port: None,
        }
    }

    fn launched(mut self) -> Self {
        self.child = Some(self.launch());
        self
    }

    fn configure(&self, settings: &str) {
        let path = self.data().join("postgresql.conf");
        let text = std::fs::read_to_string(&path).expect("initdb wrote it");
        std::fs::write(path, text + settings).expect("writable");
    }

    /// Starts the server and waits until it says that it is ready.
    fn launch(&self) -> Child {
        let mut command = program("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.socket_folder());
        // A group of its own: Ctrl-C in a terminal is for the test alone, which then ends it.
        command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().expect("postgres starts");
        let said = child.stderr.take().expect("piped");
        wait_until_ready(said);
        child
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn socket_folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(&child, Signal::QUIT);
            // There is nothing left to do about one that does not end.
            let _ = child.wait();
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    // Already gone is as good.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// Reads what the server says until it takes connections, and on, so that it never blocks.
fn wait_until_ready(said: ChildStderr) {
    let mut lines = BufReader::new(said).lines();
    let mut before = String::new();
    loop {
        let line = lines.next().and_then(Result::ok);
        let line = line.unwrap_or_else(|| panic!("the server ended: {before}"));
        if line.contains("ready to accept") {
            break;
        }
        before += &line;
        before += "\n";
    }
    thread::spawn(move || lines.for_each(drop));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_what_was_committed_when_it_is_killed() {
        let mut server = Server::start();
        server.sql("CREATE TABLE t (n int)");
        server.sql("INSERT INTO t VALUES (7)");
        server.kill();
        server.restart();
        assert_eq!(server.sql("SELECT n FROM t"), "7");
    }

    #[test]
    fn a_promoted_standby_has_what_was_committed() {
        let mut server = Server::start();
        let standby = server.standby();
        server.sql("CREATE TABLE t AS SELECT 8 AS n");
        server.kill();
        assert_eq!(standby.sql("SELECT pg_is_in_recovery()"), "t");
        standby.promote();
        standby.sql("INSERT INTO t VALUES (9)");
        assert_eq!(standby.sql("SELECT sum(n) FROM t"), "17");
    }
}
