use super::calls::ClosedCall;
use super::{Expected, Key, Model, address, ok, refused};
use aigen_network::{
    AccountKind, Cap, DatasetUse, Grant, GrantDataset, NewDataset, PriceDataset, ReadDataset,
    ReadWithin, RevokeDataset, Wanted, WithdrawDataset,
};
use aigen_types::{Address, Amount, DatasetName, DatasetRef, Slug};
use std::collections::BTreeMap;

/// Who offers what, and to whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Shop {
    offers: BTreeMap<DatasetRef, Offer>,
    owners: BTreeMap<Slug, Address>,
    grants: BTreeMap<(DatasetName, Address), Grant>,
}

#[derive(Clone, Debug)]
struct Offer {
    new: NewDataset,
    withdrawn: bool,
}

/// Rows that a call has read.
#[derive(Clone, Debug)]
pub(super) struct Fee {
    pub amount: u128,
    pub to: Address,
    /// Whether a controller was given them.
    pub handed_over: bool,
}

impl Model {
    pub(super) fn publish_dataset(&mut self, new: &NewDataset) -> Expected {
        let reserved = |address: &Address| !AccountKind::of(address).is_free();
        if reserved(&new.by) || reserved(&new.provider) {
            return refused("address_reserved");
        }
        if new.uses.is_empty() {
            return refused("dataset_invalid");
        }
        let name = &new.reference.dataset.owner;
        if let Some(refusal) = self.not_the_owner(name, &new.by) {
            return refusal;
        }
        if let Some(known) = self.shop.offers.get(&new.reference) {
            let mut same = new.clone();
            same.price = known.new.price;
            return match same == known.new {
                true => ok(),
                false => refused("dataset_version_exists"),
            };
        }
        self.shop.owners.insert(name.clone(), new.by.clone());
        let offer = Offer {
            new: new.clone(),
            withdrawn: false,
        };
        self.shop.offers.insert(new.reference.clone(), offer);
        ok()
    }

    fn not_the_owner(&self, name: &Slug, by: &Address) -> Option<Expected> {
        let owner = self.shop.owners.get(name)?;
        (owner != by).then(|| refused("dataset_not_owned"))
    }

    pub(super) fn price_dataset(&mut self, set: &PriceDataset) -> Expected {
        if let Some(refusal) = self.not_the_owner(&set.reference.dataset.owner, &set.by) {
            return refusal;
        }
        match self.shop.offers.get_mut(&set.reference) {
            Some(offer) => {
                offer.new.price = set.price;
                ok()
            }
            None => refused("dataset_unknown"),
        }
    }

    pub(super) fn withdraw_dataset(&mut self, withdraw: &WithdrawDataset) -> Expected {
        let reference = &withdraw.reference;
        if let Some(refusal) = self.not_the_owner(&reference.dataset.owner, &withdraw.by) {
            return refusal;
        }
        match self.shop.offers.get_mut(reference) {
            Some(offer) => {
                offer.withdrawn = true;
                ok()
            }
            None => refused("dataset_unknown"),
        }
    }

    pub(super) fn grant_dataset(&mut self, grant: &GrantDataset) -> Expected {
        if let Some(refusal) = self.not_the_owner(&grant.dataset.owner, &grant.by) {
            return refusal;
        }
        let mut offers = self.shop.offers.keys();
        if !offers.any(|offer| offer.dataset == grant.dataset) {
            return refused("dataset_unknown");
        }
        let parties = (grant.dataset.clone(), grant.to.clone());
        self.shop.grants.insert(parties, grant.grant.clone());
        ok()
    }

    pub(super) fn revoke_dataset(&mut self, revoke: &RevokeDataset) -> Expected {
        if let Some(refusal) = self.not_the_owner(&revoke.dataset.owner, &revoke.by) {
            return refusal;
        }
        let parties = (revoke.dataset.clone(), revoke.to.clone());
        match self.shop.grants.remove(&parties) {
            Some(_) => ok(),
            None => refused("grant_unknown"),
        }
    }

    /// What reading costs the holder of this key, and who is paid.
    pub(super) fn fee(
        &self,
        key: &Key,
        wanted: &Wanted,
        purpose: DatasetUse,
    ) -> Result<Fee, Expected> {
        let ids: Vec<u64> = wanted.rows.ids().collect();
        if wanted.hits > ids.len() as u64 {
            return Err(refused("read_invalid"));
        }
        let offer = self.shop.offers.get(&wanted.dataset);
        let offer = offer.ok_or_else(|| refused("dataset_unknown"))?;
        let new = &offer.new;
        let column = |name: &String| new.columns.iter().any(|column| column.name == *name);
        let download = purpose == DatasetUse::Download;
        let whole = ids.len() as u64 == new.rows && wanted.hits == 0;
        let refusals = [
            (offer.withdrawn, "dataset_withdrawn"),
            (!new.uses.contains(&purpose), "dataset_use_not_allowed"),
        ];
        if let Some((_, code)) = refusals.into_iter().find(|(holds, _)| *holds) {
            return Err(refused(code));
        }
        if !new.open && new.by != key.account {
            self.granted(&key.account, wanted, purpose)?;
        }
        let refusals = [
            (!wanted.columns.iter().all(column), "column_unknown"),
            (ids.iter().any(|id| *id >= new.rows), "rows_unknown"),
            (download && !whole, "read_invalid"),
        ];
        if let Some((_, code)) = refusals.into_iter().find(|(holds, _)| *holds) {
            return Err(refused(code));
        }
        let rows = ids.len() as u128 * new.price.row.nano();
        let hits = u128::from(wanted.hits) * new.price.hit.nano();
        Ok(Fee {
            amount: match download {
                true => new.price.download.nano(),
                false => rows + hits,
            },
            to: new.provider.clone(),
            handed_over: purpose == DatasetUse::Controller,
        })
    }

    /// By the longest address that the account is, or is below.
    fn granted(
        &self,
        account: &Address,
        wanted: &Wanted,
        purpose: DatasetUse,
    ) -> Result<(), Expected> {
        let dataset = &wanted.dataset.dataset;
        let covers =
            |to: &Address| *to == *account || account.as_str().starts_with(&format!("{to}:"));
        let grants = self.shop.grants.iter();
        let grants = grants.filter(|((of, to), _)| of == dataset && covers(to));
        let nearest = grants.max_by_key(|((_, to), _)| to.as_str().len());
        let live = |grant: &&Grant| grant.until.is_none_or(|end| self.now < end.0);
        let grant = nearest.map(|(_, grant)| grant).filter(live);
        let grant = grant.ok_or_else(|| refused("dataset_not_granted"))?;
        if !grant.uses.is_empty() && !grant.uses.contains(&purpose) {
            return Err(refused("dataset_use_not_allowed"));
        }
        let all = wanted.columns.is_empty();
        let some = wanted
            .columns
            .iter()
            .all(|name| grant.columns.contains(name));
        match grant.columns.is_empty() || !all && some {
            true => Ok(()),
            false => Err(refused("column_not_granted")),
        }
    }

    pub(super) fn read_dataset(&mut self, asked: &ReadDataset) -> Expected {
        let read = (asked.wanted.clone(), asked.purpose);
        if let Some(known) = self.closed.get(&asked.read) {
            let same = known.read.as_ref() == Some(&read)
                && (&known.key, &known.request) == (&asked.key, &asked.request);
            return match same {
                true => charged(known.total()),
                false => refused("call_exists_with_different_request"),
            };
        }
        if self.open.contains_key(&asked.read) {
            return refused("call_exists_with_different_request");
        }
        match self.pay_read(asked) {
            Ok(closed) => {
                let total = closed.total();
                self.closed.insert(asked.read, closed);
                charged(total)
            }
            Err(refusal) => refusal,
        }
    }

    fn pay_read(&mut self, asked: &ReadDataset) -> Result<ClosedCall, Expected> {
        let key = self.usable_key(&asked.key)?;
        if !matches!(asked.purpose, DatasetUse::Read | DatasetUse::Download) {
            return Err(refused("dataset_use_not_allowed"));
        }
        let fee = self.fee(key, &asked.wanted, asked.purpose)?;
        let (payer, app, caps) =
            self.paying(key, asked.end_user.as_ref(), asked.bill_to.as_ref())?;
        let parts = app.as_ref().map_or(0, |(_, parts)| *parts);
        let margin = (fee.amount * parts).div_ceil(1_000_000);
        let total = fee.amount + margin;
        if let Some(refusal) = self.too_little(&payer, &caps, total) {
            return Err(refusal);
        }
        if asked.budget.is_some_and(|budget| budget.nano() < total) {
            return Err(refused("budget_too_small"));
        }
        let mut shares = fee_shares(&[&fee]);
        if let Some((app, _)) = app {
            *shares.entry(app).or_default() += margin;
        }
        self.pay_out(&payer, &caps, &shares);
        Ok(ClosedCall {
            key: asked.key.clone(),
            request: asked.request,
            payer,
            caps,
            shares,
            epoch: self.epoch,
            refunds: Vec::new(),
            reversal: None,
            read: Some((asked.wanted.clone(), asked.purpose)),
        })
    }

    /// At once, without a hold before.
    fn pay_out(&mut self, payer: &Address, caps: &[Cap], shares: &BTreeMap<Address, u128>) {
        let total: u128 = shares.values().sum();
        for (payee, amount) in shares {
            self.transfer(payer, payee, *amount);
        }
        if total > 0 {
            for cap in caps {
                self.true_up(cap);
                self.spend(cap, total);
            }
        }
    }

    pub(super) fn read_within(&mut self, within: &ReadWithin) -> Expected {
        self.hold_read(within).unwrap_or_else(|refusal| refusal)
    }

    fn hold_read(&mut self, within: &ReadWithin) -> Result<Expected, Expected> {
        let mut call = self.running(within.call)?.clone();
        if let Some((app, _)) = &call.app {
            self.allows(&call.payer, app)?;
        }
        if call.fees.len() >= aigen_network::limits::CALL_READS_MAX {
            return Err(refused("too_many_reads"));
        }
        let key = self.usable_key(&call.key)?;
        call.fees
            .push(self.fee(key, &within.wanted, DatasetUse::Controller)?);
        let needed = call.most(call.covered);
        let more = needed - call.held();
        if let Some(refusal) = self.too_little(&call.payer, &call.caps, more) {
            return Err(refusal);
        }
        if call.budget.is_some_and(|budget| budget < needed) {
            return Err(refused("budget_too_small"));
        }
        Ok(self.hold(within.call, call, more))
    }
}

fn charged(total: u128) -> Expected {
    Expected::Words(format!("charged {}", Amount::from_nano(total)))
}

/// 94 % of each fee to whose rows they were, the rest to the protocol.
pub(super) fn fee_shares(fees: &[&Fee]) -> BTreeMap<Address, u128> {
    let mut shares = BTreeMap::new();
    for fee in fees {
        let provider = fee.amount * 94 / 100;
        *shares.entry(fee.to.clone()).or_default() += provider;
        *shares.entry(address(&["protocol"])).or_default() += fee.amount - provider;
    }
    shares
}

/// An amount cut by fees: everyone's whole part first, then one nano-AIGEN at a time to whoever
/// was cut off most, the first of several.
pub(super) fn by_fees(amount: u128, fees: &[&Fee]) -> Vec<u128> {
    let free = fees.iter().all(|fee| fee.amount == 0);
    let weight = |fee: &&Fee| if free { 1 } else { fee.amount };
    let sum: u128 = fees.iter().map(weight).sum();
    let mut parts: Vec<u128> = fees.iter().map(|fee| amount * weight(fee) / sum).collect();
    let mut cut: Vec<u128> = fees.iter().map(|fee| amount * weight(fee) % sum).collect();
    let left = amount - parts.iter().sum::<u128>();
    for _ in 0..left {
        let most = cut.iter().copied().max().unwrap_or_default();
        let first = cut
            .iter()
            .position(|cut| *cut == most)
            .expect("it is there");
        parts[first] += 1;
        cut[first] = 0;
    }
    parts
}
