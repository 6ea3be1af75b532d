use crate::accounts::{LEDGER_AIGEN, account_id, account_request, id_of};
use crate::budgets::LEDGER_CAPS;
use crate::limits::HOLD_TIMEOUT_SECONDS;
use crate::network::Network;
use crate::refusal::Refusal;
use aigen_ledger::{
    AccountRefusal, AccountRequest, TransferFlags, TransferRefusal, TransferRequest,
};
use aigen_types::{AccountId, Address, Amount, Timestamp, TransferId};
use alloc::vec::Vec;

/// Why money moves; its number is the transfer's `code` in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Issue,
    Pay,
    /// A hold, its capture and its release: the ledger wants all three to carry the same code.
    Call,
    ProviderShare,
    ControllerShare,
    ValidatorShare,
    ProtocolShare,
    AppMargin,
    /// To the provider of a dataset, of a fee and of a call's `data` share.
    DataShare,
    /// From the payer of a read outside of calls.
    Read,
    /// A share of a call that was reversed, on its way back.
    Reversal,
    /// From the treasury to whom a call served badly.
    CallRefund,
    Payout,
    Remainder,
    ValidatorPay,
    Refund,
    Stake,
    Slash,
    Bond,
    Unbond,
    /// What a settlement pays later, on its way into and out of being held.
    Hold,
    AppealBond,
    /// Not money: what may be spent, and what was.
    Cap,
}

impl Reason {
    const fn code(self) -> u16 {
        match self {
            Self::Issue => 1,
            Self::Pay => 2,
            Self::Call => 10,
            Self::Read => 11,
            Self::ProviderShare => 20,
            Self::ControllerShare => 21,
            Self::ValidatorShare => 22,
            Self::ProtocolShare => 23,
            Self::AppMargin => 24,
            Self::Reversal => 25,
            Self::CallRefund => 26,
            Self::DataShare => 27,
            Self::Payout => 30,
            Self::Remainder => 31,
            Self::ValidatorPay => 32,
            Self::Refund => 33,
            Self::Stake => 40,
            Self::Slash => 41,
            Self::Bond => 42,
            Self::Unbond => 43,
            Self::Hold => 44,
            Self::AppealBond => 45,
            Self::Cap => 50,
        }
    }
}

/// Every reason for which money moves, in one word.
const MOVES: [(Reason, &str); 22] = [
    (Reason::Issue, "issue"),
    (Reason::Pay, "pay"),
    (Reason::Call, "capture"),
    (Reason::Read, "dataset_read"),
    (Reason::ProviderShare, "provider_share"),
    (Reason::ControllerShare, "controller_share"),
    (Reason::ValidatorShare, "validator_share"),
    (Reason::ProtocolShare, "protocol_share"),
    (Reason::AppMargin, "app_margin"),
    (Reason::DataShare, "data_share"),
    (Reason::Reversal, "reversal"),
    (Reason::CallRefund, "call_refund"),
    (Reason::Payout, "payout"),
    (Reason::Remainder, "remainder"),
    (Reason::ValidatorPay, "validator_pay"),
    (Reason::Refund, "refund"),
    (Reason::Stake, "stake"),
    (Reason::Slash, "slash"),
    (Reason::Bond, "bond"),
    (Reason::Unbond, "unbond"),
    (Reason::Hold, "hold"),
    (Reason::AppealBond, "appeal_bond"),
];

/// Why a transfer moved money, in one word; `None` for one that only reserves or frees it, or
/// that counts against a cap.
#[must_use]
pub fn transfer_reason(transfer: &aigen_ledger::Transfer) -> Option<&'static str> {
    let reserves = TransferFlags::PENDING | TransferFlags::VOID_PENDING_TRANSFER;
    if transfer.ledger != LEDGER_AIGEN || transfer.flags.intersects(reserves) {
        return None;
    }
    let moves = MOVES
        .iter()
        .find(|(reason, _)| reason.code() == transfer.code);
    moves.map(|(_, word)| *word)
}

/// An account that a chain needs.
enum Opening {
    /// Of money, and so of an address.
    Named(AccountId, Address),
    /// Of units of a cap.
    Anonymous(AccountRequest),
}

/// Transfers that happen all or not at all, with ids derived from what caused them.
pub(crate) struct Chain {
    domain: &'static str,
    cause: u128,
    /// Which of the chains of one cause it is.
    number: usize,
    /// What to open first.
    accounts: Vec<Opening>,
    transfers: Vec<TransferRequest>,
}

impl Chain {
    /// `domain` and `cause` must be unique together: they make the transfers' ids.
    pub fn new(domain: &'static str, cause: u128) -> Self {
        Self::nth(domain, cause, 0)
    }

    /// One of several chains that the same cause has, one after the other.
    pub fn nth(domain: &'static str, cause: u128, number: usize) -> Self {
        Self {
            domain,
            cause,
            number,
            accounts: Vec::new(),
            transfers: Vec::new(),
        }
    }

    /// The ids of its transfers so far.
    pub fn ids(&self) -> Vec<TransferId> {
        self.transfers.iter().map(|transfer| transfer.id).collect()
    }

    /// Moves money; nothing, and no transfer, if the amount is zero.
    pub fn pay(
        &mut self,
        from: &Address,
        to: &Address,
        amount: Amount,
        reason: Reason,
    ) -> Option<TransferId> {
        if amount.is_zero() {
            return None;
        }
        let id = self.next_id();
        self.pay_as(id, from, to, amount, reason);
        Some(id)
    }

    /// Moves money under an id that the caller chose.
    pub fn pay_as(
        &mut self,
        id: TransferId,
        from: &Address,
        to: &Address,
        amount: Amount,
        reason: Reason,
    ) {
        let request = self.between(id, from, to, amount, reason);
        self.transfers.push(request);
    }

    /// Reserves money until it is captured, released or times out.
    pub fn hold(&mut self, from: &Address, to: &Address, amount: Amount) -> TransferId {
        let request = self.between(self.next_id(), from, to, amount, Reason::Call);
        self.reserve(request)
    }

    /// Reserves units of a cap, in step with the money.
    pub fn hold_units(
        &mut self,
        from: AccountRequest,
        to: AccountRequest,
        amount: Amount,
    ) -> TransferId {
        let request = self.between_units(from, to, amount);
        self.reserve(request)
    }

    fn reserve(&mut self, request: TransferRequest) -> TransferId {
        self.transfers.push(TransferRequest {
            flags: TransferFlags::PENDING,
            timeout: HOLD_TIMEOUT_SECONDS,
            ..request
        });
        request.id
    }

    /// Moves units of caps; nothing, and no transfer, if the amount is zero.
    pub fn units(&mut self, from: AccountRequest, to: AccountRequest, amount: Amount) {
        if !amount.is_zero() {
            let request = self.between_units(from, to, amount);
            self.transfers.push(request);
        }
    }

    /// Takes `amount` of a hold and releases the rest; of nothing, releases it all.
    pub fn capture(&mut self, hold: TransferId, amount: Amount) {
        self.resolve(hold, amount, LEDGER_AIGEN, Reason::Call);
    }

    /// The same of a hold on a cap.
    pub fn capture_units(&mut self, hold: TransferId, amount: Amount) {
        self.resolve(hold, amount, LEDGER_CAPS, Reason::Cap);
    }

    fn resolve(&mut self, pending_id: TransferId, amount: Amount, ledger: u32, reason: Reason) {
        let flags = if amount.is_zero() {
            TransferFlags::VOID_PENDING_TRANSFER
        } else {
            TransferFlags::POST_PENDING_TRANSFER
        };
        let request = TransferRequest {
            id: self.next_id(),
            pending_id,
            amount,
            ledger,
            code: reason.code(),
            flags,
            user_data_128: self.cause,
            ..TransferRequest::default()
        };
        self.transfers.push(request);
    }

    fn between(
        &mut self,
        id: TransferId,
        from: &Address,
        to: &Address,
        amount: Amount,
        reason: Reason,
    ) -> TransferRequest {
        let [debit_account_id, credit_account_id] = [from, to].map(account_id);
        self.accounts.extend([
            Opening::Named(debit_account_id, from.clone()),
            Opening::Named(credit_account_id, to.clone()),
        ]);
        TransferRequest {
            id,
            debit_account_id,
            credit_account_id,
            amount,
            ledger: LEDGER_AIGEN,
            code: reason.code(),
            user_data_128: self.cause,
            ..TransferRequest::default()
        }
    }

    fn between_units(
        &mut self,
        from: AccountRequest,
        to: AccountRequest,
        amount: Amount,
    ) -> TransferRequest {
        self.accounts.extend([from, to].map(Opening::Anonymous));
        TransferRequest {
            id: self.next_id(),
            debit_account_id: from.id,
            credit_account_id: to.id,
            amount,
            ledger: LEDGER_CAPS,
            code: Reason::Cap.code(),
            user_data_128: self.cause,
            ..TransferRequest::default()
        }
    }

    fn next_id(&self) -> TransferId {
        // 64 bits on every machine: another word size must not make other ids.
        let place = |place| u64::try_from(place).unwrap_or(u64::MAX).to_le_bytes();
        TransferId(id_of(&[
            b"aigen/transfer/v1/",
            self.domain.as_bytes(),
            &self.cause.to_le_bytes(),
            &place(self.number),
            &place(self.transfers.len()),
        ]))
    }
}

impl Network {
    /// Posts a whole chain or nothing. Accounts named for the first time are opened.
    pub(crate) fn post(&mut self, now: Timestamp, chain: Chain) -> Result<(), Refusal> {
        let Chain {
            accounts,
            mut transfers,
            ..
        } = chain;
        for account in accounts {
            match account {
                Opening::Named(id, address) => self.open_account(now, id, address)?,
                Opening::Anonymous(request) => self.open_anonymous(now, &request)?,
            }
        }
        let last = transfers.len().saturating_sub(1);
        for transfer in transfers.iter_mut().take(last) {
            transfer.flags = transfer.flags | TransferFlags::LINKED;
        }
        let results = self.ledger.create_transfers(now, &transfers);
        match first_reason(&results) {
            Some(refusal) => Err(Refusal::from(refusal)),
            None => Ok(()),
        }
    }

    fn open_account(
        &mut self,
        now: Timestamp,
        id: AccountId,
        address: Address,
    ) -> Result<(), Refusal> {
        match self.address(id) {
            Some(known) if *known == address => return Ok(()),
            Some(_) => return Err(Refusal::AddressTaken),
            None => {}
        }
        self.open_anonymous(now, &account_request(id, &address))?;
        self.names.insert(&self.ledger, id, address);
        Ok(())
    }

    fn open_anonymous(&mut self, now: Timestamp, request: &AccountRequest) -> Result<(), Refusal> {
        if self
            .ledger
            .account(request.id)
            .is_some_and(|known| known.ledger == request.ledger)
        {
            return Ok(());
        }
        match self.ledger.create_accounts(now, &[*request]).pop() {
            Some(Ok(()) | Err(AccountRefusal::Exists)) => Ok(()),
            Some(Err(_)) | None => Err(Refusal::AddressTaken),
        }
    }
}

/// In a failed chain every other member says only that the chain failed.
fn first_reason(results: &[Result<(), TransferRefusal>]) -> Option<TransferRefusal> {
    let mut refusals = results.iter().filter_map(|result| result.err());
    let first = refusals.next()?;
    if first == TransferRefusal::LinkedEventFailed {
        return Some(
            refusals
                .find(|refusal| *refusal != TransferRefusal::LinkedEventFailed)
                .unwrap_or(first),
        );
    }
    Some(first)
}
