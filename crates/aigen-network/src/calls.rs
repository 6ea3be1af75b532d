use crate::budgets::{Cap, least_of, must_leave};
use crate::command::OpenCall;
use crate::corrections::{Refund, Reversal};
use crate::datasets::DatasetUse;
use crate::limits::CALL_READS_MAX;
use crate::network::{Network, Reply};
use crate::reads::Read;
use crate::refusal::Refusal;
use crate::registry::Key;
use aigen_economy::{Charge, Price, Split, Usage};
use aigen_types::{
    Address, Amount, CallId, Digest, Epoch, ModelName, NodeId, Ppm, Slug, Timestamp, TransferId,
};
use alloc::string::String;
use alloc::vec::Vec;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The model or its controller finished.
    Stop,
    /// The caller's token limit or the context was reached.
    Length,
    /// The money was: generation stopped at the last covered token.
    Budget,
    /// The caller went away.
    Cancelled,
    /// The controller failed; what it used is charged.
    ControllerFault,
    /// The engine failed; what was produced is charged.
    EngineFault,
    /// The node died; what it had reported is charged.
    Recovered,
    /// The holds timed out before the node came back; nothing is charged.
    Expired,
    /// A filter of the upstream held the rest back.
    Filtered,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Stop,
        Self::Length,
        Self::Budget,
        Self::Cancelled,
        Self::ControllerFault,
        Self::EngineFault,
        Self::Recovered,
        Self::Expired,
        Self::Filtered,
    ];

    /// Its number, as evidence is hashed.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Stop => 1,
            Self::Length => 2,
            Self::Budget => 3,
            Self::Cancelled => 4,
            Self::ControllerFault => 5,
            Self::EngineFault => 6,
            Self::Recovered => 7,
            Self::Expired => 8,
            Self::Filtered => 9,
        }
    }
}

/// A running call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The key that asked.
    pub key: Slug,
    /// The node that runs it.
    pub node: NodeId,
    /// Who pays.
    pub payer: Address,
    /// To whom the spending is attributed: the key's spender, or an end user below it.
    pub spender: Address,
    /// The app whose allowance pays, where a user pays for an app's call.
    pub app: Option<Address>,
    /// What that app adds to the charge, as a part of it.
    pub margin: Ppm,
    /// The caps that it counts against: those of the period it was opened in.
    pub caps: Vec<Cap>,
    /// The model that answers.
    pub model: ModelName,
    /// The controller version that steers.
    pub controller: Option<Digest>,
    /// Hash of the request.
    pub request: Digest,
    /// The bound its caller set.
    pub budget: Option<Amount>,
    /// Prompt tokens, counted before anything was held.
    pub prompt_tokens: u64,
    /// Output tokens that the holds cover.
    pub covered_tokens: u64,
    /// What it has reported so far.
    pub used: Usage,
    /// The prices it was promised.
    pub price: Price,
    /// Which page of the price book they stood on.
    pub price_version: u32,
    /// Its holds, oldest first.
    pub holds: Vec<Hold>,
    /// When it began.
    pub opened_at: Timestamp,
    /// What it has read of datasets, in the order in which it did.
    pub reads: Vec<Read>,
}

/// Who pays for what a key asks, and what bounds it.
pub(crate) struct Paying {
    pub payer: Address,
    pub spender: Address,
    pub app: Option<Address>,
    pub margin: Ppm,
    pub caps: Vec<Cap>,
}

impl Call {
    /// Everything it holds, in total.
    #[must_use]
    pub fn held(&self) -> Amount {
        self.holds.iter().map(|hold| hold.amount).sum()
    }
}

/// Money reserved for a call, and as much of every cap that the call counts against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The hold on the payer's money.
    pub transfer: TransferId,
    /// How much, of the money and of each cap.
    pub amount: Amount,
    /// The holds on the caps, in the order of [`Call::caps`].
    pub caps: Vec<TransferId>,
}

/// What steering a call came to, as its node reports it. Nothing is charged by it: the tokens
/// named here are among those of [`Usage`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steered {
    /// Instructions of its controller, by the host's measure; the same in every run.
    pub fuel: u64,
    /// Tokens, kept, that the caller was not shown.
    pub hidden_tokens: u64,
    /// Of the discarded tokens, those in branches that were not kept.
    pub unkept_tokens: u64,
    /// Branches beside the first.
    pub branches: u32,
    /// What its controller asked of the outside.
    pub asked: Asked,
    /// What went wrong, by its stable name; empty if nothing did. At most 64 bytes.
    pub fault: String,
    /// Whether the answer was what the controller declares; none if that was not checked.
    pub conforms: Option<bool>,
}

/// What a call's controller asked of the outside, refused questions too. Completions among it are
/// calls of their own, made within this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Tools called.
    pub tools: u32,
    /// Pages read.
    pub pages: u32,
    /// Models asked.
    pub completions: u32,
    /// Bytes of all answers.
    pub bytes: u64,
}

/// Who counted a call's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// The node that ran it, token by token.
    Engine,
    /// The server that answered, whose count was a possible one.
    Upstream,
    /// The node, from the bytes of an answer that was computed elsewhere: there was no count that could be
    /// believed.
    Estimated,
}

/// What a call came to. Kept for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The call as it stood when it ended; `used` is final.
    pub call: Call,
    /// The platform's charge, line by line.
    pub charge: Charge,
    /// Who got what of it.
    pub split: Split,
    /// What the app added to it, rounded up once.
    pub margin: Amount,
    /// How it ended.
    pub outcome: Outcome,
    /// Controller time in microseconds.
    pub controller_micros: u64,
    /// Hash of the decisions taken.
    pub decisions: Digest,
    /// What steering came to beside that.
    pub steered: Steered,
    /// Who counted; none where its node did not say, as before this was asked.
    pub counter: Option<Counter>,
    /// The epoch its escrow counts in.
    pub epoch: Epoch,
    /// When it ended.
    pub closed_at: Timestamp,
    /// The journal record that ended it.
    pub record: u64,
    /// The transfers that moved the money.
    pub transfers: Vec<TransferId>,
    /// What was given back of it since, oldest first.
    pub refunds: Vec<Refund>,
    /// How it was undone as a whole, if it was.
    pub reversal: Option<Reversal>,
}

impl Receipt {
    /// What the payer paid: the charge and the app's margin.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.charge.total.saturating_add(self.margin)
    }

    /// What was refunded of it so far.
    #[must_use]
    pub fn refunded(&self) -> Amount {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }
}

impl Network {
    pub(crate) fn open_call(&mut self, now: Timestamp, open: &OpenCall) -> Result<Reply, Refusal> {
        self.refuse_known_call(open)?;
        let mut call = self.new_call(now, open)?;
        // A call that cannot afford its prompt and one token would hold money to produce nothing;
        // one that cannot be stopped at a token has to afford them all.
        let least = open.least_tokens.max(1);
        let needed = call.most(least)?;
        let bounds = self.bounds(&call.payer, &call.caps);
        must_leave(&bounds, needed)?;
        if let Some(budget) = call.budget
            && budget < needed
        {
            return Err(Refusal::BudgetTooSmall { budget, needed });
        }
        let left = least_of(&bounds);
        let chunk = open.chunk_tokens.max(least);
        self.cover_more(now, open.call, &mut call, chunk, left)?;
        self.count(now, &open.key, 1, open.prompt_tokens);
        self.opened(open.call, call)
    }

    /// The call that this command asks for, holding nothing yet.
    pub(crate) fn new_call(&self, now: Timestamp, open: &OpenCall) -> Result<Call, Refusal> {
        let key = self.usable_key(&open.key)?;
        self.check_limits(now, open)?;
        // Names are shared with those that are kept anyway: a receipt stays for ever.
        let key_name = self.keys.get_key_value(&open.key);
        let (key_name, _) = key_name.ok_or(Refusal::KeyUnknown)?;
        let model = self.models.get_key_value(&open.model);
        let (model_name, model) = model.ok_or(Refusal::ModelUnknown)?;
        if let Some(digest) = open.controller {
            self.check_usable(digest)?;
        }
        let reads = self.prompt_reads(now, open)?;
        let paying = self.paying(now, key, open.end_user.as_ref(), open.bill_to.as_ref())?;
        Ok(Call {
            key: key_name.clone(),
            node: open.node,
            payer: paying.payer,
            caps: paying.caps,
            spender: paying.spender,
            app: paying.app,
            margin: paying.margin,
            model: model_name.clone(),
            controller: open.controller,
            request: open.request,
            budget: open.budget,
            prompt_tokens: open.prompt_tokens,
            covered_tokens: 0,
            used: Usage::default(),
            price: model.price,
            price_version: model.price_version,
            holds: Vec::new(),
            opened_at: now,
            reads,
        })
    }

    /// What stands in the prompt of a call that begins now.
    fn prompt_reads(&self, now: Timestamp, open: &OpenCall) -> Result<Vec<Read>, Refusal> {
        if open.reads.len() > CALL_READS_MAX {
            return Err(Refusal::TooManyReads);
        }
        let priced = |wanted| self.priced_read(now, &open.key, wanted, DatasetUse::Completion);
        open.reads.iter().map(priced).collect()
    }

    pub(crate) fn usable_key(&self, name: &Slug) -> Result<&Key, Refusal> {
        let key = self.keys.get(name).ok_or(Refusal::KeyUnknown)?;
        if key.revoked {
            Err(Refusal::KeyRevoked)
        } else {
            Ok(key)
        }
    }

    /// Who pays for what this key asks now.
    pub(crate) fn paying(
        &self,
        now: Timestamp,
        key: &Key,
        end_user: Option<&Slug>,
        bill_to: Option<&Address>,
    ) -> Result<Paying, Refusal> {
        let spender = match end_user {
            Some(name) => key.spender.end_user(name).ok_or(Refusal::SpenderInvalid)?,
            None => key.spender.clone(),
        };
        let (payer, app, margin) = match bill_to {
            Some(user) if *user != key.account => {
                let allowance = self.live_allowance(now, user, &key.account)?;
                (user, Some(&key.account), allowance.margin)
            }
            _ => (&key.account, None, Ppm::ZERO),
        };
        Ok(Paying {
            caps: self.caps_at(now, &spender, payer, app),
            payer: payer.clone(),
            spender,
            app: app.cloned(),
            margin,
        })
    }

    pub(crate) fn opened(&mut self, id: CallId, call: Call) -> Result<Reply, Refusal> {
        let reply = Reply::Covered {
            tokens: call.covered_tokens,
            held: call.held(),
        };
        self.calls.insert(id, call);
        Ok(reply)
    }

    pub(crate) fn refuse_known_call(&self, open: &OpenCall) -> Result<(), Refusal> {
        let is_same = |call: &Call| call.request == open.request && call.key == open.key;
        let running = self.calls.get(&open.call).map(is_same);
        let known = running.or_else(|| {
            let receipt = self.receipts.get(open.call)?;
            Some(is_same(&receipt.call))
        });
        match known {
            None => self.refuse_read_id(open.call),
            Some(true) => Err(Refusal::CallExists),
            Some(false) => Err(Refusal::CallExistsWithDifferentRequest),
        }
    }

    /// Calls and reads outside of calls share their ids.
    pub(crate) fn refuse_known_id(&self, id: CallId) -> Result<(), Refusal> {
        if self.calls.contains_key(&id) || self.receipts.contains(id) {
            return Err(Refusal::CallExistsWithDifferentRequest);
        }
        self.refuse_read_id(id)
    }

    fn refuse_read_id(&self, id: CallId) -> Result<(), Refusal> {
        match self.datasets.reads.contains_key(&id) {
            true => Err(Refusal::CallExistsWithDifferentRequest),
            false => Ok(()),
        }
    }

    pub(crate) fn open(&self, id: CallId) -> Result<&Call, Refusal> {
        match self.calls.get(&id) {
            Some(call) => Ok(call),
            None if self.receipts.contains(id) => Err(Refusal::CallClosed),
            None => Err(Refusal::CallUnknown),
        }
    }

    /// The running calls of one node.
    pub fn calls_of(&self, node: NodeId) -> impl Iterator<Item = (CallId, &Call)> {
        self.calls().filter(move |(_, call)| call.node == node)
    }
}
