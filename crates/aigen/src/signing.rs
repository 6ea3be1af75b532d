//! A publisher's signature under what it publishes.

use crate::data_dir::{DataDir, KeyFile};
use crate::failure::hinted;
use aigen_api::resources::{ControllerKind, PublishController, Signed};
use aigen_network::{
    self as network, NewController, NewRelease, Release, content_digest, release_digest,
    signed_message,
};
use aigen_types::{PublisherKey, Signature};
use anyhow::Result;
use ed25519_dalek::{Signer as _, SigningKey};

/// The key that signs for a publisher; its file is made on first use.
///
/// # Errors
/// A data folder that cannot be used, or a file that holds no key.
pub fn publisher_key(data_dir: &DataDir) -> Result<SigningKey> {
    let text = match data_dir.key(KeyFile::Publisher)? {
        Some(text) => text,
        None => {
            let drawn = aigen_node::random_digest().to_string();
            data_dir.keep_key(KeyFile::Publisher, &drawn)?;
            drawn
        }
    };
    let secret = text.trim().parse::<PublisherKey>().map_err(|error| {
        hinted(
            format!("{} holds no key: {error}", KeyFile::Publisher.name()),
            "restore the file; releases that were signed with a lost key get no successor",
        )
    })?;
    Ok(SigningKey::from_bytes(&secret.0))
}

/// The public part of a key.
pub fn public(key: &SigningKey) -> PublisherKey {
    PublisherKey(key.verifying_key().to_bytes())
}

/// The same publication with this manifest, signed.
pub fn sign(new: PublishController, manifest: String, key: &SigningKey) -> PublishController {
    let content = new.component.as_deref().unwrap_or(new.source.as_bytes());
    let release = NewRelease {
        release: Release {
            content: content_digest(content),
            content_bytes: content.len() as u64,
            manifest: manifest.clone(),
            publisher: public(key),
            signature: Signature([0; 64]),
        },
        controller: NewController {
            reference: new.reference.clone(),
            kind: match new.kind {
                ControllerKind::Grammar => network::ControllerKind::Grammar,
                ControllerKind::Script => network::ControllerKind::Script,
                ControllerKind::Wasm => network::ControllerKind::Wasm,
                ControllerKind::Function => network::ControllerKind::Function,
            },
            source: new.source.clone(),
            listed: new.listed,
            description: new.description.clone(),
        },
    };
    let signature = key.sign(&signed_message(release_digest(&release)));
    PublishController {
        release: Some(Signed {
            manifest,
            publisher: public(key),
            signature: Signature(signature.to_bytes()),
        }),
        ..new
    }
}

/// The same of a function: it needs an engine that follows a schema, and no more.
pub fn function_manifest(description: &str) -> String {
    let plain = plain_manifest(description);
    format!("{plain}\n[requires]\ncontrol = \"schema\"\n")
}

/// A manifest that says no more than it has to.
pub fn plain_manifest(description: &str) -> String {
    let description = toml::Value::String(description.to_owned());
    format!("description = {description}\nlicence = \"unspecified\"\n")
}
