//! The controller runtime: decision loop, grammar constraints, built-in controllers.
