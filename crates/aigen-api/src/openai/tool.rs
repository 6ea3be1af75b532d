use super::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something a model may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// `"function"`; other kinds are read so that they can be refused by name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<FunctionSpec>,
}

/// A function a model may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSpec {
    /// 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for, to the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A JSON Schema of its arguments; without one it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Schema>,
    /// Whether a schema that cannot be enforced as a whole is refused. What can be enforced
    /// is, either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// Whether a model may call something, has to, or what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum ToolChoice {
    /// Nothing is called.
    None,
    /// The model decides.
    Auto,
    /// Something has to be called.
    Required,
    /// This function has to be called.
    Function(String),
    /// Of these functions only; whether one has to be called.
    Allowed {
        /// Their names.
        names: Vec<String>,
        /// Whether something has to be called.
        required: bool,
    },
}

impl TryFrom<Value> for ToolChoice {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value["type"].as_str().or(value.as_str()) {
            Some("none") => Ok(Self::None),
            Some("auto") => Ok(Self::Auto),
            Some("required") => Ok(Self::Required),
            Some("function") => named(&value).map(Self::Function),
            // Chat completions nest what responses have beside the type.
            Some("allowed_tools") => allowed(value.get("allowed_tools").unwrap_or(&value)),
            _ => Err("expected `none`, `auto`, `required` or a function".to_owned()),
        }
    }
}

fn named(value: &Value) -> Result<String, String> {
    let name = value["function"]["name"]
        .as_str()
        .or(value["name"].as_str());
    let missing = || "the function has no name".to_owned();
    name.map(str::to_owned).ok_or_else(missing)
}

fn allowed(value: &Value) -> Result<ToolChoice, String> {
    let tools = value["tools"].as_array().ok_or("`tools` is no list")?;
    Ok(ToolChoice::Allowed {
        names: tools.iter().map(named).collect::<Result<_, _>>()?,
        required: value["mode"] == "required",
    })
}

impl From<ToolChoice> for Value {
    fn from(choice: ToolChoice) -> Self {
        let function = |name: &String| json!({"type": "function", "function": {"name": name}});
        match &choice {
            ToolChoice::None => "none".into(),
            ToolChoice::Auto => "auto".into(),
            ToolChoice::Required => "required".into(),
            ToolChoice::Function(name) => function(name),
            ToolChoice::Allowed { names, required } => {
                let tools: Vec<_> = names.iter().map(function).collect();
                let mode = if *required { "required" } else { "auto" };
                let allowed = json!({"mode": mode, "tools": tools});
                json!({"type": "allowed_tools", "allowed_tools": allowed})
            }
        }
    }
}

/// A call the model asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// What the tool's message refers to.
    pub id: String,
    /// Always `"function"`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The call.
    pub function: FunctionCall,
}

impl ToolCall {
    /// A call of a function.
    #[must_use]
    pub fn new(id: String, name: String, arguments: String) -> Self {
        let kind = "function".to_owned();
        let function = FunctionCall { name, arguments };
        Self { id, kind, function }
    }
}

/// A function and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionCall {
    /// The function.
    pub name: String,
    /// The arguments, as JSON text.
    pub arguments: String,
}

/// A part of a call in a stream. The first one carries id and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCallDelta {
    /// Which call, from 0.
    pub index: u32,
    /// Only in the first part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `"function"`, only in the first part.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is new of the call.
    pub function: FunctionDelta,
}

/// A part of a function call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionDelta {
    /// Only in the first part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// More of the arguments.
    #[serde(default)]
    pub arguments: String,
}
