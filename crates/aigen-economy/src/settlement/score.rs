//! §5: the score of a controller.

use super::consensus::Reading;
use super::input::{Controller, Input, Parameter, ParameterKind};
use super::int::{Int, PPM, PPM_SQUARED};
use super::params::Params;
use super::working::{ControllerWorking, GateWorking, ParameterWorking};
use alloc::vec::Vec;

/// The score a controller's states make, and what of its escrow that earns.
pub(super) fn controller<'a>(
    input: &'a Input,
    controller: &'a Controller,
    parameters: Vec<ParameterWorking<'a>>,
) -> ControllerWorking<'a> {
    let weighted = weighted(&parameters);
    let gates = gates(&parameters, weighted);
    let score = gates.last().map_or(weighted.ppm(), |gate| gate.after);
    let payout = (Int::from(controller.escrow) * score.into() / PPM).amount();
    ControllerWorking {
        id: &controller.id,
        params: &input.params,
        escrow: controller.escrow,
        scored: scored(input, &parameters),
        parameters,
        weighted: weighted.ppm(),
        gates,
        score,
        payout,
        remainder: controller.escrow.saturating_sub(payout),
    }
}

/// What a measured parameter came to this epoch; none without a measurement.
pub(super) fn measurement(controller: &Controller, parameter: &Parameter) -> Option<Reading> {
    let measured = controller.measured.get(&parameter.id)?;
    Some(Reading {
        value: Some((*measured).into()),
        coverage: PPM,
    })
}

/// The state before this epoch: the prior if there is none.
pub(super) fn old_state(params: &Params, controller: &Controller, parameter: &Parameter) -> Int {
    let state = controller.state.get(&parameter.id);
    state.copied().unwrap_or(params.prior).into()
}

/// Moves a parameter's state towards its reading, then lets it leak.
///
/// No reading at all is a measured parameter without a measurement: its state stays.
pub(super) fn advance<'a>(
    params: &Params,
    controller: &Controller,
    parameter: &'a Parameter,
    reading: Option<Reading>,
) -> ParameterWorking<'a> {
    let old = old_state(params, controller, parameter);
    let mut working = ParameterWorking::unmoved(parameter, old.ppm());
    let Some(Reading { value, coverage }) = reading else {
        return working;
    };
    let mut new = old;
    if let Some(m) = value {
        let alpha = alpha(params, controller, m < old);
        let step = (m - old).abs() * alpha * coverage / PPM_SQUARED;
        new = if m < old { old - step } else { old + step };
        working.value = Some(m.ppm());
        working.alpha = alpha.ppm();
        working.step = step.ppm();
    }
    let leak = leak(params, coverage);
    let leaked = (new - params.prior.into()).max(Int::ZERO) * params.alpha_stale.into() * leak;
    let leaked = leaked / PPM_SQUARED;
    working.stepped = new.ppm();
    working.coverage = coverage.ppm();
    working.leak = leak.ppm();
    working.leaked = leaked.ppm();
    working.new = (new - leaked).ppm();
    working
}

/// `alpha_down` if falling, else `max(alpha_up, PPM//(n+2))`: a new controller rises faster.
fn alpha(params: &Params, controller: &Controller, falling: bool) -> Int {
    if falling {
        return params.alpha_down.into();
    }
    let epochs = Int::from(controller.scored_epochs) + Int::new(2);
    Int::from(params.alpha_up).max(PPM / epochs)
}

/// `max(0, PPM − cov*PPM//stale_cov)`.
fn leak(params: &Params, coverage: Int) -> Int {
    (PPM - coverage * PPM / params.stale_cov.into()).max(Int::ZERO)
}

/// A controller counts as scored if any voted cell has a value and `cov ≥ stale_cov`.
fn scored(input: &Input, working: &[ParameterWorking<'_>]) -> bool {
    let voted = input.parameters.iter().zip(working);
    let mut voted = voted.filter(|(parameter, _)| parameter.kind == ParameterKind::Voted);
    voted.any(|(_, p)| p.value.is_some() && p.coverage >= input.params.stale_cov)
}

/// `Σ weight_p*state_p // PPM`.
fn weighted(parameters: &[ParameterWorking<'_>]) -> Int {
    let products = parameters
        .iter()
        .map(|p| Int::from(p.weight) * p.new.into());
    products.sum::<Int>() / PPM
}

/// For each parameter with a gate, in order: `score * min(PPM, state_p*PPM//gate_full) // PPM`.
fn gates<'a>(parameters: &[ParameterWorking<'a>], mut score: Int) -> Vec<GateWorking<'a>> {
    let gated = parameters.iter().filter(|p| p.gate_full.parts() > 0);
    gated
        .map(|p| {
            let open = PPM.min(Int::from(p.new) * PPM / p.gate_full.into());
            let before = score;
            score = score * open / PPM;
            GateWorking {
                parameter: p.id,
                open: open.ppm(),
                before: before.ppm(),
                after: score.ppm(),
            }
        })
        .collect()
}
