use core::fmt;

/// Ends the function with the first reason that applies, in the order given.
macro_rules! refuse {
    ($refusal:ident: $($reason:ident if $condition:expr;)*) => {
        $(if $condition {
            return Err($refusal::$reason);
        })*
    };
}
pub(crate) use refuse;

macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $code:literal $sentence:literal;)* }) => {
        $(#[$doc])*
        ///
        /// In order of precedence: of several reasons the first is given. `Display` says what is
        /// wrong and what to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $sentence] $variant,)*
        }

        impl $name {
            /// Every refusal, in order of precedence.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable `snake_case` name, for machines.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The refusal of this name.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|refusal| refusal.code() == code)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Self::$variant => $sentence,)*
                })
            }
        }

        impl core::error::Error for $name {}
    };
}

refusals! {
    /// Why an account was not created.
    AccountRefusal {
        LinkedEventFailed "linked_event_failed"
            "another account of the linked chain was refused, so none of it was created; mend that one and send the chain again";
        LinkedEventChainOpen "linked_event_chain_open"
            "the last account of the batch is flagged linked; clear the flag on the last one of a chain";
        TimestampMustBeZero "timestamp_must_be_zero"
            "the account has a timestamp, which the ledger gives it; clear it";
        IdMustNotBeZero "id_must_not_be_zero"
            "the account id is zero; choose another";
        IdMustNotBeIntMax "id_must_not_be_int_max"
            "the account id is 2^128 - 1, which is reserved; choose another";
        ExistsWithDifferentFlags "exists_with_different_flags"
            "an account of this id exists with other flags; use it as it is or choose another id";
        ExistsWithDifferentUserData128 "exists_with_different_user_data_128"
            "an account of this id exists with another user_data_128; use it as it is or choose another id";
        ExistsWithDifferentUserData64 "exists_with_different_user_data_64"
            "an account of this id exists with another user_data_64; use it as it is or choose another id";
        ExistsWithDifferentUserData32 "exists_with_different_user_data_32"
            "an account of this id exists with another user_data_32; use it as it is or choose another id";
        ExistsWithDifferentLedger "exists_with_different_ledger"
            "an account of this id exists on another ledger; use it as it is or choose another id";
        ExistsWithDifferentCode "exists_with_different_code"
            "an account of this id exists with another code; use it as it is or choose another id";
        ExistsWithDifferentLimit "exists_with_different_limit"
            "an account of this id exists with another limit; use it as it is or choose another id";
        Exists "exists"
            "this very account exists already; nothing is left to do";
        FlagsAreMutuallyExclusive "flags_are_mutually_exclusive"
            "debits_must_not_exceed_credits and credits_must_not_exceed_debits exclude each other; set at most one";
        DebitsPendingMustBeZero "debits_pending_must_be_zero"
            "a new account has no pending debits; clear them and move money by a transfer";
        DebitsPostedMustBeZero "debits_posted_must_be_zero"
            "a new account has no posted debits; clear them and move money by a transfer";
        CreditsPendingMustBeZero "credits_pending_must_be_zero"
            "a new account has no pending credits; clear them and move money by a transfer";
        CreditsPostedMustBeZero "credits_posted_must_be_zero"
            "a new account has no posted credits; clear them and move money by a transfer";
        LedgerMustNotBeZero "ledger_must_not_be_zero"
            "the ledger is zero; name the asset's ledger";
        CodeMustNotBeZero "code_must_not_be_zero"
            "the code is zero; name the type of account";
        LimitReservedForDebitsMustNotExceedCredits "limit_reserved_for_debits_must_not_exceed_credits"
            "a limit bounds nothing unless debits_must_not_exceed_credits is set; set the flag or clear the limit";
    }
}

refusals! {
    /// Why a transfer was not created.
    TransferRefusal {
        LinkedEventFailed "linked_event_failed"
            "another transfer of the linked chain was refused, so none of it was created; mend that one and send the chain again";
        LinkedEventChainOpen "linked_event_chain_open"
            "the last transfer of the batch is flagged linked; clear the flag on the last one of a chain";
        TimestampMustBeZero "timestamp_must_be_zero"
            "the transfer has a timestamp, which the ledger gives it; clear it";
        IdMustNotBeZero "id_must_not_be_zero"
            "the transfer id is zero; choose another";
        IdMustNotBeIntMax "id_must_not_be_int_max"
            "the transfer id is 2^128 - 1, which is reserved; choose another";
        ExistsWithDifferentFlags "exists_with_different_flags"
            "a transfer of this id exists with other flags; for another transfer choose another id";
        ExistsWithDifferentPendingId "exists_with_different_pending_id"
            "a transfer of this id exists with another pending_id; for another transfer choose another id";
        ExistsWithDifferentTimeout "exists_with_different_timeout"
            "a transfer of this id exists with another timeout; for another transfer choose another id";
        ExistsWithDifferentDebitAccountId "exists_with_different_debit_account_id"
            "a transfer of this id exists with another debit account; for another transfer choose another id";
        ExistsWithDifferentCreditAccountId "exists_with_different_credit_account_id"
            "a transfer of this id exists with another credit account; for another transfer choose another id";
        ExistsWithDifferentAmount "exists_with_different_amount"
            "a transfer of this id exists with another amount; for another transfer choose another id";
        ExistsWithDifferentUserData128 "exists_with_different_user_data_128"
            "a transfer of this id exists with another user_data_128; for another transfer choose another id";
        ExistsWithDifferentUserData64 "exists_with_different_user_data_64"
            "a transfer of this id exists with another user_data_64; for another transfer choose another id";
        ExistsWithDifferentUserData32 "exists_with_different_user_data_32"
            "a transfer of this id exists with another user_data_32; for another transfer choose another id";
        ExistsWithDifferentLedger "exists_with_different_ledger"
            "a transfer of this id exists on another ledger; for another transfer choose another id";
        ExistsWithDifferentCode "exists_with_different_code"
            "a transfer of this id exists with another code; for another transfer choose another id";
        Exists "exists"
            "this very transfer exists already; nothing is left to do";
        IdAlreadyFailed "id_already_failed"
            "a transfer of this id was refused for a passing reason, and the id is burnt; try again under a new id";
        FlagsAreMutuallyExclusive "flags_are_mutually_exclusive"
            "a capture or void takes no flag but linked, and is not both; clear the others";
        DebitAccountIdMustNotBeZero "debit_account_id_must_not_be_zero"
            "the debit account id is zero; say who pays";
        DebitAccountIdMustNotBeIntMax "debit_account_id_must_not_be_int_max"
            "the debit account id is 2^128 - 1, which is reserved; say who pays";
        CreditAccountIdMustNotBeZero "credit_account_id_must_not_be_zero"
            "the credit account id is zero; say who is paid";
        CreditAccountIdMustNotBeIntMax "credit_account_id_must_not_be_int_max"
            "the credit account id is 2^128 - 1, which is reserved; say who is paid";
        AccountsMustBeDifferent "accounts_must_be_different"
            "the debit and credit accounts are the same; an account cannot pay itself";
        PendingIdMustBeZero "pending_id_must_be_zero"
            "only a capture or void names a pending_id; clear it or set post_pending_transfer or void_pending_transfer";
        PendingIdMustNotBeZero "pending_id_must_not_be_zero"
            "a capture or void must name its hold; set pending_id";
        PendingIdMustNotBeIntMax "pending_id_must_not_be_int_max"
            "the pending_id is 2^128 - 1, which is reserved; name the hold";
        PendingIdMustBeDifferent "pending_id_must_be_different"
            "the pending_id is the transfer's own id; a capture or void has an id of its own";
        TimeoutReservedForPendingTransfer "timeout_reserved_for_pending_transfer"
            "only a hold has a timeout; clear it or set pending";
        ClosingTransferMustBePending "closing_transfer_must_be_pending"
            "a closing transfer must be a hold, so that its void can reopen the account; set pending";
        LedgerMustNotBeZero "ledger_must_not_be_zero"
            "the ledger is zero; name that of the two accounts";
        CodeMustNotBeZero "code_must_not_be_zero"
            "the code is zero; name the reason for the transfer";
        DebitAccountNotFound "debit_account_not_found"
            "the debit account does not exist; create it and send the transfer under a new id";
        CreditAccountNotFound "credit_account_not_found"
            "the credit account does not exist; create it and send the transfer under a new id";
        AccountsMustHaveTheSameLedger "accounts_must_have_the_same_ledger"
            "the two accounts are on different ledgers; exchange assets with one transfer on each ledger";
        TransferMustHaveTheSameLedgerAsAccounts "transfer_must_have_the_same_ledger_as_accounts"
            "the transfer's ledger is not that of its accounts; name theirs";
        PendingTransferNotFound "pending_transfer_not_found"
            "the hold does not exist; create it and send the capture or void under a new id";
        PendingTransferNotPending "pending_transfer_not_pending"
            "the transfer that pending_id names is not a hold; to undo it, send an opposite transfer";
        PendingTransferHasDifferentDebitAccountId "pending_transfer_has_different_debit_account_id"
            "the hold has another debit account; name that one or zero";
        PendingTransferHasDifferentCreditAccountId "pending_transfer_has_different_credit_account_id"
            "the hold has another credit account; name that one or zero";
        PendingTransferHasDifferentLedger "pending_transfer_has_different_ledger"
            "the hold is on another ledger; name that one or zero";
        PendingTransferHasDifferentCode "pending_transfer_has_different_code"
            "the hold has another code; name that one or zero";
        ExceedsPendingTransferAmount "exceeds_pending_transfer_amount"
            "the amount is more than was held; take at most that and charge the rest by another transfer";
        PendingTransferHasDifferentAmount "pending_transfer_has_different_amount"
            "a void releases all that was held; name that amount or zero, or capture a part to release the rest";
        PendingTransferAlreadyPosted "pending_transfer_already_posted"
            "the hold was captured already; to give money back, send an opposite transfer";
        PendingTransferAlreadyVoided "pending_transfer_already_voided"
            "the hold was voided already; to charge, make a new hold or transfer";
        PendingTransferExpired "pending_transfer_expired"
            "the hold has expired; to charge, make a new hold or transfer";
        DebitAccountAlreadyClosed "debit_account_already_closed"
            "the debit account is closed; void the transfer that closed it and try under a new id";
        CreditAccountAlreadyClosed "credit_account_already_closed"
            "the credit account is closed; void the transfer that closed it and try under a new id";
        OverflowsDebitsPending "overflows_debits_pending"
            "the debit account's held debits would pass 2^128 - 1; ask for less";
        OverflowsCreditsPending "overflows_credits_pending"
            "the credit account's held credits would pass 2^128 - 1; ask for less";
        OverflowsDebitsPosted "overflows_debits_posted"
            "the debit account's posted debits would pass 2^128 - 1; ask for less";
        OverflowsCreditsPosted "overflows_credits_posted"
            "the credit account's posted credits would pass 2^128 - 1; ask for less";
        OverflowsDebits "overflows_debits"
            "the debit account's held and posted debits would pass 2^128 - 1; ask for less";
        OverflowsCredits "overflows_credits"
            "the credit account's held and posted credits would pass 2^128 - 1; ask for less";
        OverflowsTimeout "overflows_timeout"
            "the hold would expire after 2^63 - 1 nanoseconds of Unix time; ask for a shorter timeout";
        ExceedsCredits "exceeds_credits"
            "the debit account has too little available; fund it or ask for less, under a new id";
        ExceedsDebits "exceeds_debits"
            "the credit account may not receive more than its posted debits; ask for less, under a new id";
        ExceedsAmountMax "exceeds_amount_max"
            "one transfer moves at most 9223372036854775807 nano-AIGEN; split it";
    }
}

impl AccountRefusal {
    /// Whether the same request could succeed later: never, for accounts.
    #[must_use]
    pub const fn transient(self) -> bool {
        false
    }
}

impl TransferRefusal {
    /// Whether the reason may pass as the ledger changes. Such a refusal burns the transfer's id
    /// (`id_already_failed` from then on), so that a retry can never turn a no into a yes.
    #[must_use]
    pub const fn transient(self) -> bool {
        matches!(
            self,
            Self::DebitAccountNotFound
                | Self::CreditAccountNotFound
                | Self::PendingTransferNotFound
                | Self::ExceedsCredits
                | Self::ExceedsDebits
                | Self::DebitAccountAlreadyClosed
                | Self::CreditAccountAlreadyClosed
        )
    }
}
