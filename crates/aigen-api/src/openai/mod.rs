//! The OpenAI API as AiGen speaks it: chat completions, completions, models, errors.
//!
//! A request accepts every field of the current OpenAI API. What does not change
//! the meaning of the answer is ignored; what does and may be unsupported is kept,
//! so that the gateway can refuse it by name. AiGen's own fields live in one
//! object, [`Extension`], under the key `aigen`.

mod chat;
mod completion;
mod content;
mod embedding;
mod error;
mod extension;
mod model;
mod object;
mod reply;
mod response_format;
mod responses;
mod sampling;
mod tokens;
mod tool;
mod usage;

pub use chat::{ChatRequest, Message, Role, StreamOptions};
pub use completion::{
    CompletionChoice, CompletionLogprobs, CompletionRequest, CompletionResponse, Prompt,
};
pub use content::{Content, TextPart};
pub use embedding::{
    Embedding, EmbeddingRequest, EmbeddingResponse, EmbeddingUsage, EncodingFormat, Vector,
};
pub use error::{ApiError, ErrorEnvelope, ErrorKind};
pub use extension::{
    AigenReply, AigenStop, Citation, Counted, DatasetQuery, Extension, TraceStep, Traced,
    TracedToken,
};
pub use model::{Model, ModelInfo, ModelList, ModelPrice, Upstreams};
pub use object::{
    ChatChunkObject, ChatObject, CompletionObject, EmbeddingObject, ListObject, ModelObject,
    ResponsesObject,
};
pub use reply::{
    ChatChoice, ChatChunk, ChatReply, ChatResponse, ChunkChoice, Delta, FinishReason, Logprobs,
    TokenLogprob, TopLogprob,
};
pub use response_format::{ResponseFormat, Schema};
pub use responses::*;
pub use sampling::Sampling;
pub use tokens::{Detokenize, Detokenized, Tokenize, Tokenized};
pub use tool::{
    FunctionCall, FunctionDelta, FunctionSpec, ToolCall, ToolCallDelta, ToolChoice, ToolSpec,
};
pub use usage::{CompletionTokensDetails, PromptTokensDetails, Usage};

#[cfg(test)]
mod tests;
