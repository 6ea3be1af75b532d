use crate::failure::Failure;
use crate::openai::answer::json;
use crate::openai::conclusion::Conclusion;
use crate::openai::frame::Frame;
use crate::openai::speech::{Part, Said};
use crate::openai::wording::{Head, Wording};
use aigen_api::anthropic::{
    AnthropicErrorEnvelope, BlockDelta, MessageDelta, MessagesEvent as Event, MessagesReply,
    MessagesUsage, ReplyBlock, StopReason,
};
use aigen_api::openai::{FinishReason, ToolCall};
use serde_json::{Map, Value};

/// How `/v1/messages` words an answer.
pub(super) struct Messages {
    /// The only stop text, if there is one.
    stop: Option<String>,
    /// Blocks that a stream has begun.
    blocks: u32,
    /// The last of them, while it may still grow.
    open: Option<Growing>,
}

/// What a block is that may still grow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growing {
    Text,
    Thinking,
    Call,
}

impl Messages {
    pub fn new(stops: &[String]) -> Self {
        let stop = match stops {
            [stop] => Some(stop.clone()),
            _ => None,
        };
        Self {
            stop,
            blocks: 0,
            open: None,
        }
    }

    fn ended(&self, conclusion: &Conclusion) -> MessageDelta {
        let reason = match conclusion.finish() {
            FinishReason::Length => StopReason::MaxTokens,
            FinishReason::ToolCalls => StopReason::ToolUse,
            FinishReason::ContentFilter => StopReason::Refusal,
            _ if conclusion.at_stop_text => StopReason::StopSequence,
            _ => StopReason::EndTurn,
        };
        let at_stop = reason == StopReason::StopSequence;
        MessageDelta {
            stop_reason: Some(reason),
            stop_sequence: self.stop.clone().filter(|_| at_stop),
        }
    }

    fn begin(&mut self, frame: &mut Frame, content_block: ReplyBlock) {
        self.end(frame);
        self.open = Some(match content_block {
            ReplyBlock::Text { .. } => Growing::Text,
            ReplyBlock::Thinking { .. } => Growing::Thinking,
            ReplyBlock::ToolUse { .. } => Growing::Call,
        });
        let index = self.blocks;
        self.blocks += 1;
        write(
            frame,
            &Event::ContentBlockStart {
                index,
                content_block,
            },
        );
    }

    fn grow(&self, frame: &mut Frame, delta: BlockDelta) {
        let index = self.blocks.saturating_sub(1);
        write(frame, &Event::ContentBlockDelta { index, delta });
    }

    fn end(&mut self, frame: &mut Frame) {
        if self.open.take().is_some() {
            let index = self.blocks.saturating_sub(1);
            write(frame, &Event::ContentBlockStop { index });
        }
    }
}

impl Wording for Messages {
    const ROUTE: &'static str = super::messages::ROUTE;
    const PROMPT: &'static str = "messages";
    const SCHEMA: &'static str = "output_config.format.schema";
    const ID_PREFIX: &'static str = "msg_";

    fn whole(&mut self, head: &Head, said: Vec<Said>, conclusion: Conclusion) -> Vec<u8> {
        let said = Said::only(said);
        let MessageDelta {
            stop_reason,
            stop_sequence,
        } = self.ended(&conclusion);
        let thinking = said.reasoning.map(thinks);
        let text = Some(said.text).filter(|text| !text.is_empty());
        let text = text.map(|text| ReplyBlock::Text { text });
        let calls = said.calls.into_iter().map(tool_use);
        json(&MessagesReply {
            content: thinking.into_iter().chain(text).chain(calls).collect(),
            stop_reason,
            stop_sequence,
            aigen: Some(conclusion.aigen),
            ..MessagesReply::new(head.id.clone(), head.model.clone(), conclusion.usage.into())
        })
    }

    fn open(&mut self, frame: &mut Frame, head: &Head) {
        let usage = MessagesUsage {
            input_tokens: head.prompt_tokens,
            ..MessagesUsage::default()
        };
        let message = MessagesReply::new(head.id.clone(), head.model.clone(), usage);
        write(frame, &Event::MessageStart { message });
    }

    fn part(&mut self, frame: &mut Frame, _: &Head, _: u32, part: Part<'_>) {
        match part {
            Part::Text { text, .. } => {
                if self.open != Some(Growing::Text) {
                    let text = String::new();
                    self.begin(frame, ReplyBlock::Text { text });
                }
                let text = text.into_owned();
                self.grow(frame, BlockDelta::TextDelta { text });
            }
            Part::Call(named) => {
                let block = ReplyBlock::ToolUse {
                    id: named.id,
                    name: named.name,
                    input: Value::Object(Map::new()),
                };
                self.begin(frame, block);
            }
            Part::Arguments(partial_json) => {
                self.grow(frame, BlockDelta::InputJsonDelta { partial_json });
            }
            Part::CallEnd => self.end(frame),
            Part::Reasoning(thinking) => {
                if self.open != Some(Growing::Thinking) {
                    self.begin(frame, thinks(String::new()));
                }
                self.grow(frame, BlockDelta::ThinkingDelta { thinking });
            }
        }
    }

    fn close(&mut self, frame: &mut Frame, _: &Head, conclusion: Conclusion) {
        self.end(frame);
        let delta = Event::MessageDelta {
            delta: self.ended(&conclusion),
            usage: conclusion.usage.into(),
            aigen: Some(conclusion.aigen),
        };
        write(frame, &delta);
        write(frame, &Event::MessageStop);
    }

    fn fail(&mut self, frame: &mut Frame, _: &Head, failure: Failure) {
        let envelope = AnthropicErrorEnvelope::from(failure.envelope().error);
        frame.event("error", &envelope);
    }

    fn error(failure: Failure) -> Vec<u8> {
        json(&AnthropicErrorEnvelope::from(failure.envelope().error))
    }
}

fn write(frame: &mut Frame, event: &Event) {
    frame.event(event.name(), event);
}

/// Anthropic signs what its models think; nobody here could.
fn thinks(thinking: String) -> ReplyBlock {
    let signature = String::new();
    ReplyBlock::Thinking {
        thinking,
        signature,
    }
}

/// Arguments that were cut off are no JSON; `stop_reason` says that they were.
fn tool_use(call: ToolCall) -> ReplyBlock {
    let input = serde_json::from_str(&call.function.arguments);
    ReplyBlock::ToolUse {
        id: call.id,
        name: call.function.name,
        input: input.unwrap_or_else(|_| Value::Object(Map::new())),
    }
}
