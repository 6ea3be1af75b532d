//! Every bound of a remote engine, with its unit.

use std::time::Duration;

/// Output tokens of a request that does not say how many: some 3,000 words.
pub const ANSWER_TOKENS: u32 = 4_096;

/// Tries of one request, all before its first byte.
pub const TRIES_MAX: u32 = 3;

/// Pause before the second try; doubled for the third, and half of it is chance.
pub const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// An upstream's `Retry-After` that is worth waiting for while the caller waits.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);

/// What a caller is told of an upstream that is busy and does not say for how long.
pub const RETRY_AFTER_LEAST: Duration = Duration::from_secs(1);

/// How far the odds of one upstream's requests to the others', of those that are being answered, may be above
/// the odds of its weight.
pub const ODDS_MAX: f64 = 2.0;

/// What a caller is told of an upstream that wants to be left alone for longer.
pub const RETRY_AFTER_TOLD_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long what an upstream counted is waited for, once its answer is whole. It is told at once, or not at all.
pub const USAGE_WAIT_MAX: Duration = Duration::from_secs(5);

/// Failures in a row that open an upstream's breaker.
pub const FAILURES_MAX: u32 = 5;

/// How long a breaker stays open at first; it doubles with every trial that fails.
pub const OPEN_FIRST: Duration = Duration::from_secs(2);

/// How long a breaker stays open, at most.
pub const OPEN_MAX: Duration = Duration::from_secs(60);

/// Pause between probes of an upstream that did not answer one.
pub const PROBE_PAUSE: Duration = Duration::from_secs(30);

/// Bytes of an upstream's error that are read.
pub const ERROR_BYTES_MAX: usize = 4 * 1024;

/// Characters of an upstream's error that are passed on.
pub const ERROR_CHARS_MAX: usize = 300;

/// Bytes that an answer may have whatever its token limit.
pub const ANSWER_BYTES_LEAST: u64 = 1024 * 1024;

/// Bytes of an answer on the wire, per output token: a chunk of a stream is some 300.
pub const WIRE_BYTES_PER_TOKEN: u64 = 4 * 1024;

/// Bytes of a text's vector on the wire: 8,192 numbers of 24 characters.
pub const VECTOR_BYTES_MAX: u64 = 192 * 1024;

/// Bytes of text per output token above which the upstream is taken to ignore the limit, once
/// it has also sent more parts than tokens were asked for. English has 4.
pub const TEXT_BYTES_PER_TOKEN: u64 = 8;

/// Connections to one upstream that are kept for the next request.
pub const IDLE_CONNECTIONS_MAX: usize = 256;

/// How long one is kept that nobody uses: nginx closes them after 60 to 75 seconds.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(55);

/// Parts that are read of an answer after its last event, so that its connection can be kept.
pub const PARTS_DROPPED_MAX: usize = 8;
