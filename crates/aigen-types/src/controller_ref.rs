use crate::{NameError, Slug};
use alloc::string::ToString;
use core::{fmt, str::FromStr};

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

impl FromStr for ControllerRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError::new("a controller version", RULE, text);
        let (owner, rest) = text.split_once('/').ok_or_else(refuse)?;
        let (name, version) = rest.split_once('@').ok_or_else(refuse)?;
        let parsed = Self {
            owner: owner.parse().map_err(|_| refuse())?,
            name: name.parse().map_err(|_| refuse())?,
            version: parse_version(version).ok_or_else(refuse)?,
        };
        // One spelling per version: "1.02.0" or "+1.0.0" would name the same one twice.
        if parsed.to_string() == text {
            Ok(parsed)
        } else {
            Err(refuse())
        }
    }
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    let version = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(version)
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
            "ada/quiz@1.02.0",
            "ada/quiz@1.2.0.0",
            "/quiz@1.0.0",
            "a/b/c@1.0.0",
        ] {
            assert!(bad.parse::<ControllerRef>().is_err(), "{bad}");
        }
    }
}
