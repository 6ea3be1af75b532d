//! What commands for teams and apps have in common: both are addresses that keys spend for.

use super::budget::{Per, period, table};
use crate::context::Context;
use crate::failure::hinted;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{
    Allowance, Budget, KeyCreated, KeyLimits, KeyRole, List, NewKey, SetBudget, Spender,
};
use aigen_types::{Address, Amount, BudgetPath, Slug};
use anyhow::Result;
use serde::Serialize;

/// A kind of spender.
pub struct Kind {
    /// As addresses have it.
    pub word: &'static str,
    /// Where a node lists them.
    pub path: &'static str,
}

/// A bound on spending.
pub struct Bound(SetBudget);

impl Bound {
    pub fn of(address: &Address, cap: Amount, per: Per) -> Self {
        Self(SetBudget {
            path: address.into(),
            cap: Some(cap),
            period: per.into(),
        })
    }

    /// # Errors
    /// When the address would become too long.
    pub fn of_each_user(address: &Address, cap: Amount, per: Per) -> Result<Self> {
        let path: BudgetPath = format!("{address}:user:*").parse()?;
        let (cap, period) = (Some(cap), per.into());
        Ok(Self(SetBudget { path, cap, period }))
    }
}

/// What is made.
pub struct NewSpender {
    pub address: Address,
    /// Whose money it spends.
    pub account: Address,
    pub bounds: Vec<Bound>,
    pub key_name: Option<Slug>,
}

/// What `--json` prints of a new one.
#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    spender: Spender,
    /// Shown once.
    key: String,
}

/// Whose money a team or app spends: what its address begins with, or its own.
///
/// # Errors
/// An address that does not end with this kind and a name.
pub fn account_above(address: &Address, kind: &Kind) -> Result<Address> {
    let word = kind.word;
    let way = address.way();
    let ends = address.as_str().rsplit(':').nth(1) == Some(word);
    match way.first() {
        Some(first) if ends && (way.len() > 1 || word == "app") => Ok(first.clone()),
        _ => Err(hinted(
            format!("{address} is not the address of {} {word}", article(word)),
            match word {
                "app" => "write it like app:tutor, or org:acme:app:tutor",
                _ => "write it like org:acme:team:search",
            },
        )),
    }
}

fn article(word: &str) -> &'static str {
    if word == "app" { "an" } else { "a" }
}

pub async fn create(kind: &Kind, new: NewSpender, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_operator(context)?;
    let there: List<Spender> = node.get(kind.path).await?;
    let there = there.data.iter().find(|one| one.address == new.address);
    if let Some(there) = there.filter(|there| !there.keys.is_empty()) {
        return Err(twice(kind, &new, &there.keys));
    }
    // Bounds first, so that no key is ever without them.
    for Bound(bound) in &new.bounds {
        let _: List<Budget> = node.post("/v1/aigen/budgets", bound).await?;
    }
    let key = NewKey {
        account: new.account,
        name: new.key_name,
        role: KeyRole::Customer,
        spender: Some(new.address.clone()),
        limits: KeyLimits::default(),
        budget: None,
    };
    let key: KeyCreated = node.post("/v1/aigen/keys", &key).await?;
    let spender = find(kind, &new.address, reach, context).await?;
    let made = format!("{} {} spends from {}", kind.word, new.address, key.account);
    let created = Created {
        spender,
        key: key.key,
    };
    context.output.data(&created, || created.key.clone())?;
    context.output.say(format!(
        "{made} with key `{}`; it is not shown again",
        key.name
    ));
    Ok(())
}

/// Another key for the same would come with a name that nobody chose and nobody notices.
fn twice(kind: &Kind, new: &NewSpender, keys: &[Slug]) -> anyhow::Error {
    let (word, address, account) = (kind.word, &new.address, &new.account);
    hinted(
        format!("{address} is there already, with the key {}", names(keys)),
        format!(
            "`aigen key create {account} --spender {address} --name NAME` makes another key, `aigen {word} budget` changes its cap"
        ),
    )
}

pub async fn bound(
    kind: &Kind,
    address: &Address,
    bound: Bound,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let node = reach.as_operator(context)?;
    let _: List<Budget> = node.post("/v1/aigen/budgets", &bound.0).await?;
    show(kind, address, reach, context).await
}

pub async fn list(kind: &Kind, reach: &Reach, context: &Context) -> Result<()> {
    let all: List<Spender> = reach.as_operator(context)?.get(kind.path).await?;
    context.output.data(&all, || {
        let mut table = Table::new(&[kind.word, "keys", "budgets", "allowances"]);
        for one in &all.data {
            table.row([
                one.address.to_string(),
                names(&one.keys),
                one.budgets.len().to_string(),
                one.allowances
                    .iter()
                    .filter(|one| one.live)
                    .count()
                    .to_string(),
            ]);
        }
        table.or(&format!("There are no {}s.", kind.word))
    })
}

fn names(keys: &[Slug]) -> String {
    let names: Vec<_> = keys.iter().map(Slug::as_str).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

pub async fn show(kind: &Kind, address: &Address, reach: &Reach, context: &Context) -> Result<()> {
    let spender = find(kind, address, reach, context).await?;
    context.output.data(&spender, || described(kind, &spender))
}

async fn find(kind: &Kind, address: &Address, reach: &Reach, context: &Context) -> Result<Spender> {
    let all: List<Spender> = reach.as_operator(context)?.get(kind.path).await?;
    let found = all.data.into_iter().find(|one| one.address == *address);
    let word = kind.word;
    found.ok_or_else(|| {
        hinted(
            format!("no key, budget or allowance names the {word} {address}"),
            format!("`aigen {word} list` shows those there are, `aigen {word} create` makes one"),
        )
    })
}

fn described(kind: &Kind, spender: &Spender) -> String {
    let mut text = format!("{:<8}{}\n", kind.word, spender.address);
    text += &format!("{:<8}{}\n", "keys", names(&spender.keys));
    if !spender.budgets.is_empty() {
        text += &table("budget", &spender.budgets).to_string();
    }
    if !spender.allowances.is_empty() {
        text += &allowances(&spender.allowances);
    }
    text
}

fn allowances(allowances: &[Allowance]) -> String {
    let mut table = Table::new(&["allowed by", "cap", "per", "margin", "left", "state"]);
    for allowance in allowances {
        table.row([
            allowance.user.to_string(),
            allowance.cap.to_string(),
            period(allowance.period).into(),
            format!("{} ppm", allowance.margin_ppm),
            allowance.available.to_string(),
            if allowance.live { "live" } else { "ended" }.into(),
        ]);
    }
    table.to_string()
}
