//! What holds for every input.

use crate::{generate, model};
use aigen_economy::settlement::{Input, Output, Report, Validator, settle, settle_explained};
use aigen_types::{Amount, Ppm};
use proptest::prelude::*;
use proptest::sample::Index;

fn nano(amounts: impl IntoIterator<Item = Amount>) -> u128 {
    amounts.into_iter().map(Amount::nano).sum()
}

fn scores(output: &Output) -> Vec<Ppm> {
    output.controllers.values().map(|c| c.score).collect()
}

fn pays(output: &Output) -> Vec<Amount> {
    output.validators.values().map(|v| v.pay).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn generated_inputs_are_well_formed(input in generate::well_formed()) {
        prop_assert_eq!(input.check(), Ok(()));
    }

    #[test]
    fn agrees_with_the_naive_model(input in generate::well_formed()) {
        prop_assert_eq!(settle(&input), model::settle(&input));
    }

    #[test]
    fn money_is_neither_made_nor_lost(input in generate::well_formed()) {
        let output = settle(&input);
        let (controllers, validators) = (&input.controllers, output.validators.values());
        let before = nano(controllers.iter().map(|c| c.escrow))
            + nano(controllers.iter().map(|c| c.vbudget))
            + nano(validators.clone().map(|v| v.slash));
        let after = nano(output.controllers.values().map(|c| c.payout))
            + nano(validators.map(|v| v.pay))
            + nano(output.refunds.values().copied())
            + nano([output.treasury, output.burned]);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn nobody_gets_more_than_there_is(input in generate::well_formed()) {
        let output = settle(&input);
        for controller in &input.controllers {
            let result = &output.controllers[&controller.id];
            prop_assert!(result.score <= Ppm::ONE);
            prop_assert!(result.payout <= controller.escrow);
            prop_assert_eq!(result.payout.checked_add(result.remainder), Some(controller.escrow));
        }
        let budgets = nano(input.controllers.iter().map(|c| c.vbudget));
        prop_assert!(nano(pays(&output)) <= budgets);
    }

    #[test]
    fn without_skill_there_is_no_pay(input in generate::well_formed()) {
        for (id, result) in settle(&input).validators {
            prop_assert!(result.skill > 0 || result.pay.is_zero(), "{}", id);
        }
    }

    #[test]
    fn a_slash_is_at_most_the_cap(mut input in generate::well_formed()) {
        input.params.slash_cap = Ppm::new(50_000).unwrap();
        let output = settle(&input);
        for validator in &input.validators {
            let slash = output.validators[&validator.id].slash.nano();
            prop_assert!(slash * 20 <= validator.stake.nano());
        }
    }

    #[test]
    fn raising_anything_lowers_no_score(
        input in generate::well_formed(),
        which in any::<Index>(),
        to in 0..=1_000_000_u32,
    ) {
        let before = scores(&settle(&input));
        let mut raised = input;
        raise(&mut raised, which, Ppm::new(to).unwrap());
        for (before, after) in before.into_iter().zip(scores(&settle(&raised))) {
            prop_assert!(before <= after);
        }
    }

    #[test]
    fn the_order_of_rows_means_nothing(
        input in generate::well_formed(),
        seed in proptest::collection::vec(any::<u32>(), 64),
    ) {
        prop_assert_eq!(settle(&shuffled(&input, &seed)), settle(&input));
    }

    #[test]
    fn all_stakes_times_seven_change_no_score_and_no_pay(mut input in generate::well_formed()) {
        for validator in &mut input.validators {
            validator.stake = Amount::from_nano(validator.stake.nano() / 7);
        }
        let before = settle(&input);
        for validator in &mut input.validators {
            validator.stake = Amount::from_nano(validator.stake.nano() * 7);
        }
        let after = settle(&input);
        prop_assert_eq!(scores(&before), scores(&after));
        prop_assert_eq!(pays(&before), pays(&after));
    }

    #[test]
    fn splitting_a_validator_changes_no_score(
        input in generate::well_formed(),
        which in any::<Index>(),
        cut in 0..=u64::MAX,
    ) {
        if input.validators.is_empty() {
            return Ok(());
        }
        let row = which.index(input.validators.len());
        let split = split_validator(&input, row, cut);
        prop_assert_eq!(split.check(), Ok(()));
        prop_assert_eq!(scores(&settle(&split)), scores(&settle(&input)));
    }

    #[test]
    fn flipping_a_recused_report_changes_nothing(input in generate::well_formed()) {
        let mut flipped = input.clone();
        let owner = |id: &str| input.validators.iter().find(|v| v.id == id).map(|v| &v.owner);
        for report in &mut flipped.reports {
            let controller = input.controllers.iter().find(|c| c.id == report.controller);
            if controller.map(|c| &c.owner) == owner(&report.validator) {
                report.value = 1_000_000 - report.value;
            }
        }
        prop_assert_eq!(settle(&flipped), settle(&input));
    }

    #[test]
    fn the_same_answer_to_everything_proves_no_skill(
        mut input in generate::well_formed(),
        constant in 0..=1_000_000_i64,
    ) {
        input.reports.iter_mut().for_each(|report| report.value = constant);
        input.gold_reports.iter_mut().for_each(|report| report.value = constant);
        for validator in &mut input.validators {
            validator.skill = 0;
        }
        let output = settle(&input);
        prop_assert!(output.validators.values().all(|v| v.skill <= 0));
        prop_assert_eq!(nano(pays(&output)), 0);
    }

    #[test]
    fn settling_again_gives_the_same(input in generate::well_formed()) {
        prop_assert_eq!(settle(&input), settle(&input.clone()));
    }

    #[test]
    fn nothing_panics(input in generate::ill_formed()) {
        let checked = input.check();
        let (output, working) = settle_explained(&input);
        working.controllers.iter().for_each(|c| drop(c.lines()));
        working.validators.iter().for_each(|v| drop(v.lines()));
        if checked.is_ok() {
            prop_assert_eq!(output, model::settle(&input));
        }
    }

    #[test]
    fn the_working_adds_up(input in generate::well_formed()) {
        let (output, working) = settle_explained(&input);
        prop_assert_eq!(&output, &settle(&input));
        for validator in &working.validators {
            let reports = nano(validator.reports.iter().map(|report| report.pay));
            prop_assert_eq!(output.validators[validator.id].pay.nano(), reports);
        }
        for controller in &working.controllers {
            let weighted = controller.parameters.iter();
            let weighted = weighted.map(|p| u64::from(p.weight.parts()) * u64::from(p.new.parts()));
            prop_assert_eq!(weighted.sum::<u64>() / 1_000_000, u64::from(controller.weighted.parts()));
        }
    }
}

/// Raises one report, measurement, audit or old state to at least `to`.
fn raise(input: &mut Input, which: Index, to: Ppm) {
    let reports = input.reports.iter_mut().map(|report| &mut report.value);
    let counted = reports.filter(|value| (0..=1_000_000).contains(*value));
    let mut reports: Vec<&mut i64> = counted.collect();
    let states = input.controllers.iter_mut();
    let states = states.flat_map(|c| c.state.values_mut().chain(c.measured.values_mut()));
    let audits = input.audits.iter_mut().map(|audit| &mut audit.truth);
    let mut ratios: Vec<&mut Ppm> = states.chain(audits).collect();
    let all = reports.len() + ratios.len();
    if all == 0 {
        return;
    }
    let row = which.index(all);
    if let Some(report) = reports.get_mut(row) {
        **report = (**report).max(to.parts().into());
    } else {
        let ratio = &mut *ratios[row - reports.len()];
        *ratio = (*ratio).max(to);
    }
}

/// The same rows in another order; parameters too, unless the order of gates means something.
fn shuffled(input: &Input, seed: &[u32]) -> Input {
    fn shuffle<Row>(rows: &mut [Row], seed: &[u32]) {
        for (row, number) in (1..rows.len()).zip(seed.iter().cycle()) {
            rows.swap(row, *number as usize % (row + 1));
        }
    }
    let mut other = input.clone();
    let gates = input.parameters.iter();
    if gates.filter(|p| p.gate_full > Ppm::ZERO).count() < 2 {
        shuffle(&mut other.parameters, seed);
    }
    shuffle(&mut other.controllers, seed);
    shuffle(&mut other.validators, seed);
    shuffle(&mut other.assigned, seed);
    shuffle(&mut other.reports, seed);
    shuffle(&mut other.gold, seed);
    shuffle(&mut other.gold_assigned, seed);
    shuffle(&mut other.gold_reports, seed);
    shuffle(&mut other.audits, seed);
    other
}

/// The validator in this row as two of the same owner, with its stake, assignments and answers.
fn split_validator(input: &Input, row: usize, cut: u64) -> Input {
    let mut split = input.clone();
    let whole = &input.validators[row];
    let stake = whole.stake.nano();
    let part = u128::from(cut) % (stake + 1);
    let twin = format!("{}-twin", whole.id);
    split.validators[row].stake = Amount::from_nano(stake - part);
    split.validators.push(Validator {
        id: twin.clone(),
        stake: Amount::from_nano(part),
        ..whole.clone()
    });
    let assigned = input.assigned.iter().filter(|a| a.validator == whole.id);
    split.assigned.extend(assigned.cloned().map(|mut assigned| {
        assigned.validator.clone_from(&twin);
        assigned
    }));
    let reports = input.reports.iter().filter(|r| r.validator == whole.id);
    split.reports.extend(reports.map(|report| Report {
        validator: twin.clone(),
        ..report.clone()
    }));
    split
}
