//! What a model that nobody holds to a schema is told beside its prompt.

use aigen_engine::text::TextPrompt;
use aigen_engine::{ChatMessage, Role};
use serde_json::Value;

/// An answer that was none, and why: told to the model that is asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// What it said; empty where it broke off.
    pub said: String,
    /// What is wrong with that.
    pub why: String,
}

/// Says what is wrong with the answers before, in the conversation that they ended.
pub(crate) fn correct(prompt: &mut TextPrompt, corrections: &[Correction]) {
    let TextPrompt::Chat(messages) = prompt else {
        return;
    };
    for Correction { said, why } in corrections {
        let objection = format!("That was not accepted: {why}. Answer again, in JSON alone.");
        messages.push(message(Role::Assistant, said.clone()));
        messages.push(message(Role::User, objection));
    }
}

/// States a schema where the prompt does not, for upstreams that take none.
pub(crate) fn state(prompt: &mut TextPrompt, schema: &Value) {
    let schema = schema.to_string();
    let stated = format!("Answer in JSON of this schema, and with nothing else:\n{schema}");
    match prompt {
        TextPrompt::Plain(text) if !text.contains(&schema) => {
            text.push_str("\n\n");
            text.push_str(&stated);
        }
        TextPrompt::Chat(messages) if !messages.iter().any(|one| one.content.contains(&schema)) => {
            match messages.first_mut() {
                Some(first) if first.role == Role::System => {
                    first.content.push_str("\n\n");
                    first.content.push_str(&stated);
                }
                _ => messages.insert(0, message(Role::System, stated)),
            }
        }
        TextPrompt::Plain(_) | TextPrompt::Chat(_) => {}
    }
}

fn message(role: Role, content: String) -> ChatMessage {
    ChatMessage { role, content }
}
