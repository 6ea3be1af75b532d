use crate::failure::hinted;
use anyhow::Result;
use reqwest::Url;
use std::fmt;
use std::str::FromStr;

/// Where a model is downloaded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of a hub repository: `hf:OWNER/REPO/FILE.gguf`, at `@REVISION` if given.
    Hub {
        /// `OWNER/REPO`.
        repository: String,
        /// The file's path in it.
        file: String,
        /// A branch, tag or commit.
        revision: String,
    },
    /// Any address of HTTP.
    Url(Url),
}

impl Source {
    /// The address of the file.
    ///
    /// # Errors
    /// When the hub's own address is none.
    pub fn url(&self, hub: &str) -> Result<Url> {
        match self {
            Self::Url(url) => Ok(url.clone()),
            Self::Hub {
                repository,
                file,
                revision,
            } => {
                let hub = hub.trim_end_matches('/');
                let url = format!("{hub}/{repository}/resolve/{revision}/{file}");
                Url::parse(&url).map_err(|_| {
                    hinted(
                        format!("`{hub}` is not the address of a hub"),
                        "set it like AIGEN_HUB=https://huggingface.co",
                    )
                })
            }
        }
    }

    /// The file's own name.
    pub fn file_name(&self) -> &str {
        let path = match self {
            Self::Hub { file, .. } => file,
            Self::Url(url) => url.path(),
        };
        path.rsplit('/').next().unwrap_or(path)
    }

    fn hub(text: &str) -> Option<Self> {
        let (path, revision) = text.rsplit_once('@').unwrap_or((text, "main"));
        let mut parts = path.splitn(3, '/');
        let (owner, name, file) = (parts.next()?, parts.next()?, parts.next()?);
        let plain = |text: &str| {
            !text.is_empty() && !text.contains("..") && !text.contains(['?', '#', '\\', ' '])
        };
        [owner, name, file, revision]
            .into_iter()
            .all(plain)
            .then(|| Self::Hub {
                repository: format!("{owner}/{name}"),
                file: file.to_owned(),
                revision: revision.to_owned(),
            })
    }
}

impl FromStr for Source {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let source = match text.strip_prefix("hf:") {
            Some(path) => Self::hub(path),
            None => Url::parse(text)
                .ok()
                .filter(|url| ["http", "https"].contains(&url.scheme()))
                .map(Self::Url),
        };
        source.ok_or_else(|| {
            hinted(
                format!("`{text}` is not a place to download a model from"),
                "write hf:OWNER/REPO/FILE.gguf or https://HOST/FILE.gguf",
            )
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub {
                repository,
                file,
                revision,
            } if revision == "main" => write!(f, "hf:{repository}/{file}"),
            Self::Hub {
                repository,
                file,
                revision,
            } => write!(f, "hf:{repository}/{file}@{revision}"),
            Self::Url(url) => url.fmt(f),
        }
    }
}
