//! Who answers.

use crate::AiError;
use aigen_api::openai::{ChatRequest, ChatResponse, ModelList, Tokenize, Tokenized};
use aigen_client::{Client, ClientError};
use futures::future::BoxFuture;
use std::sync::OnceLock;

/// Something that answers chat requests: a server through [`Client`], or a node in this process.
pub trait Backend: Send + Sync {
    /// One completion. Two requests with the same `key` are one: the second is answered like the
    /// first, and charged once.
    fn complete<'a>(
        &'a self,
        request: &'a ChatRequest,
        key: &'a str,
    ) -> BoxFuture<'a, Result<ChatResponse, ClientError>>;

    /// The tokens of a text or of messages.
    fn tokens<'a>(&'a self, asked: &'a Tokenize) -> BoxFuture<'a, Result<Tokenized, ClientError>>;

    /// The model for requests that name none.
    fn model(&self) -> BoxFuture<'_, Result<String, ClientError>>;
}

impl Backend for Client {
    fn complete<'a>(
        &'a self,
        request: &'a ChatRequest,
        key: &'a str,
    ) -> BoxFuture<'a, Result<ChatResponse, ClientError>> {
        Box::pin(self.chat_once(request, key))
    }

    fn tokens<'a>(&'a self, asked: &'a Tokenize) -> BoxFuture<'a, Result<Tokenized, ClientError>> {
        Box::pin(self.post("/tokenize", asked))
    }

    fn model(&self) -> BoxFuture<'_, Result<String, ClientError>> {
        Box::pin(async { first_model(self.get("/v1/models").await?) })
    }
}

/// The model that a request means that names none: the first that is served.
///
/// # Errors
/// Where there is none.
pub fn first_model(models: ModelList) -> Result<String, ClientError> {
    let nothing = || ClientError::Setup("the server has no model".to_owned());
    models.usual().ok_or_else(nothing)
}

/// The server of the environment or of this folder, made once.
pub(crate) fn of_environment() -> Result<&'static Client, AiError> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client);
    }
    let client = Client::of_environment()?;
    Ok(CLIENT.get_or_init(|| client))
}
