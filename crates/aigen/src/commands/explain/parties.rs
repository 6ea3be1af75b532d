//! Why a controller's score and a validator's skill are what they are: the last epoch's formula,
//! and every epoch before it.

use super::joined;
use crate::commands::epoch::{find, percent};
use crate::context::Context;
use crate::failure::hinted;
use crate::output::Table;
use aigen_economy::settlement::settle_explained;
use aigen_network::Network;
use aigen_types::Digest;
use anyhow::Result;
use serde::Serialize;

/// A score or a skill, explained.
#[derive(Serialize)]
struct Explained {
    id: String,
    name: String,
    epoch: u64,
    /// In parts per million; a skill may be negative.
    value: i64,
    formula: Vec<String>,
    history: Vec<Past>,
}

/// One epoch; amounts in AIGEN.
#[derive(Serialize)]
struct Past {
    epoch: u64,
    value: i64,
    earned: String,
    lost: String,
}

/// # Errors
/// When the controller is not known or was not settled in that epoch.
pub fn score(network: &Network, asked: &str, epoch: Option<u64>, context: &Context) -> Result<()> {
    let (digest, name) = controller(network, asked)?;
    let id = digest.to_string();
    let (epoch, settled) = find(network, epoch)?;
    let (_, working) = settle_explained(&settled.input);
    let own = working.controllers.iter().find(|working| working.id == id);
    let own = own.ok_or_else(|| {
        hinted(
            format!("{name} was not part of epoch {epoch}"),
            "name another with --epoch: a controller takes part once money was spent through it",
        )
    })?;
    let past = network.settled_epochs().filter_map(|(epoch, settled)| {
        let result = settled.output.controllers.get(&id)?;
        Some(Past {
            epoch: epoch.0,
            value: result.score.parts().into(),
            earned: result.payout.to_string(),
            lost: result.remainder.to_string(),
        })
    });
    let explained = Explained {
        epoch: epoch.0,
        value: own.score.parts().into(),
        formula: own.lines(),
        history: past.collect(),
        id,
        name,
    };
    context.output.data(&explained, || {
        text(
            &explained,
            "score",
            &["epoch", "score", "earned", "not earned"],
        )
    })
}

/// # Errors
/// When the validator is not known or did not exist in that epoch.
pub fn skill(network: &Network, name: &str, epoch: Option<u64>, context: &Context) -> Result<()> {
    let (epoch, settled) = find(network, epoch)?;
    let (_, working) = settle_explained(&settled.input);
    let own = working.validators.iter().find(|working| working.id == name);
    let own = own.ok_or_else(|| {
        let known: Vec<_> = working
            .validators
            .iter()
            .map(|validator| validator.id)
            .collect();
        hinted(
            format!("there was no validator {name} in epoch {epoch}"),
            format!("there were: {}", joined(&known)),
        )
    })?;
    let past = network.settled_epochs().filter_map(|(epoch, settled)| {
        let result = settled.output.validators.get(name)?;
        Some(Past {
            epoch: epoch.0,
            value: result.skill,
            earned: result.pay.to_string(),
            lost: result.slash.to_string(),
        })
    });
    let explained = Explained {
        id: name.to_owned(),
        name: name.to_owned(),
        epoch: epoch.0,
        value: own.skill,
        formula: own.lines(),
        history: past.collect(),
    };
    context.output.data(&explained, || {
        text(&explained, "skill", &["epoch", "skill", "paid", "slashed"])
    })
}

/// By its reference, or by its digest or the beginning of it.
fn controller(network: &Network, asked: &str) -> Result<(Digest, String)> {
    let named = asked.parse().ok();
    let resolved = named.and_then(|reference| network.resolve_controller(&reference));
    let asked_digest = asked.to_lowercase();
    let begins = |digest: &Digest| digest.to_string().starts_with(&asked_digest);
    let mut found = network
        .controllers()
        .filter(|(digest, _)| resolved.map_or_else(|| begins(digest), |known| known == *digest));
    match (found.next(), found.next()) {
        (Some((digest, known)), None) => Ok((digest, known.published.reference.to_string())),
        (Some(_), Some(_)) => Err(hinted(
            format!("more than one controller begins with {asked}"),
            "give more digits, or OWNER/NAME@VERSION",
        )),
        (None, _) => Err(hinted(
            format!("there is no controller {asked}"),
            "name it OWNER/NAME@VERSION, or by the first digits of its digest",
        )),
    }
}

fn text(explained: &Explained, what: &str, headings: &[&str]) -> String {
    let Explained {
        name,
        epoch,
        value,
        formula,
        history,
        ..
    } = explained;
    let mut table = Table::new(headings);
    for past in history {
        let (earned, lost) = (past.earned.clone(), past.lost.clone());
        table.row([past.epoch.to_string(), percent(past.value), earned, lost]);
    }
    let (value, formula) = (percent(*value), formula.join("\n"));
    format!("{name}: {what} {value} after epoch {epoch}\n\n{formula}\n\n{table}")
}
