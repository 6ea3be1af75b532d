use std::pin::pin;

use aigen_jarvis::{Answer, Answered, Ask, OutsideError};
use futures::future::{Either, select};
use wasmtime::{Result, bail};

use crate::bindings::aigen::controller::outside::{Error, Host, Response};
use crate::limits::HOST_CALL_BYTES_MAX;
use crate::state::{NOBODY_WAITS, State};

type Asked<T> = Result<std::result::Result<T, Error>>;

impl State {
    async fn ask(&mut self, ask: Ask) -> Asked<Answer> {
        self.spend(0)?;
        self.context.asks(&ask);
        let context = self.context.clone();
        let answer = match context.recorded(&ask) {
            Some(answer) => answer,
            None => match select(pin!(self.ask_now(&ask)), pin!(context.recalled())).await {
                Either::Left((answer, _)) => answer,
                Either::Right(_) => bail!(NOBODY_WAITS),
            },
        };
        self.context.answered(self.branch, &ask, &answer);
        self.spend(answer.as_ref().map_or(0, Answer::size))?;
        Ok(answer.map_err(|error| match error {
            OutsideError::Denied(what) => Error::Denied(what),
            OutsideError::Limit(what) => Error::Limit(what),
            OutsideError::Unavailable(what) => Error::Unavailable(what),
        }))
    }

    async fn ask_now(&mut self, ask: &Ask) -> Answered {
        self.context.may_ask()?;
        // A last word is said at once.
        if self.finishing {
            let why = "the session is over".to_owned();
            return Err(OutsideError::Denied(why));
        }
        let _waits = self.waits();
        let answer = self.settings.outside.ask(ask.clone()).await?;
        match answer.size() <= HOST_CALL_BYTES_MAX {
            true => Ok(answer),
            false => Err(OutsideError::Limit("the answer is too long".to_owned())),
        }
    }

    async fn ask_text(&mut self, ask: Ask) -> Asked<String> {
        Ok(self.ask(ask).await?.and_then(|answer| match answer {
            Answer::Text(text) => Ok(text),
            _ => Err(strange()),
        }))
    }
}

impl Host for State {
    async fn call_tool(&mut self, name: String, arguments: String) -> Asked<String> {
        self.ask_text(Ask::Tool { name, arguments }).await
    }

    async fn http_get(&mut self, url: String) -> Asked<Response> {
        let answer = self.ask(Ask::Http { url }).await?;
        Ok(answer.and_then(|answer| match answer {
            Answer::Page { status, body } => Ok(Response { status, body }),
            _ => Err(strange()),
        }))
    }

    async fn query_dataset(
        &mut self,
        dataset: String,
        query: String,
        limit: u32,
    ) -> Asked<Vec<String>> {
        let ask = Ask::Dataset {
            dataset,
            query,
            limit,
        };
        Ok(self.ask(ask).await?.and_then(|answer| match answer {
            Answer::Rows(rows) => Ok(rows),
            _ => Err(strange()),
        }))
    }

    async fn complete(
        &mut self,
        model: String,
        messages: String,
        options: String,
    ) -> Asked<String> {
        self.ask_text(Ask::Complete {
            model,
            messages,
            options,
        })
        .await
    }
}

fn strange() -> Error {
    Error::Unavailable("the answer was of another kind than the question".to_owned())
}
