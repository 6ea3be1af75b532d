//! The laws of the ledger, checked the long way: by adding everything up again.

use crate::{
    Account, PendingStatus, Transfer, TransferFlags,
    limits::TRANSFER_AMOUNT_MAX,
    store::{Record, Store},
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

macro_rules! violations {
    ($($variant:ident($subject:ty) $sentence:literal;)*) => {
        /// A law of the ledger that does not hold: a bug or a damaged state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Violation {
            $(#[doc = $sentence] $variant($subject),)*
        }

        impl fmt::Display for Violation {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(subject) => write!(f, "{subject}: {}", $sentence),)*
                }
            }
        }
    };
}

violations! {
    AccountIdTaken(AccountId) "two accounts have this id";
    TransferIdTaken(TransferId) "two transfers have this id, or it is burnt twice, or both";
    OutOfOrder(TransferId) "the transfer is older than the one before it, or newer than the ledger";
    AccountsMissing(TransferId) "an account of the transfer is missing or on another ledger";
    AmountAboveMax(TransferId) "the transfer moves more than one transfer may";
    ResolvesWrongly(TransferId) "the capture or void does not fit its hold, or comes too late";
    StatusDisagrees(TransferId) "the hold's status is not what its capture, void or timeout says";
    ExpiryDisagrees(TransferId) "the hold is live and not watched for expiry, or the other way round";
    CountersDisagree(AccountId) "the account's counters are not the sums of its transfers";
    BeyondLimit(AccountId) "the account is beyond what its flags and limit allow";
    OpenDisagrees(AccountId) "the account is open under a live closing hold";
    Unbalanced(u32) "the debits and credits of the ledger differ";
}

impl core::error::Error for Violation {}

pub(crate) fn check(store: &Store) -> Result<(), Violation> {
    check_order(store)?;
    let resolutions = resolutions(store)?;
    check_holds(store, &resolutions)?;
    let sums = sums(store)?;
    check_accounts(store, &sums)?;
    check_balanced(store)
}

fn check_order(store: &Store) -> Result<(), Violation> {
    let mut burnt = BTreeSet::new();
    let mut latest = Timestamp(0);
    if let Some(id) = store.burnt().iter().find(|id| !burnt.insert(**id)) {
        return Err(Violation::TransferIdTaken(*id));
    }
    for slot in store.slots() {
        let Record { transfer, .. } = store.record(slot);
        // Of two of one id only one is found.
        let found = store.find_record(transfer.id).map(|(found, _)| found);
        if found != Some(slot) || burnt.contains(&transfer.id) {
            return Err(Violation::TransferIdTaken(transfer.id));
        }
        if transfer.timestamp < latest || transfer.timestamp > store.now() {
            return Err(Violation::OutOfOrder(transfer.id));
        }
        latest = transfer.timestamp;
    }
    Ok(())
}

/// How each hold ended that did not end by time, by the place of its transfer: a byte for each.
type Resolutions = Vec<Option<PendingStatus>>;

fn resolutions(store: &Store) -> Result<Resolutions, Violation> {
    let mut resolutions = alloc::vec![None; store.record_count()];
    for slot in store.slots() {
        let transfer = &store.record(slot).transfer;
        if transfer.flags.intersects(TransferFlags::RESOLVING) {
            let wrong = Violation::ResolvesWrongly(transfer.id);
            let hold = store.find_record(transfer.pending_id);
            let (hold_slot, hold) = hold.filter(|(hold, _)| *hold < slot).ok_or(wrong)?;
            let status = resolution(transfer, &hold.transfer).ok_or(wrong)?;
            let resolved = &mut resolutions[hold_slot.place()];
            if resolved.replace(status).is_some() {
                return Err(wrong);
            }
        }
    }
    Ok(resolutions)
}

/// What `transfer` makes of `hold`, if it fits.
fn resolution(transfer: &Transfer, hold: &Transfer) -> Option<PendingStatus> {
    let terms = |t: &Transfer| (t.debit_account_id, t.credit_account_id, t.ledger, t.code);
    let is_late = hold
        .expires_at()
        .is_some_and(|expires_at| expires_at <= transfer.timestamp);
    if !hold.is_hold() || is_late || terms(transfer) != terms(hold) {
        return None;
    }
    if transfer
        .flags
        .contains(TransferFlags::POST_PENDING_TRANSFER)
    {
        (transfer.amount <= hold.amount).then_some(PendingStatus::Posted)
    } else {
        (transfer.amount == hold.amount).then_some(PendingStatus::Voided)
    }
}

fn check_holds(store: &Store, resolutions: &Resolutions) -> Result<(), Violation> {
    let mut live = BTreeSet::new();
    for slot in store.slots() {
        let Record {
            transfer, pending, ..
        } = store.record(slot);
        let is_due = transfer
            .expires_at()
            .is_some_and(|expires_at| expires_at <= store.now());
        let by_time = if is_due {
            PendingStatus::Expired
        } else {
            PendingStatus::Pending
        };
        let status = resolutions[slot.place()].unwrap_or(by_time);
        if pending != transfer.is_hold().then_some(status) {
            return Err(Violation::StatusDisagrees(transfer.id));
        }
        if pending == Some(PendingStatus::Pending) {
            live.extend(transfer.expires_at().map(|expires_at| (expires_at, slot)));
        }
    }
    let stray = live.symmetric_difference(store.expiries()).next();
    stray.map_or(Ok(()), |(_, slot)| {
        Err(Violation::ExpiryDisagrees(store.record(*slot).transfer.id))
    })
}

/// An account's counters as its transfers make them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    debits_pending: Amount,
    debits_posted: Amount,
    credits_pending: Amount,
    credits_posted: Amount,
    /// Whether a live hold closes it.
    closed: bool,
}

type Sums = BTreeMap<AccountId, Sum>;

fn sums(store: &Store) -> Result<Sums, Violation> {
    let mut sums = Sums::new();
    for Record {
        transfer, pending, ..
    } in store.records()
    {
        if transfer.amount > TRANSFER_AMOUNT_MAX {
            return Err(Violation::AmountAboveMax(transfer.id));
        }
        for id in [transfer.debit_account_id, transfer.credit_account_id] {
            let account = store.find_account(id).map(|slot| store.account(slot));
            if account.map(|account| account.ledger) != Some(transfer.ledger) {
                return Err(Violation::AccountsMissing(transfer.id));
            }
        }
        let is_void = transfer
            .flags
            .contains(TransferFlags::VOID_PENDING_TRANSFER);
        match pending {
            Some(PendingStatus::Pending) => add_held(&mut sums, &transfer),
            None if !is_void => add_posted(&mut sums, &transfer),
            _ => {}
        }
    }
    Ok(sums)
}

fn add_held(sums: &mut Sums, hold: &Transfer) {
    let debit = sums.entry(hold.debit_account_id).or_default();
    debit.debits_pending = debit.debits_pending.saturating_add(hold.amount);
    debit.closed |= hold.flags.contains(TransferFlags::CLOSING_DEBIT);
    let credit = sums.entry(hold.credit_account_id).or_default();
    credit.credits_pending = credit.credits_pending.saturating_add(hold.amount);
    credit.closed |= hold.flags.contains(TransferFlags::CLOSING_CREDIT);
}

fn add_posted(sums: &mut Sums, transfer: &Transfer) {
    let debit = sums.entry(transfer.debit_account_id).or_default();
    debit.debits_posted = debit.debits_posted.saturating_add(transfer.amount);
    let credit = sums.entry(transfer.credit_account_id).or_default();
    credit.credits_posted = credit.credits_posted.saturating_add(transfer.amount);
}

fn check_accounts(store: &Store, sums: &Sums) -> Result<(), Violation> {
    for account in store.accounts() {
        let found = store.find_account(account.id);
        if !found.is_some_and(|slot| core::ptr::eq(store.account(slot), account)) {
            return Err(Violation::AccountIdTaken(account.id));
        }
        let sum = sums.get(&account.id).copied().unwrap_or_default();
        if counters(account)
            != (Sum {
                closed: false,
                ..sum
            })
        {
            return Err(Violation::CountersDisagree(account.id));
        }
        if account.exceeds_credits() || account.exceeds_debits() {
            return Err(Violation::BeyondLimit(account.id));
        }
        if sum.closed && !account.is_closed() {
            return Err(Violation::OpenDisagrees(account.id));
        }
    }
    Ok(())
}

fn counters(account: &Account) -> Sum {
    Sum {
        debits_pending: account.debits_pending,
        debits_posted: account.debits_posted,
        credits_pending: account.credits_pending,
        credits_posted: account.credits_posted,
        closed: false,
    }
}

/// Follows from the rest, and is checked all the same: it is the law that an accountant asks for.
fn check_balanced(store: &Store) -> Result<(), Violation> {
    let mut ledgers: BTreeMap<u32, Sum> = BTreeMap::new();
    for account in store.accounts() {
        let total = ledgers.entry(account.ledger).or_default();
        total.debits_pending = total.debits_pending.saturating_add(account.debits_pending);
        total.debits_posted = total.debits_posted.saturating_add(account.debits_posted);
        total.credits_pending = total
            .credits_pending
            .saturating_add(account.credits_pending);
        total.credits_posted = total.credits_posted.saturating_add(account.credits_posted);
    }
    let unbalanced = ledgers.iter().find(|(_, total)| {
        total.debits_pending != total.credits_pending || total.debits_posted != total.credits_posted
    });
    unbalanced.map_or(Ok(()), |(ledger, _)| Err(Violation::Unbalanced(*ledger)))
}
