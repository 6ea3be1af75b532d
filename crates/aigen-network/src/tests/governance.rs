//! Rules, windows, seeds, held payouts and waiting stakes.

use super::{World, parsed, slugs, used};
use crate::{
    Appeal, AssignEpoch, Cell, CloseEpoch, Command, CommitScores, DecideAppeal, Finding,
    GoldOpening, MoveStake, NewValidator, Outcome, Phase, ProposeRules, Refusal, Reply, Report,
    RevealScores, Rules, Terms, assignment_root, gold_commitment, panel, report_root,
    score_commitment, seed_commitment,
};
use aigen_types::{Amount, Digest, Epoch, Slug, TransferId};
use alloc::format;
use alloc::vec::Vec;

const VALIDATORS: [&str; 3] = ["vera", "viktor", "violet"];
const SALT: Digest = Digest([7; 32]);
/// The seed of the second epoch, and by it that of the first.
const ROOT: Digest = Digest([42; 32]);

struct Ruled {
    world: World,
    real: Digest,
    gold: Vec<GoldOpening>,
}

impl Ruled {
    /// Three validators, a controller with money in escrow, two planted ones; these terms hold
    /// from epoch 1 on, since validators were there before them.
    fn new(terms: Terms) -> Self {
        let mut world = World::new(50_000_000);
        let rules = world.network.rules().unwrap();
        world.ok(Command::ProposeRules(ProposeRules {
            version: 1,
            rules: Rules { terms, ..rules },
        }));
        let real = world.controller("ada/quiz@1.0.0");
        let planted = [("x/one@1.0.0", 1_000_000), ("x/two@1.0.0", 0)];
        let gold = planted.map(|(reference, truth)| GoldOpening {
            controller: world.controller(reference),
            parameter: parsed("quality"),
            truth,
            salt: SALT,
        });
        world.ok(Command::CloseEpoch(CloseEpoch::default()));
        world.open(1, 100, 256, Some(real)).unwrap();
        world.close(1, used(100, 200), Outcome::Stop).unwrap();
        Self {
            world,
            real,
            gold: gold.into(),
        }
    }

    fn epoch(&self) -> Epoch {
        self.world.network.epoch().number
    }

    fn controllers(&self) -> Vec<Digest> {
        let planted = self.gold.iter().map(|gold| gold.controller);
        planted.chain([self.real]).collect()
    }

    fn cells(&self, validators: &[&str]) -> Vec<Cell> {
        let cell = |validator: &Slug, controller| Cell {
            validator: validator.clone(),
            controller,
            parameter: parsed("quality"),
            suite: parsed("lesson-quiz"),
        };
        let controllers = self.controllers();
        let pairs = slugs(validators).into_iter().flat_map(|name| {
            controllers
                .iter()
                .map(move |controller| (name.clone(), *controller))
                .collect::<Vec<_>>()
        });
        pairs
            .map(|(name, controller)| cell(&name, controller))
            .collect()
    }

    fn assign(&mut self, seed: Option<Digest>, validators: &[&str]) -> Result<Reply, Refusal> {
        let gold = self.gold.iter();
        let gold = gold.map(|g| gold_commitment(g.controller, &g.parameter, g.truth, g.salt));
        let assign = AssignEpoch {
            epoch: self.epoch(),
            cells: self.cells(validators),
            gold: gold.collect(),
            seed: seed.map(seed_commitment),
        };
        self.world.apply(Command::AssignEpoch(assign))
    }

    fn reports(&self, score: u32) -> Vec<Report> {
        let report = |controller, score| Report {
            controller,
            parameter: parsed("quality"),
            score,
        };
        let planted = self
            .gold
            .iter()
            .map(|gold| report(gold.controller, gold.truth));
        planted.chain([report(self.real, score)]).collect()
    }

    fn commit(&mut self, validator: &str, score: u32) -> Result<Reply, Refusal> {
        let name: Slug = parsed(validator);
        let cells = self.world.network.epoch().cells_of(&name);
        let (roots, reports) = (assignment_root(&cells), report_root(&self.reports(score)));
        let commitment =
            score_commitment(&parsed("test"), self.epoch(), &name, roots, reports, SALT);
        let epoch = self.epoch();
        self.world.apply(Command::CommitScores(CommitScores {
            epoch,
            validator: name,
            commitment,
        }))
    }

    fn reveal(&mut self, validator: &str, score: u32) -> Result<Reply, Refusal> {
        let (epoch, reports) = (self.epoch(), self.reports(score));
        let validator = parsed(validator);
        let reveal = RevealScores {
            epoch,
            validator,
            salt: SALT,
            reports,
        };
        self.world.apply(Command::RevealScores(reveal))
    }

    fn close(&mut self, seed: Option<Digest>, audits: Vec<Finding>) -> Result<Reply, Refusal> {
        let (epoch, gold) = (self.epoch(), self.gold.clone());
        self.world.apply(Command::CloseEpoch(CloseEpoch {
            epoch,
            gold,
            seed,
            audits,
        }))
    }

    /// Everyone answers `score`.
    fn answer(&mut self, score: u32) {
        for validator in VALIDATORS {
            self.commit(validator, score).unwrap();
        }
        for validator in VALIDATORS {
            self.reveal(validator, score).unwrap();
        }
    }

    fn move_stake(&mut self, id: u128, nano: u128, add: bool) -> Result<Reply, Refusal> {
        let amount = Amount::from_nano(nano);
        let change = MoveStake {
            id: TransferId(id),
            validator: parsed("vera"),
            amount,
        };
        self.world.apply(match add {
            true => Command::AddStake(change),
            false => Command::RemoveStake(change),
        })
    }

    fn phase(&self) -> Phase {
        self.world.network.epoch().phase
    }
}

#[test]
fn windows_close_by_ledger_time() {
    let terms = Terms {
        commit_seconds: 100,
        reveal_seconds: 50,
        ..Terms::default()
    };
    let mut ruled = Ruled::new(terms);
    ruled.assign(None, &VALIDATORS).unwrap();
    ruled.commit("vera", 1).unwrap();
    ruled.commit("viktor", 1).unwrap();
    assert_eq!(ruled.phase(), Phase::Commit);
    ruled.world.seconds += 100;
    assert_eq!(
        ruled.commit("violet", 1),
        Err(Refusal::EpochPhase),
        "the window is closed"
    );
    assert_eq!(ruled.phase(), Phase::Reveal);
    ruled.reveal("vera", 1).unwrap();
    assert_eq!(
        ruled.close(None, Vec::new()),
        Err(Refusal::WindowOpen),
        "viktor may still reveal"
    );
    ruled.world.seconds += 50;
    assert_eq!(ruled.reveal("viktor", 1), Err(Refusal::EpochPhase));
    assert_eq!(ruled.phase(), Phase::Settle);
    ruled.close(None, Vec::new()).unwrap();
    assert_eq!(ruled.phase(), Phase::Open);
}

#[test]
fn a_reveal_window_ends_early_once_everyone_has_revealed() {
    let mut ruled = Ruled::new(Terms {
        reveal_seconds: 1_000,
        ..Terms::default()
    });
    ruled.assign(None, &VALIDATORS).unwrap();
    ruled.answer(500_000);
    ruled.close(None, Vec::new()).unwrap();
}

#[test]
fn seeds_are_a_chain_that_the_operator_cannot_leave() {
    let mut ruled = Ruled::new(Terms::default());
    let first = seed_commitment(ROOT);
    ruled.assign(Some(first), &VALIDATORS).unwrap();
    ruled.answer(500_000);
    assert_eq!(ruled.close(None, Vec::new()), Err(Refusal::SeedMismatch));
    assert_eq!(
        ruled.close(Some(ROOT), Vec::new()),
        Err(Refusal::SeedMismatch)
    );
    let audits = ruled.drawn(first);
    ruled.close(Some(first), audits).unwrap();
    assert_eq!(ruled.assign(None, &VALIDATORS), Err(Refusal::SeedMismatch));
    assert_eq!(
        ruled.assign(Some(Digest([1; 32])), &VALIDATORS),
        Err(Refusal::SeedMismatch)
    );
    ruled.assign(Some(ROOT), &VALIDATORS).unwrap();
}

impl Ruled {
    fn drawn(&self, seed: Digest) -> Vec<Finding> {
        let planted = self.gold.iter().map(|gold| gold.controller).collect();
        let drawn = self.world.network.audits_drawn(seed, &planted).into_iter();
        drawn
            .map(|(controller, parameter)| Finding {
                controller,
                parameter,
                truth: 900_000,
            })
            .collect()
    }
}

/// The escrow is worth more than the stakes here, so that the only real cell is always audited.
#[test]
fn exactly_the_drawn_cells_are_audited_and_count_as_gold() {
    let mut ruled = Ruled::new(Terms::default());
    ruled.world.issue("user:ada", 1_000_000_000);
    for call in 2..12 {
        let real = ruled.real;
        ruled.world.open(call, 900, 100, Some(real)).unwrap();
        ruled
            .world
            .close(call, used(900, 100), Outcome::Stop)
            .unwrap();
    }
    ruled.assign(Some(ROOT), &VALIDATORS).unwrap();
    ruled.answer(100_000);
    let drawn = ruled.drawn(ROOT);
    assert_eq!(drawn.len(), 1);
    assert_eq!(
        ruled.close(Some(ROOT), Vec::new()),
        Err(Refusal::AuditMismatch),
        "left out"
    );
    let twice = [drawn.clone(), drawn.clone()].concat();
    assert_eq!(ruled.close(Some(ROOT), twice), Err(Refusal::AuditMismatch));
    let mut other = drawn.clone();
    other[0].controller = ruled.gold[0].controller;
    assert_eq!(
        ruled.close(Some(ROOT), other),
        Err(Refusal::AuditMismatch),
        "not drawn"
    );
    let epoch = ruled.epoch();
    ruled.close(Some(ROOT), drawn).unwrap();
    let settled = ruled.world.network.settled(epoch).unwrap();
    assert_eq!(settled.input.audits.len(), 1);
    // 800,000 off, of which 150,000 cost nothing: 6.5 % of the stake, capped at 5 %.
    assert_eq!(settled.output.validators["vera"].slash.nano(), 50_000);
    let opened = &ruled.world.network.governance().opened[&epoch];
    let (evidence, proof) = ruled
        .world
        .network
        .proof(epoch, aigen_types::CallId(3))
        .unwrap();
    assert_eq!(
        proof.root(evidence.leaf()),
        opened.telemetry,
        "the call is in what was measured"
    );
}

#[test]
fn panels_are_drawn_and_nobody_else_may_be_asked() {
    let mut ruled = Ruled::new(Terms {
        panel: 2,
        ..Terms::default()
    });
    let network = &ruled.world.network;
    let (seed, eligible) = (network.panel_seed().unwrap(), network.eligible());
    assert_eq!(
        ruled.assign(Some(ROOT), &VALIDATORS),
        Err(Refusal::PanelMismatch)
    );
    let mut cells = ruled.cells(&VALIDATORS);
    cells.retain(|cell| {
        let published = &ruled
            .world
            .network
            .controller(cell.controller)
            .unwrap()
            .published;
        let owner = &published.reference.owner;
        panel(seed, cell.controller, owner, &eligible, 2).contains(&cell.validator)
    });
    assert_eq!(cells.len(), 6);
    let assign = |seed| AssignEpoch {
        epoch: Epoch(1),
        cells: cells.clone(),
        seed,
        ..AssignEpoch::default()
    };
    let without = ruled.world.apply(Command::AssignEpoch(assign(None)));
    assert_eq!(
        without,
        Err(Refusal::SeedMismatch),
        "the next panels need a seed"
    );
    ruled
        .world
        .ok(Command::AssignEpoch(assign(Some(seed_commitment(ROOT)))));
}

#[test]
fn a_panel_never_holds_the_owner_and_does_not_depend_on_the_others() {
    let eligible = |names: &[&str]| {
        names
            .iter()
            .map(|name| (parsed(name), parsed(name)))
            .collect()
    };
    let [seed, controller] = [Digest([1; 32]), Digest([2; 32])];
    let all = eligible(&["a", "b", "c", "d", "e", "f"]);
    for owner in ["a", "b", "c", "d", "e", "f"] {
        let drawn = panel(seed, controller, &parsed(owner), &all, 0);
        assert_eq!(drawn.len(), 5);
        assert!(!drawn.contains(&parsed::<Slug>(owner)));
    }
    let few = panel(seed, controller, &parsed("z"), &all, 3);
    assert!(few.is_subset(&panel(seed, controller, &parsed("z"), &all, 4)));
    assert_ne!(
        few,
        panel(Digest([3; 32]), controller, &parsed("z"), &all, 3)
    );
}

fn held() -> Terms {
    Terms {
        appeal_seconds: 100,
        appeal_bond: Amount::from_nano(500),
        ..Terms::default()
    }
}

fn appeal(ruled: &mut Ruled, id: u128) -> Result<Reply, Refusal> {
    let controller = ruled.real;
    ruled.world.apply(Command::Appeal(Appeal {
        id: TransferId(id),
        epoch: Epoch(1),
        from: parsed("user:ada"),
        controller,
        parameter: parsed("quality"),
        evidence: Digest([8; 32]),
    }))
}

#[test]
fn what_is_settled_is_held_and_paid_by_time_alone() {
    let mut ruled = Ruled::new(held());
    let escrow = ruled
        .world
        .balance(&format!("escrow:controller:{}", ruled.real));
    ruled.assign(None, &VALIDATORS).unwrap();
    ruled.answer(900_000);
    ruled.close(None, Vec::new()).unwrap();
    assert_eq!(ruled.world.balance("developer:ada"), 0);
    assert!(ruled.world.balance("held:epoch1") > escrow);
    assert_eq!(ruled.close(None, Vec::new()), Err(Refusal::PayoutHeld));
    assert_eq!(ruled.move_stake(1, 10, false), Err(Refusal::StakeInUse));
    ruled.world.seconds += 100;
    ruled.world.issue("user:ada", 1);
    let settled = ruled.world.network.settled(Epoch(1)).unwrap();
    let earned = settled.output.controllers[&format!("{}", ruled.real)]
        .payout
        .nano();
    assert_eq!(ruled.world.balance("developer:ada"), earned);
    assert_eq!(ruled.world.balance("held:epoch1"), 0);
    assert_eq!(appeal(&mut ruled, 5), Err(Refusal::AppealClosed));
}

#[test]
fn an_upheld_appeal_settles_the_epoch_anew() {
    let mut ruled = Ruled::new(held());
    ruled.assign(None, &VALIDATORS).unwrap();
    ruled.answer(100_000);
    ruled.close(None, Vec::new()).unwrap();
    let before = ruled
        .world
        .network
        .settled(Epoch(1))
        .unwrap()
        .output
        .clone();
    let ada = ruled.world.balance("user:ada");
    appeal(&mut ruled, 5).unwrap();
    appeal(&mut ruled, 5).unwrap();
    assert_eq!(
        ruled.world.balance("user:ada"),
        ada - 500,
        "the same appeal once"
    );
    ruled.world.seconds += 100;
    ruled.world.issue("user:ben", 1);
    assert!(
        ruled.world.balance("held:epoch1") > 0,
        "undecided, so not paid"
    );
    let decide = DecideAppeal {
        id: TransferId(5),
        truth: Some(900_000),
    };
    ruled.world.ok(Command::DecideAppeal(decide.clone()));
    assert_eq!(ruled.world.balance("user:ada"), ada, "the bond is back");
    assert_eq!(
        ruled.world.balance("stake:vera"),
        950_000,
        "an audit slashes"
    );
    let settled = ruled.world.network.settled(Epoch(1)).unwrap().clone();
    let id = format!("{}", ruled.real);
    assert!(settled.output.controllers[&id].payout > before.controllers[&id].payout);
    assert_eq!(
        aigen_economy::settlement::settle(&settled.input),
        settled.output
    );
    assert_eq!(
        ruled.world.balance("developer:ada"),
        settled.output.controllers[&id].payout.nano()
    );
    assert_eq!(
        ruled.world.apply(Command::DecideAppeal(decide)),
        Err(Refusal::AppealUnknown)
    );
}

#[test]
fn a_rejected_appeal_costs_its_bond_and_an_undecided_one_nothing() {
    for (decided, lost) in [(true, 500), (false, 0)] {
        let mut ruled = Ruled::new(held());
        ruled.assign(None, &VALIDATORS).unwrap();
        ruled.answer(100_000);
        ruled.close(None, Vec::new()).unwrap();
        let output = ruled
            .world
            .network
            .settled(Epoch(1))
            .unwrap()
            .output
            .clone();
        let ada = ruled.world.balance("user:ada");
        appeal(&mut ruled, 5).unwrap();
        if decided {
            let decide = DecideAppeal {
                id: TransferId(5),
                truth: None,
            };
            ruled.world.ok(Command::DecideAppeal(decide));
        }
        ruled.world.seconds += 200;
        ruled.world.issue("user:ben", 1);
        assert_eq!(ruled.world.balance("held:epoch1"), 0);
        assert_eq!(ruled.world.balance("user:ada"), ada - lost);
        assert_eq!(
            ruled.world.network.settled(Epoch(1)).unwrap().output,
            output
        );
    }
}

#[test]
fn stakes_count_later_and_are_paid_later() {
    let terms = Terms {
        activation_epochs: 2,
        unbonding_epochs: 3,
        ..Terms::default()
    };
    let mut ruled = Ruled::new(terms);
    let active = |ruled: &Ruled| ruled.world.network.active_stake(&parsed("vera")).nano();
    let close = |ruled: &mut Ruled| {
        let epoch = ruled.epoch();
        ruled.world.ok(Command::CloseEpoch(CloseEpoch {
            epoch,
            ..CloseEpoch::default()
        }));
    };
    ruled.world.issue("validator:vera", 500);
    ruled.move_stake(1, 500, true).unwrap();
    ruled.move_stake(1, 500, true).unwrap();
    assert_eq!(
        ruled.world.balance("stake:vera"),
        1_000_500,
        "the same id once"
    );
    assert_eq!(active(&ruled), 1_000_000);
    ruled.move_stake(2, 200, false).unwrap();
    assert_eq!(active(&ruled), 1_000_000, "what came last leaves first");
    close(&mut ruled);
    close(&mut ruled);
    assert_eq!(active(&ruled), 1_000_300);
    assert_eq!(ruled.world.balance("validator:vera"), 0);
    close(&mut ruled);
    assert_eq!(ruled.world.balance("validator:vera"), 200);
    let too_much = ruled.move_stake(3, 2_000_000, false);
    assert!(matches!(too_much, Err(Refusal::InsufficientFunds { .. })));
    ruled.assign(None, &VALIDATORS).unwrap();
    assert_eq!(ruled.move_stake(4, 1, false), Err(Refusal::StakeInUse));
}

#[test]
fn a_bond_comes_back_when_all_stake_has_left() {
    let terms = Terms {
        registration_bond: Amount::from_nano(70),
        ..Terms::default()
    };
    let mut ruled = Ruled::new(terms);
    ruled.world.issue("validator:nora", 100);
    let stake = |nano| NewValidator {
        name: parsed("nora"),
        owner: parsed("nora-inc"),
        stake: Amount::from_nano(nano),
    };
    let refused = ruled.world.apply(Command::RegisterValidator(stake(31)));
    assert!(matches!(refused, Err(Refusal::InsufficientFunds { .. })));
    ruled.world.ok(Command::RegisterValidator(stake(30)));
    assert_eq!(ruled.world.balance("bond:nora"), 70);
    let leave = |id, nano| {
        let amount = Amount::from_nano(nano);
        Command::RemoveStake(MoveStake {
            id: TransferId(id),
            validator: parsed("nora"),
            amount,
        })
    };
    ruled.world.ok(leave(8, 10));
    assert_eq!(ruled.world.balance("validator:nora"), 10);
    ruled.world.ok(leave(9, 20));
    assert_eq!(ruled.world.balance("validator:nora"), 100);
    assert!(ruled.world.network.governance().standings.is_empty());
}

#[test]
fn rules_change_later_and_one_after_the_other() {
    let mut ruled = Ruled::new(Terms {
        timelock_epochs: 1,
        ..Terms::default()
    });
    let rules = ruled.world.network.rules().unwrap();
    let changed = Rules {
        terms: Terms {
            panel: 9,
            ..rules.terms
        },
        ..rules
    };
    let propose = |version, rules: &Rules| {
        Command::ProposeRules(ProposeRules {
            version,
            rules: rules.clone(),
        })
    };
    assert_eq!(
        ruled.world.apply(propose(1, &changed)),
        Err(Refusal::RulesVersion)
    );
    let mut wrong = changed.clone();
    wrong.parameters[0].weight = aigen_types::Ppm::ZERO;
    assert_eq!(
        ruled.world.apply(propose(2, &wrong)),
        Err(Refusal::RulesInvalid)
    );
    ruled.world.ok(propose(2, &changed));
    ruled.world.ok(propose(2, &changed));
    for (epoch, panel) in [(1, 0), (2, 0), (3, 9), (4, 9)] {
        let (_, rules) = ruled.world.network.rules_of(Epoch(epoch)).unwrap();
        assert_eq!(rules.terms.panel, panel, "epoch {epoch}");
    }
}

#[test]
fn networks_with_few_validators_are_sane() {
    for count in 0..=3 {
        let mut ruled = Ruled::new(Terms::default());
        let validators = &VALIDATORS[..count];
        if count > 0 {
            ruled.assign(None, validators).unwrap();
            for validator in validators {
                ruled.commit(validator, 900_000).unwrap();
            }
            for validator in validators {
                ruled.reveal(validator, 900_000).unwrap();
            }
        } else {
            ruled.gold.clear();
        }
        ruled.close(None, Vec::new()).unwrap();
        let settled = ruled.world.network.settled(Epoch(1)).unwrap();
        let state = &settled.output.controllers[&format!("{}", ruled.real)].state;
        // A third of the half way from 300,000 to 900,000 for every owner, up to three.
        let expected = [300_000, 399_999, 499_999, 600_000][count];
        assert_eq!(state["quality"].parts(), expected, "{count} validators");
    }
}

/// Answers that the node has checked settle a controller's conformance; nobody is asked about it,
/// and a call that was undone is forgotten.
#[test]
fn conformance_is_measured_where_answers_were_checked() {
    for (conforms, expected) in [
        (&[][..], None),
        (&[None], None),
        (&[Some(true)], Some(333_333)),
        (&[Some(false)], Some(285_714)),
        (&[Some(true), None, Some(false), Some(true)], Some(347_826)),
    ] {
        let mut ruled = Ruled::new(Terms::default());
        let rules = ruled.world.network.rules().unwrap();
        let mut changed = rules.clone();
        changed.parameters[0].id = "conformance".into();
        ruled.world.ok(Command::ProposeRules(ProposeRules {
            version: 2,
            rules: changed,
        }));
        ruled.gold.clear();
        ruled.close(None, Vec::new()).unwrap();
        for (at, conforms) in conforms.iter().enumerate() {
            let call = 100 + at as u128;
            ruled.world.open(call, 100, 256, Some(ruled.real)).unwrap();
            ruled.world.close_checked(call, *conforms).unwrap();
        }
        let root = ruled.world.network.telemetry_root(ruled.epoch());
        let epoch = ruled.epoch();
        ruled.close(None, Vec::new()).unwrap();
        let settled = ruled.world.network.settled(epoch).unwrap();
        let id = format!("{}", ruled.real);
        let audits = &settled.input.audits;
        let truth = audits.iter().find(|audit| audit.controller == id);
        assert_eq!(
            truth.map(|audit| audit.truth.parts()),
            expected,
            "{conforms:?}"
        );
        // What was found is part of what the root commits to.
        let mut evidence = ruled.world.network.evidence(epoch);
        assert_eq!(crate::evidence_root(&evidence), root);
        if let Some(first) = evidence.first_mut() {
            first.conforms = Some(first.conforms != Some(true));
            assert_ne!(crate::evidence_root(&evidence), root);
        }
    }
}
