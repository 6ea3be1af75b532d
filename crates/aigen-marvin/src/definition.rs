use crate::limits::{RETRIES, TOKENS};

/// What an AI function says of itself, in its doc comment and its attribute.
#[derive(Clone, Debug)]
pub struct Definition {
    pub(crate) name: &'static str,
    pub(crate) instruction: &'static str,
    pub(crate) max_tokens: u32,
    pub(crate) temperature: Option<f64>,
    pub(crate) seed: Option<i64>,
    pub(crate) model: Option<String>,
    pub(crate) controller: Option<String>,
    pub(crate) retries: u32,
}

impl Definition {
    /// A function by name, and what it tells the model to do.
    #[must_use]
    pub fn new(name: &'static str, instruction: &'static str) -> Self {
        Self {
            name,
            instruction,
            max_tokens: TOKENS,
            temperature: None,
            seed: None,
            model: None,
            controller: None,
            retries: RETRIES,
        }
    }

    /// Output tokens of one answer.
    #[must_use]
    pub fn max_tokens(self, max_tokens: u32) -> Self {
        Self { max_tokens, ..self }
    }

    /// 0 to 2; 0 is the likeliest answer.
    #[must_use]
    pub fn temperature(self, temperature: f64) -> Self {
        let temperature = Some(temperature);
        Self {
            temperature,
            ..self
        }
    }

    /// Names the stream of chance.
    #[must_use]
    pub fn seed(self, seed: i64) -> Self {
        let seed = Some(seed);
        Self { seed, ..self }
    }

    /// Which model answers; otherwise `AIGEN_MODEL`, or the server's first.
    #[must_use]
    pub fn model(self, model: impl Into<String>) -> Self {
        let model = Some(model.into());
        Self { model, ..self }
    }

    /// A controller that steers instead of the type's schema, which its answer then has to fit.
    #[must_use]
    pub fn controller(self, controller: impl Into<String>) -> Self {
        let controller = Some(controller.into());
        Self { controller, ..self }
    }

    /// How often a model is asked again after an answer that was not accepted.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }
}
