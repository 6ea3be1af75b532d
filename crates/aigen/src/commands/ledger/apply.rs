//! `aigen ledger apply`: the bare ledger, fed from a file, so that other people's tables of
//! commands can be replayed. In memory; no data folder is touched.

mod input;
mod output;
mod values;

use crate::context::Context;
use crate::failure::{OrHint, hinted, report};
use aigen_ledger::{AccountRequest, Ledger, TransferRequest};
use aigen_types::{Timestamp, TransferId};
use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use input::Command;
use output::Answer;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A line longer than this is no command.
const LINE_BYTES_MAX: u64 = 1 << 20;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// See [`super::Command::Apply`].
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// One command per line, as JSON; `-` for standard input
    file: PathBuf,
}

/// Exit code 2 for a line that is no command; a refusal is an answer like any other.
pub fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let mut input = open(&args.file)?;
    let mut session = Session::new(BufWriter::new(io::stdout().lock()));
    let name = match args.file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => args.file.display().to_string(),
    };
    let read = session.run(&mut input, &name);
    session.end()?;
    if let Err(error) = read {
        report(&error, context.output.json);
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

fn open(file: &Path) -> Result<BufReader<Box<dyn Read>>> {
    if file == Path::new("-") {
        return Ok(BufReader::new(Box::new(io::stdin())));
    }
    let opened = File::open(file).or_hint(
        format!("cannot read {}", file.display()),
        "name a file of commands, or `-` for standard input",
    )?;
    Ok(BufReader::new(Box::new(opened)))
}

/// A ledger, and the batch that goes on.
struct Session<W: Write> {
    ledger: Ledger,
    batch: Batch,
    out: W,
}

/// What waits for the end of its linked chain. Other requests are applied at once: a batch is its
/// chains, one by one.
#[derive(Default)]
enum Batch {
    #[default]
    None,
    Accounts(Vec<AccountRequest>),
    Transfers(Vec<TransferRequest>),
}

impl<W: Write> Session<W> {
    fn new(out: W) -> Self {
        Self {
            ledger: Ledger::new(),
            batch: Batch::None,
            out,
        }
    }

    /// Every line, up to one that is no command.
    fn run(&mut self, input: &mut BufReader<impl Read>, name: &str) -> Result<()> {
        let mut line = Vec::new();
        for number in 1_u64.. {
            // Whoever waits for an answer before asking on is not kept waiting.
            if input.buffer().is_empty() {
                self.out.flush()?;
            }
            line.clear();
            let place = || format!("{name}, line {number}");
            let mut limited = input.by_ref().take(LINE_BYTES_MAX);
            if limited.read_until(b'\n', &mut line).with_context(place)? == 0 {
                break;
            }
            let line = line.trim_ascii();
            if !line.is_empty() {
                let command = input::parse(line).map_err(|fault| fault.at(&place()))?;
                self.apply(command)
                    .map_err(|error| error.context(place()))?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, command: Command) -> Result<()> {
        match command {
            Command::CreateAccount(request) => return self.create_account(request.into()),
            Command::CreateTransfer(request) => return self.create_transfer(request.into()),
            _ => self.end_batch()?,
        }
        match command {
            Command::CreateAccount(_) | Command::CreateTransfer(_) => Ok(()),
            Command::Commit(_) => self.print(&Answer::Committed),
            Command::TickSeconds(seconds) => {
                let expired = self.tick(seconds.0)?;
                self.print(&Answer::Ticked(&expired))
            }
            Command::LookupAccount(id) => {
                let account = self.ledger.account(id.into()).map(output::account);
                print(&mut self.out, &account)
            }
            Command::LookupTransfer(id) => {
                let transfer = self.ledger.transfer(id.into());
                let transfer = transfer.as_ref().map(output::transfer);
                print(&mut self.out, &transfer)
            }
            Command::GetAccountTransfers(filter) => {
                let found = self.ledger.account_transfers(&filter.into());
                print(
                    &mut self.out,
                    &found
                        .map(|transfer| output::transfer(&transfer))
                        .collect::<Vec<_>>(),
                )
            }
            Command::QueryTransfers(filter) => {
                let found = self.ledger.query_transfers(&filter.into());
                print(
                    &mut self.out,
                    &found
                        .map(|transfer| output::transfer(&transfer))
                        .collect::<Vec<_>>(),
                )
            }
            Command::QueryAccounts(filter) => {
                let found = self.ledger.query_accounts(&filter.into());
                print(
                    &mut self.out,
                    &found.map(output::account).collect::<Vec<_>>(),
                )
            }
        }
    }

    fn create_account(&mut self, request: AccountRequest) -> Result<()> {
        if !matches!(self.batch, Batch::Accounts(_)) {
            self.end_batch()?;
            self.start_batch(Batch::Accounts(Vec::new()));
        }
        if let Batch::Accounts(chain) = &mut self.batch {
            chain.push(request);
        }
        self.apply_unless(request.flags.contains(aigen_ledger::AccountFlags::LINKED))
    }

    fn create_transfer(&mut self, request: TransferRequest) -> Result<()> {
        if !matches!(self.batch, Batch::Transfers(_)) {
            self.end_batch()?;
            self.start_batch(Batch::Transfers(Vec::new()));
        }
        if let Batch::Transfers(chain) = &mut self.batch {
            chain.push(request);
        }
        self.apply_unless(request.flags.contains(aigen_ledger::TransferFlags::LINKED))
    }

    /// A nanosecond after the batch before, so that time tells them apart.
    fn start_batch(&mut self, batch: Batch) {
        let now = Timestamp(self.ledger.now().0.saturating_add(1));
        self.ledger.advance(now);
        self.batch = batch;
    }

    fn end_batch(&mut self) -> Result<()> {
        self.apply_unless(false)?;
        self.batch = Batch::None;
        Ok(())
    }

    /// Applies the chain that waits, unless it goes on.
    fn apply_unless(&mut self, goes_on: bool) -> Result<()> {
        if goes_on {
            return Ok(());
        }
        let now = self.ledger.now();
        let codes: Vec<_> = match &mut self.batch {
            Batch::None => Vec::new(),
            Batch::Accounts(chain) => {
                let chain = std::mem::take(chain);
                let answers = self.ledger.create_accounts(now, &chain).into_iter();
                answers
                    .map(|answer| answer.map_err(|refusal| refusal.code()))
                    .collect()
            }
            Batch::Transfers(chain) => {
                let chain = std::mem::take(chain);
                let answers = self.ledger.create_transfers(now, &chain).into_iter();
                answers
                    .map(|answer| answer.map_err(|refusal| refusal.code()))
                    .collect()
            }
        };
        let created = codes
            .into_iter()
            .map(|code| code.err().unwrap_or("created"));
        created
            .map(Answer::Request)
            .try_for_each(|answer| self.print(&answer))
    }

    /// The holds that expire, in that order.
    fn tick(&mut self, seconds: u64) -> Result<Vec<TransferId>> {
        let nanos = seconds.checked_mul(NANOS_PER_SECOND);
        let now = nanos.and_then(|nanos| self.ledger.now().0.checked_add(nanos));
        let now = now.ok_or_else(|| {
            hinted(
                "tick_seconds: ledger time would pass 2^64 - 1 nanoseconds",
                "let fewer seconds pass",
            )
        })?;
        Ok(self.ledger.advance(Timestamp(now)))
    }

    /// What still waits, and a last look at the laws.
    fn end(mut self) -> Result<()> {
        self.end_batch()?;
        self.out.flush()?;
        Ok(self.ledger.check()?)
    }

    fn print(&mut self, answer: &Answer<'_>) -> Result<()> {
        print(&mut self.out, answer)
    }
}

fn print(out: &mut impl Write, value: &impl serde::Serialize) -> Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}
