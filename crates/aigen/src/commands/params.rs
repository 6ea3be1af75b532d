//! The rules of scoring: show them, try a change out on the last epoch, propose it.

use crate::commands::{epoch, ledger};
use crate::context::Context;
use crate::failure::hinted;
use crate::output::Table;
use crate::reach::Reach;
use aigen_api::resources::{List, ProposeRules, Rules};
use aigen_economy::settlement::{Input, Output, settle};
use aigen_network::Network;
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

/// `aigen params …`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print every version of the rules, and the epoch from which it holds
    #[command(after_help = "Examples:\n  aigen params show\n  aigen params show --json")]
    Show,
    /// Settle the last epoch again under other rules, and print what would change
    #[command(
        after_help = "Example:\n  aigen params simulate --set tol=200000 \\\n      --set quality.weight=500000 --set safety.weight=0"
    )]
    Simulate {
        #[command(flatten)]
        change: Change,
        /// The epoch to settle again; the last settled one when absent
        #[arg(long)]
        epoch: Option<u64>,
    },
    /// Propose other rules, from the next epoch or later as the timelock says (operator)
    #[command(
        after_help = "Examples:\n  aigen params propose --set appeal_seconds=86400 --set appeal_bond=5\n  aigen params propose --set panel=5 --set remainder=refund"
    )]
    Propose {
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        reach: Reach,
    },
}

/// What is to be different.
#[derive(Debug, clap::Args)]
pub struct Change {
    /// A number of the settlement, `remainder`, a term like `appeal_seconds`, or a scored
    /// parameter's `NAME.weight` or `NAME.gate_full`; may be repeated
    #[arg(long = "set", required = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// # Errors
/// When the rules are not valid, or a node refuses.
pub async fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Show => {
            let versions = aigen_gateway::rules_versions(&ledger::read(context)?);
            context.output.list(&versions, || show(&versions))
        }
        Command::Simulate { change, epoch } => {
            let network = ledger::read(context)?;
            let difference = simulate(&network, epoch, &change)?;
            context.output.data(&difference, || describe(&difference))
        }
        Command::Propose { change, reach } => propose(&change, &reach, context).await,
    }
}

async fn propose(change: &Change, reach: &Reach, context: &Context) -> Result<()> {
    let node = reach.as_operator(context)?;
    let versions: List<Rules> = node.get("/v1/aigen/rules").await?;
    let last = versions.data.last().context("the network is founded")?;
    let request = change.applied(last)?;
    let after: List<Rules> = node.post("/v1/aigen/rules", &request).await?;
    let last = after.data.last().context("a version was proposed")?;
    context.output.data(last, || {
        format!("version {} holds from epoch {}", last.version, last.from)
    })
}

impl Change {
    /// The version after `rules`, with this change.
    fn applied(&self, rules: &Rules) -> Result<ProposeRules> {
        let mut next = serde_json::to_value(ProposeRules {
            version: rules.version.saturating_add(1),
            parameters: rules.parameters.clone(),
            params: rules.params.clone(),
            terms: rules.terms,
        })?;
        for set in &self.set {
            let (name, value) = set
                .split_once('=')
                .with_context(|| format!("`{set}` is no change; write it as NAME=VALUE"))?;
            let value = typed(name, value);
            place(&mut next, name)?.clone_from(&value);
            // Each by itself, so that the error is about this one.
            let fits: Result<ProposeRules, _> = serde_json::from_value(next.clone());
            fits.with_context(|| format!("`{set}` does not fit"))?;
        }
        let next: ProposeRules = serde_json::from_value(next)?;
        let (parameters, params) = (next.parameters.clone(), next.params.clone());
        match aigen_gateway::read_rules(parameters, params, next.terms) {
            Ok(_) => Ok(next),
            Err(problem) => bail!("{problem}"),
        }
    }
}

/// Amounts are texts, everything else but the policy is a number.
fn typed(name: &str, value: &str) -> Value {
    match value.parse::<u64>() {
        Ok(number) if !name.ends_with("_bond") => number.into(),
        _ => value.into(),
    }
}

fn place<'a>(rules: &'a mut Value, name: &str) -> Result<&'a mut Value> {
    if let Some((parameter, field)) = name.split_once('.') {
        let rows = rules["parameters"].as_array_mut();
        let mut rows = rows.into_iter().flatten();
        let row = rows.find(|row| row["id"] == parameter);
        let row = row.with_context(|| format!("controllers are not scored in `{parameter}`"))?;
        return known(&mut *row, field);
    }
    let is_term = rules["terms"].get(name).is_some();
    known(&mut rules[if is_term { "terms" } else { "params" }], name)
}

fn known<'a>(rules: &'a mut Value, name: &str) -> Result<&'a mut Value> {
    let hint = "`aigen params show` lists every name with what holds now; \
                a scored parameter's are NAME.weight and NAME.gate_full";
    let place = rules.get_mut(name);
    place.ok_or_else(|| hinted(format!("there is no rule `{name}`"), hint))
}

fn show(versions: &[Rules]) -> String {
    let mut text = String::new();
    for rules in versions {
        text += &format!("version {}, from epoch {}\n\n", rules.version, rules.from);
        let mut table = Table::new(&["scored in", "weight", "kind", "gate"]);
        for row in &rules.parameters {
            let kind = serde_json::to_value(row.kind).unwrap_or_default();
            table.row([
                row.id.clone(),
                format!("{} ppm", row.weight),
                kind.as_str().unwrap_or_default().to_owned(),
                match row.gate_full {
                    0 => "-".to_owned(),
                    full => format!("{full} ppm"),
                },
            ]);
        }
        text += &format!("{table}\n");
        for part in [
            serde_json::to_value(&rules.params),
            serde_json::to_value(rules.terms),
        ] {
            let fields = part.unwrap_or_default();
            for (name, value) in fields.as_object().into_iter().flatten() {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                let line = format!("{name} = {value} {}", Rules::unit(name));
                text += &format!("{}\n", line.trim_end());
            }
        }
        text += "\n";
    }
    text
}

/// What a change of the rules would have meant.
#[derive(Debug, Serialize)]
struct Difference {
    epoch: u64,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    who: String,
    what: &'static str,
    before: String,
    after: String,
}

fn simulate(network: &Network, epoch: Option<u64>, change: &Change) -> Result<Difference> {
    let (epoch, settled) = epoch::find(network, epoch)?;
    let versions = aigen_gateway::rules_versions(network);
    let last = versions
        .last()
        .ok_or_else(|| hinted("the network is not founded", "start a node"))?;
    let next = change.applied(last)?;
    let rules = aigen_gateway::read_rules(next.parameters, next.params, next.terms);
    let rules = rules.map_err(anyhow::Error::msg)?;
    let input = Input {
        params: rules.params,
        parameters: rules.parameters,
        ..settled.input.clone()
    };
    input
        .check()
        .context("the epoch cannot be settled under these rules")?;
    Ok(Difference {
        epoch: epoch.0,
        rows: rows(network, &settled.output, &settle(&input)),
    })
}

fn rows(network: &Network, before: &Output, after: &Output) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |who: &str, what, before: String, after: String| {
        let who = who.to_owned();
        rows.push(Row {
            who,
            what,
            before,
            after,
        });
    };
    for (id, old) in &before.controllers {
        let new = after.controllers.get(id).cloned().unwrap_or_default();
        let known = id
            .parse()
            .ok()
            .and_then(|digest| network.controller(digest));
        let name = known.map_or_else(|| id.clone(), |known| known.published.reference.to_string());
        add(
            &name,
            "score",
            old.score.parts().to_string(),
            new.score.parts().to_string(),
        );
        add(
            &name,
            "payout",
            old.payout.to_string(),
            new.payout.to_string(),
        );
    }
    for (name, old) in &before.validators {
        let new = after.validators.get(name).cloned().unwrap_or_default();
        add(name, "pay", old.pay.to_string(), new.pay.to_string());
        add(name, "slash", old.slash.to_string(), new.slash.to_string());
        add(name, "skill", old.skill.to_string(), new.skill.to_string());
    }
    add(
        "treasury",
        "gets",
        before.treasury.to_string(),
        after.treasury.to_string(),
    );
    rows
}

fn describe(difference: &Difference) -> String {
    let mut table = Table::new(&["who", "what", "before", "after"]);
    for row in &difference.rows {
        let cells = [&row.who, row.what, &row.before, &row.after].map(str::to_owned);
        table.row(cells);
    }
    format!(
        "Epoch {} under the changed rules; nothing was changed.\n\n{table}",
        difference.epoch
    )
}
