//! A node that answers the program it runs in, and nobody else.

use crate::config::Config;
use crate::data_dir::{DataDir, KeyFile, Lock};
use crate::failure::{hinted, told};
use crate::node::{Assembled, chosen_model};
use crate::output::Output;
use aigen_api::from_json;
use aigen_api::openai::{ChatRequest, ChatResponse, Tokenize, Tokenized};
use aigen_client::ClientError;
use aigen_gateway::{GatewayState, InProcess, Question};
use aigen_jarvis_host::{Host, Images};
use aigen_marvin::{Backend, first_model};
use anyhow::{Context, Result};
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Who pays: the account of `aigen dev`, filled up to 10 AIGEN of play money whenever it is opened.
const PAYER: &str = "user:dev";

const QUIET: Output = Output {
    json: false,
    quiet: true,
};

/// What a [`Local`] is made of. Everything may be left out.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Which model answers: a name of `aigen model list`, or a GGUF file; the configuration's, or else the
    /// bundled `aigen-tiny`, when absent.
    pub model: Option<String>,
    /// The folder that keeps journal and receipts; when absent a temporary one, which goes with the
    /// [`Local`].
    pub data_dir: Option<PathBuf>,
    /// A file like `aigen.toml`; defaults when absent, whatever lies in the current folder.
    pub config: Option<PathBuf>,
}

/// Why there is no node.
#[derive(Debug)]
pub struct OpenError(anyhow::Error);

/// What failed and why in the first line, the way out in another.
impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, way_out) = told(&self.0);
        f.write_str(&what)?;
        match way_out.is_empty() {
            true => Ok(()),
            false => write!(f, "\nhint: {way_out}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// A model and a ledger in this process: [`Backend`] of AI functions without a server.
///
/// Money is exact here as anywhere: calls are held for, charged and journalled as over HTTP, because they take
/// the same way from the gateway's routes on. A journal that cannot be written ends the process, as it ends
/// `aigen serve`: nothing is answered that is not recorded.
///
/// Dropping it ends what runs; [`Local::close`] lets it finish.
pub struct Local {
    api: InProcess,
    assembled: Assembled,
    snapshots: JoinHandle<()>,
    /// After the node, before the folder.
    _lock: Lock,
    _temporary: Option<TempDir>,
}

impl Local {
    /// Loads the model and opens the ledger. Called from async code of tokio.
    ///
    /// # Errors
    /// A configuration, folder, journal or model that cannot be used, with a way out.
    pub async fn open(opening: Opening) -> Result<Self, OpenError> {
        Self::start(opening).await.map_err(OpenError)
    }

    async fn start(opening: Opening) -> Result<Self> {
        aigen_client::install_tls();
        let (config, temporary) = configured(opening)?;
        let data_dir = DataDir::open_or_create(&config.data_dir)?;
        let lock = data_dir.lock()?;
        // In this process: a program of somebody else's has no command that compiles and does nothing else.
        let host = Host::start(None, Some(Images::within(data_dir.compiled()?)))?;
        let nowhere = config.listen;
        let assembled = Assembled::open(&config, &QUIET, data_dir, nowhere, host).await?;
        let operator = assembled.found(&config, &QUIET).await?;
        assembled.load(&config, &QUIET).await?;
        let account = PAYER.parse()?;
        let name = "dev".parse()?;
        let key = assembled.kept_key(KeyFile::Dev, &name, &account).await?;
        assembled.fill_up(&operator, &account).await?;
        let api = aigen_gateway::router(GatewayState::new(assembled.node.clone()));
        Ok(Self {
            api: InProcess::new(api, key),
            snapshots: assembled.keep_snapshots(&config),
            assembled,
            _lock: lock,
            _temporary: temporary,
        })
    }

    /// Lets running calls finish within `grace`, and settles the others.
    pub async fn close(self, grace: Duration) {
        self.snapshots.abort();
        self.assembled.node.shut_down(grace).await;
    }

    /// Reads a resource, like `/v1/aigen/receipts/…`.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let question = Question {
            path,
            body: None,
            once: None,
        };
        self.ask(question).await
    }

    /// Creates or asks for something.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn post<B, T>(&self, path: &str, body: &B) -> Result<T, ClientError>
    where
        B: Serialize + ?Sized,
        T: DeserializeOwned,
    {
        let question = Question {
            path,
            body: Some(&json(body)?),
            once: None,
        };
        self.ask(question).await
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question<'_>) -> Result<T, ClientError> {
        let (status, body) = self.api.ask(question).await.map_err(setup)?;
        match status.is_success() {
            true => Ok(from_json(&body)?),
            false => Err(ClientError::from_reply(status.as_u16(), &body)),
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.snapshots.abort();
    }
}

/// Neither key nor content.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}

impl Backend for Local {
    fn complete<'a>(
        &'a self,
        request: &'a ChatRequest,
        key: &'a str,
    ) -> BoxFuture<'a, Result<ChatResponse, ClientError>> {
        Box::pin(async move {
            let question = Question {
                path: "/v1/chat/completions",
                body: Some(&json(request)?),
                once: Some(key),
            };
            self.ask(question).await
        })
    }

    fn tokens<'a>(&'a self, asked: &'a Tokenize) -> BoxFuture<'a, Result<Tokenized, ClientError>> {
        Box::pin(self.post("/tokenize", asked))
    }

    fn model(&self) -> BoxFuture<'_, Result<String, ClientError>> {
        Box::pin(async { first_model(self.get("/v1/models").await?) })
    }
}

/// What is opened, and the folder that goes with it.
fn configured(opening: Opening) -> Result<(Config, Option<TempDir>)> {
    let mut config = match &opening.config {
        Some(file) => Config::load(Some(file.as_path()))?,
        None => Config::default(),
    };
    if config.journal.is_some() {
        return Err(hinted(
            "several nodes share the journal of this configuration, and nobody could reach this one",
            "leave `journal` out, or ask a server: aigen serve",
        ));
    }
    if let Some(model) = &opening.model {
        config.models = vec![chosen_model(model, &config)?];
    }
    let temporary = match (opening.data_dir, &opening.config) {
        (Some(folder), _) => {
            config.data_dir = folder;
            None
        }
        (None, Some(_)) => None,
        (None, None) => {
            let folder = tempfile::tempdir().context("there is no room for a temporary ledger")?;
            // Within it: a folder of ours is empty when it is made.
            config.data_dir = folder.path().join("ledger");
            Some(folder)
        }
    };
    Ok((config, temporary))
}

fn json<B: Serialize + ?Sized>(body: &B) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(body).map_err(setup)
}

fn setup(error: impl ToString) -> ClientError {
    ClientError::Setup(error.to_string())
}
