use super::{Clients, PAYERS, PROMPTS};
use aigen_network::{Command, GrantAllowance, Network, Period, RevokeAllowance, SetBudget};
use aigen_types::{Address, Amount, Ppm, Slug, Timestamp};

const PATHS: [&str; 7] = [
    "app:tutor",
    "app:tutor:user:*",
    "app:tutor:user:7",
    "team:red",
    "team:red:app:quiz:user:*",
    "user:ada",
    "user:ada:user:*",
];
const PERIODS: [Period; 4] = [Period::Day, Period::Week, Period::Month, Period::Total];
const MARGINS: [u32; 5] = [0, 1, 100_000, 333_333, 1_000_000];
const HOUR: u64 = 3_600_000_000_000;

/// What bounds the spending of others.
impl Clients {
    pub(super) fn permit(&mut self, network: &Network) -> Command {
        match self.random.below(10) {
            0..5 => Command::SetBudget(SetBudget {
                path: self.name(&PATHS),
                cap: self.random.chance(85).then(|| self.cap(network)),
                period: *self.random.pick(&PERIODS),
            }),
            5..8 => self.grant(network),
            _ => self.revoke(network),
        }
    }

    fn grant(&mut self, network: &Network) -> Command {
        let accounts = network.keys().map(|(_, key)| &key.account);
        let margin = *self.random.pick(&MARGINS);
        let ends = network.ledger().now().0 + self.random.below(48) * HOUR;
        Command::GrantAllowance(GrantAllowance {
            user: self.name(&PAYERS),
            app: self.known(accounts, &PAYERS),
            cap: self.cap(network),
            period: *self.random.pick(&PERIODS),
            margin: Ppm::new(margin).expect("at most one whole"),
            expires_at: self.random.chance(30).then_some(Timestamp(ends)),
        })
    }

    /// Mostly one that is there; most of the time nobody is that cross.
    fn revoke(&mut self, network: &Network) -> Command {
        let parties: Vec<_> = network.allowances().map(|(parties, _)| parties).collect();
        let (user, app) = match parties.is_empty() || self.random.chance(5) {
            true => (self.name(&PAYERS), self.name(&PAYERS)),
            false => (*self.random.pick(&parties)).clone(),
        };
        Command::RevokeAllowance(RevokeAllowance { user, app })
    }

    /// Mostly nobody, or somebody who allows it.
    pub(super) fn bill_to(&mut self, network: &Network, key: &Slug) -> Option<Address> {
        let account = &network.key(key)?.account;
        let allow = network.allowances().filter(|((_, app), _)| app == account);
        let users: Vec<_> = allow.map(|((user, _), _)| user).collect();
        match (users.is_empty(), self.random.below(100)) {
            (_, 0..5) => Some(self.name(&PAYERS)),
            (false, 5..60) => Some((*self.random.pick(&users)).clone()),
            _ => None,
        }
    }

    /// Any amount, or what a call could need, to the nano-AIGEN or one less.
    fn cap(&mut self, network: &Network) -> Amount {
        let prices: Vec<_> = network.models().map(|(_, model)| model.price).collect();
        if prices.is_empty() || self.random.chance(50) {
            return self.amount();
        }
        let price = *self.random.pick(&prices);
        let prompt = *self.random.pick(&PROMPTS);
        let tokens = *self.random.pick(&[1, 50]);
        let input = price.input.max(price.cached_input).nano() / 1_000_000;
        let output = price.output.max(price.input).nano() / 1_000_000;
        let needed = price.request.nano() + u128::from(prompt) * input + tokens * output;
        Amount::from_nano(needed - u128::from(self.random.below(2)))
    }
}
