//! §4: the consensus of one cell.

use super::int::{Int, PPM};
use super::panel::{Cell, Panel};
use aigen_types::{Amount, Ppm};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// The value of a cell, and how much of the panel stands behind it.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// `m`: none if nothing has support.
    pub value: Option<Int>,
    /// `cov`, in ppm.
    pub coverage: Int,
}

/// The largest reported value `x` such that the reports of at least `x` have strictly more than
/// `support` of all weight, or none if the total is 0.
///
/// Reports are (value, weight); weights are stakes or anything in proportion to them.
#[must_use]
pub fn supported(reports: &[(Ppm, Amount)], support: Ppm) -> Option<Ppm> {
    let ballots = reports.iter().map(|(value, weight)| Ballot {
        value: (*value).into(),
        weight: (*weight).into(),
        owner: 0,
    });
    let value = Tally::of(ballots.collect(), support).supported();
    value.map(Int::ppm)
}

/// `m` and `cov` of a voted cell.
pub(super) fn reading(panel: &Panel<'_>, cell: &Cell<'_>, tally: &Tally) -> Reading {
    if cell.truth.is_some() {
        return Reading {
            value: cell.truth,
            coverage: PPM,
        };
    }
    let value = tally.supported();
    let coverage = match value {
        Some(_) => coverage(panel, cell, tally),
        None => Int::ZERO,
    };
    Reading { value, coverage }
}

/// `(W_reported*PPM//W_assigned) * min(owners,min_owners)//min_owners`.
fn coverage(panel: &Panel<'_>, cell: &Cell<'_>, tally: &Tally) -> Int {
    let assigned: Int = cell
        .places
        .iter()
        .map(|place| panel.seats[place.validator].weight)
        .sum();
    let min_owners = Int::from(panel.input.params.min_owners);
    let owners = Int::from(tally.owners()).min(min_owners);
    (tally.total * PPM / assigned) * owners / min_owners
}

/// The counted reports of a cell, highest first, ready to be asked what they support.
pub(super) struct Tally {
    ballots: Vec<Ballot>,
    /// The weight of each ballot and of all before it.
    at_or_above: Vec<Int>,
    total: Int,
    support: Int,
}

struct Ballot {
    value: Int,
    weight: Int,
    owner: usize,
}

impl Tally {
    pub fn of_cell(panel: &Panel<'_>, cell: &Cell<'_>) -> Self {
        let ballots = cell.reports().map(|(validator, value)| Ballot {
            value,
            weight: panel.seats[validator].weight,
            owner: panel.seats[validator].owner,
        });
        Self::of(ballots.collect(), panel.input.params.support)
    }

    fn of(mut ballots: Vec<Ballot>, support: Ppm) -> Self {
        ballots.sort_unstable_by_key(|ballot| Reverse(ballot.value));
        let mut total = Int::ZERO;
        let at_or_above = ballots.iter().map(|ballot| {
            total = total + ballot.weight;
            total
        });
        Self {
            at_or_above: at_or_above.collect(),
            total,
            ballots,
            support: support.into(),
        }
    }

    /// What all reports support.
    pub fn supported(&self) -> Option<Int> {
        self.supported_without(&[])
    }

    /// For every owner with a report here: what the reports of all the others support.
    pub fn supported_without_each_owner(&self) -> BTreeMap<usize, Option<Int>> {
        let mut own = BTreeMap::<usize, Vec<usize>>::new();
        for (position, ballot) in self.ballots.iter().enumerate() {
            own.entry(ballot.owner).or_default().push(position);
        }
        own.into_iter()
            .map(|(owner, own)| (owner, self.supported_without(&own)))
            .collect()
    }

    /// What the ballots support when those at the positions `own`, in ascending order, are left
    /// out: the value of the first ballot at which the weight of the others passes the support.
    ///
    /// The passing lies between two own ballots. They are walked to find which, and the gap is
    /// searched by halves, so that all owners together cost one walk over the ballots.
    fn supported_without(&self, own: &[usize]) -> Option<Int> {
        let own_total: Int = own.iter().map(|own| self.ballots[*own].weight).sum();
        let total = self.total - own_total;
        let passes = |weight: Int| PPM * weight > self.support * total;
        let mut own_above = Int::ZERO;
        for &position in own {
            let ballot = self.ballots[position].weight;
            let others_above = self.at_or_above[position] - ballot - own_above;
            if passes(others_above) {
                break;
            }
            own_above = own_above + ballot;
        }
        let first = self
            .at_or_above
            .partition_point(|weight| !passes(*weight - own_above));
        self.ballots.get(first).map(|ballot| ballot.value)
    }

    fn owners(&self) -> usize {
        let voting = self.ballots.iter().filter(|b| b.weight > Int::ZERO);
        voting.map(|b| b.owner).collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
mod tests;
