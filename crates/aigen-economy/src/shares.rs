use crate::price::{Charge, LineKind};
use aigen_types::{Amount, PPM, Ppm};
use core::fmt;

/// Who gets which part of every captured charge. What the four leave is the protocol's,
/// and is never nothing: that alone makes wash trading a loss at any score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shares {
    provider: Ppm,
    data: Ppm,
    controller: Ppm,
    validator: Ppm,
}

impl Shares {
    /// The shares of the model provider, the datasets, the controller and the validators.
    ///
    /// # Errors
    /// [`SharesError`] unless they sum to less than one whole.
    pub fn new(
        provider: Ppm,
        data: Ppm,
        controller: Ppm,
        validator: Ppm,
    ) -> Result<Self, SharesError> {
        let sum = [provider, data, controller, validator]
            .into_iter()
            .fold(0_u64, |sum, share| {
                sum.saturating_add(u64::from(share.parts()))
            });
        if sum < PPM {
            Ok(Self {
                provider,
                data,
                controller,
                validator,
            })
        } else {
            Err(SharesError { sum })
        }
    }

    /// The model provider's share.
    #[must_use]
    pub fn provider(&self) -> Ppm {
        self.provider
    }

    /// The datasets' share; the provider's when a call reads none.
    #[must_use]
    pub fn data(&self) -> Ppm {
        self.data
    }

    /// The share that goes into the controller's escrow; the provider's when a call has none.
    #[must_use]
    pub fn controller(&self) -> Ppm {
        self.controller
    }

    /// The share that pays the controller's validators; the provider's when a call has no controller.
    #[must_use]
    pub fn validator(&self) -> Ppm {
        self.validator
    }

    /// What the four leave: the protocol's share of every charge and of every fee.
    #[must_use]
    pub fn protocol(&self) -> Ppm {
        let shares = [self.provider, self.data, self.controller, self.validator];
        let parts = shares.iter().map(|share| share.parts());
        let left = parts.fold(Ppm::ONE.parts(), u32::saturating_sub);
        Ppm::new(left).unwrap_or(Ppm::ZERO)
    }
}

/// 65 % provider, 5 % data, 20 % controller, 4 % validators, which leaves 6 % to the protocol.
impl Default for Shares {
    fn default() -> Self {
        const fn ppm(parts: u32) -> Ppm {
            Ppm::new(parts).expect("at most one whole")
        }
        Self {
            provider: const { ppm(650_000) },
            data: const { ppm(50_000) },
            controller: const { ppm(200_000) },
            validator: const { ppm(40_000) },
        }
    }
}

/// The shares leave the protocol nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharesError {
    /// What they sum to, in ppm.
    pub sum: u64,
}

impl fmt::Display for SharesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the shares of provider, data, controller and validator sum to {} ppm; \
             they must sum to less than {PPM}, so that the protocol keeps something",
            self.sum
        )
    }
}

impl core::error::Error for SharesError {}

/// A captured amount, shared out. The five parts sum to exactly that amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Split {
    /// To the model provider, with the shares of whoever took no part.
    pub provider: Amount,
    /// To the datasets that were read.
    pub data: Amount,
    /// Into the controller's escrow.
    pub controller: Amount,
    /// Into the budget of the controller's validators.
    pub validator: Amount,
    /// To the protocol, with the dust: less than 4 nano-AIGEN more than its share.
    pub protocol: Amount,
}

/// Shares out a captured amount: `part = amount × share // PPM` each, the rest is the protocol's.
///
/// Without a controller its part goes to the provider, and so does the validators' part: there is
/// nothing for them to score. Without datasets the data part goes to the provider. What the
/// protocol gets does not depend on who took part.
#[must_use]
pub fn split(amount: Amount, shares: &Shares, with_controller: bool, with_data: bool) -> Split {
    let part = |share, present| if present { of_floor(amount, share) } else { 0 };
    let data = part(shares.data, with_data);
    let controller = part(shares.controller, with_controller);
    let validator = part(shares.validator, with_controller);
    let absent = [
        part(shares.data, !with_data),
        part(shares.controller, !with_controller),
        part(shares.validator, !with_controller),
    ];
    // The parts are floors of shares that sum to less than one whole, so no sum exceeds `amount`.
    let provider = absent
        .iter()
        .fold(of_floor(amount, shares.provider), |sum, part| {
            sum.saturating_add(*part)
        });
    let paid = [provider, data, controller, validator];
    let protocol = paid
        .iter()
        .fold(amount.nano(), |left, part| left.saturating_sub(*part));
    Split {
        provider: Amount::from_nano(provider),
        data: Amount::from_nano(data),
        controller: Amount::from_nano(controller),
        validator: Amount::from_nano(validator),
        protocol: Amount::from_nano(protocol),
    }
}

/// Shares out a rated charge. Developer usage excludes discarded tokens: the controller's and the
/// validators' parts are taken of the total without the [`LineKind::Discarded`] lines, and the
/// discarded amount is shared out as if the call had no controller.
#[must_use]
pub fn split_charge(
    charge: &Charge,
    shares: &Shares,
    with_controller: bool,
    with_data: bool,
) -> Split {
    let discarded = charge.amount_of(LineKind::Discarded);
    let kept = charge.total.saturating_sub(discarded);
    let kept = split(kept, shares, with_controller, with_data);
    let discarded = split(discarded, shares, false, with_data);
    Split {
        provider: kept.provider.saturating_add(discarded.provider),
        data: kept.data.saturating_add(discarded.data),
        controller: kept.controller,
        validator: kept.validator,
        protocol: kept.protocol.saturating_add(discarded.protocol),
    }
}

/// `amount × share // PPM`, exact for every amount: the whole millions first, so that no
/// product leaves `u128`.
pub(crate) fn of_floor(amount: Amount, share: Ppm) -> u128 {
    let whole = u128::from(PPM);
    let parts = u128::from(share.parts());
    let millions = amount.nano().div_euclid(whole).saturating_mul(parts);
    let rest = amount.nano().rem_euclid(whole).saturating_mul(parts);
    millions.saturating_add(rest.div_euclid(whole))
}

#[cfg(test)]
mod tests;
