use super::{Clients, KEYS, PAYEES, PAYERS, USERS};
use aigen_economy::DatasetPrice;
use aigen_network::{
    Column, Command, Dataset, DatasetUse, Grant, GrantDataset, Network, NewDataset, PriceDataset,
    ReadDataset, ReadWithin, RevokeDataset, Rows, Wanted, WithdrawDataset,
};
use aigen_types::{Amount, CallId, Digest, Timestamp};

const DATASETS: [&str; 4] = [
    "books/faq@1.0.0",
    "books/faq@1.1.0",
    "books/log@1.0.0",
    "dora/notes@1.0.0",
];
const OWNERS: [&str; 3] = ["user:ada", "team:red", "app:tutor"];
const COLUMNS: [&str; 2] = ["title", "text"];
const ROWS: u64 = 20;
const HOUR: u64 = 3_600_000_000_000;

/// What is offered, and who reads it.
impl Clients {
    pub(super) fn dataset(&mut self, network: &Network) -> Command {
        match self.random.below(20) {
            0..3 => self.offer(network),
            3 => Command::PriceDataset(PriceDataset {
                reference: self.name(&DATASETS),
                by: self.owner(network),
                price: self.prices(),
            }),
            4 if self.random.chance(30) => Command::WithdrawDataset(WithdrawDataset {
                reference: self.name(&DATASETS),
                by: self.owner(network),
                reason: String::new(),
            }),
            4..7 => self.share(network),
            _ => self.read(network),
        }
    }

    fn offer(&mut self, network: &Network) -> Command {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            kind: "text".to_owned(),
        };
        let uses = DatasetUse::ALL
            .into_iter()
            .filter(|_| self.random.chance(85));
        let uses = uses.collect();
        Command::PublishDataset(NewDataset {
            reference: self.name(&DATASETS),
            by: self.owner(network),
            content: Digest([u8::from(self.random.chance(10)); 32]),
            rows: ROWS,
            bytes: 1_000,
            columns: COLUMNS.iter().map(column).collect(),
            description: String::new(),
            licence: "CC0-1.0".to_owned(),
            uses,
            open: self.random.chance(60),
            price: self.prices(),
            provider: self.name(&PAYEES),
        })
    }

    fn prices(&mut self) -> DatasetPrice {
        let mut price = || Amount::from_nano(u128::from(self.random.below(3_000)));
        DatasetPrice {
            row: price(),
            hit: price(),
            download: price(),
        }
    }

    /// Mostly whoever owns a name there.
    fn owner(&mut self, network: &Network) -> aigen_types::Address {
        let owners = network.dataset_state().owners.values();
        self.known(owners, &OWNERS)
    }

    fn share(&mut self, network: &Network) -> Command {
        let reference: aigen_types::DatasetRef = self.name(&DATASETS);
        let (dataset, by) = (reference.dataset, self.owner(network));
        let to = self.name(&PAYERS);
        if self.random.chance(20) {
            return Command::RevokeDataset(RevokeDataset { dataset, by, to });
        }
        let ends = network.ledger().now().0 + self.random.below(48) * HOUR;
        let grant = Grant {
            columns: self.columns(),
            uses: DatasetUse::ALL
                .into_iter()
                .filter(|_| self.random.chance(30))
                .collect(),
            until: self.random.chance(30).then_some(Timestamp(ends)),
        };
        Command::GrantDataset(GrantDataset {
            dataset,
            by,
            to,
            grant,
        })
    }

    fn columns(&mut self) -> Vec<String> {
        match self.random.below(10) {
            0 => vec!["author".to_owned()],
            1..4 => vec![(*self.random.pick(&COLUMNS)).to_owned()],
            _ => Vec::new(),
        }
    }

    fn read(&mut self, network: &Network) -> Command {
        let open: Vec<CallId> = network.calls().map(|(call, _)| call).collect();
        if !open.is_empty() && self.random.chance(40) {
            return Command::ReadWithin(ReadWithin {
                call: *self.random.pick(&open),
                wanted: self.wanted(network),
            });
        }
        let key = self.known(network.keys().map(|(name, _)| name), &KEYS);
        let purpose = *self.random.pick(&[
            DatasetUse::Read,
            DatasetUse::Read,
            DatasetUse::Read,
            DatasetUse::Download,
            DatasetUse::Completion,
        ]);
        let mut wanted = self.wanted(network);
        if purpose == DatasetUse::Download && self.random.chance(80) {
            (wanted.rows, wanted.hits) = (Rows::range(0, ROWS), 0);
        }
        Command::ReadDataset(ReadDataset {
            read: CallId(self.random.id()),
            bill_to: self.bill_to(network, &key),
            key,
            wanted,
            purpose,
            request: Digest([1; 32]),
            end_user: self.random.chance(25).then(|| self.name(&USERS)),
            budget: self.random.chance(20).then(|| self.amount()),
        })
    }

    /// What stands in a prompt: mostly nothing.
    pub(super) fn passages(&mut self, network: &Network) -> Vec<Wanted> {
        let count = self.random.below(8).saturating_sub(5);
        (0..count).map(|_| self.wanted(network)).collect()
    }

    /// Mostly rows that are there.
    fn wanted(&mut self, network: &Network) -> Wanted {
        let there = network
            .datasets()
            .map(|Dataset { published, .. }| &published.reference);
        let dataset = self.known(there, &DATASETS);
        let count = self.random.below(4);
        let last = if self.random.chance(5) {
            ROWS + 1
        } else {
            ROWS
        };
        let rows = Rows::of((0..count).map(|_| self.random.below(last)));
        let most = rows.count() + u64::from(self.random.chance(3));
        Wanted {
            dataset,
            columns: self.columns(),
            hits: self.random.between(0, most),
            rows,
        }
    }
}
