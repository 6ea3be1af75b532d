//! Lines about who may spend how much, and about giving it back.

use super::values::{call_id, pairs, value};
use crate::world::Fault;
use aigen_network::{Command, GrantAllowance, RefundCall, ReverseCall, RevokeAllowance, SetBudget};
use aigen_types::{Ppm, Timestamp, TransferId};

const NANOS_PER_HOUR: u64 = 3_600_000_000_000;

/// `None` for a line about something else. Corrections are known by their line.
pub(super) fn command(words: &[&str], id: TransferId) -> Result<Option<Command>, Fault> {
    Ok(Some(match *words {
        ["budget", path, cap, "per", period] => Command::SetBudget(SetBudget {
            path: value(path)?,
            cap: Some(value(cap)?),
            period: value(period)?,
        }),
        ["unbudget", path] => Command::SetBudget(SetBudget {
            path: value(path)?,
            cap: None,
            period: value("total")?,
        }),
        ["allow", app, "by", user, cap, "per", period, ref terms @ ..] => {
            let allowance = GrantAllowance {
                user: value(user)?,
                app: value(app)?,
                cap: value(cap)?,
                period: value(period)?,
                margin: Ppm::ZERO,
                expires_at: None,
            };
            Command::GrantAllowance(with_terms(allowance, terms)?)
        }
        ["disallow", app, "by", user] => Command::RevokeAllowance(RevokeAllowance {
            user: value(user)?,
            app: value(app)?,
        }),
        ["reverse", call, "because", reason] => Command::ReverseCall(ReverseCall {
            id,
            call: call_id(call)?,
            reason: value(reason)?,
        }),
        ["refund", call, amount, "because", reason] => Command::RefundCall(RefundCall {
            id,
            call: call_id(call)?,
            amount: value(amount)?,
            reason: value(reason)?,
        }),
        _ => return Ok(None),
    }))
}

fn with_terms(mut allowance: GrantAllowance, terms: &[&str]) -> Result<GrantAllowance, Fault> {
    for (name, text) in pairs(terms)? {
        match name {
            "margin" => {
                let margin = Ppm::new(value(text)?);
                allowance.margin = margin.ok_or("a margin is at most 1000000 ppm")?;
            }
            "until" => allowance.expires_at = Some(Timestamp(hour(text)?)),
            _ => return Err(format!("{name:?} is no term of an allowance").into()),
        }
    }
    Ok(allowance)
}

/// Ledger time at an hour counted from the scenario's begin.
fn hour(text: &str) -> Result<u64, Fault> {
    let nanos = value::<u64>(text)?.checked_mul(NANOS_PER_HOUR);
    Ok(nanos.ok_or("that is beyond the end of ledger time")?)
}
