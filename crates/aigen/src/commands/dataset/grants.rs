use super::super::allowance::in_days;
use super::PATH;
use crate::context::Context;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{DatasetGrant, DatasetUse, List, RevokeDatasetGrant};
use aigen_types::{Address, DatasetName, Day};
use anyhow::Result;

/// What is to be granted.
pub struct New {
    pub to: Address,
    pub columns: Vec<String>,
    pub uses: Vec<DatasetUse>,
    pub days: Option<u32>,
}

pub async fn grant(
    dataset: &DatasetName,
    new: New,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let grant = DatasetGrant {
        to: new.to,
        columns: new.columns,
        uses: new.uses,
        until: new.days.map(in_days).transpose()?,
    };
    let node = reach.as_customer(context)?;
    let path = format!("{PATH}/{dataset}/grants");
    tell(&node.post(&path, &grant).await?, context)
}

pub async fn list(dataset: &DatasetName, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let path = format!("{PATH}/{dataset}/grants");
    tell(&node.get(&path).await?, context)
}

pub async fn revoke(
    dataset: &DatasetName,
    to: Address,
    reach: &Reach,
    context: &Context,
) -> Result<()> {
    let node = reach.as_customer(context)?;
    let path = format!("{PATH}/{dataset}/grants/revoke");
    tell(
        &node.post(&path, &RevokeDatasetGrant { to }).await?,
        context,
    )
}

fn tell(grants: &List<DatasetGrant>, context: &Context) -> Result<()> {
    context.output.data(grants, || {
        let mut table = Table::new(&["to", "columns", "uses", "until"]);
        for grant in &grants.data {
            let uses: Vec<_> = grant.uses.iter().map(ToString::to_string).collect();
            let until = grant.until.map(|until| Day::of(until).to_string());
            table.row([
                grant.to.to_string(),
                or_all(&grant.columns),
                or_all(&uses),
                until.unwrap_or_else(|| "revoked".into()),
            ]);
        }
        table.or("There are no grants that this key may see.")
    })
}

fn or_all(words: &[String]) -> String {
    match words {
        [] => "all".into(),
        some => some.join(", "),
    }
}
