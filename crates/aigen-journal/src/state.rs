//! The places and numbers of everything a network's state is made of, for snapshots. Whoever
//! changes one raises `SNAPSHOT_VERSION` and keeps reading the form before.

use crate::codec::{DecodeError, Wire, choice, earlier, malformed, record};
use crate::commands::SteeredWithin;
use aigen_economy::settlement::{self, Input, Output};
use aigen_economy::{Charge, ChargeLine, LineKind, Split};
use aigen_ledger::{Account, AccountFlags, Ledger, Transfer, TransferFlags};
use aigen_network::{
    Allowance, Asked, Budget, Call, Cap, Capped, Controller, Dataset, Datasets, EpochState,
    Evaluated, Governance, Held, Hold, Key, Keyring, Minute, Model, Network, OpenAppeal, Opened,
    Parts, PayoutKind, Phase, Plan, Posting, Read, ReadReceipt, Receipt, Receipts, Refund,
    Reversal, RulesVersion, SettledEpoch, StakeStanding, Steered, Tally, Validator, Waiting,
    Window,
};
use aigen_types::{CallId, Timestamp, TransferId};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Wire for Network {
    fn put(&self, out: &mut Vec<u8>) {
        self.ledger().put(out);
        self.parts().put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let ledger = Ledger::take(input)?;
        Ok(Self::from_parts(Parts::take(input)?, ledger))
    }
}

/// The state as snapshots of version 1 hold it: what came after it is not there.
pub(crate) fn take_before_releases(input: &mut &[u8]) -> Result<Network, DecodeError> {
    let ledger = Ledger::take(input)?;
    // Four empty maps, each of them a length of 32 bits.
    let with_empty = [input, [0; 16].as_slice()].concat();
    let mut rest = with_empty.as_slice();
    let parts = Parts::take(&mut rest)?;
    *input = &input[input.len() - rest.len()..];
    Ok(Network::from_parts(parts, ledger))
}

record!(Parts<'_> {
    founded,
    commands,
    record,
    addresses,
    keys,
    models,
    controllers,
    controller_names,
    validators,
    calls,
    receipts,
    epoch,
    settled,
    scores,
    budgets,
    allowances,
    releases,
    publishers,
    standings,
    tags,
});

impl Wire for Ledger {
    fn put(&self, out: &mut Vec<u8>) {
        self.now().put(out);
        put_all::<Account>(self.accounts(), out);
        put_all::<Transfer>(self.transfers(), out);
        put_all::<TransferId>(self.burnt(), out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let now = Timestamp::take(input)?;
        let accounts = Vec::<Account>::take(input)?;
        let transfers = Vec::<Transfer>::take(input)?;
        let burnt = Vec::take(input)?;
        match Self::restore(now, accounts, transfers, burnt) {
            Ok(ledger) => Ok(ledger),
            Err(_) => malformed("the ledger breaks its own rules"),
        }
    }
}

/// As a `Vec` of them, without making one.
fn put_all<T: Wire>(items: impl Iterator<Item: Borrow<T>>, out: &mut Vec<u8>) {
    let length_at = out.len();
    0_u32.put(out);
    let mut length = 0_u32;
    for item in items {
        item.borrow().put(out);
        length += 1;
    }
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
}

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

/// What few calls have read of datasets stands apart: see [`reads`].
impl Wire for Call {
    fn put(&self, out: &mut Vec<u8>) {
        CallWithoutReads::put(self, out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        CallWithoutReads::take(input)
    }
}

/// What calls have read of datasets, running ones and those that have ended, where they have read
/// anything.
pub(crate) fn reads(network: &Network) -> BTreeMap<CallId, Vec<Read>> {
    let said = |id, call: &Call| {
        let says_all = CallWithoutReads::says(call);
        (!says_all).then(|| (id, call.reads.clone()))
    };
    let running = network.calls().filter_map(|(id, call)| said(id, call));
    let ended = network.receipts();
    let ended = ended.filter_map(|(id, receipt)| said(id, &receipt.call));
    running.chain(ended).collect()
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
});

/// What few receipts say of their steering stands apart: see [`steered`].
impl Wire for Receipt {
    fn put(&self, out: &mut Vec<u8>) {
        ReceiptOfTokens::put(self, out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        ReceiptOfTokens::take(input)
    }
}

/// What receipts say of how their calls were steered, where they say anything.
pub(crate) fn steered(network: &Network) -> BTreeMap<CallId, Steered> {
    network
        .receipts()
        .filter(|(_, receipt)| !ReceiptOfTokens::says(receipt))
        .map(|(call, receipt)| {
            let asked = Asked::default();
            let steered = receipt.steered.clone();
            (call, Steered { asked, ..steered })
        })
        .filter(|(_, steered)| *steered != Steered::default())
        .collect()
}

/// What receipts say that their calls asked of the outside, where they say anything.
pub(crate) fn asked(network: &Network) -> BTreeMap<CallId, Asked> {
    network
        .receipts()
        .filter(|(_, receipt)| !SteeredWithin::says(&receipt.steered))
        .map(|(call, receipt)| (call, receipt.steered.asked))
        .collect()
}

/// As a map of them.
impl Wire for Receipts {
    fn put(&self, out: &mut Vec<u8>) {
        put_all::<(CallId, Arc<Receipt>)>(self.iter(), out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let receipts = BTreeMap::<CallId, Receipt>::take(input)?;
        Ok(receipts.into_iter().collect())
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

record!(Keyring { limits, minutes });
record!(Minute {
    number,
    requests,
    tokens
});
