//! Plain-text bookkeeping: what comes in is positive, so that an account's sum is its balance.

use super::iso;
use crate::commands::ledger::movement::Movement;
use aigen_network::AccountKind;
use aigen_types::{Address, Timestamp};
use anyhow::Result;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

/// Beancount: accounts opened on the day of their first movement, then the movements. Each is
/// flagged `*`, its reason is the narration, and time and ids are metadata.
pub fn beancount(out: &mut dyn Write, movements: &[Movement<'_>]) -> Result<()> {
    let mut opened: BTreeMap<String, String> = BTreeMap::new();
    for movement in movements {
        for address in [movement.from, movement.to] {
            let day = day(movement.transfer.timestamp);
            opened.entry(beancount_account(address)).or_insert(day);
        }
    }
    for (option, value) in [
        ("title", "AiGen"),
        ("operating_currency", "AIGEN"),
        // Or reports round to what most amounts have.
        ("display_precision", "AIGEN:0.000000001"),
    ] {
        writeln!(out, "option \"{option}\" \"{value}\"")?;
    }
    writeln!(out)?;
    for (account, day) in opened {
        writeln!(out, "{day} open {account} AIGEN")?;
    }
    for movement in movements {
        let Movement { transfer, .. } = movement;
        writeln!(
            out,
            "\n{} * \"{}\"",
            day(transfer.timestamp),
            movement.reason
        )?;
        for (key, value) in facts(movement) {
            writeln!(out, "  {key}: \"{value}\"")?;
        }
        let amount = transfer.amount;
        writeln!(
            out,
            "  {} -{amount} AIGEN",
            beancount_account(movement.from)
        )?;
        writeln!(out, "  {} {amount} AIGEN", beancount_account(movement.to))?;
    }
    Ok(())
}

/// ledger and hledger: the reason is the payee, and time and ids are tags. Addresses are accounts
/// as they are.
pub fn ledger(out: &mut dyn Write, movements: &[Movement<'_>]) -> Result<()> {
    for movement in movements {
        let Movement {
            transfer, from, to, ..
        } = movement;
        writeln!(out, "{} * {}", day(transfer.timestamp), movement.reason)?;
        for (key, value) in facts(movement) {
            writeln!(out, "    ; {key}: {value}")?;
        }
        let amount = transfer.amount;
        writeln!(
            out,
            "    {from}  -{amount} AIGEN\n    {to}  {amount} AIGEN\n"
        )?;
    }
    Ok(())
}

/// What the two forms have no place of their own for.
fn facts(movement: &Movement<'_>) -> impl Iterator<Item = (&'static str, String)> {
    let time = iso(movement.transfer.timestamp);
    let facts = [
        ("time", Some(time)),
        ("transfer", Some(movement.transfer.id.to_string())),
        ("from", Some(movement.from.to_string())),
        ("to", Some(movement.to.to_string())),
        ("call", movement.call.map(|call| call.to_string())),
    ];
    facts
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
}

fn day(at: Timestamp) -> String {
    iso(at).chars().take(10).collect()
}

/// An address as an account of Beancount, whose words begin with a capital or a digit and have
/// letters, digits and hyphens only. Each address has an account of its own.
fn beancount_account(address: &Address) -> String {
    let root = match AccountKind::of(address) {
        AccountKind::Issuance => "Equity",
        _ => "Assets",
    };
    let words = address.as_str().split(':').map(component);
    words.fold(root.to_owned(), |account, word| account + ":" + &word)
}

/// The first letter becomes a capital. Addresses have no capitals, so every other capital begins
/// the name of a character that Beancount does not take, and no two words become one.
fn component(word: &str) -> String {
    let mut component = String::new();
    for letter in word.chars() {
        if component.is_empty() {
            match letter {
                'a'..='z' => component.push(letter.to_ascii_uppercase()),
                '0'..='9' => component.push(letter),
                // Two capitals: no word begins so by itself.
                _ => component.push_str("XX"),
            }
            if letter.is_ascii_alphanumeric() {
                continue;
            }
        }
        match letter {
            'a'..='z' | '0'..='9' | '-' => component.push(letter),
            '_' => component.push_str("Under"),
            '.' => component.push_str("Dot"),
            '/' => component.push_str("Slash"),
            '@' => component.push_str("At"),
            other => write!(component, "U{:x}Z", u32::from(other)).expect("a string takes all"),
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_accounts() {
        for (address, account) in [
            ("issuance", "Equity:Issuance"),
            ("treasury", "Assets:Treasury"),
            ("user:ada", "Assets:User:Ada"),
            ("app:tutor:user:42", "Assets:App:Tutor:User:42"),
            ("user:a-b", "Assets:User:A-b"),
            ("user:a_b", "Assets:User:AUnderb"),
            ("c:ada/quiz@1.0.0", "Assets:C:AdaSlashquizAt1Dot0Dot0"),
            ("user:-x", "Assets:User:XX-x"),
            ("user:.x", "Assets:User:XXDotx"),
            ("user:x.x", "Assets:User:XDotx"),
            ("user:dotx", "Assets:User:Dotx"),
        ] {
            assert_eq!(beancount_account(&address.parse().unwrap()), account);
        }
    }

    #[test]
    fn no_two_words_become_one() {
        let alphabet = ["a", "d", "x", "ot", "1", "-", "_", ".", "/", "@"];
        let mut words: Vec<String> = vec![String::new()];
        for _ in 0..4 {
            let longer = words
                .iter()
                .flat_map(|word| alphabet.map(|end| format!("{word}{end}")));
            words = words.iter().cloned().chain(longer).collect();
            words.sort();
            words.dedup();
        }
        let mut components: Vec<_> = words.iter().map(|word| component(word)).collect();
        components.sort();
        components.dedup();
        assert_eq!(components.len(), words.len());
    }
}
