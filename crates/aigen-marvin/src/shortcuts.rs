//! AI functions that need no signature of their own.

use crate::{Arguments, Call, Definition, Promised, Schema, schema_of};
use serde::Serialize;
use serde_json::json;

/// Which label of the enum `T` fits a text.
pub fn classify<'a, T>(text: &str) -> Call<'a, T>
where
    T: Promised + Send + 'a,
{
    call("classify", "Say which label fits the text best.", text)
}

/// The `T` that a text tells of.
pub fn extract<'a, T>(text: &str) -> Call<'a, T>
where
    T: Promised + Send + 'a,
{
    call(
        "extract",
        "Extract from the text what the schema asks for. Say only what the text says.",
        text,
    )
}

/// Something as a `T` that means the same.
pub fn cast<'a, T>(value: &(impl Serialize + ?Sized)) -> Call<'a, T>
where
    T: Promised + Send + 'a,
{
    call(
        "cast",
        "Say the same in the form that the schema asks for.",
        value,
    )
}

/// So many different values of `T`; what its documentation says is what they are about.
pub fn generate<'a, T>(count: usize) -> Call<'a, Vec<T>>
where
    T: Promised + Send + 'a,
{
    let instruction = "Think of as many different and realistic examples as are asked for.";
    let arguments = Arguments::default().with("count", "", &count);
    let schema = schema_of::<T>().map(|schema| Schema::list(&schema, count));
    Call::of_schema(Definition::new("generate", instruction), arguments, schema)
}

fn call<'a, T>(
    name: &'static str,
    instruction: &'static str,
    value: &(impl Serialize + ?Sized),
) -> Call<'a, T>
where
    T: Promised + Send + 'a,
{
    let definition = Definition::new(name, instruction).temperature(0.0);
    Call::new(definition, Arguments::default().with("value", "", value))
}

impl Schema {
    fn list(of: &Self, count: usize) -> Self {
        let list = json!({
            "type": "array", "items": of.as_value(), "minItems": count, "maxItems": count,
        });
        Self::of_value(list)
    }
}
