use super::bounds::without_passwords;
use crate::failure::{OrHint, hinted};
use aigen_outside::{Bounds, Origin, Tool, Web};
use aigen_types::{ControllerName, DatasetName, ModelName, Slug};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

/// What controllers may ask of the outside, if their manifests ask for it: `[outside]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutsideConfig {
    /// Which controllers, as `owner/name` or `owner/*`: none where it is empty, all that ask where
    /// it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controllers: Option<Vec<String>>,
    /// Hosts whose pages may be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Models that may be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Datasets that may be read, as `owner/name` or `owner/*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
    /// Tools that may be called.
    #[serde(rename = "tool", skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolConfig>,
    /// Questions of one request.
    pub calls: u32,
    /// How long each may take.
    pub seconds: u64,
    /// How long an answer may be, in KiB.
    pub answer_kib: u64,
    /// Output tokens of one completion, at most.
    pub completion_tokens: u32,
}

/// A server that answers JSON that is posted to it: `[[outside.tool]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolConfig {
    /// Its name in manifests and calls.
    pub name: String,
    /// Where it is. The operator vouches for it: it may be in a private network.
    pub url: String,
    /// The environment variable that holds its key; it gets none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
}

/// The most that one answer may have, in KiB: what a guest may be handed at once is 1 MiB.
const ANSWER_KIB_MAX: u64 = 512;

impl Default for OutsideConfig {
    fn default() -> Self {
        Self {
            controllers: None,
            hosts: Vec::new(),
            models: Vec::new(),
            datasets: Vec::new(),
            tools: Vec::new(),
            calls: 16,
            seconds: 10,
            answer_kib: 256,
            completion_tokens: 1024,
        }
    }
}

impl OutsideConfig {
    /// Whether anything is granted.
    pub fn is_empty(&self) -> bool {
        let lists = [&self.hosts, &self.models, &self.datasets];
        lists.iter().all(|list| list.is_empty()) && self.tools.is_empty()
    }

    /// Whether it makes sense as a whole.
    ///
    /// # Errors
    /// The first thing that does not, with a way out.
    pub fn check(&self) -> Result<()> {
        self.origins()?;
        self.models()?;
        must_name("controllers", self.controllers.iter().flatten(), |name| {
            name.parse::<ControllerName>().is_ok()
        })?;
        must_name("datasets", &self.datasets, |name| {
            name.parse::<DatasetName>().is_ok()
        })?;
        self.tools.iter().try_for_each(ToolConfig::check)?;
        let names: std::collections::BTreeSet<_> =
            self.tools.iter().map(|tool| &tool.name).collect();
        if names.len() < self.tools.len() {
            return Err(hinted(
                "two [[outside.tool]] sections have the same name",
                "give each a name of its own",
            ));
        }
        let bounds = [
            ("calls", u64::from(self.calls), 64),
            ("seconds", self.seconds, 60),
            ("answer_kib", self.answer_kib, ANSWER_KIB_MAX),
            ("completion_tokens", self.completion_tokens.into(), 65_536),
        ];
        match bounds
            .iter()
            .find(|(_, is, most)| !(1..=*most).contains(is))
        {
            None => Ok(()),
            Some((key, is, most)) => Err(hinted(
                format!("`{key}` of [outside] is {is}"),
                format!("it is 1 to {most}"),
            )),
        }
    }

    /// The hosts.
    ///
    /// # Errors
    /// The first that is none.
    pub fn origins(&self) -> Result<Vec<Origin>> {
        let hosts = self.hosts.iter();
        hosts
            .map(|host| {
                host.parse::<Origin>().or_hint(
                    "`hosts` of [outside] names what is no host",
                    "a host alone is read by https at public addresses; with http:// or https:// before it, wherever it leads",
                )
            })
            .collect()
    }

    /// The models.
    ///
    /// # Errors
    /// The first that is no name.
    pub fn models(&self) -> Result<Vec<ModelName>> {
        let models = self.models.iter();
        models
            .map(|model| {
                model.parse().or_hint(
                    format!("`{model}` of [outside] is no name of a model"),
                    "write it as in [[model]]",
                )
            })
            .collect()
    }

    /// The tools by their names, with their keys.
    ///
    /// # Errors
    /// An address that is none, or a key that is not there.
    pub fn tools(&self) -> Result<BTreeMap<String, Tool>> {
        let tools = self.tools.iter();
        tools
            .map(|tool| Ok((tool.name.clone(), tool.opened()?)))
            .collect()
    }

    /// What one answer may take.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            time: Duration::from_secs(self.seconds),
            bytes: usize::try_from(self.answer_kib.min(ANSWER_KIB_MAX) * 1024)
                .unwrap_or(usize::MAX),
        }
    }

    /// Who asks.
    ///
    /// # Errors
    /// When the TLS back end cannot start.
    pub fn web(&self) -> Result<Web> {
        Ok(Web::open()?)
    }
}

/// Whether each is one, as `owner/name`, or all of an owner's, as `owner/*`. What is neither would be
/// granted to nobody in silence.
fn must_name<'a>(
    key: &str,
    names: impl IntoIterator<Item = &'a String>,
    is_one: fn(&str) -> bool,
) -> Result<()> {
    let known = |name: &&String| match name.strip_suffix("/*") {
        Some(owner) => owner.parse::<Slug>().is_ok(),
        None => is_one(name.as_str()),
    };
    match names.into_iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(wrong) => Err(hinted(
            format!("`{key}` of [outside] names `{wrong}`, which nothing is called"),
            "write owner/name, or owner/* for all of an owner's",
        )),
    }
}

impl ToolConfig {
    /// What manifests name, and where it is.
    fn check(&self) -> Result<()> {
        if self.name.is_empty() || self.name.trim() != self.name {
            return Err(hinted(
                format!("[[outside.tool]] has the name `{}`", self.name),
                "give it one that manifests can name, like weather",
            ));
        }
        self.url().map(|_| ())
    }

    fn url(&self) -> Result<reqwest::Url> {
        let url = reqwest::Url::parse(&self.url).ok();
        let sound = |url: &reqwest::Url| {
            let scheme = matches!(url.scheme(), "http" | "https");
            scheme && url.has_host() && url.username().is_empty() && url.password().is_none()
        };
        url.filter(sound).ok_or_else(|| {
            hinted(
                format!(
                    "the tool `{}` is at `{}`, which is no address",
                    self.name,
                    without_passwords(&self.url)
                ),
                "write it like http://127.0.0.1:9000/weather, and keep keys out of it: `key_env` names the variable that holds one",
            )
        })
    }

    fn opened(&self) -> Result<Tool> {
        let key = self.key_env.as_ref().map(|name| {
            env::var(name).or_hint(
                format!("the key of the tool `{}` is not there", self.name),
                format!("set the environment variable {name}"),
            )
        });
        Ok(Tool {
            url: self.url()?,
            key: key.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<OutsideConfig> {
        let config: OutsideConfig = toml::from_str(text)?;
        config.check().map(|()| config)
    }

    /// A list that names nobody is not one that is absent, when it is printed too.
    #[test]
    fn nobody_is_not_everybody() {
        let nobody = checked("controllers = []").unwrap();
        assert_eq!(nobody.controllers, Some(Vec::new()));
        let printed = toml::to_string(&nobody).unwrap();
        assert_eq!(checked(&printed).unwrap(), nobody);
        assert_eq!(checked("").unwrap().controllers, None);
    }

    #[test]
    fn a_name_that_nothing_has_is_refused() {
        let tool = |name: &str| format!("[[tool]]\nname = \"{name}\"\nurl = \"http://a/\"");
        for (text, wrong) in [
            ("controllers = [\"ada/moods\", \"ada/*\"]", None),
            ("datasets = [\"books/faq\", \"books/*\"]", None),
            ("controllers = [\"ada\"]", Some("`ada`")),
            ("controllers = [\"*/*\"]", Some("`*/*`")),
            ("controllers = [\"ada/moods@1\"]", Some("`ada/moods@1`")),
            ("datasets = [\"books\"]", Some("`books`")),
            (&tool("weather"), None),
            (&tool(""), Some("[[outside.tool]]")),
            (&tool(" a"), Some("` a`")),
        ] {
            match (checked(text), wrong) {
                (Ok(_), None) => {}
                (Err(error), Some(wrong)) => {
                    let said = format!("{error:#}");
                    assert!(said.contains(wrong) && said.contains("hint: "), "{said}");
                }
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
    }
}
