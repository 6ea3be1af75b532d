//! §6: what a validator is judged by.

use super::int::Int;
use super::names::Names;
use super::panel::{Panel, in_range};
use aigen_types::Ppm;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A known truth, and what a live validator that was assigned it said.
pub(super) struct Evidence {
    pub truth: Int,
    /// None if it gave no answer that counts.
    pub report: Option<Int>,
    /// Of an audited cell; otherwise of a gold item.
    pub audited: bool,
    validator: usize,
}

/// The evidence on every live validator, by validator, then truth.
pub(super) struct Record(Vec<Evidence>);

impl Record {
    pub fn of(panel: &Panel<'_>, names: &Names<'_>) -> Self {
        let mut record: Vec<Evidence> = gold(panel, names)
            .chain(audits(panel))
            .filter(|evidence| panel.seats[evidence.validator].live)
            .collect();
        record.sort_unstable_by_key(|evidence| (evidence.validator, evidence.truth));
        Self(record)
    }

    /// The evidence on one validator, ordered by truth.
    pub fn on(&self, validator: usize) -> &[Evidence] {
        let first = self.0.partition_point(|item| item.validator < validator);
        let rest = &self.0[first..];
        &rest[..rest.partition_point(|item| item.validator == validator)]
    }
}

#[cfg(test)]
impl Evidence {
    pub fn new(truth: Int, report: Option<Int>) -> Self {
        Self {
            truth,
            report,
            audited: false,
            validator: 0,
        }
    }
}

/// Every gold item that was assigned, with its report or none.
fn gold(panel: &Panel<'_>, names: &Names<'_>) -> impl Iterator<Item = Evidence> {
    let input = panel.input;
    let key = |validator: &str, gold: &str| {
        let validator = names.validator(validator).ok()?;
        Some((validator, names.gold(gold).ok()?))
    };
    let assigned = input.gold_assigned.iter();
    let mut answers: BTreeMap<(usize, usize), Option<Ppm>> = assigned
        .filter_map(|row| Some((key(&row.validator, &row.gold)?, None)))
        .collect();
    for report in &input.gold_reports {
        let answer = key(&report.validator, &report.gold).and_then(|key| answers.get_mut(&key));
        if let Some(answer) = answer {
            *answer = in_range(report.value);
        }
    }
    let evidence = answers.into_iter();
    evidence.map(|((validator, gold), answer)| Evidence {
        truth: input.gold[gold].truth.into(),
        report: answer.map(Int::from),
        audited: false,
        validator,
    })
}

/// Every audited cell that was admissibly assigned, with its counted report or none.
fn audits(panel: &Panel<'_>) -> impl Iterator<Item = Evidence> {
    panel.audits.iter().flat_map(|(key, truth)| {
        let places = panel.cell(*key).places.iter();
        places.map(|place| Evidence {
            truth: (*truth).into(),
            report: place.report.map(Int::from),
            audited: true,
            validator: place.validator,
        })
    })
}
