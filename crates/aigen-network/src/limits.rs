//! Every bound of the network, with its unit.

/// Seconds after which a hold that nobody extended or closed is released by ledger time.
/// Longer than any call may run (the node's deadline is minutes), so that it only
/// ever frees the holds of a node that never came back.
pub const HOLD_TIMEOUT_SECONDS: u32 = 6 * 3600;

/// Holds one call may have: chunks double from 256 tokens, so 40 cover any context.
pub const CALL_HOLDS_MAX: usize = 40;

/// Bytes of a controller's source.
pub const CONTROLLER_SOURCE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a release's manifest.
pub const MANIFEST_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a release's content: a Python guest with its interpreter is 18 MiB.
pub const CONTENT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Cells (validator, controller, parameter) one epoch may assign.
pub const CELLS_PER_EPOCH_MAX: usize = 1_000_000;

/// Bytes of the name of what went wrong with a call.
pub const FAULT_NAME_BYTES_MAX: usize = 64;

/// Bytes of a label or description.
pub const LABEL_BYTES_MAX: usize = 500;

/// Epochs that activation, unbonding or a change of the rules may wait: at a day each, a year.
pub const EPOCHS_WAITED_MAX: u64 = 366;

/// Seconds of one window of an epoch: a month.
pub const WINDOW_SECONDS_MAX: u64 = 31 * 86_400;

/// Appeals against one epoch.
pub const APPEALS_MAX: usize = 1_000;

/// Stakes of one validator that wait, to become active or to be paid out.
pub const WAITING_STAKES_MAX: usize = 100;

/// Columns of a dataset, and those that one grant or read may name.
pub const DATASET_COLUMNS_MAX: usize = 1_024;

/// Bytes of the names and types of a dataset's columns.
pub const DATASET_SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Ranges of rows that one read may name: a search finds fewer, and a download is one.
pub const READ_RANGES_MAX: usize = 1_024;

/// Reads of one call: in its prompt and by its controller.
pub const CALL_READS_MAX: usize = 64;

/// Models, controllers, and datasets, that a key can be limited to.
pub const KEY_LIST_MAX: usize = 64;
