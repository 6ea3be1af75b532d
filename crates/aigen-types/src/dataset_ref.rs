use crate::controller_ref::{LATEST, Which};
use crate::{NameError, Slug};
use core::{fmt, str::FromStr};

/// A dataset by name, whatever its version: `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetName {
    /// Who publishes it.
    pub owner: Slug,
    /// What it is called.
    pub name: Slug,
}

impl FromStr for DatasetName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError::new("a dataset", "write it as owner/name", text);
        let (owner, name) = text.split_once('/').ok_or_else(refuse)?;
        Ok(Self {
            owner: owner.parse().map_err(|_| refuse())?,
            name: name.parse().map_err(|_| refuse())?,
        })
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&alloc::format!("{}/{}", self.owner, self.name))
    }
}

/// A published dataset version: `owner/name@1.2.3`. Its content never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetRef {
    /// The dataset that it is a version of.
    pub dataset: DatasetName,
    /// Its version, three numbers.
    pub version: (u32, u32, u32),
}

impl FromStr for DatasetRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError::new("a dataset version", "write it as owner/name@1.2.3", text);
        let selector: DatasetSelector = text.parse().map_err(|_| refuse())?;
        match selector.which {
            Which::Exactly(version) => Ok(Self {
                dataset: selector.dataset,
                version,
            }),
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for DatasetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        f.pad(&alloc::format!("{}@{major}.{minor}.{patch}", self.dataset))
    }
}

/// Which version of a dataset is meant: `owner/name@1.2.3`, `@1.2`, `@1` or `@latest`; without `@`
/// it is the latest. Datasets have no other tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetSelector {
    /// The dataset.
    pub dataset: DatasetName,
    /// Which of its versions.
    pub which: Which,
}

impl FromStr for DatasetSelector {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || {
            let rule = "write it as owner/name, owner/name@1.2.3, @1.2 or @1";
            NameError::new("a dataset", rule, text)
        };
        let (dataset, which) = text.split_once('@').unwrap_or((text, LATEST));
        let which = Which::parse(which).ok_or_else(refuse)?;
        match &which {
            Which::Tag(tag) if tag.as_str() != LATEST => Err(refuse()),
            _ => Ok(Self {
                dataset: dataset.parse().map_err(|_| refuse())?,
                which,
            }),
        }
    }
}

impl DatasetSelector {
    /// Whether a version is one of these; any is by `latest`.
    #[must_use]
    pub fn admits(&self, version: (u32, u32, u32)) -> bool {
        matches!(self.which, Which::Tag(_)) || self.which.admits(version)
    }
}

impl fmt::Display for DatasetSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.dataset, self.which)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_versions_and_selectors_have_one_spelling() {
        for (text, exact) in [
            ("acme/faq@1.0.0", true),
            ("acme/faq@1.0", false),
            ("acme/faq@1", false),
            ("acme/faq@latest", false),
        ] {
            let selector: DatasetSelector = text.parse().unwrap();
            assert_eq!(selector.to_string(), text);
            assert_eq!(text.parse::<DatasetRef>().is_ok(), exact, "{text}");
        }
        let latest: DatasetSelector = "acme/faq".parse().unwrap();
        assert!(latest.admits((7, 0, 1)));
        for bad in [
            "acme",
            "acme/faq@",
            "acme/faq@stable",
            "acme/faq@01",
            "a/b/c",
        ] {
            assert!(bad.parse::<DatasetSelector>().is_err(), "{bad}");
        }
    }
}
