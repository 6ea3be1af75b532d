//! How a hold ends: captured, voided or expired.

use crate::{
    Account, PendingStatus, Transfer, TransferFlags, TransferRefusal, TransferRequest, Violation,
    exists::inherit,
    refusal::refuse,
    store::{AccountSlot, Record, Store},
};
use aigen_types::{Amount, TransferId};

/// A capture or a void.
pub(crate) fn apply(request: &TransferRequest, store: &mut Store) -> Result<(), TransferRefusal> {
    check_shape(request)?;
    let hold = store.find_record(request.pending_id);
    let (slot, hold) = hold.ok_or(TransferRefusal::PendingTransferNotFound)?;
    let request = inherit(request, &hold.transfer);
    check_hold(&request, &hold)?;
    let hold = hold.transfer;
    let is_capture = request.flags.contains(TransferFlags::POST_PENDING_TRANSFER);
    let parties = Parties::of(&hold, store);
    if is_capture {
        parties.check_open()?;
    }

    // After this point the transfer must succeed.
    let (captured, status) = if is_capture {
        (request.amount, PendingStatus::Posted)
    } else {
        (Amount::ZERO, PendingStatus::Voided)
    };
    let slots = [parties.debit_slot, parties.credit_slot];
    parties.release(&hold, captured, store);
    store.end_hold(slot, status);
    let transfer = Transfer::created(&request, request.amount, store.now());
    store.insert_transfer(transfer, slots);
    Ok(())
}

/// Expires the first live hold that is due.
pub(crate) fn expire_next(store: &mut Store) -> Option<TransferId> {
    let slot = store.first_due()?;
    let hold = store.record(slot).transfer;
    Parties::of(&hold, store).release(&hold, Amount::ZERO, store);
    store.end_hold(slot, PendingStatus::Expired);
    Some(hold.id)
}

/// Takes in a transfer that took effect long ago: the accounts know it already.
pub(crate) fn replay(store: &mut Store, transfer: Transfer) -> Result<(), Violation> {
    let status = if transfer
        .flags
        .contains(TransferFlags::POST_PENDING_TRANSFER)
    {
        PendingStatus::Posted
    } else {
        PendingStatus::Voided
    };
    let find = |id| store.find_account(id);
    let missing = Violation::AccountsMissing(transfer.id);
    let debit_slot = find(transfer.debit_account_id).ok_or(missing)?;
    let credit_slot = find(transfer.credit_account_id).ok_or(missing)?;
    store.insert_transfer(transfer, [debit_slot, credit_slot]);
    let hold = store.find_record(transfer.pending_id);
    if let Some((slot, _)) = hold.filter(|_| transfer.flags.intersects(TransferFlags::RESOLVING)) {
        store.end_hold(slot, status);
    }
    Ok(())
}

/// Ends what expired long ago: the accounts know it already.
pub(crate) fn replay_expiries(store: &mut Store) {
    while let Some(slot) = store.first_due() {
        store.end_hold(slot, PendingStatus::Expired);
    }
}

fn check_shape(request: &TransferRequest) -> Result<(), TransferRefusal> {
    let others = TransferFlags::PENDING | TransferFlags::BALANCING | TransferFlags::CLOSING;
    let is_both = request.flags.contains(TransferFlags::RESOLVING);
    refuse! { TransferRefusal:
        FlagsAreMutuallyExclusive if is_both || request.flags.intersects(others);
        PendingIdMustNotBeZero if request.pending_id == TransferId(0);
        PendingIdMustNotBeIntMax if request.pending_id == TransferId(u128::MAX);
        PendingIdMustBeDifferent if request.pending_id == request.id;
        TimeoutReservedForPendingTransfer if request.timeout != 0;
    }
    Ok(())
}

/// `request` has inherited from the hold what it left open.
fn check_hold(request: &TransferRequest, hold: &Record) -> Result<(), TransferRefusal> {
    let Record {
        transfer: hold,
        pending,
        ..
    } = hold;
    let is_void = request.flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
    refuse! { TransferRefusal:
        PendingTransferNotPending if pending.is_none();
        PendingTransferHasDifferentDebitAccountId if request.debit_account_id != hold.debit_account_id;
        PendingTransferHasDifferentCreditAccountId if request.credit_account_id != hold.credit_account_id;
        PendingTransferHasDifferentLedger if request.ledger != hold.ledger;
        PendingTransferHasDifferentCode if request.code != hold.code;
        ExceedsPendingTransferAmount if request.amount > hold.amount;
        PendingTransferHasDifferentAmount if is_void && request.amount < hold.amount;
        PendingTransferAlreadyPosted if *pending == Some(PendingStatus::Posted);
        PendingTransferAlreadyVoided if *pending == Some(PendingStatus::Voided);
        PendingTransferExpired if *pending == Some(PendingStatus::Expired);
    }
    Ok(())
}

/// The two accounts of a hold. Accounts are never deleted, so they are there.
struct Parties {
    debit_slot: AccountSlot,
    debit: Account,
    credit_slot: AccountSlot,
    credit: Account,
}

impl Parties {
    fn of(hold: &Transfer, store: &Store) -> Self {
        let debit_slot = store.find_account(hold.debit_account_id);
        let debit_slot = debit_slot.expect("a transfer's accounts exist and are never deleted");
        let credit_slot = store.find_account(hold.credit_account_id);
        let credit_slot = credit_slot.expect("a transfer's accounts exist and are never deleted");
        Self {
            debit_slot,
            debit: *store.account(debit_slot),
            credit_slot,
            credit: *store.account(credit_slot),
        }
    }

    /// A capture needs both accounts open; a void does not.
    fn check_open(&self) -> Result<(), TransferRefusal> {
        refuse! { TransferRefusal:
            DebitAccountAlreadyClosed if self.debit.is_closed();
            CreditAccountAlreadyClosed if self.credit.is_closed();
        }
        Ok(())
    }

    /// Takes the hold off both accounts and posts `captured` of it. A closing hold reopens what it
    /// closed (it cannot be captured: its own account is closed).
    fn release(mut self, hold: &Transfer, captured: Amount, store: &mut Store) {
        let (debit, credit) = (&mut self.debit, &mut self.credit);
        debit.debits_pending = less(debit.debits_pending, hold.amount);
        credit.credits_pending = less(credit.credits_pending, hold.amount);
        debit.debits_posted = more(debit.debits_posted, captured);
        credit.credits_posted = more(credit.credits_posted, captured);
        if hold.flags.contains(TransferFlags::CLOSING_DEBIT) {
            debit.set_closed(false);
        }
        if hold.flags.contains(TransferFlags::CLOSING_CREDIT) {
            credit.set_closed(false);
        }
        store.set_account(self.debit_slot, self.debit);
        store.set_account(self.credit_slot, self.credit);
    }
}

fn less(pending: Amount, held: Amount) -> Amount {
    let rest = pending.checked_sub(held);
    rest.expect("a live hold is part of both accounts' pending sums")
}

fn more(posted: Amount, captured: Amount) -> Amount {
    let sum = posted.checked_add(captured);
    sum.expect("the hold was refused unless pending and posted together stayed within u128")
}
