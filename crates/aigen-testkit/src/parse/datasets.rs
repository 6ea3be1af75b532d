//! Lines about datasets: `owner/name@1.0.0[0-2+7]` is a dataset version and rows of it.

use super::values::{call_id, pairs, value};
use crate::world::Fault;
use aigen_economy::DatasetPrice;
use aigen_network::{
    Column, Command, DatasetUse, Grant, GrantDataset, KeyLimits, LimitKey, NewDataset,
    PriceDataset, ReadDataset, ReadWithin, RevokeDataset, RowRange, Rows, Wanted, WithdrawDataset,
};
use aigen_types::{Digest, Timestamp};
use std::collections::BTreeSet;

/// `None` for a line about something else.
pub(super) fn command(words: &[&str]) -> Result<Option<Command>, Fault> {
    Ok(Some(match *words {
        ["dataset", reference, "by", by, ref terms @ ..] => {
            Command::PublishDataset(dataset(reference, by, terms)?)
        }
        ["reprice", reference, "by", by, ref terms @ ..] => {
            let mut price = DatasetPrice::default();
            for (name, text) in pairs(terms)? {
                priced(&mut price, name, text)?;
            }
            Command::PriceDataset(PriceDataset {
                reference: value(reference)?,
                by: value(by)?,
                price,
            })
        }
        ["withdraw", reference, "by", by] => Command::WithdrawDataset(WithdrawDataset {
            reference: value(reference)?,
            by: value(by)?,
            reason: String::new(),
        }),
        ["grant", dataset, "by", by, "to", to, ref terms @ ..] => {
            Command::GrantDataset(GrantDataset {
                dataset: value(dataset)?,
                by: value(by)?,
                to: value(to)?,
                grant: grant(terms)?,
            })
        }
        ["ungrant", dataset, "by", by, "to", to] => Command::RevokeDataset(RevokeDataset {
            dataset: value(dataset)?,
            by: value(by)?,
            to: value(to)?,
        }),
        ["limit", key, "to", datasets] => Command::LimitKey(LimitKey {
            key: value(key)?,
            limits: KeyLimits {
                datasets: match datasets {
                    "all" => Vec::new(),
                    names => names.split('+').map(value).collect::<Result<_, _>>()?,
                },
                ..KeyLimits::default()
            },
        }),
        ["within", call, how @ ("read" | "find"), rows] => Command::ReadWithin(ReadWithin {
            call: call_id(call)?,
            wanted: wanted(rows, how == "find")?,
        }),
        [
            how @ ("read" | "find" | "download"),
            read,
            "by",
            key,
            rows,
            ref terms @ ..,
        ] => Command::ReadDataset(reading(how, read, key, rows, terms)?),
        _ => return Ok(None),
    }))
}

fn dataset(reference: &str, by: &str, terms: &[&str]) -> Result<NewDataset, Fault> {
    let column = |name: &str| Column {
        name: name.into(),
        kind: "text".into(),
    };
    let mut new = NewDataset {
        reference: value(reference)?,
        by: value(by)?,
        content: Digest([1; 32]),
        rows: 100,
        bytes: 1_000,
        columns: ["title", "text"].map(column).into(),
        description: String::new(),
        licence: "CC0-1.0".into(),
        uses: DatasetUse::ALL.into(),
        open: true,
        price: DatasetPrice::default(),
        provider: value(by)?,
    };
    for (name, text) in pairs(terms)? {
        match name {
            "rows" => new.rows = value(text)?,
            "for" => new.uses = uses(text)?,
            "to" => new.open = text == "all",
            "provider" => new.provider = value(text)?,
            _ => priced(&mut new.price, name, text)?,
        }
    }
    Ok(new)
}

fn priced(price: &mut DatasetPrice, name: &str, text: &str) -> Result<(), Fault> {
    let place = match name {
        "row" => &mut price.row,
        "hit" => &mut price.hit,
        "download" => &mut price.download,
        _ => return Err(format!("{name:?} is no term of a dataset").into()),
    };
    *place = value(text)?;
    Ok(())
}

fn uses(text: &str) -> Result<BTreeSet<DatasetUse>, Fault> {
    let named = |word: &str| {
        let mut all = DatasetUse::ALL.into_iter();
        let named = all.find(|one| one.as_str() == word);
        named.ok_or_else(|| format!("{word:?} is no use of a dataset").into())
    };
    text.split('+').map(named).collect()
}

fn grant(terms: &[&str]) -> Result<Grant, Fault> {
    let mut grant = Grant {
        columns: Vec::new(),
        uses: BTreeSet::new(),
        until: None,
    };
    for (name, text) in pairs(terms)? {
        match name {
            "columns" => grant.columns = text.split('+').map(str::to_owned).collect(),
            "for" => grant.uses = uses(text)?,
            "until" => {
                let nanos = value::<u64>(text)?.checked_mul(3_600_000_000_000);
                let end = nanos.ok_or("that is beyond the end of ledger time")?;
                grant.until = Some(Timestamp(end));
            }
            _ => return Err(format!("{name:?} is no term of a grant").into()),
        }
    }
    Ok(grant)
}

/// Two requests are the same when their rows are.
fn reading(
    how: &str,
    read: &str,
    key: &str,
    rows: &str,
    terms: &[&str],
) -> Result<ReadDataset, Fault> {
    let mut asked = ReadDataset {
        read: call_id(read)?,
        key: value(key)?,
        wanted: wanted(rows, how == "find")?,
        purpose: match how {
            "download" => DatasetUse::Download,
            _ => DatasetUse::Read,
        },
        request: Digest::ZERO,
        end_user: None,
        bill_to: None,
        budget: None,
    };
    for (name, text) in pairs(terms)? {
        match name {
            "columns" => asked.wanted.columns = text.split('+').map(str::to_owned).collect(),
            "budget" => asked.budget = Some(value(text)?),
            "for" => asked.end_user = Some(value(text)?),
            "billing" => asked.bill_to = Some(value(text)?),
            _ => return Err(format!("{name:?} is no term of a read").into()),
        }
    }
    Ok(asked)
}

pub(super) fn wanted(text: &str, found: bool) -> Result<Wanted, Fault> {
    let parts = text.strip_suffix(']').and_then(|text| text.split_once('['));
    let (dataset, ranges) = parts.ok_or_else(|| format!("{text:?} names no rows like [0-2+7]"))?;
    let ranges: Vec<RowRange> = ranges.split('+').map(range).collect::<Result<_, _>>()?;
    let rows = Rows::from_ranges(ranges).ok_or("rows are named in order, each once")?;
    Ok(Wanted {
        dataset: value(dataset)?,
        columns: Vec::new(),
        hits: if found { rows.count() } else { 0 },
        rows,
    })
}

fn range(text: &str) -> Result<RowRange, Fault> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u64, u64) = (value(first)?, value(last)?);
    let count = last.checked_sub(first).and_then(|more| more.checked_add(1));
    let count = count.ok_or("a range ends before it begins")?;
    Ok(RowRange { first, count })
}
