use super::store::{beside, reading};
use crate::context::Context;
use aigen_api::resources::{JournalFault, JournalTip, Verification};
use aigen_journal::{Found, StoreError, verify};
use aigen_types::Amount;
use anyhow::Result;
use serde::Serialize;
use std::process::ExitCode;

/// A journal that verifies, as `--json` prints it: the wire's form, and the two sums behind it.
#[derive(Debug, Serialize)]
struct Sound {
    #[serde(flatten)]
    verification: Verification,
    /// Everything ever issued, in AIGEN.
    #[serde(serialize_with = "crate::config::text::serialize")]
    issued: Amount,
    /// What all addresses have together, in AIGEN.
    #[serde(serialize_with = "crate::config::text::serialize")]
    balances: Amount,
    /// What stands behind the last record; only of a journal in a file.
    #[serde(flatten)]
    beside: Option<Beside>,
}

/// What lies beside a journal in a file.
#[derive(Debug, Serialize)]
struct Beside {
    /// The last record that was taken down as acknowledged.
    acknowledged: Option<u64>,
    /// Bytes of the log that were begun and belong to no whole record.
    unfinished_bytes: u64,
    /// Pages of them, each with a header.
    unfinished_frames: u64,
}

impl From<&Found> for Beside {
    fn from(found: &Found) -> Self {
        Self {
            acknowledged: found.acknowledged().map(|tip| tip.seq),
            unfinished_bytes: found.unfinished.bytes,
            unfinished_frames: found.unfinished.frames,
        }
    }
}

/// One that does not.
#[derive(Debug, Serialize)]
struct Damaged {
    ok: bool,
    /// Records before the fault.
    records: u64,
    fault: JournalFault,
}

pub fn run(context: &Context) -> Result<ExitCode> {
    let bar = context.output.progress(None, "records");
    let mut last = 0;
    // Looked at first: a node may append meanwhile, and then there is more than was acknowledged.
    let beside = beside(context)?;
    let verified = reading(context, |store| {
        let verified = verify(store, |seq| {
            last = seq;
            bar.set_position(seq);
        });
        let lost = beside.as_ref().map_or(Ok(()), |found| found.check(store));
        Ok(verified.and_then(|verified| lost.map(|()| verified)))
    })?;
    bar.finish_and_clear();
    match verified {
        Ok(Ok(found)) => sound(&found, beside.as_ref(), context),
        Ok(Err(fault)) => damaged(last, last, fault.into(), context),
        Err(error @ (StoreError::Damaged { seq, .. } | StoreError::Lost { seq, .. })) => {
            damaged(seq, last, error.into(), context)
        }
        Err(error) => Err(error.into()),
    }
}

fn sound(
    found: &aigen_journal::Verification,
    beside: Option<&Found>,
    context: &Context,
) -> Result<ExitCode> {
    let verification = Verification {
        ok: true,
        tip: JournalTip {
            seq: found.records,
            hash: found.tip,
        },
        records: found.records,
        transfers: found.transfers as u64,
        fault: None,
    };
    let report = Sound {
        verification,
        issued: found.issued,
        balances: found.balances,
        beside: beside.map(Beside::from),
    };
    let unfinished = report
        .beside
        .as_ref()
        .map_or(0, |beside| beside.unfinished_bytes);
    context
        .output
        .data(&report, || describe(found, unfinished))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(found: &aigen_journal::Verification, unfinished: u64) -> String {
    let unfinished = match unfinished {
        0 => String::new(),
        bytes => {
            format!("unfinished  {bytes} bytes behind the last record, which belong to none\n")
        }
    };
    format!(
        "records     {}, each hash and each link of the chain checked\n\
         transfers   {}, between {} accounts\n\
         receipts    {}, each rated again from its usage\n\
         open calls  {}\n\
         epochs      {}, each settled again from its input\n\
         snapshots   {}, each the state that its records lead to\n\
         issued      {} AIGEN\n\
         balances    {} AIGEN, the same\n\
         tip         {}\n\
         {unfinished}ledger verified\n",
        found.records,
        found.transfers,
        found.accounts,
        found.receipts,
        found.open_calls,
        found.epochs,
        found.snapshots,
        found.issued,
        found.balances,
        found.tip,
    )
}

/// People read it as the error it is; programs get it as data.
fn damaged(seq: u64, records: u64, error: anyhow::Error, context: &Context) -> Result<ExitCode> {
    if !context.output.json {
        return Err(error.context(format!(
            "the ledger does not verify at journal record {seq}"
        )));
    }
    let reason = error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let report = Damaged {
        ok: false,
        records,
        fault: JournalFault { seq, reason },
    };
    context.output.data(&report, String::new)?;
    Ok(ExitCode::FAILURE)
}
