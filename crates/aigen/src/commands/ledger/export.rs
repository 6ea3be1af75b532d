//! `aigen ledger export`: every movement of money, for spreadsheets, programs and the bookkeeping
//! tools that accountants have.

mod books;
mod tables;

use super::movement::{self, Movement, Period};
use super::read;
use crate::context::Context;
use crate::failure::{OrHint, hinted};
use aigen_network::{Network, account_id};
use aigen_types::{Address, Timestamp};
use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, ValueEnum};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

/// See [`super::Command::Export`].
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// In which form; csv unless `--json` is given
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only what happened at this time or later: a date or a time in UTC
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only what happened before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// Only what this address paid or was paid
    #[arg(long, value_name = "ADDRESS")]
    account: Option<Address>,
    /// Holds and voids too, which reserve and release money and move none; csv and jsonl only
    #[arg(long)]
    holds: bool,
    /// The file to write, replaced if it is there; standard output when absent
    file: Option<PathBuf>,
}

/// The forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values with a heading, for spreadsheets
    Csv,
    /// One JSON object per line
    Jsonl,
    /// A file for Beancount
    Beancount,
    /// A journal for ledger and hledger
    Ledger,
}

/// A point in time, as people write it: `2026-01-31` is its midnight, UTC.
#[derive(Clone, Copy, Debug)]
struct Moment(Timestamp);

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "write a date like 2026-01-31 or a time like 2026-01-31T23:59:59Z";
        let time = humantime::parse_rfc3339(text)
            .or_else(|_| humantime::parse_rfc3339(&format!("{text}T00:00:00Z")));
        let since_epoch = time
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let nanos = since_epoch.and_then(|since| u64::try_from(since.as_nanos()).ok());
        nanos.map(|nanos| Self(Timestamp(nanos))).ok_or(RULE)
    }
}

/// UTC by ISO 8601, to the nanosecond.
fn iso(at: Timestamp) -> String {
    humantime::format_rfc3339_nanos(UNIX_EPOCH + Duration::from_nanos(at.0)).to_string()
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let format = args.format.unwrap_or(if context.output.json {
        Format::Jsonl
    } else {
        Format::Csv
    });
    if args.holds && matches!(format, Format::Beancount | Format::Ledger) {
        return Err(hinted(
            "--holds: a hold moves no money, so there is no such entry in double-entry books",
            "leave --holds out, or choose --format csv or --format jsonl",
        ));
    }
    let network = read(context)?;
    let movements = movements(args, &network)?;
    let write = |out: &mut dyn Write| match format {
        Format::Csv => tables::csv(out, &movements),
        Format::Jsonl => tables::jsonl(out, &movements),
        Format::Beancount => books::beancount(out, &movements),
        Format::Ledger => books::ledger(out, &movements),
    };
    match &args.file {
        Some(file) => {
            write_file(file, write)?;
            context.output.say(format!(
                "wrote {} entries to {}",
                movements.len(),
                file.display()
            ));
        }
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            write(&mut out)?;
            out.flush()?;
        }
    }
    Ok(())
}

fn movements<'a>(args: &Args, network: &'a Network) -> Result<Vec<Movement<'a>>> {
    if let Some(address) = &args.account
        && network.account(address).is_none()
    {
        return Err(hinted(
            format!("{address} has no account: nothing was ever paid to it"),
            "`aigen ledger balance` lists every address",
        ));
    }
    let period = Period {
        from: args.from.map_or(Timestamp(0), |moment| moment.0),
        to: args.to.map_or(Timestamp(u64::MAX), |moment| moment.0),
    };
    let account = args.account.as_ref().map(account_id);
    let all = movement::oldest_first(network, account, period);
    all.filter(|movement| args.holds || movement.moves_money())
        .map(Ok)
        .collect()
}

/// All of it or nothing: a reader never finds half an export.
fn write_file(file: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let said = || format!("cannot write {}", file.display());
    let hint = "name a file in a folder that you can write to";
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let missing = format!("{}: there is no folder {}", said(), folder.display());
        return Err(hinted(missing, hint));
    }
    let beside = tempfile::NamedTempFile::new_in(folder).or_hint(said(), hint)?;
    let mut out = BufWriter::new(beside);
    write(&mut out).with_context(said)?;
    let written = out.into_inner().map_err(io::IntoInnerError::into_error);
    let written = written.or_hint(said(), hint)?;
    written.persist(file).or_hint(said(), hint)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_or_times() {
        for (text, nanos) in [
            ("1970-01-01", Some(0)),
            ("2026-01-31", Some(1_769_817_600_000_000_000)),
            ("2026-01-31T00:00:01.5Z", Some(1_769_817_601_500_000_000)),
            ("1969-12-31", None),
            ("2026-02-30", None),
            ("yesterday", None),
        ] {
            let moment = text.parse::<Moment>().ok().map(|moment| moment.0.0);
            assert_eq!(moment, nanos, "{text}");
        }
        assert_eq!(
            iso(Timestamp(1_769_817_601_500_000_000)),
            "2026-01-31T00:00:01.500000000Z"
        );
    }
}
