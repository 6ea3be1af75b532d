//! What must hold of ledger and registry together, checked the long way.

use crate::budgets::{Cap, LEDGER_CAPS};
use crate::calls::{Call, Hold};
use crate::corrections::{Bought, Paid};
use crate::network::Network;
use crate::usage::UsageIndex;
use aigen_ledger::{PendingStatus, Violation};
use aigen_types::{AccountId, Amount, CallId};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;

/// A law of the network that does not hold: a bug or a damaged state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsound {
    /// One of the ledger's own.
    Ledger(Violation),
    /// A cap's account says that another amount was spent than the receipts of its period say.
    CapSpent(Box<Cap>),
    /// A cap's account has another amount reserved than the running calls hold.
    CapHeld(Box<Cap>),
    /// An account counts against a cap that no call knows.
    CapUnknown(AccountId),
    /// What is said of usage is not what the receipts say.
    UsageIndex,
    /// Calls within a call came to more than its bound together with it.
    BoundExceeded(CallId),
    /// More was refunded than charged, or refunded and reversed.
    GivenBackTwice(CallId),
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(violation) => violation.fmt(f),
            Self::CapSpent(cap) => write!(
                f,
                "{}: the cap and the receipts disagree on what was spent",
                cap.of
            ),
            Self::CapHeld(cap) => write!(
                f,
                "{}: the cap and the running calls disagree on what is held",
                cap.of
            ),
            Self::CapUnknown(id) => write!(
                f,
                "{id}: the account counts against a cap that no call knows"
            ),
            Self::UsageIndex => f.write_str("the usage index and the receipts disagree"),
            Self::BoundExceeded(call) => {
                write!(
                    f,
                    "{call}: with the calls within it, it came to more than its bound"
                )
            }
            Self::GivenBackTwice(call) => {
                write!(f, "{call}: more of the call was given back than it cost")
            }
        }
    }
}

impl core::error::Error for Unsound {}

/// What calls say of one cap.
#[derive(Default)]
struct Use {
    spent: Amount,
    held: Amount,
}

impl Network {
    /// Every invariant that ties ledger and registry together. Takes time in proportion to the
    /// whole history.
    ///
    /// # Errors
    /// The first one that does not hold.
    pub fn check(&self) -> Result<(), Unsound> {
        self.ledger.check().map_err(Unsound::Ledger)?;
        self.check_corrections()?;
        self.check_caps()?;
        self.check_usage_index()?;
        match self.beyond_its_bound() {
            Some(call) => Err(Unsound::BoundExceeded(call)),
            None => Ok(()),
        }
    }

    fn check_usage_index(&self) -> Result<(), Unsound> {
        let reads = self.indexed_reads() == self.read_index;
        let sums = UsageIndex::of(&self.receipts) == self.usage && reads;
        match sums && self.receipts.are_listed() {
            true => Ok(()),
            false => Err(Unsound::UsageIndex),
        }
    }

    fn check_corrections(&self) -> Result<(), Unsound> {
        let twice = |paid: &Paid<'_>| {
            let refunded = paid.refunded();
            let reversed = paid.reversal.is_some() && !refunded.is_zero();
            reversed || refunded > paid.total
        };
        match self.all_bought().find(|(_, bought)| twice(&bought.paid())) {
            Some((call, _)) => Err(Unsound::GivenBackTwice(call)),
            None => Ok(()),
        }
    }

    fn all_bought(&self) -> impl Iterator<Item = (CallId, Bought<'_>)> {
        let calls = self.receipts.in_order();
        let calls = calls.map(|(id, receipt)| (id, Bought::Call(receipt)));
        let reads = self.read_receipts();
        calls.chain(reads.map(|(id, read)| (id, Bought::Read(read))))
    }

    fn check_caps(&self) -> Result<(), Unsound> {
        let uses = self.uses();
        for (cap, used) in &uses {
            let state = self.cap_state(cap);
            if state.spent != used.spent {
                return Err(Unsound::CapSpent(Box::new(cap.clone())));
            }
            if state.held != used.held {
                return Err(Unsound::CapHeld(Box::new(cap.clone())));
            }
        }
        self.check_no_other_caps(&uses)
    }

    /// What receipts and running calls say was spent and is held of every cap.
    fn uses(&self) -> BTreeMap<Cap, Use> {
        let mut uses: BTreeMap<Cap, Use> = BTreeMap::new();
        for (_, bought) in self.all_bought() {
            let paid = bought.paid();
            for cap in paid.caps {
                let used = uses.entry(cap.clone()).or_default();
                if paid.reversal.is_none() {
                    used.spent = used.spent.saturating_add(paid.total);
                }
            }
        }
        for (_, call) in self.calls() {
            for cap in &call.caps {
                let used = uses.entry(cap.clone()).or_default();
                used.held = used.held.saturating_add(self.live(call));
            }
        }
        uses
    }

    fn live(&self, call: &Call) -> Amount {
        let is_live =
            |hold: &&Hold| self.ledger.pending(hold.transfer) == Some(PendingStatus::Pending);
        call.holds
            .iter()
            .filter(is_live)
            .map(|hold| hold.amount)
            .sum()
    }

    fn check_no_other_caps(&self, uses: &BTreeMap<Cap, Use>) -> Result<(), Unsound> {
        let known: alloc::collections::BTreeSet<AccountId> = uses
            .keys()
            .flat_map(|cap| [cap.account(), cap.spent_account()])
            .chain([crate::budgets::source().id])
            .collect();
        let accounts = self.ledger.accounts();
        let mut units = accounts.filter(|account| account.ledger == LEDGER_CAPS);
        match units.find(|account| !known.contains(&account.id)) {
            Some(account) => Err(Unsound::CapUnknown(account.id)),
            None => Ok(()),
        }
    }
}
