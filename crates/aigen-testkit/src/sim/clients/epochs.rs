use super::{Clients, VALIDATORS, parsed};
use crate::parse::EpochAct;
use aigen_network::{Cell, Command, Network, Phase, Report};
use aigen_types::{Digest, Slug};

/// What operator and validators do, as the epoch stands.
impl Clients {
    pub(super) fn epoch(&mut self, network: &Network) -> Command {
        let validator: Slug = self.name(&VALIDATORS);
        let act = match (network.epoch().phase, self.random.below(10)) {
            (Phase::Open | Phase::Reveal, 0..3) | (Phase::Settle, _) => EpochAct::Close,
            (Phase::Open, _) => EpochAct::Assign(self.cells(network)),
            (Phase::Commit, 0) => return Command::FreezeCommits,
            (Phase::Commit, _) => EpochAct::Commit {
                reports: self.reports(network, &validator),
                validator,
            },
            (Phase::Reveal, _) => EpochAct::Reveal {
                validator,
                reports: Vec::new(),
            },
        };
        let command = self.secrets.command(network, &act);
        command.unwrap_or(Command::FreezeCommits)
    }

    fn cells(&mut self, network: &Network) -> Vec<Cell> {
        let controllers: Vec<Digest> = network.controllers().map(|(digest, _)| digest).collect();
        let validators: Vec<Slug> = network.validators().map(|(name, _)| name.clone()).collect();
        let pairs = controllers
            .iter()
            .flat_map(|controller| validators.iter().map(move |name| (controller, name)));
        let asked: Vec<_> = pairs.filter(|_| self.random.chance(70)).collect();
        let cell = |(controller, validator): (&Digest, &Slug)| Cell {
            validator: validator.clone(),
            controller: *controller,
            parameter: parsed("quality"),
            suite: parsed("suite"),
        };
        asked.into_iter().map(cell).collect()
    }

    fn reports(&mut self, network: &Network, validator: &Slug) -> Vec<Report> {
        let cells = network.epoch().cells_of(validator);
        let random = &mut self.random;
        let report = |cell: Cell| Report {
            controller: cell.controller,
            parameter: cell.parameter,
            score: u32::try_from(random.below(1_000_001)).expect("a score is small"),
        };
        cells.into_iter().map(report).collect()
    }
}
