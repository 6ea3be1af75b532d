use crate::{
    Account, Transfer, TransferFlags, TransferRefusal, TransferRequest,
    batch::Event,
    exists::compare_transfer,
    limits::{EXPIRES_AT_MAX, TRANSFER_AMOUNT_MAX},
    refusal::refuse,
    resolve,
    store::{AccountSlot, Store},
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};

impl Event for TransferRequest {
    type Refusal = TransferRefusal;
    const FAILED: TransferRefusal = TransferRefusal::LinkedEventFailed;
    const CHAIN_OPEN: TransferRefusal = TransferRefusal::LinkedEventChainOpen;

    fn is_linked(&self) -> bool {
        self.flags.contains(TransferFlags::LINKED)
    }

    fn apply(&self, store: &mut Store) -> Result<(), TransferRefusal> {
        check_id(self, store)?;
        if self.flags.intersects(TransferFlags::RESOLVING) {
            resolve::apply(self, store)
        } else {
            create(self, store)
        }
    }

    fn refused(&self, store: &mut Store, refusal: TransferRefusal) {
        if refusal.transient() {
            store.burn(self.id);
        }
    }
}

fn check_id(request: &TransferRequest, store: &Store) -> Result<(), TransferRefusal> {
    refuse! { TransferRefusal:
        TimestampMustBeZero if request.timestamp != Timestamp(0);
        IdMustNotBeZero if request.id == TransferId(0);
        IdMustNotBeIntMax if request.id == TransferId(u128::MAX);
    }
    if let Some((_, existing)) = store.find_record(request.id) {
        let hold = store.find_record(existing.transfer.pending_id);
        let hold = hold.map(|(_, hold)| hold.transfer);
        return compare_transfer(request, &existing.transfer, hold.as_ref());
    }
    refuse! { TransferRefusal:
        IdAlreadyFailed if store.is_burnt(request.id);
    }
    Ok(())
}

/// A plain transfer or a hold.
fn create(request: &TransferRequest, store: &mut Store) -> Result<(), TransferRefusal> {
    check_shape(request)?;
    let (debit_slot, credit_slot) = find_accounts(request, store)?;
    let (debit, credit) = (store.account(debit_slot), store.account(credit_slot));
    check_accounts(request, debit, credit)?;
    let amount = effective_amount(request, debit, credit);
    let (debit, credit) = moved(request, amount, debit, credit)?;
    check_timeout(request, store.now())?;
    check_bounds(amount, &debit, &credit)?;

    // After this point the transfer must succeed.
    store.set_account(debit_slot, debit);
    store.set_account(credit_slot, credit);
    let transfer = Transfer::created(request, amount, store.now());
    store.insert_transfer(transfer, [debit_slot, credit_slot]);
    Ok(())
}

fn check_shape(request: &TransferRequest) -> Result<(), TransferRefusal> {
    let (debit, credit) = (request.debit_account_id, request.credit_account_id);
    let is_hold = request.flags.contains(TransferFlags::PENDING);
    let closes = request.flags.intersects(TransferFlags::CLOSING);
    refuse! { TransferRefusal:
        DebitAccountIdMustNotBeZero if debit == AccountId(0);
        DebitAccountIdMustNotBeIntMax if debit == AccountId(u128::MAX);
        CreditAccountIdMustNotBeZero if credit == AccountId(0);
        CreditAccountIdMustNotBeIntMax if credit == AccountId(u128::MAX);
        AccountsMustBeDifferent if debit == credit;
        PendingIdMustBeZero if request.pending_id != TransferId(0);
        TimeoutReservedForPendingTransfer if request.timeout != 0 && !is_hold;
        ClosingTransferMustBePending if closes && !is_hold;
        LedgerMustNotBeZero if request.ledger == 0;
        CodeMustNotBeZero if request.code == 0;
    }
    Ok(())
}

fn find_accounts(
    request: &TransferRequest,
    store: &Store,
) -> Result<(AccountSlot, AccountSlot), TransferRefusal> {
    let debit = store.find_account(request.debit_account_id);
    let debit = debit.ok_or(TransferRefusal::DebitAccountNotFound)?;
    let credit = store.find_account(request.credit_account_id);
    let credit = credit.ok_or(TransferRefusal::CreditAccountNotFound)?;
    Ok((debit, credit))
}

fn check_accounts(
    request: &TransferRequest,
    debit: &Account,
    credit: &Account,
) -> Result<(), TransferRefusal> {
    refuse! { TransferRefusal:
        AccountsMustHaveTheSameLedger if debit.ledger != credit.ledger;
        TransferMustHaveTheSameLedgerAsAccounts if request.ledger != debit.ledger;
        DebitAccountAlreadyClosed if debit.is_closed();
        CreditAccountAlreadyClosed if credit.is_closed();
    }
    Ok(())
}

/// What a balancing transfer moves in fact: its amount, or less where an account has less.
fn effective_amount(request: &TransferRequest, debit: &Account, credit: &Account) -> Amount {
    let mut amount = request.amount;
    if request.flags.contains(TransferFlags::BALANCING_DEBIT) {
        amount = amount.min(debit.available());
    }
    if request.flags.contains(TransferFlags::BALANCING_CREDIT) {
        amount = amount.min(credit.shortfall());
    }
    amount
}

/// Both accounts as they are after the transfer.
fn moved(
    request: &TransferRequest,
    amount: Amount,
    debit: &Account,
    credit: &Account,
) -> Result<(Account, Account), TransferRefusal> {
    use TransferRefusal as R;
    let (mut debit_after, mut credit_after) = (*debit, *credit);
    let sum = |counter: Amount, refusal| counter.checked_add(amount).ok_or(refusal);
    let is_hold = request.flags.contains(TransferFlags::PENDING);
    if is_hold {
        debit_after.debits_pending = sum(debit.debits_pending, R::OverflowsDebitsPending)?;
        credit_after.credits_pending = sum(credit.credits_pending, R::OverflowsCreditsPending)?;
    }
    // A hold must leave room for its own capture, so these are checked for it too.
    let debits_posted = sum(debit.debits_posted, R::OverflowsDebitsPosted)?;
    let credits_posted = sum(credit.credits_posted, R::OverflowsCreditsPosted)?;
    sum(debit.debits(), R::OverflowsDebits)?;
    sum(credit.credits(), R::OverflowsCredits)?;
    if !is_hold {
        debit_after.debits_posted = debits_posted;
        credit_after.credits_posted = credits_posted;
    }
    if request.flags.contains(TransferFlags::CLOSING_DEBIT) {
        debit_after.set_closed(true);
    }
    if request.flags.contains(TransferFlags::CLOSING_CREDIT) {
        credit_after.set_closed(true);
    }
    Ok((debit_after, credit_after))
}

fn check_timeout(request: &TransferRequest, now: Timestamp) -> Result<(), TransferRefusal> {
    match now.plus_seconds(request.timeout) {
        Some(expires_at) if request.timeout == 0 || expires_at <= EXPIRES_AT_MAX => Ok(()),
        _ => Err(TransferRefusal::OverflowsTimeout),
    }
}

/// On the accounts as they would be.
fn check_bounds(amount: Amount, debit: &Account, credit: &Account) -> Result<(), TransferRefusal> {
    refuse! { TransferRefusal:
        ExceedsCredits if debit.exceeds_credits();
        ExceedsDebits if credit.exceeds_debits();
        ExceedsAmountMax if amount > TRANSFER_AMOUNT_MAX;
    }
    Ok(())
}
