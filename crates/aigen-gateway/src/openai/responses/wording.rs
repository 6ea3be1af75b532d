use crate::failure::Failure;
use crate::openai::answer::json;
use crate::openai::conclusion::Conclusion;
use crate::openai::frame::Frame;
use crate::openai::speech::{Named, Part, Said};
use crate::openai::wording::{Head, Wording};
use aigen_api::openai::{
    FinishReason, Incomplete, OutputItem, OutputText, Reasoning, ReasoningText, ResponseError,
    ResponseObject, ResponseStatus, ResponsesEvent, ResponsesEventKind as Event, ResponsesObject,
    ResponsesRequest, Role, TextConfig, TextFormat, TokenLogprob, ToolChoice,
};

/// How `/v1/responses` words an answer.
pub(super) struct Responses {
    /// The request's own words, which every answer repeats.
    asked: ResponsesRequest,
    /// Events that were written.
    events: u64,
    /// Items of the answer; the last one may still grow.
    items: Vec<OutputItem>,
    /// Whether it does.
    open: bool,
}

impl Responses {
    pub fn new(request: &ResponsesRequest) -> Self {
        Self {
            asked: request.clone(),
            events: 0,
            items: Vec::new(),
            open: false,
        }
    }

    fn object(&self, head: &Head, status: ResponseStatus) -> ResponseObject {
        let asked = &self.asked;
        let text = asked.text.clone().unwrap_or_default();
        ResponseObject {
            id: head.id.clone(),
            object: ResponsesObject::Is,
            created_at: head.created,
            status,
            error: None,
            incomplete_details: None,
            instructions: asked.instructions.clone(),
            max_output_tokens: asked.max_output_tokens,
            model: head.model.clone(),
            output: self.items.clone(),
            parallel_tool_calls: asked.parallel_tool_calls != Some(false),
            previous_response_id: None,
            reasoning: Reasoning::default(),
            store: false,
            temperature: asked.temperature.unwrap_or(1.0),
            text: TextConfig {
                format: text.format.or_else(|| Some(TextFormat::text())),
            },
            tool_choice: asked.tool_choice.clone().unwrap_or(ToolChoice::Auto),
            tools: asked.tools.clone(),
            top_p: asked.top_p.unwrap_or(1.0),
            truncation: "disabled".to_owned(),
            usage: None,
            user: asked.user.clone(),
            metadata: asked.metadata.clone().unwrap_or_default(),
            aigen: None,
        }
    }

    fn finished(&self, head: &Head, conclusion: Conclusion) -> ResponseObject {
        let finish = conclusion.finish();
        ResponseObject {
            incomplete_details: cut_by(finish).map(|reason| Incomplete {
                reason: reason.to_owned(),
            }),
            usage: Some(conclusion.usage.into()),
            aigen: Some(conclusion.aigen),
            ..self.object(head, status(finish))
        }
    }

    fn write(&mut self, frame: &mut Frame, kind: Event) {
        let name = kind.name();
        let sequence_number = self.events;
        self.events += 1;
        let event = ResponsesEvent {
            kind,
            sequence_number,
        };
        frame.event(name, &event);
    }

    /// Place and id of the item that grows.
    fn place(&self) -> (u32, String) {
        let index = self.items.len().saturating_sub(1);
        let id = match self.items.last() {
            Some(
                OutputItem::Message { id, .. }
                | OutputItem::FunctionCall { id, .. }
                | OutputItem::Reasoning { id, .. },
            ) => id,
            None => return (0, String::new()),
        };
        (u32::try_from(index).unwrap_or(u32::MAX), id.clone())
    }

    fn begin(&mut self, frame: &mut Frame, item: OutputItem) {
        let is_message = matches!(item, OutputItem::Message { .. });
        self.items.push(item.clone());
        self.open = true;
        let (output_index, item_id) = self.place();
        self.write(frame, Event::ItemAdded { output_index, item });
        if is_message {
            let (content_index, part) = (0, OutputText::default());
            let event = Event::PartAdded {
                item_id,
                output_index,
                content_index,
                part: part.clone(),
            };
            self.write(frame, event);
            if let Some(OutputItem::Message { content, .. }) = self.items.last_mut() {
                content.push(part);
            }
        }
    }

    fn text(&mut self, frame: &mut Frame, head: &Head, delta: String, logprobs: Vec<TokenLogprob>) {
        let grows = self.open && matches!(self.items.last(), Some(OutputItem::Message { .. }));
        if !grows {
            self.end(frame, ResponseStatus::Completed);
            let item = message(
                head,
                self.items.len(),
                Vec::new(),
                ResponseStatus::InProgress,
            );
            self.begin(frame, item);
        }
        if let Some(OutputItem::Message { content, .. }) = self.items.last_mut() {
            content[0].text.push_str(&delta);
            content[0].logprobs.extend(logprobs.iter().cloned());
        }
        let (output_index, item_id) = self.place();
        let event = Event::TextDelta {
            item_id,
            output_index,
            content_index: 0,
            delta,
            logprobs,
        };
        self.write(frame, event);
    }

    fn reason(&mut self, frame: &mut Frame, head: &Head, delta: String) {
        let grows = self.open && matches!(self.items.last(), Some(OutputItem::Reasoning { .. }));
        if !grows {
            self.end(frame, ResponseStatus::Completed);
            let place = self.items.len();
            let item = reasoning(head, place, Vec::new(), ResponseStatus::InProgress);
            self.begin(frame, item);
        }
        if let Some(OutputItem::Reasoning { content, .. }) = self.items.last_mut() {
            if content.is_empty() {
                content.push(ReasoningText::default());
            }
            content[0].text.push_str(&delta);
        }
        let (output_index, item_id) = self.place();
        let event = Event::ReasoningDelta {
            item_id,
            output_index,
            content_index: 0,
            delta,
        };
        self.write(frame, event);
    }

    fn arguments(&mut self, frame: &mut Frame, delta: String) {
        if let Some(OutputItem::FunctionCall { arguments, .. }) = self.items.last_mut() {
            arguments.push_str(&delta);
        }
        let (output_index, item_id) = self.place();
        let event = Event::ArgumentsDelta {
            item_id,
            output_index,
            delta,
        };
        self.write(frame, event);
    }

    /// Ends the item that grows, if one does.
    fn end(&mut self, frame: &mut Frame, how: ResponseStatus) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let (output_index, item_id) = self.place();
        let Some(last) = self.items.last_mut() else {
            return;
        };
        let (OutputItem::Message { status, .. }
        | OutputItem::FunctionCall { status, .. }
        | OutputItem::Reasoning { status, .. }) = last;
        *status = how;
        let item = last.clone();
        match &item {
            OutputItem::Message { content, .. } => {
                let part = content.first().cloned().unwrap_or_default();
                let done = Event::TextDone {
                    item_id: item_id.clone(),
                    output_index,
                    content_index: 0,
                    text: part.text.clone(),
                    logprobs: part.logprobs.clone(),
                };
                self.write(frame, done);
                let done = Event::PartDone {
                    item_id,
                    output_index,
                    content_index: 0,
                    part,
                };
                self.write(frame, done);
            }
            OutputItem::Reasoning { content, .. } => {
                let text = content.first().cloned().unwrap_or_default().text;
                let done = Event::ReasoningDone {
                    item_id,
                    output_index,
                    content_index: 0,
                    text,
                };
                self.write(frame, done);
            }
            OutputItem::FunctionCall {
                name, arguments, ..
            } => {
                let done = Event::ArgumentsDone {
                    item_id,
                    output_index,
                    name: name.clone(),
                    arguments: arguments.clone(),
                };
                self.write(frame, done);
            }
        }
        self.write(frame, Event::ItemDone { output_index, item });
    }
}

impl Wording for Responses {
    const ROUTE: &'static str = super::ROUTE;
    const PROMPT: &'static str = "input";
    const SCHEMA: &'static str = "text.format.schema";
    const ID_PREFIX: &'static str = "resp_";

    fn whole(&mut self, head: &Head, said: Vec<Said>, conclusion: Conclusion) -> Vec<u8> {
        let said = Said::only(said);
        let status = status(conclusion.finish());
        if let Some(text) = said.reasoning {
            // Without an answer after it, it is what was cut off.
            let cut = said.text.is_empty() && said.calls.is_empty();
            let how = if cut {
                status
            } else {
                ResponseStatus::Completed
            };
            self.items
                .push(reasoning(head, 0, vec![ReasoningText { text }], how));
        }
        if !said.text.is_empty() || said.calls.is_empty() {
            let text = OutputText {
                text: said.text,
                logprobs: said.logprobs,
                ..OutputText::default()
            };
            let place = self.items.len();
            self.items.push(message(head, place, vec![text], status));
        }
        for tool in said.calls {
            let named = Named {
                id: tool.id,
                name: tool.function.name,
            };
            let item = call(
                head,
                self.items.len(),
                named,
                tool.function.arguments,
                status,
            );
            self.items.push(item);
        }
        json(&self.finished(head, conclusion))
    }

    fn open(&mut self, frame: &mut Frame, head: &Head) {
        let response = Box::new(self.object(head, ResponseStatus::InProgress));
        let created = Event::Created {
            response: response.clone(),
        };
        self.write(frame, created);
        self.write(frame, Event::InProgress { response });
    }

    fn part(&mut self, frame: &mut Frame, head: &Head, _: u32, part: Part<'_>) {
        match part {
            Part::Text { text, logprobs } => self.text(frame, head, text.into_owned(), logprobs),
            Part::Call(named) => {
                self.end(frame, ResponseStatus::Completed);
                let place = self.items.len();
                let status = ResponseStatus::InProgress;
                self.begin(frame, call(head, place, named, String::new(), status));
            }
            Part::Arguments(json) => self.arguments(frame, json),
            Part::CallEnd => self.end(frame, ResponseStatus::Completed),
            Part::Reasoning(text) => self.reason(frame, head, text),
        }
    }

    fn close(&mut self, frame: &mut Frame, head: &Head, conclusion: Conclusion) {
        if self.items.is_empty() {
            let item = message(head, 0, Vec::new(), ResponseStatus::InProgress);
            self.begin(frame, item);
        }
        let status = status(conclusion.finish());
        self.end(frame, status);
        let response = Box::new(self.finished(head, conclusion));
        let last = match status {
            ResponseStatus::Incomplete => Event::Incomplete { response },
            _ => Event::Completed { response },
        };
        self.write(frame, last);
    }

    fn fail(&mut self, frame: &mut Frame, head: &Head, failure: Failure) {
        let error = failure.envelope().error;
        self.end(frame, ResponseStatus::Incomplete);
        let response = ResponseObject {
            error: Some(ResponseError {
                code: error.code.unwrap_or_default(),
                message: error.message,
                hint: error.hint,
                metadata: error.metadata,
            }),
            ..self.object(head, ResponseStatus::Failed)
        };
        let response = Box::new(response);
        self.write(frame, Event::Failed { response });
    }
}

/// How the last item ends.
fn status(finish: FinishReason) -> ResponseStatus {
    match cut_by(finish) {
        Some(_) => ResponseStatus::Incomplete,
        None => ResponseStatus::Completed,
    }
}

/// What an answer that is not whole was ended by.
fn cut_by(finish: FinishReason) -> Option<&'static str> {
    match finish {
        FinishReason::Length => Some("max_output_tokens"),
        FinishReason::ContentFilter => Some("content_filter"),
        _ => None,
    }
}

fn message(
    head: &Head,
    place: usize,
    content: Vec<OutputText>,
    status: ResponseStatus,
) -> OutputItem {
    let id = format!("msg_{}_{place}", head.id.trim_start_matches("resp_"));
    let role = Role::Assistant;
    OutputItem::Message {
        id,
        status,
        role,
        content,
    }
}

fn reasoning(
    head: &Head,
    place: usize,
    content: Vec<ReasoningText>,
    status: ResponseStatus,
) -> OutputItem {
    OutputItem::Reasoning {
        id: format!("rs_{}_{place}", head.id.trim_start_matches("resp_")),
        status,
        summary: Vec::new(),
        content,
    }
}

fn call(
    head: &Head,
    place: usize,
    named: Named,
    arguments: String,
    status: ResponseStatus,
) -> OutputItem {
    OutputItem::FunctionCall {
        id: format!("fc_{}_{place}", head.id.trim_start_matches("resp_")),
        status,
        call_id: named.id,
        name: named.name,
        arguments,
    }
}
