//! Accounts, transfers and holds: the double-entry state machine.
