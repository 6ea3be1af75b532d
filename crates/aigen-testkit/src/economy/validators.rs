use super::{Mechanism, Strategy};
use crate::sim::random::Random;
use aigen_economy::settlement::{
    Assignment, Audit, Controller, Gold, GoldAssignment, GoldReport, Input, Output, Parameter,
    ParameterKind, Report, Validator,
};
use aigen_types::{Amount, Ppm};
use std::collections::BTreeMap;

pub(super) const AIGEN: i128 = 1_000_000_000;
const WHOLE: i64 = 1_000_000;

const VALIDATORS: usize = 9;
const CONTROLLERS: usize = 6;
/// By this escrow and the stakes below, the rate of audits is 20 × 10 / 11,250 = 1.8 %.
const ESCROW: i128 = 10 * AIGEN;
const BUDGET: i128 = 2 * AIGEN;
const STAKE: i128 = 2_500 * AIGEN;
/// What evaluating one controller costs a validator.
const EVALUATION: i128 = AIGEN / 20;
/// What the cabal's controller is worth.
const BAD: i64 = 200_000;
const AUDITED_PERCENT: u64 = 2;
/// Hidden truths of every epoch.
const TRUTHS: [i64; 6] = [0, 200_000, 450_000, 700_000, 900_000, 1_000_000];

/// One world: what is true, and what is publicly known.
struct World {
    random: Random,
    strategy: Strategy,
    mechanism: Mechanism,
    truths: [i64; CONTROLLERS],
    states: BTreeMap<String, BTreeMap<String, Ppm>>,
    skills: [i64; VALIDATORS],
    /// What an honest validator revealed in the epoch before.
    revealed: [Option<i64>; CONTROLLERS],
    epoch: u64,
}

/// The mean profit of one agent in one epoch of one world.
pub(super) fn profit(strategy: Strategy, mechanism: Mechanism, seed: u64, epochs: u64) -> i128 {
    let mut random = Random::new(seed);
    let mut truths = [0; CONTROLLERS];
    truths.fill_with(|| share(&mut random));
    let mut world = World {
        random,
        strategy,
        mechanism,
        truths,
        states: BTreeMap::new(),
        skills: [0; VALIDATORS],
        revealed: [None; CONTROLLERS],
        epoch: 0,
    };
    let total: i128 = (0..epochs).map(|_| world.step()).sum();
    let agents = i128::try_from(world.agents()).expect("nine at most");
    total.div_euclid(agents * i128::from(epochs.max(1)))
}

impl World {
    fn agents(&self) -> usize {
        match self.strategy {
            Strategy::MinorityCabal => 3,
            Strategy::MajorityCabal | Strategy::MajorityCabalAudited => 5,
            _ => 1,
        }
    }

    fn is_cabal(&self) -> bool {
        self.agents() > 1
    }

    /// One epoch: what the agents together made of it.
    fn step(&mut self) -> i128 {
        self.drift();
        let mut input = self.input();
        let mut profit = 0;
        for validator in 0..VALIDATORS {
            let cost = self.answer(&mut input, validator);
            if validator < self.agents() {
                profit -= cost;
            }
        }
        self.audit(&mut input);
        let output = self.mechanism.settle(&input);
        for validator in 0..self.agents() {
            let result = &output.validators[&name(validator)];
            profit += nano(result.pay) - nano(result.slash);
        }
        if self.is_cabal() {
            // Beyond what it would earn with honest scores.
            let honest = ESCROW * i128::from(BAD) / i128::from(WHOLE);
            profit += nano(output.controllers[&controller(0)].payout) - honest;
        }
        self.remember(&input, &output);
        profit
    }

    /// Controllers get a little better or worse, and now and then become something else.
    fn drift(&mut self) {
        for truth in &mut self.truths {
            let step = i64::try_from(self.random.below(60_001)).expect("small") - 30_000;
            *truth = (*truth + step).clamp(0, WHOLE);
            if self.random.chance(5) {
                *truth = share(&mut self.random);
            }
        }
        if self.is_cabal() {
            self.truths[0] = BAD;
        }
    }

    fn input(&self) -> Input {
        let controllers = (0..CONTROLLERS).map(|row| Controller {
            id: controller(row),
            owner: format!("developer-{row}"),
            escrow: amount(ESCROW),
            vbudget: amount(BUDGET),
            scored_epochs: self.epoch,
            state: self
                .states
                .get(&controller(row))
                .cloned()
                .unwrap_or_default(),
            ..Controller::default()
        });
        let validators = (0..VALIDATORS).map(|row| Validator {
            id: name(row),
            owner: name(row),
            // Slashed stakes are topped up: the loss is counted, the weight stays.
            stake: amount(STAKE),
            skill: self.skills[row],
            committed: true,
            revealed: true,
        });
        let gold = TRUTHS.iter().enumerate().map(|(row, truth)| Gold {
            id: format!("g{row}"),
            truth: ppm(*truth),
        });
        Input {
            params: self.mechanism.params(),
            parameters: quality(),
            controllers: controllers.collect(),
            validators: validators.collect(),
            gold: gold.collect(),
            ..Input::default()
        }
    }

    /// Adds a validator's answers and returns what they cost it.
    fn answer(&mut self, input: &mut Input, validator: usize) -> i128 {
        let strategy = match validator < self.agents() {
            true => self.strategy,
            false => Strategy::Honest,
        };
        let mut cost = 0;
        for row in 0..CONTROLLERS {
            let (value, spent) = self.about_controller(strategy, row);
            cost += spent;
            input.assigned.push(Assignment {
                validator: name(validator),
                controller: controller(row),
                parameter: "quality".into(),
            });
            input.reports.push(Report {
                validator: name(validator),
                controller: controller(row),
                parameter: "quality".into(),
                value,
            });
        }
        for (row, truth) in TRUTHS.into_iter().enumerate() {
            let (value, spent) = self.about_the_unknown(strategy, truth);
            cost += spent;
            let (validator, gold) = (name(validator), format!("g{row}"));
            input.gold_assigned.push(GoldAssignment {
                validator: validator.clone(),
                gold: gold.clone(),
            });
            input.gold_reports.push(GoldReport {
                validator,
                gold,
                value,
            });
        }
        cost
    }

    fn about_controller(&mut self, strategy: Strategy, row: usize) -> (i64, i128) {
        let truth = self.truths[row];
        match strategy {
            Strategy::Lazy => (self.public(row), 0),
            Strategy::Constant => (WHOLE / 2, 0),
            Strategy::Copying => (self.revealed[row].unwrap_or(WHOLE / 2), 0),
            Strategy::CopyingTheKnown => match self.revealed[row] {
                Some(value) => (value, 0),
                None => self.evaluated(truth, strategy),
            },
            _ if self.is_cabal() && strategy == self.strategy && row == 0 => (WHOLE, 0),
            other => self.evaluated(truth, other),
        }
    }

    /// A planted controller looks like one that nobody has scored yet.
    fn about_the_unknown(&mut self, strategy: Strategy, truth: i64) -> (i64, i128) {
        match strategy {
            Strategy::Lazy => (i64::from(self.mechanism.params().prior.parts()), 0),
            Strategy::Constant | Strategy::Copying => (WHOLE / 2, 0),
            other => self.evaluated(truth, other),
        }
    }

    fn evaluated(&mut self, truth: i64, strategy: Strategy) -> (i64, i128) {
        let (off, cost) = match strategy {
            Strategy::Noisy => (250_000, EVALUATION / 4),
            _ => (30_000, EVALUATION),
        };
        let error = i64::try_from(self.random.below(2 * off + 1)).expect("small");
        let error = error - i64::try_from(off).expect("small");
        ((truth + error).clamp(0, WHOLE), cost)
    }

    fn public(&self, row: usize) -> i64 {
        let state = self.states.get(&controller(row));
        let state = state.and_then(|state| state.get("quality"));
        i64::from(
            state
                .copied()
                .unwrap_or(self.mechanism.params().prior)
                .parts(),
        )
    }

    fn audit(&mut self, input: &mut Input) {
        if self.strategy == Strategy::MajorityCabal || self.mechanism != Mechanism::AiGen {
            return;
        }
        for row in 0..CONTROLLERS {
            if self.random.chance(AUDITED_PERCENT) {
                input.audits.push(Audit {
                    controller: controller(row),
                    parameter: "quality".into(),
                    truth: ppm(self.truths[row]),
                });
            }
        }
    }

    fn remember(&mut self, input: &Input, output: &Output) {
        for (id, result) in &output.controllers {
            self.states.insert(id.clone(), result.state.clone());
        }
        for row in 0..VALIDATORS {
            self.skills[row] = output.validators[&name(row)].skill;
        }
        let last = name(VALIDATORS - 1);
        let reports = input
            .reports
            .iter()
            .filter(|report| report.validator == last);
        for (row, report) in reports.enumerate() {
            self.revealed[row] = Some(report.value);
        }
        self.epoch += 1;
    }
}

pub(super) fn quality() -> Vec<Parameter> {
    vec![Parameter {
        id: "quality".into(),
        weight: Ppm::ONE,
        kind: ParameterKind::Voted,
        gate_full: Ppm::ZERO,
    }]
}

fn name(row: usize) -> String {
    format!("v{row}")
}

fn controller(row: usize) -> String {
    format!("c{row}")
}

fn share(random: &mut Random) -> i64 {
    i64::try_from(random.below(1_000_001)).expect("small")
}

pub(super) fn ppm(parts: i64) -> Ppm {
    u32::try_from(parts)
        .ok()
        .and_then(Ppm::new)
        .expect("within one whole")
}

pub(super) fn amount(nano: i128) -> Amount {
    Amount::from_nano(u128::try_from(nano).expect("not negative"))
}

pub(super) fn nano(amount: Amount) -> i128 {
    i128::try_from(amount.nano()).expect("below 2^63")
}
