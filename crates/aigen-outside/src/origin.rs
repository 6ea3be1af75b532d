use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// Where pages may be read from, as manifests and operators write it.
///
/// | written | means |
/// |---|---|
/// | `en.wikipedia.org` | `https` at this host, port 443, at public addresses |
/// | `*.wikipedia.org` | the same of every host below it |
/// | `http://127.0.0.1:9000` | exactly that, wherever it leads: also into private networks |
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A host anybody can reach.
    Public(String),
    /// Every host below one.
    Below(String),
    /// What the operator vouches for: scheme, host and port.
    Exact(String),
}

/// Why a text is no [`Origin`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host: write it like en.wikipedia.org, *.wikipedia.org or http://127.0.0.1:9000"
)]
pub struct OriginError(String);

impl Origin {
    /// Whether an address is within it.
    #[must_use]
    pub fn holds(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let secure = url.scheme() == "https" && url.port_or_known_default() == Some(443);
        match self {
            Self::Public(own) => secure && own == host,
            Self::Below(own) => secure && is_below(host, own),
            Self::Exact(own) => *own == url.origin().ascii_serialization(),
        }
    }

    /// Whether it leads wherever its name leads, private networks among it.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(self, Self::Exact(_))
    }

    /// Whether everything within `other` is within this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Below(own), Self::Public(host) | Self::Below(host)) => {
                is_below(host, own) || matches!(other, Self::Below(host) if host == own)
            }
            _ => self == other,
        }
    }
}

fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(text.to_owned());
        if text.contains("://") {
            let url = Url::parse(text).map_err(|_| wrong())?;
            let plain = matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.path() == "/"
                && url.query().is_none();
            return match plain {
                true => Ok(Self::Exact(url.origin().ascii_serialization())),
                false => Err(wrong()),
            };
        }
        let (below, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        // As an address would say it: in lower case, without a port, and no number.
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| wrong())?;
        let same = url.host_str() == Some(host) && url.port().is_none();
        let named = host.contains('.') && host.parse::<IpAddr>().is_err();
        match (same && named, below) {
            (true, false) => Ok(Self::Public(host.to_owned())),
            (true, true) => Ok(Self::Below(host.to_owned())),
            (false, _) => Err(wrong()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(host) | Self::Exact(host) => f.write_str(host),
            Self::Below(host) => write!(f, "*.{host}"),
        }
    }
}
