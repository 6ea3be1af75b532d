//! Every bound of the node, with its unit.

/// Output tokens of a call's first hold.
pub const FIRST_CHUNK_TOKENS: u64 = 256;

/// Output tokens that an upstream is asked for, where they are wanted, however long the prompt may be.
pub const ANSWER_TOKENS_LEAST: u64 = 256;

/// Output tokens of one extension, at most: chunks double from the first one up to here.
pub const CHUNK_TOKENS_MAX: u64 = 8_192;

/// Tokens that a reader may have seen without their being recorded. A call recovered after a
/// kill is charged for what was recorded, so this is the most that a kill makes free.
pub const PROGRESS_TOKENS: u64 = 16;

/// Pieces that may wait for a slow reader before its generation pauses.
pub const PIECES_BUFFERED_MAX: usize = 32;

/// Calls kept to be run again, and bytes of what that takes.
pub const REPLAYS_KEPT_MAX: usize = 256;
/// See [`REPLAYS_KEPT_MAX`].
pub const REPLAYS_KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of the messages of a completion that a controller asks for.
pub const SUB_MESSAGES_BYTES_MAX: usize = 256 * 1024;

/// Tokens of a prompt that a controller writes itself.
pub const PROMPT_TOKENS_MAX: u64 = 131_072;

/// Passages that a prompt gets of one dataset, and rows that a controller's question is answered.
pub const PASSAGES_MAX: u32 = 50;
/// Passages where the request does not say how many.
pub const PASSAGES_USUAL: u32 = 4;

/// Datasets that one completion reads.
pub const DATASETS_MAX: usize = 8;

/// Hosts, tools, models and datasets that a manifest may ask for, each.
pub const PERMISSIONS_MAX: usize = 64;

/// Bytes of a key's secret.
pub const KEY_SECRET_BYTES: usize = 32;

/// Bytes of rows in one answer, as they are kept. A row that is longer by itself comes alone.
pub const DATASET_ANSWER_BYTES: u64 = 8 << 20;

/// Datasets that are received at once; each may take a file of the size that the operator allows.
pub const UPLOADS_MAX: usize = 4;
