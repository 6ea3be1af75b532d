//! Who may spend how much of whose money, and giving it back.

use crate::auth::Caller;
use crate::error::NodeError;
use crate::node::Node;
use aigen_network::{
    Command, GrantAllowance, RefundCall, Reply, ReverseCall, RevokeAllowance, Role, SetBudget,
};
use aigen_types::{Address, Amount, BudgetPath};

impl Caller {
    /// Whether it may bound the spending of a path: an operator's any, another's what is below its
    /// spender, and a user's or an organisation's own key that one itself, being its owner. An app,
    /// a team or an end user has somebody above who may have bounded it: its key neither raises nor
    /// lifts its own bound. What is asked is only who is above whom, and never who set a bound.
    #[must_use]
    pub fn may_bound(&self, path: &BudgetPath) -> bool {
        let address = path.address();
        let below = path.is_each_user() || address != self.spender;
        self.role == Role::Operator
            || address.is_within(&self.spender) && (below || self.owns_itself())
    }

    /// Whether nobody but the operator is above its spender.
    fn owns_itself(&self) -> bool {
        let root = self.spender == self.account && self.account.way().len() == 1;
        let words = self.account.as_str().split(':');
        root && words.take(1).all(|kind| ["org", "user"].contains(&kind))
    }

    /// Whether it may see a budget: those it may set, and those that bound it.
    #[must_use]
    pub fn may_see_budget(&self, path: &BudgetPath) -> bool {
        let address = path.address();
        self.may_bound(path)
            || address.is_within(&self.spender)
            || !path.is_each_user() && self.spender.is_within(&address)
    }

    /// Whether the spending of an address is its own or that of a part of it.
    #[must_use]
    pub fn may_see_spender(&self, spender: &Address) -> bool {
        self.role == Role::Operator || spender.is_within(&self.spender)
    }
}

impl Node {
    /// Bounds what an address and everything below it may spend, or takes the bound away.
    ///
    /// # Errors
    /// When the caller may not, or there is no bound to take away.
    pub async fn set_budget(&self, caller: &Caller, set: SetBudget) -> Result<(), NodeError> {
        if !caller.may_bound(&set.path) {
            let why = "it bounds what is below its spender, and itself only where that is a user or an organisation";
            return Err(NodeError::Forbidden(why));
        }
        self.submit(Command::SetBudget(set)).await.map(|_| ())
    }

    /// Lets an app spend of the caller's money. The user's own key or an operator's.
    ///
    /// # Errors
    /// When the caller may not, or a rule says no.
    pub async fn grant_allowance(
        &self,
        caller: &Caller,
        grant: GrantAllowance,
    ) -> Result<(), NodeError> {
        caller.must_own(&grant.user)?;
        caller.must_be_the_accounts_own()?;
        self.submit(Command::GrantAllowance(grant))
            .await
            .map(|_| ())
    }

    /// Ends that. Running calls keep what they hold and get no more. The user's own key, the
    /// app's or an operator's.
    ///
    /// # Errors
    /// When the caller may not, or there is no such allowance.
    pub async fn revoke_allowance(
        &self,
        caller: &Caller,
        revoke: RevokeAllowance,
    ) -> Result<(), NodeError> {
        if caller.account != revoke.app {
            caller.must_own(&revoke.user)?;
        }
        caller.must_be_the_accounts_own()?;
        self.submit(Command::RevokeAllowance(revoke))
            .await
            .map(|_| ())
    }

    /// Undoes a call of the running epoch: everyone who was paid for it pays back. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or the call cannot be undone.
    pub async fn reverse(
        &self,
        caller: &Caller,
        reverse: ReverseCall,
    ) -> Result<Amount, NodeError> {
        caller.must_operate()?;
        self.give_back(Command::ReverseCall(reverse)).await
    }

    /// Pays a call back from the treasury, in part or as a whole. Operators only.
    ///
    /// # Errors
    /// When the caller may not, the treasury is short, or more would be given back than charged.
    pub async fn refund(&self, caller: &Caller, refund: RefundCall) -> Result<Amount, NodeError> {
        caller.must_operate()?;
        self.give_back(Command::RefundCall(refund)).await
    }

    async fn give_back(&self, command: Command) -> Result<Amount, NodeError> {
        match self.submit(command).await? {
            Reply::GivenBack(amount) => Ok(amount),
            other => unreachable!("giving back answers with an amount, not {other:?}"),
        }
    }
}
