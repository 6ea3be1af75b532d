use crate::admission::Admitted;
use crate::complete::{CallEvent, Ended};
use crate::error::NodeError;
use crate::limits::{CHUNK_TOKENS_MAX, PROGRESS_TOKENS};
use crate::node::{Node, call_refused};
use crate::observe::Observed;
use crate::prepare::Prepared;
use crate::remote::Counting;
use crate::work::{Ongoing, Told, Work};
use aigen_economy::Usage;
use aigen_engine::EngineError;
use aigen_jarvis::{Cover, Ending, Event, Fault, Finish, Piece};
use aigen_journal::{Committed, Stopped};
use aigen_network::{
    CloseCall, Command, ExtendCall, OpenCall, Outcome, ProgressCall, Receipt, Reply,
};
use aigen_types::{CallId, Digest};
use std::time::{Duration, Instant};
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{mpsc, oneshot};

type Extension = oneshot::Receiver<Committed>;
type Started = oneshot::Sender<Result<(), NodeError>>;

/// One call's money, from its first hold to its receipt. It lives in a task that nobody but
/// the node can drop, so that a connection that goes away leaves no hold behind.
pub(crate) struct Meter {
    node: Node,
    call: CallId,
    open: Option<OpenCall>,
    work: Option<Work>,
    /// Who waits to hear that the call began.
    started: Option<Started>,
    admitted: Admitted,
    times: Times,
    /// Why it was ended before it began.
    given_up: Option<NodeError>,
    cover: Cover,
    prompt_tokens: u64,
    max_tokens: u64,
    used: Usage,
    counting: Counting,
    /// Computed tokens that the journal knows of.
    recorded: u64,
    /// Size of the last whole chunk; the next is twice as large.
    chunk: u64,
    /// Tokens that the running extension asked for.
    asked: u64,
    extension: Option<Extension>,
    /// Whether the balance's end was reached: no further extension is asked for.
    exhausted: bool,
}

/// When what happened.
struct Times {
    asked: Instant,
    begun: Option<Duration>,
    first_token: Option<Duration>,
}

impl Meter {
    pub fn new(node: Node, prepared: Prepared, admitted: Admitted) -> Self {
        let Prepared {
            open,
            work,
            cover,
            max_tokens,
        } = prepared;
        Self {
            node,
            call: open.call,
            cover,
            prompt_tokens: open.prompt_tokens,
            max_tokens,
            started: None,
            admitted,
            times: Times {
                asked: Instant::now(),
                begun: None,
                first_token: None,
            },
            given_up: None,
            used: Usage::default(),
            counting: Counting::Exact,
            recorded: 0,
            chunk: open.chunk_tokens,
            asked: open.chunk_tokens,
            extension: None,
            exhausted: false,
            open: Some(open),
            work: Some(work),
        }
    }

    /// Holds, runs and settles the call. `started` learns whether it began; `pieces` what it
    /// produces. Whoever listens may go away at any time.
    pub async fn run(mut self, started: Started, pieces: mpsc::Sender<CallEvent>) {
        self.started = Some(started);
        let (told, ongoing) = match self.begin().await {
            Ok(begun) => begun,
            Err(error) => return self.tell_started(Err(error)),
        };
        let ending = self.follow(told, ongoing, &pieces).await;
        let receipt = self.settle(&ending).await;
        self.observed(&receipt);
        if let Some(error) = self.never_began(&ending) {
            return self.tell_started(Err(error));
        }
        self.tell_started(Ok(()));
        let ended = Ended {
            finish: ending.finish,
            grammar_complete: ending.grammar_complete,
            counting: std::mem::take(&mut self.counting),
            receipt,
        };
        self.tell(&pieces, CallEvent::Ended(Box::new(ended))).await;
    }

    fn tell_started(&mut self, outcome: Result<(), NodeError>) {
        if let Some(started) = self.started.take() {
            let _ = started.send(outcome);
        }
    }

    /// Why there is no answer at all, where nothing was said or used before it failed.
    fn never_began(&mut self, ending: &Ending) -> Option<NodeError> {
        self.started.as_ref()?;
        match &ending.finish {
            Finish::Fault(Fault::Engine(EngineError::Busy { .. })) => Some(self.admitted.full()),
            Finish::Fault(Fault::Engine(error)) => Some(error.clone().into()),
            Finish::Cancelled => Some(self.given_up.take().unwrap_or(NodeError::ShuttingDown)),
            _ => None,
        }
    }

    fn observed(&self, receipt: &Result<Receipt, NodeError>) {
        if let (Ok(receipt), Some(observer)) = (receipt, self.node.0.observer.get()) {
            observer.ended(&Observed {
                model: receipt.call.model.clone(),
                outcome: receipt.outcome,
                used: receipt.call.used,
                charged: receipt.total(),
                queued: self.times.begun,
                first_token: self.times.first_token,
                total: self.times.asked.elapsed(),
            });
        }
    }

    /// The call left the waiting line, or its upstream began to answer.
    fn has_begun(&mut self) {
        if self.times.begun.is_none() {
            self.times.begun = Some(self.times.asked.elapsed());
            self.admitted.begin();
            self.tell_started(Ok(()));
        }
    }

    /// Passes an event on, if its reader takes it before the node has to stop. A reader that is
    /// gone is noticed elsewhere.
    async fn tell(&self, pieces: &mpsc::Sender<CallEvent>, event: CallEvent) {
        tokio::select! {
            biased;
            _ = pieces.send(event) => {}
            () = self.node.0.stopping.cancelled() => {}
        }
    }

    async fn begin(&mut self) -> Result<(mpsc::UnboundedReceiver<Told>, Ongoing), NodeError> {
        self.node.reach_journal()?;
        let open = self.open.take().expect("a meter begins once");
        let committed = self.node.0.journal.submit(Command::OpenCall(open)).await?;
        let reply = committed
            .result
            .map_err(|refusal| call_refused(self.call, refusal))?;
        self.covered(&reply);
        let work = self.work.take().expect("a meter begins once");
        // Unbounded, but never longer than the tokens that the holds cover.
        let (sender, told) = mpsc::unbounded_channel();
        match work.start(sender) {
            Ok(ongoing) => Ok((told, ongoing)),
            Err(error) => {
                self.close(Outcome::EngineFault, Digest::ZERO, 0).await?;
                Err(match error {
                    NodeError::Busy { .. } => self.admitted.full(),
                    other => other,
                })
            }
        }
    }

    /// Follows the call to its end: passes pieces on, records progress, extends the cover.
    async fn follow(
        &mut self,
        mut told: mpsc::UnboundedReceiver<Told>,
        ongoing: Ongoing,
        pieces: &mpsc::Sender<CallEvent>,
    ) -> Ending {
        let stopping = self.node.0.stopping.clone();
        let (mut gone, mut stopped) = (false, false);
        let deadline = ongoing.is_queued().then(|| self.admitted.deadline());
        loop {
            tokio::select! {
                told = told.recv() => match told {
                    Some(Told::Event(Event::Finished(ending))) => {
                        self.note(&ending.usage);
                        return ending;
                    }
                    Some(told) => {
                        self.has_begun();
                        let piece = self.observe(told);
                        if self.is_progress_due() {
                            self.record_progress().await;
                        }
                        if let Some(piece) = piece {
                            self.tell(pieces, CallEvent::Piece(piece)).await;
                        }
                    }
                    None => return Ending::crashed(),
                },
                reply = extended(&mut self.extension) => self.on_extended(reply),
                () = passed(deadline), if self.times.begun.is_none() && self.given_up.is_none() => {
                    self.given_up = Some(self.admitted.too_late());
                    ongoing.cancel();
                }
                () = pieces.closed(), if !gone => {
                    gone = true;
                    ongoing.hang_up();
                }
                () = stopping.cancelled(), if !stopped => {
                    stopped = true;
                    ongoing.cancel();
                }
            }
        }
    }

    /// Takes note of what is told; gives back what the caller should see of it.
    fn observe(&mut self, told: Told) -> Option<Piece> {
        match told {
            Told::Event(Event::Started {
                prompt_tokens,
                cached_prompt_tokens,
            }) => {
                // A controller's own prompt is never longer than what is held for.
                let prompt = self.prompt_tokens.min(prompt_tokens.into());
                self.prompt_was(prompt, cached_prompt_tokens.into());
                None
            }
            Told::Measured(measured) => {
                self.prompt_was(measured.prompt, measured.cached);
                self.counting = measured.counting;
                None
            }
            Told::Event(Event::Output(piece)) => {
                self.measure(&piece.usage);
                let visible = !piece.text.is_empty() || !piece.logprobs.is_empty();
                visible.then_some(piece)
            }
            Told::Event(Event::Finished(_)) => None,
        }
    }

    fn prompt_was(&mut self, tokens: u64, cached: u64) {
        let tokens = tokens.min(self.prompt_tokens);
        self.used.cached_prompt_tokens = cached.min(tokens);
        self.used.prompt_tokens = tokens - self.used.cached_prompt_tokens;
    }

    fn note(&mut self, usage: &aigen_jarvis::Usage) {
        self.used.sampled_tokens = usage.sampled_tokens;
        self.used.forced_tokens = usage.forced_tokens;
        self.used.discarded_tokens = usage.discarded_tokens;
    }

    fn measure(&mut self, usage: &aigen_jarvis::Usage) {
        self.note(usage);
        let computed = self.used.computed_tokens();
        if computed > 0 && self.times.first_token.is_none() {
            self.times.first_token = Some(self.times.asked.elapsed());
        }
        // At three quarters of the cover, so that the next hold is durable before it is needed.
        if computed * 4 >= self.cover.tokens() * 3 {
            self.ask_for_more();
        }
    }

    /// The first token, and every [`PROGRESS_TOKENS`] from there.
    fn is_progress_due(&self) -> bool {
        let computed = self.used.computed_tokens();
        computed > 0 && (self.recorded == 0 || computed >= self.recorded + PROGRESS_TOKENS)
    }

    /// Waits until the note is durable before its tokens are shown: nobody ever sees more than
    /// [`PROGRESS_TOKENS`] that a kill could make free. The engine goes on meanwhile, so this
    /// costs one piece in 16 the time of a sync.
    async fn record_progress(&mut self) {
        let progress = ProgressCall {
            call: self.call,
            used: self.used,
        };
        self.recorded = self.used.computed_tokens();
        // A journal that has stopped ends the process; there is nobody left to tell.
        let _ = self
            .node
            .0
            .journal
            .submit(Command::ProgressCall(progress))
            .await;
    }

    fn ask_for_more(&mut self) {
        let covered = self.cover.tokens();
        // Tokens that were taken back are computed too, beyond those that the answer may have.
        let ceiling = self.max_tokens + self.used.discarded_tokens;
        if self.exhausted || self.extension.is_some() || covered >= ceiling {
            return;
        }
        self.chunk = (self.chunk * 2).min(CHUNK_TOKENS_MAX);
        self.asked = self.chunk.min(ceiling - covered);
        let extend = ExtendCall {
            call: self.call,
            chunk_tokens: self.asked,
            used: self.used,
        };
        match self.node.0.journal.send(Command::ExtendCall(extend)) {
            Ok(reply) => self.extension = Some(reply),
            Err(Stopped) => self.exhaust(),
        }
    }

    fn on_extended(&mut self, reply: Result<Committed, RecvError>) {
        self.extension = None;
        match reply {
            Ok(Committed {
                result: Ok(reply), ..
            }) => self.covered(&reply),
            // Refused, or the journal is gone: the tokens covered so far are the last.
            Ok(_) | Err(_) => self.exhaust(),
        }
    }

    fn covered(&mut self, reply: &Reply) {
        if let Reply::Covered { tokens, .. } = reply {
            let granted = tokens - self.cover.tokens();
            self.cover.extend_to(*tokens);
            if granted < self.asked {
                self.exhaust();
            }
        }
    }

    /// The balance ends at the covered token: generation stops exactly there.
    fn exhaust(&mut self) {
        self.exhausted = true;
        self.cover.close();
    }

    async fn settle(&mut self, ending: &Ending) -> Result<Receipt, NodeError> {
        let micros = ending.controller_micros;
        self.close(outcome_of(&ending.finish), ending.decisions, micros)
            .await?;
        let network = self.node.network();
        let receipt = network.receipt(self.call).cloned();
        receipt.ok_or(NodeError::Journal(Stopped))
    }

    async fn close(
        &mut self,
        outcome: Outcome,
        decisions: Digest,
        controller_micros: u64,
    ) -> Result<(), NodeError> {
        let close = CloseCall {
            call: self.call,
            used: self.used,
            outcome,
            controller_micros,
            decisions,
        };
        // However long the journal is out of reach: what was used is owed.
        let committed = self
            .node
            .0
            .journal
            .submit(Command::CloseCall(close))
            .await?;
        committed.result.map(|_| ()).map_err(NodeError::from)
    }
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// Waits for the extension, if one was asked for.
async fn extended(extension: &mut Option<Extension>) -> Result<Committed, RecvError> {
    match extension {
        Some(reply) => reply.await,
        None => std::future::pending().await,
    }
}

fn outcome_of(finish: &Finish) -> Outcome {
    match finish {
        Finish::Stop | Finish::StopString => Outcome::Stop,
        Finish::Length => Outcome::Length,
        Finish::Budget => Outcome::Budget,
        Finish::Cancelled => Outcome::Cancelled,
        Finish::Fault(Fault::Engine(_) | Fault::Crashed) => Outcome::EngineFault,
        Finish::Fault(_) => Outcome::ControllerFault,
    }
}
