//! What turns have to do with one another: calls of tools and their results, and that something is said.

use super::{ContentBlock, Turn, TurnRole};
use crate::openai::ApiError;

/// A call of a tool whose result has not come yet.
struct Call<'a> {
    id: &'a str,
    place: String,
}

/// Checks a conversation, in Anthropic's words.
///
/// # Errors
/// A user's turn that says nothing, a call without a result in the next turn, and a result of no call.
pub(super) fn check(turns: &[Turn]) -> Result<(), ApiError> {
    let mut open: Vec<Call<'_>> = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    let mut before = None;
    for (at, turn) in turns.iter().enumerate() {
        let place = format!("messages.{at}.content");
        let goes_on = before == Some(turn.role);
        match turn.role {
            TurnRole::User => {
                says_something(&place, turn)?;
                close(&place, turn, &mut open, &known)?;
            }
            // Turns of one speaker in a row are one.
            TurnRole::Assistant => {
                if !goes_on {
                    all_closed(&open)?;
                    known.clear();
                }
                for (call, block) in blocks(turn, "tool_use") {
                    let id = block.id.as_deref().unwrap_or_default();
                    known.push(id);
                    let place = format!("{place}.{call}");
                    open.push(Call { id, place });
                }
            }
            TurnRole::System => continue,
        }
        before = Some(turn.role);
    }
    all_closed(&open)
}

fn blocks<'a>(turn: &'a Turn, kind: &str) -> impl Iterator<Item = (usize, &'a ContentBlock)> {
    let blocks = turn.content.0.iter().enumerate();
    blocks.filter(move |(_, block)| block.kind == kind)
}

fn says_something(place: &str, turn: &Turn) -> Result<(), ApiError> {
    let silent = |block: &ContentBlock| block.text.as_deref().unwrap_or_default().is_empty();
    let empty = blocks(turn, "text").find(|(_, block)| silent(block));
    let (place, message) = match (empty, turn.content.0.len()) {
        (None, 1..) => return Ok(()),
        (_, 0 | 1) => (
            place.to_owned(),
            "user messages must have non-empty content",
        ),
        (Some((at, _)), _) => (
            format!("{place}.{at}.text"),
            "text content blocks must be non-empty",
        ),
    };
    Err(ApiError::invalid(place, message))
}

fn close(
    place: &str,
    turn: &Turn,
    open: &mut Vec<Call<'_>>,
    known: &[&str],
) -> Result<(), ApiError> {
    for (at, block) in blocks(turn, "tool_result") {
        let place = format!("{place}.{at}");
        let Some(id) = block.tool_use_id.as_deref() else {
            let place = format!("{place}.tool_use_id");
            return Err(ApiError::invalid(place, "it is missing"));
        };
        if let Some(of) = open.iter().position(|call| call.id == id) {
            open.remove(of);
            continue;
        }
        let message = match known.contains(&id) {
            true => format!(
                "each `tool_use` must have a single result; found multiple `tool_result` blocks with id: {id}"
            ),
            false => format!(
                "unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            ),
        };
        return Err(ApiError::invalid(place, message));
    }
    Ok(())
}

fn all_closed(open: &[Call<'_>]) -> Result<(), ApiError> {
    let Some(first) = open.first() else {
        return Ok(());
    };
    let ids: Vec<_> = open.iter().map(|call| call.id).collect();
    let message = format!(
        "`tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        ids.join(", ")
    );
    Err(ApiError::invalid(first.place.clone(), message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// What is wrong where (`-`: nothing), and who says what: `u` and `a` before each turn's content.
    const ROWS: &str = r#"
    -                       | u "Hi"
    -                       | u "Hi" a "Yes?" u [{"type": "text", "text": "No"}]
    messages.0.content      | u ""
    messages.0.content      | u []
    messages.0.content.1.text | u [{"type": "text", "text": "a"}, {"type": "text", "text": ""}]
    messages.2.content      | u "Hi" a "Yes?" u ""
    -                       | u "Hi" a "" u "No"
    -                       | u "Hi" a [{"type": "tool_use", "id": "t"}] u [{"type": "tool_result", "tool_use_id": "t"}]
    -                       | u "Hi" a [{"type": "tool_use", "id": "t"}] u [{"type": "tool_result", "tool_use_id": "t"}] a "so" u "go on"
    -                       | u "Hi" a [{"type": "tool_use", "id": "t"}] u [{"type": "tool_result", "tool_use_id": "t"}, {"type": "text", "text": "x"}]
    -                       | u "Hi" a [{"type": "tool_use", "id": "t"}] a [{"type": "tool_use", "id": "s"}] u [{"type": "tool_result", "tool_use_id": "t"}] u [{"type": "tool_result", "tool_use_id": "s"}]
    messages.1.content.0    | u "Hi" a [{"type": "tool_use", "id": "t"}] u "no"
    messages.1.content.1    | u "Hi" a [{"type": "tool_use", "id": "t"}, {"type": "tool_use", "id": "s"}] u [{"type": "tool_result", "tool_use_id": "t"}]
    messages.1.content.0    | u "Hi" a [{"type": "tool_use", "id": "t"}] u "no" a "so" u [{"type": "tool_result", "tool_use_id": "t"}]
    messages.2.content.0    | u "Hi" a [{"type": "tool_use", "id": "t"}] u [{"type": "tool_result", "tool_use_id": "s"}]
    messages.2.content.1    | u "Hi" a [{"type": "tool_use", "id": "t"}] u [{"type": "tool_result", "tool_use_id": "t"}, {"type": "tool_result", "tool_use_id": "t"}]
    messages.0.content.0    | u [{"type": "tool_result", "tool_use_id": "t"}]
    messages.0.content.0.tool_use_id | u [{"type": "tool_result"}]
    messages.4.content.0    | u "Hi" a [{"type": "tool_use", "id": "t"}] u [{"type": "tool_result", "tool_use_id": "t"}] a "so" u [{"type": "tool_result", "tool_use_id": "t"}]
    "#;

    fn turns(mut text: &str) -> Vec<Turn> {
        let mut turns = Vec::new();
        while let Some((speaker, rest)) = text.split_once(' ') {
            let role = match speaker {
                "u" => TurnRole::User,
                _ => TurnRole::Assistant,
            };
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
            let content = values.next().unwrap().unwrap();
            text = rest[values.byte_offset()..].trim_start();
            turns.push(Turn {
                role,
                content: content.try_into().unwrap(),
            });
        }
        turns
    }

    #[test]
    fn calls_have_results_and_users_say_something() {
        for row in ROWS.trim().lines() {
            let (place, said) = row.trim().split_once('|').unwrap();
            let found = check(&turns(said.trim()));
            let param = found.err().map(|error| error.param.unwrap_or_default());
            assert_eq!(param.as_deref().unwrap_or("-"), place.trim(), "{row}");
        }
    }
}
