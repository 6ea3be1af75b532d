//! Ids, amounts, shares and time: the numbers of AiGen, each with its own type.
//!
//! Absent by construction: no clock, no files, no randomness, no floats
//! (`no_std`, and the lints below). Arithmetic that can leave its range returns
//! an `Option`; nothing wraps and nothing saturates without saying so in its name.
#![no_std]
#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

extern crate alloc;

mod amount;
mod controller_ref;
mod dataset_ref;
mod day;
mod digest;
mod hex;
mod ids;
mod name;
mod path;
mod publisher;
mod share;
mod time;

pub use amount::{Amount, AmountParseError, NANO_PER_AIGEN};
pub use controller_ref::{
    ControllerName, ControllerRef, ControllerSelector, LATEST, Which, is_tag,
};
pub use dataset_ref::{DatasetName, DatasetRef, DatasetSelector};
pub use day::Day;
pub use digest::Digest;
pub use hex::Hex;
pub use ids::{AccountId, CallId, IdParseError, NodeId, TransferId};
pub use name::{Address, BudgetPath, ModelName, NameError, Slug};
pub use publisher::{HexError, PublisherKey, Signature};
pub use share::{PPM, Ppm, mul_div_ceil, mul_div_floor};
pub use time::{Epoch, Timestamp};
