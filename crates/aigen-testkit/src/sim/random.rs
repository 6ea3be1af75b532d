use fastrand::Rng;

/// The only source of chance: the same seed gives the same numbers on every machine.
/// Only fixed widths are drawn, since `usize` has two of them.
#[derive(Clone, Debug)]
pub(crate) struct Random(Rng);

impl Random {
    /// Numbers that depend on `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// Another source, so that what one part draws does not move what another one gets.
    pub fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    /// Less than `bound`, which is more than zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(..bound)
    }

    /// From `low` up to and including `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.u64(low..=high)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them; the slice is not empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// A place in something `length` long, which is more than zero.
    pub fn index(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).expect("lengths fit 64 bits");
        usize::try_from(self.below(length)).expect("less than a length")
    }

    /// A number of 128 bits.
    pub fn id(&mut self) -> u128 {
        self.0.u128(..)
    }
}
