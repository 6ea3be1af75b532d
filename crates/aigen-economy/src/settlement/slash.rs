//! §7: what a validator's stake loses. Disagreement alone is never slashed.

use super::evidence::Evidence;
use super::input::Validator;
use super::int::{Int, PPM, PPM_SQUARED};
use super::panel::Seat;
use super::params::Params;
use super::working::{SlashReason, SlashWorking};
use aigen_types::{Amount, Ppm};
use alloc::vec::Vec;

/// The grounds for slashing this validator, with what each takes before the cap.
pub(super) fn grounds(
    params: &Params,
    validator: &Validator,
    seat: &Seat,
    skill: i64,
    evidence: &[Evidence],
) -> Vec<SlashWorking> {
    let of_stake = |share: Ppm| seat.stake * share.into() / PPM;
    let skill = Int::from(skill);
    let mut grounds = Vec::new();
    let mut add = |reason, amount: Int| {
        let amount = amount.amount();
        if !amount.is_zero() {
            grounds.push(SlashWorking { reason, amount });
        }
    };
    if seat.assigned && !validator.committed {
        add(SlashReason::Absent, of_stake(params.slash_absent));
    }
    if validator.committed && !validator.revealed {
        add(SlashReason::NoReveal, of_stake(params.slash_noreveal));
    }
    if seat.live && skill < -Int::from(params.slash_gold_floor) {
        let slash = seat.stake * params.slash_gold.into() * -skill / PPM_SQUARED;
        add(SlashReason::Gold, slash);
    }
    for item in evidence.iter().filter(|item| item.audited) {
        add(SlashReason::Audit, missed(params, seat.stake, item));
    }
    grounds
}

/// The most that one epoch can slash: `slash_cap` of the stake.
pub(super) fn cap(params: &Params, seat: &Seat) -> Amount {
    (seat.stake * params.slash_cap.into() / PPM).amount()
}

/// `stake*slash_audit*max(0,|r−truth|−audit_tol)//PPM^2`; a missing report costs nothing here.
fn missed(params: &Params, stake: Int, audited: &Evidence) -> Int {
    let distance = audited
        .report
        .map_or(Int::ZERO, |report| (report - audited.truth).abs());
    let beyond = (distance - params.audit_tol.into()).max(Int::ZERO);
    stake * params.slash_audit.into() * beyond / PPM_SQUARED
}
