//! Whether a type has a value that ends: one that needs another of itself has none.

use serde_json::Value;
use std::collections::HashSet;

/// How often all references are looked at: types need as many as they refer to one another in an
/// order that nobody writes. What is not decided then is taken for one that ends.
const ROUNDS_MAX: usize = 16;

/// Whether some value of `root` ends.
pub fn has_an_end(root: &Value) -> bool {
    let mut references = Vec::new();
    refers(root, &mut references);
    let mut ending = HashSet::new();
    for _ in 0..ROUNDS_MAX {
        let before = ending.len();
        // What others are made of is mostly written last.
        for reference in references.iter().rev() {
            let to = reference.strip_prefix('#');
            let target = to.and_then(|pointer| root.pointer(pointer));
            if target.is_none_or(|target| ends(target, &ending)) {
                ending.insert(*reference);
            }
        }
        if ending.len() == before {
            return ends(root, &ending);
        }
    }
    true
}

fn refers<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    match schema {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| refers(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| refers(item, found)),
        _ => {}
    }
}

/// With the references that are known to lead to values that end.
fn ends(schema: &Value, known: &HashSet<&str>) -> bool {
    if schema.get("const").is_some() || schema.get("enum").is_some() {
        return true;
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return known.contains(reference);
    }
    let arms = |word: &str| schema.get(word).and_then(Value::as_array);
    let some = ["anyOf", "oneOf"].iter().find_map(|word| arms(word));
    let some = some.is_none_or(|some| some.iter().any(|arm| ends(arm, known)));
    let mut all = arms("allOf").into_iter().flatten();
    some && all.all(|part| ends(part, known)) && parts_end(schema, known)
}

/// The fields that an object has to have, and the items that a list has to.
fn parts_end(schema: &Value, known: &HashSet<&str>) -> bool {
    // Of several kinds, one that has no parts is enough.
    if schema.get("type").is_some_and(Value::is_array) {
        return true;
    }
    let required = schema.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    let properties = schema.get("properties");
    let field = |name: &str| properties.and_then(|all| all.get(name));
    let fields_end = required.all(|name| field(name).is_none_or(|field| ends(field, known)));
    let needs_items = schema.get("minItems").and_then(Value::as_u64) > Some(0);
    let items = schema.get("items").filter(|_| needs_items);
    fields_end && items.is_none_or(|items| ends(items, known))
}
