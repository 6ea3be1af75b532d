use std::collections::HashMap;

use aigen_engine::TokenId;

use super::record::Origin;
use crate::Fault;
use crate::limits::IDENTICAL_REWINDS_MAX;

/// Where to, what was taken back, what was put there instead.
type Rewind = (u32, Vec<(TokenId, Origin)>, Vec<TokenId>);

/// How often a branch was taken back in exactly the same way.
#[derive(Clone, Default)]
pub(super) struct Rewinds {
    seen: HashMap<Rewind, u32>,
    total: u32,
}

impl Rewinds {
    /// Counts a rewind to `position` that took back `removed` in favour of `inserted`.
    ///
    /// # Errors
    /// [`Fault::RewindRepeated`] once it happened too often.
    pub fn count(
        &mut self,
        position: u32,
        removed: Vec<(TokenId, Origin)>,
        inserted: &[TokenId],
    ) -> Result<(), Fault> {
        self.total += 1;
        let key = (position, removed, inserted.to_vec());
        let times = self.seen.entry(key).or_default();
        *times += 1;
        match *times {
            times if times >= IDENTICAL_REWINDS_MAX => Err(Fault::RewindRepeated { times }),
            _ => Ok(()),
        }
    }

    /// Rewinds so far. Sampling is keyed by it, so that the random stream does
    /// not repeat itself after one.
    pub fn total(&self) -> u32 {
        self.total
    }
}
