//! What an answer and a call are bounded by, where the type says nothing narrower.

use std::time::Duration;

/// Items of a list.
pub(crate) const ITEMS_MAX: u64 = 32;

/// Entries of a map.
pub(crate) const ENTRIES_MAX: u64 = 16;

/// Characters of a text.
pub(crate) const LENGTH_MAX: u64 = 1_000;

/// Integers of 64 bits and more: beyond this JSON's readers lose digits (2^53 − 1).
pub(crate) const INTEGER_MAX: i128 = 9_007_199_254_740_991;

/// Numbers, so that none is written that a double cannot hold.
pub(crate) const NUMBER_MAX: f64 = 1e15;

/// Numbers of single precision.
pub(crate) const SINGLE_MAX: f64 = 1e12;

/// How often a type may contain itself; less where that gives more than [`NODES_MAX`] nodes.
pub(crate) const DEPTH_MAX: usize = 5;

/// Nodes of a schema with every reference written out.
pub(crate) const NODES_MAX: usize = 5_000;

/// How often a model is asked again after an answer that was not accepted.
pub(crate) const RETRIES: u32 = 2;

/// How often a request that did not reach anybody is sent again.
pub(crate) const SENDS_AGAIN: u32 = 3;

/// Before the first of them; twice as long before each other.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

/// Output tokens where the function says nothing.
pub(crate) const TOKENS: u32 = 1_024;

/// Calls of a map at once.
pub(crate) const AT_ONCE: usize = 8;
