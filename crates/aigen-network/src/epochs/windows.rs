//! Windows of an epoch, closed by ledger time as well as by command.

use super::Phase;
use crate::network::Network;
use crate::refusal::Refusal;
use aigen_types::{Digest, Slug, Timestamp};
use alloc::collections::BTreeMap;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What was fixed when the running epoch was assigned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// When the commit window closes by itself.
    pub commit_until: Option<Timestamp>,
    /// When the reveal window does.
    pub reveal_until: Option<Timestamp>,
    /// Commitment to the seed that draws the audits.
    pub seed: Option<Digest>,
    /// What the node's telemetry came to when the seed was committed: calls after that count in
    /// the scores, and cannot be invented for those before.
    pub telemetry: Digest,
    /// The stakes that may answer, with their owners: those that counted at assignment.
    pub eligible: BTreeMap<Slug, Slug>,
}

impl Network {
    pub(super) fn open_commits(
        &mut self,
        now: Timestamp,
        seed: Option<Digest>,
    ) -> Result<(), Refusal> {
        let terms = self.rules()?.terms;
        self.epoch.phase = Phase::Commit;
        self.governance.plan.commit_until = after(now, terms.commit_seconds);
        if seed.is_some() {
            self.governance.plan.seed = seed;
            self.governance.plan.telemetry = self.telemetry_root(self.epoch.number);
            self.governance.plan.eligible = self.eligible();
        }
        Ok(())
    }

    pub(super) fn open_reveals(&mut self, at: Timestamp) -> Result<(), Refusal> {
        let terms = self.rules()?.terms;
        self.epoch.phase = Phase::Reveal;
        self.governance.plan.reveal_until = after(at, terms.reveal_seconds);
        Ok(())
    }

    /// What ledger time alone brings about, before any command of that time.
    pub(crate) fn close_windows(&mut self, now: Timestamp) {
        let due = |until: Option<Timestamp>| until.filter(|until| *until <= now);
        if let (Phase::Commit, Some(at)) =
            (self.epoch.phase, due(self.governance.plan.commit_until))
        {
            // Rules exist wherever an epoch was assigned.
            let opened = self.open_reveals(at);
            debug_assert_eq!(opened, Ok(()), "an assigned epoch has rules");
        }
        if self.epoch.phase == Phase::Reveal && due(self.governance.plan.reveal_until).is_some() {
            self.epoch.phase = Phase::Settle;
        }
        self.pay_what_is_due(now);
    }
}

/// None for a window of no length: it closes by command.
pub(super) fn after(now: Timestamp, seconds: u64) -> Option<Timestamp> {
    let nanos = seconds.saturating_mul(NANOS_PER_SECOND);
    (seconds > 0).then(|| Timestamp(now.0.saturating_add(nanos)))
}
