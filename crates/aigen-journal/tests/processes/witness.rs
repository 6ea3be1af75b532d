//! Somebody who remembers everything that was acknowledged, and replays by himself.

use super::{child, name_of};
use aigen_journal::{Record, SqliteStore, Store, Tip, recover};
use aigen_network::Network;
use aigen_types::Amount;
use std::collections::BTreeMap;
use std::path::Path;

/// Applies each record once, whatever snapshots the processes recover from.
#[derive(Default)]
pub struct Witness {
    network: Network,
    pub tip: Tip,
    /// By command: its record, and the answer that replay gives.
    found: BTreeMap<String, (u64, &'static str)>,
    pub acknowledged: usize,
}

impl Witness {
    /// Follows the journal, and checks what was said.
    pub fn check(&mut self, folder: &Path, said: &[String]) {
        let store = SqliteStore::open_read_only(&folder.join(child::FILE)).unwrap();
        // Numbers and hashes are checked on the way, from the last record seen before.
        store
            .read_after(self.tip, &mut |record| {
                self.follow(&record);
                Ok(())
            })
            .unwrap();
        for line in said {
            self.check_said(line);
        }
        self.check_holds(said);
    }

    /// Recovers as the next process would, and checks the whole state.
    pub fn check_state(&self, folder: &Path) {
        let store = SqliteStore::open_read_only(&folder.join(child::FILE)).unwrap();
        let (recovered, how) = recover(&store, |_, _| {}).unwrap();
        assert!(how.refused.is_empty(), "{:?}", how.refused);
        assert_eq!(recovered.tip, self.tip);
        assert!(recovered.network == self.network, "recovery is replay");
        self.network.check().unwrap();
        assert_eq!(self.network.issued(), self.network.total_balances());
    }

    fn follow(&mut self, record: &Record) {
        for command in record.commands().unwrap() {
            let answer = self.network.apply(record.seq, record.timestamp, &command);
            if let Some(name) = name_of(&command) {
                let found = (record.seq, child::words(&answer));
                assert_eq!(self.found.insert(name, found), None, "recorded twice");
            }
        }
        self.tip = record.tip();
    }

    /// `open-7 12 ok`: this command is in this record, and was answered so.
    fn check_said(&mut self, line: &str) {
        let [name, seq, words] = line.split(' ').collect::<Vec<_>>()[..] else {
            return;
        };
        self.acknowledged += 1;
        let found = self
            .found
            .get(name)
            .map(|(seq, words)| (seq.to_string(), *words));
        assert_eq!(found, Some((seq.to_owned(), words)), "acknowledged: {line}");
    }

    /// Money is held for running calls alone; once a process has swept what the one before
    /// left, for those that it opened itself.
    fn check_holds(&self, said: &[String]) {
        let swept = said.iter().position(|line| line == "swept");
        let own = said
            .iter()
            .skip(swept.unwrap_or(usize::MAX))
            .find_map(|line| round_of(line));
        let mut held = Amount::ZERO;
        for (id, call) in self.network.calls() {
            held = held.checked_add(call.held()).unwrap();
            assert!(
                own.is_none_or(|round| id.0 >> 64 == round),
                "{id} is left open"
            );
        }
        let ada = self.network.account(&"user:ada".parse().unwrap());
        assert_eq!(ada.map_or(Amount::ZERO, |ada| ada.debits_pending), held);
    }

    /// The state after the last record.
    pub fn network(&self) -> &Network {
        &self.network
    }
}

/// The round in which a call was opened, if this line says so.
fn round_of(line: &str) -> Option<u128> {
    let id = line.strip_prefix("open-")?.split(' ').next()?;
    Some(id.parse::<aigen_types::CallId>().ok()?.0 >> 64)
}
