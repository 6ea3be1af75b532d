//! Use cases: complete, publish, score, close an epoch, pay.
