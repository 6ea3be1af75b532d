//! TypeScript: interfaces and a class with a method for each function, on `fetch`.

use super::types::{Declared, Field, Method, Module, Type, What, pascal};
use serde_json::Value;
use std::fmt::Write;

const HEAD: &str = include_str!("head.ts");

// Writing to a String cannot fail.
macro_rules! put {
    ($text:expr, $($what:tt)*) => { let _ = writeln!($text, $($what)*); };
}

/// The whole file.
pub fn write(module: &Module) -> String {
    let mut text = HEAD.to_owned();
    module
        .types
        .iter()
        .for_each(|declared| declare(&mut text, declared));
    text.push_str("\n/** The functions that were published when this was written. */\nexport class Functions extends Client {\n");
    for (at, one) in module.methods.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        method(&mut text, one);
    }
    text.push_str("}\n");
    text
}

fn declare(text: &mut String, declared: &Declared) {
    let Declared { name, doc, what } = declared;
    text.push('\n');
    comment(text, "", doc);
    match what {
        What::Alias(what) => {
            put!(text, "export type {name} = {};", shown(what));
        }
        What::Record(fields) => {
            put!(text, "export interface {name} {{");
            for Field {
                name,
                what,
                required,
                doc,
            } in fields
            {
                comment(text, "  ", doc);
                let absent = if *required { "" } else { "?" };
                put!(
                    text,
                    "  {}{absent}: {};",
                    Value::from(name.as_str()),
                    shown(what)
                );
            }
            put!(text, "}}");
        }
    }
}

fn method(text: &mut String, method: &Method) {
    let name = pascal(&method.words);
    let (first, rest) = name.split_at(1);
    let name = format!("{}{rest}", first.to_ascii_lowercase());
    let (input, value) = (shown(&method.input), shown(&method.value));
    comment(text, "  ", &method.doc);
    put!(
        text,
        "  {name}(input: {input}, options: Options = {{}}): Promise<Reply<{value}>> {{"
    );
    let reference = Value::from(method.reference.as_str());
    put!(
        text,
        "    return this.call<{value}>({reference}, input, options);"
    );
    put!(text, "  }}");
}

fn comment(text: &mut String, indent: &str, doc: &str) {
    if !doc.is_empty() {
        let doc = doc.trim_end().replace("*/", "* /");
        put!(
            text,
            "{indent}/** {} */",
            doc.replace('\n', &format!("\n{indent} * "))
        );
    }
}

fn shown(what: &Type) -> String {
    match what {
        Type::Any => "unknown".to_owned(),
        Type::Null => "null".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Integer | Type::Number => "number".to_owned(),
        Type::Text => "string".to_owned(),
        // JSON's texts, numbers, booleans and null are TypeScript's, too.
        Type::Literal(values) => joined(values.iter().map(Value::to_string)),
        Type::List(item) => format!("Array<{}>", shown(item)),
        Type::Map(value) => format!("Record<string, {}>", shown(value)),
        Type::Union(choices) => joined(choices.iter().map(shown)),
        Type::Named(name) => name.clone(),
    }
}

fn joined(choices: impl Iterator<Item = String>) -> String {
    choices.collect::<Vec<_>>().join(" | ")
}
