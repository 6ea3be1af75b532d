use crate::openai::{
    ApiError, Extension, FunctionSpec, ResponseFormat, Sampling, Schema, ToolChoice,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `POST /v1/messages` and `/v1/messages/count_tokens`. Fields not listed here do not change
/// the answer and are ignored.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct MessagesRequest {
    /// Which model answers.
    pub model: String,
    /// The conversation so far, oldest first; at least one.
    pub messages: Vec<Turn>,
    /// Most tokens of the answer. An answer needs it, a count does not.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// Instructions.
    #[serde(default)]
    pub system: Option<Blocks>,
    /// Texts that end the answer and are not part of it.
    #[serde(default)]
    pub stop_sequences: Vec<String>,
    /// Whether the answer comes as server-sent events.
    #[serde(default)]
    pub stream: Option<bool>,
    /// 0 to 1; 0 always takes the likeliest token.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// See [`Sampling::top_p`].
    #[serde(default)]
    pub top_p: Option<f64>,
    /// Only so many of the likeliest tokens.
    #[serde(default)]
    pub top_k: Option<u32>,
    /// Functions the model may call.
    #[serde(default)]
    pub tools: Vec<MessagesTool>,
    /// Whether it may, has to, or which.
    #[serde(default)]
    pub tool_choice: Option<MessagesToolChoice>,
    /// What the answer must look like.
    #[serde(default)]
    pub output_config: Option<OutputConfig>,
    /// The older place of `output_config.format`.
    #[serde(default)]
    pub output_format: Option<OutputFormat>,
    /// Says whom the answer is for.
    #[serde(default)]
    pub metadata: Option<Metadata>,
    /// AiGen's own fields.
    #[serde(default)]
    pub aigen: Option<Extension>,

    /// Kept so that it can be refused: servers whose tools would be called.
    #[serde(default)]
    pub mcp_servers: Option<Value>,
    /// Kept so that it can be refused: a machine for tools.
    #[serde(default)]
    pub container: Option<Value>,
    /// Kept so that it can be refused: a conversation that is shortened by itself.
    #[serde(default)]
    pub context_management: Option<Value>,
}

/// Texts that may end an answer: as many as a session here looks for.
const STOP_SEQUENCES_MAX: usize = 16;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub role: TurnRole,
    /// What is said.
    pub content: Blocks,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TurnRole {
    /// Instructions within the conversation.
    System,
    /// The one who asks, and results of tools.
    User,
    /// The model.
    Assistant,
}

/// A text, or a list of blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Blocks(pub Vec<ContentBlock>);

impl TryFrom<Value> for Blocks {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self(vec![ContentBlock::text(text)])),
            Value::Array(blocks) => {
                let blocks = blocks.into_iter().enumerate().map(|(at, block)| {
                    crate::json::from_value(block).map_err(|error| format!("block {at}: {error}"))
                });
                blocks.collect::<Result<_, _>>().map(Self)
            }
            _ => Err("expected a text or a list of blocks".to_owned()),
        }
    }
}

impl From<Blocks> for Value {
    fn from(blocks: Blocks) -> Self {
        // Blocks have text keys only.
        serde_json::to_value(blocks.0).unwrap_or_default()
    }
}

/// One block. Which fields it has depends on its type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContentBlock {
    /// `text`, `tool_use`, `tool_result` or `thinking`; others are read so that they can be
    /// refused by name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Names a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The function of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The arguments of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Which call a result answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_use_id: Option<String>,
    /// What a function answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Blocks>,
    /// Whether the function failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
}

impl ContentBlock {
    /// A text.
    #[must_use]
    pub fn text(text: String) -> Self {
        Self {
            kind: "text".to_owned(),
            text: Some(text),
            ..Self::default()
        }
    }
}

/// Something a model may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagesTool {
    /// `custom` when absent; others are read so that they can be refused by name.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// See [`FunctionSpec::name`].
    pub name: String,
    /// See [`FunctionSpec::description`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// See [`FunctionSpec::parameters`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Schema>,
    /// See [`FunctionSpec::strict`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

impl MessagesTool {
    /// The function.
    #[must_use]
    pub fn function(&self) -> FunctionSpec {
        FunctionSpec {
            name: self.name.clone(),
            description: self.description.clone(),
            parameters: self.input_schema.clone(),
            strict: self.strict,
        }
    }
}

/// Whether a model may call something, has to, or what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagesToolChoice {
    /// `auto`, `any`, `tool` or `none`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which, with `tool`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether there is one call at most.
    #[serde(default)]
    pub disable_parallel_tool_use: bool,
}

impl MessagesToolChoice {
    /// The same as chat completions say it.
    ///
    /// # Errors
    /// For an unknown kind, and a tool that is not named.
    pub fn choice(&self) -> Result<ToolChoice, ApiError> {
        match (self.kind.as_str(), &self.name) {
            ("auto", _) => Ok(ToolChoice::Auto),
            ("any", _) => Ok(ToolChoice::Required),
            ("none", _) => Ok(ToolChoice::None),
            ("tool", Some(name)) => Ok(ToolChoice::Function(name.clone())),
            ("tool", None) => Err(ApiError::invalid("tool_choice.name", "it is missing")),
            _ => {
                let message = "must be `auto`, `any`, `tool` or `none`";
                Err(ApiError::invalid("tool_choice.type", message))
            }
        }
    }
}

/// What an answer must look like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputConfig {
    /// Any text when absent.
    #[serde(default)]
    pub format: Option<OutputFormat>,
}

/// JSON of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFormat {
    /// `json_schema`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The schema.
    pub schema: Schema,
}

impl OutputFormat {
    /// The same as chat completions say it.
    ///
    /// # Errors
    /// For an unknown kind.
    pub fn response_format(&self) -> Result<ResponseFormat, ApiError> {
        match self.kind.as_str() {
            "json_schema" => Ok(ResponseFormat::JsonSchema {
                name: "output".to_owned(),
                schema: self.schema.clone(),
                strict: Some(true),
            }),
            _ => {
                let message = "must be `json_schema`";
                Err(ApiError::invalid("output_config.format.type", message))
            }
        }
    }
}

/// Says whom an answer is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The caller's end user.
    #[serde(default)]
    pub user_id: Option<String>,
}

impl MessagesRequest {
    /// How tokens are chosen, in the form all routes share.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        Sampling {
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            choices: 1,
            stop: self.stop_sequences.clone(),
            ..Sampling::default()
        }
    }

    /// Checks what the shape alone cannot.
    ///
    /// # Errors
    /// The first field at fault.
    pub fn check(&self) -> Result<(), ApiError> {
        let Some(last) = self.messages.last() else {
            return Err(ApiError::invalid("messages", "needs at least one message"));
        };
        if last.role == TurnRole::Assistant {
            let message = "the last message must not be the assistant's: no answer is begun by its caller here";
            return Err(ApiError::invalid("messages", message));
        }
        super::turns::check(&self.messages)?;
        let heats = |temperature| !(0.0..=1.0).contains(&temperature);
        if self.temperature.is_some_and(heats) {
            return Err(ApiError::invalid("temperature", "must be between 0 and 1"));
        }
        for (at, tool) in self.tools.iter().enumerate() {
            if tool.kind.as_deref().is_none_or(|kind| kind == "custom")
                && tool.input_schema.is_none()
            {
                let param = format!("tools[{at}].input_schema");
                return Err(ApiError::invalid(param, "it is missing"));
            }
        }
        let sampling = self.sampling();
        sampling.check_stops("stop_sequences", STOP_SEQUENCES_MAX)?;
        let stop = Vec::new();
        Sampling { stop, ..sampling }.check()
    }
}
