//! What a function is bounded by.

/// Bytes of a source, as of every published controller.
pub const SOURCE_BYTES_MAX: usize = 256 << 10;

/// Golden cases: each is a call wherever the function is tested.
pub const GOLDEN_MAX: usize = 256;

/// Output tokens that a function may ask for.
pub const TOKENS_MAX: u32 = 32_768;

/// Output tokens where it says nothing.
pub(crate) const TOKENS: u32 = 1_024;

/// How often a model elsewhere may be asked again after an answer of another type: each time is paid.
pub const RETRIES_MAX: u32 = 8;

/// The same where a function says nothing.
pub(crate) const RETRIES: u32 = 2;

/// Values that are looked for in one text.
pub(crate) const CANDIDATES_MAX: usize = 256;

/// Names of fields that an error lists: a form with more of them is read elsewhere.
pub(crate) const FIELDS_NAMED: usize = 20;

/// Steps of a template's virtual machine: a loop over a thousand items takes some ten thousand.
pub(crate) const FUEL_MAX: u64 = 200_000;

/// Bytes that a template may write: more than most contexts hold.
pub(crate) const WORDING_BYTES_MAX: usize = 1 << 20;

/// How deep a sample follows references.
pub(crate) const SAMPLE_DEPTH_MAX: usize = 8;
