//! A validator at work: it looks where the epoch stands and does what is due, so that it can be
//! killed and started again at any moment.

use super::work::{WorkFolder, cells};
use crate::context::Context;
use crate::evaluation::{Evaluator, Evidence, Library, Source};
use crate::failure::{hinted, told};
use crate::reach::{Asked, Reach};
use aigen_api::resources::{
    Assignment, CommitRequest, EpochPhase, EpochState, EpochStatement, Report, RevealRequest,
    ValidatorResult,
};
use aigen_client::ClientError;
use aigen_network::{assignment_root, report_root, score_commitment};
use aigen_types::{Amount, Digest, Epoch, Slug};
use anyhow::Result;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub const HELP: &str = "\
Everything it asks goes through the public API and is paid from validator:NAME. What it has asked and
what it has committed to is kept in its folder: started again, it goes on where it was.

Examples:
  aigen validator run vera --key $VERA_KEY
  aigen validator run vera --key $VERA_KEY --budget 0.5 --suites my-suites
  aigen validator run vera --key $VERA_KEY --epochs 1";

/// How often it looks where the epoch stands.
const POLL: Duration = Duration::from_millis(250);

/// How long it goes on trying to reach a node that it has reached before.
const PATIENCE: Duration = Duration::from_secs(3600);

/// See [`super::Command::Run`].
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The validator's name
    name: Slug,
    /// Model to evaluate with; without it, the first that the node serves
    #[arg(long)]
    model: Option<String>,
    /// Spend at most so much per epoch, in AIGEN; what is not evaluated then is not reported
    #[arg(long, value_name = "AIGEN")]
    budget: Option<Amount>,
    /// End after so many epochs; without it, never
    #[arg(long, value_name = "COUNT")]
    epochs: Option<u64>,
    /// Folder of evidence and commitments; without it, one in the data folder
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    #[command(flatten)]
    suites: Source,
    #[command(flatten)]
    reach: Reach,
}

/// A validator and what it works with.
struct Work<'a> {
    node: Asked,
    context: &'a Context,
    name: Slug,
    model: String,
    key: String,
    budget: Option<Amount>,
    library: Library,
    folder: WorkFolder,
}

/// # Errors
/// When the node cannot be reached or refuses, or nothing can be kept on disk.
pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let model = match args.model {
        Some(model) => model,
        None => super::first_model(&node).await?,
    };
    let folder = WorkFolder::open(args.work.as_deref(), &context.config.data_dir, &args.name)?;
    let work = Work {
        key: node.key().to_owned(),
        node,
        context,
        name: args.name,
        model,
        budget: args.budget,
        library: args.suites.open()?,
        folder,
    };
    let mut left = args.epochs;
    while left != Some(0) {
        work.one_epoch().await?;
        left = left.map(|left| left.saturating_sub(1));
    }
    Ok(())
}

impl Work<'_> {
    /// Takes part in the running epoch, or in the first one that asks this validator something.
    async fn one_epoch(&self) -> Result<()> {
        let mut part: Option<EpochState> = None;
        loop {
            let state = self.state().await?;
            if let Some(taken) = part.as_ref().filter(|taken| taken.epoch != state.epoch) {
                return self.report(taken).await;
            }
            if self.takes_part(&state)? {
                self.do_what_is_due(&state).await?;
                part = Some(state);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn takes_part(&self, state: &EpochState) -> Result<bool> {
        Ok(match state.phase {
            EpochPhase::Commit => !state.assignments.is_empty(),
            EpochPhase::Reveal | EpochPhase::Settle => self.folder.committed(state)?.is_some(),
            EpochPhase::Open | EpochPhase::Settled => false,
        })
    }

    async fn do_what_is_due(&self, state: &EpochState) -> Result<()> {
        let done = |names: &[Slug]| names.contains(&self.name);
        match (state.phase, self.folder.committed(state)?) {
            (EpochPhase::Commit, None) => {
                let reports = self.evaluate(state).await?;
                self.folder.keep(state, &reports)?;
                self.commit(state, &reports).await
            }
            (EpochPhase::Commit, Some(reports)) if !done(&state.committed) => {
                self.commit(state, &reports).await
            }
            (EpochPhase::Reveal, Some(reports))
                if done(&state.committed) && !done(&state.revealed) =>
            {
                self.reveal(state, reports).await
            }
            _ => Ok(()),
        }
    }

    /// Reports of every controller that the budget was enough for.
    async fn evaluate(&self, epoch: &EpochState) -> Result<Vec<Report>> {
        let asked = by_controller(&epoch.assignments);
        let mut questions = 0;
        for (_, suite) in asked.keys() {
            questions += self.library.find(suite)?.cases.len() as u64;
        }
        let bar = self.context.output.progress(Some(questions), "questions");
        let evidence = Evidence::open(&self.folder.evidence(epoch), self.budget)?;
        let seeds = format!("{}/{}", self.name, epoch.epoch);
        let mut reports = Vec::new();
        for ((controller, suite), parameters) in asked {
            let suite = self.library.find(&suite)?;
            let found = self.steadily(async || {
                let evaluator = Evaluator::new(&self.node, &self.model, &evidence, &seeds).await?;
                evaluator.evaluate(suite, controller, || bar.inc(1)).await
            });
            match found.await? {
                Some(found) => reports.extend(answers(controller, &parameters, &found.scores)),
                None => self.say(format_args!(
                    "{controller} is not evaluated: the money is spent ({} AIGEN)",
                    evidence.spent()
                )),
            }
        }
        bar.finish_and_clear();
        Ok(reports)
    }

    /// HMAC-SHA256(key, network | epoch): nothing has to be stored to open the commitment later.
    fn salt(&self, epoch: &EpochState) -> Digest {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.key.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(epoch.network.as_str().as_bytes());
        mac.update(&epoch.epoch.0.to_le_bytes());
        Digest(mac.finalize().into_bytes().into())
    }

    async fn commit(&self, epoch: &EpochState, reports: &[Report]) -> Result<()> {
        let commitment = score_commitment(
            &epoch.network,
            epoch.epoch,
            &self.name,
            assignment_root(&cells(epoch)),
            report_root(&reports.iter().map(report).collect::<Vec<_>>()),
            self.salt(epoch),
        );
        let request = CommitRequest {
            epoch: epoch.epoch,
            validator: self.name.clone(),
            commitment,
        };
        let path = format!("/v1/aigen/epochs/{}/commit", epoch.epoch);
        if self.post_in_time(&path, &request).await? {
            self.say(format_args!("committed to {} reports", reports.len()));
        }
        Ok(())
    }

    async fn reveal(&self, epoch: &EpochState, reports: Vec<Report>) -> Result<()> {
        let request = RevealRequest {
            epoch: epoch.epoch,
            validator: self.name.clone(),
            salt: self.salt(epoch),
            reports,
        };
        let path = format!("/v1/aigen/epochs/{}/reveal", epoch.epoch);
        if self.post_in_time(&path, &request).await? {
            self.say(format_args!("revealed {} reports", request.reports.len()));
        }
        Ok(())
    }

    /// Whether the node took it; a window that closed meanwhile is no reason to give up the
    /// epochs to come.
    async fn post_in_time(&self, path: &str, body: &impl Serialize) -> Result<bool> {
        const TOO_LATE: [&str; 2] = ["epoch_not_current", "epoch_phase"];
        let is_too_late = |code: Option<&str>| code.is_some_and(|code| TOO_LATE.contains(&code));
        let sent = self.steadily(
            async || match self.node.try_post::<Value>(path, body).await {
                Ok(_) => Ok(true),
                Err(ClientError::Api { error, .. }) if is_too_late(error.code.as_deref()) => {
                    self.say(format_args!("too late: {error}"));
                    Ok(false)
                }
                Err(error) => Err(self.unless_gone(error)),
            },
        );
        sent.await
    }

    async fn report(&self, epoch: &EpochState) -> Result<()> {
        let (cost, own) = (
            self.folder.cost(epoch.epoch.0)?,
            self.result(epoch.epoch).await?,
        );
        self.context.output.data(&own, || {
            format!(
                "{}: epoch {} paid {} AIGEN, slashed {}, evaluating cost {}, skill is {} ppm",
                self.name, epoch.epoch, own.pay, own.slash, cost, own.skill
            )
        })
    }

    async fn result(&self, epoch: Epoch) -> Result<ValidatorResult> {
        let statement: EpochStatement = self
            .get(&format!("/v1/aigen/epochs/{epoch}/statement"))
            .await?;
        let mut results = statement.validators.into_iter();
        let own = results.find(|result| result.id == self.name.as_str());
        own.ok_or_else(|| {
            hinted(
                "the statement does not name this validator",
                "check the name",
            )
        })
    }

    async fn state(&self) -> Result<EpochState> {
        self.get("/v1/aigen/epochs/current").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let got = self.steadily(async || {
            let got = self.node.try_get(path).await;
            got.map_err(|error| self.unless_gone(error))
        });
        got.await
    }

    fn unless_gone(&self, error: ClientError) -> anyhow::Error {
        match is_passing(&error) {
            true => error.into(),
            false => self.node.explain(error),
        }
    }

    /// Does something again until the node can be reached: a node that is started anew is no
    /// reason to lose a stake.
    async fn steadily<T>(&self, act: impl AsyncFn() -> Result<T>) -> Result<T> {
        let began = Instant::now();
        let mut told_so = false;
        loop {
            match act().await {
                Err(error) if began.elapsed() < PATIENCE && passes(&error) => {
                    if !told_so {
                        self.say(format_args!("waiting for the node: {}", told(&error).0));
                        told_so = true;
                    }
                    tokio::time::sleep(POLL).await;
                }
                done => return done,
            }
        }
    }

    fn say(&self, what: std::fmt::Arguments<'_>) {
        self.context
            .output
            .say(format_args!("{}: {what}", self.name));
    }
}

/// Whether trying again may help.
fn is_passing(error: &ClientError) -> bool {
    const UNAVAILABLE: u16 = 503;
    match error {
        ClientError::Transport(_) | ClientError::Cut => true,
        ClientError::Api { status, .. } => *status == UNAVAILABLE,
        ClientError::Setup(_) | ClientError::Shape(_) => false,
    }
}

fn passes(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref().is_some_and(is_passing))
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
    scores: &BTreeMap<Slug, u32>,
) -> Vec<Report> {
    let answer = |parameter: &Slug| {
        Some(Report {
            controller,
            parameter: parameter.clone(),
            score: *scores.get(parameter)?,
        })
    };
    parameters.iter().filter_map(answer).collect()
}

fn report(report: &Report) -> aigen_network::Report {
    aigen_network::Report {
        controller: report.controller,
        parameter: report.parameter.clone(),
        score: report.score,
    }
}
