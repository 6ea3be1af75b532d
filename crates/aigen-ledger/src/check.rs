//! The laws of the ledger, checked the long way: by adding everything up again.

use crate::{
    Account, PendingStatus, Transfer, TransferFlags,
    limits::TRANSFER_AMOUNT_MAX,
    store::{Record, Store},
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

/// A law of the ledger that does not hold: a bug or a damaged state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// On this ledger, held or posted debits and credits differ.
    Unbalanced(u32),
    /// This account's counters are not the sums of its transfers.
    CountersDisagree(AccountId),
    /// This account's debits or credits exceed what its flags and limit allow.
    BeyondLimit(AccountId),
    /// This transfer's accounts are missing or on another ledger.
    AccountsMissing(TransferId),
    /// This transfer moves more than one transfer may.
    AmountAboveMax(TransferId),
    /// This capture or void does not fit its hold: it takes more, or the hold is not one, or comes later.
    ResolvesWrongly(TransferId),
    /// This hold's status is not what its capture, its void or the time says, or it ended twice.
    StatusDisagrees(TransferId),
    /// The expiry index does not list exactly the live holds with a timeout.
    ExpiriesDisagree,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbalanced(ledger) => write!(f, "ledger {ledger}: debits and credits differ"),
            Self::CountersDisagree(id) => {
                write!(
                    f,
                    "account {id}: counters are not the sums of its transfers"
                )
            }
            Self::BeyondLimit(id) => {
                write!(f, "account {id}: beyond what its flags and limit allow")
            }
            Self::AccountsMissing(id) => {
                write!(f, "transfer {id}: accounts missing or on another ledger")
            }
            Self::AmountAboveMax(id) => write!(f, "transfer {id}: amount above the maximum"),
            Self::ResolvesWrongly(id) => {
                write!(f, "transfer {id}: does not fit the hold that it ends")
            }
            Self::StatusDisagrees(id) => {
                write!(
                    f,
                    "hold {id}: status is not what its capture, void or timeout says"
                )
            }
            Self::ExpiriesDisagree => {
                f.write_str("the expiry index does not list exactly the live holds")
            }
        }
    }
}

impl core::error::Error for Violation {}

pub(crate) fn check(store: &Store) -> Result<(), Violation> {
    let resolutions = resolutions(store)?;
    check_holds(store, &resolutions)?;
    let sums = sums(store)?;
    check_counters(store, &sums)?;
    check_balanced(store)
}

/// How each hold ended by a transfer: its status, and what was captured of it.
type Resolutions = BTreeMap<TransferId, PendingStatus>;

fn resolutions(store: &Store) -> Result<Resolutions, Violation> {
    let mut seen = BTreeMap::new();
    let mut resolutions = BTreeMap::new();
    for Record { transfer, .. } in store.records() {
        if transfer.flags.intersects(TransferFlags::RESOLVING) {
            let hold: Option<&&Transfer> = seen.get(&transfer.pending_id);
            let status = hold.and_then(|hold| resolution(transfer, hold));
            let status = status.ok_or(Violation::ResolvesWrongly(transfer.id))?;
            if resolutions.insert(transfer.pending_id, status).is_some() {
                return Err(Violation::StatusDisagrees(transfer.pending_id));
            }
        }
        seen.insert(transfer.id, transfer);
    }
    Ok(resolutions)
}

/// What `transfer` makes of `hold`, if it fits.
fn resolution(transfer: &Transfer, hold: &Transfer) -> Option<PendingStatus> {
    let parties = |transfer: &Transfer| (transfer.debit_account_id, transfer.credit_account_id);
    let in_time = hold
        .expires_at()
        .is_none_or(|expires_at| transfer.timestamp < expires_at);
    if !hold.is_hold()
        || !in_time
        || parties(transfer) != parties(hold)
        || transfer.ledger != hold.ledger
    {
        return None;
    }
    let is_capture = transfer
        .flags
        .contains(TransferFlags::POST_PENDING_TRANSFER);
    if is_capture && transfer.amount <= hold.amount {
        Some(PendingStatus::Posted)
    } else if !is_capture && transfer.amount == hold.amount {
        Some(PendingStatus::Voided)
    } else {
        None
    }
}

fn check_holds(store: &Store, resolutions: &Resolutions) -> Result<(), Violation> {
    let mut expiries: BTreeSet<(Timestamp, TransferId)> = BTreeSet::new();
    for Record { transfer, pending } in store.records() {
        let due = transfer
            .expires_at()
            .filter(|expires_at| *expires_at <= store.now());
        let by_time = if due.is_some() {
            PendingStatus::Expired
        } else {
            PendingStatus::Pending
        };
        let status = resolutions.get(&transfer.id).copied().unwrap_or(by_time);
        if *pending != transfer.is_hold().then_some(status) {
            return Err(Violation::StatusDisagrees(transfer.id));
        }
        if *pending == Some(PendingStatus::Pending) {
            expiries.extend(
                transfer
                    .expires_at()
                    .map(|expires_at| (expires_at, transfer.id)),
            );
        }
    }
    if expiries == *store.expiries() {
        Ok(())
    } else {
        Err(Violation::ExpiriesDisagree)
    }
}

/// The four counters of an account: debits pending and posted, credits pending and posted.
type Sums = BTreeMap<AccountId, [Amount; 4]>;

fn sums(store: &Store) -> Result<Sums, Violation> {
    let mut sums = Sums::new();
    for Record { transfer, pending } in store.records() {
        if transfer.amount > TRANSFER_AMOUNT_MAX {
            return Err(Violation::AmountAboveMax(transfer.id));
        }
        let parties = [transfer.debit_account_id, transfer.credit_account_id];
        for (side, id) in parties.into_iter().enumerate() {
            let slot = store
                .find_account(id)
                .map(|slot| store.account(slot).ledger);
            if slot != Some(transfer.ledger) {
                return Err(Violation::AccountsMissing(transfer.id));
            }
            add(sums.entry(id).or_default(), side, transfer, *pending);
        }
    }
    Ok(sums)
}

fn add(
    counters: &mut [Amount; 4],
    side: usize,
    transfer: &Transfer,
    pending: Option<PendingStatus>,
) {
    let [
        debits_pending,
        debits_posted,
        credits_pending,
        credits_posted,
    ] = counters;
    let (held, posted) = if side == 0 {
        (debits_pending, debits_posted)
    } else {
        (credits_pending, credits_posted)
    };
    let is_void = transfer
        .flags
        .contains(TransferFlags::VOID_PENDING_TRANSFER);
    match pending {
        Some(PendingStatus::Pending) => *held = held.saturating_add(transfer.amount),
        None if !is_void => *posted = posted.saturating_add(transfer.amount),
        _ => {}
    }
}

fn check_counters(store: &Store, sums: &Sums) -> Result<(), Violation> {
    for account in store.accounts() {
        if counters(account) != sums.get(&account.id).copied().unwrap_or_default() {
            return Err(Violation::CountersDisagree(account.id));
        }
        if account.exceeds_credits() || account.exceeds_debits() {
            return Err(Violation::BeyondLimit(account.id));
        }
    }
    Ok(())
}

fn counters(account: &Account) -> [Amount; 4] {
    [
        account.debits_pending,
        account.debits_posted,
        account.credits_pending,
        account.credits_posted,
    ]
}

fn check_balanced(store: &Store) -> Result<(), Violation> {
    let mut ledgers: BTreeMap<u32, [Amount; 4]> = BTreeMap::new();
    for account in store.accounts() {
        let totals = ledgers.entry(account.ledger).or_default();
        for (total, counter) in totals.iter_mut().zip(counters(account)) {
            *total = total.saturating_add(counter);
        }
    }
    let unbalanced = ledgers.iter().find(
        |(
            _,
            [
                debits_pending,
                debits_posted,
                credits_pending,
                credits_posted,
            ],
        )| { debits_pending != credits_pending || debits_posted != credits_posted },
    );
    unbalanced.map_or(Ok(()), |(ledger, _)| Err(Violation::Unbalanced(*ledger)))
}
