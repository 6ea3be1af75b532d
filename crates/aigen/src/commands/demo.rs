//! The whole story in one run, nothing staged: an app, two developers, three validators,
//! two epochs, and where every nano-AIGEN went.

mod actors;
mod processes;
mod story;

use crate::commands::{epoch, explain, ledger};
use crate::context::Context;
use crate::data_dir::{DataDir, KeyFile};
use crate::evaluation::Library;
use crate::failure::hinted;
use crate::output::{Output, Table};
use crate::reach::Asked;
use actors::{Cast, Tally};
use aigen_api::resources::{ControllerResult, EpochPhase, EpochState, EpochStatement};
use anyhow::Result;
use processes::{Child, NodeProcess};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use story::{OFFERS, Offer};

/// How often the demo looks how far the validators are.
const POLL: Duration = Duration::from_millis(250);

/// Longer than three validators need on two slow cores; beyond it something is stuck.
const EVALUATION_MAX: Duration = Duration::from_secs(300);

/// `aigen demo`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen demo
  aigen demo --keep demo-data        keep the journal, to look at it afterwards
  aigen demo --model ~/models/acme-8b.Q4_K_M.gguf")]
pub struct Args {
    /// Keep the journal in this new or empty folder
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,

    /// Use this model: a name of `aigen model list`, or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
}

/// What `--json` prints at the end.
#[derive(Serialize)]
struct Report {
    /// Per epoch, what the app did.
    usage: Vec<Vec<Tally>>,
    /// Per epoch, who was paid what.
    statements: Vec<EpochStatement>,
    balances: Vec<Balance>,
    issued: String,
    verified: bool,
    seconds: u64,
}

#[derive(Serialize)]
struct Balance {
    address: String,
    amount: String,
}

/// # Errors
/// When a node cannot be started, or anything in the story fails.
pub async fn run(args: Args, context: &Context) -> Result<()> {
    let began = Instant::now();
    let temporary = tempfile::tempdir()?;
    let folder = args.keep.unwrap_or_else(|| temporary.path().join("data"));
    let output = context.output;
    let node = NodeProcess::start(&folder, args.model.as_deref()).await?;
    output.say(format!(
        "A node runs at {}, with a journal in {}.\n",
        node.url,
        folder.display()
    ));

    let library = Library::shipped();
    let operator = operator(&node, &folder)?;
    let cast = Cast::assemble(&operator, &node.url).await?;
    output.say(actors::INTRODUCTION);
    let mut usage = vec![cast.work(&OFFERS.each_ref(), output).await?];
    evaluate(&operator, &cast, &node, output).await?;
    let mut statements = vec![epoch::close(&operator, 60, &library, output).await?];
    output.say(epoch::statement(&statements[0]));
    output.say("The app reads the scores and goes on with the better controller for each task.\n");
    let chosen = better(&statements[0]);
    usage.push(cast.work(&chosen, output).await?);
    evaluate(&operator, &cast, &node, output).await?;
    statements.push(epoch::close(&operator, 60, &library, output).await?);
    node.stop().await?;

    let mut context = context.clone();
    context.config.data_dir = folder;
    let network = ledger::read(&context)?;
    let verified = ledger::verified(&context)?;
    let report = Report {
        usage,
        statements,
        balances: balances(&network),
        issued: verified.issued.to_string(),
        verified: verified.issued == verified.balances,
        seconds: began.elapsed().as_secs(),
    };
    output.data(&report, || tell(&report, &network))
}

/// For each kind of task, the offer with the highest score.
fn better(statement: &EpochStatement) -> Vec<&'static Offer> {
    let score = |offer: &&Offer| {
        let named = |result: &&ControllerResult| result.name.as_deref() == Some(offer.reference);
        let result = statement.controllers.iter().find(named);
        result.map(|result| result.score)
    };
    let suites: BTreeSet<_> = OFFERS.iter().map(|offer| offer.suite).collect();
    let best = |suite| {
        let offers = OFFERS.iter().filter(move |offer| offer.suite == suite);
        offers.max_by_key(score)
    };
    suites.into_iter().filter_map(best).collect()
}

fn operator(node: &NodeProcess, folder: &std::path::Path) -> Result<Asked> {
    let key = DataDir::open(folder)?.key(KeyFile::Operator)?;
    let key =
        key.ok_or_else(|| hinted("the node made no operator key", "this is a defect of aigen"))?;
    Asked::new(&node.url, &key)
}

/// Three validators, each a process of its own, find out by asking what users ask.
async fn evaluate(operator: &Asked, cast: &Cast, node: &NodeProcess, output: Output) -> Result<()> {
    let library = Library::shipped();
    let questions = epoch::assign(operator, &story::evaluations(), &library).await?;
    output.say(format!(
        "Three validators are asked for {questions} scores: of these controllers, and of planted ones whose\n\
         quality only the operator knows. Each finds out by using them, through the public API."
    ));
    let validators = cast.validators.iter();
    let mut children = validators
        .map(|validator| Child::validator(node, &validator.name, &validator.key))
        .collect::<Result<Vec<_>>>()?;
    let bar = output.progress(None, "seconds of evaluation");
    let began = Instant::now();
    loop {
        let state: EpochState = operator.get("/v1/aigen/epochs/current").await?;
        bar.set_position(began.elapsed().as_secs());
        let everyone = state.revealed.len() == cast.validators.len();
        if state.phase == EpochPhase::Reveal && everyone {
            break;
        }
        for child in &mut children {
            child.must_run()?;
        }
        if began.elapsed() > EVALUATION_MAX {
            return Err(hinted(
                "the validators did not finish",
                "is this machine very busy? try again",
            ));
        }
        tokio::time::sleep(POLL).await;
    }
    bar.finish_and_clear();
    output.say("All three committed before anyone could see another's answers, then revealed.\n");
    Ok(())
}

fn balances(network: &aigen_network::Network) -> Vec<Balance> {
    let own = |address: &&aigen_types::Address| address.as_str() != "issuance";
    let addresses = network.known_addresses();
    addresses
        .into_iter()
        .filter(own)
        .map(|address| (address, network.available(address)))
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(address, amount)| Balance {
            address: address.to_string(),
            amount: amount.to_string(),
        })
        .collect()
}

fn tell(report: &Report, network: &aigen_network::Network) -> String {
    let mut balances = Table::new(&["address", "AIGEN"]);
    for balance in &report.balances {
        balances.row([balance.address.clone(), balance.amount.clone()]);
    }
    format!(
        "{}\n{}\nWhere all money is now:\n{balances}\n\
         issued {} AIGEN, all balances together the same\nledger verified\n({} seconds)\n",
        report
            .statements
            .last()
            .map(epoch::statement)
            .unwrap_or_default(),
        explain::largest_payout(network),
        report.issued,
        report.seconds,
    )
}
