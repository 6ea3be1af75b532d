//! What the parts of an answer say.

use std::ops::ControlFlow;

use aigen_engine::Transcript;
use aigen_engine::text::{Claimed, TextEvent, TextFinish, TextParts, TextRequest};

use crate::Secret;
use crate::alike::Alike;
use crate::attempt::{Answered, Failed};
use crate::calls::Calls;
use crate::limits::TEXT_BYTES_PER_TOKEN;
use crate::wire::{self, CallPart, Part};

/// Follows an answer's parts.
pub(crate) struct Reader {
    key: Option<Secret>,
    /// What was around the text of an event that said nothing else.
    alike: Option<Alike>,
    /// Text that may be told, and was not yet.
    said: TextParts,
    /// What of the text may be told, where stop strings end it: some servers know of none.
    stops: Option<Transcript>,
    stopped: Stopped,
    max_tokens: u64,
    parts: u64,
    /// Of the text, as far as stop strings are looked for in it.
    pieces: usize,
    bytes: u64,
    finish: Option<TextFinish>,
    claimed: Option<Claimed>,
    calls: Calls,
    /// Of the tokens so far together; `None` where nothing is told of them, or what cannot be.
    logprob: Option<f64>,
}

/// Whether a stop string has come.
#[derive(Clone, Copy, PartialEq)]
enum Stopped {
    No,
    /// It has, and nothing after it.
    Yes,
    /// The upstream went on after it.
    Ignored,
}

impl Reader {
    pub fn new(request: &TextRequest, key: Option<Secret>) -> Self {
        let stops = (!request.stops.is_empty()).then(|| Transcript::new(&request.stops));
        Self {
            logprob: None,
            key,
            alike: None,
            said: TextParts::default(),
            stops,
            stopped: Stopped::No,
            max_tokens: request.max_tokens.into(),
            calls: Calls::new(request.tools.as_ref()),
            parts: 0,
            pieces: 0,
            bytes: 0,
            finish: None,
            claimed: None,
        }
    }

    pub fn max_tokens(&self) -> u64 {
        self.max_tokens
    }

    /// Whether the answer is whole, though its usage may follow.
    pub fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Takes an event of a stream. Breaks where the answer has become longer than it may be.
    pub fn take(
        &mut self,
        data: &str,
        heard: &mut (dyn FnMut(TextEvent) + Send),
    ) -> Result<ControlFlow<()>, Failed> {
        if let Some(text) = self.alike.as_ref().and_then(|alike| alike.text(data)) {
            self.text(&text);
            return Ok(self.bounds());
        }
        let part = Part::parse(data.as_bytes()).map_err(|error| Failed::unread(&error))?;
        self.alike = Alike::to(data, &part).or(self.alike.take());
        self.part(part, heard)
    }

    /// Takes all of an answer that does not come as a stream.
    pub fn take_whole(
        &mut self,
        body: &[u8],
        heard: &mut (dyn FnMut(TextEvent) + Send),
    ) -> Result<ControlFlow<()>, Failed> {
        let part = Part::parse(body).map_err(|error| Failed::unread(&error))?;
        self.part(part, heard)
    }

    fn part(
        &mut self,
        mut part: Part<'_>,
        heard: &mut (dyn FnMut(TextEvent) + Send),
    ) -> Result<ControlFlow<()>, Failed> {
        self.fail_on_error(&part)?;
        self.claimed = part.claimed().or(self.claimed);
        self.finish = self.finish.or(part.finish());
        if let Some(more) = part.logprob() {
            self.logprob = Some(self.logprob.unwrap_or(0.0) + more);
        }
        if let Some(text) = part.text() {
            self.text(text);
        }
        for call in part.calls() {
            self.call(call, heard)?;
        }
        Ok(self.bounds())
    }

    /// Breaks where the upstream goes on for longer than it was asked to.
    fn bounds(&mut self) -> ControlFlow<()> {
        if self.stopped == Stopped::Ignored {
            tracing::warn!("an upstream ignores `stop`: its answer is cut off");
            return ControlFlow::Break(());
        }
        let long = self.bytes > TEXT_BYTES_PER_TOKEN * self.max_tokens;
        if long && self.parts > self.max_tokens {
            tracing::warn!("an upstream ignores max_tokens: its answer is cut off");
            self.finish = Some(TextFinish::Length);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Says text as far as it cannot become a stop string; after one nothing.
    fn text(&mut self, text: &str) {
        self.parts += 1;
        self.bytes += text.len() as u64;
        let Some(stops) = &mut self.stops else {
            return self.said.push(text);
        };
        if self.stopped != Stopped::No {
            self.stopped = Stopped::Ignored;
            return;
        }
        stops.push(text.as_bytes());
        self.pieces += 1;
        let Some(after) = stops.cut() else {
            return self.said.push(&stops.release(self.pieces));
        };
        self.finish = Some(TextFinish::Stop);
        // One that keeps the string at the end of its answer has heeded it.
        self.stopped = match after {
            0 => Stopped::Yes,
            _ => Stopped::Ignored,
        };
        self.let_go();
    }

    /// Tells the call before this part, if it begins another; after a stop string none.
    fn call(
        &mut self,
        call: CallPart,
        heard: &mut (dyn FnMut(TextEvent) + Send),
    ) -> Result<(), Failed> {
        if self.stopped != Stopped::No {
            self.stopped = Stopped::Ignored;
            return Ok(());
        }
        self.let_go();
        self.tell(heard);
        self.parts += 1;
        self.bytes += call.function.arguments.as_ref().map_or(0, String::len) as u64;
        let whole = self.calls.take(call).map_err(Failed::broken)?;
        if let Some(call) = whole {
            heard(TextEvent::Call(call));
        }
        Ok(())
    }

    /// Says text that was held back, since nothing that follows belongs to it.
    fn let_go(&mut self) {
        if let Some(stops) = &mut self.stops {
            self.said.push(&stops.finish());
        }
    }

    /// Tells what was said since.
    pub fn tell(&mut self, heard: &mut (dyn FnMut(TextEvent) + Send)) {
        if !self.said.is_empty() {
            heard(TextEvent::Text(std::mem::take(&mut self.said)));
        }
    }

    /// A stream that ends without a finish reason was cut off. So is a call at the token limit.
    pub fn answered(
        &mut self,
        heard: &mut (dyn FnMut(TextEvent) + Send),
    ) -> Result<Answered, Failed> {
        let Some(finish) = self.finish else {
            return Err(Failed::broken("it ended before the answer did"));
        };
        self.let_go();
        self.tell(heard);
        if finish == TextFinish::Stop {
            let last = self.calls.close().map_err(Failed::broken)?;
            if let Some(call) = last {
                heard(TextEvent::Call(call));
            }
        }
        // Of what is certain the logarithm is 0, and of nothing is it more. Seven digits are enough to compare by.
        if let Some(logprob) = self.logprob.filter(|logprob| *logprob <= 0.0) {
            heard(TextEvent::Logprob(logprob as f32));
        }
        Ok(Answered {
            finish,
            // Of what nobody wanted any more there is no count that could be charged.
            claimed: self.claimed.filter(|_| self.stopped != Stopped::Ignored),
        })
    }

    fn fail_on_error(&self, part: &Part<'_>) -> Result<(), Failed> {
        if let Some(reason) = part.dropped() {
            return Err(Failed::broken(format!("it was given up ({reason})")));
        }
        match &part.error {
            None => Ok(()),
            Some(error) => {
                let body = serde_json::json!({ "error": error }).to_string();
                let said = wire::message(body.as_bytes(), self.key.as_ref());
                Err(Failed {
                    said: said.clone(),
                    ..Failed::broken(said)
                })
            }
        }
    }
}
