//! The Economic Framework, pure: prices, rating, charge split, scoring and settlement.
//!
//! Three questions, in the order money meets them:
//!
//! - [`rate`]: what does this usage cost? ([`cover`] and [`affordable_output`]: what can it cost at most?)
//! - [`split`]: who gets which part of a captured charge? ([`split_with_reads`]: and of the fees for
//!   datasets?)
//! - [`settlement::settle`]: what does an epoch's money become, given what validators revealed?
//!
//! Absent by construction: no clock, no files, no randomness, no floats, no map
//! whose order is not defined (`no_std`, and the lints below). Everyone who has
//! the same input gets the same integers.
#![no_std]
#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::as_conversions))]

extern crate alloc;

mod datasets;
pub mod limits;
mod margin;
mod price;
pub mod settlement;
mod shares;

pub use datasets::{DatasetPrice, ReadUsage, rate_read, split_with_reads};
pub use margin::{before_margin, margin_on};
pub use price::{
    Charge, ChargeLine, LineKind, Price, RatingError, Usage, affordable_output, cover, rate,
};
pub use shares::{Shares, SharesError, Split, split, split_charge};
