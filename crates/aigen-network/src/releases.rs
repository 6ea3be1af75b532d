//! What makes a controller version a release: a manifest, hashed content and its publisher's
//! signature; and what its publisher says of it later.

use crate::command::{ControllerKind, NewRelease, SetStanding, TagController};
use crate::limits::{CONTENT_BYTES_MAX, LABEL_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::network::{Network, Reply};
use crate::refusal::Refusal;
use crate::registry::Controller;
use aigen_types::{
    ControllerName, ControllerSelector, Digest, LATEST, PublisherKey, Signature, Slug, Timestamp,
    Which,
};
use alloc::string::{String, ToString};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

/// What a release adds to a controller version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// SHA-256 of the content: of the source, or of the component.
    pub content: Digest,
    /// Bytes of the content.
    pub content_bytes: u64,
    /// TOML. Part of what the version is: another manifest is another version.
    pub manifest: String,
    /// Who signed.
    pub publisher: PublisherKey,
    /// Over [`signed_message`].
    pub signature: Signature,
}

/// What its publisher says of a published version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Use it.
    #[default]
    Current,
    /// It works; better use another.
    Deprecated,
    /// No new call may use it. Running ones finish, and its digest still resolves.
    Yanked,
}

/// A standing, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// The standing.
    pub standing: Standing,
    /// One line for people.
    pub reason: String,
}

/// Whose name a tag is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagKey {
    /// The controller.
    pub controller: ControllerName,
    /// The tag.
    pub tag: Slug,
}

/// The identity of a release: BLAKE3 over its reference, kind, content and manifest. The
/// description may be worded otherwise without being another one.
#[must_use]
pub fn release_digest(new: &NewRelease) -> Digest {
    let kind: &[u8] = match new.controller.kind {
        ControllerKind::Grammar => b"grammar",
        ControllerKind::Script => b"script",
        ControllerKind::Wasm => b"wasm",
        ControllerKind::Function => b"function",
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"aigen/controller/v2/");
    hasher.update(new.controller.reference.to_string().as_bytes());
    hasher.update(&[0]);
    hasher.update(kind);
    hasher.update(&[0]);
    hasher.update(&new.release.content.0);
    hasher.update(new.release.manifest.as_bytes());
    Digest(*hasher.finalize().as_bytes())
}

/// What a publisher signs: a digest that covers reference, kind, content and manifest.
#[must_use]
pub fn signed_message(release: Digest) -> [u8; 56] {
    let mut message = *b"aigen/controller/release                                ";
    message[24..].copy_from_slice(&release.0);
    message
}

impl Network {
    pub(crate) fn publish_release(
        &mut self,
        now: Timestamp,
        new: &NewRelease,
    ) -> Result<Reply, Refusal> {
        let digest = release_digest(new);
        let reference = &new.controller.reference;
        if self.check_release(new)? {
            return Ok(Reply::Published(digest));
        }
        // Nothing fails from here on.
        let controller = Controller {
            published: new.controller.clone(),
            published_at: now,
        };
        self.publishers
            .entry(reference.owner.clone())
            .or_insert(new.release.publisher);
        self.controller_names.insert(reference.clone(), digest);
        self.controllers.insert(digest, controller);
        self.releases.insert(digest, new.release.clone());
        Ok(Reply::Published(digest))
    }

    /// Whether the release would be published, and `true` if it was before. What costs more than
    /// reading it, like compiling its component, can wait until this is known.
    ///
    /// # Errors
    /// Why it would not.
    pub fn check_release(&self, new: &NewRelease) -> Result<bool, Refusal> {
        let digest = release_digest(new);
        crate::registry::check_new_controller(&new.controller)?;
        let release = &new.release;
        if release.manifest.len() > MANIFEST_BYTES_MAX || release.content_bytes > CONTENT_BYTES_MAX
        {
            return Err(Refusal::TooLong);
        }
        if !holds_its_content(new) {
            return Err(Refusal::ContentMismatch);
        }
        if !is_signed(release, digest) {
            return Err(Refusal::SignatureInvalid);
        }
        match self.publishers.get(&new.controller.reference.owner) {
            Some(bound) if *bound != release.publisher => return Err(Refusal::PublisherMismatch),
            _ => {}
        }
        match self.controller_names.get(&new.controller.reference) {
            Some(known) if *known == digest => Ok(true),
            Some(_) => Err(Refusal::ControllerVersionExists),
            None => Ok(false),
        }
    }

    /// Whether a new call may be steered by it.
    pub(crate) fn check_usable(&self, digest: Digest) -> Result<(), Refusal> {
        if !self.controllers.contains_key(&digest) {
            return Err(Refusal::ControllerUnknown);
        }
        match self.stated(digest).standing {
            Standing::Yanked => Err(Refusal::ControllerYanked),
            Standing::Current | Standing::Deprecated => Ok(()),
        }
    }

    pub(crate) fn set_standing(&mut self, set: &SetStanding) -> Result<Reply, Refusal> {
        if set.stated.reason.len() > LABEL_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let digest = self.controller_digest(&set.reference);
        let digest = digest.ok_or(Refusal::ControllerUnknown)?;
        match set.stated.standing {
            Standing::Current => drop(self.standings.remove(&digest)),
            _ => drop(self.standings.insert(digest, set.stated.clone())),
        }
        Ok(Reply::Done)
    }

    pub(crate) fn tag_controller(&mut self, tag: &TagController) -> Result<Reply, Refusal> {
        if !aigen_types::is_tag(tag.key.tag.as_str()) {
            return Err(Refusal::TagInvalid);
        }
        match &tag.version {
            Some(version) if version.controller() != tag.key.controller => {
                return Err(Refusal::ControllerUnknown);
            }
            Some(version) => {
                let digest = self.controller_digest(version);
                let digest = digest.ok_or(Refusal::ControllerUnknown)?;
                self.tags.insert(tag.key.clone(), digest);
            }
            None => {
                let removed = self.tags.remove(&tag.key);
                removed.ok_or(Refusal::TagUnknown)?;
            }
        }
        Ok(Reply::Done)
    }
}

/// Sources stand in the command itself; a component is kept beside the journal, and whoever
/// stores it compares.
fn holds_its_content(new: &NewRelease) -> bool {
    let (source, release) = (new.controller.source.as_bytes(), &new.release);
    match new.controller.kind {
        ControllerKind::Wasm => source.is_empty() && release.content_bytes > 0,
        ControllerKind::Grammar | ControllerKind::Script | ControllerKind::Function => {
            release.content == content_digest(source)
                && usize::try_from(release.content_bytes) == Ok(source.len())
        }
    }
}

/// SHA-256, under which content is kept.
#[must_use]
pub fn content_digest(content: &[u8]) -> Digest {
    Digest(Sha256::digest(content).into())
}

fn is_signed(release: &Release, digest: Digest) -> bool {
    let key = VerifyingKey::from_bytes(&release.publisher.0);
    let signature = ed25519_dalek::Signature::from_bytes(&release.signature.0);
    // Strictly, so that nodes of every version agree on what is signed.
    key.is_ok_and(|key| {
        key.verify_strict(&signed_message(digest), &signature)
            .is_ok()
    })
}

/// What may be read.
impl Network {
    /// Manifest, content and signature of a controller version; `None` of one without.
    #[must_use]
    pub fn release(&self, digest: Digest) -> Option<&Release> {
        self.releases.get(&digest)
    }

    /// Every release.
    pub fn releases(&self) -> impl Iterator<Item = (Digest, &Release)> {
        self.releases
            .iter()
            .map(|(digest, release)| (*digest, release))
    }

    /// The key that an owner's releases are signed with, once there is one.
    #[must_use]
    pub fn publisher(&self, owner: &Slug) -> Option<PublisherKey> {
        self.publishers.get(owner).copied()
    }

    /// What its publisher says of a version.
    #[must_use]
    pub fn stated(&self, digest: Digest) -> Stated {
        self.standings.get(&digest).cloned().unwrap_or_default()
    }

    /// The tags of a controller, by name.
    pub fn tags<'a>(
        &'a self,
        controller: &'a ControllerName,
    ) -> impl Iterator<Item = (&'a Slug, Digest)> {
        let tags = self.tags.iter();
        tags.filter(move |(key, _)| key.controller == *controller)
            .map(|(key, digest)| (&key.tag, *digest))
    }

    /// The versions of a controller, the lowest first.
    pub fn versions(&self, controller: &ControllerName) -> impl DoubleEndedIterator<Item = Digest> {
        let version = |version| aigen_types::ControllerRef {
            owner: controller.owner.clone(),
            name: controller.name.clone(),
            version,
        };
        let all = version((0, 0, 0))..=version((u32::MAX, u32::MAX, u32::MAX));
        self.controller_names.range(all).map(|(_, digest)| *digest)
    }

    /// Which version a selector means now: an exact one whatever its standing, a tag's, or else
    /// the highest that was not yanked. `latest` prefers what is not deprecated. Where all were
    /// yanked, the highest, so that the refusal can say so.
    #[must_use]
    pub fn resolve_controller(&self, selector: &ControllerSelector) -> Option<Digest> {
        let highest = |admits: &dyn Fn(&Controller, Standing) -> bool| {
            let mut versions = self.versions(&selector.controller).rev();
            versions.find(|digest| {
                let standing = self.stated(*digest).standing;
                let known = self.controllers.get(digest);
                known.is_some_and(|known| admits(known, standing))
            })
        };
        match &selector.which {
            Which::Tag(tag) => {
                let key = TagKey {
                    controller: selector.controller.clone(),
                    tag: tag.clone(),
                };
                let tagged = self.tags.get(&key).copied();
                if tag.as_str() != LATEST {
                    return tagged;
                }
                tagged
                    .or_else(|| highest(&|_, standing| standing == Standing::Current))
                    .or_else(|| highest(&|_, standing| standing != Standing::Yanked))
                    .or_else(|| highest(&|_, _| true))
            }
            which => {
                let exactly = matches!(which, Which::Exactly(_));
                let meant = |known: &Controller| which.admits(known.published.reference.version);
                highest(&|known, standing| {
                    meant(known) && (exactly || standing != Standing::Yanked)
                })
                .or_else(|| highest(&|known, _| meant(known)))
            }
        }
    }
}
