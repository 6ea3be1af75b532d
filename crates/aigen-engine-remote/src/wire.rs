//! What is said to an upstream, and what is understood of its answer. As lenient as honesty
//! allows: servers differ in everything but the names of these fields.

use std::collections::BTreeMap;

use aigen_engine::text::{Claimed, TextFinish, TextFunction, TextPrompt, TextRequest};
use aigen_engine::{ChatMessage, TokenId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Secret;
use crate::text::Text;

/// The path below the base URL.
pub(crate) fn path(request: &TextRequest) -> &'static str {
    match request.prompt {
        TextPrompt::Chat(_) => "chat/completions",
        TextPrompt::Plain(_) => "completions",
    }
}

/// The request's body. Fields that would only repeat a default are left out, since some servers
/// refuse what they do not know.
pub(crate) fn body(request: &TextRequest, model: &str, stream: bool) -> Vec<u8> {
    let (prompt, messages) = match &request.prompt {
        TextPrompt::Plain(text) => (Some(text.as_str()), None),
        TextPrompt::Chat(messages) => (None, Some(conversation(messages))),
    };
    let (tools, sampling) = (request.tools.as_deref(), &request.sampling);
    let unless =
        |default: f32, value: f32| Some(value).filter(|_| value.to_bits() != default.to_bits());
    bytes(&Body {
        model,
        prompt,
        messages,
        max_tokens: request.max_tokens,
        temperature: sampling.temperature,
        top_p: unless(1.0, sampling.top_p),
        presence_penalty: unless(0.0, sampling.presence_penalty),
        frequency_penalty: unless(0.0, sampling.frequency_penalty),
        seed: (sampling.temperature > 0.0).then(|| sampling.seed.cast_signed()),
        logit_bias: sampling.bias.iter().copied().collect(),
        stop: Some(&*request.stops).filter(|stops| !stops.is_empty()),
        response_format: request.schema.as_deref().map(|schema| {
            let format = json!({"name": "answer", "strict": true, "schema": schema});
            json!({"type": "json_schema", "json_schema": format})
        }),
        tools: tools.map(|tools| tools.functions.iter().map(offered).collect()),
        // Only what may be called is offered, so that no function has to be named.
        tool_choice: tools.filter(|tools| tools.required).map(|_| "required"),
        parallel_tool_calls: tools.filter(|tools| !tools.parallel).map(|_| false),
        // The older route asks for so many of the likeliest tokens, and tells of the chosen one beside them.
        logprobs: request.probabilities.then(|| match prompt {
            None => true.into(),
            Some(_) => 1.into(),
        }),
        stream: stream.then_some(true),
        stream_options: stream.then(|| json!({"include_usage": true})),
    })
}

/// As it is sent.
pub(crate) fn bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("bodies have text keys only")
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Message<'a>>>,
    max_tokens: u32,
    /// 32 bits are written as the shortest decimal that reads back as the same: 0.7, not 0.699999988079071.
    temperature: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    logit_bias: BTreeMap<TokenId, f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

fn conversation(messages: &[ChatMessage]) -> Vec<Message<'_>> {
    let messages = messages.iter().map(|message| Message {
        role: message.role.as_str(),
        content: &message.content,
    });
    messages.collect()
}

fn offered(function: &TextFunction) -> Value {
    let mut declared = json!({"name": function.name, "parameters": function.parameters});
    if let Some(description) = &function.description {
        declared["description"] = description.as_str().into();
    }
    if function.strict {
        declared["strict"] = true.into();
    }
    json!({"type": "function", "function": declared})
}

/// A whole answer or one part of a streamed one, of either route.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Part<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    usage: Option<Usage>,
    /// An error after the first byte has no status line to be in.
    #[serde(default)]
    pub error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default, alias = "message")]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    finish_reason: Option<String>,
    /// Of either route's shape; whatever else it may be says nothing.
    #[serde(default)]
    logprobs: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
    /// What a model says instead of an answer, where a server tells the two apart.
    #[serde(borrow, default)]
    refusal: Option<Text<'a>>,
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

impl<'a> Part<'a> {
    pub fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Text of the first choice; others were not asked for.
    pub fn text(&self) -> Option<&Text<'a>> {
        let choice = self.choices.first()?;
        let delta = choice.delta.as_ref();
        let content = delta.and_then(|delta| delta.content.as_ref());
        let refusal = delta.and_then(|delta| delta.refusal.as_ref());
        let said = content.filter(|text| !text.is_empty());
        let said = said.or(refusal).or(choice.text.as_ref());
        said.filter(|text| !text.is_empty())
    }

    /// Whether it says nothing but text.
    pub fn is_text(&self) -> bool {
        let Self {
            choices,
            usage: None,
            error: None,
        } = self
        else {
            return false;
        };
        let calls = |choice: &Choice| {
            let delta = choice.delta.as_ref();
            delta.is_some_and(|delta| delta.tool_calls.is_some())
        };
        let [only] = &**choices else { return false };
        only.finish_reason.is_none() && only.logprobs.is_null() && !calls(only)
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
