//! The working as text: each result as its formula, then the same formula in numbers.

use super::int::Int;
use super::working::{
    ControllerWorking, GateWorking, GoldWorking, ParameterWorking, ReportWorking, SlashReason,
    ValidatorWorking,
};
use aigen_types::Ppm;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl ControllerWorking<'_> {
    /// How the payout came about: the payout, the remainder, the score and its gates, and
    /// beneath them one or two indented lines per parameter.
    ///
    /// ```text
    /// payout = escrow × score // PPM = 12,345,678 × 812,000 // 1,000,000 = 10,024,690
    /// ```
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let escrow = ("escrow", self.escrow.into());
        let payout = [escrow, ("score", self.score.into())];
        let remainder = [escrow, ("payout", self.payout.into())];
        let mut lines = Vec::from([
            formula("payout = escrow × score // PPM", &payout, self.payout),
            formula("remainder = escrow − payout", &remainder, self.remainder),
            self.weighted_line(),
        ]);
        lines.extend(self.gates.iter().map(gate_line));
        for parameter in &self.parameters {
            lines.push(format!("  {}: {}", parameter.id, step_line(parameter)));
            if parameter.leaked > Ppm::ZERO {
                lines.push(format!("  {}: {}", parameter.id, self.leak_line(parameter)));
            }
        }
        lines
    }

    fn weighted_line(&self) -> String {
        let products = self.parameters.iter().map(|parameter| {
            let [weight, state] = [parameter.weight, parameter.new].map(Int::from);
            format!("{} × {}", grouped(weight), grouped(state))
        });
        format!(
            "score = Σ weight × state // PPM = ({}) // 1,000,000 = {}",
            products.collect::<Vec<_>>().join(" + "),
            grouped(self.weighted.into())
        )
    }

    fn leak_line(&self, parameter: &ParameterWorking<'_>) -> String {
        let values = [
            ("state", parameter.stepped.into()),
            ("prior", self.params.prior.into()),
            ("alpha_stale", self.params.alpha_stale.into()),
            ("leak", parameter.leak.into()),
        ];
        formula(
            "state = state − (state − prior) × alpha_stale × leak // PPM²",
            &values,
            parameter.new,
        )
    }
}

fn gate_line(gate: &GateWorking<'_>) -> String {
    let values = [("score", gate.before.into()), ("open", gate.open.into())];
    let line = formula("score = score × open // PPM", &values, gate.after);
    format!("{line} (gate: {})", gate.parameter)
}

fn step_line(parameter: &ParameterWorking<'_>) -> String {
    let Some(value) = parameter.value else {
        let old = grouped(parameter.old.into());
        return format!("state = old = {old} (no value this epoch)");
    };
    let values = [
        ("old", parameter.old.into()),
        ("m", value.into()),
        ("alpha", parameter.alpha.into()),
        ("cov", parameter.coverage.into()),
    ];
    let symbols = if value < parameter.old {
        "state = old − (old − m) × alpha × cov // PPM²"
    } else {
        "state = old + (m − old) × alpha × cov // PPM²"
    };
    formula(symbols, &values, parameter.stepped)
}

impl ValidatorWorking<'_> {
    /// How skill, pay and slash came about: an indented line per counted report beneath the pay,
    /// and per ground beneath the slash.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::from([self.skill_line()]);
        lines.push(format!("pay = Σ reports = {}", grouped(self.pay.into())));
        lines.extend(self.reports.iter().map(report_line));
        lines.push(self.slash_line());
        lines.extend(self.grounds.iter().map(|ground| {
            let amount = grouped(ground.amount.into());
            format!("  {}: {amount}", reason(ground.reason))
        }));
        lines
    }

    fn skill_line(&self) -> String {
        let Some(x) = self.gold.x else {
            let skill = grouped(self.skill.into());
            return format!("skill = {skill} (too little gold to judge by)");
        };
        let values = [
            ("skill", self.skill_before.into()),
            ("x", x.into()),
            ("alpha_gold", self.params.alpha_gold.into()),
        ];
        let symbols = "skill = skill + (x − skill) × alpha_gold // PPM";
        let line = formula(symbols, &values, self.skill);
        format!("{line}, {}", gold_line(&self.gold, x))
    }

    fn slash_line(&self) -> String {
        let values = [
            ("stake", self.stake.into()),
            ("slash_cap", self.params.slash_cap.into()),
        ];
        let cap = formula("stake × slash_cap // PPM", &values, self.cap);
        format!("slash = {}, at most {cap}", grouped(self.slash.into()))
    }
}

fn gold_line(gold: &GoldWorking, x: i64) -> String {
    let values = [
        ("ref", Int::from(gold.reference)),
        ("loss", Int::from(gold.loss)),
    ];
    let line = formula("x = (ref − loss) × PPM // ref", &values, x);
    format!("{line} within ±1,000,000")
}

fn report_line(report: &ReportWorking<'_>) -> String {
    let values = [
        ("M", report.budget.into()),
        ("G", report.g.into()),
        ("f", report.f.into()),
    ];
    let line = formula("M × G × f // PPM²", &values, report.pay);
    let value = grouped(report.value.into());
    let reference = match report.reference {
        Some(reference) => grouped(reference.into()),
        None => "none".to_string(),
    };
    format!(
        "  {} {}: {line} (r {value}, ref {reference})",
        report.controller, report.parameter
    )
}

fn reason(reason: SlashReason) -> &'static str {
    match reason {
        SlashReason::Absent => "assigned, not committed",
        SlashReason::NoReveal => "committed, not revealed",
        SlashReason::Gold => "skill below the floor",
        SlashReason::Audit => "far from an audit's truth",
    }
}

/// `name = symbols = the same with each symbol's value = result`.
fn formula(text: &str, values: &[(&str, Int)], result: impl Into<Int>) -> String {
    let symbols = text.split_once(" = ").map_or(text, |(_, symbols)| symbols);
    let mut numbers = String::new();
    // Split after every character that ends a symbol, so that `m` is not found inside `max`.
    for part in symbols.split_inclusive([' ', '(', ')']) {
        let symbol = part.trim_end_matches([' ', '(', ')']);
        let rest = part.get(symbol.len()..).unwrap_or_default();
        numbers.push_str(&value_of(symbol, values));
        numbers.push_str(rest);
    }
    format!("{text} = {numbers} = {}", grouped(result.into()))
}

fn value_of(symbol: &str, values: &[(&str, Int)]) -> String {
    match symbol {
        "PPM" => grouped(super::int::PPM),
        "PPM²" => grouped(super::int::PPM_SQUARED),
        _ => match values.iter().find(|(name, _)| *name == symbol) {
            Some((_, value)) => grouped(*value),
            None => symbol.to_string(),
        },
    }
}

/// `1,234,567`: digits in threes.
fn grouped(number: Int) -> String {
    let digits = number.abs().to_string();
    let mut text = String::from(if number < Int::ZERO { "−" } else { "" });
    for (index, digit) in digits.char_indices() {
        let left = digits.len().saturating_sub(index);
        if index > 0 && left.is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
