//! Every bound of the node, with its unit.

/// Output tokens of a call's first hold.
pub const FIRST_CHUNK_TOKENS: u64 = 256;

/// Output tokens of one extension, at most: chunks double from the first one up to here.
pub const CHUNK_TOKENS_MAX: u64 = 8_192;

/// Tokens a killed node may have computed without having recorded them. A recovered call is
/// charged for what was recorded, so this is also the most anyone can lose or gain by a kill.
pub const PROGRESS_TOKENS: u64 = 16;

/// Pieces that may wait for a slow reader before its generation pauses.
pub const PIECES_BUFFERED_MAX: usize = 32;

/// Bytes of a key's secret.
pub const KEY_SECRET_BYTES: usize = 32;
