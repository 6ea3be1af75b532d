use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What the answer must look like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub enum ResponseFormat {
    /// Any text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema {
        /// The caller's name for the schema.
        name: String,
        /// The schema.
        schema: Schema,
        /// Whether the schema must be enforced. Here it always is.
        strict: Option<bool>,
    },
}

/// A JSON Schema as its JSON text.
///
/// Text and not a parsed value: the order of properties is the order in which
/// they are generated, and a sorted map would lose it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(Box<RawValue>);

impl Schema {
    /// The JSON text, as the caller wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl std::str::FromStr for Schema {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> Result<Self, Self::Err> {
        RawValue::from_string(json.to_owned()).map(Self)
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Schema {}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<Named>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    JsonObject,
    JsonSchema,
}

#[derive(Serialize, Deserialize)]
struct Named {
    name: String,
    schema: Option<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl TryFrom<Wire> for ResponseFormat {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        match (wire.kind, wire.json_schema) {
            (Kind::Text, _) => Ok(Self::Text),
            (Kind::JsonObject, _) => Ok(Self::JsonObject),
            (Kind::JsonSchema, None) => Err("missing field `json_schema`"),
            (Kind::JsonSchema, Some(named)) => Ok(Self::JsonSchema {
                name: named.name,
                schema: named.schema.ok_or("missing field `json_schema.schema`")?,
                strict: named.strict,
            }),
        }
    }
}

impl From<ResponseFormat> for Wire {
    fn from(format: ResponseFormat) -> Self {
        let (kind, json_schema) = match format {
            ResponseFormat::Text => (Kind::Text, None),
            ResponseFormat::JsonObject => (Kind::JsonObject, None),
            ResponseFormat::JsonSchema {
                name,
                schema,
                strict,
            } => {
                let schema = Some(schema);
                let named = Named {
                    name,
                    schema,
                    strict,
                };
                (Kind::JsonSchema, Some(named))
            }
        };
        Self { kind, json_schema }
    }
}
