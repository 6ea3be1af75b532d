use super::conclusion::charged;
use crate::access::Access;
use aigen_node::network::Receipt;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::oneshot::{Receiver, error::TryRecvError};

/// Keeps a request's access line open until its call is settled, so that it says what a client cost
/// that is gone.
pub(crate) struct Parting {
    pub access: Access,
    pub settled: Option<Receiver<Arc<Receipt>>>,
}

impl Drop for Parting {
    fn drop(&mut self) {
        let Some(mut settled) = self.settled.take() else {
            return;
        };
        match (settled.try_recv(), Handle::try_current()) {
            (Ok(receipt), _) => charged(&self.access, &receipt),
            (Err(TryRecvError::Empty), Ok(runtime)) => {
                let access = self.access.clone();
                runtime.spawn(async move {
                    if let Ok(receipt) = settled.await {
                        charged(&access, &receipt);
                    }
                });
            }
            // It never began, or everything ends.
            (Err(_), _) => {}
        }
    }
}
