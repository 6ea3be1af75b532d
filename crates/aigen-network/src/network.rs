use crate::accounts::{LEDGER_AIGEN, account_id, addresses};
use crate::allowances::Allowance;
use crate::budgets::Budget;
use crate::calls::{Call, Receipt};
use crate::command::{Command, Found};
use crate::datasets::Datasets;
use crate::earnings::ReadIndex;
use crate::epochs::{EpochState, Evaluated, SettledEpoch};
use crate::governance::Governance;
use crate::keyring::Keyring;
use crate::names::Names;
use crate::receipts::{ReceiptForm, Receipts, ReceiptsSoFar};
use crate::refusal::Refusal;
use crate::registry::{Controller, Key, Model, Validator};
use crate::releases::{Release, Stated, TagKey};
use crate::settings::Settings;
use crate::usage::UsageIndex;
use crate::within::Within;
use aigen_ledger::{Ledger, Shelf};
use aigen_types::{
    AccountId, Address, Amount, BudgetPath, CallId, ControllerRef, Digest, Epoch, ModelName, Ppm,
    PublisherKey, Slug, Timestamp,
};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// The state of a network after some commands. Two networks that were given the same
/// commands at the same times are equal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    pub(crate) founded: Option<Found>,
    /// Commands applied so far, refused ones included.
    pub(crate) commands: u64,
    /// The journal record that holds the command being applied.
    pub(crate) record: u64,
    pub(crate) ledger: Ledger,
    pub(crate) names: Names,
    pub(crate) keys: BTreeMap<Slug, Key>,
    pub(crate) models: BTreeMap<ModelName, Model>,
    pub(crate) controllers: BTreeMap<Digest, Controller>,
    pub(crate) controller_names: BTreeMap<ControllerRef, Digest>,
    pub(crate) validators: BTreeMap<Slug, Validator>,
    pub(crate) calls: BTreeMap<CallId, Call>,
    pub(crate) receipts: Receipts,
    /// What the receipts come to.
    pub(crate) usage: UsageIndex,
    pub(crate) epoch: EpochState,
    pub(crate) settled: BTreeMap<Epoch, SettledEpoch>,
    pub(crate) scores: BTreeMap<Digest, Evaluated>,
    /// From the last epoch that scored each: ten thousand are listed by it.
    pub(crate) last_scores: BTreeMap<Digest, Ppm>,
    pub(crate) budgets: BTreeMap<BudgetPath, Budget>,
    /// By user and app.
    pub(crate) allowances: BTreeMap<(Address, Address), Allowance>,
    pub(crate) releases: BTreeMap<Digest, Release>,
    /// By owner.
    pub(crate) publishers: BTreeMap<Slug, PublisherKey>,
    /// Of versions that are not simply current.
    pub(crate) standings: BTreeMap<Digest, Stated>,
    pub(crate) tags: BTreeMap<TagKey, Digest>,
    pub(crate) governance: Governance,
    pub(crate) keyring: Keyring,
    pub(crate) within: Within,
    pub(crate) datasets: Datasets,
    /// What reads come to.
    pub(crate) read_index: ReadIndex,
}

/// What an accepted command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// The call's holds now cover this many output tokens.
    Covered {
        /// Output tokens covered since the call began.
        tokens: u64,
        /// Money held for it.
        held: Amount,
    },
    /// The call ended, or the read was paid, and cost this.
    Charged(Amount),
    /// This much of a call was given back.
    GivenBack(Amount),
    /// The controller version is published; this is its identity.
    Published(Digest),
    /// The epoch was settled.
    Settled(Epoch),
}

impl Network {
    /// A network before its first command.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same network, whose past is not in memory but on shelves of its own, empty ones that it asks for.
    /// It changes no answer, and no network is unequal for it. A copy of a network is in memory.
    #[must_use]
    pub fn on_shelves(
        mut self,
        form: ReceiptForm,
        mut shelf: impl FnMut() -> Arc<dyn Shelf>,
    ) -> Self {
        self.receipts = self.receipts.on_shelves(form, shelf(), shelf());
        self.ledger = self.ledger.on_shelves(shelf);
        self
    }

    /// Applies one command of journal record number `record`, at ledger time `now`, which
    /// never runs backwards.
    ///
    /// A refused command moves no money, but it is part of the history: it counts, it
    /// advances time and it may burn the id of a transfer that failed for a passing reason.
    ///
    /// # Errors
    /// The first rule that says no.
    pub fn apply(
        &mut self,
        record: u64,
        now: Timestamp,
        command: &Command,
    ) -> Result<Reply, Refusal> {
        self.record = record;
        let now = now.max(self.ledger.now());
        self.commands = self.commands.saturating_add(1);
        self.ledger.advance(now);
        if let Command::Found(found) = command {
            return self.found(found);
        }
        if self.founded.is_none() {
            return Err(Refusal::NotFounded);
        }
        self.close_windows(now);
        self.dispatch(now, command)
    }

    fn dispatch(&mut self, now: Timestamp, command: &Command) -> Result<Reply, Refusal> {
        match command {
            Command::Found(_) => Err(Refusal::AlreadyFounded),
            Command::Issue(issue) => self.issue(now, issue),
            Command::Pay(pay) => self.pay(now, pay),
            Command::CreateKey(new) => self.create_key(new),
            Command::RevokeKey(name) => self.revoke_key(name),
            Command::LimitKey(limit) => self.limit_key(limit),
            Command::PublishModel(new) => self.publish_model(new),
            Command::PublishController(new) => self.publish_controller(now, new),
            Command::RegisterValidator(new) => self.register_validator(now, new),
            Command::OpenCall(open) => self.open_call(now, open),
            Command::OpenSubCall(sub) => self.open_sub_call(now, sub),
            Command::ExtendCall(extend) => self.extend_call(now, extend),
            Command::ProgressCall(progress) => self.progress_call(progress),
            Command::CloseCall(close) => self.close_call(now, close),
            Command::AssignEpoch(assign) => self.assign_epoch(now, assign),
            Command::CommitScores(commit) => self.commit_scores(now, commit),
            Command::FreezeCommits => self.freeze_commits(now),
            Command::RevealScores(reveal) => self.reveal_scores(reveal),
            Command::CloseEpoch(close) => self.close_epoch(now, close),
            Command::SetBudget(set) => self.set_budget(set),
            Command::GrantAllowance(grant) => self.grant_allowance(grant),
            Command::RevokeAllowance(revoke) => self.revoke_allowance(revoke),
            Command::ReverseCall(reverse) => self.reverse_call(now, reverse),
            Command::RefundCall(refund) => self.refund_call(now, refund),
            Command::PublishRelease(new) => self.publish_release(now, new),
            Command::SetStanding(set) => self.set_standing(set),
            Command::TagController(tag) => self.tag_controller(tag),
            Command::ProposeRules(propose) => self.propose_rules(propose),
            Command::AddStake(more) => self.add_stake(now, more),
            Command::RemoveStake(less) => self.remove_stake(now, less),
            Command::Appeal(appeal) => self.appeal(now, appeal),
            Command::DecideAppeal(decide) => self.decide_appeal(now, decide),
            Command::PublishDataset(new) => self.publish_dataset(now, new),
            Command::PriceDataset(set) => self.price_dataset(set),
            Command::WithdrawDataset(withdraw) => self.withdraw_dataset(withdraw),
            Command::GrantDataset(grant) => self.grant_dataset(grant),
            Command::RevokeDataset(revoke) => self.revoke_dataset(revoke),
            Command::ReadDataset(asked) => self.read_dataset(now, asked),
            Command::ReadWithin(within) => self.read_within(now, within),
        }
    }

    fn found(&mut self, found: &Found) -> Result<Reply, Refusal> {
        if self.founded.is_some() {
            return Err(Refusal::AlreadyFounded);
        }
        self.founded = Some(found.clone());
        Ok(Reply::Done)
    }

    pub(crate) fn settings(&self) -> Result<&Settings, Refusal> {
        match &self.founded {
            Some(found) => Ok(&found.settings),
            None => Err(Refusal::NotFounded),
        }
    }
}

/// What may be read.
impl Network {
    /// Name and settings, once founded.
    #[must_use]
    pub fn founded(&self) -> Option<&Found> {
        self.founded.as_ref()
    }

    /// Commands applied so far, refused ones included.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// Accounts and transfers.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The name of an account.
    #[must_use]
    pub fn address(&self, id: AccountId) -> Option<&Address> {
        self.names.get(&self.ledger, id)
    }

    /// Every address that has an account, in the order of names.
    #[must_use]
    pub fn known_addresses(&self) -> alloc::collections::BTreeSet<&Address> {
        self.names.iter().collect()
    }

    /// The ledger account of an address, once something was posted to it.
    #[must_use]
    pub fn account(&self, address: &Address) -> Option<&aigen_ledger::Account> {
        self.ledger.account(account_id(address))
    }

    /// A credential by its public part.
    #[must_use]
    pub fn key(&self, name: &Slug) -> Option<&Key> {
        self.keys.get(name)
    }

    /// Every credential.
    pub fn keys(&self) -> impl Iterator<Item = (&Slug, &Key)> {
        self.keys.iter()
    }

    /// A model of the catalogue.
    #[must_use]
    pub fn model(&self, name: &ModelName) -> Option<&Model> {
        self.models.get(name)
    }

    /// The catalogue.
    pub fn models(&self) -> impl Iterator<Item = (&ModelName, &Model)> {
        self.models.iter()
    }

    /// A controller version by digest.
    #[must_use]
    pub fn controller(&self, digest: Digest) -> Option<&Controller> {
        self.controllers.get(&digest)
    }

    /// A controller version by name.
    #[must_use]
    pub fn controller_digest(&self, reference: &ControllerRef) -> Option<Digest> {
        self.controller_names.get(reference).copied()
    }

    /// Every controller version, planted ones included.
    pub fn controllers(&self) -> impl Iterator<Item = (Digest, &Controller)> {
        self.controllers
            .iter()
            .map(|(digest, controller)| (*digest, controller))
    }

    /// Every validator.
    pub fn validators(&self) -> impl Iterator<Item = (&Slug, &Validator)> {
        self.validators.iter()
    }

    /// A running call.
    #[must_use]
    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.calls.get(&id)
    }

    /// Every running call.
    pub fn calls(&self) -> impl ExactSizeIterator<Item = (CallId, &Call)> {
        self.calls.iter().map(|(id, call)| (*id, call))
    }

    /// What a call came to.
    #[must_use]
    pub fn receipt(&self, id: CallId) -> Option<Arc<Receipt>> {
        self.receipts.get(id)
    }

    /// Whether a call has ended, and so has a receipt.
    #[must_use]
    pub fn has_receipt(&self, id: CallId) -> bool {
        self.receipts.contains(id)
    }

    /// Every receipt, by the id of its call.
    pub fn receipts(&self) -> impl Iterator<Item = (CallId, Arc<Receipt>)> {
        self.receipts.iter()
    }

    /// The same in the order of the journal, in which they are sooner read where they are not in memory.
    pub fn receipts_in_order(&self) -> impl Iterator<Item = (CallId, Arc<Receipt>)> {
        self.receipts.in_order()
    }

    /// Those that there are now: see [`Receipts::so_far`].
    #[must_use]
    pub fn receipts_so_far(&self) -> ReceiptsSoFar {
        self.receipts.so_far()
    }

    /// How many receipts there are.
    #[must_use]
    pub fn receipt_count(&self) -> usize {
        self.receipts.len()
    }

    /// The running epoch.
    #[must_use]
    pub fn epoch(&self) -> &EpochState {
        &self.epoch
    }

    /// What past epochs say of a controller version.
    #[must_use]
    pub fn evaluated(&self, controller: Digest) -> Option<&Evaluated> {
        self.scores.get(&controller)
    }

    /// Everything ever issued.
    #[must_use]
    pub fn issued(&self) -> Amount {
        self.account(&addresses::issuance())
            .map_or(Amount::ZERO, |account| account.debits_posted)
    }

    /// What all accounts but the issuance account own together; equal to what was issued.
    #[must_use]
    pub fn total_balances(&self) -> Amount {
        let issuance = account_id(&addresses::issuance());
        self.ledger
            .accounts()
            .filter(|account| account.ledger == LEDGER_AIGEN && account.id != issuance)
            .map(|account| account.credits_posted.saturating_sub(account.debits_posted))
            .sum()
    }

    /// A controller version's score, from the last settlement that it was part of.
    #[must_use]
    pub fn score(&self, controller: Digest) -> Option<Ppm> {
        self.last_scores.get(&controller).copied()
    }

    /// A settled epoch.
    #[must_use]
    pub fn settled(&self, epoch: Epoch) -> Option<&SettledEpoch> {
        self.settled.get(&epoch)
    }

    /// Every settled epoch.
    pub fn settled_epochs(&self) -> impl DoubleEndedIterator<Item = (Epoch, &SettledEpoch)> {
        self.settled
            .iter()
            .map(|(epoch, settled)| (*epoch, settled))
    }
}
