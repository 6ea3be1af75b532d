//! Measured conformance: whether answers are what their controller's version declares. The node
//! checks every call, so where there were calls nobody is asked, and nobody is paid for saying it.

use crate::network::Network;
use aigen_economy::settlement::{Audit, Input, ParameterKind, reliability};
use aigen_types::{Digest, Epoch, Ppm};
use alloc::collections::BTreeMap;
use alloc::string::ToString;

/// The parameter that is measured where it can be, and voted on elsewhere.
pub const CONFORMANCE: &str = "conformance";

/// How many calls through a controller were checked, and how many of them conformed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Calls that were checked.
    pub calls: u64,
    /// Those whose answer was as declared.
    pub conforming: u64,
}

impl Checked {
    /// By the formula of reliability: twenty calls count for the prior. None without a call.
    #[must_use]
    pub fn conformance(&self, prior: Ppm) -> Option<Ppm> {
        (self.calls > 0).then(|| reliability(self.conforming, self.calls, prior))
    }
}

impl Network {
    /// What was checked in an epoch, by controller version.
    #[must_use]
    pub fn checked(&self, epoch: Epoch) -> BTreeMap<Digest, Checked> {
        let mut checked: BTreeMap<Digest, Checked> = BTreeMap::new();
        for (_, receipt) in self.counted_in(epoch) {
            let found = (receipt.call.controller, receipt.steered.conforms);
            if let (Some(controller), Some(conforms)) = found {
                let of = checked.entry(controller).or_default();
                of.calls = of.calls.saturating_add(1);
                of.conforming = of.conforming.saturating_add(u64::from(conforms));
            }
        }
        checked
    }

    /// Puts measured values in the place of votes: a cell whose value the node has measured is one
    /// whose truth is known, like that of an audit, and about which nobody is asked.
    pub(super) fn put_measured_conformance(&self, input: &mut Input) {
        let voted = input
            .parameters
            .iter()
            .any(|parameter| parameter.id == CONFORMANCE && parameter.kind == ParameterKind::Voted);
        if !voted {
            return;
        }
        for (controller, checked) in self.checked(self.epoch.number) {
            let id = controller.to_string();
            let is_here = |c: &str, p: &str| c == id && p == CONFORMANCE;
            let scored = input.controllers.iter().any(|row| row.id == id);
            let audited = input
                .audits
                .iter()
                .any(|row| is_here(&row.controller, &row.parameter));
            let Some(truth) = checked.conformance(input.params.prior) else {
                continue;
            };
            if !scored || audited {
                continue;
            }
            input
                .assigned
                .retain(|row| !is_here(&row.controller, &row.parameter));
            input
                .reports
                .retain(|row| !is_here(&row.controller, &row.parameter));
            input.audits.push(Audit {
                controller: id,
                parameter: CONFORMANCE.to_string(),
                truth,
            });
        }
        input.audits.sort();
    }
}
