//! The thread of a journal that nobody else writes to.

use crate::queue::{Own, Queued, Shown, Taken};
use crate::replica::{Applied, Replica};
use crate::store::StoreError;
use aigen_types::Timestamp;
use std::sync::mpsc;
use tokio::sync::watch;

/// Takes what is queued, applies it, appends it, answers; until told to stop.
pub(crate) fn run(
    mut replica: Replica,
    queued: mpsc::Receiver<Queued>,
    shown: &watch::Sender<Shown>,
    mut now: impl FnMut() -> Timestamp,
) -> Result<(), StoreError> {
    while let Ok(first) = queued.recv() {
        let Taken { own, stop, .. } = Taken::with(first, &queued);
        if !own.is_empty() {
            let committed = commit(&mut replica, now(), own, shown);
            if let Err(error) = committed {
                shown.send_modify(|shown| shown.stopped = true);
                return Err(error);
            }
        }
        if let Some(done) = stop {
            shown.send_modify(|shown| shown.stopped = true);
            // The store is closed before anyone hears that it is.
            drop(replica);
            drop(done);
            break;
        }
    }
    Ok(())
}

fn commit(
    replica: &mut Replica,
    now: Timestamp,
    own: Vec<Own>,
    shown: &watch::Sender<Shown>,
) -> Result<(), StoreError> {
    let (batches, replies): (Vec<_>, Vec<_>) =
        own.into_iter().map(|own| (own.batch, own.reply)).unzip();
    let Applied { record, answers } = replica.apply(now, &batches);
    replica.append(&record)?;
    shown.send_modify(|shown| shown.tip = record.tip());
    for (reply, answers) in replies.into_iter().zip(answers) {
        reply.send(record.seq, answers);
    }
    Ok(())
}
