//! How a command reaches a node: where it answers, and with which key.

use crate::context::Context;
use crate::data_dir::{DataDir, KeyFile};
use crate::failure::{Charged, hinted, root_cause};
use crate::output;
use aigen_api::openai::{ApiError, ChatChunk, ChatRequest};
use aigen_client::{Client, ClientError};
use aigen_node::has_secret;
use anyhow::Result;
use futures::{Stream, StreamExt};
use serde::{Serialize, de::DeserializeOwned};

/// Options of commands that ask a running node.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Which node")]
pub struct Reach {
    /// Address of the node; without it, the node that runs on the data folder
    #[arg(long, value_name = "URL", env = "AIGEN_URL")]
    pub url: Option<String>,

    /// API key; without it, the one that the data folder keeps
    #[arg(long, value_name = "KEY", env = "AIGEN_KEY", hide_env_values = true)]
    pub key: Option<String>,
}

/// A node that can be asked.
#[derive(Clone)]
pub struct Asked {
    client: Client,
    url: String,
    key: String,
}

impl Reach {
    /// The node, asked as its operator.
    ///
    /// # Errors
    /// When no node or no key is known.
    pub fn as_operator(&self, context: &Context) -> Result<Asked> {
        self.with_key(context, &[KeyFile::Operator])
    }

    /// The node, asked as somebody who pays: the `user:dev` of `aigen dev`, else the operator.
    ///
    /// # Errors
    /// When no node or no key is known.
    pub fn as_customer(&self, context: &Context) -> Result<Asked> {
        self.with_key(context, &[KeyFile::Dev, KeyFile::Operator])
    }

    fn with_key(&self, context: &Context, kept: &[KeyFile]) -> Result<Asked> {
        let url = self.url(context)?;
        let key = match &self.key {
            Some(key) => key.clone(),
            None => kept_key(context, kept)?,
        };
        Asked::new(&url, &key)
    }

    fn url(&self, context: &Context) -> Result<String> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let data_dir = DataDir::open(&context.config.data_dir)?;
        let running = data_dir.running().and_then(|running| running.url);
        running.ok_or_else(|| {
            hinted(
                format!(
                    "no node is running on the data folder {}",
                    data_dir.path().display()
                ),
                "start it with `aigen serve`, or say where one is with --url",
            )
        })
    }
}

fn kept_key(context: &Context, kept: &[KeyFile]) -> Result<String> {
    let data_dir = DataDir::open(&context.config.data_dir)?;
    for name in kept {
        if let Some(key) = data_dir.key(*name)? {
            return Ok(key);
        }
    }
    Err(hinted(
        format!("the data folder {} keeps no key", data_dir.path().display()),
        "give one with --key or AIGEN_KEY; an operator makes one with `aigen key create ADDRESS`",
    ))
}

impl Asked {
    /// The node at `url`, asked with `key`.
    ///
    /// # Errors
    /// When the address or the key cannot be used at all.
    pub fn new(url: &str, key: &str) -> Result<Self> {
        let client = Client::new(url, key)?;
        let (url, key) = (url.to_owned(), key.to_owned());
        Ok(Self { client, url, key })
    }

    /// The key it is asked with, for what is derived from it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// When the node cannot be reached or refuses.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        must_name_no_key(path)?;
        let reply = self.client.get(path).await;
        reply.map_err(|error| self.explain(error))
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When the node cannot be reached or refuses.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        must_name_no_key(path)?;
        let reply = self.client.post(path, body).await;
        reply.map_err(|error| self.explain(error))
    }

    /// The same, with the failure as the client has it, for those who tell one from another.
    ///
    /// # Errors
    /// When the node cannot be reached or refuses.
    pub async fn try_post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.client.post(path, body).await
    }

    /// See [`Asked::try_post`].
    ///
    /// # Errors
    /// When the node cannot be reached or refuses.
    pub async fn try_get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.client.get(path).await
    }

    /// The client, for what has a method of its own there.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Has a model answer, piece by piece.
    ///
    /// # Errors
    /// When the node cannot be reached or refuses; later as the stream's last item.
    pub async fn chat(
        &self,
        request: &ChatRequest,
    ) -> Result<impl Stream<Item = Result<ChatChunk>> + Unpin> {
        let chunks = self.client.chat_stream(request).await;
        let chunks = chunks.map_err(|error| self.explain(error))?;
        Ok(chunks.map(|chunk| chunk.map_err(|error| self.explain(error))))
    }

    /// A failure in our own form: what failed, and a way out.
    pub fn explain(&self, error: ClientError) -> anyhow::Error {
        match error {
            ClientError::Api { error, .. } => refused(&error),
            ClientError::Transport(cause) => unanswered(&self.url, &root_cause(cause.into())),
            other => other.into(),
        }
    }
}

/// Nobody is there, or somebody else than whom this machine trusts.
fn unanswered(url: &str, cause: &str) -> anyhow::Error {
    match cause.contains("certificate") {
        true => hinted(
            format!("what answers at {url} is not trusted here: {cause}"),
            "name a file of the certificates that you trust in SSL_CERT_FILE; a node's own must not be an authority's (CA:FALSE)",
        ),
        false => hinted(
            format!("no node answers at {url}: {cause}"),
            "start it with `aigen serve`, or say where one is with --url",
        ),
    }
}

/// Paths are logged wherever they pass.
fn must_name_no_key(path: &str) -> Result<()> {
    match has_secret(path) {
        false => Ok(()),
        true => Err(hinted(
            "a whole key stands where a name belongs; nothing was sent",
            "a key's name is what stands between `aigen_` and the dot: `aigen key list` shows them",
        )),
    }
}

/// A node ends its messages with the way out, for clients that show nothing else. What a controller gave as its
/// reason is in some of them.
fn refused(error: &ApiError) -> anyhow::Error {
    let told = output::lines(&told(error));
    match charged(error) {
        Some(charged) => anyhow::Error::new(charged).context(told),
        None => anyhow::Error::msg(told),
    }
}

fn told(error: &ApiError) -> String {
    match &error.hint {
        None => as_flags(&error.message),
        Some(hint) => {
            let reason = error.message.strip_suffix(hint.as_str());
            let reason = reason.map(|reason| reason.trim_end_matches([';', ' ']));
            let reason = as_flags(reason.unwrap_or(&error.message));
            format!("{reason}\nhint: {}", as_commands(hint))
        }
    }
}

/// What it cost all the same, where a node says so.
fn charged(error: &ApiError) -> Option<Charged> {
    let said = |name: &str| Some(error.metadata.get(name)?.as_str()?.to_owned());
    Some(Charged {
        cost: said("cost")?,
        receipt: said("receipt")?,
    })
}

/// What a way out says of the API, and what it says to whoever types commands.
const COMMANDS: [(&str, &str); 12] = [
    (
        "GET /v1/aigen/functions shows what each function takes",
        "`aigen fn show NAME` shows what a function takes",
    ),
    ("GET /v1/aigen/functions lists", "`aigen fn list` lists"),
    (
        "GET /v1/aigen/controllers/{reference} shows",
        "`aigen controller show` shows",
    ),
    (
        "GET /v1/aigen/controllers lists",
        "`aigen controller list` lists",
    ),
    ("GET /v1/aigen/datasets", "`aigen dataset list`"),
    ("GET /v1/models", "`aigen models`"),
    ("GET /v1/aigen/receipts/{id}", "`aigen receipt ID`"),
    ("fewer rows with `limit`", "fewer rows with --limit"),
    ("`aigen.max_cost`", "--max-cost (--budget of `aigen fn`)"),
    ("`max_cost`", "--max-cost"),
    ("`aigen.max_tokens`", "the call's tokens"),
    ("another Idempotency-Key", "another --once"),
];

/// What fields of the API that begin a reason are called where commands are typed.
const FLAGS: [(&str, &str); 4] = [
    ("q: ", "the question: "),
    ("limit: ", "--limit: "),
    ("max_cost: ", "--max-cost: "),
    ("Idempotency-Key: ", "--once: "),
];

fn as_flags(reason: &str) -> String {
    let told = FLAGS
        .iter()
        .find_map(|(field, flag)| Some(format!("{flag}{}", reason.strip_prefix(field)?)));
    told.unwrap_or_else(|| reason.to_owned())
}

fn as_commands(hint: &str) -> String {
    let hint = hint.to_owned();
    COMMANDS
        .iter()
        .fold(hint, |hint, (api, command)| hint.replace(api, command))
}

#[cfg(test)]
mod tests {
    use super::{as_commands, as_flags, refused};
    use aigen_api::openai::{ApiError, ErrorKind};

    #[test]
    fn what_a_fault_cost_is_told() {
        let error = ApiError::new(ErrorKind::Controller, "it trapped; look")
            .with_hint("look")
            .with_metadata("receipt", "5f")
            .with_metadata("cost", "0.1");
        let told: Vec<_> = refused(&error).chain().map(ToString::to_string).collect();
        assert_eq!(told, ["it trapped\nhint: look", "[0.1 AIGEN, receipt 5f]"]);
        let free = refused(&ApiError::new(ErrorKind::Controller, "no\u{1b}[31m"));
        assert_eq!(free.to_string(), "no\\u{1b}[31m");
        assert_eq!(free.chain().count(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_as_it_was_typed() {
        for (reason, told) in [
            (
                "q: a question has at most 9 bytes",
                "the question: a question has at most 9 bytes",
            ),
            ("limit: must be 1 to 1000", "--limit: must be 1 to 1000"),
            (
                "Idempotency-Key: must be visible",
                "--once: must be visible",
            ),
            ("the limit: none", "the limit: none"),
        ] {
            assert_eq!(as_flags(reason), told);
        }
    }

    #[test]
    fn a_way_out_is_a_command() {
        for (api, command) in [
            (
                "GET /v1/aigen/functions lists what is published here",
                "`aigen fn list` lists what is published here",
            ),
            (
                "correct the input: GET /v1/aigen/functions shows what each function takes",
                "correct the input: `aigen fn show NAME` shows what a function takes",
            ),
            (
                "allow more in `aigen.max_cost`, or fund",
                "allow more in --max-cost (--budget of `aigen fn`), or fund",
            ),
            (
                "allow at least that in `max_cost`, or ask for fewer rows: GET /v1/aigen/datasets shows their prices",
                "allow at least that in --max-cost, or ask for fewer rows: `aigen dataset list` shows their prices",
            ),
            (
                "use another Idempotency-Key for another request",
                "use another --once for another request",
            ),
            (
                "allow at least that in `max_cost`, or ask for fewer rows with `limit`",
                "allow at least that in --max-cost, or ask for fewer rows with --limit",
            ),
            (
                "ask the operator of this node",
                "ask the operator of this node",
            ),
        ] {
            assert_eq!(as_commands(api), command);
        }
    }
}
