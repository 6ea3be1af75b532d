use std::time::Duration;

use super::branch::names_at_most;
use super::common::Common;
use super::timer::Alarm;
use crate::limits::SUSPEND_MILLIS_MAX;
use crate::{BranchId, Fault, Waiting};

/// What a suspended branch waits for.
pub(super) enum Suspension {
    Variables(Vec<String>),
    Branches(Vec<BranchId>),
    /// Goes on once it was seen that the alarm went off.
    Alarm {
        alarm: Alarm,
        seen: bool,
    },
}

impl Suspension {
    pub fn new(waiting: Waiting, branch: BranchId, common: &mut Common) -> Result<Self, Fault> {
        match waiting {
            Waiting::Variables(names) => {
                names_at_most(names.len(), "variables to wait for")?;
                Ok(Self::Variables(names))
            }
            Waiting::Branches(mut branches) => {
                names_at_most(branches.len(), "branches to wait for")?;
                // No branch waits for itself.
                branches.retain(|other| *other != branch);
                Ok(Self::Branches(branches))
            }
            Waiting::Millis(millis) => Self::sleep(millis, common),
        }
    }

    fn sleep(millis: u32, common: &mut Common) -> Result<Self, Fault> {
        common.slept_millis = common.slept_millis.saturating_add(millis);
        if common.slept_millis > SUSPEND_MILLIS_MAX {
            return Err(Fault::DecisionTooLarge {
                what: "milliseconds to wait, with those before,",
                max: usize::try_from(SUSPEND_MILLIS_MAX).unwrap_or(usize::MAX),
            });
        }
        // A replay knows when it goes off.
        Ok(Self::alarm(match common.replays {
            true => Alarm::default(),
            false => Alarm::set(Duration::from_millis(millis.into()), common.context.waker()),
        }))
    }

    fn alarm(alarm: Alarm) -> Self {
        let seen = false;
        Self::Alarm { alarm, seen }
    }

    /// Whether its time has come.
    pub fn rings(&self) -> bool {
        matches!(self, Self::Alarm { alarm, .. } if alarm.went_off())
    }

    /// Takes note that its time has come; whether it has.
    pub fn ring(&mut self) -> bool {
        match self {
            Self::Alarm { alarm, seen } => {
                *seen = alarm.went_off();
                *seen
            }
            _ => false,
        }
    }

    /// Whether `branch`, which waits so, may go on.
    pub fn is_over(
        &self,
        branch: BranchId,
        common: &Common,
        is_over: impl Fn(BranchId) -> bool,
    ) -> bool {
        match self {
            Self::Variables(names) => common.context.news(branch, names),
            Self::Branches(branches) => branches.iter().all(|branch| is_over(*branch)),
            Self::Alarm { seen, .. } => *seen,
        }
    }
}
