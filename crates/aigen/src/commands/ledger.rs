//! Reads the journal itself: no node is needed, and a running one is not disturbed.

mod apply;
mod export;
mod keep;
mod movement;
mod repair;
mod store;
mod verify;
mod view;

use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{Account, List};
use aigen_journal::{Replayed, recover};
use aigen_network::Network;
use aigen_types::Address;
use anyhow::Result;
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;

/// See [`super::Command::Ledger`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Replay the whole journal and check every promise; exit code 1 names the damaged record
    #[command(after_help = "\
Examples:
  aigen ledger verify
  aigen ledger verify --json --data-dir /srv/aigen")]
    Verify,
    /// Show what an address has, or what everyone has
    #[command(after_help = "\
Examples:
  aigen ledger balance
  aigen ledger balance user:ada
  aigen ledger balance --url http://127.0.0.1:8000 --key aigen_ada.…

It reads the journal of the data folder. With --url it asks that node, as far as the key may see.")]
    Balance {
        /// The address; everyone when absent, of a node that is asked the key's own account
        address: Option<Address>,
        #[command(flatten)]
        reach: Reach,
    },
    /// List transfers, newest first
    #[command(after_help = "\
Examples:
  aigen ledger transfers
  aigen ledger transfers --account user:ada --limit 100")]
    Transfers {
        /// Only those from or to this address
        #[arg(long, value_name = "ADDRESS")]
        account: Option<Address>,
        /// How many, at most
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Export every movement of money, for spreadsheets and bookkeeping tools
    #[command(after_help = "\
Examples:
  aigen ledger export > movements.csv
  aigen ledger export --account user:ada --from 2026-01-01 \\
      --to 2026-02-01 january.csv
  aigen ledger export --format beancount aigen.beancount \\
      && bean-check aigen.beancount
  aigen ledger export --format ledger aigen.ledger \\
      && ledger -f aigen.ledger balance",
        after_long_help = EXPORT_FORMS)]
    Export(export::Args),
    /// Copy the journal into a file, also while nodes write to it
    #[command(after_help = "\
Examples:
  aigen ledger backup /backup/monday.sqlite
  aigen ledger backup /backup/monday.sqlite     # again: adds what is new

Every hash and the chain are checked on the way. Keys are not in it: keep operator.key yourself.")]
    Backup {
        /// Where to; a backup of this journal that is there already is brought up to date
        file: PathBuf,
    },
    /// Fill an empty journal from a backup
    #[command(after_help = "\
Examples:
  aigen ledger restore /backup/monday.sqlite --data-dir /srv/aigen
  AIGEN_JOURNAL=postgres://aigen@db.example/aigen aigen ledger restore \\
      /backup/monday.sqlite

The second moves a journal from a file into a database; a backup of that moves it back.")]
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Save the state after the last record, so that a node starts without replaying the first
    #[command(after_help = "\
Examples:
  aigen ledger snapshot

A running node does so by itself as the journal grows.")]
    Snapshot,
    /// Go on with a journal that has lost records at its end, which a node refuses to do
    #[command(after_help = "\
Examples:
  aigen ledger verify                  # names the first record that is lost
  aigen ledger repair --accept-loss

What was paid or charged in the lost records is forgotten; restore a backup if it is newer. What is
lost is written into losses.jsonl in the data folder, and the log it may still be in is kept there.")]
    Repair {
        /// Yes: whatever those records said is gone
        #[arg(long, required = true)]
        accept_loss: bool,
    },
    /// Apply accounts and transfers to a ledger in memory, one JSON command per line
    #[command(long_about = APPLY_ABOUT, after_long_help = APPLY_EXAMPLES, after_help = "\
Examples:
  aigen ledger apply table.jsonl
  aigen ledger apply - < table.jsonl

Every command and its fields: aigen ledger apply --help")]
    Apply(apply::Args),
}

const EXPORT_FORMS: &str = "\
What is exported: each transfer that moved money, oldest first, with its time in UTC, reason, payer, \
payee, exact amount, id and the call it was for. A sum over the whole export is the balance that \
`aigen ledger balance` shows as posted; an export of a period has no opening balances.

  csv        A cell that a spreadsheet could take for a formula begins with an
             apostrophe.
  jsonl      The same fields, one JSON object per line.
  beancount  Accounts are addresses under Assets, each word with a capital:
             user:ada is Assets:User:Ada, issuance is Equity:Issuance.
             Characters that Beancount does not take are written out:
             _ Under, . Dot, / Slash, @ At; a word that begins with one, or
             with a hyphen, gets XX before it. The address itself is in the
             metadata.
  ledger     For ledger and hledger; accounts are addresses as they are.

--holds adds the holds with what became of them (live, captured, voided, expired), and the voids.

Examples:
  aigen ledger export > movements.csv
  aigen ledger export --account user:ada --from 2026-01-01 \\
      --to 2026-02-01 january.csv
  aigen ledger export --format beancount aigen.beancount \\
      && bean-check aigen.beancount
  aigen ledger export --format ledger aigen.ledger \\
      && ledger -f aigen.ledger balance";

const APPLY_ABOUT: &str = "\
Apply accounts and transfers to a ledger in memory, one JSON command per line.

No data folder is read or changed. It is the state machine under every node, with nothing around it, \
and it speaks TigerBeetle's words, so that test tables made for that one can be replayed here.

Commands:
  {\"create_account\":{…}}         id, ledger, code, flags, limit,
                                 user_data_128, _64, _32
  {\"create_transfer\":{…}}        id, debit_account_id, credit_account_id, amount,
                                 pending_id, timeout, ledger, code, flags,
                                 user_data_128, _64, _32
  {\"commit\":true}                ends the batch
  {\"tick_seconds\":5}             ledger time passes, holds expire
  {\"lookup_account\":\"1\"}         {\"lookup_transfer\":\"1\"}
  {\"get_account_transfers\":{…}}  account_id, user_data_*, code, timestamp_min,
                                 timestamp_max, limit,
                                 flags: debits, credits, reversed
  {\"query_transfers\":{…}}        user_data_*, ledger, code, timestamp_min,
  {\"query_accounts\":{…}}         timestamp_max, limit, flags: reversed

A number is a decimal string or a JSON integer; what is absent is zero; flags are a list of names. \
A zero in a filter means any.

Answers, one line per command and in their order:
  {\"status\":\"created\"}           or the refusal's name; of a linked chain once it
                                 is complete
  {\"status\":\"committed\"}         {\"status\":\"ticked\",\"expired\":[\"1\"]}
  {\"id\":\"1\",…}                   the record looked up, or null
  [{\"id\":\"1\",…}]                 the records queried

A batch ends at a commit, at any command that does not go on with it, and at the end of the input. A \
linked chain that is open there is refused. A batch needs no commit to be answered.

Time begins at zero and counts nanoseconds. TigerBeetle gives each event a timestamp of its own; here \
all of a batch has the batch's, one nanosecond after the batch before. One transfer moves at most \
9223372036854775807, and the flags history and imported are not known here.

Exit code 2: a line is no command; those before it are answered. A refusal is an answer, not an error.";

const APPLY_EXAMPLES: &str = r#"Example:
  $ aigen ledger apply - <<'END'
  {"create_account":{"id":"1","ledger":1,"code":1,"flags":["debits_must_not_exceed_credits"],"limit":"10"}}
  {"create_account":{"id":"2","ledger":1,"code":1}}
  {"create_transfer":{"id":"7","debit_account_id":"1","credit_account_id":"2","amount":"11","ledger":1,"code":1}}
  END
  {"status":"created"}
  {"status":"created"}
  {"status":"exceeds_credits"}

Or from a file:
  aigen ledger apply table.jsonl"#;

pub async fn run(command: &Command, context: &Context) -> Result<ExitCode> {
    match command {
        Command::Verify => return verify::run(context),
        Command::Backup { file } => keep::backup(file, context)?,
        Command::Restore { file } => keep::restore(file, context)?,
        Command::Snapshot => keep::snapshot(context)?,
        Command::Repair { .. } => repair::run(context)?,
        Command::Balance { address, reach } if reach.url.is_some() => {
            let path = match address {
                Some(address) => format!("/v1/aigen/accounts/{address}"),
                None => "/v1/aigen/account".to_owned(),
            };
            let account: Account = reach.as_customer(context)?.get(&path).await?;
            balances(vec![account], context)?;
        }
        Command::Balance { address, .. } => balance(address.as_ref(), context)?,
        Command::Transfers { account, limit } => transfers(account.as_ref(), *limit, context)?,
        Command::Export(args) => export::run(args, context)?,
        Command::Apply(args) => return apply::run(args, context),
    }
    Ok(ExitCode::SUCCESS)
}

/// The state that the journal leads to.
///
/// # Errors
/// When it cannot be read, or a record cannot be trusted.
pub fn read(context: &Context) -> Result<Network> {
    let bar = context.output.progress(None, "records");
    let recovered = store::reading(context, |store| {
        Ok(recover(store, |record, _| bar.set_position(record.seq))?)
    });
    bar.finish_and_clear();
    let (Replayed { network, .. }, _) = recovered?;
    Ok(network)
}

/// Replays the journal and checks every promise.
///
/// # Errors
/// The record or the promise that does not hold.
pub fn verified(context: &Context) -> Result<aigen_journal::Verification> {
    store::reading(context, |store| Ok(aigen_journal::verify(store, |_| {})??))
}

fn balance(address: Option<&Address>, context: &Context) -> Result<()> {
    let network = read(context)?;
    let accounts: Vec<Account> = match address {
        Some(address) => vec![view::account(&network, address)?],
        None => view::accounts(&network),
    };
    balances(accounts, context)
}

fn balances(accounts: Vec<Account>, context: &Context) -> Result<()> {
    context.output.data(&List::complete(accounts.clone()), || {
        let mut table = Table::new(&["address", "available", "held", "posted"]);
        for account in &accounts {
            table.row([
                account.address.to_string(),
                account.available.to_string(),
                account.held.to_string(),
                account.posted.to_string(),
            ]);
        }
        table.to_string()
    })
}

fn transfers(account: Option<&Address>, limit: usize, context: &Context) -> Result<()> {
    let network = read(context)?;
    let transfers = view::transfers(&network, account, limit);
    context.output.data(&List::complete(transfers.clone()), || {
        let mut table = Table::new(&["when", "why", "from", "to", "amount"]);
        for view::Transferred { transfer, .. } in &transfers {
            table.row([
                view::time(transfer.at),
                transfer.reason.clone(),
                transfer.from.to_string(),
                transfer.to.to_string(),
                transfer.amount.to_string(),
            ]);
        }
        table.or("Nothing was moved.")
    })
}
