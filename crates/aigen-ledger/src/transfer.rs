use crate::TransferFlags;
use aigen_types::{AccountId, Amount, Timestamp, TransferId};

/// As a capture's amount: all that was held. As a balancing transfer's amount: as much as there is.
pub const AMOUNT_ALL: Amount = Amount::from_nano(u128::MAX);

/// A wish for a new transfer: plain, a hold (`pending`), a capture (`post_pending_transfer`) or a
/// void (`void_pending_transfer`).
///
/// In a capture or void, a zero account, ledger, code or `user_data` means the hold's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferRequest {
    /// Chosen by the caller, so that a retry is the same transfer; neither zero nor `u128::MAX`.
    pub id: TransferId,
    /// Who pays.
    pub debit_account_id: AccountId,
    /// Who is paid.
    pub credit_account_id: AccountId,
    /// Nano-AIGEN, at most [`TRANSFER_AMOUNT_MAX`](crate::TRANSFER_AMOUNT_MAX); zero is allowed.
    /// A capture takes at most what is held ([`AMOUNT_ALL`] for all of it); a void takes zero or
    /// exactly what is held; a balancing transfer takes its maximum.
    pub amount: Amount,
    /// The hold that a capture or void ends; zero otherwise.
    pub pending_id: TransferId,
    /// Seconds until a hold expires by ledger time; zero for never. Zero unless a hold.
    pub timeout: u32,
    /// The asset: that of both accounts.
    pub ledger: u32,
    /// The caller's reason for the transfer; not zero.
    pub code: u16,
    /// What the transfer does.
    pub flags: TransferFlags,
    /// The caller's own reference; not interpreted.
    pub user_data_128: u128,
    /// The caller's own reference; not interpreted.
    pub user_data_64: u64,
    /// The caller's own reference; not interpreted.
    pub user_data_32: u32,
    /// Zero: the ledger has its own time.
    pub timestamp: Timestamp,
}

/// A transfer as it took effect: immutable and never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// See [`TransferRequest::id`].
    pub id: TransferId,
    /// Who paid.
    pub debit_account_id: AccountId,
    /// Who was paid.
    pub credit_account_id: AccountId,
    /// Nano-AIGEN moved, held or released in fact: after balancing, and of a capture what it took.
    pub amount: Amount,
    /// The hold that this capture or void ended; zero otherwise.
    pub pending_id: TransferId,
    /// See [`TransferRequest::timeout`].
    pub timeout: u32,
    /// See [`TransferRequest::ledger`].
    pub ledger: u32,
    /// See [`TransferRequest::code`].
    pub code: u16,
    /// As requested.
    pub flags: TransferFlags,
    /// See [`TransferRequest::user_data_128`]; a capture or void inherits the hold's.
    pub user_data_128: u128,
    /// See [`TransferRequest::user_data_64`]; a capture or void inherits the hold's.
    pub user_data_64: u64,
    /// See [`TransferRequest::user_data_32`]; a capture or void inherits the hold's.
    pub user_data_32: u32,
    /// Ledger time at creation.
    pub timestamp: Timestamp,
}

impl Transfer {
    /// The record of a request whose open fields are filled in, moving `amount`.
    pub(crate) fn created(request: &TransferRequest, amount: Amount, timestamp: Timestamp) -> Self {
        Self {
            id: request.id,
            debit_account_id: request.debit_account_id,
            credit_account_id: request.credit_account_id,
            amount,
            pending_id: request.pending_id,
            timeout: request.timeout,
            ledger: request.ledger,
            code: request.code,
            flags: request.flags,
            user_data_128: request.user_data_128,
            user_data_64: request.user_data_64,
            user_data_32: request.user_data_32,
            timestamp,
        }
    }

    /// When this hold expires; `None` if never, or if this is not a hold with a timeout.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        if self.timeout == 0 {
            None
        } else {
            self.timestamp.plus_seconds(self.timeout)
        }
    }

    pub(crate) fn is_hold(&self) -> bool {
        self.flags.contains(TransferFlags::PENDING)
    }
}

/// What became of a hold. A hold leaves `Pending` once and never returns to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PendingStatus {
    /// Live: its amount is reserved.
    Pending,
    /// Captured, in full or in part.
    Posted,
    /// Released on request.
    Voided,
    /// Released because its timeout passed.
    Expired,
}
