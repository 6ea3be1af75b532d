//! §3: who counts.

use super::input::{Audit, Input, Report, Validator};
use super::int::{Int, PPM};
use super::names::{CellKey, Names, rows};
use super::params::Params;
use aigen_types::Ppm;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The validators of an epoch, what they were admissibly assigned, and which reports count.
pub(super) struct Panel<'a> {
    pub input: &'a Input,
    /// One per validator, in the order of the input.
    pub seats: Vec<Seat>,
    /// The truth of every audited cell.
    pub audits: BTreeMap<CellKey, Ppm>,
    /// By cell, then validator.
    places: Vec<Place>,
}

/// A validator, as far as counting goes.
pub(super) struct Seat {
    /// Committed, revealed and with a stake.
    pub live: bool,
    /// Assigned to anything, a cell or a gold item.
    pub assigned: bool,
    pub stake: Int,
    /// Its voting weight, by its skill of previous epochs.
    pub weight: Int,
    /// Equal for validators of the same owner.
    pub owner: usize,
}

/// An admissible assignment, with its report if that counts.
pub(super) struct Place {
    pub cell: CellKey,
    pub validator: usize,
    pub report: Option<Ppm>,
}

/// One cell: its admissible assignments and, if it was audited, its truth.
pub(super) struct Cell<'p> {
    pub places: &'p [Place],
    pub truth: Option<Int>,
}

impl<'a> Panel<'a> {
    pub fn of(input: &'a Input, names: &Names<'_>) -> Self {
        let owners = owners(input);
        let mut panel = Self {
            input,
            seats: seats(input, &owners),
            audits: audits(input, names),
            places: places(input, names, &owners),
        };
        for report in &input.reports {
            panel.count(names, report);
        }
        panel.mark_assigned(names);
        panel
    }

    pub fn cell(&self, key: CellKey) -> Cell<'_> {
        let rest = &self.places[self.places.partition_point(|place| place.cell < key)..];
        let places = &rest[..rest.partition_point(|place| place.cell == key)];
        let truth = self.audits.get(&key).copied().map(Int::from);
        Cell { places, truth }
    }

    /// A report counts if its validator is live and assigned to that cell and 0 ≤ r ≤ PPM.
    fn count(&mut self, names: &Names<'_>, report: &Report) {
        let (Ok(cell), Ok(validator)) = (
            names.cell(&report.controller, &report.parameter),
            names.validator(&report.validator),
        ) else {
            return;
        };
        let place = self
            .places
            .binary_search_by_key(&(cell, validator), |place| (place.cell, place.validator));
        if let (Ok(place), true) = (place, self.seats[validator].live) {
            self.places[place].report = in_range(report.value);
        }
    }

    fn mark_assigned(&mut self, names: &Names<'_>) {
        let gold = self.input.gold_assigned.iter();
        let gold = gold.filter_map(|row| names.validator(&row.validator).ok());
        for validator in self.places.iter().map(|place| place.validator).chain(gold) {
            self.seats[validator].assigned = true;
        }
    }
}

impl Cell<'_> {
    /// The validators whose reports count, with their reports.
    pub fn reports(&self) -> impl Iterator<Item = (usize, Int)> {
        let places = self.places.iter();
        places.filter_map(|place| Some((place.validator, place.report?.into())))
    }
}

/// `G(skill) = min(PPM, max(0,skill)*PPM//skill_full)`: how much of its weight and of its pay a
/// validator of this skill gets.
pub(super) fn g(params: &Params, skill: Int) -> Int {
    PPM.min(skill.max(Int::ZERO) * PPM / params.skill_full.into())
}

/// `stake * (rho + (PPM−rho)*G//PPM)`.
fn weight(params: &Params, stake: Int, skill: Int) -> Int {
    let rho = Int::from(params.rho);
    stake * (rho + (PPM - rho) * g(params, skill) / PPM)
}

/// A report's value, if 0 ≤ r ≤ PPM.
pub(super) fn in_range(value: i64) -> Option<Ppm> {
    u32::try_from(value).ok().and_then(Ppm::new)
}

fn owners(input: &Input) -> BTreeMap<&str, usize> {
    let controllers = input.controllers.iter().map(|row| &row.owner);
    rows(controllers.chain(input.validators.iter().map(|row| &row.owner)))
}

fn seats(input: &Input, owners: &BTreeMap<&str, usize>) -> Vec<Seat> {
    let seat = |validator: &Validator| {
        let stake = Int::from(validator.stake);
        Seat {
            live: validator.committed && validator.revealed && stake > Int::ZERO,
            assigned: false,
            stake,
            weight: weight(&input.params, stake, validator.skill.into()),
            owner: owners[validator.owner.as_str()],
        }
    };
    input.validators.iter().map(seat).collect()
}

/// The assignments, but those of a validator whose owner owns the controller: it is recused.
fn places(input: &Input, names: &Names<'_>, owners: &BTreeMap<&str, usize>) -> Vec<Place> {
    let owner = |id: &String| owners[id.as_str()];
    let controllers: Vec<usize> = input.controllers.iter().map(|c| owner(&c.owner)).collect();
    let validators: Vec<usize> = input.validators.iter().map(|v| owner(&v.owner)).collect();
    let mut places: Vec<Place> = input
        .assigned
        .iter()
        .filter_map(|row| {
            let cell = names.cell(&row.controller, &row.parameter).ok()?;
            let validator = names.validator(&row.validator).ok()?;
            let report = None;
            (controllers[cell.0] != validators[validator]).then_some(Place {
                cell,
                validator,
                report,
            })
        })
        .collect();
    places.sort_unstable_by_key(|place| (place.cell, place.validator));
    places.dedup_by_key(|place| (place.cell, place.validator));
    places
}

fn audits(input: &Input, names: &Names<'_>) -> BTreeMap<CellKey, Ppm> {
    let audits = input.audits.iter();
    let cell = |row: &Audit| names.cell(&row.controller, &row.parameter).ok();
    audits
        .filter_map(|row| Some((cell(row)?, row.truth)))
        .collect()
}
