//! One row per transfer: CSV and JSON lines.

use super::iso;
use crate::commands::ledger::movement::Movement;
use anyhow::Result;
use serde::Serialize;
use std::borrow::Cow;
use std::io::Write;

#[derive(Serialize)]
struct Row<'a> {
    time: String,
    transfer: String,
    reason: &'a str,
    from: Cow<'a, str>,
    to: Cow<'a, str>,
    /// AIGEN, exact.
    amount: String,
    amount_nano: String,
    call: Option<String>,
    ends_hold: Option<String>,
    hold_state: Option<&'static str>,
}

impl<'a> Row<'a> {
    fn of(movement: &'a Movement<'_>) -> Self {
        let amount = movement.transfer.amount;
        Self {
            time: iso(movement.transfer.timestamp),
            transfer: movement.transfer.id.to_string(),
            reason: &movement.reason,
            from: movement.from.as_str().into(),
            to: movement.to.as_str().into(),
            amount: amount.to_string(),
            amount_nano: amount.nano().to_string(),
            call: movement.call.map(|call| call.to_string()),
            ends_hold: movement.ends.map(|hold| hold.to_string()),
            hold_state: movement.state,
        }
    }
}

pub fn csv(out: &mut dyn Write, movements: &[Movement<'_>]) -> Result<()> {
    let mut table = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(out);
    // Written here, so that an export of nothing has them too.
    table.write_record([
        "time",
        "transfer",
        "reason",
        "from",
        "to",
        "amount",
        "amount_nano",
        "call",
        "ends_hold",
        "hold_state",
    ])?;
    for movement in movements {
        let mut row = Row::of(movement);
        row.from = harmless(row.from);
        row.to = harmless(row.to);
        table.serialize(row)?;
    }
    Ok(table.flush()?)
}

/// Spreadsheets run what begins like a formula, and names come from strangers. An apostrophe before
/// it makes it text again (OWASP, CSV injection).
fn harmless(cell: Cow<'_, str>) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        return format!("'{cell}").into();
    }
    cell
}

pub fn jsonl(out: &mut dyn Write, movements: &[Movement<'_>]) -> Result<()> {
    for movement in movements {
        serde_json::to_writer(&mut *out, &Row::of(movement)).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, shown) in [
            ("user:ada", "user:ada"),
            ("=1+1", "'=1+1"),
            ("@sum", "'@sum"),
            ("-2:x", "'-2:x"),
            ("+1", "'+1"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(harmless(cell.into()), shown);
        }
    }
}
