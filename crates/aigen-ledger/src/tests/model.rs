//! The rules a second time, as naively as they can be written: no counters, no statuses, no expiry
//! and no undo. Whatever is asked is added up from the list of transfers, and a chain works on a copy.

use crate::{AccountFlags, AccountRequest, PendingStatus, TransferFlags, TransferRequest};
use aigen_types::{AccountId, Amount, TransferId};
use std::vec::Vec;

const SECOND: u64 = 1_000_000_000;
const ANY: u128 = u128::MAX;

#[derive(Clone, Default)]
pub struct Model {
    pub now: u64,
    accounts: Vec<AccountRequest>,
    /// With the amounts and fields that took effect, and when.
    pub transfers: Vec<(TransferRequest, u64)>,
    burnt: Vec<TransferId>,
}

fn is_transient(answer: &str) -> bool {
    answer.ends_with("_not_found")
        || answer.ends_with("_already_closed")
        || ["exceeds_credits", "exceeds_debits"].contains(&answer)
}

/// Debits pending and posted, credits pending and posted.
type Counters = [u128; 4];

impl Model {
    pub fn create_accounts(&mut self, batch: &[AccountRequest]) -> Vec<&'static str> {
        self.batch(
            batch,
            |request| request.flags.contains(AccountFlags::LINKED),
            |model, request| {
                let answer = model.account_answer(request);
                if answer == "created" {
                    model.accounts.push(*request);
                }
                answer
            },
            |_, _| {},
        )
    }

    pub fn create_transfers(&mut self, batch: &[TransferRequest]) -> Vec<&'static str> {
        self.batch(
            batch,
            |request| request.flags.contains(TransferFlags::LINKED),
            |model, request| match model.effect(request) {
                Ok(effect) => {
                    model.transfers.push((effect, model.now));
                    "created"
                }
                Err(answer) => answer,
            },
            |model, request| model.burnt.push(request.id),
        )
    }

    fn batch<E>(
        &mut self,
        batch: &[E],
        is_linked: impl Fn(&E) -> bool,
        apply: impl Fn(&mut Self, &E) -> &'static str,
        burn: impl Fn(&mut Self, &E),
    ) -> Vec<&'static str> {
        let mut answers: Vec<&'static str> = Vec::new();
        let mut start = 0;
        while start < batch.len() {
            let end = (start..batch.len()).find(|at| !is_linked(&batch[*at]));
            let chain = &batch[start..end.map_or(batch.len(), |end| end + 1)];
            let mut copy = self.clone();
            let mut chain_answers: Vec<&'static str> = Vec::new();
            for (at, event) in chain.iter().enumerate() {
                let is_open_end = end.is_none() && at + 1 == chain.len();
                let is_broken = chain_answers.iter().any(|answer| *answer != "created");
                chain_answers.push(match (is_open_end, is_broken) {
                    (true, _) => "linked_event_chain_open",
                    (false, true) => "linked_event_failed",
                    (false, false) => apply(&mut copy, event),
                });
            }
            if chain_answers.iter().all(|answer| *answer == "created") {
                *self = copy;
            } else {
                for (event, answer) in chain.iter().zip(&mut chain_answers) {
                    if *answer == "created" {
                        *answer = "linked_event_failed";
                    } else if is_transient(answer) {
                        burn(self, event);
                    }
                }
            }
            start += chain.len();
            answers.extend(chain_answers);
        }
        answers
    }

    fn account(&self, id: AccountId) -> Option<&AccountRequest> {
        self.accounts.iter().find(|account| account.id == id)
    }

    fn transfer(&self, id: TransferId) -> Option<&(TransferRequest, u64)> {
        self.transfers
            .iter()
            .find(|(transfer, _)| transfer.id == id)
    }

    pub fn status(&self, id: TransferId) -> Option<PendingStatus> {
        let (hold, since) = self.transfer(id)?;
        if !hold.flags.contains(TransferFlags::PENDING) {
            return None;
        }
        let end = self
            .transfers
            .iter()
            .find(|(transfer, _)| transfer.pending_id == id);
        Some(match end {
            Some((end, _)) if end.flags.contains(TransferFlags::POST_PENDING_TRANSFER) => {
                PendingStatus::Posted
            }
            Some(_) => PendingStatus::Voided,
            None if hold.timeout > 0 && since + u64::from(hold.timeout) * SECOND <= self.now => {
                PendingStatus::Expired
            }
            None => PendingStatus::Pending,
        })
    }

    pub fn counters(&self, id: AccountId) -> Counters {
        let mut counters = [0; 4];
        for (transfer, _) in &self.transfers {
            let column = match self.status(transfer.id) {
                Some(PendingStatus::Pending) => 0,
                None if !transfer
                    .flags
                    .contains(TransferFlags::VOID_PENDING_TRANSFER) =>
                {
                    1
                }
                _ => continue,
            };
            if transfer.debit_account_id == id {
                counters[column] += transfer.amount.nano();
            }
            if transfer.credit_account_id == id {
                counters[column + 2] += transfer.amount.nano();
            }
        }
        counters
    }

    pub fn exists(&self, id: AccountId) -> bool {
        self.account(id).is_some()
    }

    pub fn is_closed(&self, id: AccountId) -> bool {
        self.account(id)
            .unwrap()
            .flags
            .contains(AccountFlags::CLOSED)
            || self.transfers.iter().any(|(hold, _)| {
                let closes = (hold.debit_account_id == id
                    && hold.flags.contains(TransferFlags::CLOSING_DEBIT))
                    || (hold.credit_account_id == id
                        && hold.flags.contains(TransferFlags::CLOSING_CREDIT));
                closes && self.status(hold.id) == Some(PendingStatus::Pending)
            })
    }

    fn account_answer(&self, request: &AccountRequest) -> &'static str {
        if request.id.0 == 0 {
            return "id_must_not_be_zero";
        }
        if request.id.0 == ANY {
            return "id_must_not_be_int_max";
        }
        if let Some(account) = self.account(request.id) {
            let mut flags = account.flags;
            if self.is_closed(account.id) {
                flags = flags | AccountFlags::CLOSED;
            }
            if request.flags != flags {
                return "exists_with_different_flags";
            }
            if request.ledger != account.ledger {
                return "exists_with_different_ledger";
            }
            if request.limit != account.limit {
                return "exists_with_different_limit";
            }
            return "exists";
        }
        let names: Vec<_> = request
            .flags
            .names()
            .filter(|name| name.contains("must_not"))
            .collect();
        if names.len() == 2 {
            return "flags_are_mutually_exclusive";
        }
        if request.ledger == 0 {
            return "ledger_must_not_be_zero";
        }
        if request.limit != Amount::ZERO && names != ["debits_must_not_exceed_credits"] {
            return "limit_reserved_for_debits_must_not_exceed_credits";
        }
        "created"
    }

    /// The transfer as it takes effect, or the refusal's code.
    fn effect(&self, request: &TransferRequest) -> Result<TransferRequest, &'static str> {
        if request.id.0 == 0 {
            return Err("id_must_not_be_zero");
        }
        if request.id.0 == ANY {
            return Err("id_must_not_be_int_max");
        }
        if let Some((existing, _)) = self.transfer(request.id) {
            return Err(self.difference(request, existing));
        }
        if self.burnt.contains(&request.id) {
            return Err("id_already_failed");
        }
        let is = |flag| request.flags.contains(flag);
        if is(TransferFlags::POST_PENDING_TRANSFER) || is(TransferFlags::VOID_PENDING_TRANSFER) {
            self.end_of_hold(request)
        } else {
            self.movement(request)
        }
    }

    fn difference(&self, request: &TransferRequest, existing: &TransferRequest) -> &'static str {
        if request.flags != existing.flags {
            return "exists_with_different_flags";
        }
        if request.pending_id != existing.pending_id {
            return "exists_with_different_pending_id";
        }
        if request.timeout != existing.timeout {
            return "exists_with_different_timeout";
        }
        let hold = self.transfer(existing.pending_id).map(|(hold, _)| hold);
        let wish = |given: u128, open: u128, held: u128| {
            if hold.is_some() && given == open {
                held
            } else {
                given
            }
        };
        let held = hold.copied().unwrap_or_default();
        if wish(request.debit_account_id.0, 0, held.debit_account_id.0)
            != existing.debit_account_id.0
        {
            return "exists_with_different_debit_account_id";
        }
        if wish(request.credit_account_id.0, 0, held.credit_account_id.0)
            != existing.credit_account_id.0
        {
            return "exists_with_different_credit_account_id";
        }
        let is = |flag| request.flags.contains(flag);
        let whole = if is(TransferFlags::VOID_PENDING_TRANSFER) {
            0
        } else {
            ANY
        };
        let amount = wish(request.amount.nano(), whole, held.amount.nano());
        let moved = existing.amount.nano();
        let is_maximum = is(TransferFlags::BALANCING_DEBIT) || is(TransferFlags::BALANCING_CREDIT);
        if amount < moved || (amount > moved && !is_maximum) {
            return "exists_with_different_amount";
        }
        if wish(request.user_data_64.into(), 0, held.user_data_64.into())
            != existing.user_data_64.into()
        {
            return "exists_with_different_user_data_64";
        }
        if wish(request.ledger.into(), 0, held.ledger.into()) != existing.ledger.into() {
            return "exists_with_different_ledger";
        }
        if wish(request.code.into(), 0, held.code.into()) != existing.code.into() {
            return "exists_with_different_code";
        }
        "exists"
    }

    fn end_of_hold(&self, request: &TransferRequest) -> Result<TransferRequest, &'static str> {
        let is = |flag| request.flags.contains(flag);
        let kinds = request
            .flags
            .names()
            .filter(|name| *name != "linked")
            .count();
        if kinds != 1 {
            return Err("flags_are_mutually_exclusive");
        }
        if request.pending_id.0 == 0 {
            return Err("pending_id_must_not_be_zero");
        }
        if request.pending_id == request.id {
            return Err("pending_id_must_be_different");
        }
        if request.timeout != 0 {
            return Err("timeout_reserved_for_pending_transfer");
        }
        let Some((hold, _)) = self.transfer(request.pending_id) else {
            return Err("pending_transfer_not_found");
        };
        let Some(status) = self.status(hold.id) else {
            return Err("pending_transfer_not_pending");
        };
        if ![0, hold.debit_account_id.0].contains(&request.debit_account_id.0) {
            return Err("pending_transfer_has_different_debit_account_id");
        }
        if ![0, hold.credit_account_id.0].contains(&request.credit_account_id.0) {
            return Err("pending_transfer_has_different_credit_account_id");
        }
        if ![0, hold.ledger].contains(&request.ledger) {
            return Err("pending_transfer_has_different_ledger");
        }
        if ![0, hold.code].contains(&request.code) {
            return Err("pending_transfer_has_different_code");
        }
        let is_void = is(TransferFlags::VOID_PENDING_TRANSFER);
        let amount = match request.amount.nano() {
            0 if is_void => hold.amount,
            ANY if !is_void => hold.amount,
            _ => request.amount,
        };
        if amount > hold.amount {
            return Err("exceeds_pending_transfer_amount");
        }
        if is_void && amount != hold.amount {
            return Err("pending_transfer_has_different_amount");
        }
        match status {
            PendingStatus::Posted => return Err("pending_transfer_already_posted"),
            PendingStatus::Voided => return Err("pending_transfer_already_voided"),
            PendingStatus::Expired => return Err("pending_transfer_expired"),
            PendingStatus::Pending => {}
        }
        if !is_void && self.is_closed(hold.debit_account_id) {
            return Err("debit_account_already_closed");
        }
        if !is_void && self.is_closed(hold.credit_account_id) {
            return Err("credit_account_already_closed");
        }
        let user_data_64 = if request.user_data_64 == 0 {
            hold.user_data_64
        } else {
            request.user_data_64
        };
        Ok(TransferRequest {
            id: request.id,
            amount,
            pending_id: hold.id,
            timeout: 0,
            flags: request.flags,
            user_data_64,
            ..*hold
        })
    }

    fn movement(&self, request: &TransferRequest) -> Result<TransferRequest, &'static str> {
        let is = |flag| request.flags.contains(flag);
        let (debit, credit) = (request.debit_account_id, request.credit_account_id);
        if debit.0 == 0 {
            return Err("debit_account_id_must_not_be_zero");
        }
        if credit.0 == 0 {
            return Err("credit_account_id_must_not_be_zero");
        }
        if debit == credit {
            return Err("accounts_must_be_different");
        }
        if request.pending_id.0 != 0 {
            return Err("pending_id_must_be_zero");
        }
        if request.timeout != 0 && !is(TransferFlags::PENDING) {
            return Err("timeout_reserved_for_pending_transfer");
        }
        if request
            .flags
            .names()
            .any(|name| name.starts_with("closing"))
            && !is(TransferFlags::PENDING)
        {
            return Err("closing_transfer_must_be_pending");
        }
        if request.ledger == 0 {
            return Err("ledger_must_not_be_zero");
        }
        if request.code == 0 {
            return Err("code_must_not_be_zero");
        }
        let Some(payer) = self.account(debit) else {
            return Err("debit_account_not_found");
        };
        let Some(payee) = self.account(credit) else {
            return Err("credit_account_not_found");
        };
        if payer.ledger != payee.ledger {
            return Err("accounts_must_have_the_same_ledger");
        }
        if request.ledger != payer.ledger {
            return Err("transfer_must_have_the_same_ledger_as_accounts");
        }
        if self.is_closed(debit) {
            return Err("debit_account_already_closed");
        }
        if self.is_closed(credit) {
            return Err("credit_account_already_closed");
        }
        let [debits_pending, debits_posted, _, payer_income] = self.counters(debit);
        let [_, payee_spent, credits_pending, credits_posted] = self.counters(credit);
        let spendable =
            (payer_income + payer.limit.nano()).saturating_sub(debits_pending + debits_posted);
        let receivable = payee_spent.saturating_sub(credits_pending + credits_posted);
        let mut amount = request.amount.nano();
        if is(TransferFlags::BALANCING_DEBIT) {
            amount = amount.min(spendable);
        }
        if is(TransferFlags::BALANCING_CREDIT) {
            amount = amount.min(receivable);
        }
        let fits = |counter: u128| counter.checked_add(amount).is_some();
        for (counter, is_checked, answer) in [
            (
                debits_pending,
                is(TransferFlags::PENDING),
                "overflows_debits_pending",
            ),
            (
                credits_pending,
                is(TransferFlags::PENDING),
                "overflows_credits_pending",
            ),
            (debits_posted, true, "overflows_debits_posted"),
            (credits_posted, true, "overflows_credits_posted"),
            (debits_pending + debits_posted, true, "overflows_debits"),
            (credits_pending + credits_posted, true, "overflows_credits"),
        ] {
            if is_checked && !fits(counter) {
                return Err(answer);
            }
        }
        if payer
            .flags
            .contains(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS)
            && amount > spendable
        {
            return Err("exceeds_credits");
        }
        if payee
            .flags
            .contains(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS)
            && amount > receivable
        {
            return Err("exceeds_debits");
        }
        if amount >= 1 << 63 {
            return Err("exceeds_amount_max");
        }
        Ok(TransferRequest {
            amount: Amount::from_nano(amount),
            ..*request
        })
    }
}
