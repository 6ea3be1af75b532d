use super::super::TokenLogprob;
use super::reply::{OutputItem, OutputText, ResponseObject};
use serde::{Deserialize, Serialize};

/// One event of a streamed answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponsesEvent {
    /// What happened.
    #[serde(flatten)]
    pub kind: ResponsesEventKind,
    /// From 0, one more with every event.
    pub sequence_number: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ResponsesEventKind {
    /// The first event.
    #[serde(rename = "response.created")]
    Created {
        /// Without output yet.
        response: Box<ResponseObject>,
    },
    /// The second event.
    #[serde(rename = "response.in_progress")]
    InProgress {
        /// Without output yet.
        response: Box<ResponseObject>,
    },
    /// An item begins.
    #[serde(rename = "response.output_item.added")]
    ItemAdded {
        /// Its place in the output.
        output_index: u32,
        /// Without content yet.
        item: OutputItem,
    },
    /// A text of a message begins.
    #[serde(rename = "response.content_part.added")]
    PartAdded {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// The text's place in it.
        content_index: u32,
        /// Empty yet.
        part: OutputText,
    },
    /// More of a text.
    #[serde(rename = "response.output_text.delta")]
    TextDelta {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// The text's place in it.
        content_index: u32,
        /// What is new.
        delta: String,
        /// Empty unless asked for.
        logprobs: Vec<TokenLogprob>,
    },
    /// A text is complete.
    #[serde(rename = "response.output_text.done")]
    TextDone {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// The text's place in it.
        content_index: u32,
        /// All of it.
        text: String,
        /// Empty unless asked for.
        logprobs: Vec<TokenLogprob>,
    },
    /// The same, as a part.
    #[serde(rename = "response.content_part.done")]
    PartDone {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// The text's place in it.
        content_index: u32,
        /// All of it.
        part: OutputText,
    },
    /// More of what is said before the answer.
    #[serde(rename = "response.reasoning_text.delta")]
    ReasoningDelta {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// The text's place in it.
        content_index: u32,
        /// What is new.
        delta: String,
    },
    /// What is said before the answer is complete.
    #[serde(rename = "response.reasoning_text.done")]
    ReasoningDone {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// The text's place in it.
        content_index: u32,
        /// All of it.
        text: String,
    },
    /// More of a call's arguments.
    #[serde(rename = "response.function_call_arguments.delta")]
    ArgumentsDelta {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// What is new.
        delta: String,
    },
    /// A call's arguments are complete.
    #[serde(rename = "response.function_call_arguments.done")]
    ArgumentsDone {
        /// Of this item.
        item_id: String,
        /// The item's place.
        output_index: u32,
        /// The function.
        name: String,
        /// All of them.
        arguments: String,
    },
    /// An item is complete.
    #[serde(rename = "response.output_item.done")]
    ItemDone {
        /// Its place in the output.
        output_index: u32,
        /// All of it.
        item: OutputItem,
    },
    /// The last event of an answer that is whole.
    #[serde(rename = "response.completed")]
    Completed {
        /// All of it.
        response: Box<ResponseObject>,
    },
    /// The last event of an answer that was cut off.
    #[serde(rename = "response.incomplete")]
    Incomplete {
        /// All there is of it.
        response: Box<ResponseObject>,
    },
    /// The last event of an answer that failed.
    #[serde(rename = "response.failed")]
    Failed {
        /// With the reason.
        response: Box<ResponseObject>,
    },
}

impl ResponsesEventKind {
    /// The event's name in the stream: its `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "response.created",
            Self::InProgress { .. } => "response.in_progress",
            Self::ItemAdded { .. } => "response.output_item.added",
            Self::PartAdded { .. } => "response.content_part.added",
            Self::TextDelta { .. } => "response.output_text.delta",
            Self::TextDone { .. } => "response.output_text.done",
            Self::PartDone { .. } => "response.content_part.done",
            Self::ReasoningDelta { .. } => "response.reasoning_text.delta",
            Self::ReasoningDone { .. } => "response.reasoning_text.done",
            Self::ArgumentsDelta { .. } => "response.function_call_arguments.delta",
            Self::ArgumentsDone { .. } => "response.function_call_arguments.done",
            Self::ItemDone { .. } => "response.output_item.done",
            Self::Completed { .. } => "response.completed",
            Self::Incomplete { .. } => "response.incomplete",
            Self::Failed { .. } => "response.failed",
        }
    }
}
