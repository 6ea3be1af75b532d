//! Everything but completions: money, keys, the registry, epochs. Each use case checks who
//! asks, then records one command.

use crate::auth::{Caller, IssuedKey};
use crate::error::NodeError;
use crate::manifest::must_be_a_line;
use crate::node::Node;
use aigen_network::{
    Appeal, AssignEpoch, Budget, CloseEpoch, Command, CommitScores, DecideAppeal, Found, Issue,
    KeyLimits, LimitKey, MoveStake, NewController, NewModel, NewRelease, NewValidator, Pay, Period,
    ProposeRules, Refusal, Reply, RevealScores, Role, SetBudget, SetStanding, Standing,
    TagController, addresses,
};
use aigen_types::{Address, Amount, Digest, Epoch, Slug, TransferId};

/// What a new key is for.
#[derive(Clone, Debug)]
pub struct KeyTerms {
    /// The account it spends from.
    pub account: Address,
    /// What it may do.
    pub role: Role,
    /// To whom its spending is attributed; to the account when absent.
    pub spender: Option<Address>,
    /// What it is limited to.
    pub limits: KeyLimits,
    /// What it may spend by itself: its spending is attributed to a part of `spender` that is its
    /// own, and that is bounded.
    pub budget: Option<Budget>,
}

impl KeyTerms {
    /// # Errors
    /// A budget without an address that has parts.
    fn spender_of(&self, name: &Slug) -> Result<Option<Address>, Refusal> {
        let above = self.spender.as_ref();
        match self.budget {
            None => Ok(above.cloned()),
            Some(_) => {
                let own = above.unwrap_or(&self.account).of_key(name);
                own.map(Some).ok_or(Refusal::SpenderInvalid)
            }
        }
    }
}

impl Node {
    /// Founds the network; the first thing a new journal records.
    ///
    /// # Errors
    /// When it is founded already.
    pub async fn found(&self, found: Found) -> Result<(), NodeError> {
        self.submit(Command::Found(found)).await.map(|_| ())
    }

    /// Adds a key without asking who asks: for the operator's own first key.
    ///
    /// # Errors
    /// When the name is taken.
    pub async fn add_key(&self, key: &IssuedKey) -> Result<(), NodeError> {
        self.submit(Command::CreateKey(key.record.clone()))
            .await
            .map(|_| ())
    }

    /// Puts a model that this node runs into the catalogue, or changes its price.
    ///
    /// # Errors
    /// When a rule says no.
    pub async fn publish_model(&self, model: NewModel) -> Result<(), NodeError> {
        self.submit(Command::PublishModel(model)).await.map(|_| ())
    }

    /// Money enters. Operators only. `chosen` makes a retry the same transfer; the answer is that
    /// transfer's id in the ledger, which is the caller's alone.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn issue(
        &self,
        caller: &Caller,
        chosen: TransferId,
        to: Address,
        amount: Amount,
    ) -> Result<TransferId, NodeError> {
        caller.must_operate()?;
        let id = caller.transfer_id(chosen);
        let issue = Issue { id, to, amount };
        self.submit(Command::Issue(issue)).await?;
        Ok(id)
    }

    /// The caller's account pays. `chosen` as in [`Node::issue`].
    ///
    /// # Errors
    /// When the key is not the account's own, or a rule says no.
    pub async fn pay(
        &self,
        caller: &Caller,
        chosen: TransferId,
        to: Address,
        amount: Amount,
    ) -> Result<TransferId, NodeError> {
        caller.must_be_the_accounts_own()?;
        let id = caller.transfer_id(chosen);
        let from = caller.account.clone();
        let pay = Pay {
            id,
            from,
            to,
            amount,
        };
        self.submit(Command::Pay(pay)).await?;
        Ok(id)
    }

    /// Gives out a key. Operators only.
    ///
    /// # Errors
    /// When the caller may not, the name is taken, or the terms are none.
    pub async fn create_key(
        &self,
        caller: &Caller,
        name: Slug,
        terms: KeyTerms,
    ) -> Result<IssuedKey, NodeError> {
        caller.must_operate()?;
        // What is refused later would leave a key that nobody has.
        terms.limits.check()?;
        terms.budget.as_ref().map_or(Ok(()), Budget::check)?;
        let spender = terms.spender_of(&name)?;
        let key = IssuedKey::draw(name.clone(), terms.account, terms.role).for_spender(spender);
        self.add_key(&key).await?;
        // Nobody knows the secret before it is limited and bounded.
        if terms.limits != KeyLimits::default() {
            self.limit_key(caller, name.clone(), terms.limits).await?;
        }
        if let (Some(budget), Some(spender)) = (terms.budget, &key.record.spender) {
            self.bound_spender(spender, Some(budget)).await?;
        }
        Ok(key)
    }

    /// What a key may spend by itself from now on; with `None` as much as what is above it.
    /// Operators only.
    ///
    /// # Errors
    /// When the caller may not, there is no such key or no such bound to take away, or the key
    /// spends for what others may spend for, too.
    pub async fn bound_key(
        &self,
        caller: &Caller,
        name: &Slug,
        budget: Option<Budget>,
    ) -> Result<(), NodeError> {
        caller.must_operate()?;
        let key = self.network().key(name).cloned();
        let key = key.ok_or(Refusal::KeyUnknown)?;
        if key.spender.above_key(name).is_none() {
            return Err(NodeError::KeyShares {
                key: name.clone(),
                account: key.account,
                spender: key.spender,
            });
        }
        self.bound_spender(&key.spender, budget).await
    }

    async fn bound_spender(
        &self,
        spender: &Address,
        budget: Option<Budget>,
    ) -> Result<(), NodeError> {
        let set = SetBudget {
            path: spender.into(),
            cap: budget.map(|budget| budget.cap),
            // Of no bound there is no period.
            period: budget.map_or(Period::Total, |budget| budget.period),
        };
        self.submit(Command::SetBudget(set)).await.map(|_| ())
    }

    /// What a key is limited to from now on. Operators only.
    ///
    /// # Errors
    /// When the caller may not, there is no such key, or a list is too long.
    pub async fn limit_key(
        &self,
        caller: &Caller,
        key: Slug,
        limits: KeyLimits,
    ) -> Result<(), NodeError> {
        caller.must_operate()?;
        let limit = LimitKey { key, limits };
        self.submit(Command::LimitKey(limit)).await.map(|_| ())
    }

    /// Ends a key. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or there is no such key.
    pub async fn revoke_key(&self, caller: &Caller, name: Slug) -> Result<(), NodeError> {
        caller.must_operate()?;
        self.submit(Command::RevokeKey(name)).await.map(|_| ())
    }

    /// Publishes a controller version, once it is shown to compile. Its owner's key or an
    /// operator's; unlisted ones are an operator's alone.
    ///
    /// # Errors
    /// When the caller may not, the source does not work, or the version exists with other contents.
    pub async fn publish_controller(
        &self,
        caller: &Caller,
        new: NewController,
    ) -> Result<Digest, NodeError> {
        caller.must_own(&addresses::developer(&new.reference.owner))?;
        if !new.listed {
            caller.must_operate()?;
        }
        must_be_a_line("the description", &new.description)?;
        let node = self.clone();
        let checked = tokio::task::spawn_blocking(move || {
            node.check_controller(&new)?;
            Ok::<_, NodeError>(new)
        });
        let new = checked.await.map_err(|_| NodeError::ShuttingDown)??;
        match self.submit(Command::PublishController(new)).await? {
            Reply::Published(digest) => Ok(digest),
            other => unreachable!("publishing answers with a digest, not {other:?}"),
        }
    }

    /// Publishes a signed release, once it is shown to work, and with it the component that it
    /// names, if it is one. Its owner's key or an operator's.
    ///
    /// # Errors
    /// When the caller may not, manifest or source do not work, or a rule says no.
    pub async fn publish_release(
        &self,
        caller: &Caller,
        new: NewRelease,
        component: Option<Vec<u8>>,
    ) -> Result<Digest, NodeError> {
        caller.must_own(&addresses::developer(&new.controller.reference.owner))?;
        if !new.controller.listed {
            caller.must_operate()?;
        }
        let node = self.clone();
        let checked = tokio::task::spawn_blocking(move || {
            node.check_release(&new, component.as_deref())?;
            Ok::<_, NodeError>(new)
        });
        let new = checked.await.map_err(|_| NodeError::ShuttingDown)??;
        match self.submit(Command::PublishRelease(new)).await? {
            Reply::Published(digest) => Ok(digest),
            other => unreachable!("publishing answers with a digest, not {other:?}"),
        }
    }

    /// Deprecates or yanks a version, or takes that back. Its owner's key or an operator's.
    ///
    /// # Errors
    /// When the caller may not, there is no such version, the reason is more than one line, or a
    /// deprecation would let calls begin with a yanked version again.
    pub async fn set_standing(&self, caller: &Caller, set: SetStanding) -> Result<(), NodeError> {
        caller.must_own(&addresses::developer(&set.reference.owner))?;
        must_be_a_line("the reason", &set.stated.reason)?;
        let known = {
            let network = self.network();
            let digest = network.controller_digest(&set.reference);
            digest.map(|digest| network.stated(digest).standing)
        };
        // Not a rule of the network: journals that hold such a command have to replay as they were.
        if (known, set.stated.standing) == (Some(Standing::Yanked), Standing::Deprecated) {
            return Err(NodeError::Steering(format!(
                "`{}` is yanked, and a deprecation would let calls begin with it again; hint: leave it \
                 yanked, or restore it first: aigen controller restore {0}",
                set.reference
            )));
        }
        self.submit(Command::SetStanding(set)).await.map(|_| ())
    }

    /// Puts a tag on a version, or takes it away. The owner's key or an operator's.
    ///
    /// # Errors
    /// When the caller may not, or there is no such version or tag.
    pub async fn tag_controller(
        &self,
        caller: &Caller,
        tag: TagController,
    ) -> Result<(), NodeError> {
        caller.must_own(&addresses::developer(&tag.key.controller.owner))?;
        self.submit(Command::TagController(tag)).await.map(|_| ())
    }

    /// Locks a validator's stake. Its own key or an operator's.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn register_validator(
        &self,
        caller: &Caller,
        validator: NewValidator,
    ) -> Result<(), NodeError> {
        caller.must_own(&addresses::validator(&validator.name))?;
        self.submit(Command::RegisterValidator(validator))
            .await
            .map(|_| ())
    }

    /// Assigns the epoch's cells and commits to the hidden truths. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn assign_epoch(
        &self,
        caller: &Caller,
        assign: AssignEpoch,
    ) -> Result<(), NodeError> {
        caller.must_operate()?;
        self.submit(Command::AssignEpoch(assign)).await.map(|_| ())
    }

    /// Commits to a validator's reports. Its own key.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn commit_scores(
        &self,
        caller: &Caller,
        commit: CommitScores,
    ) -> Result<(), NodeError> {
        caller.must_own(&addresses::validator(&commit.validator))?;
        self.submit(Command::CommitScores(commit)).await.map(|_| ())
    }

    /// Closes the commit window before everyone has committed. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or the window is not open.
    pub async fn freeze_commits(&self, caller: &Caller) -> Result<(), NodeError> {
        caller.must_operate()?;
        self.submit(Command::FreezeCommits).await.map(|_| ())
    }

    /// Opens a validator's commitment. Its own key.
    ///
    /// # Errors
    /// When the caller may not, or what is opened is not what was committed.
    pub async fn reveal_scores(
        &self,
        caller: &Caller,
        reveal: RevealScores,
    ) -> Result<(), NodeError> {
        caller.must_own(&addresses::validator(&reveal.validator))?;
        self.submit(Command::RevealScores(reveal)).await.map(|_| ())
    }

    /// Opens the hidden truths, settles the epoch and pays everyone. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn close_epoch(
        &self,
        caller: &Caller,
        close: CloseEpoch,
    ) -> Result<Epoch, NodeError> {
        caller.must_operate()?;
        let epoch = close.epoch;
        self.submit(Command::CloseEpoch(close)).await?;
        Ok(epoch)
    }

    /// Proposes rules of scoring, for a later epoch. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn propose_rules(
        &self,
        caller: &Caller,
        propose: ProposeRules,
    ) -> Result<(), NodeError> {
        caller.must_operate()?;
        self.submit(Command::ProposeRules(propose))
            .await
            .map(|_| ())
    }

    /// Locks more stake. The validator's own key or an operator's.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn add_stake(&self, caller: &Caller, more: MoveStake) -> Result<(), NodeError> {
        caller.must_own(&addresses::validator(&more.validator))?;
        self.submit(Command::AddStake(more)).await.map(|_| ())
    }

    /// Takes stake out. The validator's own key or an operator's.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn remove_stake(&self, caller: &Caller, less: MoveStake) -> Result<(), NodeError> {
        caller.must_own(&addresses::validator(&less.validator))?;
        self.submit(Command::RemoveStake(less)).await.map(|_| ())
    }

    /// Disputes a result, by a bond of the caller's account.
    ///
    /// # Errors
    /// When the key is not the account's own, or a rule says no.
    pub async fn appeal(&self, caller: &Caller, appeal: Appeal) -> Result<(), NodeError> {
        caller.must_be_the_accounts_own()?;
        self.submit(Command::Appeal(appeal)).await.map(|_| ())
    }

    /// Decides an appeal. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or there is no such appeal.
    pub async fn decide_appeal(
        &self,
        caller: &Caller,
        decide: DecideAppeal,
    ) -> Result<(), NodeError> {
        caller.must_operate()?;
        self.submit(Command::DecideAppeal(decide)).await.map(|_| ())
    }
}
