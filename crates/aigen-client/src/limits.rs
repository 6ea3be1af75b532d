//! Every bound of the client, with its unit.

/// Seconds to wait for a connection. There is no bound on the answer: a long completion is not a fault.
pub(crate) const CONNECT_SECONDS_MAX: u64 = 10;

/// Bytes of one server-sent event. The largest real ones, with log-probabilities, have kilobytes.
pub(crate) const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Characters quoted from an error reply that is not JSON.
pub(crate) const QUOTE_CHARS_MAX: usize = 200;
