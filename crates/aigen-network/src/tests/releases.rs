//! Signed releases, what is said of them, and what their selectors mean.

use super::{World, parsed};
use crate::{
    Command, ControllerKind, NewController, NewRelease, Refusal, Release, Reply, SetStanding,
    Standing, Stated, TagController, TagKey, content_digest, release_digest, signed_message,
};
use aigen_types::{ControllerSelector, PublisherKey, Signature};
use alloc::string::ToString;
use ed25519_dalek::{Signer as _, SigningKey};

const ADA: [u8; 32] = [1; 32];
const EVE: [u8; 32] = [2; 32];

fn unsigned(reference: &str, source: &str, key: [u8; 32]) -> NewRelease {
    NewRelease {
        controller: NewController {
            reference: parsed(reference),
            kind: ControllerKind::Grammar,
            source: source.into(),
            listed: true,
            description: "rhymes".into(),
        },
        release: Release {
            content: content_digest(source.as_bytes()),
            content_bytes: source.len() as u64,
            manifest: "licence = \"MIT\"".into(),
            publisher: PublisherKey(SigningKey::from_bytes(&key).verifying_key().to_bytes()),
            signature: Signature([0; 64]),
        },
    }
}

fn signed(mut new: NewRelease, key: [u8; 32]) -> NewRelease {
    let message = signed_message(release_digest(&new));
    let signature = SigningKey::from_bytes(&key).sign(&message);
    new.release.signature = Signature(signature.to_bytes());
    new
}

impl World {
    fn says_no(&mut self, command: Command, refusal: &Refusal) {
        assert_eq!(self.apply(command), Err(refusal.clone()));
    }

    fn release(&mut self, reference: &str) {
        self.ok(publish(signed(unsigned(reference, "start: /a/", ADA), ADA)));
    }

    fn state(&mut self, reference: &str, standing: Standing) {
        self.ok(Command::SetStanding(SetStanding {
            reference: parsed(reference),
            stated: Stated {
                standing,
                reason: "because".into(),
            },
        }));
    }

    fn means(&self, selector: &str) -> alloc::string::String {
        let selector: ControllerSelector = parsed(selector);
        let digest = self.network.resolve_controller(&selector);
        let found = digest.and_then(|digest| self.network.controller(digest));
        found.map_or("nothing".into(), |found| {
            found.published.reference.to_string()
        })
    }
}

fn publish(new: NewRelease) -> Command {
    Command::PublishRelease(new)
}

fn tag(tag: &str, version: Option<&str>) -> Command {
    Command::TagController(TagController {
        key: TagKey {
            controller: parsed("bea/rhyme"),
            tag: parsed(tag),
        },
        version: version.map(parsed),
    })
}

#[test]
fn a_release_is_what_its_publisher_signed() {
    let mut world = World::new(1);
    let first = signed(unsigned("bea/rhyme@1.0.0", "start: /a/", ADA), ADA);
    let digest = release_digest(&first);
    let answer = world.apply(publish(first.clone()));
    assert_eq!(answer, Ok(Reply::Published(digest)));
    let answer = world.apply(publish(first.clone()));
    assert_eq!(
        answer,
        Ok(Reply::Published(digest)),
        "once more changes nothing"
    );

    let other = |change: &dyn Fn(&mut NewRelease)| {
        let mut new = signed(unsigned("bea/rhyme@1.1.0", "start: /a/", ADA), ADA);
        change(&mut new);
        new
    };
    for (refusal, new) in [
        (Refusal::ControllerVersionExists, {
            signed(unsigned("bea/rhyme@1.0.0", "start: /b/", ADA), ADA)
        }),
        (Refusal::PublisherMismatch, {
            signed(unsigned("bea/rhyme@1.1.0", "start: /a/", EVE), EVE)
        }),
        (Refusal::SignatureInvalid, {
            signed(unsigned("bea/rhyme@1.1.0", "start: /a/", ADA), EVE)
        }),
        (
            Refusal::SignatureInvalid,
            other(&|new| new.release.manifest.push(' ')),
        ),
        (
            Refusal::SignatureInvalid,
            other(&|new| new.controller.reference = parsed("bea/rhyme@1.2.0")),
        ),
        (
            Refusal::ContentMismatch,
            other(&|new| new.controller.source.push(' ')),
        ),
        (
            Refusal::ContentMismatch,
            other(&|new| new.controller.kind = ControllerKind::Wasm),
        ),
        (
            Refusal::TooLong,
            other(&|new| new.release.content_bytes = u64::MAX),
        ),
    ] {
        let before = world.network.clone();
        world.says_no(publish(new), &refusal);
        assert_eq!(before.releases, world.network.releases, "{refusal}");
    }
    let unsigned = unsigned("bea/other@1.0.0", "start: /a/", ADA).controller;
    world.says_no(
        Command::PublishController(unsigned),
        &Refusal::SignatureMissing,
    );
}

#[test]
fn selectors_follow_versions_standings_and_tags() {
    let mut world = World::new(1);
    for version in ["1.2.0", "1.10.0", "1.2.1", "2.0.0", "0.9.0"] {
        world.release(&alloc::format!("bea/rhyme@{version}"));
    }
    world.release("bea/rhymes@9.0.0");
    let check = |world: &World, rows: &[(&str, &str)]| {
        for (selector, version) in rows {
            let selector = alloc::format!("bea/rhyme{selector}");
            let expected = match *version {
                "nothing" => "nothing".into(),
                version => alloc::format!("bea/rhyme@{version}"),
            };
            assert_eq!(world.means(&selector), expected, "{selector}");
        }
    };
    check(
        &world,
        &[
            ("", "2.0.0"),
            ("@latest", "2.0.0"),
            ("@1", "1.10.0"),
            ("@1.2", "1.2.1"),
            ("@1.3", "nothing"),
            ("@1.2.0", "1.2.0"),
            ("@1.2.9", "nothing"),
            ("@stable", "nothing"),
        ],
    );
    world.state("bea/rhyme@2.0.0", Standing::Deprecated);
    world.state("bea/rhyme@1.2.1", Standing::Yanked);
    world.ok(tag("stable", Some("bea/rhyme@1.2.0")));
    check(
        &world,
        &[
            ("@latest", "1.10.0"),
            ("@2", "2.0.0"),
            ("@1.2", "1.2.0"),
            ("@1.2.1", "1.2.1"),
            ("@stable", "1.2.0"),
        ],
    );
    world.ok(tag("latest", Some("bea/rhyme@0.9.0")));
    assert_eq!(world.means("bea/rhyme"), "bea/rhyme@0.9.0");
    world.ok(tag("latest", None));
    for yanked in ["1.2.0", "1.10.0", "2.0.0", "0.9.0"] {
        world.state(&alloc::format!("bea/rhyme@{yanked}"), Standing::Yanked);
    }
    check(
        &world,
        &[
            ("", "2.0.0"),
            ("@1", "1.10.0"),
            ("@1.2", "1.2.1"),
            ("@3", "nothing"),
        ],
    );
    world.says_no(tag("latest", None), &Refusal::TagUnknown);
    world.says_no(tag("2x", None), &Refusal::TagInvalid);
    world.says_no(
        tag("stable", Some("bea/rhymes@9.0.0")),
        &Refusal::ControllerUnknown,
    );
}

#[test]
fn a_yanked_version_steers_no_new_call() {
    let mut world = World::new(1_000_000);
    world.release("bea/rhyme@1.0.0");
    let digest = world
        .network
        .controller_digest(&parsed("bea/rhyme@1.0.0"))
        .unwrap();
    world.state("bea/rhyme@1.0.0", Standing::Deprecated);
    assert_eq!(world.network.check_usable(digest), Ok(()));
    world.state("bea/rhyme@1.0.0", Standing::Yanked);
    let refused = Err(Refusal::ControllerYanked);
    assert_eq!(world.network.check_usable(digest), refused);
    world.state("bea/rhyme@1.0.0", Standing::Current);
    assert_eq!(world.network.check_usable(digest), Ok(()));
}
