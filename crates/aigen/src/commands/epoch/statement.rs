use crate::output::Table;
use aigen_api::resources::{ControllerResult, EpochStatement};
use std::fmt::Write;

/// A statement as people read it.
pub fn statement(epoch: &EpochStatement) -> String {
    let mut text = format!(
        "Epoch {}, journal record {}\n\n",
        epoch.epoch, epoch.journal_seq
    );
    let mut controllers = Table::new(&["controller", "score", "earned", "not earned"]);
    let mut by_name: Vec<_> = epoch.controllers.iter().collect();
    by_name.sort_by_key(|result| name(result));
    for result in by_name {
        controllers.row([
            name(result),
            percent(result.score.into()),
            result.payout.to_string(),
            result.remainder.to_string(),
        ]);
    }
    let mut validators = Table::new(&["validator", "skill", "paid", "slashed"]);
    for result in &epoch.validators {
        validators.row([
            result.id.clone(),
            percent(result.skill),
            result.pay.to_string(),
            result.slash.to_string(),
        ]);
    }
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{controllers}\n{validators}\nto the treasury: {}\n",
        epoch.treasury
    );
    text
}

fn name(result: &ControllerResult) -> String {
    let digest = || result.id.chars().take(12).collect();
    result.name.clone().unwrap_or_else(digest)
}

/// Parts per million as a percentage with four digits.
pub fn percent(ppm: i64) -> String {
    let sign = if ppm < 0 { "-" } else { "" };
    let parts = ppm.unsigned_abs();
    format!("{sign}{}.{:04} %", parts / 10_000, parts % 10_000)
}
