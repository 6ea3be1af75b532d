use crate::{
    Account, AccountFlags, AccountRefusal, AccountRequest, batch::Event, exists::compare_account,
    store::Store,
};
use aigen_types::AccountId;

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
    match request.id {
        AccountId(0) => return Err(AccountRefusal::IdMustNotBeZero),
        AccountId(u128::MAX) => return Err(AccountRefusal::IdMustNotBeIntMax),
        id => {
            if let Some(slot) = store.find_account(id) {
                return Err(compare_account(request, store.account(slot)));
            }
        }
    }
    let bounds_debits = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
    let bounds_both = bounds_debits | AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS;
    if request.flags.contains(bounds_both) {
        return Err(AccountRefusal::FlagsAreMutuallyExclusive);
    }
    if request.ledger == 0 {
        return Err(AccountRefusal::LedgerMustNotBeZero);
    }
    if request.code == 0 {
        return Err(AccountRefusal::CodeMustNotBeZero);
    }
    if !request.limit.is_zero() && !request.flags.contains(bounds_debits) {
        return Err(AccountRefusal::LimitReservedForDebitsMustNotExceedCredits);
    }
    Ok(())
}
