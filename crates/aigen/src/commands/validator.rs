//! A validator: evaluates what it is assigned, commits, reveals, and is paid for being right.

use crate::context::Context;
use crate::evaluation::{self, evaluate};
use crate::failure::hinted;
use crate::reach::{Asked, Reach};
use aigen_api::openai::ModelList;
use aigen_api::resources::{
    Assignment, CommitRequest, EpochPhase, EpochState, EpochStatement, MoveStake,
    RegisterValidator, Report, RevealRequest, Validator,
};
use aigen_network::{Cell, assignment_root, report_root, score_commitment};
use aigen_types::{Amount, Digest, Slug};
use anyhow::Result;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often a waiting validator looks whether the epoch has moved on.
const POLL: Duration = Duration::from_millis(250);

/// `aigen validator …`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Lock a stake and become a validator
    #[command(after_help = "Example:\n  aigen validator register vera --owner vera-inc --stake 50")]
    Register(Register),
    /// Lock more stake
    #[command(after_help = "Example:\n  aigen validator stake vera 10")]
    Stake(Move),
    /// Take stake out; it is paid after the unbonding time
    #[command(after_help = "Example:\n  aigen validator unstake vera 10")]
    Unstake(Move),
    /// Evaluate what is assigned, commit, reveal, and wait for the pay
    #[command(after_help = "Example:\n  aigen validator run vera --key $VERA_KEY")]
    Run(Run),
}

/// See [`Command::Register`].
#[derive(Debug, clap::Args)]
pub struct Register {
    /// Its name; it is paid at validator:NAME
    name: Slug,
    /// Who stands behind it; it never scores controllers of this owner
    #[arg(long)]
    owner: Slug,
    /// What it locks, in AIGEN, taken from validator:NAME
    #[arg(long)]
    stake: Amount,
    #[command(flatten)]
    reach: Reach,
}

/// See [`Command::Stake`].
#[derive(Debug, clap::Args)]
pub struct Move {
    /// The validator's name
    name: Slug,
    /// How much, in AIGEN
    amount: Amount,
    #[command(flatten)]
    reach: Reach,
}

/// See [`Command::Run`].
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The validator's name
    name: Slug,
    /// Model to evaluate with; without it, the first that the node serves
    #[arg(long)]
    model: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

/// # Errors
/// When the node cannot be reached or refuses.
pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Register(args) => register(args, context).await,
        Command::Stake(args) => move_stake(args, "add", context).await,
        Command::Unstake(args) => move_stake(args, "remove", context).await,
        Command::Run(args) => validate(args, context).await,
    }
}

async fn register(args: Register, context: &Context) -> Result<()> {
    let node = args.reach.as_operator(context)?;
    let request = RegisterValidator {
        name: args.name,
        owner: args.owner,
        stake: args.stake,
    };
    let validator: Validator = node.post("/v1/aigen/validators", &request).await?;
    context.output.data(&validator, || {
        format!(
            "validator {} has locked {} AIGEN",
            request.name, request.stake
        )
    })
}

async fn move_stake(args: Move, which: &str, context: &Context) -> Result<()> {
    let node = args.reach.as_operator(context)?;
    let request = MoveStake {
        validator: args.name,
        amount: args.amount,
        id: None,
    };
    let path = format!("/v1/aigen/stakes/{which}");
    let validator: Validator = node.post(&path, &request).await?;
    context.output.data(&validator, || {
        let (name, stake) = (&validator.name, validator.stake);
        format!("validator {name} now has {stake} AIGEN locked")
    })
}

/// One epoch of a validator's work.
struct Work<'a> {
    node: Asked,
    context: &'a Context,
    name: Slug,
    model: String,
    key: String,
}

async fn validate(args: Run, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let model = match args.model {
        Some(model) => model,
        None => first_model(&node).await?,
    };
    let work = Work {
        key: node.key().to_owned(),
        node,
        context,
        name: args.name,
        model,
    };
    let epoch = work
        .wait_for(|state| state.phase == EpochPhase::Commit)
        .await?;
    let (reports, cost) = work.evaluate(&epoch).await?;
    let salt = work.salt(&epoch);
    work.commit(&epoch, &reports, salt).await?;
    let moved_on =
        |state: &EpochState| state.phase != EpochPhase::Commit || state.epoch != epoch.epoch;
    work.wait_for(moved_on).await?;
    work.reveal(&epoch, reports, salt).await?;
    work.wait_for(|state| state.epoch != epoch.epoch).await?;
    work.report(&epoch, cost).await
}

pub(super) async fn first_model(node: &Asked) -> Result<String> {
    let models: ModelList = node.get("/v1/models").await?;
    let first = models.data.into_iter().next();
    first
        .map(|model| model.id)
        .ok_or_else(|| hinted("the node serves no model", "start it with one"))
}

impl Work<'_> {
    async fn wait_for(&self, reached: impl Fn(&EpochState) -> bool) -> Result<EpochState> {
        loop {
            let state: EpochState = self.node.get("/v1/aigen/epochs/current").await?;
            if reached(&state) {
                return Ok(state);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn evaluate(&self, epoch: &EpochState) -> Result<(Vec<Report>, Amount)> {
        let asked = by_controller(&epoch.assignments);
        let suites: BTreeMap<_, _> = evaluation::shipped()
            .into_iter()
            .map(|suite| (suite.name.clone(), suite))
            .collect();
        let cases = |suite: &Slug| {
            suites
                .get(suite)
                .map_or(0, |suite| suite.cases.len() as u64)
        };
        let total = asked.keys().map(|(_, suite)| cases(suite)).sum();
        let bar = self.context.output.progress(Some(total), "questions");
        let (mut reports, mut cost) = (Vec::new(), Amount::ZERO);
        for ((controller, name), parameters) in asked {
            let suite = suites.get(&name).ok_or_else(|| no_suite(&name))?;
            let seeds = |case| self.seed(epoch, controller, case);
            let done = || bar.inc(1);
            let found = evaluate(&self.node, &self.model, suite, controller, seeds, done).await?;
            cost = cost.saturating_add(found.cost);
            reports.extend(answers(controller, &parameters, &found.scores));
        }
        bar.finish_and_clear();
        Ok((reports, cost))
    }

    /// A transcript of its own: other validators see other samples of the same controller.
    fn seed(&self, epoch: &EpochState, controller: Digest, case: usize) -> i64 {
        let text = format!("{}/{}/{controller}/{case}", self.name, epoch.epoch);
        let hash = blake3::hash(text.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        i64::from_le_bytes(bytes) >> 1 & i64::MAX
    }

    /// HMAC-SHA256(key, network | epoch): nothing has to be stored to open the commitment later.
    fn salt(&self, epoch: &EpochState) -> Digest {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.key.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(epoch.network.as_str().as_bytes());
        mac.update(&epoch.epoch.0.to_le_bytes());
        Digest(mac.finalize().into_bytes().into())
    }

    async fn commit(&self, epoch: &EpochState, reports: &[Report], salt: Digest) -> Result<()> {
        let cells: Vec<_> = epoch.assignments.iter().map(cell).collect();
        let commitment = score_commitment(
            &epoch.network,
            epoch.epoch,
            &self.name,
            assignment_root(&cells),
            report_root(&reports.iter().map(report).collect::<Vec<_>>()),
            salt,
        );
        let request = CommitRequest {
            epoch: epoch.epoch,
            validator: self.name.clone(),
            commitment,
        };
        let path = format!("/v1/aigen/epochs/{}/commit", epoch.epoch);
        let _: Value = self.node.post(&path, &request).await?;
        self.context.output.say(format!(
            "{}: committed to {} reports",
            self.name,
            reports.len()
        ));
        Ok(())
    }

    async fn reveal(&self, epoch: &EpochState, reports: Vec<Report>, salt: Digest) -> Result<()> {
        let request = RevealRequest {
            epoch: epoch.epoch,
            validator: self.name.clone(),
            salt,
            reports,
        };
        let path = format!("/v1/aigen/epochs/{}/reveal", epoch.epoch);
        let _: Value = self.node.post(&path, &request).await?;
        Ok(())
    }

    async fn report(&self, epoch: &EpochState, cost: Amount) -> Result<()> {
        let path = format!("/v1/aigen/epochs/{}/statement", epoch.epoch);
        let statement: EpochStatement = self.node.get(&path).await?;
        let own = statement.validators.iter();
        let own = own
            .into_iter()
            .find(|result| result.id == self.name.as_str());
        let own = own.ok_or_else(|| {
            hinted(
                "the statement does not name this validator",
                "check the name",
            )
        })?;
        self.context.output.data(own, || {
            format!(
                "{}: epoch {} paid {} AIGEN, slashed {}, evaluating cost {}, skill is {} ppm",
                self.name, epoch.epoch, own.pay, own.slash, cost, own.skill
            )
        })
    }
}

/// What is asked of each controller, with which suite.
fn by_controller(cells: &[Assignment]) -> BTreeMap<(Digest, Slug), BTreeSet<Slug>> {
    let mut asked: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for cell in cells {
        let key = (cell.controller, cell.suite.clone());
        asked.entry(key).or_default().insert(cell.parameter.clone());
    }
    asked
}

fn answers(
    controller: Digest,
    parameters: &BTreeSet<Slug>,
    scores: &BTreeMap<String, u32>,
) -> Vec<Report> {
    let answer = |parameter: &Slug| {
        Some(Report {
            controller,
            parameter: parameter.clone(),
            score: *scores.get(parameter.as_str())?,
        })
    };
    parameters.iter().filter_map(answer).collect()
}

fn no_suite(name: &Slug) -> anyhow::Error {
    hinted(
        format!("this program has no evaluation suite `{name}`"),
        "update it to the version the operator uses",
    )
}

fn cell(assignment: &Assignment) -> Cell {
    Cell {
        validator: assignment.validator.clone(),
        controller: assignment.controller,
        parameter: assignment.parameter.clone(),
        suite: assignment.suite.clone(),
    }
}

fn report(report: &Report) -> aigen_network::Report {
    aigen_network::Report {
        controller: report.controller,
        parameter: report.parameter.clone(),
        score: report.score,
    }
}
