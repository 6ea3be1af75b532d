//! What was used, summed up as somebody asks for it.

use super::per_page;
use super::question::{between, own, parsed, told_apart};
use super::receipts;
use crate::extract::{Asked, Key};
use crate::failure::Failure;
use crate::limits::{RECEIPTS_PER_PAGE, RECEIPTS_PER_PAGE_MAX};
use crate::state::Gateway;
use aigen_api::resources::{List, Receipt, ReceiptKind, Usage};
use aigen_node::Caller;
use aigen_node::economy::Usage as Tokens;
use aigen_node::network::{Network, Reading, ReadingKey, Role, UsageKey, UsageSum};
use aigen_types::{Address, CallId, DatasetRef, Day, Digest, ModelName};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
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
    /// What to tell apart, by commas: `day`, `spender`, `model`, `controller`, `dataset`.
    by: Option<String>,
}

/// Calls that ended, what they used and what they cost; and what was read outside of them.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    Key(caller): Key,
    Asked(question): Asked<Question>,
) -> Result<Json<List<Usage>>, Failure> {
    let network = gateway.node.network();
    let (from, to) = (question.from.as_deref(), question.to.as_deref());
    let days = between(from, to, Day::default()..=Day::MAX)?;
    let by = By::parse(question.by.as_deref())?;
    let mut rows = Vec::new();
    for payer in payers(&network, &caller, question.account.as_deref())? {
        let whose = Whose {
            network: &network,
            caller: &caller,
            payer: &payer,
        };
        rows.extend(whose.calls(days.clone(), by));
        rows.extend(whose.reads(days.clone(), by));
    }
    Ok(Json(List::complete(rows)))
}

fn payers(
    network: &Network,
    caller: &Caller,
    account: Option<&str>,
) -> Result<Vec<Address>, Failure> {
    match account {
        None if caller.role == Role::Operator => Ok(network.payers().cloned().collect()),
        account => Ok(vec![own(caller, account)?]),
    }
}

/// Whose sums, and who asks for them.
struct Whose<'a> {
    network: &'a Network,
    caller: &'a Caller,
    payer: &'a Address,
}

impl Whose<'_> {
    fn calls(&self, days: RangeInclusive<Day>, by: By) -> Vec<Usage> {
        let mut sums = BTreeMap::<Told, UsageSum>::new();
        for (key, sum) in self.network.usage(self.payer, days) {
            if may_see(self.caller, self.payer, &key.spender) {
                let told = sums.entry(by.told(key)).or_default();
                *told = told.plus(*sum);
            }
        }
        let rows = sums.into_iter();
        rows.map(|(told, sum)| told.row(self, sum)).collect()
    }

    fn reads(&self, days: RangeInclusive<Day>, by: By) -> Vec<Usage> {
        let mut sums = BTreeMap::<ToldRead, Reading>::new();
        for (key, sum) in self.network.readings(self.payer, days) {
            if may_see(self.caller, self.payer, &key.spender) {
                let told = sums.entry(by.told_read(key)).or_default();
                *told = told.plus(*sum);
            }
        }
        let rows = sums.into_iter();
        rows.map(|(told, sum)| told.row(self.payer, sum)).collect()
    }
}

/// A key of a team or an app of the account sees what that team or app spent; the account's own
/// also what others spent of it by its allowance.
fn may_see(caller: &Caller, payer: &Address, spender: &Address) -> bool {
    caller.may_see_spender(spender) || caller.account == caller.spender && caller.account == *payer
}

/// What is told apart.
#[derive(Clone, Copy)]
struct By {
    day: bool,
    spender: bool,
    model: bool,
    controller: bool,
    dataset: bool,
}

impl By {
    fn parse(by: Option<&str>) -> Result<Self, Failure> {
        let known = ["day", "spender", "model", "controller", "dataset"];
        let [day, spender, model, controller, dataset] = told_apart(by, known)?;
        Ok(Self {
            day,
            spender,
            model,
            controller,
            dataset,
        })
    }

    fn told(self, key: &UsageKey) -> Told {
        Told {
            day: self.day.then_some(key.day),
            spender: self.spender.then(|| key.spender.clone()),
            model: self.model.then(|| key.model.clone()),
            controller: key.controller.filter(|_| self.controller),
        }
    }

    fn told_read(self, key: &ReadingKey) -> ToldRead {
        ToldRead {
            day: self.day.then_some(key.day),
            spender: self.spender.then(|| key.spender.clone()),
            dataset: self.dataset.then(|| key.dataset.clone()),
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
    fn row(self, whose: &Whose<'_>, sum: UsageSum) -> Usage {
        let controller = self
            .controller
            .and_then(|digest| whose.network.controller(digest));
        Usage {
            kind: None,
            account: whose.payer.clone(),
            day: self.day,
            spender: self.spender,
            model: self.model,
            controller: controller.map(|controller| controller.published.reference.clone()),
            dataset: None,
            calls: sum.calls,
            reads: 0,
            rows: 0,
            usage: receipts::tokens(&sum.tokens),
            charged: sum.charged,
            given_back: sum.given_back,
        }
    }
}

/// As [`Told`], of reads outside of calls.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ToldRead {
    day: Option<Day>,
    spender: Option<Address>,
    dataset: Option<DatasetRef>,
}

impl ToldRead {
    fn row(self, payer: &Address, sum: Reading) -> Usage {
        Usage {
            kind: Some(ReceiptKind::DatasetRead),
            account: payer.clone(),
            day: self.day,
            spender: self.spender,
            model: None,
            controller: None,
            dataset: self.dataset,
            calls: 0,
            reads: sum.reads,
            rows: sum.rows,
            usage: receipts::tokens(&Tokens::default()),
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
