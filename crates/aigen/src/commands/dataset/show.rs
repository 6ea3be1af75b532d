use super::PATH;
use crate::context::Context;
use crate::output::{Table, bytes, counted};
use crate::reach::Reach;
use aigen_api::resources::{Dataset, DatasetUse, List};
use aigen_types::DatasetSelector;
use anyhow::Result;

pub async fn list(reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    let mut all = List::complete(Vec::<Dataset>::new());
    let mut path = PATH.to_owned();
    loop {
        let page: List<Dataset> = node.get(&path).await?;
        all.data.extend(page.data);
        match page.next {
            Some(next) => path = format!("{PATH}?after={next}"),
            None => break,
        }
    }
    context.output.data(&all, || {
        let mut table = Table::new(&["dataset", "rows", "size", "price", "licence", "state"]);
        for one in &all.data {
            table.row([
                one.reference.to_string(),
                one.rows.to_string(),
                bytes(one.bytes),
                price(one),
                one.licence.clone(),
                state(one),
            ]);
        }
        table.or("No dataset is published here.")
    })
}

pub async fn show(dataset: &DatasetSelector, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_customer(context)?;
    tell(&node.get(&format!("{PATH}/{dataset}")).await?, context)
}

pub fn tell(dataset: &Dataset, context: &Context) -> Result<()> {
    context.output.data(dataset, || describe(dataset))
}

fn describe(dataset: &Dataset) -> String {
    let uses: Vec<_> = dataset.uses.iter().map(ToString::to_string).collect();
    let mut table = Table::new(&["column", "type"]);
    for column in &dataset.columns {
        table.row([column.name.clone(), column.kind.clone()]);
    }
    let description = match dataset.description.as_str() {
        "" => String::new(),
        some => format!("{some}\n"),
    };
    let elsewhere = match dataset.here {
        true => "",
        false => "Its rows are not on this node.\n",
    };
    format!(
        "{}: {}, {}, {}\n{description}{elsewhere}\n\
         price     {}\nlicence   {}\nfor       {}\nprovider  {}\ncontent   {}\n\n{table}",
        dataset.reference,
        counted(dataset.rows, "row"),
        bytes(dataset.bytes),
        state(dataset),
        price(dataset),
        dataset.licence,
        uses.join(", "),
        dataset.provider,
        dataset.content,
    )
}

fn state(dataset: &Dataset) -> String {
    match (&dataset.withdrawn, dataset.open) {
        (Some(reason), _) if reason.is_empty() => "withdrawn".into(),
        (Some(reason), _) => format!("withdrawn: {reason}"),
        (None, true) => "open to all".into(),
        (None, false) => "by grant".into(),
    }
}

/// A download that costs nothing beside rows that do is said: nobody should find it out from others.
fn price(dataset: &Dataset) -> String {
    let price = &dataset.price;
    let parts = [
        (price.row, "row"),
        (price.hit, "hit"),
        (price.download, "download"),
    ];
    let parts = parts.iter().filter(|(amount, _)| !amount.is_zero());
    let mut parts: Vec<_> = parts
        .map(|(amount, unit)| format!("{amount} per {unit}"))
        .collect();
    if parts.is_empty() {
        return "free".into();
    }
    if price.download.is_zero() && dataset.uses.contains(&DatasetUse::Download) {
        parts.push("download free".into());
    }
    parts.join(", ")
}
