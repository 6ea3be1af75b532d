use aigen_types::{Amount, Timestamp};

/// The most one transfer moves: `i64::MAX` nano-AIGEN, about 9.2 billion AIGEN.
///
/// It keeps every amount inside the signed 64-bit integers of other systems, and a `u128` counter
/// then needs more than 2⁶⁴ transfers to overflow. A larger effective amount is refused with
/// `exceeds_amount_max`.
pub const TRANSFER_AMOUNT_MAX: Amount = Amount::from_nano(0x7fff_ffff_ffff_ffff);

/// The last instant at which a hold may expire: 2⁶³ − 1 nanoseconds after the Unix epoch, in the
/// year 2262. A later one is refused with `overflows_timeout`.
pub(crate) const EXPIRES_AT_MAX: Timestamp = Timestamp(0x7fff_ffff_ffff_ffff);
