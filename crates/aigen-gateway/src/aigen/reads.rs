//! Rows that were read outside of calls, and what datasets earned.

use super::datasets::use_out;
use super::per_page;
use super::question::{between, own, parsed, told_apart};
use super::receipts::{self, corrections, line, share};
use crate::extract::{Asked, Key};
use crate::failure::Failure;
use crate::limits::{RECEIPTS_PER_PAGE, RECEIPTS_PER_PAGE_MAX};
use crate::state::Gateway;
use aigen_api::resources::{DatasetEarning, List, ReadReceipt, ReceiptKind};
use aigen_node::Caller;
use aigen_node::network::{self, Earning, EarningKey, addresses};
use aigen_types::{Address, CallId, DatasetRef, Day};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `?account=&limit=&after=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Who paid; the key's own account when absent.
    account: Option<String>,
    /// How many, at most.
    limit: Option<usize>,
    /// Only reads before this one.
    after: Option<String>,
}

/// What an account paid for outside of calls, newest first.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(page): Asked<Page>,
) -> Result<Json<List<ReadReceipt>>, Failure> {
    let payer = own(&caller, page.account.as_deref())?;
    let limit = per_page(page.limit, RECEIPTS_PER_PAGE, RECEIPTS_PER_PAGE_MAX)?;
    let after = parsed::<CallId>("after", page.after.as_deref())?;
    let network = gateway.node.network();
    if after.is_some_and(|id| network.read_receipt(id).is_none()) {
        return Err(Failure::invalid("after", "there is no such read"));
    }
    let reads = network.reads_of(&payer, after);
    let seen = reads.filter(|(_, read)| may_see(&caller, read));
    let data: Vec<_> = seen
        .take(limit)
        .map(|(id, read)| describe(id, read))
        .collect();
    let next = data.last().filter(|_| data.len() == limit);
    Ok(Json(List {
        next: next.map(|read| read.id.to_string()),
        data,
    }))
}

/// As of a call: whoever paid, and whoever it is attributed to.
pub(super) fn may_see(caller: &Caller, read: &network::ReadReceipt) -> bool {
    caller.may_see_spender(&read.spender) || read.payer == caller.account
}

pub(super) fn describe(id: CallId, receipt: &network::ReadReceipt) -> ReadReceipt {
    let read = &receipt.read;
    let shares = [
        share("data", Some(read.provider.clone()), read.earned),
        share("protocol", Some(addresses::protocol()), receipt.protocol),
        share("app", receipt.app.clone(), receipt.margin),
    ];
    let charge = read.charge().unwrap_or_default();
    ReadReceipt {
        id,
        kind: ReceiptKind::DatasetRead,
        read: receipts::read(read),
        lines: charge.lines.iter().map(line).collect(),
        total: read.fee,
        margin: receipt.margin,
        payer: receipt.payer.clone(),
        spender: receipt.spender.clone(),
        budgets: receipt.caps.iter().map(|cap| cap.of.to_string()).collect(),
        corrections: corrections(
            id,
            receipt.total(),
            &receipt.refunds,
            receipt.reversal.as_ref(),
        ),
        split: shares.into_iter().flatten().collect(),
        created: receipt.read_at,
        journal_seq: receipt.record,
    }
}

/// `?account=&from=&to=&by=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Who earned; the key's own account when absent.
    account: Option<String>,
    /// The first day.
    from: Option<String>,
    /// The last day, which counts.
    to: Option<String>,
    /// What to tell apart, by commas: `day`, `purpose`.
    by: Option<String>,
}

/// What an account earned with its datasets, each by itself.
pub(super) async fn earnings(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(question): Asked<Question>,
) -> Result<Json<List<DatasetEarning>>, Failure> {
    let account = own(&caller, question.account.as_deref())?;
    let (from, to) = (question.from.as_deref(), question.to.as_deref());
    let days = between(from, to, Day::default()..=Day::MAX)?;
    let [day, purpose] = told_apart(question.by.as_deref(), ["day", "purpose"])?;
    let by = By { day, purpose };
    let network = gateway.node.network();
    let mut sums = BTreeMap::<Told, Earning>::new();
    for (key, earning) in network.earnings(&account, days) {
        let sum = sums.entry(by.told(key)).or_default();
        *sum = sum.plus(*earning);
    }
    let data = sums.into_iter().map(|(told, sum)| row(&account, told, sum));
    Ok(Json(List::complete(data.collect())))
}

/// What is told apart beside versions.
#[derive(Clone, Copy)]
struct By {
    day: bool,
    purpose: bool,
}

/// A version, and what else is told apart.
type Told = (DatasetRef, Option<Day>, Option<network::DatasetUse>);

impl By {
    fn told(self, key: &EarningKey) -> Told {
        let (day, purpose) = (Some(key.day), Some(key.purpose));
        let (day, purpose) = (day.filter(|_| self.day), purpose.filter(|_| self.purpose));
        (key.dataset.clone(), day, purpose)
    }
}

fn row(account: &Address, (dataset, day, purpose): Told, sum: Earning) -> DatasetEarning {
    DatasetEarning {
        account: account.clone(),
        dataset,
        day,
        purpose: purpose.map(use_out),
        reads: sum.reads,
        rows: sum.rows,
        fees: sum.fees,
        earned: sum.earned,
        given_back: sum.given_back,
    }
}
