//! Every bound of asking, with its unit.

use std::time::Duration;

/// Redirects that one page may lead through; each is checked like the first address.
pub const REDIRECTS_MAX: usize = 3;

/// Bytes of an address.
pub const URL_BYTES_MAX: usize = 2048;

/// Until there is a connection.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
