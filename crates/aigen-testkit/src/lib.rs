//! Scenario runner and conformance suites.
