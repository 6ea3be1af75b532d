//! What is said to an upstream, and what is understood of its answer. As lenient as honesty
//! allows: servers differ in everything but the names of these fields.

use aigen_engine::ChatMessage;
use aigen_engine::sampler::Sampling;
use aigen_engine::text::{Claimed, TextFinish, TextFunction, TextPrompt, TextRequest, TextTools};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Secret;

/// The path below the base URL.
pub(crate) fn path(request: &TextRequest) -> &'static str {
    match request.prompt {
        TextPrompt::Chat(_) => "chat/completions",
        TextPrompt::Plain(_) => "completions",
    }
}

/// The request's body. Fields that would only repeat a default are left out, since some servers
/// refuse what they do not know.
pub(crate) fn body(request: &TextRequest, model: &str, stream: bool) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    match &request.prompt {
        TextPrompt::Plain(text) => body.insert("prompt".into(), text.as_str().into()),
        TextPrompt::Chat(messages) => body.insert("messages".into(), conversation(messages)),
    };
    body.insert("max_tokens".into(), request.max_tokens.into());
    sampling(&mut body, &request.sampling);
    if !request.stops.is_empty() {
        body.insert("stop".into(), json!(request.stops));
    }
    if let Some(schema) = &request.schema {
        let format = json!({"name": "answer", "strict": true, "schema": **schema});
        let format = json!({"type": "json_schema", "json_schema": format});
        body.insert("response_format".into(), format);
    }
    if let Some(tools) = &request.tools {
        offer(&mut body, tools);
    }
    if request.probabilities {
        // The older route asks for so many of the likeliest tokens, and tells of the chosen one beside them.
        let asked = match request.prompt {
            TextPrompt::Chat(_) => true.into(),
            TextPrompt::Plain(_) => 1.into(),
        };
        body.insert("logprobs".into(), asked);
    }
    if stream {
        body.insert("stream".into(), true.into());
        let options = json!({"include_usage": true});
        body.insert("stream_options".into(), options);
    }
    body.into()
}

/// As it is sent: without the detour of printing it as text.
pub(crate) fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).expect("a value has text keys only")
}

fn offer(body: &mut Map<String, Value>, tools: &TextTools) {
    let function = |function: &TextFunction| {
        let mut declared = json!({"name": function.name, "parameters": function.parameters});
        if let Some(description) = &function.description {
            declared["description"] = description.as_str().into();
        }
        if function.strict {
            declared["strict"] = true.into();
        }
        json!({"type": "function", "function": declared})
    };
    let functions = tools.functions.iter().map(function);
    body.insert("tools".into(), functions.collect());
    if tools.required {
        // Only what may be called is offered, so that no function has to be named.
        body.insert("tool_choice".into(), "required".into());
    }
    if !tools.parallel {
        body.insert("parallel_tool_calls".into(), false.into());
    }
}

fn conversation(messages: &[ChatMessage]) -> Value {
    let messages = messages.iter();
    messages
        .map(|message| json!({"role": message.role.as_str(), "content": message.content}))
        .collect()
}

fn sampling(body: &mut Map<String, Value>, sampling: &Sampling) {
    // The shortest decimal that reads back as the same f32: 0.7, not 0.699999988079071.
    let number = |value: f32| -> Value {
        let exact: f64 = value.to_string().parse().unwrap_or_default();
        exact.into()
    };
    body.insert("temperature".into(), number(sampling.temperature));
    let unless_default = [
        ("top_p", sampling.top_p, 1.0),
        ("presence_penalty", sampling.presence_penalty, 0.0),
        ("frequency_penalty", sampling.frequency_penalty, 0.0),
    ];
    for (name, value, default) in unless_default {
        if value.to_bits() != f32::to_bits(default) {
            body.insert(name.into(), number(value));
        }
    }
    if sampling.temperature > 0.0 {
        body.insert("seed".into(), sampling.seed.cast_signed().into());
    }
    if !sampling.bias.is_empty() {
        let bias = sampling.bias.iter();
        let bias: Map<_, _> = bias
            .map(|(token, bias)| (token.to_string(), number(*bias)))
            .collect();
        body.insert("logit_bias".into(), bias.into());
    }
}

/// A whole answer or one part of a streamed one, of either route.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    /// An error after the first byte has no status line to be in.
    #[serde(default)]
    pub error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Choice {
    #[serde(default)]
    text: Option<String>,
    #[serde(default, alias = "message")]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
    /// Of either route's shape; whatever else it may be says nothing.
    #[serde(default)]
    logprobs: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    /// What a model says instead of an answer, where a server tells the two apart.
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallPart>>,
}

/// A call of a function, or what is new of one.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct CallPart {
    /// Which of the answer's calls it is; the next one where a whole answer does not say.
    #[serde(default)]
    pub index: Option<u64>,
    #[serde(default)]
    pub function: FunctionPart,
}

/// What of a call is said of its function.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct FunctionPart {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub arguments: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Value,
    #[serde(default)]
    completion_tokens: Value,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Value,
}

impl Part {
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Text of the first choice; others were not asked for.
    pub fn text(&mut self) -> Option<String> {
        let choice = self.choices.first_mut()?;
        let delta = choice.delta.as_mut();
        let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let text = delta.and_then(|delta| match said(&delta.content) {
            true => delta.content.take(),
            false => delta.refusal.take(),
        });
        text.or(choice.text.take()).filter(|text| !text.is_empty())
    }

    /// Calls of the first choice.
    pub fn calls(&mut self) -> Vec<CallPart> {
        let delta = self
            .choices
            .first_mut()
            .and_then(|choice| choice.delta.as_mut());
        let calls = delta.and_then(|delta| delta.tool_calls.take());
        calls.unwrap_or_default()
    }

    /// Natural logarithm of the probability of the part's tokens, if it tells of any.
    pub fn logprob(&self) -> Option<f64> {
        let told = &self.choices.first()?.logprobs;
        let newer = told["content"].as_array();
        let newer = newer.map(|tokens| tokens.iter().filter_map(|token| token["logprob"].as_f64()));
        let older = told["token_logprobs"].as_array();
        let older = older.map(|tokens| tokens.iter().filter_map(Value::as_f64));
        let tokens: Vec<f64> = newer
            .into_iter()
            .flatten()
            .chain(older.into_iter().flatten())
            .collect();
        (!tokens.is_empty()).then(|| tokens.iter().sum())
    }

    /// Why there is no answer, where it is told like an end of one: by servers that drop a request.
    pub fn dropped(&self) -> Option<&str> {
        let reason = self.choices.first()?.finish_reason.as_deref()?;
        matches!(reason, "abort" | "error").then_some(reason)
    }

    pub fn finish(&self) -> Option<TextFinish> {
        match self.choices.first()?.finish_reason.as_deref()? {
            "length" | "max_tokens" => Some(TextFinish::Length),
            "content_filter" => Some(TextFinish::Filtered),
            _ => Some(TextFinish::Stop),
        }
    }

    pub fn claimed(&self) -> Option<Claimed> {
        let usage = self.usage.as_ref()?;
        let details = usage.prompt_tokens_details.as_ref();
        Some(Claimed {
            prompt: usage.prompt_tokens.as_i64(),
            cached: details.and_then(|details| details.cached_tokens.as_i64()),
            completion: usage.completion_tokens.as_i64(),
        })
    }
}

/// What an error body says, or its beginning, without the key: of a key that is cut off nobody could tell any
/// more that it is one.
pub(crate) fn message(body: &[u8], key: Option<&Secret>) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let said = parsed.as_ref().and_then(said);
    let text = || String::from_utf8_lossy(body).trim().to_owned();
    // A page for people is none for programs, and says no more than the status.
    let plain = || Some(text()).filter(|text| !text.starts_with('<'));
    let said = said.or_else(plain).unwrap_or_default();
    let said = match key {
        Some(key) => key.left_out(&said),
        None => said,
    };
    said.chars()
        .filter(|character| !character.is_control())
        .take(crate::limits::ERROR_CHARS_MAX)
        .collect()
}

/// `{"error": {"message": …}}`, `{"error": …}`, `{"message": …}` or `{"detail": …}`.
fn said(body: &Value) -> Option<String> {
    let error = &body["error"];
    [&error["message"], error, &body["message"], &body["detail"]]
        .into_iter()
        .find_map(|value| value.as_str().map(str::to_owned))
}
