use super::admission::Heard;
use super::{World, embedded, endless, node, parsed, request};
use aigen_journal::{ContentStore, Record, Store, StoreError, Tip};
use aigen_network::Outcome;
use std::sync::{Arc, Mutex};

/// A disk that two processes see one after the other; the second finds what the first had synced.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<Vec<Record>>>);

impl ContentStore for Disk {}

impl Store for Disk {
    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        let records = self.0.lock().unwrap();
        Ok(records.last().map(Record::tip).unwrap_or_default())
    }

    fn read_after(
        &self,
        tip: Tip,
        visit: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let records = self.0.lock().unwrap().clone();
        let after = usize::try_from(tip.seq).unwrap();
        records.into_iter().skip(after).try_for_each(visit)
    }
}

/// The disk as a kill at this moment leaves it.
fn killed(disk: &Disk) -> Disk {
    let records = disk.0.lock().unwrap().clone();
    Disk(Arc::new(Mutex::new(records)))
}

#[tokio::test]
async fn a_killed_nodes_calls_are_charged_for_what_was_recorded() {
    let disk = Disk::default();
    let world = World::on(Box::new(disk.clone()), endless(), 100_000).await;
    let mut running = world
        .node
        .complete(&world.caller, request(2_000))
        .await
        .unwrap();
    let (call, mut seen) = (running.call, 0);
    while seen < 400 {
        if let Some(crate::CallEvent::Piece { piece, .. }) = running.events.recv().await {
            seen += piece.text.len() as u64;
        }
    }
    let revived = node(Box::new(killed(&disk)), embedded(endless())).await;
    let heard = Arc::new(Heard::default());
    revived.observe(heard.clone());
    let lost: Vec<_> = heard
        .lost
        .lock()
        .unwrap()
        .iter()
        .map(|lost| lost.outcome)
        .collect();
    assert_eq!(lost, [Outcome::Recovered]);
    let network = revived.network();
    let receipt = network
        .receipt(call)
        .expect("closed before anything else happens");
    assert_eq!(receipt.outcome, Outcome::Recovered);
    assert_eq!(network.calls().count(), 0);
    let account = network.account(&parsed("user:ada")).unwrap();
    assert!(account.debits_pending.is_zero(), "nothing is held for ever");
    // Never zero, never the full hold: a kill makes at most 16 of the tokens seen free.
    let charged = receipt.call.used.computed_tokens();
    assert!(
        charged + crate::limits::PROGRESS_TOKENS > seen,
        "{charged} of {seen} seen"
    );
    assert!(charged < 2_000);
    assert_eq!(network.issued(), network.total_balances());
}
