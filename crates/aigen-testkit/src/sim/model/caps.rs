use super::{Expected, Model, address, ok, refused};
use aigen_network::{
    AccountKind, Cap, Capped, GrantAllowance, Network, Period, RevokeAllowance, SetBudget, Window,
};
use aigen_types::{Address, Amount};
use std::collections::BTreeMap;

/// Budgets, allowances, and what was spent of them in every period.
#[derive(Clone, Debug, Default)]
pub(super) struct Caps {
    /// By path, a star for each user.
    budgets: BTreeMap<String, (u128, Period)>,
    /// By user and app.
    allowances: BTreeMap<(Address, Address), Allowed>,
    counted: BTreeMap<Cap, Counted>,
}

#[derive(Clone, Debug)]
struct Allowed {
    cap: u128,
    period: Period,
    /// In parts per million.
    margin: u128,
    /// The nanosecond from which on it is no more.
    ends: Option<u64>,
    revoked: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// What the last hold found the cap to be: what counts once the budget is another one.
    given: u128,
    spent: u128,
}

impl Model {
    pub(super) fn set_budget(&mut self, set: &SetBudget) -> Expected {
        let (budgets, path) = (&mut self.caps.budgets, set.path.to_string());
        match set.cap {
            Some(cap) => {
                budgets.insert(path, (cap.nano(), set.period));
                ok()
            }
            None if budgets.remove(&path).is_some() => ok(),
            None => refused("budget_unknown"),
        }
    }

    pub(super) fn grant(&mut self, grant: &GrantAllowance) -> Expected {
        let (user, app) = (grant.user.clone(), grant.app.clone());
        let reserved = |address: &Address| !AccountKind::of(address).is_free();
        if user == app || reserved(&user) || reserved(&app) {
            return refused("address_reserved");
        }
        let allowed = Allowed {
            cap: grant.cap.nano(),
            period: grant.period,
            margin: u128::from(grant.margin.parts()),
            ends: grant.expires_at.map(|end| end.0),
            revoked: false,
        };
        self.caps.allowances.insert((user, app), allowed);
        ok()
    }

    pub(super) fn revoke(&mut self, revoke: &RevokeAllowance) -> Expected {
        let parties = (revoke.user.clone(), revoke.app.clone());
        match self.caps.allowances.get_mut(&parties) {
            Some(allowed) => {
                allowed.revoked = true;
                ok()
            }
            None => refused("allowance_unknown"),
        }
    }

    /// The margin, if `app` may spend of `user`'s now.
    pub(super) fn allows(&self, user: &Address, app: &Address) -> Result<u128, Expected> {
        let parties = (user.clone(), app.clone());
        match self.caps.allowances.get(&parties) {
            None => Err(refused("allowance_unknown")),
            Some(allowed) if allowed.revoked || allowed.ends.is_some_and(|end| end <= self.now) => {
                Err(refused("allowance_ended"))
            }
            Some(allowed) => Ok(allowed.margin),
        }
    }

    /// Everything that a call which begins now counts against.
    pub(super) fn caps_of(
        &self,
        spender: &Address,
        payer: &Address,
        app: Option<&Address>,
    ) -> Vec<Cap> {
        let mut bounded: Vec<Capped> = way(spender).into_iter().map(Capped::Path).collect();
        bounded.extend(way(payer).into_iter().map(Capped::Path));
        bounded.extend(app.map(|app| Capped::Allowance {
            user: payer.clone(),
            app: app.clone(),
        }));
        bounded.sort();
        bounded.dedup();
        let today = |of: Capped| {
            let (_, period) = self.terms(&of)?;
            let first_day = first_day(period, self.now);
            let window = Window { period, first_day };
            Some(Cap { of, window })
        };
        bounded.into_iter().filter_map(today).collect()
    }

    /// How much, and how often.
    fn terms(&self, of: &Capped) -> Option<(u128, Period)> {
        let Capped::Path(path) = of else {
            let mut known = self.caps.allowances.iter();
            let same = |((user, app), _): &(&(Address, Address), &Allowed)| matches!(of, Capped::Allowance { user: u, app: a } if u == user && a == app);
            return known.find(same).map(|(_, it)| (it.cap, it.period));
        };
        let own = self.caps.budgets.get(path.as_str());
        let words: Vec<&str> = path.as_str().split(':').collect();
        let each = match words.as_slice() {
            [app @ .., "user", _] if !app.is_empty() && app.len().is_multiple_of(2) => {
                let each = format!("{}:user:*", app.join(":"));
                self.caps.budgets.get(&each)
            }
            _ => None,
        };
        own.or(each).copied()
    }

    /// What a cap is now, what was spent of it, and what running calls hold.
    pub(super) fn used_of(&self, cap: &Cap) -> (u128, u128, u128) {
        let counted = self.caps.counted.get(cap).copied().unwrap_or_default();
        let against = |calls: &&super::OpenedCall| calls.caps.contains(cap);
        let held = self.open.values().filter(against);
        let held = held.map(|call| call.live(self.now)).sum();
        (
            self.wanted(cap).unwrap_or(counted.given),
            counted.spent,
            held,
        )
    }

    fn wanted(&self, cap: &Cap) -> Option<u128> {
        let terms = self.terms(&cap.of);
        let terms = terms.filter(|(_, period)| *period == cap.window.period);
        terms.map(|(wanted, _)| wanted)
    }

    /// A hold finds the cap of today; of one that was lowered, what is in use stays.
    pub(super) fn true_up(&mut self, cap: &Cap) {
        let (_, spent, held) = self.used_of(cap);
        let wanted = self.wanted(cap);
        let counted = self.caps.counted.entry(cap.clone()).or_default();
        if let Some(wanted) = wanted {
            let lowered = wanted.max(spent + held).min(counted.given);
            counted.given = wanted.max(lowered);
        }
    }

    pub(super) fn spend(&mut self, cap: &Cap, amount: u128) {
        self.caps.counted.entry(cap.clone()).or_default().spent += amount;
    }

    pub(super) fn unspend(&mut self, cap: &Cap, amount: u128) {
        self.caps.counted.entry(cap.clone()).or_default().spent -= amount;
    }

    /// # Errors
    /// The first cap of which the network says otherwise.
    pub(super) fn check_caps(&self, network: &Network) -> Result<(), String> {
        for cap in self.caps.counted.keys() {
            let state = network.cap_state(cap);
            let found = [state.cap, state.spent, state.held].map(Amount::nano);
            let (most, spent, held) = self.used_of(cap);
            if found != [most, spent, held] {
                let expected = [most, spent, held];
                return Err(format!(
                    "of {} in {:?} cap, spent and held are {found:?}, the model says {expected:?}",
                    cap.of, cap.window
                ));
            }
        }
        Ok(())
    }
}

/// Every address above, and the address: its words, two at a time.
fn way(of: &Address) -> Vec<Address> {
    let words: Vec<&str> = of.as_str().split(':').collect();
    let ends = (2..words.len()).step_by(2).chain([words.len()]);
    ends.map(|end| address(&words[..end])).collect()
}

/// The first day, from 1970-01-01, of the period in which the nanosecond `now` lies: days are
/// counted one by one from a Thursday in January on.
fn first_day(period: Period, now: u64) -> u64 {
    let today = now / (24 * 3_600 * 1_000_000_000);
    let (mut monday, mut first, mut year, mut month) = (0, 0, 1970, 0);
    for day in 0..=today {
        if day % 7 == 4 {
            monday = day;
        }
        let february = if u64::is_multiple_of(year, 4) { 29 } else { 28 };
        let days = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
        if day == first + days {
            first = day;
            month = (month + 1) % 12;
            year += u64::from(month == 0);
        }
    }
    match period {
        Period::Day => today,
        Period::Week => monday,
        Period::Month => first,
        Period::Total => 0,
    }
}
