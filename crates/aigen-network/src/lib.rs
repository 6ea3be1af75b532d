//! The whole network as one state machine over ledger, registry and epochs.
