use super::Mechanism::{AiGen, FlatPay, ProportionalPool, StakeWeighted};
use super::*;

fn of(strategy: Strategy, mechanism: Mechanism) -> i128 {
    profit(strategy, mechanism, Options::default())
}

#[test]
fn being_right_is_the_best_that_a_validator_can_do() {
    let honest = of(Strategy::Honest, AiGen);
    assert!(honest > 0, "{honest}");
    for (strategy, at_most) in [
        (Strategy::Lazy, 0),
        (Strategy::Constant, 0),
        (Strategy::Copying, 0),
        (Strategy::Noisy, honest - 1),
        (Strategy::MinorityCabal, honest - 1),
        (Strategy::MajorityCabalAudited, -1),
    ] {
        let profit = of(strategy, AiGen);
        assert!(profit <= at_most, "{strategy}: {profit}, honest {honest}");
    }
    assert!(
        of(Strategy::MajorityCabal, AiGen) > honest,
        "why there are audits"
    );
}

#[test]
fn a_wash_trader_loses_the_protocols_share_at_least() {
    assert!(of(Strategy::WashTrading, AiGen) <= -wash_bound());
    assert!(
        of(Strategy::WashTrading, ProportionalPool) > -wash_bound(),
        "why there is no pool"
    );
}

#[test]
fn a_developer_earns_most_with_good_work() {
    let good = of(Strategy::GoodDeveloper, AiGen);
    for strategy in [
        Strategy::ExitScam,
        Strategy::BadDeveloper,
        Strategy::Whitewashing,
    ] {
        assert!(of(strategy, AiGen) < good, "{strategy}");
    }
}

#[test]
fn other_mechanisms_pay_for_nothing() {
    for mechanism in [StakeWeighted, FlatPay] {
        assert!(
            of(Strategy::Lazy, mechanism) > of(Strategy::Honest, mechanism),
            "{mechanism}"
        );
    }
}

#[test]
fn a_seed_is_a_world() {
    let options = Options {
        seed: 7,
        seeds: 1,
        epochs: 20,
    };
    assert_eq!(simulate(options, &mut || {}), simulate(options, &mut || {}));
}
