//! What is known without being told: the environment, and the node that runs on this folder.

use crate::client::Client;
use crate::error::ClientError;
use std::path::Path;

/// Where `aigen dev` answers unless it is told another port.
const LOCAL: &str = "http://127.0.0.1:8000";

impl Client {
    /// A client of the server that `AIGEN_URL` names, else of the node that runs on the data folder
    /// (`AIGEN_DATA_DIR`, else `data_dir` of `aigen.toml`, else `.aigen`), else of port 8000 of this machine; with the key in `AIGEN_KEY`, else, of
    /// a server on this machine, the one that `aigen dev` left in the data folder.
    ///
    /// # Errors
    /// See [`Client::new`].
    pub fn of_environment() -> Result<Self, ClientError> {
        let environment = |name: &str| std::env::var(name).ok();
        let (url, key) = found(&environment, &|path| std::fs::read_to_string(path).ok());
        Self::new(&url, &key)
    }
}

/// The address and the key.
fn found(
    environment: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&Path) -> Option<String>,
) -> (String, String) {
    // An empty variable is one that is not set; an empty key is one that is not sent.
    let named = |name: &str| environment(name).filter(|value| !value.is_empty());
    let config = || named("AIGEN_CONFIG").unwrap_or_else(|| "aigen.toml".to_owned());
    let configured = || data_dir(&read(Path::new(&config()))?);
    let folder = named("AIGEN_DATA_DIR").or_else(configured);
    let folder = folder.unwrap_or_else(|| ".aigen".to_owned());
    let kept = |name: &str| read(&Path::new(&folder).join(name));
    let url = named("AIGEN_URL");
    let url = url.or_else(|| announced(&kept("lock")?));
    let url = url.unwrap_or_else(|| LOCAL.to_owned());
    let key = environment("AIGEN_KEY").or_else(|| kept("dev.key").filter(|_| is_here(&url)));
    (url, key.unwrap_or_default().trim().to_owned())
}

/// What a configuration says above its tables, in TOML.
fn data_dir(config: &str) -> Option<String> {
    let lines = config.lines().map(str::trim);
    let mut above = lines.take_while(|line| !line.starts_with('['));
    let value = above.find_map(|line| {
        let rest = line.strip_prefix("data_dir")?.trim_start();
        Some(rest.strip_prefix('=')?.trim_start())
    })?;
    let quote = value.chars().next();
    let quote = quote.filter(|quote| matches!(quote, '"' | '\''))?;
    let (folder, _) = value[1..].split_once(quote)?;
    Some(folder.to_owned())
}

/// What the lock of a data folder says, in TOML.
fn announced(lock: &str) -> Option<String> {
    let url = lock.lines().find_map(|line| line.strip_prefix("url = "))?;
    Some(url.trim().trim_matches('"').to_owned())
}

/// A key of this machine is not sent to any other.
fn is_here(url: &str) -> bool {
    let url = reqwest::Url::parse(url);
    let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| matches!(&*host, "127.0.0.1" | "localhost" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::found;
    use std::path::Path;

    type Pairs = &'static [(&'static str, &'static str)];

    const CONFIG: &str = "# data_dir = \"a\"\nlog = \"info\"\n data_dir = 'd' # here\n[model]\n";

    const LOCK: &str = "pid = 7\nurl = \"http://127.0.0.1:1\"\n";

    #[test]
    fn the_environment_goes_before_the_folder() {
        let rows: &[(Pairs, Pairs, &str)] = &[
            (&[], &[], "http://127.0.0.1:8000 "),
            (
                &[],
                &[(".aigen/lock", LOCK), (".aigen/dev.key", "dev\n")],
                "http://127.0.0.1:1 dev",
            ),
            (
                &[],
                &[(".aigen/lock", "pid = 7\n"), (".aigen/dev.key", "dev\n")],
                "http://127.0.0.1:8000 dev",
            ),
            (
                &[("AIGEN_DATA_DIR", "d")],
                &[("d/lock", LOCK)],
                "http://127.0.0.1:1 ",
            ),
            (
                &[],
                &[("aigen.toml", CONFIG), ("d/lock", LOCK)],
                "http://127.0.0.1:1 ",
            ),
            (
                &[("AIGEN_CONFIG", "c.toml"), ("AIGEN_DATA_DIR", "")],
                &[("c.toml", CONFIG), ("d/lock", LOCK)],
                "http://127.0.0.1:1 ",
            ),
            (
                &[("AIGEN_DATA_DIR", "e")],
                &[("aigen.toml", CONFIG), ("d/lock", LOCK)],
                "http://127.0.0.1:8000 ",
            ),
            (
                &[],
                &[("aigen.toml", "[x]\ndata_dir = \"d\""), ("d/lock", LOCK)],
                "http://127.0.0.1:8000 ",
            ),
            (
                &[("AIGEN_URL", "http://a"), ("AIGEN_KEY", "k")],
                &[(".aigen/lock", LOCK)],
                "http://a k",
            ),
            (
                &[("AIGEN_URL", "http://a")],
                &[(".aigen/dev.key", "dev")],
                "http://a ",
            ),
            (
                &[("AIGEN_URL", "http://[::1]:1")],
                &[(".aigen/dev.key", "dev")],
                "http://[::1]:1 dev",
            ),
            (
                &[("AIGEN_URL", ""), ("AIGEN_KEY", "")],
                &[(".aigen/dev.key", "dev")],
                "http://127.0.0.1:8000 ",
            ),
        ];
        for (variables, files, expected) in rows {
            let of = |all: &[(&str, &str)], name: &str| {
                let found = all.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let read = |path: &Path| of(files, path.to_str()?);
            let (url, key) = found(&|name| of(variables, name), &read);
            assert_eq!(format!("{url} {key}"), *expected, "{variables:?} {files:?}");
        }
    }
}
