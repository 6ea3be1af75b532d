/// Where in a request chance is drawn. Different places give independent numbers,
/// the same place always the same one: a counter-based generator has no state
/// that a fork could share or a backtrack repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Draw {
    /// The path of forks that led to the branch, as a number.
    pub branch: u64,
    /// How often the branch has backtracked.
    pub attempt: u32,
    /// Tokens before the one to be sampled.
    pub position: u32,
}

impl Draw {
    /// A number of 53 bits, 0 ≤ number < 1.
    #[must_use]
    pub fn uniform(self, seed: u64) -> f64 {
        (self.bits(seed) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 64 bits.
    #[must_use]
    pub fn bits(self, seed: u64) -> u64 {
        let place = (u64::from(self.attempt) << 32) | u64::from(self.position);
        [seed, self.branch, place]
            .into_iter()
            .fold(0, |state, word| mix(state ^ word))
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014): a bijection of 64 bits in
/// which every input bit moves about half of the output bits.
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
