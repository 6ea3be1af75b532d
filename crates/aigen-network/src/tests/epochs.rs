use super::{World, parsed, slugs, used};
use crate::{
    AssignEpoch, Cell, CloseEpoch, Command, CommitScores, GoldOpening, Outcome, PayoutKind, Phase,
    Refusal, Reply, Report, RevealScores, assignment_root, gold_commitment, report_root,
    score_commitment,
};
use aigen_economy::settlement::settle;
use aigen_types::{Digest, Epoch, Slug};
use alloc::format;
use alloc::vec::Vec;

const VALIDATORS: [&str; 3] = ["vera", "viktor", "violet"];
const SALT: Digest = Digest([7; 32]);

/// One real controller with money in escrow, two planted ones, everybody asked about all.
struct Scored {
    world: World,
    real: Digest,
    openings: Vec<GoldOpening>,
}

impl Scored {
    fn new() -> Self {
        let mut world = World::new(10_000_000);
        let real = world.controller("ada/quiz@1.0.0");
        world.open(1, 100, 256, Some(real)).unwrap();
        world.close(1, used(100, 200), Outcome::Stop).unwrap();
        let planted = [("x/one@1.0.0", 1_000_000), ("x/two@1.0.0", 0)];
        let openings = planted.map(|(reference, truth)| GoldOpening {
            controller: world.controller(reference),
            parameter: parsed("quality"),
            truth,
            salt: SALT,
        });
        Self {
            world,
            real,
            openings: openings.into(),
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let planted = self.openings.iter().map(|gold| gold.controller);
        let controllers: Vec<_> = planted.chain([self.real]).collect();
        let cell = |validator: &Slug, controller: &Digest| Cell {
            validator: validator.clone(),
            controller: *controller,
            parameter: parsed("quality"),
            suite: parsed("lesson-quiz"),
        };
        slugs(&VALIDATORS)
            .iter()
            .flat_map(|validator| controllers.iter().map(move |c| cell(validator, c)))
            .collect()
    }

    fn assign(&mut self) -> Result<Reply, Refusal> {
        let gold = self.openings.iter().map(commitment).collect();
        let cells = self.cells();
        self.world.apply(Command::AssignEpoch(AssignEpoch {
            epoch: Epoch(0),
            cells,
            gold,
            ..AssignEpoch::default()
        }))
    }

    /// Honest about planted controllers; `score` for the real one.
    fn reports(&self, score: u32) -> Vec<Report> {
        let report = |controller, score| Report {
            controller,
            parameter: parsed("quality"),
            score,
        };
        let planted = self.openings.iter();
        let planted = planted.map(|gold| report(gold.controller, gold.truth));
        planted.chain([report(self.real, score)]).collect()
    }

    fn commit(&mut self, validator: &str, reports: &[Report]) -> Result<Reply, Refusal> {
        let name: Slug = parsed(validator);
        let cells = self.world.network.epoch().cells_of(&name);
        let commitment = score_commitment(
            &parsed("test"),
            Epoch(0),
            &name,
            assignment_root(&cells),
            report_root(reports),
            SALT,
        );
        self.world.apply(Command::CommitScores(CommitScores {
            epoch: Epoch(0),
            validator: name,
            commitment,
        }))
    }

    fn reveal(&mut self, validator: &str, reports: Vec<Report>) -> Result<Reply, Refusal> {
        self.world.apply(Command::RevealScores(RevealScores {
            epoch: Epoch(0),
            validator: parsed(validator),
            salt: SALT,
            reports,
        }))
    }

    fn close(&mut self) -> Result<Reply, Refusal> {
        let gold = self.openings.clone();
        self.world.apply(Command::CloseEpoch(CloseEpoch {
            epoch: Epoch(0),
            gold,
            ..CloseEpoch::default()
        }))
    }
}

fn commitment(gold: &GoldOpening) -> Digest {
    gold_commitment(gold.controller, &gold.parameter, gold.truth, gold.salt)
}

#[test]
fn an_epoch_pays_by_score_and_settles_to_the_same_output_again() {
    let mut scored = Scored::new();
    let escrow = scored
        .world
        .balance(&format!("escrow:controller:{}", scored.real));
    scored.assign().unwrap();
    let reports = scored.reports(900_000);
    for validator in VALIDATORS {
        scored.commit(validator, &reports).unwrap();
    }
    assert_eq!(
        scored.world.network.epoch().phase,
        Phase::Reveal,
        "everyone has committed"
    );
    for validator in VALIDATORS {
        scored.reveal(validator, reports.clone()).unwrap();
    }
    assert_eq!(scored.close(), Ok(Reply::Settled(Epoch(0))));
    let settled = scored.world.network.settled(Epoch(0)).unwrap().clone();
    assert_eq!(settle(&settled.input), settled.output);
    let result = &settled.output.controllers[&format!("{}", scored.real)];
    assert_eq!(scored.world.balance("developer:ada"), result.payout.nano());
    assert_eq!(result.payout.nano() + result.remainder.nano(), escrow);
    assert!(
        scored.world.balance("validator:vera") > 0,
        "right about gold, so paid"
    );
    assert_eq!(
        scored.world.balance("developer:x"),
        0,
        "nobody earns from planted controllers"
    );
    let kinds: Vec<_> = settled
        .postings
        .iter()
        .map(|posting| posting.kind)
        .collect();
    assert!(kinds.contains(&PayoutKind::Payout) && kinds.contains(&PayoutKind::ValidatorPay));
    assert_eq!(
        scored.close(),
        Err(Refusal::EpochNotCurrent),
        "settling twice posts once"
    );
}

#[test]
fn what_was_committed_is_what_is_revealed() {
    let mut scored = Scored::new();
    scored.assign().unwrap();
    let honest = scored.reports(500_000);
    scored.commit("vera", &honest).unwrap();
    assert_eq!(
        scored.reveal("vera", honest.clone()),
        Err(Refusal::EpochPhase),
        "not while others commit"
    );
    scored.world.ok(Command::FreezeCommits);
    assert_eq!(
        scored.commit("viktor", &honest),
        Err(Refusal::EpochPhase),
        "the window is closed"
    );
    assert_eq!(
        scored.reveal("vera", scored.reports(500_001)),
        Err(Refusal::RevealMismatch)
    );
    assert_eq!(
        scored.reveal("viktor", honest.clone()),
        Err(Refusal::NotAssigned),
        "nothing was committed"
    );
    scored.reveal("vera", honest).unwrap();
}

#[test]
fn a_copied_commitment_is_refused() {
    let mut scored = Scored::new();
    scored.assign().unwrap();
    let copied = |validator: &str| {
        Command::CommitScores(CommitScores {
            epoch: Epoch(0),
            validator: parsed(validator),
            commitment: Digest([5; 32]),
        })
    };
    scored.world.ok(copied("vera"));
    scored.world.ok(copied("vera"));
    assert_eq!(
        scored.world.apply(copied("viktor")),
        Err(Refusal::CommitmentCopied)
    );
}

#[test]
fn hidden_truths_open_to_what_was_committed() {
    let mut scored = Scored::new();
    scored.assign().unwrap();
    scored.world.ok(Command::FreezeCommits);
    let honest = scored.openings.clone();
    scored.openings[0].truth -= 1;
    assert_eq!(scored.close(), Err(Refusal::GoldMismatch));
    scored.openings = honest[..1].to_vec();
    assert_eq!(
        scored.close(),
        Err(Refusal::GoldMismatch),
        "none may be left out"
    );
    scored.openings = honest;
    scored.close().unwrap();
}

#[test]
fn reports_answer_what_was_asked() {
    let mut scored = Scored::new();
    scored.assign().unwrap();
    let stranger = scored.world.controller("eve/other@1.0.0");
    let mut reports = scored.reports(500_000);
    reports[0].controller = stranger;
    scored.commit("vera", &reports).unwrap();
    scored.world.ok(Command::FreezeCommits);
    assert_eq!(scored.reveal("vera", reports), Err(Refusal::ReportInvalid));
}
