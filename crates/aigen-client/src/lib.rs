//! Typed client of an AiGen gateway.
