//! The same id again: is it the same request? Every answer here is a refusal; `exists` is the one
//! that means "already done".

use crate::{
    AMOUNT_ALL, Account, AccountRefusal, AccountRequest, Transfer, TransferFlags, TransferRefusal,
    TransferRequest, refusal::refuse,
};
use aigen_types::{AccountId, Amount};

pub(crate) fn compare_account(
    request: &AccountRequest,
    existing: &Account,
) -> Result<(), AccountRefusal> {
    refuse! { AccountRefusal:
        ExistsWithDifferentFlags if request.flags != existing.flags;
        ExistsWithDifferentUserData128 if request.user_data_128 != existing.user_data_128;
        ExistsWithDifferentUserData64 if request.user_data_64 != existing.user_data_64;
        ExistsWithDifferentUserData32 if request.user_data_32 != existing.user_data_32;
        ExistsWithDifferentLedger if request.ledger != existing.ledger;
        ExistsWithDifferentCode if request.code != existing.code;
        ExistsWithDifferentLimit if request.limit != existing.limit;
    }
    Err(AccountRefusal::Exists)
}

/// `hold` is the one that `existing` ended, if it is a capture or void.
pub(crate) fn compare_transfer(
    request: &TransferRequest,
    existing: &Transfer,
    hold: Option<&Transfer>,
) -> Result<(), TransferRefusal> {
    // These three decide how the other fields are to be read.
    refuse! { TransferRefusal:
        ExistsWithDifferentFlags if request.flags != existing.flags;
        ExistsWithDifferentPendingId if request.pending_id != existing.pending_id;
        ExistsWithDifferentTimeout if request.timeout != existing.timeout;
    }
    let request = hold.map_or(*request, |hold| inherit(request, hold));
    refuse! { TransferRefusal:
        ExistsWithDifferentDebitAccountId if request.debit_account_id != existing.debit_account_id;
        ExistsWithDifferentCreditAccountId if request.credit_account_id != existing.credit_account_id;
        ExistsWithDifferentAmount if !is_same_amount(&request, existing);
        ExistsWithDifferentUserData128 if request.user_data_128 != existing.user_data_128;
        ExistsWithDifferentUserData64 if request.user_data_64 != existing.user_data_64;
        ExistsWithDifferentUserData32 if request.user_data_32 != existing.user_data_32;
        ExistsWithDifferentLedger if request.ledger != existing.ledger;
        ExistsWithDifferentCode if request.code != existing.code;
    }
    Err(TransferRefusal::Exists)
}

/// A capture or void with the hold's value wherever it left one open.
pub(crate) fn inherit(request: &TransferRequest, hold: &Transfer) -> TransferRequest {
    let is_void = request.flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
    let whole = if is_void { Amount::ZERO } else { AMOUNT_ALL };
    TransferRequest {
        debit_account_id: or(
            request.debit_account_id,
            AccountId(0),
            hold.debit_account_id,
        ),
        credit_account_id: or(
            request.credit_account_id,
            AccountId(0),
            hold.credit_account_id,
        ),
        amount: or(request.amount, whole, hold.amount),
        ledger: or(request.ledger, 0, hold.ledger),
        code: or(request.code, 0, hold.code),
        user_data_128: or(request.user_data_128, 0, hold.user_data_128),
        user_data_64: or(request.user_data_64, 0, hold.user_data_64),
        user_data_32: or(request.user_data_32, 0, hold.user_data_32),
        ..*request
    }
}

fn or<T: PartialEq>(value: T, open: T, inherited: T) -> T {
    if value == open { inherited } else { value }
}

/// A balancing transfer asked for at most its amount and recorded what it moved.
fn is_same_amount(request: &TransferRequest, existing: &Transfer) -> bool {
    if request.flags.intersects(TransferFlags::BALANCING) {
        request.amount >= existing.amount
    } else {
        request.amount == existing.amount
    }
}
