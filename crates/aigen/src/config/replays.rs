use super::bounds::{DAYS_MAX, MIB_MAX, within};
use crate::failure::hinted;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// How long what runs calls again is kept: `[replays]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplaysConfig {
    /// On disk, in MiB; the oldest go first.
    pub mib: u64,
    /// In days.
    pub days: u64,
}

impl Default for ReplaysConfig {
    fn default() -> Self {
        Self { mib: 256, days: 30 }
    }
}

impl ReplaysConfig {
    /// # Errors
    /// A bound that keeps nothing, or no bound at all.
    pub fn check(&self) -> Result<()> {
        if self.mib == 0 || self.days == 0 {
            return Err(hinted(
                "[replays] keeps nothing",
                "only calls that ask for it are kept; leave it out for the default of 256 MiB and 30 days",
            ));
        }
        within("`mib` of [replays]", self.mib, 1..=MIB_MAX)?;
        within("`days` of [replays]", self.days, 1..=DAYS_MAX)
    }
}
