use std::collections::BTreeMap;

use crate::limits::{VARIABLE_NAME_BYTES_MAX, VARIABLES_BYTES_MAX, VARIABLES_MAX};
use crate::{BranchId, Fault};

/// A variable's value and how often it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// 1 after the first write.
    pub version: u64,
    /// Any bytes.
    pub value: Vec<u8>,
}

/// The variables of one session, and which versions each branch has seen.
#[derive(Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Versioned>,
    seen: BTreeMap<(BranchId, String), u64>,
    /// Bytes of all names and values.
    bytes: usize,
}

impl Variables {
    pub fn get(&mut self, branch: BranchId, name: &str) -> Option<Versioned> {
        self.version_seen(branch, name);
        self.values.get(name).cloned()
    }

    /// The variable's version, 0 if there is none; the branch has seen it now.
    pub fn version_seen(&mut self, branch: BranchId, name: &str) -> u64 {
        let version = self.version(name);
        if version > 0 {
            self.seen.insert((branch, name.to_owned()), version);
        }
        version
    }

    pub fn set(&mut self, branch: BranchId, name: &str, value: &[u8]) -> Result<u64, Fault> {
        self.write(branch, name, value, false)
    }

    pub fn append(&mut self, branch: BranchId, name: &str, more: &[u8]) -> Result<u64, Fault> {
        self.write(branch, name, more, true)
    }

    /// Whether one of them has a version that the branch has not seen.
    pub fn news(&self, branch: BranchId, names: &[String]) -> bool {
        let seen = |name: &String| self.seen.get(&(branch, name.clone())).copied();
        names
            .iter()
            .any(|name| self.version(name) > seen(name).unwrap_or(0))
    }

    /// `to` has seen what `from` has.
    pub fn fork(&mut self, from: BranchId, to: BranchId) {
        let range = (from, String::new())..(from + 1, String::new());
        let seen: Vec<_> = self
            .seen
            .range(range)
            .map(|((_, name), version)| ((to, name.clone()), *version))
            .collect();
        self.seen.extend(seen);
    }

    fn version(&self, name: &str) -> u64 {
        self.values.get(name).map_or(0, |value| value.version)
    }

    fn write(
        &mut self,
        branch: BranchId,
        name: &str,
        bytes: &[u8],
        append: bool,
    ) -> Result<u64, Fault> {
        let old = self.values.get(name);
        let before = old.map_or(0, |old| name.len() + old.value.len());
        let kept = old.map_or(0, |old| if append { old.value.len() } else { 0 });
        let after = name.len().saturating_add(kept).saturating_add(bytes.len());
        let total = (self.bytes - before).saturating_add(after);
        let fits = name.len() <= VARIABLE_NAME_BYTES_MAX && total <= VARIABLES_BYTES_MAX;
        if !fits || (old.is_none() && self.values.len() >= VARIABLES_MAX) {
            return Err(Fault::VariablesFull);
        }
        // Nothing can fail from here.
        self.bytes = total;
        let (version, value) = (0, Vec::new());
        let entry = self.values.entry(name.to_owned());
        let variable = entry.or_insert(Versioned { version, value });
        variable.value.truncate(kept);
        variable.value.extend_from_slice(bytes);
        variable.version += 1;
        Ok(self.version_seen(branch, name))
    }
}
