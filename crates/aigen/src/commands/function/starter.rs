//! What a function begins as.

/// A function that works, with every field that there is.
pub const SOURCE: &str = r#"# An AI function: what it does, what it takes, what it gives. Try it: aigen fn test THIS_FILE
description = "Judge the sentiment of `text`, given what it answers to. Sarcasm flips polarity."

# What a model reads: Jinja, with the fields of the input; those that are not given are none.
# Without `prompt` the input stands as it is. `system` would take the place of the description
# and the schema.
prompt = """
{% if context %}It answers to: {{ context }}
{% endif %}Text: {{ text }}
"""

# Output tokens, at most, and 0 (the likeliest answer) to 2.
max_tokens = 100
temperature = 0.0

# How often a model that other servers answer for is asked again after an answer of another type.
retries = 2

# The part of the golden cases that has to pass, in parts per million.
pass_ppm = 900_000

# JSON Schema, as JSON: so its fields keep their order, in which they are written.
input = '''
{
  "type": "object",
  "required": ["text"],
  "properties": {
    "text": { "type": "string", "maxLength": 4000, "description": "the message to judge" },
    "context": { "type": "string", "maxLength": 4000, "description": "what it answers to" }
  }
}
'''
output = '''
{
  "type": "object",
  "required": ["why", "polarity"],
  "properties": {
    "why": { "type": "string", "maxLength": 80 },
    "polarity": { "enum": ["positive", "negative", "neutral"] }
  }
}
'''

# Cases whose answers are known: of an object only the fields that matter.
[[golden]]
input = { text = "Great, it broke again.", context = "How is the new phone?" }
expect = { polarity = "negative" }
"#;

#[cfg(test)]
mod tests {
    #[test]
    fn the_starter_is_a_function() {
        let function = aigen_functions::Function::parse(super::SOURCE).unwrap();
        assert_eq!(function.golden.len(), 1);
    }
}
