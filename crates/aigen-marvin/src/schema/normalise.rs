//! Writes every reference out and bounds every part.

use super::SchemaError;
use super::{numbers, objects, strings};
use crate::limits::{DEPTH_MAX, ITEMS_MAX, NODES_MAX};
use serde_json::{Map, Value, json};

/// Why a node was not made.
pub(super) enum Stop {
    /// With so many levels the schema becomes too large.
    TooLarge,
    /// The type cannot be promised.
    Wrong(SchemaError),
}

/// A node; `None` where nothing can stand.
pub(super) type Node = Result<Option<Value>, Stop>;

/// Types that contain themselves are written out to some depth; as deep as the size allows.
pub(super) fn normalise(root: &Value) -> Result<Value, SchemaError> {
    for depth in (1..=DEPTH_MAX).rev() {
        let mut maker = Maker {
            root,
            depth,
            nodes: 0,
            path: vec!["$".to_owned()],
            inside: vec![ROOT],
        };
        match maker.node(root) {
            Ok(Some(schema)) => return Ok(schema),
            Ok(None) => {
                return Err(maker.error(
                    "no finite value is of this type",
                    "let it end somewhere: make a field an Option or a Vec",
                ));
            }
            Err(Stop::Wrong(error)) => return Err(error),
            Err(Stop::TooLarge) => {}
        }
    }
    Err(SchemaError {
        path: "$".to_owned(),
        what: format!("written out, the schema has more than {NODES_MAX} parts"),
        hint: "ask for a smaller type, in several calls",
    })
}

/// How a type refers to itself where it is the whole schema.
const ROOT: &str = "#";

pub(super) struct Maker<'a> {
    root: &'a Value,
    /// How often a definition may stand inside itself.
    depth: usize,
    nodes: usize,
    path: Vec<String>,
    /// The definitions that we are inside of.
    inside: Vec<&'a str>,
}

impl<'a> Maker<'a> {
    pub fn node(&mut self, schema: &'a Value) -> Node {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Stop::TooLarge);
        }
        match schema {
            Value::Bool(false) => Ok(None),
            Value::Object(schema) => {
                let node = self.keywords(schema)?;
                Ok(node.map(|node| described(node, schema)))
            }
            _ => Ok(Some(anything())),
        }
    }

    /// As [`Maker::node`], further down.
    pub fn below(&mut self, step: &str, schema: &'a Value) -> Node {
        self.path.push(step.to_owned());
        let node = self.node(schema)?;
        self.path.pop();
        Ok(node)
    }

    fn keywords(&mut self, schema: &'a Map<String, Value>) -> Node {
        if let Some(reference) = schema.get("$ref") {
            return self.reference(reference);
        }
        if let Some(value) = schema.get("const") {
            return Ok(Some(json!({ "const": value })));
        }
        if let Some(values) = schema.get("enum") {
            return Ok(Some(json!({ "enum": values })));
        }
        if let Some(Value::Array(parts)) = schema.get("allOf") {
            return self.all_of(schema, parts);
        }
        let mut names = ["oneOf", "anyOf"].into_iter();
        if let Some(Value::Array(alternatives)) = names.find_map(|name| schema.get(name)) {
            return self.any_of(schema, alternatives);
        }
        match schema.get("not") {
            None => {}
            Some(not) if *not == json!({ "const": 0 }) => {}
            Some(not) if *not == json!({}) || *not == json!(true) => return Ok(None),
            Some(_) => {
                let hint = "say what it is instead of what it is not";
                return Err(self.wrong("the keyword `not`", hint));
            }
        }
        match schema.get("type") {
            Some(Value::String(of)) => self.of_type(of, schema),
            Some(Value::Array(types)) => self.of_types(types, schema),
            _ if schema.contains_key("properties") => self.of_type("object", schema),
            _ if schema.contains_key("pattern") => self.of_type("string", schema),
            _ => Ok(Some(anything())),
        }
    }

    fn reference(&mut self, reference: &'a Value) -> Node {
        let name = reference.as_str().unwrap_or_default();
        let pointer = name.strip_prefix(ROOT);
        let Some(definition) = pointer.and_then(|pointer| self.root.pointer(pointer)) else {
            let hint = "describe the type in place";
            return Err(self.wrong("a reference to another schema", hint));
        };
        let around = self.inside.iter().filter(|inside| **inside == name);
        if around.count() >= self.depth {
            return Ok(None);
        }
        self.inside.push(name);
        let node = self.node(definition)?;
        self.inside.pop();
        Ok(node)
    }

    fn of_types(&mut self, types: &'a [Value], schema: &'a Map<String, Value>) -> Node {
        let mut nodes = Vec::new();
        for of in types.iter().filter_map(Value::as_str) {
            nodes.extend(self.of_type(of, schema)?);
        }
        Ok(one_of(nodes))
    }

    fn of_type(&mut self, of: &str, schema: &'a Map<String, Value>) -> Node {
        match of {
            "integer" => Ok(numbers::integer(schema)),
            "number" => Ok(Some(numbers::number(schema))),
            "string" => strings::string(self, schema),
            "array" => self.array(schema),
            "object" => objects::object(self, schema),
            of => Ok(Some(json!({ "type": of }))),
        }
    }

    fn array(&mut self, schema: &'a Map<String, Value>) -> Node {
        if let Some(Value::Array(items)) = schema.get("prefixItems") {
            return self.tuple(items);
        }
        let at_least = count(schema, "minItems").unwrap_or(0);
        let at_most = count(schema, "maxItems").unwrap_or(ITEMS_MAX.max(at_least));
        let items = match schema.get("items") {
            Some(items) => self.below("[]", items)?,
            None => Some(anything()),
        };
        Ok(match items {
            Some(items) => Some(json!({
                "type": "array", "items": items, "minItems": at_least, "maxItems": at_most,
            })),
            None => (at_least == 0).then(|| json!({ "const": [] })),
        })
    }

    fn tuple(&mut self, items: &'a [Value]) -> Node {
        let mut nodes = Vec::new();
        for (at, item) in items.iter().enumerate() {
            match self.below(&format!("[{at}]"), item)? {
                Some(node) => nodes.push(node),
                None => return Ok(None),
            }
        }
        let length = nodes.len();
        Ok(Some(json!({
            "type": "array", "prefixItems": nodes, "items": false,
            "minItems": length, "maxItems": length,
        })))
    }

    /// What stands beside the alternatives is true of each of them.
    fn any_of(&mut self, schema: &'a Map<String, Value>, alternatives: &'a [Value]) -> Node {
        let mut nodes = Vec::new();
        for alternative in alternatives {
            nodes.extend(self.node(alternative)?);
        }
        if !schema.contains_key("properties") {
            return Ok(one_of(nodes));
        }
        let Some(base) = objects::object(self, schema)? else {
            return Ok(None);
        };
        let merged = nodes.iter().map(|node| objects::merged(&base, node));
        let merged: Option<Vec<_>> = merged.collect();
        Ok(one_of(merged.ok_or_else(|| self.mixed())?))
    }

    fn all_of(&mut self, schema: &'a Map<String, Value>, parts: &'a [Value]) -> Node {
        let mut whole = match schema.contains_key("properties") {
            true => objects::object(self, schema)?,
            false => None,
        };
        for part in parts {
            let Some(part) = self.node(part)? else {
                return Ok(None);
            };
            whole = Some(match whole {
                None => part,
                Some(whole) => objects::merged(&whole, &part).ok_or_else(|| self.mixed())?,
            });
        }
        Ok(whole)
    }

    fn mixed(&self) -> Stop {
        self.wrong(
            "it is several things at once that are not all objects",
            "give what is flattened a field of its own",
        )
    }

    pub fn wrong(&self, what: &str, hint: &'static str) -> Stop {
        Stop::Wrong(self.error(what, hint))
    }

    fn error(&self, what: &str, hint: &'static str) -> SchemaError {
        SchemaError {
            path: self.path.concat(),
            what: what.to_owned(),
            hint,
        }
    }
}

/// One of these; `None` if there is none.
pub(super) fn one_of(mut nodes: Vec<Value>) -> Option<Value> {
    match nodes.len() {
        0 => None,
        1 => nodes.pop(),
        _ => Some(json!({ "anyOf": nodes })),
    }
}

/// Keeps what the type says of itself, for the model to read.
fn described(mut node: Value, schema: &Map<String, Value>) -> Value {
    if let (Some(node), Some(text)) = (node.as_object_mut(), schema.get("description")) {
        node.insert("description".to_owned(), text.clone());
    }
    node
}

/// Any JSON, two levels deep: deeper, or with numbers of any size, it would not be read back.
pub(super) fn anything() -> Value {
    let mut all = vec![
        json!({ "type": "null" }),
        json!({ "type": "boolean" }),
        numbers::number(&Map::new()),
        strings::any(),
    ];
    let scalar = json!({ "anyOf": all });
    all.push(json!({ "type": "array", "items": scalar, "maxItems": ITEMS_MAX }));
    all.push(objects::map_of(&scalar));
    json!({ "anyOf": all })
}

pub(super) fn count(schema: &Map<String, Value>, name: &str) -> Option<u64> {
    schema.get(name).and_then(Value::as_u64)
}
