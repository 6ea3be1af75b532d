//! What is made of types, and which cannot be promised.

use super::schema_of;
use insta::assert_snapshot;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code)]
struct Review {
    /// One sentence.
    summary: String,
    stars: u8,
    change: i8,
    by: Option<String>,
}

fn error<T: JsonSchema + DeserializeOwned>() -> String {
    match schema_of::<T>() {
        Ok(schema) => panic!("it was promised: {schema}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_struct_is_closed_complete_bounded_and_in_order() {
    let schema = schema_of::<Review>().expect("a plain type");
    let text = serde_json::to_string_pretty(schema.as_value()).expect("JSON");
    assert_snapshot!(text, @r#"
    {
      "type": "object",
      "properties": {
        "summary": {
          "type": "string",
          "minLength": 0,
          "maxLength": 1000,
          "description": "One sentence."
        },
        "stars": {
          "type": "integer",
          "minimum": 0,
          "maximum": 255
        },
        "change": {
          "anyOf": [
            {
              "type": "integer",
              "minimum": -128,
              "maximum": -1
            },
            {
              "type": "integer",
              "minimum": 0,
              "maximum": 127
            }
          ]
        },
        "by": {
          "anyOf": [
            {
              "type": "string",
              "minLength": 0,
              "maxLength": 1000
            },
            {
              "type": "null"
            }
          ]
        }
      },
      "required": [
        "summary",
        "stars",
        "change",
        "by"
      ],
      "additionalProperties": false
    }
    "#);
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code)]
struct Endless {
    again: Box<Endless>,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code)]
struct Looking {
    #[schemars(regex(pattern = r"^(?=.*\d).{8}$"))]
    password: String,
}

#[derive(JsonSchema, Deserialize)]
enum Never {}

#[derive(JsonSchema, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// With documentation of its own, names are no list any more.
    One,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code)]
struct Counts {
    maybe: Option<BTreeMap<Key, u8>>,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code)]
struct Impossible {
    items: Vec<Holder>,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code)]
struct Holder {
    never: Never,
}

#[test]
fn what_cannot_be_promised_says_where_and_what_to_do() {
    assert_snapshot!(error::<Endless>(), @r"
    $: no finite value is of this type
    hint: let it end somewhere: make a field an Option or a Vec
    ");
    assert_snapshot!(error::<Looking>(), @r#"
    $.password: the pattern "^(?=.*\\d).{8}$" cannot be enforced: regex parse error:
        ^(?=.*\d).{8}$
         ^^^
    error: look-around, including look-ahead and look-behind, is not supported
    hint: write it without look-around and back-references
    "#);
    assert_snapshot!(error::<Never>(), @r"
    $: no finite value is of this type
    hint: let it end somewhere: make a field an Option or a Vec
    ");
    assert_snapshot!(error::<Counts>(), @r"
    $: the keys of a map cannot be promised: unknown variant `any key`, expected `One`
    hint: let them be texts or numbers of 32 bits and more, or use a Vec of pairs
    ");
    assert_snapshot!(error::<BTreeMap<u8, u8>>(), @r#"
    $: the keys of a map cannot be promised: invalid value: integer `999999999`, expected u8 at line 1 column 9
    hint: let them be texts or numbers of 32 bits and more, or use a Vec of pairs
    "#);
}

#[test]
fn a_list_of_what_cannot_be_is_empty() {
    let schema = schema_of::<Impossible>().expect("the empty list");
    assert_eq!(
        schema.as_value()["properties"]["items"],
        serde_json::json!({ "const": [] })
    );
}
