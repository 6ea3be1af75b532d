//! Budgets: what an address and everything below it may spend in a period.
//!
//! A cap is an account of its own, on a second ledger that counts what may still be spent. A
//! call's hold takes from it in the same chain as from the payer, so that no counter beside the
//! ledger ever decides what a call may cost.

use crate::accounts::first_u128;
use crate::calendar::{Period, Window};
use crate::command::SetBudget;
use crate::network::{Network, Reply};
use crate::posting::Chain;
use crate::refusal::Refusal;
use aigen_ledger::{Account, AccountFlags, AccountRequest, TRANSFER_AMOUNT_MAX};
use aigen_types::{AccountId, Address, Amount, BudgetPath, Timestamp};
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

/// The ledger that counts what budgets and allowances still permit; nothing on it is money.
pub const LEDGER_CAPS: u32 = 2;

/// The `code` of accounts on [`LEDGER_CAPS`]: what may still be spent.
const CODE_CAP: u16 = 50;
/// What was spent.
const CODE_SPENT: u16 = 51;
/// Where caps come from.
const CODE_SOURCE: u16 = 52;

/// What may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// At most this.
    pub cap: Amount,
    /// Per period.
    pub period: Period,
}

impl Budget {
    /// # Errors
    /// A cap that could not be moved at once.
    pub fn check(&self) -> Result<(), Refusal> {
        check_cap(self.cap)
    }
}

/// What a cap bounds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capped {
    /// The spending of an address and of everything below it.
    Path(Address),
    /// What a user lets an app spend.
    Allowance {
        /// Who pays.
        user: Address,
        /// Who spends.
        app: Address,
    },
}

/// Its path, or who allows whom.
impl fmt::Display for Capped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Allowance { user, app } => write!(f, "{user} -> {app}"),
        }
    }
}

/// A cap in one period: what a call is charged to, from its first hold to its last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cap {
    /// What it bounds.
    pub of: Capped,
    /// In which period.
    pub window: Window,
}

impl Cap {
    /// The ledger account of what may still be spent.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.id(b"aigen/cap/v1/")
    }

    /// The ledger account of what was spent.
    #[must_use]
    pub fn spent_account(&self) -> AccountId {
        self.id(b"aigen/spent/v1/")
    }

    fn id(&self, domain: &[u8]) -> AccountId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(domain);
        hasher.update(self.of.to_string().as_bytes());
        hasher.update(&[0]);
        hasher.update(self.window.period.as_str().as_bytes());
        hasher.update(&self.window.first_day.to_le_bytes());
        AccountId(first_u128(hasher.finalize()))
    }

    pub(crate) fn may_spend(&self) -> AccountRequest {
        AccountRequest {
            flags: AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            ..unit_account(self.account(), CODE_CAP)
        }
    }

    pub(crate) fn was_spent(&self) -> AccountRequest {
        AccountRequest {
            flags: AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            ..unit_account(self.spent_account(), CODE_SPENT)
        }
    }
}

/// Where caps come from and where what is taken off them returns to.
pub(crate) fn source() -> AccountRequest {
    let id = first_u128(blake3::hash(b"aigen/caps/v1/source"));
    unit_account(AccountId(id), CODE_SOURCE)
}

fn unit_account(id: AccountId, code: u16) -> AccountRequest {
    AccountRequest {
        id,
        ledger: LEDGER_CAPS,
        code,
        ..AccountRequest::default()
    }
}

/// How much of a cap is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapState {
    /// What may be spent in the period.
    pub cap: Amount,
    /// What was, after reversals.
    pub spent: Amount,
    /// What running calls have reserved of it.
    pub held: Amount,
}

impl CapState {
    /// What is left: nothing also where the cap was lowered below what is spent.
    #[must_use]
    pub fn available(&self) -> Amount {
        self.cap
            .saturating_sub(self.spent)
            .saturating_sub(self.held)
    }
}

impl Network {
    pub(crate) fn set_budget(&mut self, set: &SetBudget) -> Result<Reply, Refusal> {
        let Some(cap) = set.cap else {
            let known = self.budgets.remove(&set.path);
            return known.map(|_| Reply::Done).ok_or(Refusal::BudgetUnknown);
        };
        let budget = Budget {
            cap,
            period: set.period,
        };
        budget.check()?;
        self.budgets.insert(set.path.clone(), budget);
        Ok(Reply::Done)
    }

    /// The budget that bounds an address itself: its own, or the one that each end user has.
    #[must_use]
    pub fn budget_of(&self, path: &Address) -> Option<&Budget> {
        let own = self.budgets.get(&BudgetPath::from(path));
        own.or_else(|| self.budgets.get(&path.as_each_user()?))
    }

    /// Every cap of a call that begins now: of the budgets on the way to its spender and to its
    /// payer, and of the allowance that it spends.
    pub(crate) fn caps_at(
        &self,
        now: Timestamp,
        spender: &Address,
        payer: &Address,
        app: Option<&Address>,
    ) -> Vec<Cap> {
        if self.budgets.is_empty() && app.is_none() {
            return Vec::new();
        }
        let mut way = spender.way();
        way.extend(payer.way());
        // Nobody gets a second bound by asking through a key that has one.
        way.extend(spender.through_any_key());
        way.sort();
        way.dedup();
        let allowance = app.map(|app| Capped::Allowance {
            user: payer.clone(),
            app: app.clone(),
        });
        let capped = way.into_iter().map(Capped::Path).chain(allowance);
        capped.filter_map(|of| self.cap_at(now, of)).collect()
    }

    /// The cap that holds now; `None` without a budget or allowance.
    #[must_use]
    pub fn cap_at(&self, now: Timestamp, of: Capped) -> Option<Cap> {
        let budget = self.terms(&of)?;
        let window = budget.period.window(now);
        Some(Cap { of, window })
    }

    fn terms(&self, of: &Capped) -> Option<Budget> {
        match of {
            Capped::Path(path) => self.budget_of(path).copied(),
            Capped::Allowance { user, app } => self.allowance(user, app).map(|known| Budget {
                cap: known.cap,
                period: known.period,
            }),
        }
    }

    /// How much of a cap is used. One whose budget was removed since stays as it was funded.
    #[must_use]
    pub fn cap_state(&self, cap: &Cap) -> CapState {
        let spent = self.spent(cap);
        CapState {
            cap: self.wanted(cap).unwrap_or_else(|| self.funded(cap)),
            spent,
            held: self
                .units(cap.account())
                .map_or(Amount::ZERO, |account| account.debits_pending),
        }
    }

    /// What the cap should be by the budget of today, if that still has such periods.
    fn wanted(&self, cap: &Cap) -> Option<Amount> {
        let terms = self.terms(&cap.of)?;
        (terms.period == cap.window.period).then_some(terms.cap)
    }

    fn spent(&self, cap: &Cap) -> Amount {
        let spent = self.units(cap.spent_account());
        spent.map_or(Amount::ZERO, net)
    }

    /// What the cap's account was given so far, spent or not.
    fn funded(&self, cap: &Cap) -> Amount {
        let left = self.units(cap.account()).map_or(Amount::ZERO, net);
        left.saturating_add(self.spent(cap))
    }

    fn units(&self, id: AccountId) -> Option<&Account> {
        self.ledger.account(id)
    }

    /// Brings a cap's account to what the budget of today says: the first hold of a period finds
    /// it empty, a later one after the cap was changed too high or too low. Lowering takes at most
    /// what is neither spent nor held; the next hold takes the rest.
    pub(crate) fn true_up(&self, chain: &mut Chain, cap: &Cap) {
        let Some(wanted) = self.wanted(cap) else {
            return;
        };
        let funded = self.funded(cap);
        let left = self
            .units(cap.account())
            .map_or(Amount::ZERO, Account::available);
        let (more, less) = (wanted.saturating_sub(funded), funded.saturating_sub(wanted));
        chain.units(source(), cap.may_spend(), more);
        chain.units(cap.may_spend(), source(), less.min(left));
    }

    /// Budgets and the paths they bound, in the order of paths.
    pub fn budgets(&self) -> impl Iterator<Item = (&BudgetPath, &Budget)> {
        self.budgets.iter()
    }
}

/// Posted credits less posted debits of an account that never owes.
fn net(account: &Account) -> Amount {
    account.credits_posted.saturating_sub(account.debits_posted)
}

/// A cap moves by one transfer.
pub(crate) fn check_cap(cap: Amount) -> Result<(), Refusal> {
    if cap > TRANSFER_AMOUNT_MAX {
        Err(Refusal::AmountTooLarge)
    } else {
        Ok(())
    }
}

/// Something that bounds what a call may hold beyond what it has.
pub(crate) struct Bound<'a> {
    /// The cap, or `None` for the payer's own money.
    pub cap: Option<&'a Cap>,
    /// What it leaves.
    pub available: Amount,
    /// What running calls, this one included, have reserved of it.
    pub held: Amount,
    /// What it would leave, had they released everything.
    pub released: Amount,
}

impl Bound<'_> {
    /// The refusal of a call that needs more; it says whether running calls are the cause.
    fn refusal(&self, needed: Amount) -> Refusal {
        let (available, held) = (self.available, self.held);
        let cap = self.cap.map(|cap| alloc::boxed::Box::new(cap.clone()));
        match cap {
            cap if self.released >= needed => Refusal::InFlight {
                cap,
                available,
                held,
                needed,
            },
            None => Refusal::InsufficientFunds { available, needed },
            Some(cap) => Refusal::BudgetExhausted {
                cap,
                available,
                needed,
            },
        }
    }
}

impl Network {
    /// The payer's money first, then every cap.
    pub(crate) fn bounds<'a>(&self, payer: &Address, caps: &'a [Cap]) -> Vec<Bound<'a>> {
        let account = self.account(payer);
        let available = account.map_or(Amount::ZERO, Account::available);
        let held = account.map_or(Amount::ZERO, |account| account.debits_pending);
        let money = Bound {
            cap: None,
            available,
            held,
            released: available.saturating_add(held),
        };
        let caps = caps.iter().map(|cap| {
            let state = self.cap_state(cap);
            Bound {
                cap: Some(cap),
                available: state.available(),
                held: state.held,
                // Not what is held and available: a cap may have been lowered below its holds.
                released: state.cap.saturating_sub(state.spent),
            }
        });
        [money].into_iter().chain(caps).collect()
    }
}

/// The least that any bound leaves.
pub(crate) fn least_of(bounds: &[Bound<'_>]) -> Amount {
    let available = bounds.iter().map(|bound| bound.available);
    available.min().unwrap_or(Amount::ZERO)
}

/// # Errors
/// The first bound that leaves less than `needed`: one that no running call could help before
/// one that has only to be waited for.
pub(crate) fn must_leave(bounds: &[Bound<'_>], needed: Amount) -> Result<(), Refusal> {
    let short = || bounds.iter().filter(|bound| bound.available < needed);
    let final_one = short().find(|bound| bound.released < needed);
    match final_one.or_else(|| short().next()) {
        Some(bound) => Err(bound.refusal(needed)),
        None => Ok(()),
    }
}
