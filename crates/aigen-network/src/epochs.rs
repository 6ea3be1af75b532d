//! An epoch: assign → commit → reveal → close. What validators report and what the operator
//! hides are committed to before either can know the other.

mod conformance;
mod draws;
mod evidence;
mod held;
mod settlement_input;
mod telemetry;
mod windows;

pub use conformance::{CONFORMANCE, Checked};
pub use draws::{Opened, audited_cells, panel};
pub use evidence::{Evidence, Proof, evidence_root};
pub use held::{Held, OpenAppeal};
pub use telemetry::{Tally, measured};
pub use windows::Plan;

use crate::accounts::addresses;
use crate::command::{
    AssignEpoch, Cell, CloseEpoch, CommitScores, Finding, GoldOpening, Report, RevealScores,
};
use crate::commitment::{assignment_root, gold_commitment, report_root, score_commitment};
use crate::limits::CELLS_PER_EPOCH_MAX;
use crate::network::{Network, Reply};
use crate::posting::{Chain, Reason};
use crate::refusal::Refusal;
use aigen_economy::settlement::{Audit, Input, Output, ParameterKind, settle};
use aigen_types::{Address, Amount, Digest, Epoch, PPM, Ppm, Slug, Timestamp, TransferId};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Where an epoch stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Calls fill escrows; nothing is assigned.
    #[default]
    Open,
    /// Validators evaluate and commit.
    Commit,
    /// Commitments are frozen; validators open them.
    Reveal,
    /// Nothing more is revealed; the operator opens the truths.
    Settle,
}

/// The running epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpochState {
    /// Its number.
    pub number: Epoch,
    /// Where it stands.
    pub phase: Phase,
    /// Who is asked what, real and planted.
    pub cells: BTreeSet<Cell>,
    /// Commitments to the hidden truths.
    pub gold: BTreeSet<Digest>,
    /// Commitments of validators.
    pub commitments: BTreeMap<Slug, Digest>,
    /// Commitments that were opened.
    pub reveals: BTreeMap<Slug, Vec<Report>>,
    /// What the node saw of each controller version.
    pub tallies: BTreeMap<Digest, Tally>,
}

impl EpochState {
    /// The cells of one validator, sorted.
    #[must_use]
    pub fn cells_of(&self, validator: &Slug) -> Vec<Cell> {
        let own = |cell: &&Cell| cell.validator == *validator;
        self.cells.iter().filter(own).cloned().collect()
    }

    fn validators(&self) -> BTreeSet<&Slug> {
        self.cells.iter().map(|cell| &cell.validator).collect()
    }

    fn must_be(&self, epoch: Epoch, phase: Phase) -> Result<(), Refusal> {
        if self.number != epoch {
            Err(Refusal::EpochNotCurrent)
        } else if self.phase != phase {
            Err(Refusal::EpochPhase)
        } else {
            Ok(())
        }
    }
}

/// What is known of a controller version's quality from past epochs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluated {
    /// Epochs in which it was scored.
    pub scored_epochs: u64,
    /// Its score per parameter.
    pub state: BTreeMap<String, Ppm>,
}

/// A settled epoch: all that is needed to settle it again anywhere.
#[derive(Clone, Debug, PartialEq)]
pub struct SettledEpoch {
    /// What went in.
    pub input: Input,
    /// What came out.
    pub output: Output,
    /// The hidden truths, opened.
    pub gold: Vec<GoldOpening>,
    /// The transfers that paid it.
    pub postings: Vec<Posting>,
    /// The journal record that holds it.
    pub record: u64,
    /// When it was settled.
    pub closed_at: Timestamp,
}

/// Why a settlement moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PayoutKind {
    /// A controller's earned escrow, to its developer.
    Payout,
    /// A validator's pay.
    ValidatorPay,
    /// A validator's slashed stake.
    Slash,
    /// An unearned remainder, back to a consumer.
    Refund,
    /// Remainders, unpaid validator budgets, slashed stake and dust, to the treasury.
    Treasury,
    /// Remainders that the policy destroys.
    Burned,
    /// What calls to planted controllers put aside, to the treasury.
    Planted,
}

/// One transfer of a settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Its id in the ledger.
    pub transfer: TransferId,
    /// Why.
    pub kind: PayoutKind,
    /// The controller, validator or account it is about; empty for the treasury.
    pub subject: String,
    /// Who receives; a slashed validator's stake goes to clearing.
    pub to: Address,
    /// How much.
    pub amount: Amount,
}

impl Network {
    pub(crate) fn assign_epoch(
        &mut self,
        now: Timestamp,
        assign: &AssignEpoch,
    ) -> Result<Reply, Refusal> {
        self.epoch.must_be(assign.epoch, Phase::Open)?;
        let count = assign.cells.len();
        let known = |cell: &Cell| {
            self.validators.contains_key(&cell.validator)
                && self.controllers.contains_key(&cell.controller)
                && self.is_voted(&cell.parameter)
        };
        if count == 0 || count > CELLS_PER_EPOCH_MAX || !assign.cells.iter().all(known) {
            return Err(Refusal::AssignmentInvalid);
        }
        let cells: BTreeSet<_> = assign.cells.iter().cloned().collect();
        let gold: BTreeSet<_> = assign.gold.iter().copied().collect();
        if cells.len() != count || gold.len() != assign.gold.len() {
            return Err(Refusal::AssignmentInvalid);
        }
        self.check_panels(&cells)?;
        self.check_seed(assign.seed)?;
        self.epoch.cells = cells;
        self.epoch.gold = gold;
        self.open_commits(now, assign.seed)?;
        Ok(Reply::Done)
    }

    fn is_voted(&self, parameter: &Slug) -> bool {
        let voted = |p: &aigen_economy::settlement::Parameter| {
            p.id == parameter.as_str() && p.kind == ParameterKind::Voted
        };
        self.rules()
            .is_ok_and(|rules| rules.parameters.iter().any(voted))
    }

    pub(crate) fn commit_scores(
        &mut self,
        now: Timestamp,
        commit: &CommitScores,
    ) -> Result<Reply, Refusal> {
        self.epoch.must_be(commit.epoch, Phase::Commit)?;
        let assigned = self.epoch.validators();
        if !assigned.contains(&commit.validator) {
            return Err(Refusal::NotAssigned);
        }
        let copied = |(validator, commitment): (&Slug, &Digest)| {
            *validator != commit.validator && *commitment == commit.commitment
        };
        if self.epoch.commitments.iter().any(copied) {
            return Err(Refusal::CommitmentCopied);
        }
        let everyone = assigned.len();
        self.epoch
            .commitments
            .insert(commit.validator.clone(), commit.commitment);
        // Whoever waits for more answers could only be waiting to copy one.
        if self.epoch.commitments.len() == everyone {
            self.open_reveals(now)?;
        }
        Ok(Reply::Done)
    }

    pub(crate) fn freeze_commits(&mut self, now: Timestamp) -> Result<Reply, Refusal> {
        self.epoch.must_be(self.epoch.number, Phase::Commit)?;
        self.open_reveals(now)?;
        Ok(Reply::Done)
    }

    pub(crate) fn reveal_scores(&mut self, reveal: &RevealScores) -> Result<Reply, Refusal> {
        self.epoch.must_be(reveal.epoch, Phase::Reveal)?;
        let committed = self.epoch.commitments.get(&reveal.validator);
        let committed = *committed.ok_or(Refusal::NotAssigned)?;
        let found = self.founded.as_ref().ok_or(Refusal::NotFounded)?;
        let cells = self.epoch.cells_of(&reveal.validator);
        let opened = score_commitment(
            &found.name,
            reveal.epoch,
            &reveal.validator,
            assignment_root(&cells),
            report_root(&reveal.reports),
            reveal.salt,
        );
        if opened != committed {
            return Err(Refusal::RevealMismatch);
        }
        check_reports(&cells, &reveal.reports)?;
        self.epoch
            .reveals
            .insert(reveal.validator.clone(), reveal.reports.clone());
        Ok(Reply::Done)
    }

    pub(crate) fn close_epoch(
        &mut self,
        now: Timestamp,
        close: &CloseEpoch,
    ) -> Result<Reply, Refusal> {
        self.must_be_closable(close.epoch)?;
        self.check_gold(&close.gold)?;
        let planted = close.gold.iter().map(|gold| gold.controller).collect();
        self.check_audits(close, &planted)?;
        let mut input = self.settlement_input(&planted, &close.gold)?;
        input.audits = audits(&close.audits);
        self.put_measured_conformance(&mut input);
        input.check().map_err(|_| Refusal::SettlementInvalid)?;
        let output = settle(&input);
        let appeal_seconds = self.rules()?.terms.appeal_seconds;
        let postings = match appeal_seconds {
            0 => self.post_settlement(now, &input, &output, &planted)?,
            seconds => self.hold_settlement(now, seconds, &input, &output, &planted)?,
        };
        self.remember_scores(&output);
        self.retire(&planted);
        let settled = SettledEpoch {
            input,
            output,
            gold: close.gold.clone(),
            postings,
            record: self.record,
            closed_at: now,
        };
        self.settled.insert(close.epoch, settled);
        self.remember_opened(close);
        self.epoch = EpochState {
            number: close.epoch.next(),
            ..EpochState::default()
        };
        self.governance.plan = Plan::default();
        self.pay_unbonded(now)?;
        Ok(Reply::Settled(close.epoch))
    }

    /// Until its truth is opened a planted controller looks like any other; afterwards it is of
    /// no use to anyone and leaves the listings.
    fn retire(&mut self, planted: &BTreeSet<Digest>) {
        for digest in planted {
            if let Some(controller) = self.controllers.get_mut(digest) {
                controller.published.listed = false;
            }
        }
    }

    fn check_gold(&self, openings: &[GoldOpening]) -> Result<(), Refusal> {
        let opened: BTreeSet<_> = openings
            .iter()
            .map(|gold| gold_commitment(gold.controller, &gold.parameter, gold.truth, gold.salt))
            .collect();
        let in_range = |gold: &GoldOpening| u64::from(gold.truth) <= PPM;
        if opened == self.epoch.gold
            && openings.len() == opened.len()
            && openings.iter().all(in_range)
        {
            Ok(())
        } else {
            Err(Refusal::GoldMismatch)
        }
    }

    /// An epoch in which nobody was asked anything closes too: scores then decay to the prior.
    fn must_be_closable(&self, epoch: Epoch) -> Result<(), Refusal> {
        if self.epoch.number != epoch {
            return Err(Refusal::EpochNotCurrent);
        }
        if !self.governance.held.is_empty() {
            return Err(Refusal::PayoutHeld);
        }
        let revealed = self.epoch.reveals.len() == self.epoch.commitments.len();
        match self.epoch.phase {
            Phase::Commit => Err(Refusal::EpochPhase),
            Phase::Reveal if !revealed && self.governance.plan.reveal_until.is_some() => {
                Err(Refusal::WindowOpen)
            }
            Phase::Open | Phase::Reveal | Phase::Settle => Ok(()),
        }
    }

    fn post_settlement(
        &mut self,
        now: Timestamp,
        input: &Input,
        output: &Output,
        planted: &BTreeSet<Digest>,
    ) -> Result<Vec<Posting>, Refusal> {
        let mut payouts = Payouts::new(self.epoch.number);
        let clearing = addresses::clearing();
        for controller in &input.controllers {
            let digest = parse_digest(&controller.id)?;
            let result = output.controllers.get(&controller.id);
            let result = result.ok_or(Refusal::SettlementInvalid)?;
            let escrow = addresses::escrow(digest);
            payouts.pay_developer(digest, &controller.owner, &escrow, result.payout)?;
            payouts.gather(&escrow, result.remainder);
            payouts.gather(&addresses::validator_budget(digest), controller.vbudget);
        }
        for (name, result) in &output.validators {
            payouts.slash(name, &clearing, result.slash)?;
            payouts.pay_validator(name, &clearing, result.pay)?;
        }
        for (account, amount) in &output.refunds {
            payouts.refund(account, &clearing, *amount)?;
        }
        payouts.rest(&clearing, output.treasury, output.burned);
        self.gather_planted(&mut payouts, planted);
        let Payouts { chain, postings } = payouts;
        self.post(now, chain)?;
        Ok(postings)
    }

    /// What calls to planted controllers put aside; nobody earns from them.
    fn gather_planted(&self, payouts: &mut Payouts, planted: &BTreeSet<Digest>) {
        for digest in planted {
            let escrow = addresses::escrow(*digest);
            let budget = addresses::validator_budget(*digest);
            payouts.planted(*digest, &escrow, self.available(&escrow));
            payouts.planted(*digest, &budget, self.available(&budget));
        }
    }

    fn remember_scores(&mut self, output: &Output) {
        for (id, result) in &output.controllers {
            if let Ok(digest) = id.parse() {
                let evaluated = Evaluated {
                    scored_epochs: result.scored_epochs,
                    state: result.state.clone(),
                };
                self.scores.insert(digest, evaluated);
                self.last_scores.insert(digest, result.score);
            }
        }
        for (name, validator) in &mut self.validators {
            if let Some(result) = output.validators.get(name.as_str()) {
                validator.skill = result.skill;
            }
        }
    }
}

/// What [`Network::score`] says after these epochs.
pub(crate) fn last_scores(settled: &BTreeMap<Epoch, SettledEpoch>) -> BTreeMap<Digest, Ppm> {
    let results = settled
        .values()
        .flat_map(|settled| &settled.output.controllers);
    let scores = results.filter_map(|(id, result)| Some((id.parse().ok()?, result.score)));
    // The later of two stays.
    scores.collect()
}

fn audits(findings: &[Finding]) -> Vec<Audit> {
    let audit = |finding: &Finding| Audit {
        controller: finding.controller.to_string(),
        parameter: finding.parameter.to_string(),
        truth: Ppm::new(finding.truth).unwrap_or(Ppm::ONE),
    };
    findings.iter().map(audit).collect()
}

fn check_reports(cells: &[Cell], reports: &[Report]) -> Result<(), Refusal> {
    let asked: BTreeSet<_> = cells
        .iter()
        .map(|cell| (cell.controller, &cell.parameter))
        .collect();
    let answered: BTreeSet<_> = reports
        .iter()
        .map(|report| (report.controller, &report.parameter))
        .collect();
    let in_range = reports.iter().all(|report| u64::from(report.score) <= PPM);
    if in_range && answered.len() == reports.len() && answered.is_subset(&asked) {
        Ok(())
    } else {
        Err(Refusal::ReportInvalid)
    }
}

pub(crate) fn parse_digest(id: &str) -> Result<Digest, Refusal> {
    id.parse().map_err(|_| Refusal::SettlementInvalid)
}

/// The transfers of one settlement. Everything that is not paid straight out of an escrow is
/// gathered in clearing first and leaves it again in the same chain.
struct Payouts {
    chain: Chain,
    postings: Vec<Posting>,
}

impl Payouts {
    fn new(epoch: Epoch) -> Self {
        Self {
            chain: Chain::new("settlement", u128::from(epoch.0)),
            postings: Vec::new(),
        }
    }

    /// The second chain of an epoch whose first one only held its money.
    fn held(epoch: Epoch) -> Self {
        Self {
            chain: Chain::nth("settlement", u128::from(epoch.0), 1),
            postings: Vec::new(),
        }
    }

    fn pay_developer(
        &mut self,
        digest: Digest,
        owner: &str,
        from: &Address,
        payout: Amount,
    ) -> Result<(), Refusal> {
        let owner: Slug = owner.parse().map_err(|_| Refusal::SettlementInvalid)?;
        let developer = addresses::developer(&owner);
        let id = self.chain.pay(from, &developer, payout, Reason::Payout);
        let subject = digest.to_string();
        self.note(id, PayoutKind::Payout, subject, developer, payout);
        Ok(())
    }

    fn slash(&mut self, name: &str, to: &Address, slash: Amount) -> Result<(), Refusal> {
        let slug: Slug = name.parse().map_err(|_| Refusal::SettlementInvalid)?;
        let stake = addresses::stake(&slug);
        let id = self.chain.pay(&stake, to, slash, Reason::Slash);
        let subject = name.to_string();
        self.note(id, PayoutKind::Slash, subject, to.clone(), slash);
        Ok(())
    }

    fn pay_validator(&mut self, name: &str, from: &Address, pay: Amount) -> Result<(), Refusal> {
        let slug: Slug = name.parse().map_err(|_| Refusal::SettlementInvalid)?;
        let to = addresses::validator(&slug);
        let id = self.chain.pay(from, &to, pay, Reason::ValidatorPay);
        self.note(id, PayoutKind::ValidatorPay, name.to_string(), to, pay);
        Ok(())
    }

    fn refund(&mut self, account: &str, from: &Address, amount: Amount) -> Result<(), Refusal> {
        let to: Address = account.parse().map_err(|_| Refusal::SettlementInvalid)?;
        let id = self.chain.pay(from, &to, amount, Reason::Refund);
        self.note(id, PayoutKind::Refund, account.to_string(), to, amount);
        Ok(())
    }

    fn hold(&mut self, from: &Address, to: &Address, amount: Amount) {
        self.chain.pay(from, to, amount, Reason::Hold);
    }

    fn gather(&mut self, from: &Address, amount: Amount) {
        self.chain
            .pay(from, &addresses::clearing(), amount, Reason::Remainder);
    }

    fn rest(&mut self, from: &Address, treasury: Amount, burned: Amount) {
        let rests = [
            (PayoutKind::Treasury, addresses::treasury(), treasury),
            (PayoutKind::Burned, addresses::burned(), burned),
        ];
        for (kind, to, amount) in rests {
            let id = self.chain.pay(from, &to, amount, Reason::Remainder);
            self.note(id, kind, String::new(), to, amount);
        }
    }

    fn planted(&mut self, digest: Digest, from: &Address, amount: Amount) {
        let to = addresses::treasury();
        let id = self.chain.pay(from, &to, amount, Reason::Remainder);
        self.note(id, PayoutKind::Planted, digest.to_string(), to, amount);
    }

    fn note(
        &mut self,
        transfer: Option<TransferId>,
        kind: PayoutKind,
        subject: String,
        to: Address,
        amount: Amount,
    ) {
        if let Some(transfer) = transfer {
            self.postings.push(Posting {
                transfer,
                kind,
                subject,
                to,
                amount,
            });
        }
    }
}
