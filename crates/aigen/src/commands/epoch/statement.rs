use crate::output::{Table, csv};
use aigen_api::resources::{ControllerResult, DatasetFees, EpochStatement};
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write;

/// One line of a statement; amounts in AIGEN, scores and skills in parts per million.
#[derive(Default, Serialize)]
struct Row {
    epoch: u64,
    kind: &'static str,
    id: String,
    name: String,
    score_or_skill_ppm: Option<i64>,
    earned: Option<String>,
    not_earned: Option<String>,
    slashed: Option<String>,
}

/// A statement as a spreadsheet reads it.
///
/// # Errors
/// None that a statement can cause.
pub fn rows(epoch: &EpochStatement) -> Result<String> {
    let number = epoch.epoch.0;
    let controllers = epoch.controllers.iter().map(|result| Row {
        epoch: number,
        kind: "controller",
        id: result.id.clone(),
        name: name(result),
        score_or_skill_ppm: Some(result.score.into()),
        earned: Some(result.payout.to_string()),
        not_earned: Some(result.remainder.to_string()),
        slashed: None,
    });
    let validators = epoch.validators.iter().map(|result| Row {
        epoch: number,
        kind: "validator",
        id: result.id.clone(),
        name: result.id.clone(),
        score_or_skill_ppm: Some(result.skill),
        earned: Some(result.pay.to_string()),
        not_earned: None,
        slashed: Some(result.slash.to_string()),
    });
    let treasury = Row {
        epoch: number,
        kind: "treasury",
        earned: Some(epoch.treasury.to_string()),
        ..Row::default()
    };
    // Of what readers paid: the datasets' providers, and the protocol.
    let fees = epoch.datasets.iter().flat_map(|fees| {
        let providers = fees.fees.saturating_sub(fees.protocol);
        [("providers", providers), ("protocol", fees.protocol)]
    });
    let fees = fees.map(|(name, earned)| Row {
        epoch: number,
        kind: "dataset fees",
        name: name.to_owned(),
        earned: Some(earned.to_string()),
        ..Row::default()
    });
    let rows = controllers.chain(validators).chain([treasury]).chain(fees);
    let rows: Vec<_> = rows.collect();
    csv(&rows)
}

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
    if let Some(fees) = &epoch.datasets {
        let _ = writeln!(text, "{}", read(fees));
    }
    text
}

fn read(fees: &DatasetFees) -> String {
    let DatasetFees {
        reads,
        rows,
        fees: paid,
        protocol,
        given_back,
    } = fees;
    let providers = paid.saturating_sub(*protocol);
    let back = match given_back.is_zero() {
        true => String::new(),
        false => format!(", {given_back} of it given back since"),
    };
    format!(
        "of datasets: {rows} rows in {reads} reads for {paid}: {providers} to providers, {protocol} to the protocol{back}"
    )
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
