//! The rules of scoring: versioned, and changed only from a later epoch on.

use crate::command::ProposeRules;
use crate::limits::{EPOCHS_WAITED_MAX, WINDOW_SECONDS_MAX};
use crate::network::{Network, Reply};
use crate::refusal::Refusal;
use aigen_economy::settlement::{self, Parameter, Params};
use aigen_types::{Amount, Epoch};
use alloc::vec::Vec;

/// What scores are made of, and how an epoch runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// What controllers are scored in.
    pub parameters: Vec<Parameter>,
    /// The constants of scoring and settlement.
    pub params: Params,
    /// Windows, bonds and waiting times.
    pub terms: Terms,
}

/// How an epoch runs, and what taking part in it asks for. A network that never set any has none:
/// windows close by command, stakes count at once, and what was settled is paid at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What a validator lays down to become one, beside its stake.
    pub registration_bond: Amount,
    /// Epochs until a stake counts.
    pub activation_epochs: u64,
    /// Epochs until stake that was taken out is paid.
    pub unbonding_epochs: u64,
    /// Validators drawn for each controller by the last opened seed; zero: the operator chooses.
    pub panel: u64,
    /// Seconds of the commit window; zero: it closes when all have committed, or by command.
    pub commit_seconds: u64,
    /// Seconds of the reveal window; zero: it closes by command.
    pub reveal_seconds: u64,
    /// Seconds for which what was settled is held and may be appealed; zero: it is paid at once.
    pub appeal_seconds: u64,
    /// What an appeal lays down; lost if it is rejected.
    pub appeal_bond: Amount,
    /// Epochs between the proposal of new rules and the first epoch under them, beyond the next.
    pub timelock_epochs: u64,
}

/// One version of the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct RulesVersion {
    /// The first epoch under them.
    pub from: Epoch,
    /// What holds.
    pub rules: Rules,
}

impl Rules {
    fn check(&self) -> Result<(), Refusal> {
        let Terms {
            activation_epochs,
            unbonding_epochs,
            timelock_epochs,
            commit_seconds,
            reveal_seconds,
            appeal_seconds,
            ..
        } = self.terms;
        let waits = [activation_epochs, unbonding_epochs, timelock_epochs];
        let windows = [commit_seconds, reveal_seconds, appeal_seconds];
        let bounded = waits.iter().all(|wait| *wait <= EPOCHS_WAITED_MAX)
            && windows.iter().all(|window| *window <= WINDOW_SECONDS_MAX);
        // An input with nothing but the rules in it is well formed if they are.
        let input = settlement::Input {
            params: self.params,
            parameters: self.parameters.clone(),
            ..settlement::Input::default()
        };
        match bounded && input.check().is_ok() {
            true => Ok(()),
            false => Err(Refusal::RulesInvalid),
        }
    }
}

impl Network {
    /// Before anyone could have relied on the rules a change holds at once; afterwards from the
    /// next epoch at the earliest, and as many later as the rules of today say.
    pub(crate) fn propose_rules(&mut self, propose: &ProposeRules) -> Result<Reply, Refusal> {
        let versions = &self.governance.rules;
        let last = versions.last_key_value().map_or(0, |(version, _)| *version);
        if versions.get(&propose.version).map(|known| &known.rules) == Some(&propose.rules) {
            return Ok(Reply::Done);
        }
        if Some(propose.version) != last.checked_add(1) {
            return Err(Refusal::RulesVersion);
        }
        propose.rules.check()?;
        let untouched = self.epoch == crate::EpochState::default() && self.validators.is_empty();
        let wait = self.rules()?.terms.timelock_epochs;
        let from = match untouched {
            true => self.epoch.number,
            false => Epoch(self.epoch.number.next().0.saturating_add(wait)),
        };
        let rules = propose.rules.clone();
        let version = RulesVersion { from, rules };
        self.governance.rules.insert(propose.version, version);
        Ok(Reply::Done)
    }

    /// What holds in the running epoch.
    ///
    /// # Errors
    /// Before the network is founded.
    pub fn rules(&self) -> Result<Rules, Refusal> {
        self.rules_of(self.epoch.number).map(|(_, rules)| rules)
    }

    /// Version and content of the rules of an epoch, as far as they are known today. Version 0 is
    /// what the network was founded with.
    ///
    /// # Errors
    /// Before the network is founded.
    pub fn rules_of(&self, epoch: Epoch) -> Result<(u64, Rules), Refusal> {
        let mut versions = self.governance.rules.iter().rev();
        if let Some((version, known)) = versions.find(|(_, known)| known.from <= epoch) {
            return Ok((*version, known.rules.clone()));
        }
        let settings = self.settings()?;
        let founded = Rules {
            parameters: settings.parameters.clone(),
            params: settings.params,
            terms: Terms::default(),
        };
        Ok((0, founded))
    }

    /// Every change of the rules, the coming ones included.
    pub fn rules_versions(&self) -> impl Iterator<Item = (u64, &RulesVersion)> {
        let versions = self.governance.rules.iter();
        versions.map(|(version, known)| (*version, known))
    }
}
