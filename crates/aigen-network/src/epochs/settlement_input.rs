use super::conformance::{CONFORMANCE, Checked};
use crate::accounts::addresses;
use crate::command::{Cell, GoldOpening, Report};
use crate::network::Network;
use crate::refusal::Refusal;
use crate::rules::Rules;
use aigen_economy::settlement::{
    Assignment, Controller, Gold, GoldAssignment, GoldReport, Input, ParameterKind,
    Report as Answer, Validator,
};
use aigen_types::{Digest, Ppm, Slug};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Network {
    /// Everything this epoch's payouts depend on, as a value that anyone can settle again.
    pub(super) fn settlement_input(
        &self,
        planted: &BTreeSet<Digest>,
        gold: &[GoldOpening],
    ) -> Result<Input, Refusal> {
        let rules = self.rules()?;
        let budget_micros = self.settings()?.latency_budget_micros;
        let checked = self.checked(self.epoch.number);
        let controllers = self.scored_controllers(&rules, budget_micros, planted, &checked);
        let mut input = Input {
            params: rules.params,
            parameters: rules.parameters,
            controllers,
            validators: self.scoring_validators(),
            gold: gold.iter().map(hidden_case).collect(),
            ..Input::default()
        };
        let truths: BTreeSet<_> = input.gold.iter().map(|gold| gold.id.clone()).collect();
        self.sort_cells(&truths, &mut input);
        self.sort_reports(&truths, &mut input);
        Ok(input)
    }

    /// Every controller version with money in escrow or a question to answer, planted ones left out.
    fn scored_controllers(
        &self,
        rules: &Rules,
        budget_micros: u64,
        planted: &BTreeSet<Digest>,
        checked: &BTreeMap<Digest, Checked>,
    ) -> Vec<Controller> {
        let asked: BTreeSet<_> = self
            .epoch
            .cells
            .iter()
            .map(|cell| cell.controller)
            .collect();
        self.controllers()
            .filter(|(digest, _)| !planted.contains(digest))
            .filter(|(digest, _)| {
                asked.contains(digest) || !self.available(&addresses::escrow(*digest)).is_zero()
            })
            .map(|(digest, known)| {
                let owner = &known.published.reference.owner;
                let mut scored = self.scored_controller(rules, budget_micros, digest, owner);
                scored
                    .measured
                    .extend(measured_conformance(rules, checked, digest));
                scored
            })
            .collect()
    }

    fn scored_controller(
        &self,
        rules: &Rules,
        budget_micros: u64,
        digest: Digest,
        owner: &Slug,
    ) -> Controller {
        let evaluated = self.scores.get(&digest).cloned().unwrap_or_default();
        let tally = self.epoch.tallies.get(&digest);
        let consumers = tally.map(|tally| &tally.consumers).into_iter().flatten();
        Controller {
            id: digest.to_string(),
            owner: owner.to_string(),
            escrow: self.available(&addresses::escrow(digest)),
            vbudget: self.available(&addresses::validator_budget(digest)),
            scored_epochs: evaluated.scored_epochs,
            state: evaluated.state,
            measured: self.measured(rules, budget_micros, digest),
            consumers: consumers
                .map(|(account, spent)| (account.to_string(), *spent))
                .collect(),
        }
    }

    /// The node's own telemetry, by the names that a measured parameter may have.
    fn measured(&self, rules: &Rules, budget_micros: u64, digest: Digest) -> BTreeMap<String, Ppm> {
        let tally = self.epoch.tallies.get(&digest);
        let value = |id: &str| match id {
            "reliability" => tally?.reliability(rules.params.prior),
            "latency" => tally?.latency(budget_micros),
            _ => None,
        };
        rules
            .parameters
            .iter()
            .filter(|parameter| parameter.kind == ParameterKind::Measured)
            .filter_map(|parameter| Some((parameter.id.clone(), value(&parameter.id)?)))
            .collect()
    }

    fn scoring_validators(&self) -> Vec<Validator> {
        self.validators
            .iter()
            .map(|(name, validator)| Validator {
                id: name.to_string(),
                owner: validator.owner.to_string(),
                stake: self.active_stake(name),
                skill: validator.skill,
                committed: self.epoch.commitments.contains_key(name),
                revealed: self.epoch.reveals.contains_key(name),
            })
            .collect()
    }

    fn sort_cells(&self, truths: &BTreeSet<String>, input: &mut Input) {
        for cell in &self.epoch.cells {
            let (validator, gold) = (cell.validator.to_string(), cell_id(cell));
            if truths.contains(&gold) {
                input.gold_assigned.push(GoldAssignment { validator, gold });
            } else {
                input.assigned.push(Assignment {
                    validator,
                    controller: cell.controller.to_string(),
                    parameter: cell.parameter.to_string(),
                });
            }
        }
    }

    fn sort_reports(&self, truths: &BTreeSet<String>, input: &mut Input) {
        let reveals = self.epoch.reveals.iter();
        for (validator, report) in reveals.flat_map(|(v, rs)| rs.iter().map(move |r| (v, r))) {
            let (validator, gold) = (validator.to_string(), report_id(report));
            let value = i64::from(report.score);
            if truths.contains(&gold) {
                input.gold_reports.push(GoldReport {
                    validator,
                    gold,
                    value,
                });
            } else {
                input.reports.push(Answer {
                    validator,
                    controller: report.controller.to_string(),
                    parameter: report.parameter.to_string(),
                    value,
                });
            }
        }
    }
}

/// Of an installation whose rules measure it and never ask.
fn measured_conformance(
    rules: &Rules,
    checked: &BTreeMap<Digest, Checked>,
    digest: Digest,
) -> Option<(String, Ppm)> {
    let mut measured = rules
        .parameters
        .iter()
        .filter(|parameter| parameter.kind == ParameterKind::Measured);
    measured.find(|parameter| parameter.id == CONFORMANCE)?;
    let value = checked.get(&digest)?.conformance(rules.params.prior)?;
    Some((CONFORMANCE.to_string(), value))
}

fn hidden_case(opening: &GoldOpening) -> Gold {
    Gold {
        id: gold_id(opening.controller, &opening.parameter),
        truth: Ppm::new(opening.truth).unwrap_or(Ppm::ONE),
    }
}

fn cell_id(cell: &Cell) -> String {
    gold_id(cell.controller, &cell.parameter)
}

fn report_id(report: &Report) -> String {
    gold_id(report.controller, &report.parameter)
}

fn gold_id(controller: Digest, parameter: &Slug) -> String {
    format!("{controller}/{parameter}")
}
