use super::{SETTINGS, Server};
use crate::programs::{run, server_user};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Signs certificates, and is gone with the value. `openssl` does the work: PostgreSQL's package
/// brings it.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// One that nobody trusts yet.
    ///
    /// # Panics
    /// When there is no `openssl`.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some((user, group)) = server_user() {
            chown(folder.path(), Some(user), Some(group)).expect("root may");
        }
        let authority = Self { folder };
        let (key, certificate) = (authority.file("ca.key"), authority.certificate());
        run(new_certificate(&key, &certificate).args(["-subj", "/CN=a test's authority"]));
        authority
    }

    /// What says whom it signed for: who trusts this file trusts the authority.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// A key and a certificate for a server of this name, as files.
    fn sign(&self, name: &str, key: &Path, certificate: &Path) {
        run(new_certificate(key, certificate)
            .arg("-CA")
            .arg(self.certificate())
            .arg("-CAkey")
            .arg(self.file("ca.key"))
            .args(["-subj", &format!("/CN={name}")])
            .args(["-addext", &format!("subjectAltName=DNS:{name}")])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"]));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn new_certificate(key: &Path, certificate: &Path) -> Command {
    let mut command = Command::new("openssl");
    command
        .args(["req", "-x509", "-nodes", "-days", "2"])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate);
    // PostgreSQL wants its key to be its own.
    if let Some((user, group)) = server_user() {
        command.uid(user).gid(group).current_dir("/");
    }
    command
}

impl Server {
    /// Makes a cluster and starts its server, which listens on a port of 127.0.0.1 as well, and
    /// takes connections there over TLS alone, with a certificate for `name`.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_with_tls(authority: &Authority, name: &str) -> Self {
        // Free now, and most likely in a moment too.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let settings =
            format!("{SETTINGS}listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\n");
        let mut server = Self::initialised(&settings);
        server.port = Some(port);
        let data = server.data();
        authority.sign(name, &data.join("server.key"), &data.join("server.crt"));
        let who = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), who).expect("writable");
        server.launched()
    }

    /// Where it listens, if it does.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}
