//! The ids of an input as row numbers, so that everything after is an array lookup.

use super::input::Input;
use alloc::collections::BTreeMap;
use alloc::string::String;

/// A controller's row and a parameter's row.
pub(super) type CellKey = (usize, usize);

/// Which row of its list an id is. A lookup that fails returns the input field that holds
/// the unknown id, by its name in the input file.
pub(super) struct Names<'a> {
    controllers: BTreeMap<&'a str, usize>,
    parameters: BTreeMap<&'a str, usize>,
    validators: BTreeMap<&'a str, usize>,
    gold: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub fn of(input: &'a Input) -> Self {
        Self {
            controllers: rows(input.controllers.iter().map(|row| &row.id)),
            parameters: rows(input.parameters.iter().map(|row| &row.id)),
            validators: rows(input.validators.iter().map(|row| &row.id)),
            gold: rows(input.gold.iter().map(|row| &row.id)),
        }
    }

    pub fn cell(&self, controller: &str, parameter: &str) -> Result<CellKey, &'static str> {
        let controller = self.controllers.get(controller).ok_or("c")?;
        let parameter = self.parameters.get(parameter).ok_or("p")?;
        Ok((*controller, *parameter))
    }

    pub fn validator(&self, id: &str) -> Result<usize, &'static str> {
        self.validators.get(id).copied().ok_or("v")
    }

    pub fn gold(&self, id: &str) -> Result<usize, &'static str> {
        self.gold.get(id).copied().ok_or("g")
    }
}

pub(super) fn rows<'a>(ids: impl Iterator<Item = &'a String>) -> BTreeMap<&'a str, usize> {
    ids.enumerate()
        .map(|(row, id)| (id.as_str(), row))
        .collect()
}
