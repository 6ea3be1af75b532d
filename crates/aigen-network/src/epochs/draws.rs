//! What a seed decides: who is asked about a controller, and which cells are evaluated again.

use crate::accounts::addresses;
use crate::command::{Cell, CloseEpoch, Finding};
use crate::commitment::{draw, member_id, seed_commitment};
use crate::network::Network;
use crate::refusal::Refusal;
use aigen_economy::settlement::audit_probability;
use aigen_types::{Amount, Digest, PPM, Ppm, Slug};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// What the operator opened when an epoch was settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The seed.
    pub seed: Option<Digest>,
    /// Root of the telemetry when the seed was committed to.
    pub telemetry_at_assignment: Digest,
    /// Root of the telemetry that the measured values were computed from.
    pub telemetry: Digest,
}

/// The validators that are asked about a controller: the `count` lowest draws among those that do
/// not belong to its owner; all of them for zero.
#[must_use]
pub fn panel(
    seed: Digest,
    controller: Digest,
    owner: &Slug,
    eligible: &BTreeMap<Slug, Slug>,
    count: u64,
) -> BTreeSet<Slug> {
    let open = eligible
        .iter()
        .filter(|(_, validators_owner)| *validators_owner != owner);
    let mut drawn: Vec<(Digest, &Slug)> = open
        .map(|(name, _)| (draw("panel", seed, controller, name), name))
        .collect();
    drawn.sort_unstable();
    let count = match count {
        0 => usize::MAX,
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    drawn
        .into_iter()
        .take(count)
        .map(|(_, name)| name.clone())
        .collect()
}

/// The voted cells of a controller that are evaluated again: each with this probability.
pub fn audited_cells<'a>(
    seed: Digest,
    controller: Digest,
    parameters: impl IntoIterator<Item = &'a Slug>,
    probability: Ppm,
) -> impl Iterator<Item = &'a Slug> {
    let hit = move |parameter: &&Slug| {
        let Digest(hash) = draw("audit", seed, controller, parameter);
        let first = hash
            .iter()
            .take(8)
            .fold(0_u128, |value, byte| (value << 8) | u128::from(*byte));
        // first / 2⁶⁴ < probability / PPM
        first.saturating_mul(u128::from(PPM)) < u128::from(probability.parts()) << 64
    };
    parameters.into_iter().filter(hit)
}

impl Network {
    /// Validators whose stake counts now, with their owners.
    #[must_use]
    pub fn eligible(&self) -> BTreeMap<Slug, Slug> {
        let active = self
            .validators
            .iter()
            .filter(|(name, _)| !self.active_stake(name).is_zero());
        active
            .map(|(name, validator)| (name.clone(), validator.owner.clone()))
            .collect()
    }

    /// The seed that draws this epoch's panels: the one that was opened last. Before the first,
    /// the network's name, which nobody chose for the draw.
    ///
    /// # Errors
    /// Before the network is founded.
    pub fn panel_seed(&self) -> Result<Digest, Refusal> {
        let found = self.founded.as_ref().ok_or(Refusal::NotFounded)?;
        Ok(self
            .governance
            .beacon
            .unwrap_or_else(|| member_id(&found.name)))
    }

    /// Where the rules draw panels, every controller is assigned to its own, as a whole and in
    /// every parameter alike.
    pub(super) fn check_panels(&self, cells: &BTreeSet<Cell>) -> Result<(), Refusal> {
        let count = self.rules()?.terms.panel;
        if count == 0 {
            return Ok(());
        }
        let (seed, eligible) = (self.panel_seed()?, self.eligible());
        let mut asked: BTreeMap<(Digest, &Slug), BTreeSet<Slug>> = BTreeMap::new();
        for cell in cells {
            let key = (cell.controller, &cell.parameter);
            asked.entry(key).or_default().insert(cell.validator.clone());
        }
        for ((controller, _), validators) in asked {
            let known = self
                .controllers
                .get(&controller)
                .ok_or(Refusal::AssignmentInvalid)?;
            let owner = &known.published.reference.owner;
            if validators != panel(seed, controller, owner, &eligible, count) {
                return Err(Refusal::PanelMismatch);
            }
        }
        Ok(())
    }

    /// A drawn panel needs a seed for the next; after a first seed there is only one that fits.
    pub(super) fn check_seed(&self, committed: Option<Digest>) -> Result<(), Refusal> {
        let needed = self.rules()?.terms.panel > 0 || self.governance.beacon.is_some();
        let fits = match (committed, self.governance.beacon) {
            (Some(committed), Some(beacon)) => committed == beacon,
            (Some(_), None) => true,
            (None, _) => !needed,
        };
        match fits {
            true => Ok(()),
            false => Err(Refusal::SeedMismatch),
        }
    }

    /// The real cells that this seed has evaluated again, by the rate of each controller: the more
    /// money waits for it beside what a majority of its panel has at stake, the likelier.
    #[must_use]
    pub fn audits_drawn(
        &self,
        seed: Digest,
        planted: &BTreeSet<Digest>,
    ) -> BTreeSet<(Digest, Slug)> {
        let mut parameters: BTreeMap<Digest, BTreeSet<&Slug>> = BTreeMap::new();
        for cell in self
            .epoch
            .cells
            .iter()
            .filter(|cell| !planted.contains(&cell.controller))
        {
            parameters
                .entry(cell.controller)
                .or_default()
                .insert(&cell.parameter);
        }
        let drawn = parameters.into_iter().flat_map(|(controller, parameters)| {
            let rate = self.audit_rate(controller);
            let cells = audited_cells(seed, controller, parameters, rate);
            cells.map(move |parameter| (controller, parameter.clone()))
        });
        drawn.collect()
    }

    /// `min(PPM, 20*escrow*PPM//K_majority)`.
    #[must_use]
    pub fn audit_rate(&self, controller: Digest) -> Ppm {
        let cells = self
            .epoch
            .cells
            .iter()
            .filter(|cell| cell.controller == controller);
        let panel: BTreeSet<&Slug> = cells.map(|cell| &cell.validator).collect();
        let stake: Amount = panel.into_iter().map(|name| self.active_stake(name)).sum();
        audit_probability(self.available(&addresses::escrow(controller)), stake)
    }

    /// The seed opens what was committed to, and exactly the cells it draws were evaluated again.
    pub(super) fn check_audits(
        &self,
        close: &CloseEpoch,
        planted: &BTreeSet<Digest>,
    ) -> Result<(), Refusal> {
        if close.seed.map(seed_commitment) != self.governance.plan.seed {
            return Err(Refusal::SeedMismatch);
        }
        let drawn = match close.seed {
            Some(seed) => self.audits_drawn(seed, planted),
            None => BTreeSet::new(),
        };
        let cell = |finding: &Finding| (finding.controller, finding.parameter.clone());
        let found: BTreeSet<_> = close.audits.iter().map(cell).collect();
        let in_range = |finding: &Finding| u64::from(finding.truth) <= PPM;
        let once = found.len() == close.audits.len();
        match once && found == drawn && close.audits.iter().all(in_range) {
            true => Ok(()),
            false => Err(Refusal::AuditMismatch),
        }
    }

    pub(super) fn remember_opened(&mut self, close: &CloseEpoch) {
        let Some(seed) = close.seed else { return };
        let opened = Opened {
            seed: Some(seed),
            telemetry_at_assignment: self.governance.plan.telemetry,
            telemetry: self.telemetry_root(close.epoch),
        };
        self.governance.opened.insert(close.epoch, opened);
        self.governance.beacon = Some(seed);
    }
}
