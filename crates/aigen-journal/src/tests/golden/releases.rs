//! Two signed releases of one controller: a grammar, and a component that took its place.

use super::super::parsed;
use aigen_network::{
    Command, ControllerKind, NewController, NewRelease, Release, SetStanding, Standing, Stated,
    TagController, TagKey, content_digest, release_digest, signed_message,
};
use aigen_types::{PublisherKey, Signature};
use ed25519_dalek::{Signer as _, SigningKey};

pub fn commands() -> Vec<Command> {
    let first = release("bea/rhyme@1.0.0", ControllerKind::Grammar, "start: /a/");
    let second = release("bea/rhyme@1.1.0", ControllerKind::Wasm, "");
    vec![
        Command::PublishRelease(first),
        Command::PublishRelease(second),
        Command::SetStanding(SetStanding {
            reference: parsed("bea/rhyme@1.0.0"),
            stated: Stated {
                standing: Standing::Yanked,
                reason: "rhymes badly".into(),
            },
        }),
        Command::TagController(TagController {
            key: TagKey {
                controller: parsed("bea/rhyme"),
                tag: parsed("stable"),
            },
            version: Some(parsed("bea/rhyme@1.1.0")),
        }),
    ]
}

fn release(reference: &str, kind: ControllerKind, source: &str) -> NewRelease {
    let content = if source.is_empty() { "\0asm" } else { source };
    let key = SigningKey::from_bytes(&[3; 32]);
    let mut new = NewRelease {
        controller: NewController {
            reference: parsed(reference),
            kind,
            source: source.into(),
            listed: true,
            description: "rhymes".into(),
        },
        release: Release {
            content: content_digest(content.as_bytes()),
            content_bytes: content.len() as u64,
            manifest: "description = \"rhymes\"".into(),
            publisher: PublisherKey(key.verifying_key().to_bytes()),
            signature: Signature([0; 64]),
        },
    };
    let signature = key.sign(&signed_message(release_digest(&new)));
    new.release.signature = Signature(signature.to_bytes());
    new
}
