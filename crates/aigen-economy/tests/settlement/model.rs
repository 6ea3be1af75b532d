//! The settlement once more, naively: the specification's sentences as nested scans over the
//! input's lists, with plain `i128`. Slow, short, and independent of the crate's indexes.

use aigen_economy::settlement::{
    Controller, ControllerResult, Input, Output, Parameter, ParameterKind, Params, RemainderPolicy,
    Validator, ValidatorResult,
};
use aigen_types::{Amount, Ppm};

const PPM: i128 = 1_000_000;

struct Model<'a> {
    input: &'a Input,
    params: &'a Params,
}

pub fn settle(input: &Input) -> Output {
    let model = Model {
        input,
        params: &input.params,
    };
    let mut output = Output::default();
    let mut treasury = 0;
    for controller in &input.controllers {
        let result = model.controller(controller);
        treasury += int(controller.vbudget);
        let mut rest = int(result.remainder);
        match input.params.remainder {
            RemainderPolicy::Treasury => {}
            RemainderPolicy::Burn => {
                output.burned = amount(int(output.burned) + rest);
                rest = 0;
            }
            RemainderPolicy::Refund => {
                let spent: i128 = controller.consumers.values().map(|a| int(*a)).sum();
                for (account, part) in &controller.consumers {
                    if spent > 0 {
                        let part = int(result.remainder) * int(*part) / spent;
                        rest -= part;
                        let refund = output.refunds.entry(account.clone()).or_default();
                        *refund = amount(int(*refund) + part);
                    }
                }
            }
        }
        treasury += rest;
        output.controllers.insert(controller.id.clone(), result);
    }
    for validator in &input.validators {
        let result = model.validator(validator);
        treasury += int(result.slash) - int(result.pay);
        output.validators.insert(validator.id.clone(), result);
    }
    output.treasury = amount(treasury);
    output
}

impl Model<'_> {
    // §3.
    fn live(&self, v: &Validator) -> bool {
        v.committed && v.revealed && !v.stake.is_zero()
    }

    fn assigned(&self, v: &Validator, c: &Controller, p: &Parameter) -> bool {
        let mut assigned = self.input.assigned.iter();
        let this = |a: &aigen_economy::settlement::Assignment| {
            a.validator == v.id && a.controller == c.id && a.parameter == p.id
        };
        v.owner != c.owner && assigned.any(this)
    }

    fn report(&self, v: &Validator, c: &Controller, p: &Parameter) -> Option<i128> {
        let mut reports = self.input.reports.iter();
        let report = reports
            .find(|r| r.validator == v.id && r.controller == c.id && r.parameter == p.id)?
            .value;
        let counts = self.live(v) && self.assigned(v, c, p) && (0..=PPM as i64).contains(&report);
        counts.then_some(report.into())
    }

    fn g(&self, skill: i64) -> i128 {
        PPM.min(i128::from(skill.max(0)) * PPM / ratio(self.params.skill_full))
    }

    fn weight(&self, v: &Validator) -> i128 {
        let rho = ratio(self.params.rho);
        int(v.stake) * (rho + (PPM - rho) * self.g(v.skill) / PPM)
    }

    // §4.
    fn supported(&self, reports: &[(i128, i128)]) -> Option<i128> {
        let total: i128 = reports.iter().map(|(_, weight)| weight).sum();
        let passes = |x: i128| {
            let above = reports.iter().filter(|(value, _)| *value >= x);
            PPM * above.map(|(_, weight)| weight).sum::<i128>() > ratio(self.params.support) * total
        };
        reports.iter().map(|r| r.0).filter(|x| passes(*x)).max()
    }

    fn truth(&self, c: &Controller, p: &Parameter) -> Option<i128> {
        let mut audits = self.input.audits.iter();
        let audit = audits.find(|a| a.controller == c.id && a.parameter == p.id)?;
        Some(ratio(audit.truth))
    }

    fn counted(&self, c: &Controller, p: &Parameter) -> Vec<(&Validator, i128)> {
        let validators = self.input.validators.iter();
        let counted = validators.filter_map(|v| Some((v, self.report(v, c, p)?)));
        counted.collect()
    }

    fn consensus(&self, c: &Controller, p: &Parameter) -> (Option<i128>, i128) {
        if let Some(truth) = self.truth(c, p) {
            return (Some(truth), PPM);
        }
        let counted = self.counted(c, p);
        let ballots: Vec<_> = counted.iter().map(|(v, r)| (*r, self.weight(v))).collect();
        let Some(m) = self.supported(&ballots) else {
            return (None, 0);
        };
        let validators = self.input.validators.iter();
        let assigned = validators.filter(|v| self.assigned(v, c, p));
        let assigned: i128 = assigned.map(|v| self.weight(v)).sum();
        let reported: i128 = ballots.iter().map(|(_, weight)| weight).sum();
        let mut owners: Vec<_> = counted
            .iter()
            .filter(|(v, _)| self.weight(v) > 0)
            .map(|(v, _)| &v.owner)
            .collect();
        owners.sort();
        owners.dedup();
        let min_owners = i128::from(self.params.min_owners);
        let cov = (reported * PPM / assigned) * min_owners.min(owners.len() as i128) / min_owners;
        (Some(m), cov)
    }

    // §5.
    fn old(&self, c: &Controller, p: &Parameter) -> i128 {
        ratio(c.state.get(&p.id).copied().unwrap_or(self.params.prior))
    }

    fn state(&self, c: &Controller, p: &Parameter) -> i128 {
        let old = self.old(c, p);
        let (m, cov) = match (p.kind, c.measured.get(&p.id)) {
            (ParameterKind::Measured, None) => return old,
            (ParameterKind::Measured, Some(m)) => (Some(ratio(*m)), PPM),
            (ParameterKind::Voted, _) => self.consensus(c, p),
        };
        let mut new = old;
        if let Some(m) = m {
            let rising = ratio(self.params.alpha_up).max(PPM / (i128::from(c.scored_epochs) + 2));
            let down = ratio(self.params.alpha_down);
            let a = if m < old { down } else { rising };
            let step = (m - old).abs() * a * cov / (PPM * PPM);
            new += (m - old).signum() * step;
        }
        let leak = (PPM - cov * PPM / ratio(self.params.stale_cov)).max(0);
        let above = (new - ratio(self.params.prior)).max(0);
        new - above * ratio(self.params.alpha_stale) * leak / (PPM * PPM)
    }

    fn controller(&self, c: &Controller) -> ControllerResult {
        let parameters = &self.input.parameters;
        let sum = parameters
            .iter()
            .map(|p| ratio(p.weight) * self.state(c, p));
        let mut score = sum.sum::<i128>() / PPM;
        for p in parameters.iter().filter(|p| p.gate_full > Ppm::ZERO) {
            score = score * PPM.min(self.state(c, p) * PPM / ratio(p.gate_full)) / PPM;
        }
        let scored = parameters.iter().any(|p| {
            let (m, cov) = self.consensus(c, p);
            p.kind == ParameterKind::Voted && m.is_some() && cov >= ratio(self.params.stale_cov)
        });
        let payout = int(c.escrow) * score / PPM;
        ControllerResult {
            score: ppm(score),
            state: parameters
                .iter()
                .map(|p| (p.id.clone(), ppm(self.state(c, p))))
                .collect(),
            scored_epochs: c.scored_epochs + u64::from(scored),
            payout: amount(payout),
            remainder: amount(int(c.escrow) - payout),
        }
    }

    // §6 and §7.
    fn validator(&self, v: &Validator) -> ValidatorResult {
        let skill = self.skill(v);
        let mut pay = 0;
        for c in &self.input.controllers {
            for p in &self.input.parameters {
                if let (ParameterKind::Voted, Some(r)) = (p.kind, self.report(v, c, p)) {
                    pay += self.pay(v, c, p, r, skill);
                }
            }
        }
        ValidatorResult {
            skill,
            pay: amount(pay),
            slash: amount(self.slash(v, skill)),
        }
    }

    fn audited(&self, v: &Validator) -> Vec<(i128, Option<i128>)> {
        let mut pairs = Vec::new();
        for c in &self.input.controllers {
            for p in &self.input.parameters {
                if let (Some(truth), true) = (self.truth(c, p), self.assigned(v, c, p)) {
                    pairs.push((truth, self.report(v, c, p)));
                }
            }
        }
        pairs
    }

    fn gold(&self, v: &Validator) -> Vec<(i128, Option<i128>)> {
        let assigned = self
            .input
            .gold_assigned
            .iter()
            .filter(|a| a.validator == v.id);
        let pairs = assigned.map(|assigned| {
            let item = self
                .input
                .gold
                .iter()
                .find(|g| g.id == assigned.gold)
                .unwrap();
            let mut reports = self.input.gold_reports.iter();
            let report = reports.find(|r| r.validator == v.id && r.gold == item.id);
            let report = report
                .map(|r| r.value)
                .filter(|r| (0..=PPM as i64).contains(r));
            (ratio(item.truth), report.map(i128::from))
        });
        pairs.collect()
    }

    fn skill(&self, v: &Validator) -> i64 {
        if !self.live(v) {
            return v.skill;
        }
        let pairs = [self.gold(v), self.audited(v)].concat();
        let mut truths: Vec<_> = pairs.iter().map(|(truth, _)| *truth).collect();
        truths.sort();
        let Some(median) = truths.get(truths.len() / 2) else {
            return v.skill;
        };
        let reference: i128 = truths.iter().map(|truth| (truth - median).abs()).sum();
        let least = ratio(self.params.gold_min_spread) * truths.len() as i128;
        if reference == 0 || reference < least {
            return v.skill;
        }
        let losses = pairs.iter().map(|(truth, report)| match report {
            Some(report) => (truth - report).abs(),
            None => *truth.max(&(PPM - truth)),
        });
        let x = ((reference - losses.sum::<i128>()) * PPM).div_euclid(reference);
        let moved = (x.clamp(-PPM, PPM) - i128::from(v.skill)) * ratio(self.params.alpha_gold);
        v.skill + moved.div_euclid(PPM) as i64
    }

    fn pay(&self, v: &Validator, c: &Controller, p: &Parameter, r: i128, skill: i64) -> i128 {
        let parameters = self.input.parameters.iter();
        let voted = parameters.filter(|p| p.kind == ParameterKind::Voted);
        let weights: i128 = voted.map(|p| ratio(p.weight)).sum();
        if weights == 0 {
            return 0;
        }
        let budget = int(c.vbudget) * ratio(p.weight) / weights;
        let validators = self.input.validators.iter();
        let stakes = validators
            .filter(|v| self.assigned(v, c, p))
            .map(|v| int(v.stake));
        let m = budget * int(v.stake) / stakes.sum::<i128>();
        let f = self.quality(v, c, p, r);
        m * self.g(skill) * f / (PPM * PPM)
    }

    fn quality(&self, v: &Validator, c: &Controller, p: &Parameter, r: i128) -> i128 {
        let counted = self.counted(c, p).into_iter();
        let others: Vec<_> = counted
            .filter(|(other, _)| other.owner != v.owner)
            .map(|(other, report)| (report, self.weight(other)))
            .collect();
        let Some(reference) = self.truth(c, p).or_else(|| self.supported(&others)) else {
            return ratio(self.params.q_solo);
        };
        let d1 = (r - reference).abs();
        let f = (PPM - d1 * PPM / ratio(self.params.tol)).max(0);
        let d0 = (self.old(c, p) - reference).abs();
        if d0 <= ratio(self.params.delta) {
            return f;
        }
        let disc = (d0 - d1).max(0) * PPM / d0;
        let beta = ratio(self.params.beta);
        ((PPM - beta) * f + beta * disc) / PPM
    }

    fn slash(&self, v: &Validator, skill: i64) -> i128 {
        let p = self.params;
        let stake = int(v.stake);
        let mut cells = self.input.controllers.iter().flat_map(|c| {
            let parameters = self.input.parameters.iter();
            parameters.map(move |p| (c, p))
        });
        let on_cell = cells.any(|(c, p)| self.assigned(v, c, p));
        let on_gold = self.input.gold_assigned.iter().any(|a| a.validator == v.id);
        let mut slash = 0;
        if (on_cell || on_gold) && !v.committed {
            slash += stake * ratio(p.slash_absent) / PPM;
        }
        if v.committed && !v.revealed {
            slash += stake * ratio(p.slash_noreveal) / PPM;
        }
        let skill = i128::from(skill);
        if self.live(v) && skill < -ratio(p.slash_gold_floor) {
            slash += stake * ratio(p.slash_gold) * -skill / (PPM * PPM);
        }
        for (truth, report) in self.audited(v) {
            if let (true, Some(r)) = (self.live(v), report) {
                let beyond = ((r - truth).abs() - ratio(p.audit_tol)).max(0);
                slash += stake * ratio(p.slash_audit) * beyond / (PPM * PPM);
            }
        }
        slash.min(stake * ratio(p.slash_cap) / PPM)
    }
}

fn int(amount: Amount) -> i128 {
    amount.nano().try_into().unwrap()
}

fn amount(number: i128) -> Amount {
    Amount::from_nano(number.try_into().unwrap())
}

fn ratio(share: Ppm) -> i128 {
    share.parts().into()
}

fn ppm(number: i128) -> Ppm {
    Ppm::new(number.try_into().unwrap()).unwrap()
}
