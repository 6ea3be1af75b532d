use super::{MessagesReply, MessagesUsage, ReplyBlock, StopReason};
use crate::openai::AigenReply;
use serde::{Deserialize, Serialize};

/// One event of a streamed answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MessagesEvent {
    /// The first event.
    MessageStart {
        /// Without content yet.
        message: MessagesReply,
    },
    /// A block begins.
    ContentBlockStart {
        /// Its place in the content.
        index: u32,
        /// Empty yet.
        content_block: ReplyBlock,
    },
    /// More of a block.
    ContentBlockDelta {
        /// Which.
        index: u32,
        /// What is new.
        delta: BlockDelta,
    },
    /// A block is complete.
    ContentBlockStop {
        /// Which.
        index: u32,
    },
    /// Why the answer ended, and what it used.
    MessageDelta {
        /// Why it ended.
        delta: MessageDelta,
        /// All of it, not what is new.
        usage: MessagesUsage,
        /// The receipt and the cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        aigen: Option<AigenReply>,
    },
    /// The last event.
    MessageStop,
}

impl MessagesEvent {
    /// The event's name in the stream: its `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}

/// What is new in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BlockDelta {
    /// More of a text.
    TextDelta {
        /// The text.
        text: String,
    },
    /// More of what is said before the answer.
    ThinkingDelta {
        /// The text.
        thinking: String,
    },
    /// More of a call's arguments.
    InputJsonDelta {
        /// A part of the JSON text.
        partial_json: String,
    },
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDelta {
    /// Why.
    pub stop_reason: Option<StopReason>,
    /// Which text ended it, where only one could.
    pub stop_sequence: Option<String>,
}
