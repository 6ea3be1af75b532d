use crate::{
    Account, AccountFlags, AccountRefusal, AccountRequest, batch::Event, exists::compare_account,
    refusal::refuse, store::Store,
};
use aigen_types::{AccountId, Timestamp};

impl Event for AccountRequest {
    type Refusal = AccountRefusal;
    const FAILED: AccountRefusal = AccountRefusal::LinkedEventFailed;
    const CHAIN_OPEN: AccountRefusal = AccountRefusal::LinkedEventChainOpen;

    fn is_linked(&self) -> bool {
        self.flags.contains(AccountFlags::LINKED)
    }

    fn apply(&self, store: &mut Store) -> Result<(), AccountRefusal> {
        check(self, store)?;
        store.insert_account(Account::open(self, store.now()));
        Ok(())
    }

    fn refused(&self, _: &mut Store, _: AccountRefusal) {}
}

fn check(request: &AccountRequest, store: &Store) -> Result<(), AccountRefusal> {
    refuse! { AccountRefusal:
        TimestampMustBeZero if request.timestamp != Timestamp(0);
        IdMustNotBeZero if request.id == AccountId(0);
        IdMustNotBeIntMax if request.id == AccountId(u128::MAX);
    }
    if let Some(slot) = store.find_account(request.id) {
        return compare_account(request, store.account(slot));
    }
    let bounds_debits = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
    let bounds_both = bounds_debits | AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS;
    let has_limit = !request.limit.is_zero();
    refuse! { AccountRefusal:
        FlagsAreMutuallyExclusive if request.flags.contains(bounds_both);
        DebitsPendingMustBeZero if !request.debits_pending.is_zero();
        DebitsPostedMustBeZero if !request.debits_posted.is_zero();
        CreditsPendingMustBeZero if !request.credits_pending.is_zero();
        CreditsPostedMustBeZero if !request.credits_posted.is_zero();
        LedgerMustNotBeZero if request.ledger == 0;
        CodeMustNotBeZero if request.code == 0;
        LimitReservedForDebitsMustNotExceedCredits if has_limit && !request.flags.contains(bounds_debits);
    }
    Ok(())
}
