use aigen_ledger::Ledger;
use aigen_types::{AccountId, Address};
use alloc::{collections::BTreeMap, vec::Vec};

/// The addresses of accounts, in a row beside the ledger's: every payment looks two of them up,
/// and the ledger's own index is hot then, where a tree of its own took an eighth of a payment's
/// time among a thousand accounts and would take more among more.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Names {
    /// By the account's place; accounts that hold no money have none.
    by_place: Vec<Option<Address>>,
}

impl Names {
    /// The addresses of the accounts of this ledger.
    pub fn of(ledger: &Ledger, addresses: BTreeMap<AccountId, Address>) -> Self {
        let mut names = Self::default();
        for (id, address) in addresses {
            names.insert(ledger, id, address);
        }
        names
    }

    pub fn get(&self, ledger: &Ledger, id: AccountId) -> Option<&Address> {
        self.by_place.get(ledger.account_place(id)?)?.as_ref()
    }

    /// Names an account of this ledger.
    pub fn insert(&mut self, ledger: &Ledger, id: AccountId, address: Address) {
        if let Some(place) = ledger.account_place(id) {
            let count = self.by_place.len().max(place.saturating_add(1));
            self.by_place.resize(count, None);
            self.by_place[place] = Some(address);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Address> {
        self.by_place.iter().flatten()
    }

    /// As a snapshot keeps them.
    pub fn by_account(&self, ledger: &Ledger) -> BTreeMap<AccountId, Address> {
        let named = ledger.accounts().zip(&self.by_place);
        named
            .filter_map(|(account, name)| Some((account.id, name.clone()?)))
            .collect()
    }
}
