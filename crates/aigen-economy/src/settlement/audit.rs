//! §9: how often a controller's cells are evaluated again.

use super::int::{Int, PPM};
use aigen_types::{Amount, Ppm};

/// One audit slashes at most 5 % of a stake (`slash_cap`). Twenty times as likely, and a majority
/// that lies about a controller expects to lose as much as its whole escrow.
const DETERRENCE: i128 = 20;

/// `min(PPM, 20*escrow*PPM//K_majority)`, where `K_majority` is half the stake of the panel: the
/// more there is to gain beside what a majority has at stake, the likelier an audit.
///
/// Both amounts are below 2⁶³. A panel without stake has nothing to lose, so whatever has an escrow is audited.
#[must_use]
pub fn audit_probability(escrow: Amount, panel_stake: Amount) -> Ppm {
    let majority = Int::from(panel_stake) / Int::new(2);
    if majority == Int::ZERO {
        return if escrow.is_zero() {
            Ppm::ZERO
        } else {
            Ppm::ONE
        };
    }
    (Int::new(DETERRENCE) * escrow.into() * PPM / majority)
        .min(PPM)
        .ppm()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_to_gain_beside_what_there_is_to_lose() {
        for (escrow, panel_stake, expected) in [
            (0, 1_000, 0),
            (1, 1_000, 40_000),
            (25, 1_000, 1_000_000),
            (26, 1_000, 1_000_000),
            (1, 1_000_000_000, 0),
            (0, 1, 0),
            (1, 0, 1_000_000),
            (i64::MAX as u128, i64::MAX as u128, 1_000_000),
        ] {
            let [escrow, panel_stake] = [escrow, panel_stake].map(Amount::from_nano);
            let probability = audit_probability(escrow, panel_stake).parts();
            assert_eq!(probability, expected, "{escrow} {panel_stake}");
        }
    }
}
