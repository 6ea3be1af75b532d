//! Where the money of an epoch goes: §5's remainders, §6's unpaid budgets, §7's slashed stake.

use super::input::{Controller, Input};
use super::int::Int;
use super::output::{ControllerResult, Output, ValidatorResult};
use super::params::RemainderPolicy;
use super::working::{ControllerWorking, ValidatorWorking, Working};
use aigen_types::Amount;

/// The output of a settlement whose working is done.
pub(super) fn output(input: &Input, working: &Working<'_>) -> Output {
    let mut output = Output::default();
    let mut treasury = Int::ZERO;
    for (controller, working) in input.controllers.iter().zip(&working.controllers) {
        let result = controller_result(controller, working);
        treasury = treasury + controller.vbudget.into();
        treasury = treasury + remainder_to_treasury(input, controller, &result, &mut output);
        output.controllers.insert(controller.id.clone(), result);
    }
    for (validator, working) in input.validators.iter().zip(&working.validators) {
        let result = validator_result(working);
        treasury = treasury - result.pay.into() + result.slash.into();
        output.validators.insert(validator.id.clone(), result);
    }
    output.treasury = treasury.amount();
    output
}

fn controller_result(controller: &Controller, working: &ControllerWorking<'_>) -> ControllerResult {
    let state = working.parameters.iter().map(|p| (p.id.into(), p.new));
    let epochs = controller.scored_epochs;
    ControllerResult {
        score: working.score,
        state: state.collect(),
        scored_epochs: if working.scored {
            epochs.saturating_add(1)
        } else {
            epochs
        },
        payout: working.payout,
        remainder: working.remainder,
    }
}

fn validator_result(working: &ValidatorWorking<'_>) -> ValidatorResult {
    ValidatorResult {
        skill: working.skill,
        pay: working.pay,
        slash: working.slash,
    }
}

/// Routes a controller's remainder by policy and returns what of it the treasury gets.
fn remainder_to_treasury(
    input: &Input,
    controller: &Controller,
    result: &ControllerResult,
    output: &mut Output,
) -> Int {
    match input.params.remainder {
        RemainderPolicy::Treasury => result.remainder.into(),
        RemainderPolicy::Burn => {
            output.burned = output.burned.saturating_add(result.remainder);
            Int::ZERO
        }
        RemainderPolicy::Refund => {
            let refunded = refund(controller, result.remainder, output);
            Int::from(result.remainder) - refunded
        }
    }
}

/// `remainder*spent_u//Σspent` to each consumer; returns the sum, which leaves the dust, and
/// everything if nobody spent anything.
fn refund(controller: &Controller, remainder: Amount, output: &mut Output) -> Int {
    let spent: Int = controller.consumers.values().copied().map(Int::from).sum();
    if spent == Int::ZERO {
        return Int::ZERO;
    }
    let mut refunded = Int::ZERO;
    for (account, spent_here) in &controller.consumers {
        let part = Int::from(remainder) * (*spent_here).into() / spent;
        refunded = refunded + part;
        let refund = output.refunds.entry(account.clone()).or_default();
        *refund = refund.saturating_add(part.amount());
    }
    refunded
}
