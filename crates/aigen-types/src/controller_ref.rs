use crate::{NameError, Slug};
use alloc::string::ToString;
use core::{fmt, str::FromStr};

/// A controller by name, whatever its version: `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControllerName {
    /// Who publishes it.
    pub owner: Slug,
    /// What it is called.
    pub name: Slug,
}

impl FromStr for ControllerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError::new("a controller", "write it as owner/name", text);
        let (owner, name) = text.split_once('/').ok_or_else(refuse)?;
        Ok(Self {
            owner: owner.parse().map_err(|_| refuse())?,
            name: name.parse().map_err(|_| refuse())?,
        })
    }
}

impl fmt::Display for ControllerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&alloc::format!("{}/{}", self.owner, self.name))
    }
}

/// A published controller version by name: `owner/name@1.2.3`.
///
/// What money follows is never this name but the version's digest; the name is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControllerRef {
    /// Who published it.
    pub owner: Slug,
    /// What it is called.
    pub name: Slug,
    /// Its semantic version, three numbers.
    pub version: (u32, u32, u32),
}

const RULE: &str = "write it as owner/name@1.2.3";

impl ControllerRef {
    /// The controller that it is a version of.
    #[must_use]
    pub fn controller(&self) -> ControllerName {
        ControllerName {
            owner: self.owner.clone(),
            name: self.name.clone(),
        }
    }
}

impl FromStr for ControllerRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError::new("a controller version", RULE, text);
        let selector: ControllerSelector = text.parse().map_err(|_| refuse())?;
        match selector {
            ControllerSelector {
                controller: ControllerName { owner, name },
                which: Which::Exactly(version),
            } => Ok(Self {
                owner,
                name,
                version,
            }),
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for ControllerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        f.pad(&alloc::format!(
            "{}/{}@{major}.{minor}.{patch}",
            self.owner,
            self.name
        ))
    }
}

/// Which version of a controller is meant: `owner/name@1.2.3`, `owner/name@1.2`, `owner/name@1`
/// or `owner/name@latest`; without `@` it is `latest`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControllerSelector {
    /// The controller.
    pub controller: ControllerName,
    /// Which of its versions.
    pub which: Which,
}

/// See [`ControllerSelector`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// This one.
    Exactly((u32, u32, u32)),
    /// The highest patch of a minor version.
    Patch(u32, u32),
    /// The highest of a major version.
    Minor(u32),
    /// What its owner has given this name.
    Tag(Slug),
}

/// The tag that stands for the highest version where its owner has not set it.
pub const LATEST: &str = "latest";

impl FromStr for ControllerSelector {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || {
            let rule = "write it as owner/name, owner/name@1.2.3, @1.2, @1 or @tag";
            NameError::new("a controller version", rule, text)
        };
        let (controller, which) = text.split_once('@').unwrap_or((text, LATEST));
        Ok(Self {
            controller: controller.parse().map_err(|_| refuse())?,
            which: Which::parse(which).ok_or_else(refuse)?,
        })
    }
}

impl Which {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if is_tag(text) {
            return text.parse().ok().map(Self::Tag);
        }
        let mut numbers = text.split('.').map(number);
        let which = match (numbers.next()??, numbers.next(), numbers.next()) {
            (major, None, _) => Self::Minor(major),
            (major, Some(minor), None) => Self::Patch(major, minor?),
            (major, Some(minor), Some(patch)) => Self::Exactly((major, minor?, patch?)),
        };
        numbers.next().is_none().then_some(which)
    }

    /// Whether a version is one of these; none is by a tag.
    #[must_use]
    pub fn admits(&self, version: (u32, u32, u32)) -> bool {
        match self {
            Self::Exactly(exactly) => version == *exactly,
            Self::Patch(major, minor) => (version.0, version.1) == (*major, *minor),
            Self::Minor(major) => version.0 == *major,
            Self::Tag(_) => false,
        }
    }
}

/// One spelling per number: "02" or "+2" would name the same version twice.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Whether a word can be a tag: a version begins with a digit, a tag never.
#[must_use]
pub fn is_tag(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic())
}

impl fmt::Display for ControllerSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.controller, self.which)
    }
}

/// What stands behind the `@`.
impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly((major, minor, patch)) => write!(f, "{major}.{minor}.{patch}"),
            Self::Patch(major, minor) => write!(f, "{major}.{minor}"),
            Self::Minor(major) => write!(f, "{major}"),
            Self::Tag(tag) => write!(f, "{tag}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_per_version() {
        assert_eq!(
            "ada/quiz@1.2.0"
                .parse::<ControllerRef>()
                .unwrap()
                .to_string(),
            "ada/quiz@1.2.0"
        );
        for bad in [
            "ada/quiz",
            "ada/quiz@1",
            "ada/quiz@latest",
            "ada/quiz@1.02.0",
            "ada/quiz@1.2.0.0",
            "/quiz@1.0.0",
            "a/b/c@1.0.0",
        ] {
            assert!(bad.parse::<ControllerRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_selector_is_a_version_a_line_or_a_tag() {
        for (text, which) in [
            ("ada/quiz@1.2.0", Which::Exactly((1, 2, 0))),
            ("ada/quiz@1.2", Which::Patch(1, 2)),
            ("ada/quiz@0", Which::Minor(0)),
            ("ada/quiz@stable", Which::Tag("stable".parse().unwrap())),
        ] {
            let selector: ControllerSelector = text.parse().unwrap();
            assert_eq!(selector.which, which);
            assert_eq!(selector.to_string(), text);
        }
        let latest: ControllerSelector = "ada/quiz".parse().unwrap();
        assert_eq!(latest.to_string(), "ada/quiz@latest");
        for bad in [
            "ada/quiz@",
            "ada/quiz@1.",
            "ada/quiz@1.2.3.4",
            "ada/quiz@01",
            "ada/quiz@+1",
            "ada@1",
            "ada/quiz@1.x",
        ] {
            assert!(bad.parse::<ControllerSelector>().is_err(), "{bad}");
        }
    }
}
