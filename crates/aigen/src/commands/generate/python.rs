//! Python: typed dictionaries and a class with a method for each function, on the standard library.

use super::types::{Declared, Field, Method, Module, Type, What};
use serde_json::Value;
use std::fmt::Write;

const HEAD: &str = include_str!("head.py");

/// Words that are no names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// The whole file.
pub fn write(module: &Module) -> String {
    let mut text = HEAD.to_owned();
    module
        .types
        .iter()
        .for_each(|declared| declare(&mut text, declared));
    text.push_str("\n\nclass Functions(Client):\n    \"\"\"The functions that were published when this was written.\"\"\"\n");
    module.methods.iter().for_each(|one| method(&mut text, one));
    text
}

// Writing to a String cannot fail.
macro_rules! put {
    ($text:expr, $($what:tt)*) => { let _ = writeln!($text, $($what)*); };
}

fn declare(text: &mut String, declared: &Declared) {
    let Declared { name, doc, what } = declared;
    text.push_str("\n\n");
    match what {
        What::Alias(what) => {
            put!(text, "{name}: TypeAlias = {}", quoted(&shown(what)));
        }
        What::Record(fields) if fields.iter().all(|field| is_name(&field.name)) => {
            put!(text, "class {name}(TypedDict):");
            docstring(text, "    ", doc);
            for Field {
                name,
                what,
                required,
                ..
            } in fields
            {
                put!(text, "    {name}: {}", field(what, *required));
            }
        }
        What::Record(fields) => {
            put!(text, "{name} = TypedDict({}, {{", quoted(name));
            for Field {
                name,
                what,
                required,
                ..
            } in fields
            {
                put!(
                    text,
                    "    {}: {},",
                    quoted(name),
                    quoted(&field(what, *required))
                );
            }
            put!(text, "}})");
        }
    }
}

fn field(what: &Type, required: bool) -> String {
    match required {
        true => shown(what),
        false => format!("NotRequired[{}]", shown(what)),
    }
}

fn method(text: &mut String, method: &Method) {
    let name = method.words.join("_");
    let (input, value) = (shown(&method.input), shown(&method.value));
    put!(
        text,
        "\n    def {name}(self, input: {input}, options: Options | None = None, *, idempotency_key: str | None = None) -> Reply[{value}]:"
    );
    docstring(text, "        ", &method.doc);
    let reference = quoted(&method.reference);
    put!(
        text,
        "        reply = self.call({reference}, input, options, idempotency_key=idempotency_key)"
    );
    put!(
        text,
        "        return Reply(cast({}, reply.value), reply.receipt)",
        quoted(&value)
    );
}

fn docstring(text: &mut String, indent: &str, doc: &str) {
    if !doc.is_empty() {
        let doc = doc.replace('\\', "\\\\").replace('"', "\\\"");
        put!(text, "{indent}\"\"\"{}\"\"\"", doc.trim_end());
    }
}

fn shown(what: &Type) -> String {
    match what {
        Type::Any => "Any".to_owned(),
        Type::Null => "None".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::Integer => "int".to_owned(),
        Type::Number => "float".to_owned(),
        Type::Text => "str".to_owned(),
        Type::Literal(values) => {
            let values: Vec<_> = values.iter().map(literal).collect();
            format!("Literal[{}]", values.join(", "))
        }
        Type::List(item) => format!("list[{}]", shown(item)),
        Type::Map(value) => format!("dict[str, {}]", shown(value)),
        Type::Union(choices) => {
            let choices: Vec<_> = choices.iter().map(shown).collect();
            format!("Union[{}]", choices.join(", "))
        }
        Type::Named(name) => name.clone(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// JSON's texts are Python's, too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    let begins = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic());
    begins
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !KEYWORDS.contains(&name)
}
