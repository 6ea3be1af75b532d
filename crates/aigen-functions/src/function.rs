use crate::golden::Golden;
use crate::limits::{GOLDEN_MAX, RETRIES, RETRIES_MAX, SOURCE_BYTES_MAX, TOKENS, TOKENS_MAX};
use crate::schema::{Misfit, Schema};
use crate::{expectation, finite, sample, template};
use aigen_types::Ppm;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An AI function, read and checked.
#[derive(Clone, Debug)]
pub struct Function {
    /// What it does, in one line or more: people and models read it.
    pub description: String,
    /// Output tokens of an answer, at most.
    pub max_tokens: u32,
    /// 0 to 2; 0 is the likeliest answer.
    pub temperature: f64,
    /// How often a model that nobody holds to the type is asked again, at most.
    pub retries: u32,
    /// The model that it was made for; a call may name another.
    pub model: Option<String>,
    /// Inputs and what is expected of their answers.
    pub golden: Vec<Golden>,
    /// The part of its golden cases that has to pass.
    pub pass: Ppm,
    system: Option<String>,
    prompt: Option<String>,
    input: Schema,
    output: Schema,
}

/// A function as its source has it. Unknown fields are refused: they were meant to do something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    description: String,
    system: Option<String>,
    prompt: Option<String>,
    input: Value,
    output: Value,
    #[serde(default = "tokens")]
    max_tokens: u32,
    #[serde(default)]
    temperature: f64,
    #[serde(default = "retries")]
    retries: u32,
    model: Option<String>,
    #[serde(default)]
    golden: Vec<Golden>,
    #[serde(default = "whole")]
    pass_ppm: u32,
}

fn tokens() -> u32 {
    TOKENS
}

fn retries() -> u32 {
    RETRIES
}

fn whole() -> u32 {
    1_000_000
}

/// What is wrong with a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the function: {place}: {reason}")]
pub struct FunctionError {
    /// Where, like `golden[0].input.text`.
    pub place: String,
    /// What.
    pub reason: String,
}

impl FunctionError {
    pub(crate) fn at(place: impl Into<String>, reason: impl ToString) -> Self {
        Self {
            place: place.into(),
            reason: reason.to_string(),
        }
    }
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// What the function does and what an answer looks like.
    pub system: String,
    /// What it was called with.
    pub user: String,
}

impl Function {
    /// Reads JSON, which begins with `{`, or TOML, and checks that it can work: its schemas are
    /// schemas, its golden cases fit them and can pass, and its templates word every one of their inputs, or a
    /// sample where there is none.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(source: &str) -> Result<Self, FunctionError> {
        let function = Self::read(source)?;
        function.check()?;
        Ok(function)
    }

    /// The same of a source that was parsed before: nothing is tried again.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(source: &str) -> Result<Self, FunctionError> {
        let written = read(source)?;
        written.check()?;
        Ok(Self {
            input: Schema::of_input("input", &written.input)?,
            output: Schema::of_output("output", &written.output)?,
            pass: Ppm::new(written.pass_ppm)
                .ok_or_else(|| FunctionError::at("pass_ppm", "must be 0 to 1000000"))?,
            description: written.description,
            max_tokens: written.max_tokens,
            temperature: written.temperature,
            retries: written.retries,
            model: written.model,
            golden: written.golden,
            system: written.system,
            prompt: written.prompt,
        })
    }

    fn check(&self) -> Result<(), FunctionError> {
        if !finite::has_an_end(self.output()) {
            let reason = "no value of it ends: let it stop somewhere, with a field that may be missing or an `anyOf`";
            return Err(FunctionError::at("output", reason));
        }
        for (at, golden) in self.golden.iter().enumerate() {
            let misfit = |misfit: Misfit| {
                FunctionError::at(format!("golden[{at}].{}", misfit.path), misfit.reason)
            };
            self.check_input(&golden.input).map_err(misfit)?;
            expectation::check(self.output(), &golden.expect, "expect").map_err(misfit)?;
            self.word(&golden.input)?;
        }
        let sample = sample::of(self.input.as_json());
        if self.golden.is_empty() && self.check_input(&sample).is_ok() {
            self.word(&sample)?;
        }
        template::check("system", self.system.as_deref())?;
        template::check("prompt", self.prompt.as_deref())
    }

    /// JSON Schema of what it is called with: an object, closed unless it says otherwise.
    #[must_use]
    pub fn input(&self) -> &Value {
        self.input.as_json()
    }

    /// JSON Schema of its value. Objects in it are closed unless they say otherwise.
    #[must_use]
    pub fn output(&self) -> &Value {
        self.output.as_json()
    }

    /// # Errors
    /// Where the input does not fit, like `input.text`.
    pub fn check_input(&self, input: &Value) -> Result<(), Misfit> {
        self.input.check("input", input)
    }

    /// # Errors
    /// Where the value does not fit, like `value.score`.
    pub fn check_output(&self, value: &Value) -> Result<(), Misfit> {
        self.output.check("value", value)
    }

    /// The input that a message means: the JSON object that it is, or the one text that the
    /// function takes. An object is never a text: a field that is misspelt would be judged as one.
    ///
    /// # Errors
    /// Where it does not fit.
    pub fn input_of(&self, message: &str) -> Result<Value, Misfit> {
        if message.trim().is_empty() {
            let nothing = Value::Object(Map::new());
            return self.check_input(&nothing).map(|()| nothing);
        }
        let object = serde_json::from_str(message).ok().filter(Value::is_object);
        if let Some(input) = object {
            return self.check_input(&input).map(|()| input);
        }
        let name = self.input.only_text().ok_or_else(|| {
            let reason = "the message must be a JSON object, its input";
            Misfit::at("input", reason)
        })?;
        let text: Map<_, _> = [(name.to_owned(), message.into())].into_iter().collect();
        let input = Value::Object(text);
        self.check_input(&input).map(|()| input)
    }

    /// What a model is asked.
    ///
    /// # Errors
    /// A template that cannot word this input.
    pub fn word(&self, input: &Value) -> Result<Wording, FunctionError> {
        let scope = template::Scope::new(self, input);
        let system = match &self.system {
            Some(system) => scope.fill("system", system)?,
            None => format!(
                "{}\n\nAnswer in JSON of this schema:\n{}",
                self.description,
                self.output()
            ),
        };
        let user = match &self.prompt {
            Some(prompt) => scope.fill("prompt", prompt)?,
            None => template::plain(input),
        };
        Ok(Wording { system, user })
    }

    /// Its fields, which templates see; those that are not given too.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.input.fields()
    }
}

fn read(source: &str) -> Result<Written, FunctionError> {
    if source.len() > SOURCE_BYTES_MAX {
        let reason = format!("it has {} bytes, {SOURCE_BYTES_MAX} at most", source.len());
        return Err(FunctionError::at("source", reason));
    }
    match source.trim_start().starts_with('{') {
        true => serde_json::from_str(source).map_err(|error| FunctionError::at("source", error)),
        false => toml::from_str(source).map_err(|error| FunctionError::at("source", error)),
    }
}

impl Written {
    fn check(&self) -> Result<(), FunctionError> {
        let bounds = [
            (
                "description",
                !self.description.trim().is_empty(),
                "say what it does".to_owned(),
            ),
            (
                "max_tokens",
                (1..=TOKENS_MAX).contains(&self.max_tokens),
                format!("must be 1 to {TOKENS_MAX}"),
            ),
            (
                "temperature",
                (0.0..=2.0).contains(&self.temperature),
                "must be 0 to 2".to_owned(),
            ),
            (
                "retries",
                self.retries <= RETRIES_MAX,
                format!("must be 0 to {RETRIES_MAX}"),
            ),
            (
                "golden",
                self.golden.len() <= GOLDEN_MAX,
                format!("at most {GOLDEN_MAX} cases"),
            ),
        ];
        let wrong = bounds.into_iter().find(|(_, holds, _)| !holds);
        match wrong {
            Some((place, _, reason)) => Err(FunctionError::at(place, reason)),
            None => Ok(()),
        }
    }
}
