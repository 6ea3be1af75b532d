use super::super::sampling::none_or_many;
use super::super::{
    ApiError, Extension, FunctionSpec, ResponseFormat, Role, Sampling, Schema, ToolChoice,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `POST /v1/responses`. Fields not listed here do not change the answer and are ignored.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ResponsesRequest {
    /// Which model answers.
    pub model: String,
    /// What it is asked.
    #[serde(default)]
    pub input: ResponsesInput,
    /// Put before the input as instructions.
    #[serde(default)]
    pub instructions: Option<String>,
    /// Most tokens of the answer.
    #[serde(default)]
    pub max_output_tokens: Option<u32>,
    /// See [`Sampling::temperature`].
    #[serde(default)]
    pub temperature: Option<f64>,
    /// See [`Sampling::top_p`].
    #[serde(default)]
    pub top_p: Option<f64>,
    /// Alternatives per token, 0 to 20; reported when `include` asks for log-probabilities.
    #[serde(default)]
    pub top_logprobs: Option<u32>,
    /// Functions the model may call.
    #[serde(default, deserialize_with = "none_or_many")]
    pub tools: Vec<ResponsesTool>,
    /// Whether it may, has to, or which.
    #[serde(default)]
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once; yes when absent.
    #[serde(default)]
    pub parallel_tool_calls: Option<bool>,
    /// What the answer's text must look like.
    #[serde(default)]
    pub text: Option<TextConfig>,
    /// Whether the answer comes as server-sent events.
    #[serde(default)]
    pub stream: Option<bool>,
    /// What the reply carries beside the answer.
    #[serde(default, deserialize_with = "none_or_many")]
    pub include: Vec<String>,
    /// Given back as it came.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    /// The caller's end user; given back as it came.
    #[serde(default)]
    pub user: Option<String>,
    /// `disabled`: what does not fit is refused.
    #[serde(default)]
    pub truncation: Option<String>,
    /// AiGen's own fields.
    #[serde(default)]
    pub aigen: Option<Extension>,

    /// Kept so that it can be refused: nothing is stored here that it could name.
    #[serde(default)]
    pub previous_response_id: Option<Value>,
    /// Kept so that it can be refused, for the same reason.
    #[serde(default)]
    pub conversation: Option<Value>,
    /// Kept so that it can be refused: a stored prompt.
    #[serde(default)]
    pub prompt: Option<Value>,
    /// Kept so that it can be refused: an answer to be fetched later.
    #[serde(default)]
    pub background: Option<bool>,
    /// Kept so that it can be refused: a judgement of input and answer.
    #[serde(default)]
    pub moderation: Option<Value>,
    /// Kept so that it can be refused: a compressed conversation.
    #[serde(default)]
    pub context_management: Option<Value>,
}

/// What a model is asked: a text or items, oldest first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub enum ResponsesInput {
    /// What the user says.
    Text(String),
    /// Messages, calls and their results.
    Items(Vec<InputItem>),
}

impl TryFrom<Value> for ResponsesInput {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let Value::Array(items) = value else {
            let text = value.as_str().map(|text| Self::Text(text.to_owned()));
            return text.ok_or_else(|| "expected a text or a list of items".to_owned());
        };
        let items = items.into_iter().enumerate();
        let items = items.map(|(at, item)| {
            crate::json::from_value(item).map_err(|error| format!("item {at}: {error}"))
        });
        items.collect::<Result<_, _>>().map(Self::Items)
    }
}

impl Default for ResponsesInput {
    fn default() -> Self {
        Self::Items(Vec::new())
    }
}

/// One item. Which fields it has depends on its type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputItem {
    /// `message` when absent; also `function_call`, `function_call_output` and `reasoning`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Who speaks, of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What is said, of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<InputText>,
    /// Which call, of a call and its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The function, of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// JSON text, of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// What the function answered, of a call's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<InputText>,
}

/// A text, or a list of parts with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "String")]
pub struct InputText(pub String);

impl From<InputText> for String {
    fn from(text: InputText) -> Self {
        text.0
    }
}

impl TryFrom<Value> for InputText {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self(text)),
            Value::Array(parts) => parts.iter().map(part).collect::<Result<_, _>>().map(Self),
            _ => Err("expected a text or a list of text parts".to_owned()),
        }
    }
}

fn part(part: &Value) -> Result<String, String> {
    let kind = part["type"].as_str().unwrap_or("text");
    let field = match kind {
        "text" | "input_text" | "output_text" | "summary_text" | "reasoning_text" => "text",
        "refusal" => "refusal",
        _ => {
            return Err(format!(
                "parts of type `{kind}` are not supported, only text"
            ));
        }
    };
    let text = part[field].as_str().map(str::to_owned);
    text.ok_or_else(|| format!("a part of type `{kind}` has no `{field}`"))
}

/// Something a model may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponsesTool {
    /// `"function"`; other kinds are read so that they can be refused by name.
    #[serde(rename = "type")]
    pub kind: String,
    /// See [`FunctionSpec::name`].
    #[serde(default)]
    pub name: String,
    /// See [`FunctionSpec::description`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// See [`FunctionSpec::parameters`].
    #[serde(default)]
    pub parameters: Option<Schema>,
    /// See [`FunctionSpec::strict`].
    #[serde(default)]
    pub strict: Option<bool>,
}

impl ResponsesTool {
    /// The function.
    #[must_use]
    pub fn function(&self) -> FunctionSpec {
        FunctionSpec {
            name: self.name.clone(),
            description: self.description.clone(),
            parameters: self.parameters.clone(),
            strict: self.strict,
        }
    }
}

/// What the answer's text must look like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextConfig {
    /// Any text when absent.
    #[serde(default)]
    pub format: Option<TextFormat>,
}

/// The format of a text: what [`ResponseFormat`] nests stands here beside the type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextFormat {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The caller's name for the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// Whether the schema must be enforced. Here it always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

impl TextFormat {
    /// Any text.
    #[must_use]
    pub fn text() -> Self {
        Self {
            kind: "text".to_owned(),
            name: None,
            description: None,
            schema: None,
            strict: None,
        }
    }

    /// The same as chat completions say it.
    ///
    /// # Errors
    /// For an unknown kind, and a schema that is missing.
    pub fn response_format(&self) -> Result<ResponseFormat, ApiError> {
        match self.kind.as_str() {
            "text" => Ok(ResponseFormat::Text),
            "json_object" => Ok(ResponseFormat::JsonObject),
            "json_schema" => Ok(ResponseFormat::JsonSchema {
                name: self.name.clone().unwrap_or_default(),
                schema: self.schema.clone().ok_or_else(|| {
                    ApiError::invalid("text.format.schema", "the format has no schema")
                })?,
                strict: self.strict,
            }),
            _ => {
                let message = "must be `text`, `json_object` or `json_schema`";
                Err(ApiError::invalid("text.format.type", message))
            }
        }
    }
}

impl ResponsesRequest {
    /// How tokens are chosen, in the form all routes share.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        Sampling {
            max_tokens: self.max_output_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            choices: 1,
            logprobs: self
                .reports_logprobs()
                .then(|| self.top_logprobs.unwrap_or(0)),
            ..Sampling::default()
        }
    }

    fn reports_logprobs(&self) -> bool {
        let asks = |include: &String| include == "message.output_text.logprobs";
        self.include.iter().any(asks)
    }
}
