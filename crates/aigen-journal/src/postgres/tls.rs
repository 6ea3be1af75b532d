//! Whom to believe that they are the database: always checked, name included, wherever TLS is used.

use crate::store::StoreError;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Who may sign a server's certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whom this machine trusts.
    Machine,
    /// Only those in this file.
    File(PathBuf),
}

impl Trust {
    /// Takes out of a URL what its owner says of trust, in PostgreSQL's own words, since the client
    /// library knows only some: `sslrootcert`, and the two stronger values of `sslmode`. Whoever
    /// uses one of them wants TLS, so it is required.
    pub fn of_url(url: &str) -> (String, Self) {
        let Some((server, parameters)) = url.split_once('?') else {
            return (url.to_owned(), Self::Machine);
        };
        let (mut trust, mut required) = (Self::Machine, false);
        let mut kept: Vec<&str> = Vec::new();
        for parameter in parameters.split('&') {
            if let Some(file) = parameter.strip_prefix("sslrootcert=") {
                let file = percent_decode_str(file).decode_utf8_lossy();
                (trust, required) = (Self::File(file.into_owned().into()), true);
            } else if matches!(parameter, "sslmode=verify-full" | "sslmode=verify-ca") {
                required = true;
            } else {
                kept.push(parameter);
            }
        }
        if required {
            kept.push("sslmode=require");
        }
        (format!("{server}?{}", kept.join("&")), trust)
    }
}

/// A client that checks certificates.
///
/// # Errors
/// When the file that is to be trusted cannot be read, or holds no certificate.
pub(super) fn client(trust: &Trust) -> Result<MakeRustlsConnect, StoreError> {
    let roots = match trust {
        Trust::Machine => machine(),
        Trust::File(path) => of_file(path).map_err(|why| {
            StoreError::Foreign(format!(
                "cannot read certificates from {}: {why}\n  hint: sslrootcert in the journal's URL names a PEM file",
                path.display()
            ))
        })?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Those that cannot be read are not trusted, which is all that can be done about them.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn of_file(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("there is none".to_owned());
    }
    Ok(roots)
}

/// Whether a connection failed because the server could not show who it is.
pub(super) fn is_distrust(error: &postgres::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    let inner = cause.and_then(io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<rustls::Error>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says_of_trust() {
        let table = [
            ("postgres://db/a", "postgres://db/a", None),
            (
                "postgres://db/a?sslmode=disable",
                "postgres://db/a?sslmode=disable",
                None,
            ),
            (
                "postgres://db/a?sslmode=verify-full",
                "postgres://db/a?sslmode=require",
                None,
            ),
            (
                "postgres://db/a?sslrootcert=%2Fetc%2Fmy%20ca.pem&connect_timeout=3",
                "postgres://db/a?connect_timeout=3&sslmode=require",
                Some("/etc/my ca.pem"),
            ),
            (
                "postgres://db/a?sslrootcert=/ca.pem&sslmode=disable",
                "postgres://db/a?sslmode=disable&sslmode=require",
                Some("/ca.pem"),
            ),
        ];
        for (url, expected, file) in table {
            let trust = file.map_or(Trust::Machine, |file| Trust::File(file.into()));
            assert_eq!(Trust::of_url(url), (expected.to_owned(), trust), "{url}");
        }
    }
}
