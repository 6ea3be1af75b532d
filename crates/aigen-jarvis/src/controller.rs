use std::ops::Range;
use std::sync::Arc;

use aigen_engine::sampler::TokenLogprob;
use aigen_engine::{ControlLevel, TokenId, Tokenizer};

use crate::{Context, Fault, Mask, Matcher};

/// Numbers the branches of one session in the order they began; the first is 0.
pub type BranchId = u32;

/// A program that steers one branch of a session. It is asked for a decision at
/// the start and at the end of every segment, on the scheduler's thread: it must
/// be quick, or say that it is not ready.
pub trait Controller: Send {
    /// A prompt to read instead of the request's; `None` leaves it. Asked once,
    /// before the session enters the engine, on the thread that started it.
    ///
    /// # Errors
    /// A fault refuses the session.
    fn prompt(&mut self) -> Result<Option<Vec<TokenId>>, Fault> {
        Ok(None)
    }

    /// What next?
    ///
    /// # Errors
    /// A fault ends the session.
    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault>;

    /// Asked instead of [`Controller::step`] after a turn that was not ready:
    /// whenever somebody used [`Context::waker`], and never otherwise.
    ///
    /// # Errors
    /// A fault ends the session.
    fn poll(&mut self) -> Result<Turn, Fault> {
        Err(Fault::Controller {
            reason: "it was not ready, and has no answer to come".to_owned(),
        })
    }

    /// A controller in the same state for the new branch number `index` of a
    /// fork into [`Decision::Fork`] branches, 1 being the first.
    ///
    /// # Errors
    /// A fault ends the session; a controller that never forks need not say more.
    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        let _ = index;
        Err(Fault::Controller {
            reason: "it cannot fork".to_owned(),
        })
    }

    /// What it has to say in the end, as JSON; empty for nothing. Asked on the branch that was
    /// kept, and nothing is asked after it. `None` says that it is still computing: it is asked again
    /// whenever somebody used [`Context::waker`]. A fault ends the session by its name, whatever was said
    /// before.
    fn finish(&mut self) -> Option<Result<String, Fault>> {
        Some(Ok(String::new()))
    }

    /// Nobody waits for its answer any more: the session was ended from outside, which
    /// [`Context::recalled`] says. Whether it is still computing: then it is polled, or asked to
    /// finish, until it has an answer, which is ignored; what it used is not known before.
    fn recall(&mut self) -> bool {
        false
    }

    /// How many of the newest output tokens this controller may still take back.
    /// Text older than that is committed: it goes to the caller and stays. 0
    /// streams every token at once; `u32::MAX` holds all text until the end.
    fn reach(&self) -> u32 {
        0
    }
}

/// A controller's answer.
#[derive(Clone, Debug)]
pub enum Turn {
    /// This is what it wants.
    Ready(Decision),
    /// It is still computing. The branch is left out of the next forward pass
    /// rather than waited for; [`crate::limits::LATE_STEPS_MAX`] such steps end the
    /// session. However often it is polled, one step is late once.
    Late,
    /// It waits for something outside, like a tool. The branch is suspended; its
    /// time is nobody's fault.
    Outside,
}

impl From<Decision> for Turn {
    fn from(decision: Decision) -> Self {
        Self::Ready(decision)
    }
}

/// What a controller gets to know when its session opens.
#[derive(Clone)]
pub struct Opening<'a> {
    /// The prompt, after the chat template.
    pub prompt: &'a [TokenId],
    /// The model's tokenizer.
    pub tokenizer: Arc<dyn Tokenizer>,
    /// What the branches of the session share.
    pub context: Context,
    /// What the caller gave the controller: JSON of its own, or nothing.
    pub argument: &'a str,
    /// The conversation as JSON, in OpenAI's form; empty for a raw prompt.
    pub messages: &'a str,
    /// The model's name.
    pub model: &'a str,
    /// Names the stream of chance.
    pub seed: u64,
    /// What the engine can do.
    pub can: Capabilities,
}

impl<'a> Opening<'a> {
    /// An opening outside a session, for trying a controller: a context of its
    /// own, no argument, and an engine that can do everything.
    #[must_use]
    pub fn new(prompt: &'a [TokenId], tokenizer: Arc<dyn Tokenizer>) -> Self {
        Self {
            prompt,
            tokenizer,
            context: Context::new(0),
            argument: "",
            messages: "",
            model: "",
            seed: 0,
            can: Capabilities {
                control: ControlLevel::Token,
                backtrack: true,
                branches_max: crate::limits::BRANCHES_MAX,
            },
        }
    }
}

/// What of a controller's wishes an engine can fulfil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How closely tokens can be steered.
    pub control: ControlLevel,
    /// Whether tokens can be taken back.
    pub backtrack: bool,
    /// Branches that can live at once; 1 if it cannot fork.
    pub branches_max: u32,
}

/// What happened on the branch since the last decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report<'a> {
    /// The branch that is asked.
    pub branch: BranchId,
    /// Output tokens in the branch now.
    pub position: u32,
    /// Tokens that were taken back.
    pub removed: u32,
    /// Tokens that were then appended, sampled and forced alike.
    pub appended: &'a [TokenId],
    /// The last token the model chose, before a splice took it back; an end token
    /// too. `None` if it chose none.
    pub sampled: Option<TokenId>,
    /// Natural logarithm of its probability under the model itself, if the
    /// segment observed it.
    pub logprob: Option<f32>,
    /// The model's likeliest tokens there, the likeliest first, as many as the
    /// segment observed.
    pub top: &'a [TokenLogprob],
    /// Why the controller is asked.
    pub why: Wake,
}

impl<'a> Report<'a> {
    /// A report of nothing but where a branch is and why it is asked.
    #[must_use]
    pub fn new(branch: BranchId, position: u32, why: Wake) -> Self {
        Self {
            branch,
            position,
            removed: 0,
            appended: &[],
            sampled: None,
            logprob: None,
            top: &[],
            why,
        }
    }
}

/// Why a controller is asked for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The session begins.
    Started,
    /// The branch was forked: every branch of the family is asked this before the
    /// next forward pass.
    Forked {
        /// Which of the family this is; 0 is the one that forked.
        index: u32,
        /// The number of branch 1 of the family; the others follow.
        first: BranchId,
    },
    /// The edit is done.
    Edited,
    /// The segment's constraint is satisfied and nothing may follow.
    MatcherFinished,
    /// One of the segment's stop strings appeared; its text is in the branch.
    /// With siblings alive also one of the request's: the branch has all it can have.
    /// It may stop or be suspended; whoever wants more of it is asked the same again.
    StopMatched,
    /// One of the segment's trigger tokens was produced.
    Triggered,
    /// The model ended its turn. The end token is not in the branch.
    EndOfSequence,
    /// The segment's token limit is reached. With siblings alive also the
    /// request's: as there.
    TokenLimit,
    /// What it was suspended for has happened.
    Resumed,
}

/// What a controller wants.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Sample a segment.
    Generate(Generate),
    /// Take tokens back and splice tokens in, without sampling.
    Edit(Edit),
    /// Go on in so many branches more, from exactly here. All of them see the same
    /// logits, so that nothing is computed twice.
    Fork(u32),
    /// Leave the batch until something happens. Costs no pass and no token.
    Suspend(Waiting),
    /// The branch is over.
    Stop(Stop),
}

impl Decision {
    /// The branch is done, and the one to keep.
    #[must_use]
    pub fn stop() -> Self {
        Self::Stop(Stop::default())
    }
}

/// A segment: the host samples alone until something in `until` happens.
#[derive(Clone, Debug, Default)]
pub struct Generate {
    /// Which tokens may come.
    pub allow: Allow,
    /// Added to the logits of single tokens; [`crate::limits::BIASES_MAX`] at most.
    pub bias: Vec<(TokenId, f32)>,
    /// How tokens are chosen in this segment.
    pub params: Params,
    /// What the host puts in place of sampled tokens, without asking.
    pub splices: Vec<Splice>,
    /// What the next report says about the last sampled token's probability.
    pub observe: Observe,
    /// When to ask the controller again.
    pub until: Until,
}

/// Which tokens may come.
#[derive(Clone, Debug, Default)]
pub enum Allow {
    /// Every token.
    #[default]
    Any,
    /// What the matcher accepts. It is advanced by the host, and taken back by the
    /// host where a splice takes back; a controller that takes tokens back by an
    /// edit rolls it back itself.
    Matcher(Matcher),
    /// These tokens, every time. End tokens among them end the turn.
    Tokens(Arc<Mask>),
}

/// How tokens are chosen in a segment; `None` is as the request says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Params {
    /// Divides the logits; 0 is the likeliest token, without chance.
    pub temperature: Option<f32>,
    /// Only the likeliest tokens that together have this probability.
    pub top_p: Option<f32>,
    /// Only this many of the likeliest tokens; 0 for all.
    pub top_k: Option<u32>,
    /// Only tokens at least this times as likely as the likeliest.
    pub min_p: Option<f32>,
}

/// If the model chooses one of `sampled`, `tokens` come instead of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splice {
    /// The tokens that are replaced.
    pub sampled: Vec<TokenId>,
    /// Tokens to take back, of which the sampled one is the first; with 0 it stays, and
    /// `tokens` come behind it.
    pub backtrack: u32,
    /// Tokens to append then.
    pub tokens: Vec<TokenId>,
}

/// What a controller wants to know about the last sampled token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Observe {
    /// Nothing, which costs nothing.
    #[default]
    Nothing,
    /// Its probability.
    Sampled,
    /// Its probability, and so many of the model's likeliest tokens.
    Top(u8),
}

/// When a segment ends. It always ends where the model ends its turn, and where
/// the constraint allows nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Until {
    /// After this many tokens, sampled and forced alike; 0 is no limit.
    pub tokens: u32,
    /// After one of these byte strings; they may cross token boundaries.
    pub stops: Vec<Vec<u8>>,
    /// After one of these tokens.
    pub triggers: Vec<TokenId>,
}

/// Take tokens back, then splice tokens in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Tokens to take off the end; within the controller's reach.
    pub backtrack: u32,
    /// Tokens to append. An end token among them is only a token.
    pub tokens: Vec<TokenId>,
    /// Whether the model may write the last of the tokens anew, as the beginning
    /// of what it says next: text cut in the middle of a word goes on as if it had
    /// not been cut. As many are taken off as one token of the vocabulary begins with
    /// and goes beyond. Without `tokens` they are the prompt's last, at the start.
    /// What the model sampled is never written anew.
    pub heal: bool,
}

/// What a branch is suspended for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// One of these variables has a version the branch has not seen.
    Variables(Vec<String>),
    /// All of these branches are over. A branch never waits for itself.
    Branches(Vec<BranchId>),
    /// So many milliseconds, [`crate::limits::SUSPEND_MILLIS_MAX`] at most in a session.
    Millis(u32),
}

impl Waiting {
    /// All branches of these numbers are over.
    #[must_use]
    pub fn branches(numbers: Range<BranchId>) -> Self {
        Self::Branches(numbers.collect())
    }
}

/// How a branch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Why.
    pub reason: Reason,
    /// Whether the branch is the answer. The first that is ends the session, and
    /// its siblings with it. Where none is, the answer is empty.
    pub keep: bool,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            reason: Reason::Done,
            keep: true,
        }
    }
}

/// Why a controller ends a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The work is done.
    Done,
    /// It does not want to do it.
    Refused,
    /// It could not do it.
    GaveUp,
}
