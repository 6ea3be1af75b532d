//! Controllers that are WebAssembly components: kept beside the journal, compiled where they run.

use crate::error::NodeError;
use crate::manifest::Manifest;
use aigen_jarvis_host::{Component, Host};
use aigen_journal::{Store, StoreError};
use aigen_network::content_digest;
use aigen_types::Digest;
use std::sync::Arc;

/// Opens the journal's store beside the connection that appends.
pub type OpenStore = Arc<dyn Fn() -> Result<Box<dyn Store>, StoreError> + Send + Sync>;

/// The interface that reaches beyond the request.
const OUTSIDE: &str = "aigen:controller/outside";

/// What a node runs components with. Everything here may block for seconds.
#[derive(Clone)]
pub struct Components {
    host: Host,
    store: OpenStore,
}

impl Components {
    /// Components that `host` runs, kept in this store.
    #[must_use]
    pub fn new(host: Host, store: OpenStore) -> Self {
        Self { host, store }
    }

    /// Compiles what is to be published, and checks what it asks of the host.
    pub(crate) fn check(&self, bytes: &[u8], manifest: &Manifest) -> Result<Component, NodeError> {
        let component = self.host.compile(bytes)?;
        let asks = component.imports().iter().find(|import| is_outside(import));
        match asks.filter(|_| manifest.permissions.is_empty()) {
            Some(import) => Err(NodeError::Steering(format!(
                "the component imports `{import}`, and its manifest has no [permissions] that say what for"
            ))),
            None => Ok(component),
        }
    }

    /// Keeps a component, durable on `Ok`: whatever names it comes after.
    pub(crate) fn keep(&self, bytes: &[u8]) -> Result<(), NodeError> {
        let mut store = (self.store)()?;
        let mut rest = bytes;
        let kept = store.save_content(content_digest(bytes), &mut rest)?;
        debug_assert!(kept, "the digest is that of the bytes");
        Ok(())
    }

    /// The component of this content, compiled now if it never was.
    pub(crate) fn find(&self, content: Digest) -> Result<Component, NodeError> {
        if let Some(component) = self.host.known(content) {
            return Ok(component);
        }
        let bytes = (self.store)()?.read_content(content)?;
        let bytes = bytes.ok_or(NodeError::ContentMissing(content))?;
        Ok(self.host.compile(&bytes)?)
    }
}

fn is_outside(import: &str) -> bool {
    import.split('@').next() == Some(OUTSIDE)
}
