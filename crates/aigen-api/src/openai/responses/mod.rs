//! `/v1/responses`, stateless: everything the model is told is in the request.

mod event;
mod input;
mod reply;

pub use event::{ResponsesEvent, ResponsesEventKind};
pub use input::{
    InputItem, InputText, ResponsesInput, ResponsesRequest, ResponsesTool, TextConfig, TextFormat,
};
pub use reply::{
    Incomplete, InputTokensDetails, OutputItem, OutputText, OutputTokensDetails, Reasoning,
    ReasoningText, ResponseError, ResponseObject, ResponseStatus, ResponsesUsage,
};
