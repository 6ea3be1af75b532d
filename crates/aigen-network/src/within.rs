//! Calls that a running call makes: its controller asks another model. They are calls like any
//! other, with holds and receipts of their own; whoever pays for the one pays for them, and its
//! bound is a bound of all of them together.

use crate::calls::Call;
use crate::command::{OpenCall, OpenSubCall};
use crate::network::{Network, Reply};
use crate::refusal::Refusal;
use aigen_types::{Amount, CallId, Timestamp};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Which call was made within which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Within {
    parents: BTreeMap<CallId, CallId>,
    children: BTreeMap<CallId, Vec<CallId>>,
}

impl Within {
    /// Parents by the calls within them.
    #[must_use]
    pub fn parents(&self) -> &BTreeMap<CallId, CallId> {
        &self.parents
    }

    fn insert(&mut self, child: CallId, parent: CallId) {
        self.parents.insert(child, parent);
        let children = self.children.entry(parent).or_default();
        // In the order of their numbers, so that a snapshot need not know when they began.
        let at = children.partition_point(|known| *known < child);
        children.insert(at, child);
    }

    /// The call and all that were made within it, or beside it within another.
    fn family(&self, call: CallId) -> impl Iterator<Item = CallId> {
        let root = self.parents.get(&call).copied().unwrap_or(call);
        let children = self.children.get(&root).into_iter().flatten();
        core::iter::once(root).chain(children.copied())
    }
}

impl From<BTreeMap<CallId, CallId>> for Within {
    fn from(parents: BTreeMap<CallId, CallId>) -> Self {
        let mut within = Self::default();
        for (child, parent) in parents {
            within.insert(child, parent);
        }
        within
    }
}

impl Network {
    pub(crate) fn open_sub_call(
        &mut self,
        now: Timestamp,
        sub: &OpenSubCall,
    ) -> Result<Reply, Refusal> {
        let OpenSubCall { parent, open } = sub;
        self.refuse_known_call(open)?;
        let above = self.open(*parent)?;
        let call = self.new_call(now, open)?;
        let same = (&call.key, &call.payer, &call.spender, &call.app)
            == (&above.key, &above.payer, &above.spender, &above.app);
        if !same || self.within.parents.contains_key(parent) {
            return Err(Refusal::SubCallInvalid);
        }
        let left = self.left_of(above.budget, *parent, open.call);
        let open = OpenCall {
            budget: lower(open.budget, left),
            ..open.clone()
        };
        let reply = self.open_call(now, &open)?;
        self.within.insert(open.call, *parent);
        Ok(reply)
    }

    /// What the call may come to as a whole, where its caller set a bound: calls made within it,
    /// or beside it within another, take from the same.
    pub(crate) fn bound_of(&self, id: CallId, call: &Call) -> Option<Amount> {
        match self.within.parents.get(&id) {
            None => self.left_of(call.budget, id, id),
            Some(parent) => {
                let above = self.bound_set_for(*parent).flatten();
                lower(call.budget, self.left_of(above, *parent, id))
            }
        }
    }

    /// What a bound leaves to one of a family.
    fn left_of(&self, budget: Option<Amount>, family: CallId, id: CallId) -> Option<Amount> {
        let others = self.within.family(family).filter(|other| *other != id);
        let spent = others.map(|other| self.spent_by(other)).sum();
        budget.map(|budget| budget.saturating_sub(spent))
    }

    /// What a call holds, or what it cost.
    fn spent_by(&self, id: CallId) -> Amount {
        let cost = || Some(self.receipts.get(id)?.total());
        let held = self.calls.get(&id).map(Call::held);
        held.or_else(cost).unwrap_or_default()
    }

    /// The bound that the caller of a call set, running or ended; `None` where nobody knows the call.
    fn bound_set_for(&self, id: CallId) -> Option<Option<Amount>> {
        let ended = || Some(self.receipts.get(id)?.call.budget);
        let running = self.calls.get(&id).map(|call| call.budget);
        running.or_else(ended)
    }

    /// The calls that were made within this one.
    pub fn sub_calls(&self, call: CallId) -> impl Iterator<Item = CallId> {
        let children = self.within.children.get(&call);
        children.into_iter().flatten().copied()
    }

    /// The call that this one was made within.
    #[must_use]
    pub fn parent_of(&self, call: CallId) -> Option<CallId> {
        self.within.parents.get(&call).copied()
    }

    /// Which call was made within which.
    #[must_use]
    pub fn within(&self) -> &Within {
        &self.within
    }

    /// A family that came to more than its bound, or whose parent nobody knows.
    pub(crate) fn beyond_its_bound(&self) -> Option<CallId> {
        let mut parents = self.within.children.keys().copied();
        parents.find(|parent| {
            let spent: Amount = self
                .within
                .family(*parent)
                .map(|id| self.spent_by(id))
                .sum();
            self.bound_set_for(*parent)
                .is_none_or(|bound| bound.is_some_and(|budget| spent > budget))
        })
    }
}

fn lower(one: Option<Amount>, other: Option<Amount>) -> Option<Amount> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
