//! The Anthropic API as AiGen speaks it: messages, their stream, token counts, errors.

mod error;
mod event;
mod reply;
mod request;
mod turns;

pub use error::{AnthropicError, AnthropicErrorDetail, AnthropicErrorEnvelope};
pub use event::{BlockDelta, MessageDelta, MessagesEvent};
pub use reply::{MessagesReply, MessagesUsage, ReplyBlock, StopReason, TokenCount};
pub use request::{
    Blocks, ContentBlock, MessagesRequest, MessagesTool, MessagesToolChoice, Metadata,
    OutputConfig, OutputFormat, Turn, TurnRole,
};
