use crate::parse::EpochAct;
use crate::world::Fault;
use aigen_network::{
    AssignEpoch, Cell, CloseEpoch, Command, CommitScores, GoldOpening, Network, Report,
    RevealScores, assignment_root, gold_commitment, member_id, report_root, score_commitment,
};
use aigen_types::Slug;
use std::collections::BTreeMap;

/// What operator and validators know and the network does not know yet.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    planted: Vec<GoldOpening>,
    committed: BTreeMap<Slug, Vec<Report>>,
}

impl Secrets {
    pub fn plant(&mut self, gold: GoldOpening) {
        self.planted.push(gold);
    }

    pub fn command(&mut self, network: &Network, act: &EpochAct) -> Result<Command, Fault> {
        match act {
            EpochAct::Assign(cells) => Ok(self.assign(network, cells)),
            EpochAct::Commit { validator, reports } => self.commit(network, validator, reports),
            EpochAct::Reveal { validator, reports } => Ok(self.reveal(network, validator, reports)),
            EpochAct::Close => Ok(self.close(network)),
        }
    }

    fn assign(&self, network: &Network, cells: &[Cell]) -> Command {
        let commitment = |gold: &GoldOpening| {
            gold_commitment(gold.controller, &gold.parameter, gold.truth, gold.salt)
        };
        Command::AssignEpoch(AssignEpoch {
            epoch: network.epoch().number,
            cells: cells.to_vec(),
            gold: self.planted.iter().map(commitment).collect(),
            ..AssignEpoch::default()
        })
    }

    fn commit(
        &mut self,
        network: &Network,
        validator: &Slug,
        reports: &[Report],
    ) -> Result<Command, Fault> {
        let founded = network.founded().ok_or("the network is not founded yet")?;
        let epoch = network.epoch();
        let commitment = score_commitment(
            &founded.name,
            epoch.number,
            validator,
            assignment_root(&epoch.cells_of(validator)),
            report_root(reports),
            member_id(validator),
        );
        self.committed.insert(validator.clone(), reports.to_vec());
        Ok(Command::CommitScores(CommitScores {
            epoch: epoch.number,
            validator: validator.clone(),
            commitment,
        }))
    }

    /// Reveals `reports`; without any, those that the validator committed to.
    fn reveal(&self, network: &Network, validator: &Slug, reports: &[Report]) -> Command {
        let reports = match reports {
            [] => self.committed.get(validator).cloned().unwrap_or_default(),
            other => other.to_vec(),
        };
        Command::RevealScores(RevealScores {
            epoch: network.epoch().number,
            validator: validator.clone(),
            salt: member_id(validator),
            reports,
        })
    }

    fn close(&self, network: &Network) -> Command {
        Command::CloseEpoch(CloseEpoch {
            epoch: network.epoch().number,
            gold: self.planted.clone(),
            ..CloseEpoch::default()
        })
    }
}
