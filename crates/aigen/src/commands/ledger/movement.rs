//! A transfer as people know it.

use aigen_ledger::{
    AccountFilter, AccountFilterFlags, PendingStatus, QueryFilter, QueryFilterFlags, Transfer,
    TransferFlags,
};
use aigen_network::{Network, transfer_reason};
use aigen_types::{AccountId, Address, CallId, Timestamp, TransferId};

/// From a time on, up to but without another.
#[derive(Clone, Copy)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
}

pub struct Movement<'a> {
    pub transfer: Transfer,
    pub from: &'a Address,
    pub to: &'a Address,
    /// In one word; `hold` and `void` for what moves no money.
    pub reason: String,
    /// The call that it was for.
    pub call: Option<CallId>,
    /// The hold that this capture or void ends.
    pub ends: Option<TransferId>,
    /// Of a hold: what became of it.
    pub state: Option<&'static str>,
}

impl Movement<'_> {
    pub fn moves_money(&self) -> bool {
        let reserves = TransferFlags::PENDING | TransferFlags::VOID_PENDING_TRANSFER;
        !self.transfer.flags.intersects(reserves)
    }
}

/// Oldest first; of one account, or of all.
pub fn oldest_first(
    network: &Network,
    account: Option<AccountId>,
    period: Period,
) -> impl Iterator<Item = Movement<'_>> {
    transfers(network, account, period.from, false)
        .take_while(move |transfer| transfer.timestamp < period.to)
        .filter_map(|transfer| named(network, transfer))
}

/// Newest first; of one account, or of all.
pub fn newest_first(
    network: &Network,
    account: Option<AccountId>,
) -> impl Iterator<Item = Movement<'_>> {
    transfers(network, account, Timestamp(0), true).filter_map(|transfer| named(network, transfer))
}

fn transfers(
    network: &Network,
    account: Option<AccountId>,
    timestamp_min: Timestamp,
    is_reversed: bool,
) -> Box<dyn Iterator<Item = Transfer> + '_> {
    let ledger = network.ledger();
    let Some(account_id) = account else {
        let flags = [QueryFilterFlags::NONE, QueryFilterFlags::REVERSED];
        return Box::new(ledger.query_transfers(&QueryFilter {
            timestamp_min,
            limit: u32::MAX,
            flags: flags[usize::from(is_reversed)],
            ..QueryFilter::default()
        }));
    };
    let order = [AccountFilterFlags::NONE, AccountFilterFlags::REVERSED];
    let sides = AccountFilterFlags::DEBITS | AccountFilterFlags::CREDITS;
    Box::new(ledger.account_transfers(&AccountFilter {
        account_id,
        timestamp_min,
        limit: u32::MAX,
        flags: sides | order[usize::from(is_reversed)],
        ..AccountFilter::default()
    }))
}

/// `None` never happens to a transfer of the network, which names every account it opens.
fn named(network: &Network, transfer: Transfer) -> Option<Movement<'_>> {
    let is = |flag| transfer.flags.contains(flag);
    let reason = match transfer_reason(&transfer) {
        Some(reason) => reason.to_owned(),
        None if is(TransferFlags::PENDING) => "hold".to_owned(),
        None if is(TransferFlags::VOID_PENDING_TRANSFER) => "void".to_owned(),
        None => format!("code_{}", transfer.code),
    };
    let cause = CallId(transfer.user_data_128);
    let is_call = network.has_receipt(cause) || network.call(cause).is_some();
    let ends = (transfer.pending_id != TransferId(0)).then_some(transfer.pending_id);
    Some(Movement {
        transfer,
        from: network.address(transfer.debit_account_id)?,
        to: network.address(transfer.credit_account_id)?,
        reason,
        call: is_call.then_some(cause),
        ends,
        state: network.ledger().pending(transfer.id).map(state),
    })
}

fn state(status: PendingStatus) -> &'static str {
    match status {
        PendingStatus::Pending => "live",
        PendingStatus::Posted => "captured",
        PendingStatus::Voided => "voided",
        PendingStatus::Expired => "expired",
    }
}
