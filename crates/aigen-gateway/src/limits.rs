//! Every bound of the gateway, with its unit.

use std::time::Duration;

/// Bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of the body that publishes a controller: a component of 32 MiB in base64, its manifest
/// and source.
pub const COMPONENT_BODY_BYTES_MAX: usize = 44 * 1024 * 1024;

/// How long a request's body may take to arrive: 8 MiB at 140 kB/s.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(60);

/// How long the rest of a body is read that was answered before it had come: nginx's `lingering_time`.
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a request's head may take to arrive, and how long a connection may stay idle.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(60);

/// Pause after a connection could not be accepted, mostly for want of file descriptors.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Silence after which a stream carries a comment, so that no proxy takes it for dead.
pub const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long a browser may rely on what it was told before it asked.
pub const PREFLIGHT_SECONDS: u64 = 600;

/// Answers of one request: its prompts times `n`. Each is a session, and all of them are held for
/// before the first begins.
pub const ANSWERS_MAX: usize = 128;

/// Bytes of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Finished replies kept for a retry with the same `Idempotency-Key`.
pub const REPLIES_KEPT_MAX: usize = 1_024;

/// Bytes of those replies together.
pub const REPLIES_KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Seconds after which a client should try again when the machine is full.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// Transfers on a page unless the request says otherwise.
pub const TRANSFERS_PER_PAGE: usize = 50;

/// Transfers on a page, at most.
pub const TRANSFERS_PER_PAGE_MAX: usize = 500;

/// Output tokens of a `/v1/completions` request that gives no `max_tokens`: OpenAI's default.
pub const COMPLETION_TOKENS: u32 = 16;

/// Receipts in a page when nothing is said.
/// Controllers, epochs, open calls.
pub const HISTORY_PER_PAGE: usize = 100;
pub const HISTORY_PER_PAGE_MAX: usize = 1_000;
pub const RECEIPTS_PER_PAGE: usize = 20;

/// Receipts in a page, at most; one is about a kilobyte.
pub const RECEIPTS_PER_PAGE_MAX: usize = 100;

/// Tools of one request; OpenAI's own bound.
pub const TOOLS_MAX: usize = 128;

/// Bytes of a tool's name.
pub const TOOL_NAME_BYTES_MAX: usize = 64;

/// Tokens of a `/detokenize` request: more than any context.
pub const DETOKENIZE_TOKENS_MAX: usize = 1 << 20;

/// Texts of one `/v1/embeddings` request: OpenAI's bound.
pub const EMBEDDED_TEXTS_MAX: usize = 2_048;

/// Rows of a dataset in an answer, unless the request says otherwise.
pub const DATASET_ROWS: usize = 20;

/// Bytes of a download that are in memory at once.
pub const DOWNLOAD_PIECE_BYTES: usize = 64 * 1024;
