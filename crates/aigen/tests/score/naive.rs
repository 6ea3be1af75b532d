//! The settlement once more, written from its specification alone, over JSON as it is read: no type,
//! no index and no order of the production code. It is slow and says each rule where it is used.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PPM: i128 = 1_000_000;

/// Defaults of the specification's last table but one.
const DEFAULTS: [(&str, i128); 22] = [
    ("rho", 100_000),
    ("support", 500_000),
    ("min_owners", 3),
    ("prior", 300_000),
    ("alpha_up", 200_000),
    ("alpha_down", 500_000),
    ("alpha_stale", 50_000),
    ("stale_cov", 100_000),
    ("tol", 300_000),
    ("beta", 200_000),
    ("delta", 50_000),
    ("q_solo", 500_000),
    ("skill_full", 700_000),
    ("alpha_gold", 200_000),
    ("gold_min_spread", 50_000),
    ("slash_absent", 200),
    ("slash_noreveal", 2_000),
    ("slash_gold", 5_000),
    ("slash_gold_floor", 200_000),
    ("slash_audit", 100_000),
    ("audit_tol", 150_000),
    ("slash_cap", 50_000),
];

fn number(value: &Value) -> i128 {
    value
        .as_i64()
        .map(i128::from)
        .or_else(|| value.as_u64().map(i128::from))
        .unwrap_or_else(|| panic!("not an integer: {value}"))
}

fn rows<'a>(input: &'a Value, list: &str) -> &'a [Value] {
    input[list].as_array().unwrap()
}

fn find<'a>(input: &'a Value, list: &str, id: &Value) -> &'a Value {
    let mut all = rows(input, list).iter();
    all.find(|row| row["id"] == *id).unwrap()
}

fn or(value: Option<&Value>, other: i128) -> i128 {
    value.map_or(other, number)
}

/// Floor division.
fn over(amount: i128, by: i128) -> i128 {
    amount.div_euclid(by)
}

struct World<'a> {
    input: &'a Value,
    param: BTreeMap<&'static str, i128>,
}

/// The text of the output for an input, as `aigen epoch replay` prints it.
pub fn settle(input: &Value) -> String {
    let given = &input["params"];
    let world = World {
        input,
        param: DEFAULTS
            .into_iter()
            .map(|(name, default)| (name, or(given.get(name), default)))
            .collect(),
    };
    let mut text = String::new();
    world.settle().write(&mut text, "");
    text
}

/// Whole numbers, however large, and objects of them: all there is in an output.
enum Tree {
    Number(i128),
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    fn of<const N: usize>(fields: [(&str, Self); N]) -> Self {
        Self::Object(
            fields
                .into_iter()
                .map(|(name, tree)| (name.to_owned(), tree))
                .collect(),
        )
    }

    /// With keys in ascending order, a field per line, two blanks deeper each.
    fn write(&self, text: &mut String, indent: &str) {
        match self {
            Self::Number(number) => *text += &number.to_string(),
            Self::Object(fields) if fields.is_empty() => *text += "{}",
            Self::Object(fields) => {
                let deeper = format!("{indent}  ");
                let mut before = "{";
                for (name, tree) in fields {
                    *text += &format!("{before}\n{deeper}\"{name}\": ");
                    tree.write(text, &deeper);
                    before = ",";
                }
                *text += &format!("\n{indent}}}");
            }
        }
    }
}

impl<'a> World<'a> {
    fn p(&self, name: &str) -> i128 {
        self.param[name]
    }

    fn live(&self, v: &Value) -> bool {
        let row = find(self.input, "validators", v);
        row["committed"] == true && row["revealed"] == true && number(&row["stake"]) > 0
    }

    fn owner(&self, v: &Value) -> &'a Value {
        &find(self.input, "validators", v)["owner"]
    }

    fn admissible(&self, v: &Value, c: &Value) -> bool {
        self.owner(v) != &find(self.input, "controllers", c)["owner"]
    }

    /// The validators that may answer about a cell.
    fn asked(&self, c: &Value, p: &Value) -> Vec<&'a Value> {
        let cells = rows(self.input, "assigned").iter();
        let here = cells.filter(|row| row["c"] == *c && row["p"] == *p);
        let asked = here.map(|row| &row["v"]);
        asked.filter(|v| self.admissible(v, c)).collect()
    }

    /// What a validator said about a cell, if it counts.
    fn said(&self, v: &Value, c: &Value, p: &Value) -> Option<i128> {
        if !self.live(v) || !self.asked(c, p).contains(&v) {
            return None;
        }
        let mut reports = rows(self.input, "reports").iter();
        let report = reports.find(|row| row["v"] == *v && row["c"] == *c && row["p"] == *p)?;
        Some(number(&report["r"])).filter(|r| (0..=PPM).contains(r))
    }

    fn truth(&self, c: &Value, p: &Value) -> Option<i128> {
        let mut audits = rows(self.input, "audits").iter();
        let audit = audits.find(|row| row["c"] == *c && row["p"] == *p);
        audit.map(|audit| number(&audit["truth"]))
    }

    fn gain(&self, skill: i128) -> i128 {
        PPM.min(over(skill.max(0) * PPM, self.p("skill_full")))
    }

    fn weight(&self, v: &Value) -> i128 {
        let row = find(self.input, "validators", v);
        let gain = self.gain(number(&row["skill"]));
        number(&row["stake"]) * (self.p("rho") + over((PPM - self.p("rho")) * gain, PPM))
    }

    /// The largest reported value with more than `support` of the weight at or above it.
    fn supported(&self, answers: &[(&Value, i128)]) -> Option<i128> {
        let total: i128 = answers.iter().map(|(v, _)| self.weight(v)).sum();
        if total == 0 {
            return None;
        }
        let enough = |x: i128| {
            let above = answers.iter().filter(|(_, r)| *r >= x);
            let above: i128 = above.map(|(v, _)| self.weight(v)).sum();
            PPM * above > self.p("support") * total
        };
        answers.iter().map(|(_, r)| *r).filter(|x| enough(*x)).max()
    }

    fn answers(&self, c: &Value, p: &Value) -> Vec<(&'a Value, i128)> {
        let asked = self.asked(c, p).into_iter();
        asked
            .filter_map(|v| Some((v, self.said(v, c, p)?)))
            .collect()
    }

    /// Value and coverage of a voted cell.
    fn consensus(&self, c: &Value, p: &Value) -> (Option<i128>, i128) {
        if let Some(truth) = self.truth(c, p) {
            return (Some(truth), PPM);
        }
        let answers = self.answers(c, p);
        let Some(m) = self.supported(&answers) else {
            return (None, 0);
        };
        let reported: i128 = answers.iter().map(|(v, _)| self.weight(v)).sum();
        let assigned: i128 = self.asked(c, p).iter().map(|v| self.weight(v)).sum();
        let weighty = answers.iter().filter(|(v, _)| self.weight(v) > 0);
        let owners: BTreeSet<String> = weighty.map(|(v, _)| self.owner(v).to_string()).collect();
        let least = self.p("min_owners");
        let owners = (owners.len() as i128).min(least);
        (
            Some(m),
            over(over(reported * PPM, assigned) * owners, least),
        )
    }

    fn old(&self, controller: &Value, p: &Value) -> i128 {
        or(
            controller["state"].get(p.as_str().unwrap()),
            self.p("prior"),
        )
    }

    /// Score, states, whether it counts as scored.
    fn score(&self, controller: &Value) -> (i128, Tree, bool) {
        let n = number(&controller["scored_epochs"]);
        let (mut states, mut scored) = (BTreeMap::new(), false);
        for parameter in rows(self.input, "parameters") {
            let (id, mut new) = (&parameter["id"], self.old(controller, &parameter["id"]));
            let name = id.as_str().unwrap();
            let voted = parameter["kind"] == "voted";
            let reading = match voted {
                true => Some(self.consensus(&controller["id"], id)),
                false => controller["measured"]
                    .get(name)
                    .map(|m| (Some(number(m)), PPM)),
            };
            if let Some((m, cov)) = reading {
                if let Some(m) = m {
                    let a = match m < new {
                        true => self.p("alpha_down"),
                        false => self.p("alpha_up").max(over(PPM, n + 2)),
                    };
                    let step = over((m - new).abs() * a * cov, PPM * PPM);
                    new = if m < new { new - step } else { new + step };
                    scored |= voted && cov >= self.p("stale_cov");
                }
                let leak = (PPM - over(cov * PPM, self.p("stale_cov"))).max(0);
                let high = (new - self.p("prior")).max(0);
                new -= over(high * self.p("alpha_stale") * leak, PPM * PPM);
            }
            states.insert(name, new);
        }
        let parameters = rows(self.input, "parameters").iter();
        let weighted = parameters.map(|p| number(&p["weight"]) * states[p["id"].as_str().unwrap()]);
        let mut score = over(weighted.sum(), PPM);
        for parameter in rows(self.input, "parameters") {
            let full = number(&parameter["gate_full"]);
            if full > 0 {
                let state = states[parameter["id"].as_str().unwrap()];
                score = over(score * PPM.min(over(state * PPM, full)), PPM);
            }
        }
        let states = states.iter();
        let states = states.map(|(name, state)| ((*name).to_owned(), Tree::Number(*state)));
        (score, Tree::Object(states.collect()), scored)
    }

    /// Audited cells that a validator was asked about, with what it said.
    fn audited(&self, v: &Value) -> Vec<(i128, Option<i128>)> {
        let audits = rows(self.input, "audits").iter();
        let asked = audits.filter(|row| self.asked(&row["c"], &row["p"]).contains(&v));
        asked
            .map(|row| (number(&row["truth"]), self.said(v, &row["c"], &row["p"])))
            .collect()
    }

    fn golden(&self, v: &Value) -> Vec<(i128, Option<i128>)> {
        let assigned = rows(self.input, "gold_assigned")
            .iter()
            .filter(|row| row["v"] == *v);
        assigned
            .map(|row| {
                let truth = number(&find(self.input, "gold", &row["g"])["truth"]);
                let mut reports = rows(self.input, "gold_reports").iter();
                let report = reports.find(|said| said["v"] == *v && said["g"] == row["g"]);
                let report = report.map(|report| number(&report["r"]));
                (truth, report.filter(|r| (0..=PPM).contains(r)))
            })
            .collect()
    }

    fn skill(&self, validator: &Value) -> i128 {
        let (v, old) = (&validator["id"], number(&validator["skill"]));
        if !self.live(v) {
            return old;
        }
        let mut pairs = self.golden(v);
        pairs.extend(self.audited(v));
        let mut truths: Vec<_> = pairs.iter().map(|(truth, _)| *truth).collect();
        truths.sort_unstable();
        let Some(median) = truths.get(truths.len() / 2) else {
            return old;
        };
        let reference: i128 = truths.iter().map(|truth| (truth - median).abs()).sum();
        if reference == 0 || reference < self.p("gold_min_spread") * truths.len() as i128 {
            return old;
        }
        let missed = |(truth, said): &(i128, Option<i128>)| match said {
            Some(r) => (truth - r).abs(),
            None => (*truth).max(PPM - truth),
        };
        let loss: i128 = pairs.iter().map(missed).sum();
        let x = over((reference - loss) * PPM, reference).clamp(-PPM, PPM);
        old + over((x - old) * self.p("alpha_gold"), PPM)
    }

    fn pay(&self, validator: &Value, skill: i128) -> i128 {
        let (v, mut pay) = (&validator["id"], 0);
        let parameters = rows(self.input, "parameters").iter();
        let voted: Vec<_> = parameters.filter(|p| p["kind"] == "voted").collect();
        let weights: i128 = voted.iter().map(|p| number(&p["weight"])).sum();
        for controller in rows(self.input, "controllers") {
            for parameter in &voted {
                let (c, p) = (&controller["id"], &parameter["id"]);
                let Some(r) = self.said(v, c, p) else {
                    continue;
                };
                let vbudget = number(&controller["vbudget"]);
                let stake = |v: &Value| number(&find(self.input, "validators", v)["stake"]);
                let stakes: i128 = self.asked(c, p).iter().map(|v| stake(v)).sum();
                if weights == 0 || stakes == 0 {
                    continue;
                }
                let budget = over(vbudget * number(&parameter["weight"]), weights);
                let m = over(budget * stake(v), stakes);
                let strangers = self.answers(c, p).into_iter();
                let strangers: Vec<_> = strangers
                    .filter(|(other, _)| self.owner(other) != self.owner(v))
                    .collect();
                let reference = self.truth(c, p).or_else(|| self.supported(&strangers));
                let f = match reference {
                    None => self.p("q_solo"),
                    Some(reference) => self.quality(r, reference, self.old(controller, p)),
                };
                pay += over(m * self.gain(skill) * f, PPM * PPM);
            }
        }
        pay
    }

    fn quality(&self, r: i128, reference: i128, old: i128) -> i128 {
        let d1 = (r - reference).abs();
        let d0 = (old - reference).abs();
        let f = (PPM - over(d1 * PPM, self.p("tol"))).max(0);
        if d0 <= self.p("delta") {
            return f;
        }
        let disc = over((d0 - d1).max(0) * PPM, d0);
        over((PPM - self.p("beta")) * f + self.p("beta") * disc, PPM)
    }

    fn slash(&self, validator: &Value, skill: i128) -> i128 {
        let (v, stake) = (&validator["id"], number(&validator["stake"]));
        let cells = rows(self.input, "assigned").iter();
        let asked = cells
            .clone()
            .any(|row| row["v"] == *v && self.admissible(v, &row["c"]))
            || rows(self.input, "gold_assigned")
                .iter()
                .any(|row| row["v"] == *v);
        let (committed, revealed) = (&validator["committed"], &validator["revealed"]);
        let mut slash = 0;
        if asked && *committed == false {
            slash += over(stake * self.p("slash_absent"), PPM);
        }
        if *committed == true && *revealed == false {
            slash += over(stake * self.p("slash_noreveal"), PPM);
        }
        if self.live(v) && skill < -self.p("slash_gold_floor") {
            slash += over(stake * self.p("slash_gold") * -skill, PPM * PPM);
        }
        if self.live(v) {
            for (truth, said) in self.audited(v) {
                let beyond = said.map_or(0, |r| ((r - truth).abs() - self.p("audit_tol")).max(0));
                slash += over(stake * self.p("slash_audit") * beyond, PPM * PPM);
            }
        }
        slash.min(over(stake * self.p("slash_cap"), PPM))
    }

    fn settle(&self) -> Tree {
        let policy = self.input["params"]
            .get("remainder")
            .and_then(Value::as_str);
        let (mut treasury, mut burned) = (0, 0);
        let mut refunds: BTreeMap<String, i128> = BTreeMap::new();
        let mut controllers = BTreeMap::new();
        for controller in rows(self.input, "controllers") {
            let (score, state, scored) = self.score(controller);
            let escrow = number(&controller["escrow"]);
            let payout = over(escrow * score, PPM);
            let remainder = escrow - payout;
            treasury += number(&controller["vbudget"]);
            match policy {
                Some("burn") => burned += remainder,
                Some("refund") => {
                    treasury += remainder - refund(controller, remainder, &mut refunds)
                }
                _ => treasury += remainder,
            }
            let epochs = number(&controller["scored_epochs"]) + i128::from(scored);
            let result = Tree::of([
                ("score", Tree::Number(score)),
                ("state", state),
                ("scored_epochs", Tree::Number(epochs)),
                ("payout", Tree::Number(payout)),
                ("remainder", Tree::Number(remainder)),
            ]);
            controllers.insert(text(&controller["id"]), result);
        }
        let mut validators = BTreeMap::new();
        for validator in rows(self.input, "validators") {
            let skill = self.skill(validator);
            let (pay, slash) = (self.pay(validator, skill), self.slash(validator, skill));
            treasury += slash - pay;
            let result = Tree::of([
                ("skill", Tree::Number(skill)),
                ("pay", Tree::Number(pay)),
                ("slash", Tree::Number(slash)),
            ]);
            validators.insert(text(&validator["id"]), result);
        }
        let refunds = refunds
            .into_iter()
            .map(|(who, sum)| (who, Tree::Number(sum)));
        Tree::of([
            ("controllers", Tree::Object(controllers)),
            ("validators", Tree::Object(validators)),
            ("refunds", Tree::Object(refunds.collect())),
            ("treasury", Tree::Number(treasury)),
            ("burned", Tree::Number(burned)),
        ])
    }
}

fn text(id: &Value) -> String {
    id.as_str().unwrap().to_owned()
}

/// Gives what was given back; the dust stays.
fn refund(controller: &Value, remainder: i128, refunds: &mut BTreeMap<String, i128>) -> i128 {
    let consumers = controller["consumers"].as_object().unwrap();
    let spent: i128 = consumers.values().map(number).sum();
    let mut given = 0;
    for (account, share) in consumers {
        if spent > 0 {
            let part = over(remainder * number(share), spent);
            *refunds.entry(account.clone()).or_default() += part;
            given += part;
        }
    }
    given
}
