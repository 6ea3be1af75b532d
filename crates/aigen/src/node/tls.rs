//! The certificate that a node shows its clients.

use crate::config::TlsConfig;
use crate::failure::OrHint;
use anyhow::Result;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// # Errors
/// Files that cannot be read, hold nothing of the kind, or do not belong together.
pub fn server(config: &TlsConfig) -> Result<Arc<ServerConfig>> {
    let TlsConfig { certificate, key } = config;
    let cannot = |what: &str, path: &std::path::Path| {
        (
            format!("cannot use the {what} {}", path.display()),
            "`[tls]` of the configuration names a certificate chain and its private key, both PEM files",
        )
    };
    let (message, hint) = cannot("certificate", certificate);
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .or_hint(message, hint)?;
    let (message, hint) = cannot("private key", key);
    let secret = PrivateKeyDer::from_pem_file(key).or_hint(message, hint)?;
    let (message, hint) = cannot("certificate", certificate);
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .or_hint(message, hint)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}
