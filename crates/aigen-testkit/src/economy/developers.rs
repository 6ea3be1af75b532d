use super::validators::{AIGEN, amount, nano, ppm, quality};
use super::{Mechanism, Strategy};
use crate::sim::random::Random;
use aigen_economy::settlement::{Audit, Controller, Input};
use aigen_economy::{Shares, split};
use aigen_types::Ppm;
use std::collections::BTreeMap;

/// What consumers spend through each controller in one epoch.
const SPENT: i128 = 50 * AIGEN;
/// What a wash trader spends on itself beside that.
const WASHED: i128 = 100 * AIGEN;
const RIVALS: usize = 5;
const GOOD: i64 = 900_000;
const BAD: i64 = 100_000;
/// What good work costs its developer in one epoch, and bad work does not.
const COST_OF_GOOD: i128 = AIGEN;

/// The mean profit of one developer in one epoch, in a world where validators find the truth:
/// every cell is known as exactly as an audit knows it.
pub(super) fn profit(strategy: Strategy, mechanism: Mechanism, seed: u64, epochs: u64) -> i128 {
    let mut random = Random::new(seed);
    let rivals: Vec<i64> = (0..RIVALS)
        .map(|_| i64::try_from(random.between(300_000, 600_000)).expect("small"))
        .collect();
    let mut states = BTreeMap::new();
    let mut total = 0;
    for epoch in 0..epochs {
        let good = is_good(strategy, epoch, epochs);
        let washed = if strategy == Strategy::WashTrading {
            WASHED
        } else {
            0
        };
        let own = match strategy {
            Strategy::Whitewashing => format!("own-{epoch}"),
            _ => "own".to_owned(),
        };
        let input = input(mechanism, &own, good, washed, &rivals, &states);
        let output = mechanism.settle(&input);
        states = output
            .controllers
            .iter()
            .map(|(id, result)| (id.clone(), result.state.clone()))
            .collect();
        let payout = nano(output.controllers[&own].payout);
        total += match strategy {
            Strategy::WashTrading => {
                let without =
                    mechanism.settle(&self::input(mechanism, &own, good, 0, &rivals, &states));
                payout - nano(without.controllers[&own].payout) + washed_back() - WASHED
            }
            _ => payout - if good { COST_OF_GOOD } else { 0 },
        };
    }
    total.div_euclid(i128::from(epochs.max(1)))
}

fn is_good(strategy: Strategy, epoch: u64, epochs: u64) -> bool {
    match strategy {
        Strategy::BadDeveloper | Strategy::Whitewashing => false,
        Strategy::ExitScam => epoch < epochs - epochs / 10,
        _ => true,
    }
}

/// What a coalition of consumer, provider, dataset owner and all validators gets back at once,
/// if its validators are paid in full.
fn washed_back() -> i128 {
    let split = split(amount(WASHED), &Shares::default(), true, true);
    nano(split.provider) + nano(split.data) + nano(split.validator)
}

pub(super) fn wash_bound() -> i128 {
    nano(split(amount(WASHED), &Shares::default(), true, true).protocol)
}

fn input(
    mechanism: Mechanism,
    own: &str,
    good: bool,
    washed: i128,
    rivals: &[i64],
    states: &BTreeMap<String, BTreeMap<String, Ppm>>,
) -> Input {
    let own_truth = if good { GOOD } else { BAD };
    let mut all = vec![(own.to_owned(), own_truth, SPENT + washed)];
    let rivals = rivals.iter().enumerate();
    all.extend(rivals.map(|(row, truth)| (format!("rival-{row}"), *truth, SPENT)));
    let controllers = all.iter().map(|(id, _, spent)| {
        let split = split(amount(*spent), &Shares::default(), true, true);
        Controller {
            id: id.clone(),
            owner: id.clone(),
            escrow: split.controller,
            // Nobody is asked, since the truth is known; scoring is simulated elsewhere.
            scored_epochs: 10,
            state: states.get(id).cloned().unwrap_or_default(),
            ..Controller::default()
        }
    });
    let audits = all.iter().map(|(id, truth, _)| Audit {
        controller: id.clone(),
        parameter: "quality".into(),
        truth: ppm(*truth),
    });
    Input {
        params: mechanism.params(),
        parameters: quality(),
        controllers: controllers.collect(),
        audits: audits.collect(),
        ..Input::default()
    }
}
