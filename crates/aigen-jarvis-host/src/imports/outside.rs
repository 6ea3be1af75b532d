use wasmtime::Result;

use crate::bindings::aigen::controller::outside::{Error, Host, Response};
use crate::limits::HOST_CALL_BYTES_MAX;
use crate::state::State;
use crate::{Answer, Ask, OutsideError};

type Asked<T> = Result<std::result::Result<T, Error>>;

impl State {
    async fn ask(&mut self, ask: Ask) -> Asked<Answer> {
        self.spend(0)?;
        let answer = {
            let _waits = self.waits();
            self.settings.outside.ask(ask).await
        };
        let answer = match answer {
            Ok(answer) if size(&answer) <= HOST_CALL_BYTES_MAX => Ok(answer),
            Ok(_) => Err(Error::Limit("the answer is too long".to_owned())),
            Err(OutsideError::Denied(what)) => Err(Error::Denied(what)),
            Err(OutsideError::Limit(what)) => Err(Error::Limit(what)),
            Err(OutsideError::Unavailable(what)) => Err(Error::Unavailable(what)),
        };
        self.spend(answer.as_ref().map_or(0, size))?;
        Ok(answer)
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

fn size(answer: &Answer) -> usize {
    match answer {
        Answer::Text(text) => text.len(),
        Answer::Page { body, .. } => body.len(),
        Answer::Rows(rows) => rows.iter().map(String::len).sum(),
    }
}

fn strange() -> Error {
    Error::Unavailable("the answer was of another kind than the question".to_owned())
}
