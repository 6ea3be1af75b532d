use aigen_economy::settlement::{Input, Output, Params, settle};
use aigen_types::{Amount, Ppm};
use std::fmt;

const PPM: i128 = 1_000_000;

/// A way to turn scores into money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The one of this network.
    AiGen,
    /// All escrows in one pool, shared by score × usage.
    ProportionalPool,
    /// Votes weigh as much as their stake, and pay follows agreement with all votes, one's own
    /// among them. No hidden truths, no slashing.
    StakeWeighted,
    /// Every answer is paid the same.
    FlatPay,
}

impl Mechanism {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::AiGen,
        Self::ProportionalPool,
        Self::StakeWeighted,
        Self::FlatPay,
    ];

    /// The rules that a world of this mechanism is settled by.
    pub(super) fn params(self) -> Params {
        match self {
            Self::StakeWeighted => Params {
                rho: Ppm::ONE,
                ..Params::default()
            },
            _ => Params::default(),
        }
    }

    /// Scores as settled; pay, slash and payout as this mechanism has them.
    pub(super) fn settle(self, input: &Input) -> Output {
        let mut output = settle(input);
        match self {
            Self::AiGen => {}
            Self::ProportionalPool => pool(input, &mut output),
            Self::StakeWeighted => pay_all(input, &mut output, agreement),
            Self::FlatPay => pay_all(input, &mut output, |_, _, _| PPM),
        }
        output
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::AiGen => "AiGen",
            Self::ProportionalPool => "pool",
            Self::StakeWeighted => "stake-weighted",
            Self::FlatPay => "flat pay",
        })
    }
}

fn pool(input: &Input, output: &mut Output) {
    let all: u128 = input.controllers.iter().map(|row| row.escrow.nano()).sum();
    let earned: u128 = output
        .controllers
        .values()
        .map(|row| row.payout.nano())
        .sum();
    for result in output.controllers.values_mut() {
        let share = all.saturating_mul(result.payout.nano()).checked_div(earned);
        result.payout = Amount::from_nano(share.unwrap_or(0));
    }
}

/// Every answer to a real cell is paid its stake's part of the budget, times how good it looks.
fn pay_all(
    input: &Input,
    output: &mut Output,
    quality: impl Fn(&Input, &Output, (&str, i64)) -> i128,
) {
    let stakes: u128 = input.validators.iter().map(|row| row.stake.nano()).sum();
    let pays: Vec<_> = input
        .reports
        .iter()
        .map(|report| {
            let controller = input
                .controllers
                .iter()
                .find(|row| row.id == report.controller);
            let validator = input
                .validators
                .iter()
                .find(|row| row.id == report.validator);
            let budget = controller.map_or(0, |row| row.vbudget.nano());
            let stake = validator.map_or(0, |row| row.stake.nano());
            let most = budget * stake / stakes.max(1);
            let quality = quality(input, output, (&report.controller, report.value));
            let quality = u128::try_from(quality).unwrap_or(0);
            (report.validator.clone(), most * quality / 1_000_000)
        })
        .collect();
    for result in output.validators.values_mut() {
        (result.pay, result.slash) = (Amount::ZERO, Amount::ZERO);
    }
    for (validator, pay) in pays {
        if let Some(result) = output.validators.get_mut(&validator) {
            result.pay = result.pay.saturating_add(Amount::from_nano(pay));
        }
    }
}

/// Nearness to the middle of all answers, weighted by stake, which is equal here.
fn agreement(input: &Input, _: &Output, (controller, value): (&str, i64)) -> i128 {
    let reports = input
        .reports
        .iter()
        .filter(|report| report.controller == controller);
    let mut values: Vec<i64> = reports.map(|report| report.value).collect();
    values.sort_unstable();
    let middle = values.get(values.len() / 2).copied().unwrap_or(value);
    let distance = i128::from((value - middle).abs());
    (PPM - distance * PPM / i128::from(input.params.tol.parts())).max(0)
}
