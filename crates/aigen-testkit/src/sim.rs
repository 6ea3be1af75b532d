//! The simulator.

mod disk;
mod random;

