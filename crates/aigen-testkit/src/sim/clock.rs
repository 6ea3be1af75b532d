use super::random::Random;
use aigen_types::Timestamp;

const SECOND: u64 = 1_000_000_000;

/// Virtual time, and one machine's idea of it: off by up to minutes, and set back at times.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Nanoseconds since the world began.
    elapsed: u64,
    /// What this machine adds to them; always so much that its time is past zero.
    skew: u64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            elapsed: 0,
            skew: 3_600 * SECOND,
        }
    }
}

impl Clock {
    /// What the machine's clock shows.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.elapsed + self.skew)
    }

    /// A moment passes.
    pub fn moment(&mut self, random: &mut Random) {
        self.elapsed += random.between(1, SECOND);
    }

    /// Hours pass, enough for a hold to expire at times; or days, so that budgets begin anew.
    pub fn hours(&mut self, random: &mut Random) {
        self.elapsed += match random.chance(25) {
            true => random.between(1, 40) * 24 * 3_600 * SECOND,
            false => random.between(60, 8 * 3_600) * SECOND,
        };
    }

    /// Somebody sets the machine's clock, forwards or backwards.
    pub fn set(&mut self, random: &mut Random) {
        self.skew = random.between(0, 2 * 3_600) * SECOND;
    }
}
