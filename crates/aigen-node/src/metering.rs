mod ending;
mod logging;

use self::ending::{decisions, outcome_of, steered, worst};
use crate::admission::Admitted;
use crate::complete::{CallEvent, Ended, EndedChoice};
use crate::declared::Declared;
use crate::error::NodeError;
use crate::limits::{CHUNK_TOKENS_MAX, PROGRESS_TOKENS};
use crate::node::{Node, call_refused};
use crate::observe::Observed;
use crate::prepare::Prepared;
use crate::remote::Counting;
use crate::replays::{Again, Recipe};
use crate::retrieval::Citation;
use crate::work::{Ongoing, Told, Unbegun, Work};
use aigen_economy::Usage;
use aigen_engine::EngineError;
use aigen_jarvis::{Cover, Ending, Event, Fault, Finish};
use aigen_journal::{Committed, Early, Stopped};
use aigen_network::{
    CloseCall, Command, ExtendCall, OpenCall, OpenSubCall, ProgressCall, Receipt, Reply, Steered,
};
use aigen_types::{Amount, CallId, Digest};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

type Extension = oneshot::Receiver<Committed>;
type Started = oneshot::Sender<Result<(), NodeError>>;

/// One call's money, from its first hold to its receipt. It lives in a future that nobody but
/// the node can drop, so that a connection that goes away leaves no hold behind.
pub(crate) struct Meter {
    node: Node,
    call: CallId,
    /// The published version that steers it.
    controller: Option<Digest>,
    open: Option<OpenCall>,
    /// Its first hold, until that is known to be durable.
    opened: Option<Early>,
    /// Whether something is held for it that has to be settled.
    owes: bool,
    /// The call that it is made within.
    parent: Option<CallId>,
    work: Option<Work>,
    /// Who waits to hear that the call began.
    started: Option<Started>,
    admitted: Admitted,
    times: Times,
    /// Why it was to end before it began, if it had not by then.
    given_up: Option<NodeError>,
    cover: Cover,
    prompt_tokens: u64,
    max_tokens: u64,
    /// What its controller says of its answers.
    declared: Option<Declared>,
    used: Usage,
    /// What each answer has used so far, and how it ended.
    answers: Vec<Answer>,
    /// How many of them share a prompt, one after the other.
    answers_each: usize,
    /// The passages of its prompt.
    citations: Vec<Citation>,
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
    /// What runs it again, if it asked for that.
    again: Option<(Again, Recipe)>,
}

/// One of a call's answers.
#[derive(Default)]
struct Answer {
    /// What its prompt came to, and how much of that was cached; nothing where it shares that of one
    /// before it.
    prompt: (u64, u64),
    usage: aigen_jarvis::Usage,
    ending: Option<Ending>,
}

/// When what happened.
struct Times {
    asked: Instant,
    begun: Option<Duration>,
    first_token: Option<Duration>,
    /// Its upstream was asked, and had answered.
    upstream: (Option<Instant>, Option<Duration>),
}

impl Meter {
    pub fn new(node: Node, prepared: Prepared, admitted: Admitted) -> Self {
        let Prepared {
            open,
            recipe,
            parent,
            work,
            cover,
            max_tokens,
            declared,
            citations,
        } = prepared;
        Self {
            node,
            call: open.call,
            controller: open.controller,
            cover,
            prompt_tokens: open.prompt_tokens,
            max_tokens,
            declared,
            started: None,
            admitted,
            times: Times {
                asked: Instant::now(),
                begun: None,
                first_token: None,
                upstream: (None, None),
            },
            given_up: None,
            used: Usage::default(),
            citations,
            counting: work.counting(),
            recorded: 0,
            chunk: open.chunk_tokens,
            asked: open.chunk_tokens,
            extension: None,
            exhausted: false,
            open: Some(open),
            opened: None,
            owes: false,
            parent,
            answers: (0..work.choices()).map(|_| Answer::default()).collect(),
            answers_each: work.choices_each(),
            again: work.again().zip(recipe),
            work: Some(work),
        }
    }

    /// Holds, runs and settles the call. `started` learns whether it began; `pieces` what it
    /// produces; `settled` what it came to. Whoever listens may go away at any time.
    pub async fn run(
        mut self: Box<Self>,
        started: Started,
        pieces: mpsc::Sender<CallEvent>,
        settled: oneshot::Sender<Arc<Receipt>>,
    ) {
        self.started = Some(started);
        let (told, ongoing) = match self.begin(&pieces).await {
            Ok(begun) => begun,
            Err(error) => return self.tell_started(Err(error)),
        };
        let last = self.follow(told, ongoing, &pieces).await;
        let endings = self.answers.iter_mut().map(|answer| answer.ending.take());
        let endings = endings.map(|ending| ending.unwrap_or_else(Ending::crashed));
        let mut endings: Vec<_> = endings.collect();
        let asked_for_replay = self.again.is_some();
        let kept = self.keep_replay(&mut endings[0]);
        let finish = worst(&endings);
        let receipt = self.settle(&finish, &endings).await;
        if let Some(kept) = kept {
            // Whoever reads the answer may ask for it at once, of another process even.
            let _ = kept.await;
        }
        self.observed(&receipt);
        if let Ok(receipt) = &receipt {
            let _ = settled.send(Arc::clone(receipt));
        }
        if let Some(error) = self.never_began(&finish) {
            return self.tell_started(Err(error));
        }
        self.tell_started(Ok(()));
        if receipt.is_ok() {
            self.tell_all(&pieces, last).await;
        }
        let grammar_complete = endings[0].grammar_complete;
        let reasoning = endings.iter().map(|ending| ending.usage.reasoning_tokens);
        let reasoning_tokens = reasoning.sum();
        let replayable = asked_for_replay.then(|| self.node.can_replay(self.call));
        let choices = endings.into_iter().map(|ending| EndedChoice {
            finish: ending.finish,
            grammar_complete: ending.grammar_complete,
            closed_early: ending.closed_early,
            outcome: ending.outcome,
            results: ending.results,
        });
        let ended = Ended {
            finish,
            choices: choices.collect(),
            grammar_complete,
            reasoning_tokens,
            replayable,
            citations: std::mem::take(&mut self.citations),
            counting: std::mem::take(&mut self.counting),
            first_token: self.times.first_token,
            receipt,
        };
        if let Some(room) = self.room(&pieces).await {
            room.send(CallEvent::Ended(Box::new(ended)));
        }
    }

    /// Keeps what runs the call again, beside the settling of it and off the async threads.
    fn keep_replay(&mut self, ending: &mut Ending) -> Option<JoinHandle<()>> {
        let ((again, recipe), log) = self.again.take().zip(ending.replay.take())?;
        let (node, call) = (self.node.clone(), self.call);
        let keep = move || node.keep_replay(call, again, &recipe, log);
        Some(tokio::task::spawn_blocking(keep))
    }

    fn tell_started(&mut self, outcome: Result<(), NodeError>) {
        if let Some(started) = self.started.take() {
            let _ = started.send(outcome);
        }
    }

    /// Why there is no answer at all, where nothing was said or used before it failed.
    fn never_began(&mut self, finish: &Finish) -> Option<NodeError> {
        match finish {
            _ if self.times.begun.is_some() => None,
            Finish::Fault(Fault::Engine(EngineError::Busy { .. })) => Some(self.admitted.full()),
            Finish::Fault(Fault::Engine(error)) => Some(error.clone().into()),
            Finish::Cancelled => Some(self.given_up.take().unwrap_or(NodeError::ShuttingDown)),
            _ => None,
        }
    }

    fn observed(&self, receipt: &Result<Arc<Receipt>, NodeError>) {
        if let (Ok(receipt), Some(observer)) = (receipt, self.node.0.observer.get()) {
            observer.ended(&Observed {
                model: receipt.call.model.clone(),
                outcome: receipt.outcome,
                used: receipt.call.used,
                charged: receipt.total(),
                queued: self.times.begun,
                first_token: self.times.first_token,
                upstream: self.times.upstream.1,
                total: self.times.asked.elapsed(),
            });
        }
    }

    /// The call left the waiting line, or its upstream began to answer.
    fn has_begun(&mut self) {
        if self.times.begun.is_none() {
            self.times.begun = Some(self.times.asked.elapsed());
            self.admitted.begin();
        }
    }

    /// Passes events on, as far as their reader takes them before the node has to stop.
    async fn tell_all(&self, pieces: &mpsc::Sender<CallEvent>, events: Vec<CallEvent>) {
        for event in events {
            if let Some(room) = self.room(pieces).await {
                room.send(event);
            }
        }
    }

    /// Room for an event, unless the node has to stop before its reader has any. A reader that is gone is noticed
    /// elsewhere.
    async fn room<'a>(
        &self,
        pieces: &'a mpsc::Sender<CallEvent>,
    ) -> Option<mpsc::Permit<'a, CallEvent>> {
        tokio::select! {
            biased;
            room = pieces.reserve() => room.ok(),
            () = self.node.0.stopping.cancelled() => None,
        }
    }

    async fn begin(
        &mut self,
        pieces: &mpsc::Sender<CallEvent>,
    ) -> Result<(mpsc::UnboundedReceiver<Told>, Ongoing), NodeError> {
        self.node.reach_journal()?;
        let open = self.open.take().expect("a meter begins once");
        let open = match self.parent {
            None => Command::OpenCall(open),
            Some(parent) => Command::OpenSubCall(OpenSubCall { parent, open }),
        };
        let reply = self.hold(open).await?;
        self.covered(&reply);
        let work = self.work.take().expect("a meter begins once");
        // Unbounded, but never longer than the tokens that the holds cover.
        let (sender, told) = mpsc::unbounded_channel();
        match self.open(work, sender, pieces).await {
            Ok(ongoing) => Ok((told, ongoing)),
            Err(Unbegun { error, ending }) => {
                self.close(&ending.finish, std::slice::from_ref(&*ending))
                    .await?;
                Err(match error {
                    NodeError::ControllerFault { fault, .. } => {
                        let charged = self.charged();
                        NodeError::ControllerFault { fault, charged }
                    }
                    other => other,
                })
            }
        }
    }

    /// Has its controllers open, for as long as somebody waits for that.
    async fn open(
        &mut self,
        work: Work,
        tell: mpsc::UnboundedSender<Told>,
        pieces: &mpsc::Sender<CallEvent>,
    ) -> Result<Ongoing, Unbegun> {
        let recall = CancellationToken::new();
        let deadline = work.is_queued().then(|| self.admitted.deadline());
        self.times.upstream.0 = (!work.is_queued()).then(Instant::now);
        let mut started = pin!(work.start(tell, recall.clone()));
        let mut why = NodeError::ShuttingDown;
        tokio::select! {
            biased;
            started = &mut started => return started.map_err(|unbegun| match unbegun.error {
                NodeError::Busy { .. } => Unbegun { error: self.admitted.full(), ..unbegun },
                _ => unbegun,
            }),
            () = pieces.closed() => {}
            () = self.node.0.stopping.cancelled() => {}
            () = waited(&self.admitted, deadline) => why = self.admitted.too_late(),
        }
        recall.cancel();
        let started = started.await;
        started.map_err(|Unbegun { mut ending, .. }| {
            ending.finish = Finish::Cancelled;
            Unbegun { error: why, ending }
        })
    }

    /// What others were paid within a call of which nothing was computed.
    fn charged(&self) -> Option<(CallId, Amount)> {
        let network = self.node.network();
        let within = network.sub_calls(self.call).chain([self.call]);
        let total = within.filter_map(|call| Some(network.receipt(call)?.total()));
        let total: Amount = total.sum();
        (total > Amount::ZERO).then_some((self.call, total))
    }

    /// The first hold. Work begins while it is on its way to the disk: what a kill could lose then is
    /// an answer that nobody was shown and nobody is charged for. A refusal is shown, and waits.
    async fn hold(&mut self, open: Command) -> Result<Reply, NodeError> {
        let mut opened = self.node.0.journal.send_early(open)?;
        match opened.applied().await? {
            Ok(reply) => {
                self.opened = Some(opened);
                self.owes = true;
                Ok(reply)
            }
            Err(refusal) => {
                opened.durable().await?;
                Err(call_refused(self.call, refusal))
            }
        }
    }

    /// Follows the call to its end: passes pieces on, records progress, extends the cover. Gives back
    /// what may be shown once the call is closed.
    async fn follow(
        &mut self,
        mut told: mpsc::UnboundedReceiver<Told>,
        mut ongoing: Ongoing,
        pieces: &mpsc::Sender<CallEvent>,
    ) -> Vec<CallEvent> {
        let stopping = self.node.0.stopping.clone();
        let (mut gone, mut stopped) = (false, false);
        let cover = self.cover.clone();
        let deadline = ongoing.is_queued().then(|| self.admitted.deadline());
        loop {
            tokio::select! {
                first = ongoing.hear(&mut told) => match first {
                    Some(first) => {
                        let said = self.observe_all(first, &mut told);
                        if self.is_over() {
                            return said;
                        }
                        if !said.is_empty() || self.is_progress_due() {
                            self.make_durable().await;
                            self.tell_all(pieces, said).await;
                        }
                    }
                    None => return Vec::new(),
                },
                // That it began may be shown, too. An answer that comes meanwhile is not kept waiting.
                () = held(&mut self.opened), if self.times.begun.is_some() => self.has_held(),
                reply = extended(&mut self.extension) => self.on_extended(reply),
                wanted = cover.wanted(), if self.extension.is_none() => self.ask_for_more(wanted),
                () = waited(&self.admitted, deadline), if self.times.begun.is_none() && self.given_up.is_none() => {
                    self.given_up = Some(self.admitted.too_late());
                    ongoing.withdraw();
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

    fn is_over(&self) -> bool {
        self.answers.iter().all(|answer| answer.ending.is_some())
    }

    /// Takes note of everything that is told by now: what came together is made durable together.
    fn observe_all(
        &mut self,
        first: Told,
        more: &mut mpsc::UnboundedReceiver<Told>,
    ) -> Vec<CallEvent> {
        let mut said = Vec::new();
        let mut next = Some(first);
        while let Some(told) = next {
            said.extend(self.observe(told));
            next = more.try_recv().ok();
        }
        said
    }

    /// Takes note of what is told; gives back what the caller should see of it.
    fn observe(&mut self, told: Told) -> Option<CallEvent> {
        if !matches!(told, Told::Event(_, Event::Finished(_))) {
            self.has_begun();
        }
        match told {
            // The others share what the first one of a prompt computes.
            Told::Event(
                choice,
                Event::Started {
                    prompt_tokens,
                    cached_prompt_tokens,
                },
            ) if (choice as usize).is_multiple_of(self.answers_each) => {
                self.prompt_was(choice, prompt_tokens.into(), cached_prompt_tokens.into());
                None
            }
            Told::Measured(measured) => {
                self.prompt_was(0, measured.prompt, measured.cached);
                self.counting = measured.counting;
                None
            }
            Told::Event(choice, Event::Output(piece)) => {
                self.measure(choice, &piece.usage);
                if let Some(declared) = &mut self.declared {
                    declared.observe(choice, &piece);
                }
                let silent = piece.text.is_empty()
                    && piece.logprobs.is_empty()
                    && piece.reasoning.is_empty()
                    && piece.trace.is_empty()
                    && piece.retracted_bytes == 0;
                (!silent).then_some(CallEvent::Piece { choice, piece })
            }
            Told::Event(choice, Event::Finished(ending)) => {
                self.times.upstream.1 = self.times.upstream.0.map(|asked| asked.elapsed());
                self.note(choice, &ending.usage);
                self.unread(choice, ending.unread_prompt_tokens.into());
                self.answers[choice as usize].ending = Some(ending);
                None
            }
            Told::Event(_, Event::Started { .. }) => None,
        }
    }

    fn prompt_was(&mut self, choice: u32, tokens: u64, cached: u64) {
        self.answers[choice as usize].prompt = (tokens, cached);
        let prompts = self.answers.iter().map(|answer| answer.prompt);
        let (tokens, cached) = prompts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let tokens = tokens.min(self.prompt_tokens);
        self.used.cached_prompt_tokens = cached.min(tokens);
        self.used.prompt_tokens = tokens - self.used.cached_prompt_tokens;
    }

    /// Of its prompt, if it has one of its own, so much was not read when the answer ended: that is nobody's to
    /// pay. What was found in the cache was read.
    fn unread(&mut self, choice: u32, unread: u64) {
        let (tokens, cached) = self.answers[choice as usize].prompt;
        self.prompt_was(choice, tokens.saturating_sub(unread), cached);
    }

    fn note(&mut self, choice: u32, usage: &aigen_jarvis::Usage) {
        self.answers[choice as usize].usage = *usage;
        let sum = |of: fn(&aigen_jarvis::Usage) -> u64| {
            self.answers.iter().map(|answer| of(&answer.usage)).sum()
        };
        self.used.sampled_tokens = sum(|usage| usage.sampled_tokens);
        self.used.forced_tokens = sum(|usage| usage.forced_tokens);
        self.used.discarded_tokens = sum(|usage| usage.discarded_tokens);
    }

    fn measure(&mut self, choice: u32, usage: &aigen_jarvis::Usage) {
        self.note(choice, usage);
        let computed = self.used.computed_tokens();
        if computed > 0 && self.times.first_token.is_none() {
            self.times.first_token = Some(self.times.asked.elapsed());
        }
        // At three quarters of the cover, so that the next hold is durable before it is needed.
        if computed * 4 >= self.cover.tokens() * 3 {
            self.ask_for_more(0);
        }
    }

    /// The first token, and every [`PROGRESS_TOKENS`] from there.
    fn is_progress_due(&self) -> bool {
        let computed = self.used.computed_tokens();
        computed > 0 && (self.recorded == 0 || computed >= self.recorded + PROGRESS_TOKENS)
    }

    /// Before anything is shown its hold is durable, and a note of how far the call has come: nobody
    /// ever sees more than [`PROGRESS_TOKENS`] that a kill could make free. The engine goes on
    /// meanwhile, so this costs one piece in 16 the time of a sync.
    async fn make_durable(&mut self) {
        match self.is_progress_due() {
            // Durable after the hold.
            true => self.record_progress().await,
            false if self.opened.is_some() => held(&mut self.opened).await,
            false => {}
        }
        self.has_held();
    }

    /// Its hold is durable.
    fn has_held(&mut self) {
        self.opened = None;
        if self.times.begun.is_some() {
            self.tell_started(Ok(()));
        }
    }

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

    /// Asks for as many tokens as the answers may have, and for no fewer than are wanted now.
    fn ask_for_more(&mut self, wanted: u64) {
        let covered = self.cover.tokens();
        // Tokens that were taken back are computed too, beyond those that the answer may have, and so are
        // those of branches beside it.
        let ceiling = wanted.max(self.max_tokens + self.used.discarded_tokens);
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

    async fn settle(
        &mut self,
        finish: &Finish,
        endings: &[Ending],
    ) -> Result<Arc<Receipt>, NodeError> {
        self.close(finish, endings).await?;
        let network = self.node.network();
        let receipt = network.receipt(self.call);
        receipt.ok_or(NodeError::Journal(Stopped))
    }

    async fn close(&mut self, finish: &Finish, endings: &[Ending]) -> Result<(), NodeError> {
        self.log_controllers(endings);
        let close = self.closing(finish, endings);
        // However long the journal is out of reach: what was used is owed.
        let closed = self.node.0.journal.send(close)?;
        self.owes = false;
        let committed = closed.await.map_err(|_| Stopped)?;
        committed.result.map(|_| ()).map_err(NodeError::from)
    }

    fn closing(&self, finish: &Finish, endings: &[Ending]) -> Command {
        Command::CloseCall(CloseCall {
            call: self.call,
            used: self.used,
            outcome: outcome_of(finish),
            controller_micros: endings.iter().map(|ending| ending.controller_micros).sum(),
            decisions: decisions(endings),
            steered: Steered {
                conforms: self.declared.as_ref().and_then(|all| all.judge(endings)),
                ..steered(finish, endings)
            },
            counter: Some(self.counting.counter()),
        })
    }
}

/// Where it panics, or what it asks does, nothing stays held: what had come by then is charged. A
/// runtime that ends drops it too, and then it is the next start that settles.
impl Drop for Meter {
    fn drop(&mut self) {
        if self.owes && std::thread::panicking() {
            let close = self.closing(&Finish::Fault(Fault::Crashed), &[]);
            // A journal that has stopped ends the process; there is nobody left to tell.
            let _ = self.node.0.journal.send(close);
        }
    }
}

async fn waited(admitted: &Admitted, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => admitted.waited_in_vain(deadline).await,
        None => std::future::pending().await,
    }
}

/// Waits for the hold, where that is not known to be durable.
async fn held(opened: &mut Option<Early>) {
    match opened {
        // A journal that has stopped ends the process; there is nobody left to tell.
        Some(opened) => drop(opened.durable().await),
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
