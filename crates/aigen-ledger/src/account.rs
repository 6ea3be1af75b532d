use crate::AccountFlags;
use aigen_types::{AccountId, Amount, Timestamp};

/// A wish for a new account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountRequest {
    /// Chosen by the caller; neither zero nor `u128::MAX`.
    pub id: AccountId,
    /// The asset; not zero. Transfers stay within one ledger.
    pub ledger: u32,
    /// The caller's type of account; not zero.
    pub code: u16,
    /// What the account allows.
    pub flags: AccountFlags,
    /// Credit limit: how far debits may exceed posted credits. Zero unless
    /// `debits_must_not_exceed_credits` is set; without that flag debits have no bound at all.
    pub limit: Amount,
    /// The caller's own reference; not interpreted.
    pub user_data_128: u128,
    /// The caller's own reference; not interpreted.
    pub user_data_64: u64,
    /// The caller's own reference; not interpreted.
    pub user_data_32: u32,
    /// Zero: only transfers move money. It is here, as the other counters are, because TigerBeetle
    /// has one record for both, and a client that fills it in is to be told.
    pub debits_pending: Amount,
    /// Zero.
    pub debits_posted: Amount,
    /// Zero.
    pub credits_pending: Amount,
    /// Zero.
    pub credits_posted: Amount,
    /// Zero: the ledger has its own time.
    pub timestamp: Timestamp,
}

/// An account: immutable but for its four counters and the flag `closed`, and never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// See [`AccountRequest::id`].
    pub id: AccountId,
    /// See [`AccountRequest::ledger`].
    pub ledger: u32,
    /// See [`AccountRequest::code`].
    pub code: u16,
    /// As requested; closing transfers set `closed`, and their void or expiry clears it.
    pub flags: AccountFlags,
    /// See [`AccountRequest::limit`].
    pub limit: Amount,
    /// See [`AccountRequest::user_data_128`].
    pub user_data_128: u128,
    /// See [`AccountRequest::user_data_64`].
    pub user_data_64: u64,
    /// See [`AccountRequest::user_data_32`].
    pub user_data_32: u32,
    /// Outgoing money under live holds.
    pub debits_pending: Amount,
    /// Outgoing money, final; only ever grows.
    pub debits_posted: Amount,
    /// Incoming money under live holds; it does not count as money yet.
    pub credits_pending: Amount,
    /// Incoming money, final; only ever grows.
    pub credits_posted: Amount,
    /// Ledger time at creation.
    pub timestamp: Timestamp,
}

impl Account {
    pub(crate) fn open(request: &AccountRequest, timestamp: Timestamp) -> Self {
        Self {
            id: request.id,
            ledger: request.ledger,
            code: request.code,
            flags: request.flags,
            limit: request.limit,
            user_data_128: request.user_data_128,
            user_data_64: request.user_data_64,
            user_data_32: request.user_data_32,
            debits_pending: Amount::ZERO,
            debits_posted: Amount::ZERO,
            credits_pending: Amount::ZERO,
            credits_posted: Amount::ZERO,
            timestamp,
        }
    }

    /// Spendable: `credits_posted + limit - debits_pending - debits_posted`, never below zero.
    ///
    /// What `balancing_debit` moves at most, and the most that a transfer may take from an account
    /// with `debits_must_not_exceed_credits`.
    #[must_use]
    pub fn available(&self) -> Amount {
        self.credits_posted
            .saturating_add(self.limit)
            .saturating_sub(self.debits())
    }

    /// Posted credits less posted debits, in nano-AIGEN; negative for an account in debt.
    ///
    /// Stops at the ends of `i128`, which the bound of one transfer keeps 2⁶⁴ transfers away.
    #[must_use]
    pub fn balance(&self) -> i128 {
        let (credits, debits) = (self.credits_posted.nano(), self.debits_posted.nano());
        i128::try_from(credits.abs_diff(debits)).map_or_else(
            |_| {
                if credits > debits {
                    i128::MAX
                } else {
                    i128::MIN
                }
            },
            |difference| {
                if credits >= debits {
                    difference
                } else {
                    difference.saturating_neg()
                }
            },
        )
    }

    /// Whether the account takes no further transfer but voids.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.flags.contains(AccountFlags::CLOSED)
    }

    /// Held and posted debits. Every write keeps the sum within `u128` (`overflows_debits`).
    pub(crate) fn debits(&self) -> Amount {
        self.debits_pending.saturating_add(self.debits_posted)
    }

    /// Held and posted credits. Every write keeps the sum within `u128` (`overflows_credits`).
    pub(crate) fn credits(&self) -> Amount {
        self.credits_pending.saturating_add(self.credits_posted)
    }

    /// What `balancing_credit` moves at most.
    pub(crate) fn shortfall(&self) -> Amount {
        self.debits_posted.saturating_sub(self.credits())
    }

    /// Whether this state breaks `debits_must_not_exceed_credits`. The right side may saturate: no
    /// sum of debits exceeds `u128::MAX`, so the answer is still exact.
    pub(crate) fn exceeds_credits(&self) -> bool {
        self.flags
            .contains(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS)
            && self.debits() > self.credits_posted.saturating_add(self.limit)
    }

    /// Whether this state breaks `credits_must_not_exceed_debits`.
    pub(crate) fn exceeds_debits(&self) -> bool {
        self.flags
            .contains(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS)
            && self.credits() > self.debits_posted
    }

    pub(crate) fn set_closed(&mut self, closed: bool) {
        self.flags = if closed {
            self.flags | AccountFlags::CLOSED
        } else {
            self.flags.without(AccountFlags::CLOSED)
        };
    }
}
