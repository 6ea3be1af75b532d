//! How often somebody may be wrong when signing in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong keys from one address in one window.
const WRONG_MAX: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered; beyond that the window of the oldest ends early.
const PEERS_MAX: usize = 10_000;

/// Wrong keys of late, by address.
#[derive(Default)]
pub struct Tries(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Tries {
    /// Whether this address may try.
    pub fn may(&self, peer: IpAddr, now: Instant) -> bool {
        let wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wrong
            .get(&peer)
            .is_none_or(|(since, times)| now.duration_since(*since) >= WINDOW || *times < WRONG_MAX)
    }

    pub fn wrong(&self, peer: IpAddr, now: Instant) {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= PEERS_MAX {
            wrong.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        if wrong.len() >= PEERS_MAX {
            let oldest = wrong.iter().min_by_key(|(_, (since, _))| *since);
            let oldest = oldest.map(|(peer, _)| *peer);
            oldest.map(|peer| wrong.remove(&peer));
        }
        let entry = wrong.entry(peer).or_insert((now, 0));
        if now.duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}
