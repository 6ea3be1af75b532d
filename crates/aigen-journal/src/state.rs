//! The places and numbers of everything a network's state is made of, for snapshots. Whoever
//! changes one raises `SNAPSHOT_VERSION` and keeps reading the form before.

use crate::codec::{DecodeError, Wire, choice, earlier, malformed, put_length, record};
use crate::ended::Ended;
use crate::spool::Inlet;
use aigen_economy::settlement::{self, Input, Output};
use aigen_economy::{Charge, ChargeLine, LineKind, Split};
use aigen_ledger::{Account, AccountFlags, Ledger, Transfer, TransferFlags};
use aigen_network::{
    Allowance, Budget, Call, Cap, Capped, Controller, Dataset, Datasets, EpochState, Evaluated,
    Governance, Held, Hold, Key, Minute, Model, OpenAppeal, Opened, Parts, PayoutKind, Phase, Plan,
    Posting, Read, ReadReceipt, Receipt, Receipts, Refund, Reversal, RulesVersion, SettledEpoch,
    StakeStanding, Steered, Tally, Validator, Waiting, Window,
};
use aigen_types::{Timestamp, TransferId};
use std::borrow::Cow;

pub(crate) fn put_accounts(ledger: &Ledger, out: &mut Vec<u8>) {
    ledger.now().put(out);
    put_length(ledger.accounts().count(), out);
    ledger.accounts().for_each(|account| account.put(out));
}

/// Into a ledger that is empty. `count` tells how many transfers follow.
pub(crate) fn take_ledger(
    empty: Ledger,
    count: impl FnOnce(&mut Inlet<'_>) -> Result<u64, DecodeError>,
    input: &mut Inlet<'_>,
) -> Result<Ledger, DecodeError> {
    let now: Timestamp = input.take()?;
    let accounts: Vec<Account> = input.take()?;
    let count = count(input)?;
    let mut cut = None;
    let transfers = input.take_all(count, Transfer::take, &mut cut);
    let filled = empty.filled(now, accounts, transfers);
    if let Some(error) = cut {
        return Err(error);
    }
    let burnt: Vec<TransferId> = input.take()?;
    match filled.and_then(|filled| filled.checked(burnt)) {
        Ok(ledger) => Ok(ledger),
        Err(_) => malformed("the ledger breaks its own rules"),
    }
}

/// The fields in their order. Up to version 7 the receipts were in their midst, and those at the end came with
/// releases.
macro_rules! parts {
    ($($before:ident),*; receipts; $($after:ident),*; $($later:ident),*) => {
        pub(crate) fn put_parts(parts: &Parts<'_>, out: &mut Vec<u8>) {
            $(parts.$before.put(out);)*
            $(parts.$after.put(out);)*
            $(parts.$later.put(out);)*
        }

        /// With these receipts.
        pub(crate) fn take_parts(
            receipts: Receipts,
            input: &mut Inlet<'_>,
        ) -> Result<Parts<'static>, DecodeError> {
            let receipts = Cow::Owned(receipts);
            $(let $before = input.take()?;)*
            $(let $after = input.take()?;)*
            $(let $later = input.take()?;)*
            Ok(Parts { $($before,)* receipts, $($after,)* $($later,)* })
        }

        /// Receipts are left where they are, and these without any take their place.
        pub(crate) fn take_older_parts(
            empty: Receipts,
            has_counters: bool,
            has_releases: bool,
            input: &mut Inlet<'_>,
        ) -> Result<(Parts<'static>, Ended), DecodeError> {
            $(let $before = input.take()?;)*
            let ended = Ended::take(has_counters, input)?;
            $(let $after = input.take()?;)*
            $(let $later = match has_releases {
                true => input.take()?,
                false => Cow::default(),
            };)*
            let receipts = Cow::Owned(empty);
            let parts = Parts { $($before,)* receipts, $($after,)* $($later,)* };
            Ok((parts, ended))
        }
    };
}

parts!(
    founded, commands, record, addresses, keys, models, controllers, controller_names, validators,
    calls; receipts; epoch, settled, scores, budgets, allowances;
    releases, publishers, standings, tags
);

record!(Account {
    id,
    ledger,
    code,
    flags,
    limit,
    user_data_128,
    user_data_64,
    user_data_32,
    debits_pending,
    debits_posted,
    credits_pending,
    credits_posted,
    timestamp,
});
record!(Transfer {
    id,
    debit_account_id,
    credit_account_id,
    amount,
    pending_id,
    timeout,
    ledger,
    code,
    flags,
    user_data_128,
    user_data_64,
    user_data_32,
    timestamp,
});

macro_rules! flags {
    ($($name:ident),*) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                self.bits().put(out);
            }

            fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
                match Self::from_bits(u16::take(input)?) {
                    Some(flags) => Ok(flags),
                    None => malformed("a flag without a name"),
                }
            }
        }
    )*};
}
flags!(AccountFlags, TransferFlags);

record!(Key {
    secret_hash,
    account,
    spender,
    role,
    revoked
});
record!(Budget { cap, period });
record!(Allowance {
    cap,
    period,
    margin,
    expires_at,
    revoked
});
record!(Model {
    provider,
    digest,
    context_tokens,
    price,
    price_version
});
record!(Controller {
    published,
    published_at
});
record!(Validator { owner, skill });
earlier!(CallWithoutReads of Call {
    key,
    node,
    payer,
    spender,
    app,
    margin,
    caps,
    model,
    controller,
    request,
    budget,
    prompt_tokens,
    covered_tokens,
    used,
    price,
    price_version,
    holds,
    opened_at,
} with {
    reads: Vec::new(),
});

/// What few calls have read of datasets stands apart: see [`crate::said::Said`].
impl Wire for Call {
    fn put(&self, out: &mut Vec<u8>) {
        CallWithoutReads::put(self, out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        CallWithoutReads::take(input)
    }
}

record!(Read {
    wanted,
    purpose,
    provider,
    price,
    fee,
    earned
});
record!(ReadReceipt {
    key,
    payer,
    spender,
    app,
    caps,
    request,
    read,
    protocol,
    margin,
    read_at,
    record,
    transfers,
    refunds,
    reversal
});
record!(Dataset {
    published,
    published_at,
    withdrawn
});
record!(Datasets {
    versions,
    owners,
    grants,
    reads
});
record!(Hold {
    transfer,
    amount,
    caps
});
record!(Cap { of, window });
record!(Window { period, first_day });

impl Wire for Capped {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Path(path) => {
                out.push(1);
                path.put(out);
            }
            Self::Allowance { user, app } => {
                out.push(2);
                user.put(out);
                app.put(out);
            }
        }
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::take(input)? {
            1 => Wire::take(input).map(Self::Path),
            2 => Ok(Self::Allowance {
                user: Wire::take(input)?,
                app: Wire::take(input)?,
            }),
            _ => malformed("an unknown kind of Capped"),
        }
    }
}

earlier!(ReceiptOfTokens of Receipt {
    call,
    charge,
    split,
    margin,
    outcome,
    controller_micros,
    decisions,
    epoch,
    closed_at,
    record,
    transfers,
    refunds,
    reversal,
} with {
    steered: Steered::default(),
    counter: None,
});

/// What came later stands behind it: see [`crate::shelf::FORM`], and for older snapshots [`crate::said::Said`] and
/// [`crate::ended`].
impl Wire for Receipt {
    fn put(&self, out: &mut Vec<u8>) {
        ReceiptOfTokens::put(self, out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        ReceiptOfTokens::take(input)
    }
}

record!(Refund {
    id,
    amount,
    reason,
    at,
    record,
    transfer
});
record!(Reversal {
    id,
    reason,
    at,
    record,
    transfers
});
choice!(LineKind {
    1 => Request,
    2 => Input,
    3 => CachedInput,
    4 => Output,
    5 => Forced,
    6 => Discarded,
    7 => DatasetRows,
    8 => DatasetHits,
    9 => DatasetDownload,
});
record!(ChargeLine {
    kind,
    quantity,
    unit_price,
    amount
});
record!(Charge { lines, total });
record!(Split {
    provider,
    data,
    controller,
    validator,
    protocol
});

choice!(Phase { 1 => Open, 2 => Commit, 3 => Reveal, 4 => Settle });
record!(EpochState {
    number,
    phase,
    cells,
    gold,
    commitments,
    reveals,
    tallies
});
record!(Tally {
    calls,
    succeeded,
    controller_micros,
    tokens,
    consumers
});
record!(Evaluated {
    scored_epochs,
    state
});
record!(SettledEpoch {
    input,
    output,
    gold,
    postings,
    record,
    closed_at
});
choice!(PayoutKind {
    1 => Payout,
    2 => ValidatorPay,
    3 => Slash,
    4 => Refund,
    5 => Treasury,
    6 => Burned,
    7 => Planted,
});
record!(Posting {
    transfer,
    kind,
    subject,
    to,
    amount
});

record!(Governance {
    rules,
    standings,
    plan,
    held,
    opened,
    beacon
});
record!(RulesVersion { from, rules });
record!(StakeStanding {
    coming,
    leaving,
    bond
});
record!(Waiting { until, amount });
record!(Plan {
    commit_until,
    reveal_until,
    seed,
    telemetry,
    eligible
});
record!(Opened {
    seed,
    telemetry_at_assignment,
    telemetry
});
record!(Held {
    until,
    decide_until,
    appeals,
    revisions
});
record!(OpenAppeal {
    from,
    bond,
    controller,
    parameter,
    evidence
});

record!(Input {
    params,
    parameters,
    controllers,
    validators,
    assigned,
    reports,
    gold,
    gold_assigned,
    gold_reports,
    audits,
});
record!(settlement::Controller {
    id,
    owner,
    escrow,
    vbudget,
    scored_epochs,
    state,
    measured,
    consumers
});
record!(settlement::Validator {
    id,
    owner,
    stake,
    skill,
    committed,
    revealed
});
record!(settlement::Assignment {
    validator,
    controller,
    parameter
});
record!(settlement::Report {
    validator,
    controller,
    parameter,
    value
});
record!(settlement::Gold { id, truth });
record!(settlement::GoldAssignment { validator, gold });
record!(settlement::GoldReport {
    validator,
    gold,
    value
});
record!(settlement::Audit {
    controller,
    parameter,
    truth
});
record!(Output {
    controllers,
    validators,
    refunds,
    treasury,
    burned
});
record!(settlement::ControllerResult {
    score,
    state,
    scored_epochs,
    payout,
    remainder
});
record!(settlement::ValidatorResult { skill, pay, slash });

record!(Minute {
    number,
    requests,
    tokens
});
