//! One module per command: its arguments, and what it does.

mod allowance;
mod app;
mod budget;
mod chat;
mod completions;
mod config;
mod controller;
mod dataset;
mod demo;
mod dev;
mod dict;
mod earnings;
mod epoch;
mod explain;
mod function;
mod fund;
mod generate;
mod give_back;
mod key;
mod ledger;
mod model;
mod models;
mod money;
mod params;
mod pay;
mod price;
mod receipt;
mod serve;
mod sim;
mod spender;
mod team;
mod usage;
mod validator;

use crate::context::Context;
use anyhow::Result;
use clap::Subcommand;
use std::process::ExitCode;

/// What `aigen` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a node on this machine with a model, a key and some money, and print how to use it
    Dev(dev::Args),
    /// Run a node
    Serve(serve::Args),
    /// Run the whole story: an app, two developers, three validators, an epoch, everyone paid
    Demo(demo::Args),
    /// Talk to a model
    Chat(chat::Args),
    /// List the models that a node serves
    Models(models::Args),
    /// Show what models cost
    Price(price::Args),
    /// Manage the model files on this machine
    #[command(subcommand)]
    Model(model::Command),
    /// Issue money to an address (operator)
    Fund(fund::Args),
    /// Pay from your account to another
    Pay(pay::Args),
    /// Manage API keys (operator)
    #[command(subcommand)]
    Key(key::Command),
    /// Bound what addresses may spend
    #[command(subcommand)]
    Budget(budget::Command),
    /// Make teams of an account and bound what they spend (operator)
    #[command(subcommand)]
    Team(team::Command),
    /// Make apps, bound what they and their end users spend, show what they may (operator)
    #[command(subcommand)]
    App(app::Command),
    /// Let apps spend of your account
    #[command(subcommand)]
    Allowance(allowance::Command),
    /// Pay a call back from the treasury, in part or as a whole (operator)
    Refund(give_back::RefundArgs),
    /// Undo a call of the running epoch (operator)
    Reverse(give_back::ReverseArgs),
    /// Publish and look at controllers
    #[command(subcommand)]
    Controller(controller::Command),
    /// Publish datasets, read their rows, say who may
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Write, try and publish AI functions: a type, a prompt and golden cases
    #[command(subcommand)]
    Fn(function::Command),
    /// Write typed clients of published functions
    Gen(generate::Args),
    /// Show what a call used, what it cost and who was paid
    Receipt(receipt::Args),
    /// Show what was used and what it cost, by day, spender, model or controller
    Usage(usage::Args),
    /// Show what an account earned, with datasets by version and day, or by settlements
    Earnings(earnings::Args),
    /// Read and verify the journal, with or without a running node
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Assign, close, show and replay epochs
    #[command(subcommand)]
    Epoch(epoch::Command),
    /// Show, try out and change the rules of scoring
    #[command(subcommand)]
    Params(params::Command),
    /// Evaluate controllers and be paid for being right
    #[command(subcommand)]
    Validator(validator::Command),
    /// Explain a payout: its formula, with its numbers
    #[command(subcommand)]
    Explain(explain::Command),
    /// Simulate nodes, clients and failing disks, and check every promise: a seed is a world
    Sim(sim::Args),
    /// Print the effective configuration
    Config(config::Args),
    /// Explain a word of AiGen
    Dict(dict::Args),
    /// Print shell completions
    Completions(completions::Args),
}

/// Does it.
///
/// # Errors
/// Whatever went wrong, with a way out where there is one.
pub async fn run(command: Command, context: &Context) -> Result<ExitCode> {
    match command {
        Command::Dev(args) => dev::run(args, context).await?,
        Command::Serve(args) => serve::run(args, context).await?,
        Command::Demo(args) => demo::run(args, context).await?,
        Command::Chat(args) => chat::run(args, context).await?,
        Command::Models(args) => models::run(&args, context).await?,
        Command::Price(args) => price::run(args, context).await?,
        Command::Model(command) => model::run(command, context).await?,
        Command::Fund(args) => fund::run(args, context).await?,
        Command::Pay(args) => pay::run(args, context).await?,
        Command::Key(command) => key::run(command, context).await?,
        Command::Budget(command) => budget::run(command, context).await?,
        Command::Team(command) => team::run(command, context).await?,
        Command::App(command) => app::run(command, context).await?,
        Command::Allowance(command) => allowance::run(command, context).await?,
        Command::Refund(args) => give_back::refund(args, context).await?,
        Command::Reverse(args) => give_back::reverse(args, context).await?,
        Command::Controller(command) => controller::run(command, context).await?,
        Command::Dataset(command) => dataset::run(command, context).await?,
        Command::Fn(command) => return function::run(command, context).await,
        Command::Gen(args) => generate::run(args, context).await?,
        Command::Receipt(args) => receipt::run(args, context).await?,
        Command::Usage(args) => usage::run(args, context).await?,
        Command::Earnings(args) => earnings::run(args, context).await?,
        Command::Ledger(command) => return ledger::run(&command, context).await,
        Command::Epoch(command) => epoch::run(command, context).await?,
        Command::Params(command) => params::run(command, context).await?,
        Command::Validator(command) => validator::run(command, context).await?,
        Command::Explain(command) => explain::run(command, context)?,
        Command::Sim(args) => sim::run(&args, context)?,
        Command::Config(args) => config::run(&args, context)?,
        Command::Dict(args) => dict::run(args, context)?,
        Command::Completions(args) => completions::run(&args, context)?,
    }
    Ok(ExitCode::SUCCESS)
}
