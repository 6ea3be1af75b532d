//! Inputs at random, as JSON: small, with many ties and a few amounts near the limits.

use serde_json::{Map, Value, json};

const PPM: u64 = 1_000_000;

/// Numbers from a seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn ppm(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => PPM,
            2..4 => self.below(11) * 100_000,
            _ => self.below(PPM + 1),
        }
    }

    fn amount(&mut self) -> u64 {
        match self.below(4) {
            0 => self.below(3),
            1 => (1 << 63) - 1 - self.below(3),
            _ => self.below(5_000_000_000),
        }
    }
}

/// An input that is well formed.
pub fn input(dice: &mut Dice) -> Value {
    let parameters = parameters(dice);
    let ids: Vec<_> = parameters.iter().map(|row| row["id"].clone()).collect();
    let controllers: Vec<_> = (0..dice.below(4))
        .map(|at| controller(dice, at, &ids))
        .collect();
    let validators: Vec<_> = (0..dice.below(7)).map(|at| validator(dice, at)).collect();
    let gold: Vec<_> = (0..dice.below(5))
        .map(|at| json!({ "id": format!("g{at}"), "truth": dice.ppm() }))
        .collect();
    let mut lists: [Vec<Value>; 5] = Default::default();
    let [assigned, reports, audits, gold_assigned, gold_reports] = &mut lists;
    for c in controllers.iter().map(|row| &row["id"]) {
        for p in &ids {
            for v in validators.iter().map(|row| &row["id"]) {
                if !dice.one_in(5) {
                    assigned.push(json!({ "v": v, "c": c, "p": p }));
                }
                if !dice.one_in(5) {
                    reports.push(json!({ "v": v, "c": c, "p": p, "r": answer(dice) }));
                }
            }
            if dice.one_in(5) {
                audits.push(json!({ "c": c, "p": p, "truth": dice.ppm() }));
            }
        }
    }
    for v in validators.iter().map(|row| &row["id"]) {
        for g in gold.iter().map(|row| &row["id"]) {
            if !dice.one_in(5) {
                gold_assigned.push(json!({ "v": v, "g": g }));
            }
            if !dice.one_in(5) {
                gold_reports.push(json!({ "v": v, "g": g, "r": answer(dice) }));
            }
        }
    }
    let [assigned, reports, audits, gold_assigned, gold_reports] = lists;
    json!({
        "params": params(dice), "parameters": parameters, "controllers": controllers,
        "validators": validators, "assigned": assigned, "reports": reports, "audits": audits,
        "gold": gold, "gold_assigned": gold_assigned, "gold_reports": gold_reports,
    })
}

fn params(dice: &mut Dice) -> Value {
    let mut params = Map::new();
    let ratios = [
        "rho",
        "support",
        "prior",
        "alpha_up",
        "alpha_down",
        "alpha_stale",
        "beta",
        "delta",
        "q_solo",
        "alpha_gold",
        "gold_min_spread",
        "slash_absent",
        "slash_noreveal",
        "slash_gold",
        "slash_gold_floor",
        "slash_audit",
        "audit_tol",
        "slash_cap",
    ];
    for name in ratios {
        if dice.one_in(6) {
            params.insert(name.into(), dice.ppm().into());
        }
    }
    for name in ["tol", "stale_cov", "skill_full"] {
        if dice.one_in(6) {
            params.insert(name.into(), dice.ppm().max(1).into());
        }
    }
    if dice.one_in(3) {
        params.insert("min_owners".into(), (dice.below(4) + 1).into());
    }
    let policy = ["burn", "refund", "treasury"]
        .get(dice.below(4) as usize)
        .copied();
    if let Some(policy) = policy {
        params.insert("remainder".into(), policy.into());
    }
    params.into()
}

fn parameters(dice: &mut Dice) -> Vec<Value> {
    let count = dice.below(4) + 1;
    let mut left = PPM;
    let row = |at| {
        let weight = if at + 1 == count {
            left
        } else {
            dice.below(left + 1)
        };
        left -= weight;
        let kind = if dice.one_in(3) { "measured" } else { "voted" };
        let gate = if dice.one_in(3) { dice.ppm() } else { 0 };
        json!({ "id": format!("p{at}"), "weight": weight, "kind": kind, "gate_full": gate })
    };
    (0..count).map(row).collect()
}

fn controller(dice: &mut Dice, at: u64, parameters: &[Value]) -> Value {
    let some = |dice: &mut Dice| -> Map<String, Value> {
        let known: Vec<_> = parameters.iter().filter(|_| !dice.one_in(4)).collect();
        let names = known.into_iter().map(|id| id.as_str().unwrap().to_owned());
        names.map(|name| (name, dice.ppm().into())).collect()
    };
    let (state, measured) = (some(dice), some(dice));
    let consumers: Map<_, _> = (0..dice.below(4))
        .map(|at| (format!("u{at}"), dice.amount().into()))
        .collect();
    json!({
        "id": format!("c{at}"), "owner": format!("o{}", dice.below(4)), "state": state,
        "measured": measured, "consumers": consumers, "escrow": dice.amount(),
        "vbudget": dice.amount(), "scored_epochs": dice.below(9),
    })
}

fn validator(dice: &mut Dice, at: u64) -> Value {
    let skill = dice.ppm() as i64;
    json!({
        "id": format!("v{at}"), "owner": format!("o{}", dice.below(4)), "stake": dice.amount(),
        "skill": if dice.one_in(4) { -skill } else { skill },
        "committed": !dice.one_in(6), "revealed": !dice.one_in(6),
    })
}

fn answer(dice: &mut Dice) -> i64 {
    match dice.below(12) {
        0 => -1,
        1 => PPM as i64 + 1,
        _ => dice.ppm() as i64,
    }
}
