//! A validator: evaluates what it is assigned, commits, reveals, and is paid for being right.

pub(crate) mod evaluate;
mod income;
mod run;
mod work;

use crate::context::Context;
use crate::failure::hinted;
use crate::reach::{Asked, Reach};
use aigen_api::openai::ModelList;
use aigen_api::resources::{MoveStake, RegisterValidator, Validator};
use aigen_types::{Amount, Slug};
use anyhow::Result;

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
    /// Evaluate what is assigned, commit, reveal, and be paid, epoch after epoch
    #[command(after_help = run::HELP)]
    Run(run::Args),
    /// Show what evaluating cost and earned, epoch by epoch, and how skill went
    #[command(after_help = "\
Examples:
  aigen validator income vera
  aigen validator income vera --csv > vera.csv")]
    Income(income::Args),
    /// Run a suite against one controller and print what a validator would report
    #[command(after_help = "\
Examples:
  aigen validator evaluate ada/grounded-quiz@1.0.0 --suite lesson-quiz
  aigen validator evaluate bob/mine@0.1.0 --suite mine --suites my-suites")]
    Evaluate(evaluate::Args),
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

/// # Errors
/// When the node cannot be reached or refuses.
pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Register(args) => register(args, context).await,
        Command::Stake(args) => move_stake(args, "add", context).await,
        Command::Unstake(args) => move_stake(args, "remove", context).await,
        Command::Run(args) => run::run(args, context).await,
        Command::Income(args) => income::run(args, context).await,
        Command::Evaluate(args) => evaluate::run(args, context).await,
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

/// The model a node serves first.
///
/// # Errors
/// When it serves none, or cannot be asked.
pub(crate) async fn first_model(node: &Asked) -> Result<String> {
    let models: ModelList = node.get("/v1/models").await?;
    models
        .usual()
        .ok_or_else(|| hinted("the node serves no model", "start it with one"))
}
