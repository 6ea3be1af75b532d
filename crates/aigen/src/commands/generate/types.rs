//! JSON Schemas as the types that languages have.

use crate::failure::hinted;
use aigen_api::resources::Function;
use anyhow::{Result, ensure};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A type. What a schema says beyond it (lengths, patterns, ranges) is the node's to keep.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything.
    Any,
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    /// One of these texts, numbers, booleans or null.
    Literal(Vec<Value>),
    List(Box<Type>),
    /// Texts to values.
    Map(Box<Type>),
    Union(Vec<Type>),
    /// A declared one.
    Named(String),
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    pub name: String,
    pub doc: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An object with these fields.
    Record(Vec<Field>),
    /// Another word for it.
    Alias(Type),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub what: Type,
    pub required: bool,
    pub doc: String,
}

/// A function of the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// `ada/sentiment@1.0.0`.
    pub reference: String,
    /// Its words, lower case: `ada`, `sentiment`.
    pub words: Vec<String>,
    pub doc: String,
    pub input: Type,
    pub value: Type,
}

/// Everything that is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    pub types: Vec<Declared>,
    pub methods: Vec<Method>,
}

impl Module {
    /// # Errors
    /// Two functions that would have one name.
    pub fn of(functions: &[Function]) -> Result<Self> {
        let mut module = Self::default();
        let mut taken = BTreeSet::new();
        for function in functions {
            let reference = function.reference.to_string();
            let words = words(&function.reference.controller().to_string());
            ensure!(
                taken.insert(words.clone()),
                hinted(
                    format!("{reference} and another function would have one name"),
                    "choose with --function, and write them to two folders",
                )
            );
            let name = pascal(&words);
            let input = Reader::read(&mut module.types, &function.input, &format!("{name}Input"));
            let value = Reader::read(&mut module.types, &function.output, &format!("{name}Value"));
            module.methods.push(Method {
                reference,
                words,
                doc: function.description.clone(),
                input,
                value,
            });
        }
        Ok(module)
    }
}

/// The runs of letters and digits.
fn words(name: &str) -> Vec<String> {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

/// `AdaSentiment`.
pub fn pascal(words: &[String]) -> String {
    let capital = |word: &String| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    words.iter().map(capital).collect()
}

/// Reads one schema; what it declares begins with the schema's name.
struct Reader<'a> {
    types: &'a mut Vec<Declared>,
    root: &'a Value,
    prefix: &'a str,
    /// Definitions that are declared already: one may contain itself.
    known: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn read(types: &'a mut Vec<Declared>, root: &'a Value, prefix: &'a str) -> Type {
        let mut reader = Self {
            types,
            root,
            prefix,
            known: BTreeSet::new(),
        };
        let what = reader.type_of(root, prefix);
        if what == Type::Named(prefix.to_owned()) {
            return what;
        }
        reader.declare(prefix, root, What::Alias(what))
    }

    fn declare(&mut self, name: &str, schema: &Value, what: What) -> Type {
        self.types.push(Declared {
            name: name.to_owned(),
            doc: doc(schema),
            what,
        });
        Type::Named(name.to_owned())
    }

    fn type_of(&mut self, schema: &Value, name: &str) -> Type {
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
            return self.referred(pointer);
        }
        if let Some(value) = schema.get("const") {
            return literal(std::slice::from_ref(value));
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return literal(values);
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(choices) = schema.get(word).and_then(Value::as_array) {
                return self.union(choices, name);
            }
        }
        match schema.get("type") {
            Some(Value::String(kind)) => self.of_kind(kind, schema, name),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                let kinds: Vec<_> = kinds.map(|kind| self.of_kind(kind, schema, name)).collect();
                Type::Union(kinds)
            }
            _ if schema.get("properties").is_some() => self.of_kind("object", schema, name),
            _ => Type::Any,
        }
    }

    fn union(&mut self, choices: &[Value], name: &str) -> Type {
        let choices = choices.iter().enumerate();
        let choices = choices.map(|(at, choice)| {
            let titled = choice.get("title").and_then(Value::as_str);
            let part = titled.map_or_else(|| (at + 1).to_string(), |title| pascal(&words(title)));
            self.type_of(choice, &format!("{name}{part}"))
        });
        Type::Union(choices.collect())
    }

    fn of_kind(&mut self, kind: &str, schema: &Value, name: &str) -> Type {
        match kind {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "string" => Type::Text,
            "array" => {
                let item = schema.get("items").unwrap_or(&Value::Null);
                Type::List(Box::new(self.type_of(item, &format!("{name}Item"))))
            }
            "object" => match schema.get("properties").and_then(Value::as_object) {
                Some(properties) if !properties.is_empty() => self.record(schema, properties, name),
                _ => {
                    let values = schema.get("additionalProperties").unwrap_or(&Value::Null);
                    Type::Map(Box::new(self.type_of(values, &format!("{name}Entry"))))
                }
            },
            _ => Type::Any,
        }
    }

    fn record(&mut self, schema: &Value, properties: &Map<String, Value>, name: &str) -> Type {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |field: &str| {
            required.is_some_and(|names| names.iter().any(|name| name.as_str() == Some(field)))
        };
        let fields = properties.iter().map(|(field, schema)| Field {
            name: field.clone(),
            what: self.type_of(schema, &format!("{name}{}", pascal(&words(field)))),
            required: is_required(field),
            doc: doc(schema),
        });
        let fields = fields.collect();
        self.declare(name, schema, What::Record(fields))
    }

    /// A definition, declared once.
    fn referred(&mut self, pointer: &str) -> Type {
        let last = pointer.rsplit('/').next().unwrap_or_default();
        let root = self.root;
        let Some(schema) = pointer.strip_prefix('#').and_then(|at| root.pointer(at)) else {
            return Type::Any;
        };
        if pointer == "#" {
            return Type::Named(self.prefix.to_owned());
        }
        let name = format!("{}{}", self.prefix, pascal(&words(last)));
        if self.known.insert(name.clone()) {
            let what = self.type_of(schema, &name);
            if what != Type::Named(name.clone()) {
                self.declare(&name, schema, What::Alias(what));
            }
        }
        Type::Named(name)
    }
}

/// Objects and lists among the values have no literal types.
fn literal(values: &[Value]) -> Type {
    match values
        .iter()
        .any(|value| value.is_object() || value.is_array() || value.is_f64())
    {
        true => Type::Any,
        false => Type::Literal(values.to_vec()),
    }
}

fn doc(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(schema: Value) -> (Type, Vec<Declared>) {
        let mut types = Vec::new();
        let what = Reader::read(&mut types, &schema, "A");
        (what, types)
    }

    #[test]
    fn a_type_that_contains_itself_is_declared_once() {
        let tree = json!({
            "$ref": "#/$defs/node",
            "$defs": {"node": {"type": "object", "required": ["left"], "properties": {"left": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}},
        });
        let (what, types) = read(tree);
        assert_eq!(what, Type::Named("A".into()));
        let names: Vec<_> = types
            .iter()
            .map(|declared| declared.name.as_str())
            .collect();
        assert_eq!(names, ["ANode", "A"]);
        let What::Record(fields) = &types[0].what else {
            panic!("{types:?}")
        };
        let itself = Type::Named("ANode".into());
        assert_eq!(fields[0].what, Type::Union(vec![itself, Type::Null]));
    }

    #[test]
    fn what_no_language_has_is_anything() {
        for schema in [
            json!({}),
            json!({"enum": [{"a": 1}]}),
            json!({"$ref": "#/nowhere"}),
        ] {
            let (_, types) = read(schema);
            assert_eq!(types[0].what, What::Alias(Type::Any));
        }
    }
}
