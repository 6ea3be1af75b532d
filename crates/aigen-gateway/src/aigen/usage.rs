//! What was used, summed up as somebody asks for it.

use super::per_page;
use super::receipts;
use crate::extract::{Asked, Key};
use crate::failure::Failure;
use crate::limits::{RECEIPTS_PER_PAGE, RECEIPTS_PER_PAGE_MAX};
use crate::state::Gateway;
use aigen_api::resources::{List, Receipt, Usage};
use aigen_node::Caller;
use aigen_node::network::{Network, Role, UsageKey, UsageSum};
use aigen_types::{Address, CallId, Day, Digest, ModelName};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

/// `?account=&from=&to=&by=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Who paid; the key's own account, or for an operator everyone, when absent.
    account: Option<String>,
    /// The first day.
    from: Option<String>,
    /// The last day, which counts.
    to: Option<String>,
    /// What to tell apart, by commas: `day`, `spender`, `model`, `controller`.
    by: Option<String>,
}

/// Calls that ended, what they used and what they cost.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(question): Asked<Question>,
) -> Result<Json<List<Usage>>, Failure> {
    let network = gateway.node.network();
    let from = parsed("from", question.from.as_deref())?.unwrap_or_default();
    let days = from..=parsed("to", question.to.as_deref())?.unwrap_or(Day::MAX);
    let by = By::parse(question.by.as_deref().unwrap_or_default())?;
    let mut rows = Vec::new();
    for payer in payers(&network, &caller, question.account.as_deref())? {
        let sums = sums(&network, &caller, &payer, days.clone(), by);
        rows.extend(
            sums.into_iter()
                .map(|(told, sum)| told.row(&network, &payer, sum)),
        );
    }
    Ok(Json(List::complete(rows)))
}

fn payers(
    network: &Network,
    caller: &Caller,
    account: Option<&str>,
) -> Result<Vec<Address>, Failure> {
    match parsed::<Address>("account", account)? {
        Some(account) => {
            caller.must_own(&account)?;
            Ok(vec![account])
        }
        None if caller.role == Role::Operator => Ok(network.payers().cloned().collect()),
        None => Ok(vec![caller.account.clone()]),
    }
}

fn sums(
    network: &Network,
    caller: &Caller,
    payer: &Address,
    days: RangeInclusive<Day>,
    by: By,
) -> BTreeMap<Told, UsageSum> {
    let mut sums = BTreeMap::<Told, UsageSum>::new();
    let seen = network.usage(payer, days);
    for (key, sum) in seen.filter(|(key, _)| may_see(caller, payer, &key.spender)) {
        let told = sums.entry(by.told(key)).or_default();
        *told = told.plus(*sum);
    }
    sums
}

/// A key of a team or an app of the account sees what that team or app spent; the account's own
/// also what others spent of it by its allowance.
fn may_see(caller: &Caller, payer: &Address, spender: &Address) -> bool {
    caller.may_see_spender(spender) || caller.account == caller.spender && caller.account == *payer
}

/// What is told apart.
#[derive(Clone, Copy, Default)]
struct By {
    day: bool,
    spender: bool,
    model: bool,
    controller: bool,
}

impl By {
    fn parse(text: &str) -> Result<Self, Failure> {
        let mut by = Self::default();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            match word {
                "day" => by.day = true,
                "spender" => by.spender = true,
                "model" => by.model = true,
                "controller" => by.controller = true,
                _ => {
                    let reason = format!("{word:?} is none of day, spender, model, controller");
                    return Err(Failure::invalid("by", reason));
                }
            }
        }
        Ok(by)
    }

    fn told(self, key: &UsageKey) -> Told {
        Told {
            day: self.day.then_some(key.day),
            spender: self.spender.then(|| key.spender.clone()),
            model: self.model.then(|| key.model.clone()),
            controller: key.controller.filter(|_| self.controller),
        }
    }
}

/// A key of which only what is told apart is left.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    day: Option<Day>,
    spender: Option<Address>,
    model: Option<ModelName>,
    controller: Option<Digest>,
}

impl Told {
    fn row(self, network: &Network, payer: &Address, sum: UsageSum) -> Usage {
        let controller = self
            .controller
            .and_then(|digest| network.controller(digest));
        Usage {
            account: payer.clone(),
            day: self.day,
            spender: self.spender,
            model: self.model,
            controller: controller.map(|controller| controller.published.reference.clone()),
            calls: sum.calls,
            usage: receipts::tokens(&sum.tokens),
            charged: sum.charged,
            given_back: sum.given_back,
        }
    }
}

/// `?account=&everyone=&limit=&after=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Who paid; the key's own account when absent.
    account: Option<String>,
    /// Whoever paid; for operators.
    #[serde(default)]
    everyone: bool,
    /// How many, at most.
    limit: Option<usize>,
    /// Only receipts of calls that ended before this one.
    after: Option<String>,
}

/// Receipts of what an account paid for, newest first.
pub(super) async fn receipts(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(page): Asked<Page>,
) -> Result<Json<List<Receipt>>, Failure> {
    let payer = match page.everyone {
        true => everyone(&caller, &page)?,
        false => Some(own(&caller, page.account.as_deref())?),
    };
    let limit = per_page(page.limit, RECEIPTS_PER_PAGE, RECEIPTS_PER_PAGE_MAX)?;
    let network = gateway.node.network();
    let after = before(&network, page.after.as_deref())?;
    let describe = |(id, receipt): (_, Arc<_>)| receipts::describe(&network, id, &receipt);
    let data: Vec<_> = match payer {
        None => {
            let newest = network.newest_receipts(after);
            newest.take(limit).map(describe).collect()
        }
        Some(payer) => {
            let seen = network.receipts_of(&payer, after);
            let seen = seen.filter(|(_, receipt)| may_see(&caller, &payer, &receipt.call.spender));
            seen.take(limit).map(describe).collect()
        }
    };
    let next = data.last().filter(|_| data.len() == limit);
    Ok(Json(List {
        next: next.map(|receipt| receipt.id.to_string()),
        data,
    }))
}

pub(super) fn own(caller: &Caller, account: Option<&str>) -> Result<Address, Failure> {
    let payer = parsed("account", account)?;
    let payer = payer.unwrap_or_else(|| caller.account.clone());
    caller.must_own(&payer)?;
    Ok(payer)
}

fn everyone(caller: &Caller, page: &Page) -> Result<Option<Address>, Failure> {
    caller.must_operate()?;
    if page.account.is_some() {
        let reason = "everyone's receipts are not those of one account: leave one of the two out";
        return Err(Failure::invalid("account", reason));
    }
    Ok(None)
}

/// Where a page of receipts goes on.
pub(super) fn before(network: &Network, after: Option<&str>) -> Result<Option<CallId>, Failure> {
    let after: Option<CallId> = parsed("after", after)?;
    if after.is_some_and(|id| !network.has_receipt(id)) {
        return Err(Failure::invalid("after", "there is no such receipt"));
    }
    Ok(after)
}

pub(super) fn parsed<T: FromStr<Err: Display>>(
    name: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Failure> {
    text.map(str::parse)
        .transpose()
        .map_err(|error| Failure::invalid(name, error))
}
